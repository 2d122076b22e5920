package console

// Routes yields the method and path of all that is there for whoever is signed in, to tests that
// try all of it.
func Routes(yield func(method, path string) bool) {
	for _, r := range routes() {
		if !r.open && !yield(r.method, Root+r.path) {
			return
		}
	}
}
