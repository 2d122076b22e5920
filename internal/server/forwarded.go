package server

import (
	"net/http"
	"net/netip"
	"strings"
)

// ClientAddr returns the address of the client that a request came from, without zone and with IPv4-mapped IPv6
// addresses unmapped. X-Forwarded-For is believed only as far as trusted proxies wrote it: reading from the right, the
// first address that is not trusted is the client's; when all are trusted it is the leftmost. A malformed entry met on
// the way makes the whole header worthless, and the peer's own address is returned. The result is invalid only when
// r.RemoteAddr is not an IP address, as on a Unix socket.
func ClientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer := parsePeer(r.RemoteAddr)
	if !contains(trusted, peer) {
		return peer
	}
	client := peer
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest := lines[i]; rest != ""; {
			var entry string
			rest, entry = cutLast(rest)
			if entry == "" {
				continue // RFC 9110 section 5.6.1: empty list elements are ignored
			}
			hop := parsePeer(entry)
			if !hop.IsValid() {
				return peer
			}
			if !contains(trusted, hop) {
				return hop
			}
			client = hop
		}
	}
	return client
}

// IsSecure reports whether the client's own connection was HTTPS: ours is TLS, or a trusted proxy says so in
// X-Forwarded-Proto. When that header names several schemes all must be https, since a proxy that appends passes on what
// its client invented.
func IsSecure(r *http.Request, trusted []netip.Prefix) bool {
	if r.TLS != nil {
		return true
	}
	if len(trusted) == 0 || !contains(trusted, parsePeer(r.RemoteAddr)) {
		return false
	}
	secure := false
	for _, line := range r.Header["X-Forwarded-Proto"] {
		for scheme := range strings.SplitSeq(line, ",") {
			if !strings.EqualFold(strings.TrimSpace(scheme), "https") {
				return false
			}
			secure = true
		}
	}
	return secure
}

// cutLast takes the last element off a comma-separated list.
func cutLast(list string) (rest, last string) {
	comma := strings.LastIndexByte(list, ',')
	if comma < 0 {
		return "", strings.TrimSpace(list)
	}
	return list[:comma], strings.TrimSpace(list[comma+1:])
}

// parsePeer reads an address with or without port and brackets; it returns the invalid address for anything else.
func parsePeer(text string) netip.Addr {
	withPort, err := netip.ParseAddrPort(text) // as of nearly all: no text is both
	addr := withPort.Addr()
	if err != nil {
		addr, err = netip.ParseAddr(text)
	}
	if err != nil && strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		if bare, bareErr := netip.ParseAddr(text[1 : len(text)-1]); bareErr == nil && bare.Is6() {
			addr = bare
		}
	}
	return addr.WithZone("").Unmap()
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}
