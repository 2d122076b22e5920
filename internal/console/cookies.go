package console

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/signin"
)

// Names of cookies. Over TLS the prefix has browsers refuse one that another host, or an
// answer without TLS, has set (RFC 6265bis section 4.1.3.2).
const (
	hostOnly    = "__Host-"
	sessionBase = "rollcall"
	ssoBase     = "rollcall-sso"
	themeBase   = "rollcall-theme"

	// SessionCookie is the name over TLS, and SessionCookiePlain without.
	SessionCookie      = hostOnly + sessionBase
	SessionCookiePlain = sessionBase

	themeLasts          = 365 * 24 * time.Hour
	ssoPath             = Root + "/sign-in/sso"
	light, dark, system = "light", "dark", ""
)

// cookie is one that scripts can't read and other hosts can't set. It goes with links from
// elsewhere, as those in mail and an issuer's answer are: Strict would lose the session there.
func cookie(v *visit, name, value string, lasts time.Duration) *http.Cookie {
	if v.secure {
		name = hostOnly + name
	}
	c := &http.Cookie{ //nolint:gosec // Secure is set wherever there is TLS
		Name: name, Value: value, Path: "/", HttpOnly: true, Secure: v.secure, SameSite: http.SameSiteLaxMode, MaxAge: int(lasts / time.Second),
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// sent returns the value of a cookie of ours; empty if the browser has none.
func (v *visit) sent(name string) string {
	if v.secure {
		name = hostOnly + name
	}
	c, err := v.request.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// sessionCookie holds a session until the browser is closed; the server ends it sooner.
func sessionCookie(v *visit, token string) *http.Cookie { return cookie(v, sessionBase, token, 0) }

// noSession takes the session's cookie away.
func noSession(v *visit) *http.Cookie { return cookie(v, sessionBase, "", 0) }

// bindingCookie ties a try at single sign-on to this browser; empty takes it away.
func bindingCookie(v *visit, binding string) *http.Cookie {
	return cookie(v, ssoBase, binding, signin.CeremonyLife)
}

// chosenTheme is what the reader chose; "" for the system's.
func chosenTheme(v *visit) string {
	if theme := v.sent(themeBase); theme == light || theme == dark {
		return theme
	}
	return system
}

func themeChoice(v *visit, theme string) *http.Cookie { return cookie(v, themeBase, theme, themeLasts) }

// local returns a place to go that is one of ours, whatever was asked for: a path of the
// console and nothing else, so that no link to us leads elsewhere.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || strings.ContainsAny(to, "\\\x00\r\n\t") || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return Root
	}
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || path.Clean(u.Path) != u.Path || !Handles(u.Path) {
		return Root
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}
