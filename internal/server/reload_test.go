package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// pemPair is a certificate whose Subject tells it from others, with its key.
func pemPair(t *testing.T) (cert, key []byte) {
	t.Helper()
	authority := newAuthority(t)
	der, err := x509.MarshalPKCS8PrivateKey(authority.leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.leaf.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func served(t *testing.T, f *CertificateFiles) []byte {
	t.Helper()
	cert, err := f.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
}

func TestCertificateFilesFollowTheirFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	cert1, key1 := pemPair(t)
	cert2, key2 := pemPair(t)
	write(t, certFile, cert1)
	write(t, keyFile, key1)
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		f, err := NewCertificateFiles(certFile, keyFile, 5*time.Second, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		registry := prometheus.NewRegistry()
		registry.MustRegister(f)
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- f.Maintain(ctx, nil) }()
		expect := func(step string, want []byte, failures float64, errorLines int) {
			t.Helper()
			time.Sleep(5 * time.Second) // the bubble's clock
			synctest.Wait()
			if !bytes.Equal(served(t, f), want) {
				t.Errorf("%s: another certificate is served", step)
			}
			if got := sum(t, registry, "rollcall_tls_reload_failures_total"); got != failures {
				t.Errorf("%s: want %v failures counted, got %v", step, failures, got)
			}
			if got := strings.Count(log.String(), "level=ERROR"); got != errorLines {
				t.Errorf("%s: want %d errors logged, got %d:\n%s", step, errorLines, got, log.String())
			}
		}
		expect("unchanged", cert1, 0, 0)
		write(t, certFile, cert2)
		expect("certificate without its key", cert1, 1, 1)
		write(t, keyFile, key2)
		expect("both renewed", cert2, 1, 1)
		write(t, certFile, []byte("garbage"))
		expect("garbage", cert2, 2, 2)
		if err := os.Remove(keyFile); err != nil {
			t.Fatal(err)
		}
		expect("key gone", cert2, 3, 3)
		expect("key still gone", cert2, 4, 3)
		write(t, certFile, cert1)
		write(t, keyFile, key1)
		expect("repaired", cert1, 4, 3)
		if want := float64(f.current.Load().Leaf.NotAfter.Unix()); sum(t, registry, "rollcall_tls_certificate_expiry_timestamp_seconds") != want {
			t.Error("the expiry metric is not the served certificate's")
		}
		cancel()
		if err := <-stopped; err != nil {
			t.Errorf("want nil at the end, got %v", err)
		}
	})
}

func TestCertificateFilesMustLoadAtStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	cert, _ := pemPair(t)
	_, otherKey := pemPair(t)
	huge := make([]byte, maxPEMFile+1)
	_, _ = rand.Read(huge[:16])
	for name, test := range map[string]struct {
		cert, key []byte
		want      string
	}{
		"no files":      {nil, nil, "tls.crt"},
		"no key":        {cert, nil, "tls.key"},
		"foreign key":   {cert, otherKey, "belong together"},
		"no PEM":        {[]byte("x"), []byte("y"), "must be PEM"},
		"not even text": {huge, otherKey, "larger than"},
	} {
		for path, data := range map[string][]byte{certFile: test.cert, keyFile: test.key} {
			_ = os.Remove(path)
			if data != nil {
				write(t, path, data)
			}
		}
		_, err := NewCertificateFiles(certFile, keyFile, 0, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: want an error with %q, got %v", name, test.want, err)
		}
	}
}

// A renewed pair serves the very next handshake of a running server.
func TestReloadedCertificateIsServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	cert, key := pemPair(t)
	write(t, certFile, cert)
	write(t, keyFile, key)
	f, err := NewCertificateFiles(certFile, keyFile, time.Hour, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Handler: echo, Certificates: f}, false)
	cert2, key2 := pemPair(t)
	for _, want := range []struct{ cert, key []byte }{{cert, key}, {cert2, key2}} {
		write(t, certFile, want.cert)
		write(t, keyFile, want.key)
		if _, err := f.Reload(); err != nil {
			t.Fatal(err)
		}
		s.roots = x509.NewCertPool()
		s.roots.AppendCertsFromPEM(want.cert)
		res, err := s.client(t, false).Get(s.url("/"))
		if err != nil {
			t.Fatalf("want the renewed certificate served: %v", err)
		}
		_ = res.Body.Close()
	}
}
