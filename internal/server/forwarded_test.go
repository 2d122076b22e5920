package server

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

var proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}

func TestClientAddr(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no header", "192.0.2.1:80", nil, "192.0.2.1"},
		{"untrusted peer lies", "192.0.2.1:80", []string{"198.51.100.1"}, "192.0.2.1"},
		{"trusted peer, no header", "10.0.0.1:80", nil, "10.0.0.1"},
		{"trusted peer", "10.0.0.1:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"client lied to the proxy", "10.0.0.1:80", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:80", []string{"203.0.113.9, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"two lines", "10.0.0.1:80", []string{"203.0.113.9, 198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		{"all trusted", "10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"garbage nearest", "10.0.0.1:80", []string{"198.51.100.1, garbage"}, "10.0.0.1"},
		{"garbage behind a proxy", "10.0.0.1:80", []string{"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.1"},
		{"garbage beyond the client", "10.0.0.1:80", []string{"garbage, 198.51.100.1"}, "198.51.100.1"},
		{"ports", "10.0.0.1:80", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"IPv6 with brackets", "[2001:db8::1]:80", []string{"[2a00::1]:4711"}, "2a00::1"},
		{"IPv6 in brackets alone", "[2001:db8::1]:80", []string{"[2a00::1]"}, "2a00::1"},
		{"IPv4 in brackets", "10.0.0.1:80", []string{"[198.51.100.1]"}, "10.0.0.1"},
		{"zone", "[fe80::1%eth0]:80", nil, "fe80::1"},
		{"forwarded zone", "10.0.0.1:80", []string{"fe80::2%eth0"}, "fe80::2"},
		{"IPv4-mapped peer", "[::ffff:10.0.0.1]:80", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"empty elements", "10.0.0.1:80", []string{" , 198.51.100.1,, "}, "198.51.100.1"},
		{"nothing but commas", "10.0.0.1:80", []string{",,,", ""}, "10.0.0.1"},
		{"unix socket", "@", []string{"198.51.100.1"}, "invalid IP"},
	}
	for _, test := range tests {
		r := &http.Request{RemoteAddr: test.peer, Header: http.Header{"X-Forwarded-For": test.forwarded}}
		if got := ClientAddr(r, proxies).String(); got != test.want {
			t.Errorf("%s: want %s, got %s", test.name, test.want, got)
		}
	}
}

func TestIsSecure(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, peer string
		tls        bool
		proto      []string
		want       bool
	}{
		{"own TLS", "192.0.2.1:80", true, nil, true},
		{"plain", "192.0.2.1:80", false, nil, false},
		{"untrusted peer lies", "192.0.2.1:80", false, []string{"https"}, false},
		{"trusted peer", "10.0.0.1:80", false, []string{"https"}, true},
		{"case and space", "10.0.0.1:80", false, []string{" HTTPS "}, true},
		{"trusted peer, plain client", "10.0.0.1:80", false, []string{"http"}, false},
		{"chain", "10.0.0.1:80", false, []string{"https, https"}, true},
		{"chain with a plain hop", "10.0.0.1:80", false, []string{"https, http"}, false},
		{"client's invention", "10.0.0.1:80", false, []string{"https", "http"}, false},
		{"empty", "10.0.0.1:80", false, []string{""}, false},
		{"nothing", "10.0.0.1:80", false, nil, false},
	}
	for _, test := range tests {
		r := &http.Request{RemoteAddr: test.peer, Header: http.Header{"X-Forwarded-Proto": test.proto}}
		if test.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := IsSecure(r, proxies); got != test.want {
			t.Errorf("%s: want %t, got %t", test.name, test.want, got)
		}
	}
}

// Whatever the header says: what an untrusted peer sends changes nothing, the answer has no zone, and what a client
// prepends to the header never wins over what the trusted proxy appended.
func FuzzClientAddr(f *testing.F) {
	f.Add("198.51.100.1, 10.0.0.2")
	f.Add("[2a00::1%1]:80,,")
	f.Add("::ffff:1.2.3.4")
	f.Fuzz(func(t *testing.T, sent string) {
		ask := func(peer, header string) netip.Addr {
			return ClientAddr(&http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {header}}}, proxies)
		}
		if got := ask("192.0.2.1:1", sent); got != netip.MustParseAddr("192.0.2.1") {
			t.Errorf("an untrusted peer became %s", got)
		}
		if got := ask("10.0.0.1:1", sent+", 192.0.2.1"); got != netip.MustParseAddr("192.0.2.1") {
			t.Errorf("a client became %s", got)
		}
		got := ask("10.0.0.1:1", sent)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("want a bare address, got %s", got)
		}
		if got != netip.MustParseAddr("10.0.0.1") && !strings.Contains(sent, ".") && !strings.Contains(sent, ":") {
			t.Errorf("%s comes from nowhere", got)
		}
	})
}
