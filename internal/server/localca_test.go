package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLocalAuthorityCertifiesLocalNamesOnly(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t, "192.0.2.7", "box.internal", "", "0.0.0.0", "::", "127.0.0.1", "localhost")
	roots := pool(t, authority)
	leaf := authority.leaf.Leaf
	tests := map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true, "192.0.2.7": true, "box.internal": true,
		"example.com": false, "192.0.2.8": false, "127.0.0.2": false, "0.0.0.0": false,
	}
	for name, want := range tests {
		_, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots})
		if got := err == nil; got != want {
			t.Errorf("%s: want valid %t, got %t (%v)", name, want, got, err)
		}
	}
	wantIPs := []string{"127.0.0.1", "::1", "192.0.2.7"}
	var gotIPs []string
	for _, ip := range leaf.IPAddresses {
		gotIPs = append(gotIPs, ip.String())
	}
	if diff := cmp.Diff(wantIPs, gotIPs); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}

// Whoever got hold of the authority's key could still not make a certificate for another name.
func TestLocalAuthorityIsConstrained(t *testing.T) {
	t.Parallel()
	now := time.Now()
	names, addrs := localNames(nil)
	root, err := rootTemplate(rand.Reader, now, names, addrs)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	foreign, err := issueLeaf(rand.Reader, root, key, []string{"bank.example"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign.Leaf.IPAddresses = []net.IP{}
	if _, err := foreign.Leaf.Verify(x509.VerifyOptions{DNSName: "bank.example", Roots: roots}); err == nil ||
		!strings.Contains(err.Error(), "not permitted") {
		t.Errorf("want the name refused by constraint, got %v", err)
	}
	if !parsed.PermittedDNSDomainsCritical || !parsed.MaxPathLenZero {
		t.Error("want critical name constraints and no intermediate authorities")
	}
}

func TestLocalAuthorityLifetime(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	authority, err := NewLocalAuthority(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(authority.CertificatePEM())
	if block == nil || block.Type != "CERTIFICATE" || len(rest) > 0 {
		t.Fatalf("want one PEM certificate and nothing else, got %v and %q", block, rest)
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, cert := range []*x509.Certificate{root, authority.leaf.Leaf} {
		if want := now.Add(30 * 24 * time.Hour); !cert.NotAfter.Equal(want) || cert.NotBefore.After(now) {
			t.Errorf("want valid at %s until %s, got %s to %s", now, want, cert.NotBefore, cert.NotAfter)
		}
	}
	if _, err := NewLocalAuthority(strings.NewReader("short"), now); err == nil {
		t.Error("want an error when randomness runs out")
	}
}
