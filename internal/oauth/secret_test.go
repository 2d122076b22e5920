package oauth_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/oauth"
)

// zeros is a source of randomness whose secrets can be told in advance.
func zeros() *bytes.Reader { return bytes.NewReader(make([]byte, 32)) }

func TestSecretsOfKnownBytes(t *testing.T) {
	t.Parallel()
	token, err := oauth.NewToken(zeros())
	if err != nil {
		t.Fatal(err)
	}
	secret, err := oauth.NewClientSecret(zeros())
	if err != nil {
		t.Fatal(err)
	}
	// The checksum is the CRC-32 of all before it, big-endian: computed elsewhere.
	want := []string{"rct_" + strings.Repeat("a", 52) + "ykw7qyi", "rcs_" + strings.Repeat("a", 52) + "y3k2iyy"}
	if diff := cmp.Diff(want, []string{token, secret.Reveal()}); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	if got := hex.EncodeToString(hashOf("abc")); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("the hash of abc is %s, which is not SHA-256", got)
	}
	if secret.Hash() != oauth.HashOf(secret.Reveal()) {
		t.Error("a secret's hash is not that of its text")
	}
}

func hashOf(s string) []byte { h := oauth.HashOf(s); return h[:] }

func TestSecretsFailWithTheirRandomness(t *testing.T) {
	t.Parallel()
	dry := errors.New("no randomness")
	if token, err := oauth.NewToken(iotest.ErrReader(dry)); token != "" || !errors.Is(err, dry) {
		t.Errorf("got token %q and error %v, want none and %v", token, err, dry)
	}
	if secret, err := oauth.NewClientSecret(bytes.NewReader(make([]byte, 31))); secret != (oauth.ClientSecret{}) || err == nil {
		t.Errorf("got secret %q and error %v, want none and an error", secret.Reveal(), err)
	}
}

func TestWellFormed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		token, err := oauth.NewToken(bytes.NewReader(seed))
		if err != nil || !oauth.WellFormed(token) {
			t.Fatalf("%q (%v) is not well formed", token, err)
		}
		if strings.Trim(token[4:], "abcdefghijklmnopqrstuvwxyz234567") != "" || len(token) != 63 {
			t.Fatalf("%q is not 63 characters that need no escaping", token)
		}
		at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		other := rapid.Byte().Draw(t, "other")
		if other != token[at] {
			spoilt := token[:at] + string([]byte{other}) + token[at+1:]
			if oauth.WellFormed(spoilt) {
				t.Fatalf("%q with another character at %d is well formed", spoilt, at)
			}
		}
		secret, err := oauth.NewClientSecret(bytes.NewReader(seed))
		if err != nil || oauth.WellFormed(secret.Reveal()) {
			t.Fatalf("a client secret passes for a token (%v)", err)
		}
		for _, wrong := range []string{"", token[1:], token + "a", " " + token, strings.ToUpper(token), token[:62]} {
			if oauth.WellFormed(wrong) {
				t.Fatalf("%q is well formed", wrong)
			}
		}
	})
}

func TestClientSecretShowsItselfToNobody(t *testing.T) {
	t.Parallel()
	const clear = "open-sesame"
	secret := oauth.GivenSecret(clear)
	type outer struct {
		Secret oauth.ClientSecret
		hidden oauth.ClientSecret
	}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T"} {
		for _, value := range []any{secret, &secret, []oauth.ClientSecret{secret}, outer{secret, secret}, &outer{secret, secret}, map[string]any{"a": secret}} {
			shown = append(shown, fmt.Sprintf(verb, value))
		}
	}
	for _, value := range []any{secret, &secret, outer{secret, secret}, map[string]any{"a": secret}} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, string(text))
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", value)
		shown = append(shown, log.String(), fmt.Errorf("wrapped: %w", fmt.Errorf("secret %v", value)).Error())
	}
	for _, text := range shown {
		if strings.Contains(text, clear) || strings.Contains(strings.ToLower(text), hex.EncodeToString([]byte(clear))) {
			t.Errorf("it shows in %s", text)
		}
	}
	if got := fmt.Sprintf("%v %+v %#v", secret, secret, secret); got != "[client secret] [client secret] [client secret]" {
		t.Errorf("got %s", got)
	}
	if secret.Reveal() != clear || oauth.GivenSecret("") != (oauth.ClientSecret{}) || (oauth.ClientSecret{}).Reveal() != "" {
		t.Error("a secret does not keep its text, or none is not none")
	}
}
