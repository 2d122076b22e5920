package node

import "sync"

// layBallast lays what the collector takes for alive and nothing ever touches, so that it is address space and no
// memory. What lives in a server's heap is a few MiB; without ballast Go would collect every few hundred requests. With it
// a collection comes every 10 MiB or so, and its rule stays what it is where much lives. It is laid before
// anything is opened: later the heap would give memory that was in use, which it has to clear.
var layBallast = sync.OnceValue(func() []byte { return make([]byte, 8<<20) })
