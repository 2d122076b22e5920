package oauth

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/ident"
)

var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// alive is a grant with nothing against it.
func alive() Grant {
	return Grant{
		Identity:   Identity{ID: "C", Account: "A", Permissions: access.Set(access.GetUser), State: Enabled, AccountOpen: true},
		ExpireTime: noon.Add(time.Minute),
	}
}

// TestGrantLive changes one fact at a time.
func TestGrantLive(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*Grant)
		want   bool
	}{
		"nothing against it":              {func(*Grant) {}, true},
		"its last microsecond":            {func(g *Grant) { g.ExpireTime = noon.Add(time.Microsecond) }, true},
		"expires now":                     {func(g *Grant) { g.ExpireTime = noon }, false},
		"expired":                         {func(g *Grant) { g.ExpireTime = noon.Add(-time.Hour) }, false},
		"without an end":                  {func(g *Grant) { g.ExpireTime = time.Time{} }, false},
		"account closed":                  {func(g *Grant) { g.AccountOpen = false }, false},
		"application disabled":            {func(g *Grant) { g.State = Disabled }, false},
		"application in no state":         {func(g *Grant) { g.State = "" }, false},
		"application in an unknown state": {func(g *Grant) { g.State = "ENABLED" }, false},
		"secret in its overlap":           {func(g *Grant) { g.SecretExpireTime = noon.Add(time.Microsecond) }, true},
		"secret over now":                 {func(g *Grant) { g.SecretExpireTime = noon }, false},
		"secret over":                     {func(g *Grant) { g.SecretExpireTime = noon.Add(-time.Microsecond) }, false},
		"secret without an end":           {func(g *Grant) { g.SecretExpireTime = time.Time{} }, true},
		"nothing known":                   {func(g *Grant) { *g = Grant{} }, false},
		"all against it": {func(g *Grant) {
			*g = Grant{Identity: Identity{State: Disabled}, ExpireTime: noon, SecretExpireTime: noon}
		}, false},
		"permissions have no say in this":   {func(g *Grant) { g.Permissions = 0 }, true},
		"the same instant in another place": {func(g *Grant) { g.ExpireTime = noon.In(time.FixedZone("x", 3600)) }, false},
	} {
		g := alive()
		tt.change(&g)
		if got := g.live(noon); got != tt.want {
			t.Errorf("%s: got %t, want %t", name, got, tt.want)
		}
	}
}

func TestClientCheck(t *testing.T) {
	t.Parallel()
	secret := func(id ident.EntryID, clear string, ends time.Time) Secret {
		return Secret{ID: id, Hash: HashOf(clear), ExpireTime: ends}
	}
	usable := Identity{State: Enabled, AccountOpen: true}
	overlap := []Secret{secret("old", "one", noon.Add(time.Second)), secret("new", "two", time.Time{}), secret("over", "three", noon)}
	type answer struct {
		ID ident.EntryID
		OK bool
	}
	for name, tt := range map[string]struct {
		client Client
		sent   string
		want   answer
	}{
		"the current one":               {Client{Identity: usable, Secrets: overlap}, "two", answer{"new", true}},
		"one in its overlap":            {Client{Identity: usable, Secrets: overlap}, "one", answer{"old", true}},
		"one that is over":              {Client{Identity: usable, Secrets: overlap}, "three", answer{}},
		"a wrong one":                   {Client{Identity: usable, Secrets: overlap}, "four", answer{}},
		"another case":                  {Client{Identity: usable, Secrets: overlap}, "TWO", answer{}},
		"nothing":                       {Client{Identity: usable, Secrets: overlap}, "", answer{}},
		"of a disabled application":     {Client{Identity: Identity{State: Disabled, AccountOpen: true}, Secrets: overlap}, "two", answer{"new", false}},
		"of a closed account":           {Client{Identity: Identity{State: Enabled}, Secrets: overlap}, "two", answer{"new", false}},
		"an application without secret": {Client{Identity: usable, Secrets: nil}, "", answer{}},
		"a secret without a hash":       {Client{Identity: usable, Secrets: make([]Secret, 1)}, "", answer{}},
		"nobody":                        {Client{Secrets: make([]Secret, 1)}, "two", answer{}},
	} {
		id, ok := tt.client.check(tt.sent, noon)
		if diff := cmp.Diff(tt.want, answer{id, ok}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestClaimedIdentityDoesNotReveal(t *testing.T) {
	t.Parallel()
	for claimed, kept := range map[string]bool{
		"":                                     true,
		"3f2c9a52-0000-4000-8000-000000000000": true,
		"rcs":                                  true,
		"rcs_abcdefgh":                         false,
		"rct_abcdefgh":                         false,
		"Basic rcs_abcdefgh":                   false,
	} {
		if got := (Credentials{{ID: ident.ClientID(claimed)}}).claimed(); (got == claimed) != kept {
			t.Errorf("%q is recorded as %q", claimed, got)
		}
	}
	percentEncoded := Credentials{{ID: "rcs%5Fabcdefgh"}, {ID: "rcs_abcdefgh"}}
	if got := percentEncoded.claimed(); strings.Contains(got, "abcdefgh") {
		t.Errorf("%q is recorded as %q", percentEncoded, got)
	}
	if got := (Credentials{}).claimed(); got != "" {
		t.Errorf("no credentials are recorded as %q", got)
	}
}
