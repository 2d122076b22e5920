// Package server owns the sockets: it listens, speaks TLS, bounds what a peer may cost, answers health, metrics and
// profiles on a separate administrative listener, and drains without cutting a request. It knows no users, no routes
// and no errors of the API: what a request means is the business of the http.Handler it is given, and so is every
// body and status but those of /livez and /readyz.
//
// What must always hold:
//
//   - A connection costs a bounded amount of memory and time, whatever its peer does (see [Limits]).
//   - TLS is 1.2 or 1.3 with forward secrecy and an AEAD; nothing else is ever negotiated.
//   - A certificate that does not load never replaces one that did.
//   - A request whose first byte arrived before the drain began is answered, unless the peer is too slow to send its
//     header or the handler exceeds the time that the operator allowed.
//   - An HTTP/1 message whose framing could be read in two ways ends its connection (see framing.go).
//   - Nothing administrative is reachable from another machine unless the operator said so.
//
// The life of a server, and of one HTTP/1 connection in it:
//
//	New -> Listen -> Run --- ctx done ---> readiness red, DrainDelay -> listener closed, quiet connections closed
//	        (addresses known)                -> headers under way arrive -> requests finish -> admin closed
//
//	fresh -first byte-> reading -handler entered-> serving -answered-> idle -next byte-> reading
package server
