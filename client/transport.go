package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// maxAnswer bounds the body of an answer, decompressed. A page of 1000 people with
// the longest names and addresses has about 2 MiB.
const maxAnswer = 8 << 20

var errTooLarge = fmt.Errorf("%w: the answer is larger than %d MiB", ErrUnexpected, maxAnswer>>20)

// newHTTPClient returns the HTTP client of a Client and what ends its idle
// connections.
func newHTTPClient(c Config) (*http.Client, func(), error) {
	hc, end := http.Client{}, func() {}
	if c.HTTPClient != nil {
		hc = *c.HTTPClient
	} else {
		own := newTransport()
		if err := trust(own, c.CAFile); err != nil {
			return nil, nil, err
		}
		hc.Transport, end = own, own.CloseIdleConnections
	}
	base := hc.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	hc.Transport = &transport{base: base, userAgent: c.UserAgent}
	hc.Jar = nil
	// No operation redirects (contract section 1). Whoever does so is not the API,
	// and would be handed the credentials.
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &hc, end, nil
}

func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// trust makes the authorities of the file the only ones.
func trust(t *http.Transport, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("client: Config.CAFile: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("client: Config.CAFile %s holds no certificate in PEM form", file)
	}
	t.TLSClientConfig.RootCAs = roots
	return nil
}

// transport says who is calling, and answers with whole bodies of bounded size or
// with an error. It does so down here because package oauth2 makes requests too.
type transport struct {
	base      http.RoundTripper
	userAgent string
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", t.userAgent)
	r.Header.Set("Accept", "application/json")
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if n := resp.ContentLength; 0 < n && n <= maxAnswer {
		b.Grow(int(n) + bytes.MinRead)
	}
	_, err = b.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	switch body := b.Bytes(); {
	case err != nil && r.Context().Err() != nil:
		return nil, context.Cause(r.Context())
	case err != nil:
		return nil, fmt.Errorf("the answer was cut short: %w", err)
	case len(body) > maxAnswer:
		return nil, errTooLarge
	default:
		resp.Body = &whole{bytes.NewReader(body), body}
		return resp, nil
	}
}

// whole is a body that is in memory already.
type whole struct {
	io.Reader

	bytes []byte
}

// Close implements [io.Closer].
func (*whole) Close() error { return nil }

// read returns what is left of a body, without a copy where it can: a page has a
// quarter of a megabyte.
func read(body io.Reader) ([]byte, error) {
	if w, ok := body.(*whole); ok {
		return w.bytes, nil
	}
	return io.ReadAll(body) // wrapped by an http.Client that has a timeout of its own
}

var errAttemptTimeout = errors.New("no answer in time")

// answer is what one request brought.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// exchange makes one request. An answer of any status is no error.
func (c *Client) exchange(ctx context.Context, r *http.Request) (answer, error) {
	attempt, cancel := context.WithTimeoutCause(ctx, c.config.AttemptTimeout, errAttemptTimeout)
	defer cancel()
	resp, err := c.http.Do(r.WithContext(attempt))
	if err != nil {
		return answer{}, connectionError(ctx, err)
	}
	defer resp.Body.Close()
	body, err := read(resp.Body)
	if err != nil {
		return answer{}, connectionError(ctx, err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// connectionError says that no answer came, and whether the caller's context is why.
func connectionError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case errors.Is(err, ErrUnexpected):
		return err
	}
	return fmt.Errorf("%w: %w", ErrConnection, err)
}
