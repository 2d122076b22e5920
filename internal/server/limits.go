package server

import (
	"net/http"
	"time"
)

// Limits bounds what one peer, and all peers together, can cost. A zero field takes the default named beside it; the
// defaults keep the contract's section 10: a slow client is cut within 60 s (handshake 10 + header 10 + answer 35), an
// idle connection within 120 s.
type Limits struct {
	// ReadHeader bounds the TLS handshake and, after it, the header of each HTTP/1 request. Default 10 s.
	ReadHeader time.Duration
	// Read bounds a whole request, header and body, from its first byte. Default 30 s.
	Read time.Duration
	// Write bounds the time from the end of the request header to the end of the answer. It is longer than Read so
	// that a body which came too slowly can still be answered. Default 35 s.
	Write time.Duration
	// Idle bounds the wait for the next request on a kept connection. Default 110 s, above the 60 s after which common
	// load balancers drop their side, so that it is rarely ours that closes under a request.
	Idle time.Duration
	// HeaderBytes bounds the request line and header as the transport reads them. It is far above the 32 KiB the
	// pipeline allows so that the refusal can be JSON; beyond it net/http answers 431 in plain text. Default 256 KiB.
	HeaderBytes int
	// Streams bounds the requests that one HTTP/2 connection may have open at a time. Default 250.
	Streams int
	// Ping is how long an HTTP/2 connection may show no complete frame before it must answer a PING, and PingReply
	// how long the answer may take: together they cut a peer that stalls inside a frame, which the idle timer does
	// not see. Defaults 20 s and 15 s.
	Ping, PingReply time.Duration
	// Connections bounds the open connections of the public listener; one more is closed as soon as it is accepted,
	// which a client sees and a counter shows, where a full backlog would be silence. Default 10000.
	Connections int
	// ConnectionsPerAddr bounds those of one IPv4 address or one IPv6 /64, so that no single peer can take all of
	// them. Loopback peers and trusted proxies, which speak for many, are exempt. Default 1000.
	ConnectionsPerAddr int
}

func (l Limits) withDefaults() Limits {
	orDefault(&l.ReadHeader, 10*time.Second)
	orDefault(&l.Read, 30*time.Second)
	orDefault(&l.Write, 35*time.Second)
	orDefault(&l.Idle, 110*time.Second)
	orDefault(&l.HeaderBytes, 256<<10)
	orDefault(&l.Streams, 250)
	orDefault(&l.Ping, 20*time.Second)
	orDefault(&l.PingReply, 15*time.Second)
	orDefault(&l.Connections, 10_000)
	orDefault(&l.ConnectionsPerAddr, 1_000)
	return l
}

func orDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// apply sets the limits that net/http enforces by itself.
func (l Limits) apply(srv *http.Server) {
	srv.ReadHeaderTimeout = l.ReadHeader
	srv.ReadTimeout = l.Read
	srv.WriteTimeout = l.Write
	srv.IdleTimeout = l.Idle
	srv.MaxHeaderBytes = l.HeaderBytes
	srv.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams: l.Streams,
		SendPingTimeout:      l.Ping,
		PingTimeout:          l.PingReply,
		WriteByteTimeout:     l.Write,
		// Bodies are capped at 64 KiB by the pipeline: larger windows would only let a peer fill memory.
		MaxReceiveBufferPerConnection: 1 << 20,
		MaxReceiveBufferPerStream:     128 << 10,
	}
}
