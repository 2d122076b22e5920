package oauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
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

// TestOnlyLocalAdministrationManages: the service asks before it touches anything; it has
// no store to touch.
func TestOnlyLocalAdministrationManages(t *testing.T) {
	t.Parallel()
	s := &oauth.Service{Now: func() time.Time { return time.Unix(0, 0) }}
	for _, kind := range []access.Kind{access.Nobody, access.Application} {
		c := access.Caller{Kind: kind, Account: "A", Permissions: 15}
		_, _, create := s.Create(t.Context(), c, oauth.Application{Account: "A", Name: "n", Permissions: 15}, oauth.ClientSecret{})
		_, list := s.List(t.Context(), c, "A")
		_, rotate := s.Rotate(t.Context(), c, "A", "C", 0)
		_, state := s.SetState(t.Context(), c, "A", "C", oauth.Disabled)
		for what, err := range map[string]error{"create": create, "list": list, "rotate": rotate, "state": state, "delete": s.Delete(t.Context(), c, "A", "C")} {
			if fault.KindOf(err) != fault.KindForbidden {
				t.Errorf("%s by %q: got error %v, want Forbidden", what, kind, err)
			}
		}
	}
	operator := access.Caller{Kind: access.Operator}
	for _, overlap := range []time.Duration{-1, oauth.MaxOverlap + 1} {
		if _, err := s.Rotate(t.Context(), operator, "A", ident.ClientID("C"), overlap); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("overlap %v: got error %v, want Invalid", overlap, err)
		}
	}
}
