package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxPEMFile bounds what is read of a certificate or key file. Bytes; a chain of ten certificates has about 20,000.
const maxPEMFile = 1 << 20

// CertificateFiles serves a certificate from two PEM files and notices when they change. It compares contents, not times:
// two small reads every few seconds cost nothing, and no file system's clock or symlink swap can hide a renewal.
type CertificateFiles struct {
	certFile, keyFile string
	interval          time.Duration
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]

	mu       sync.Mutex // one reload at a time
	seenCert []byte
	seenKey  []byte

	failures prometheus.Counter
	expiry   prometheus.GaugeFunc
}

// NewCertificateFiles loads the pair, which must be valid now: a server without a certificate should not start. The files
// are looked at again every interval (default 5 s), and at each call of [CertificateFiles.Reload].
func NewCertificateFiles(certFile, keyFile string, interval time.Duration, logger *slog.Logger) (*CertificateFiles, error) {
	orDefault(&interval, 5*time.Second)
	f := &CertificateFiles{
		certFile: certFile, keyFile: keyFile, interval: interval, log: logger,
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rollcall_tls_reload_failures_total", Help: "Changed certificate files that could not be used."}),
	}
	f.expiry = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rollcall_tls_certificate_expiry_timestamp_seconds", Help: "When the served certificate expires."},
		func() float64 { return float64(f.current.Load().Leaf.NotAfter.Unix()) })
	if _, err := f.Reload(); err != nil {
		return nil, err
	}
	return f, nil
}

// Reload reads the files and reports whether their contents changed since the last reading. On an error the certificate
// served before is kept, and the same broken contents are not reported a second time.
func (f *CertificateFiles) Reload() (changed bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	cert, err := readPEM(f.certFile)
	if err != nil {
		return false, fmt.Errorf("certificate file: %w", err)
	}
	key, err := readPEM(f.keyFile)
	if err != nil {
		return false, fmt.Errorf("private key file: %w", err)
	}
	if bytes.Equal(cert, f.seenCert) && bytes.Equal(key, f.seenKey) {
		return false, nil
	}
	f.seenCert, f.seenKey = cert, key
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return true, fmt.Errorf("certificate %s with key %s: %w; both must be PEM and belong together", f.certFile, f.keyFile, err)
	}
	f.current.Store(&pair)
	return true, nil
}

func readPEM(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it is only read
	data, err := io.ReadAll(io.LimitReader(file, maxPEMFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxPEMFile {
		return nil, fmt.Errorf("%s: larger than %d bytes; is it a PEM file?", path, maxPEMFile)
	}
	return data, nil
}

// GetCertificate returns the pair that loaded last.
func (f *CertificateFiles) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.current.Load(), nil
}

// Maintain reloads until ctx ends. Failures are logged when they begin and counted at each look, so that a file which
// vanished shows as a growing counter and not as a line every five seconds.
func (f *CertificateFiles) Maintain(ctx context.Context, _ net.Addr) error {
	ticker := time.NewTicker(f.interval)
	defer ticker.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			last = f.look(ctx, last)
		}
	}
}

// look reloads once; it takes and returns the failure that was logged last.
func (f *CertificateFiles) look(ctx context.Context, last string) string {
	changed, err := f.Reload()
	switch {
	case err != nil:
		f.failures.Inc()
		if err.Error() != last {
			f.log.ErrorContext(ctx, "certificate not reloaded; the previous one stays in use", "error", err.Error())
		}
		return err.Error()
	case changed:
		f.log.InfoContext(ctx, "certificate reloaded", "file", f.certFile, "expires", f.current.Load().Leaf.NotAfter.UTC())
	}
	return ""
}

// Protocols is empty: files need no protocol of their own.
func (f *CertificateFiles) Protocols() []string { return nil }

// Describe implements prometheus.Collector.
func (f *CertificateFiles) Describe(ch chan<- *prometheus.Desc) {
	f.failures.Describe(ch)
	f.expiry.Describe(ch)
}

// Collect implements prometheus.Collector.
func (f *CertificateFiles) Collect(ch chan<- prometheus.Metric) {
	f.failures.Collect(ch)
	f.expiry.Collect(ch)
}
