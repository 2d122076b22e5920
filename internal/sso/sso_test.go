package sso_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/sso"
	"github.com/rollcall-id/rollcall/internal/sso/ssotest"
)

// issuer is one that does on purpose what a sound one does not.
type issuer struct {
	*httptest.Server
	key    *ecdsa.PrivateKey
	claims map[string]any // of the ID token, over the sound ones
	sign   func(payload []byte) string
	info   string
}

var (
	attempt = signin.SSOAttempt{State: "state", Nonce: "nonce", Verifier: strings.Repeat("v", 50)}
	now     = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
)

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{claims: map[string]any{}}
	var err error
	if i.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	i.sign = func(payload []byte) string { return signed(t, i.key, payload) }
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{
			"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"userinfo_endpoint": i.URL + "/info", "id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("/info", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(i.info))
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("code_verifier") != attempt.Verifier || r.PostFormValue("code") != "code" {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		claims := map[string]any{
			"iss": i.URL, "aud": "client", "sub": "subject", "nonce": "nonce", "email": "ada@example.com", "email_verified": true,
			"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		}
		for name, v := range i.claims {
			claims[name] = v
		}
		payload, _ := json.Marshal(claims)
		reply(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.sign(payload)})
	})
	i.Server = httptest.NewTLSServer(mux)
	t.Cleanup(i.Close)
	return i
}

