package sharedlimit_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/sharedlimit"
	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/valkeytest"
)

// overTLS starts a server that speaks TLS, and returns its URL and whom to believe.
func overTLS(t *testing.T) (string, *x509.CertPool) {
	t.Helper()
	known := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
	known.Close()
	roots := x509.NewCertPool()
	roots.AddCert(known.Certificate())
	key, err := x509.MarshalPKCS8PrivateKey(known.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert := write("cert.pem", "CERTIFICATE", known.Certificate().Raw)
	free, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it returns at once
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	valkeytest.Own(t, "--tls-port", strconv.Itoa(port), "--tls-cert-file", cert, "--tls-key-file", write("key.pem", "PRIVATE KEY", key),
		"--tls-ca-cert-file", cert, "--tls-auth-clients", "no")
	return fmt.Sprintf("rediss://127.0.0.1:%d/0", port), roots
}

// TestValkeyConformsOverTLS: the counts are as exact, and nobody else is believed to be the server.
func TestValkeyConformsOverTLS(t *testing.T) {
	t.Parallel()
	url, roots := overTLS(t)
	open := func(roots *x509.CertPool) sharedlimit.Store {
		s, err := sharedlimit.NewValkey(sharedlimit.ValkeyOptions{URL: url, Roots: roots, Timeout: patient})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	stranger := open(x509.NewCertPool())
	t.Cleanup(stranger.Close)
	rules, err := throttle.NewRules(throttle.DefaultPolicies())
	if err != nil {
		t.Fatal(err)
	}
	meter, err := rules.Meter(app("a"))
	if err != nil {
		t.Fatal(err)
	}
	orders := []sharedlimit.Order{{Key: "a:b", Meter: meter, N: 1}}
	if stranger.Spend(t.Context(), orders); orders[0].Err == nil || !strings.Contains(orders[0].Err.Error(), "certificate") {
		t.Errorf("got error %v, want one about the certificate, which is nobody's we know", orders[0].Err)
	}
	conforms(t, func() sharedlimit.Store { return open(roots) })
}
