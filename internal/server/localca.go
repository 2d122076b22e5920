package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"time"
)

// localLifetime is how long a local authority and its certificate hold. A throwaway server is restarted long before.
const localLifetime = 30 * 24 * time.Hour

// LocalAuthority is a certificate authority made for one run of a development server. Its private key is forgotten as soon
// as the one certificate is issued, and it is constrained to the names of that certificate (RFC 5280 section 4.2.1.10):
// a person who trusts it trusts nobody with anything else.
type LocalAuthority struct {
	authority []byte // DER
	leaf      tls.Certificate
}

// NewLocalAuthority makes an authority and a certificate for localhost, 127.0.0.1, ::1 and the given hosts (names or
// addresses; empty and unspecified ones are passed over), valid from an hour before now for 30 days. Serial numbers come
// from random; since Go 1.26 key generation uses the system's secure source whatever it is given.
func NewLocalAuthority(random io.Reader, now time.Time, hosts ...string) (*LocalAuthority, error) {
	names, addrs := localNames(hosts)
	root, err := rootTemplate(random, now, names, addrs)
	if err != nil {
		return nil, fmt.Errorf("local authority: %w", err)
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, fmt.Errorf("local authority: make its key: %w", err)
	}
	rootDER, err := x509.CreateCertificate(random, root, root, rootKey.Public(), rootKey)
	if err != nil {
		return nil, fmt.Errorf("local authority: sign itself: %w", err)
	}
	leaf, err := issueLeaf(random, root, rootKey, names, addrs)
	if err != nil {
		return nil, fmt.Errorf("local authority: issue for %v %v: %w", names, addrs, err)
	}
	return &LocalAuthority{authority: rootDER, leaf: leaf}, nil
}

// localNames sorts hosts into names and addresses, the loopback ones first.
func localNames(hosts []string) (names []string, addrs []netip.Addr) {
	names = []string{"localhost"}
	addrs = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	for _, host := range hosts {
		addr, err := netip.ParseAddr(host)
		addr = addr.WithZone("").Unmap()
		switch {
		case err == nil && !addr.IsUnspecified() && !slices.Contains(addrs, addr):
			addrs = append(addrs, addr)
		case err != nil && host != "" && !slices.Contains(names, host):
			names = append(names, host)
		}
	}
	return names, addrs
}

func rootTemplate(random io.Reader, now time.Time, names []string, addrs []netip.Addr) (*x509.Certificate, error) {
	serial, err := newSerial(random)
	if err != nil {
		return nil, err
	}
	root := &x509.Certificate{
		SerialNumber:                serial,
		Subject:                     pkix.Name{CommonName: "rollcall throwaway authority " + serial.Text(36)[:8]},
		NotBefore:                   now.Add(-time.Hour),
		NotAfter:                    now.Add(localLifetime),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         names,
	}
	for _, addr := range addrs {
		root.PermittedIPRanges = append(root.PermittedIPRanges,
			&net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(addr.BitLen(), addr.BitLen())})
	}
	return root, nil
}

func issueLeaf(random io.Reader, root *x509.Certificate, rootKey *ecdsa.PrivateKey, names []string, addrs []netip.Addr) (tls.Certificate, error) {
	serial, err := newSerial(random)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: names[0]},
		NotBefore:    root.NotBefore,
		NotAfter:     root.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     names,
	}
	for _, addr := range addrs {
		template.IPAddresses = append(template.IPAddresses, addr.AsSlice())
	}
	der, err := x509.CreateCertificate(random, template, root, key.Public(), rootKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}, nil
}

// newSerial draws a serial number of 127 bits (RFC 5280 section 4.1.2.2 allows 20 octets, positive).
func newSerial(random io.Reader) (*big.Int, error) {
	var raw [16]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	raw[0] = raw[0]&0x7f | 0x40
	return new(big.Int).SetBytes(raw[:]), nil
}

// CertificatePEM is the authority's certificate, for clients to trust.
func (a *LocalAuthority) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.authority})
}

// GetCertificate returns the one certificate there is, whatever name is asked for.
func (a *LocalAuthority) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return &a.leaf, nil
}

// Maintain has nothing to do; it waits for ctx.
func (a *LocalAuthority) Maintain(ctx context.Context, _ net.Addr) error {
	<-ctx.Done()
	return nil
}

// Protocols is empty: a local certificate needs no protocol of its own.
func (a *LocalAuthority) Protocols() []string { return nil }
