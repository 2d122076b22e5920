package node

import "runtime"

// ballast is how many bytes the collector takes for alive that nothing ever touches, so that they are address space and no
// memory. What lives in a server's heap is a few MiB; without ballast Go would collect every few hundred
// requests. With it a collection comes every 10 MiB or so, and the rule of the collector stays what it is when much lives.
const ballast = 8 << 20

// layBallast returns what throws the ballast out; whoever serves holds it until the end.
func layBallast() (release func()) {
	b := make([]byte, ballast)
	return func() { runtime.KeepAlive(b) }
}
