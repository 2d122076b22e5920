package server

import (
	"crypto/tls"
	"io"
	"net/http"
	"regexp"
	"testing"
)

func TestProtocols(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })}, true)
	for want, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		res, err := s.client(t, http2).Get(s.url("/"))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if string(got) != want {
			t.Errorf("want %s, got %s", want, got)
		}
	}
}

// No HTTP/2 without TLS: neither by prior knowledge nor by upgrade.
func TestPlainListenerSpeaksNoHTTP2(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })}, false)
	c := s.dial(t, "")
	c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n\r\n")
	if res, body := c.answer(); res.StatusCode != http.StatusOK || body != "HTTP/1.1" {
		t.Errorf("want the upgrade ignored, got %d %q", res.StatusCode, body)
	}
	c = s.dial(t, "")
	c.send(http2Preface)
	first := make([]byte, 5)
	if _, err := io.ReadFull(c.r, first); err == nil && string(first) != "HTTP/" {
		t.Errorf("want an HTTP/1 refusal, got the frame %q", first)
	}
}

func TestOnlyForwardSecretAEAD(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Handler: echo}, true)
	good := map[uint16]bool{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       true,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       true,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: true,
	}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if len(suite.SupportedVersions) == 1 && suite.SupportedVersions[0] == tls.VersionTLS13 {
			continue // not configurable, and all good
		}
		err := handshake(s, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}})
		if got := err == nil; got != good[suite.ID] {
			t.Errorf("%s: want accepted %t, got %t (%v)", suite.Name, good[suite.ID], got, err)
		}
	}
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		err := handshake(s, &tls.Config{MinVersion: version, MaxVersion: version})
		if got := err == nil; got != want {
			t.Errorf("%s: want accepted %t, got %t (%v)", tls.VersionName(version), want, got, err)
		}
	}
}

// The list must hold no suite of RSA key exchange or CBC, which the ECDSA key of the test above would hide.
func TestConfiguredSuites(t *testing.T) {
	t.Parallel()
	secure := map[uint16]string{}
	for _, suite := range tls.CipherSuites() {
		secure[suite.ID] = suite.Name
	}
	config := tlsConfig(newAuthority(t))
	if config.MinVersion != tls.VersionTLS12 {
		t.Errorf("want TLS 1.2 as the least, got %s", tls.VersionName(config.MinVersion))
	}
	for _, id := range config.CipherSuites {
		name := secure[id]
		if !regexp.MustCompile(`^TLS_ECDHE_.*_(GCM|CHACHA20_POLY1305)_`).MatchString(name) {
			t.Errorf("suite %q (%#x) is not ECDHE with an AEAD", name, id)
		}
	}
}

func handshake(s *running, config *tls.Config) error {
	config.RootCAs, config.ServerName = s.roots, "localhost"
	conn, err := tls.Dial("tcp", s.Addr().String(), config)
	if err != nil {
		return err
	}
	return conn.Close()
}
