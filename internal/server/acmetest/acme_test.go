package acmetest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"github.com/rollcall-id/rollcall/internal/server"
)

const domain = "users.example.test"

// patience bounds the wait for a certificate; the whole exchange takes a second or two.
const patience = time.Minute

// Not parallel: Pebble takes its switches from the environment.
func TestCertificateByTLSALPN(t *testing.T) {
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "20") // good clients retry refused nonces
	public := freePort(t)
	directory, directoryRoots, issued := authority(t, public.Port)

	storage := t.TempDir()
	first := serve(t, public, directory, directoryRoots, storage)
	cert := await(t, public, issued)
	if got := cert.DNSNames; len(got) != 1 || got[0] != domain {
		t.Errorf("want a certificate for %s, got %v", domain, got)
	}
	first()

	// After a restart the stored certificate is served: the server does not ask for another.
	second := serve(t, public, directory, directoryRoots, storage)
	defer second()
	if again := await(t, public, issued); !again.Equal(cert) {
		t.Error("the restarted server has another certificate")
	}
}

// serve runs a server with ACME and returns how to stop it.
func serve(t *testing.T, public *net.TCPAddr, directory string, roots *x509.CertPool, storage string) (stop func()) {
	t.Helper()
	acme, err := server.NewACME(server.ACMEConfig{
		Domains: []string{domain}, Email: "ops@example.test", Directory: directory, Roots: roots, Storage: storage,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Config{Addr: public.String(), Certificates: acme, Admin: server.AdminConfig{Addr: "off"},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

// await returns the certificate as soon as the server has one that the authority issued.
func await(t *testing.T, public *net.TCPAddr, roots *x509.CertPool) *x509.Certificate {
	t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		var conn *tls.Conn
		conn, err = tls.Dial("tcp", public.String(), &tls.Config{ServerName: domain, RootCAs: roots})
		if err == nil {
			defer conn.Close()
			return conn.ConnectionState().PeerCertificates[0]
		}
	}
	t.Fatalf("no certificate within %s: %v", patience, err)
	return nil
}

// authority runs Pebble, which validates by connecting to tlsPort, and returns its directory, whom to trust for that
// directory, and whom to trust for the certificates it issues.
func authority(t *testing.T, tlsPort int) (directory string, directoryRoots, issued *x509.CertPool) {
	t.Helper()
	logger := log.New(t.Output(), "pebble ", 0)
	store := db.NewMemoryStore()
	issuer := ca.New(logger, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	validator := va.New(logger, 0, tlsPort, true, resolver(t), store)
	front := wfe.New(logger, store, validator, issuer, []string{"pebble.example.test"}, true, false, 1, 1)

	api := httptest.NewTLSServer(front.Handler())
	t.Cleanup(api.Close)

	directoryRoots, issued = x509.NewCertPool(), x509.NewCertPool()
	directoryRoots.AddCert(api.Certificate())
	issued.AddCert(issuer.GetRootCert(0).Cert)
	return api.URL + wfe.DirectoryPath, directoryRoots, issued
}

// resolver is a name server to which every name is this machine.
func resolver(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{Listener: listener, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		reply := new(dns.Msg).SetReply(query)
		if question := query.Question[0]; question.Qtype == dns.TypeA {
			reply.Answer = append(reply.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1},
				A:   net.IPv4(127, 0, 0, 1)})
		}
		_ = w.WriteMsg(reply)
	})}
	go func() { _ = srv.ActivateAndServe() }()
	t.Cleanup(func() { _ = srv.Shutdown() })
	return listener.Addr().String()
}

// freePort finds a port that is free now; Pebble must know it before the server listens.
func freePort(t *testing.T) *net.TCPAddr {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr)
}
