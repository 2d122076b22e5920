package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestInternetHearsWhatIsMeant: a request that was given up and sent again was meant once; one that was only given up,
// and two that were answered, are heard as they are.
func TestInternetHearsWhatIsMeant(t *testing.T) {
	t.Parallel()
	arrived, slow := make(chan struct{}), make(chan struct{})
	var seen sync.Map
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, again := seen.LoadOrStore(r.URL.Path, true); !again && r.FormValue("slow") != "" {
			arrived <- struct{}{}
			<-slow
		}
	}))
	t.Cleanup(srv.Close)
	i, err := newInternet(srv.URL, filepath.Join(t.TempDir(), "internet.pem"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.close)
	c := throughInternet(i)
	get := func(ctx context.Context, path string) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.1password.com"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := c.Do(r)
		if err == nil {
			answer.Body.Close()
		}
		return err
	}
	giveUp := func(path string) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- get(ctx, path) }()
		<-arrived
		cancel()
		if err := <-ended; err == nil {
			t.Error("it was answered")
		}
	}
	giveUp("/again?slow=1")
	for _, path := range []string{"/again?slow=1", "/twice", "/twice"} {
		if err := get(t.Context(), path); err != nil {
			t.Fatal(err)
		}
	}
	giveUp("/never?slow=1")
	close(slow)
	var heard []string
	for line := range strings.Lines(i.spoken()) {
		if strings.HasPrefix(line, "GET ") {
			heard = append(heard, strings.Fields(line)[1])
		}
	}
	if got, want := strings.Join(heard, " "), "/again?slow=1 /twice /twice /never?slow=1"; got != want {
		t.Errorf("heard %s, want %s", got, want)
	}
}

// throughInternet is a client for which every host is that of the internet.
func throughInternet(i *internet) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(i.authority)
	proxy := &url.URL{Scheme: "http", Host: i.listener.Addr().String()}
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyURL(proxy), DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}
}
