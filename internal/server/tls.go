package server

import (
	"context"
	"crypto/tls"
	"net"
)

// CertificateSource has the certificates of the public listener. [CertificateFiles], [ACME] and [LocalAuthority] are the
// three there are.
type CertificateSource interface {
	// GetCertificate serves tls.Config.GetCertificate; it is called by many handshakes at once.
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Maintain keeps the certificates fresh until ctx ends and then returns nil. listen is the bound public address,
	// which ACME challenges must reach. An error ends the server: it means that no certificate can ever be served.
	Maintain(ctx context.Context, listen net.Addr) error
	// Protocols are the ALPN protocols of the source's own, in addition to HTTP.
	Protocols() []string
}

// tlsConfig allows TLS 1.3 and, of TLS 1.2, the suites with ephemeral keys and an AEAD (contract section 10). TLS 1.3
// suites are all of that kind and not configurable.
func tlsConfig(source CertificateSource) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: source.GetCertificate,
		NextProtos:     append([]string{"h2", "http/1.1"}, source.Protocols()...),
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
}
