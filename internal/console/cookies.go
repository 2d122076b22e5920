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
	SessionCookie       = "__Host-rollcall"
	SessionCookiePlain  = "rollcall"
	ssoCookie           = "rollcall-sso"
	themeCookie         = "rollcall-theme"
	themeLasts          = 365 * 24 * time.Hour
	ssoPath             = Root + "/sign-in/sso"
	sameSite            = http.SameSiteLaxMode // Strict would lose the session on links from mail
	light, dark, system = "light", "dark", ""
)

func sessionName(secure bool) string {
	if secure {
		return SessionCookie
	}
	return SessionCookiePlain
}

// sessionCookie holds a session until the browser is closed; the server ends it sooner.
func sessionCookie(v *visit, token string) *http.Cookie {
	return &http.Cookie{Name: sessionName(v.secure), Value: token, Path: "/", HttpOnly: true, Secure: v.secure, SameSite: sameSite}
}

// noSession takes the session's cookie away.
func noSession(v *visit) *http.Cookie {
	cookie := sessionCookie(v, "")
	cookie.MaxAge = -1
	return cookie
}

// bindingCookie ties a try at single sign-on to this browser.
func bindingCookie(v *visit, binding string) *http.Cookie {
	cookie := &http.Cookie{
		Name: ssoCookie, Value: binding, Path: ssoPath, HttpOnly: true, Secure: v.secure, SameSite: sameSite,
		MaxAge: int(signin.CeremonyLife / time.Second),
	}
	if binding == "" {
		cookie.MaxAge = -1
	}
	return cookie
}

// chosenTheme is what the reader chose; "" for the system's.
func chosenTheme(r *http.Request) string {
	cookie, err := r.Cookie(themeCookie)
	if err == nil && (cookie.Value == light || cookie.Value == dark) {
		return cookie.Value
	}
	return system
}

func themeChoice(v *visit, theme string) *http.Cookie {
	cookie := &http.Cookie{
		Name: themeCookie, Value: theme, Path: Root, HttpOnly: true, Secure: v.secure, SameSite: sameSite,
		MaxAge: int(themeLasts / time.Second),
	}
	if theme == system {
		cookie.MaxAge = -1
	}
	return cookie
}

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
