package server

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The exchange with an authority is tested in the acmetest module, against Pebble.

func TestNewACMERefusesBadSettings(t *testing.T) {
	t.Parallel()
	for want, config := range map[string]ACMEConfig{
		"domain":        {Storage: "x"},
		"storage":       {Domains: []string{"a.example"}},
		"not an https ": {Domains: []string{"a.example"}, Storage: "x", Directory: "http://ca.example/dir"},
		`"://"`:         {Domains: []string{"a.example"}, Storage: "x", Directory: "://"},
	} {
		if _, err := NewACME(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestACMEOffersItsChallengeProtocol(t *testing.T) {
	t.Parallel()
	acme, err := NewACME(ACMEConfig{Domains: []string{"a.example"}, Storage: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"h2", "http/1.1", "acme-tls/1"}, tlsConfig(acme).NextProtos); diff != "" {
		t.Errorf("ALPN (-want +got):\n%s", diff)
	}
	if _, err := acme.GetCertificate(&tls.ClientHelloInfo{ServerName: "a.example"}); err == nil {
		t.Error("want an error before Maintain")
	}
}

func TestACMEStorageMustBeUsable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	acme, err := NewACME(ACMEConfig{Domains: []string{"a.example"}, Storage: filepath.Join(file, "sub")})
	if err != nil {
		t.Fatal(err)
	}
	if err := acme.Maintain(t.Context(), &net.TCPAddr{}); err == nil || !strings.Contains(err.Error(), "storage") {
		t.Errorf("want the storage named, got %v", err)
	}
}
