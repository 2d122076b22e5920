package main

import (
	"net"
	"testing"
)

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for listened, want := range map[string]string{
		"127.0.0.1:8443": "https://127.0.0.1:8443",
		"[::1]:8443":     "https://[::1]:8443",
		"[::]:8443":      "https://localhost:8443",
		"0.0.0.0:8443":   "https://localhost:8443",
	} {
		addr, err := net.ResolveTCPAddr("tcp", listened)
		if err != nil {
			t.Fatal(err)
		}
		if got := baseURL(true, addr); got != want {
			t.Errorf("%s: got %s, want %s", listened, got, want)
		}
	}
}
