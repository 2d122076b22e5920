package server

import "net/http"

// guardFraming ends the connection after an HTTP/1 message that another party on the path might have framed
// differently (RFC 9112 section 6.1; contract section 10).
//
// net/http accepts a request with both Content-Length and Transfer-Encoding, believes the latter, and deletes the former
// before a handler could see it; on HTTP/1.0 it deletes Transfer-Encoding instead. From here the bad messages look like
// good ones, and reading the bytes a second time with a parser of our own would open the very gap that smuggling needs.
// So every chunked HTTP/1.1 request and every HTTP/1.0 request is the last on its connection: a superset that needs no
// second opinion. It costs a new connection to clients that send a form of 100 bytes in chunks, and to nobody else.
func guardFraming(conns *connSet, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		enterHandler(r.Context())
		if ambiguousFraming(r) || conns.draining.Load() {
			// In HTTP/2 the header is not sent: net/http turns it into a GOAWAY, which is what a drain wants.
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

func ambiguousFraming(r *http.Request) bool {
	return r.ProtoMajor == 1 && (r.ProtoMinor == 0 || len(r.TransferEncoding) > 0)
}
