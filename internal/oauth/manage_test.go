package oauth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

func TestValidateRedirectURL(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"":                                       true,
		"https://example.com":                    true,
		"https://example.com:8443/cb?a=b":        true,
		"https://localhost.example.com/":         true,
		"https://10.0.0.1/cb":                    true,
		"http://example.com/":                    false,
		"https://":                               false,
		"https:///cb":                            false,
		"https://user:password@example.com/":     false,
		"https://example.com/#part":              false,
		"example.com":                            false,
		"https://localhost/cb":                   false,
		"https://LOCALHOST./cb":                  false,
		"https://app.localhost:3000/":            false,
		"https://127.0.0.1/":                     false,
		"https://127.8.8.8/":                     false,
		"https://[::1]/":                         false,
		"https://[::ffff:127.0.0.1]/":            false,
		"https://0.0.0.0/":                       false,
		"https://exa mple.com/":                  false,
		"https://example.com/%zz":                false,
		"https://a/" + strings.Repeat("a", 2000): false,
	} {
		err := oauth.ValidateRedirectURL(url)
		if (err == nil) != ok || (err != nil && fault.KindOf(err) != fault.KindInvalid) {
			t.Errorf("%.60q: got error %v, want allowed = %t", url, err, ok)
		}
	}
}

func TestApplicationValidate(t *testing.T) {
	t.Parallel()
	good := oauth.Application{ID: "C", Name: "app", Permissions: access.Set(access.GetUser)}
	for name, tt := range map[string]struct {
		change func(*oauth.Application)
		says   string // "" = allowed
	}{
		"as it is": {func(*oauth.Application) {}, ""},
		"the longest": {func(a *oauth.Application) {
			a.Name, a.Description = strings.Repeat("ü", 100), strings.Repeat("ü", 1000)
		}, ""},
		"no name":                {func(a *oauth.Application) { a.Name = "" }, "name"},
		"a name too long":        {func(a *oauth.Application) { a.Name = strings.Repeat("ü", 101) }, "name"},
		"a name of two lines":    {func(a *oauth.Application) { a.Name = "a\nb" }, "name"},
		"a description too long": {func(a *oauth.Application) { a.Description = strings.Repeat("ü", 1001) }, "description"},
		"no permission":          {func(a *oauth.Application) { a.Permissions = 0 }, "users.list users.get users.suspend users.reactivate"},
		"an odd id":              {func(a *oauth.Application) { a.ID = "a/b" }, "client id"},
		"an odd redirect":        {func(a *oauth.Application) { a.RedirectURL = "http://example.com" }, "redirect_url"},
	} {
		a := good
		tt.change(&a)
		err := a.Validate()
		if tt.says == "" && err != nil || tt.says != "" && (fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: got error %v, want one that says %q", name, err, tt.says)
		}
	}
}

// records is a store that keeps entries, and nothing else.
type records struct {
	oauth.Store
	entries []audit.Entry
}

func (r *records) Append(_ context.Context, entries []audit.Entry) error {
	r.entries = append(r.entries, entries...)
	return nil
}

// TestWhoManages: the service asks before it touches anything, as it has no store to
// touch, and remembers each denial.
func TestWhoManages(t *testing.T) {
	t.Parallel()
	const others = access.All &^ access.Set(access.WriteApplications|access.ReadApplications)
	for name, c := range map[string]access.Caller{
		"nobody":                    {Permissions: access.All},
		"without the permission":    {Kind: access.Application, Account: "A", Permissions: others},
		"of another account":        {Kind: access.Application, Account: "B", Permissions: access.All},
		"of another account, empty": {Kind: access.Application, Permissions: access.All},
	} {
		store := &records{}
		s := &oauth.Service{Store: store, Now: func() time.Time { return time.Unix(0, 0) }}
		_, _, create := s.Create(t.Context(), c, oauth.Application{Account: "A", Name: "n", Permissions: 15}, oauth.ClientSecret{})
		_, list := s.List(t.Context(), c, "A")
		_, _, page := s.Page(t.Context(), c, "A", oauth.ListQuery{})
		_, get := s.Get(t.Context(), c, "A", "C")
		_, update := s.Update(t.Context(), c, "A", "C", oauth.Patch{})
		_, _, rotate := s.Rotate(t.Context(), c, "A", "C", 0)
		_, _, state := s.SetState(t.Context(), c, "A", "C", oauth.Disabled)
		_, tokens := s.RevokeTokens(t.Context(), c, "A", "C")
		all := map[string]error{
			"create": create, "list": list, "page": page, "get": get, "update": update, "rotate": rotate, "state": state,
			"tokens": tokens, "delete": s.Delete(t.Context(), c, "A", "C"),
		}
		for what, err := range all {
			if fault.KindOf(err) != fault.KindForbidden {
				t.Errorf("%s by %s: got error %v, want Forbidden", what, name, err)
			}
		}
		if len(store.entries) != len(all) {
			t.Errorf("%s: got %d entries, want %d", name, len(store.entries), len(all))
		}
	}
}

// TestReadersDoNotWrite: one permission is not the other.
func TestReadersDoNotWrite(t *testing.T) {
	t.Parallel()
	s := &oauth.Service{Store: &records{}, Now: func() time.Time { return time.Unix(0, 0) }}
	reader := access.Caller{Kind: access.Application, Account: "A", Permissions: access.All &^ access.Set(access.WriteApplications)}
	writer := access.Caller{Kind: access.Application, Account: "A", Permissions: access.All &^ access.Set(access.ReadApplications)}
	_, get := s.Get(t.Context(), writer, "A", "C")
	for what, err := range map[string]error{"delete by a reader": s.Delete(t.Context(), reader, "A", "C"), "get by a writer": get} {
		if fault.KindOf(err) != fault.KindForbidden {
			t.Errorf("%s: got error %v, want Forbidden", what, err)
		}
	}
}

func TestRotateBounds(t *testing.T) {
	t.Parallel()
	s := &oauth.Service{Now: func() time.Time { return time.Unix(0, 0) }}
	operator := access.Caller{Kind: access.Operator}
	for _, overlap := range []time.Duration{-1, oauth.MaxOverlap + 1} {
		if _, _, err := s.Rotate(t.Context(), operator, "A", ident.ClientID("C"), overlap); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("overlap %v: got error %v, want Invalid", overlap, err)
		}
	}
}