func signed(t *testing.T, with any, payload []byte) string {
	t.Helper()
	alg := jose.ES256
	if _, ok := with.([]byte); ok {
		alg = jose.HS256
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: with, KeyID: "k"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (i *issuer) protocol() *sso.Protocol {
	roots := x509.NewCertPool()
	roots.AddCert(i.Certificate())
	return sso.New(sso.Config{AllowLocal: true, Roots: roots, Now: func() time.Time { return now }})
}

func (i *issuer) client() signin.SSOClient {
	return signin.SSOClient{Issuer: i.URL, ClientID: "client", RedirectURL: ssotest.Redirect}
}

// TestSound: a sound answer is what it says, wherever the address is told.
func TestSound(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		claims map[string]any
		info   string
		want   signin.Claims
	}{
		"in the token":          {want: signin.Claims{Subject: "subject", Email: "ada@example.com", EmailVerified: true}},
		"verified, as text":     {claims: map[string]any{"email_verified": "true"}, want: signin.Claims{Subject: "subject", Email: "ada@example.com", EmailVerified: true}},
		"not verified":          {claims: map[string]any{"email_verified": false}, want: signin.Claims{Subject: "subject", Email: "ada@example.com"}},
		"not said to be":        {claims: map[string]any{"email_verified": nil}, want: signin.Claims{Subject: "subject", Email: "ada@example.com"}},
		"one for truth":         {claims: map[string]any{"email_verified": 1}, want: signin.Claims{Subject: "subject", Email: "ada@example.com"}},
		"for several, us among": {claims: map[string]any{"aud": []string{"x", "client"}}, want: signin.Claims{Subject: "subject", Email: "ada@example.com", EmailVerified: true}},
		"beside the token": {
			claims: map[string]any{"email": nil}, info: `{"sub":"subject","email":"bob@example.com","email_verified":true}`,
			want: signin.Claims{Subject: "subject", Email: "bob@example.com", EmailVerified: true},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			i.info = tt.info
			for k, v := range tt.claims {
				i.claims[k] = v
			}
			tt.want.Issuer = i.URL
			p := i.protocol()
			if err := p.Check(t.Context(), i.URL); err != nil {
				t.Fatal(err)
			}
			at, err := p.Begin(t.Context(), i.client(), attempt)
			u, parseErr := url.Parse(at)
			if err != nil || parseErr != nil {
				t.Fatal(err, parseErr)
			}
			q := u.Query()
			if q.Get("state") != "state" || q.Get("nonce") != "nonce" || q.Get("code_challenge_method") != "S256" || strings.Contains(at, attempt.Verifier) ||
				q.Get("redirect_uri") != ssotest.Redirect || q.Get("response_type") != "code" || q.Get("scope") != "openid email" {
				t.Errorf("the browser is sent to %s", at)
			}
			got, err := p.Finish(t.Context(), i.client(), attempt, "code")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestUnsound: an answer that is forged, of another attempt, for somebody else or too old
// does not count, and is no failure of ours.
func TestUnsound(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T, *issuer){
		"another attempt":    func(_ *testing.T, i *issuer) { i.claims["nonce"] = "another" },
		"no attempt":         func(_ *testing.T, i *issuer) { i.claims["nonce"] = nil },
		"another client":     func(_ *testing.T, i *issuer) { i.claims["aud"] = "another" },
		"another issuer":     func(_ *testing.T, i *issuer) { i.claims["iss"] = "https://another.example" },
		"too old":            func(_ *testing.T, i *issuer) { i.claims["exp"] = now.Add(-time.Hour).Unix() },
		"not valid yet":      func(_ *testing.T, i *issuer) { i.claims["nbf"] = now.Add(time.Hour).Unix() },
		"no token":           func(_ *testing.T, i *issuer) { i.sign = func([]byte) string { return "" } },
		"nonsense":           func(_ *testing.T, i *issuer) { i.sign = func([]byte) string { return "a.b.c" } },
		"claims of odd kind": func(_ *testing.T, i *issuer) { i.claims["email"] = map[string]any{} },
		"not signed": func(_ *testing.T, i *issuer) {
			i.sign = func(p []byte) string {
				return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(p) + "."
			}
		},
		"signed by another": func(t *testing.T, i *issuer) {
			other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			i.sign = func(p []byte) string { return signed(t, other, p) }
		},
		"signed with the public key": func(t *testing.T, i *issuer) {
			public, err := x509.MarshalPKIXPublicKey(i.key.Public())
			if err != nil {
				t.Fatal(err)
			}
			i.sign = func(p []byte) string { return signed(t, public, p) }
		},
		"two people": func(_ *testing.T, i *issuer) {
			i.claims["email"], i.info = nil, `{"sub":"another","email":"ada@example.com","email_verified":true}`
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			spoil(t, i)
			got, err := i.protocol().Finish(t.Context(), i.client(), attempt, "code")
			if err == nil || fault.As(err) != nil || got != (signin.Claims{}) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	for name, bad := range map[string]struct {
		attempt signin.SSOAttempt
		code    string
	}{
		"a wrong code":        {attempt, "wrong"},
		"no code":             {attempt, ""},
		"a very long code":    {attempt, strings.Repeat("c", 5000)},
		"another's verifier":  {signin.SSOAttempt{State: "state", Nonce: "nonce", Verifier: "x"}, "code"},
		"a code with control": {attempt, "code\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			if _, err := i.protocol().Finish(t.Context(), i.client(), bad.attempt, bad.code); err == nil || fault.As(err) != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestHostileIssuers: one can neither make us go where we must not, nor read without end.
func TestHostileIssuers(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	strict := sso.New(sso.Config{Now: func() time.Time { return now }})
	for what, at := range map[string]string{
		"this machine": i.URL, "plain http": "http://issuer.example", "the link": "https://169.254.169.254", "the link, as IPv6": "https://[fe80::1]",
		"this machine, as IPv6": "https://[::ffff:127.0.0.1]", "unspecified": "https://0.0.0.0", "by name": "https://localhost:1",
	} {
		err := strict.Check(t.Context(), at)
		if err == nil || !strings.Contains(err.Error(), "sso: an issuer must") {
			t.Errorf("%s: got %v, want it refused", what, err)
		}
	}
	for what, before := range map[string]http.HandlerFunc{
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example", http.StatusFound)
		},
		"says it is another": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"https://another.example"}`))
		},
		"answers without end": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"`))
			_, _ = w.Write([]byte(strings.Repeat("a", 8<<20)))
		},
		"sends people to a script": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"issuer": "https://" + r.Host, "authorization_endpoint": "javascript:alert(1)", "token_endpoint": "https://" + r.Host, "jwks_uri": "https://" + r.Host})
		},
		"fails": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
	} {
		hostile := httptest.NewTLSServer(before)
		t.Cleanup(hostile.Close)
		roots := x509.NewCertPool()
		roots.AddCert(hostile.Certificate())
		p := sso.New(sso.Config{AllowLocal: true, Roots: roots, Now: func() time.Time { return now }})
		if err := p.Check(t.Context(), hostile.URL); err == nil {
			t.Errorf("an issuer that %s passes", what)
		}
		if _, err := p.Begin(t.Context(), signin.SSOClient{Issuer: hostile.URL, ClientID: "c"}, attempt); err == nil {
			t.Errorf("an issuer that %s is gone to", what)
		}
		if _, err := p.Finish(t.Context(), signin.SSOClient{Issuer: hostile.URL, ClientID: "c"}, attempt, "code"); err == nil {
			t.Errorf("an issuer that %s is believed", what)
		}
	}
}
