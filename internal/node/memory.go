package node

// ballast is what the collector takes for alive and nothing ever touches, so that it is address space and no memory. What
// lives in a server's heap is a few MiB; without ballast Go would collect every few hundred requests. With it a
// collection comes every 10 MiB or so, and its rule stays what it is where much lives. It is laid when the
// program starts: later the heap would give memory that was in use, which it has to clear.
var ballast = lay(8 << 20)

// lay makes n bytes on the heap, which the compiler would otherwise place with the program's data.
//
//go:noinline
func lay(n int) []byte { return make([]byte, n) }
