package server

import (
	"net/http"
	"net/netip"
	"net/url"
)

// SessionCookie is the name of the cookie that holds a person's session at the console. Over
// TLS browsers themselves keep a cookie of that prefix from other hosts and from plain HTTP
// (RFC 6265bis section 4.1.3.2).
func SessionCookie(secure bool) string {
	if secure {
		return "__Host-rollcall"
	}
	return "rollcall"
}

// SessionToken returns what the request's session cookie holds; empty if it has none, or more
// than one: then somebody has put one beside it.
func SessionToken(r *http.Request, trusted []netip.Prefix) string {
	cookies := r.CookiesNamed(SessionCookie(IsSecure(r, trusted)))
	if len(cookies) != 1 {
		return ""
	}
	return cookies[0].Value
}

// IsSameOrigin reports whether a page of this very origin has sent the request, as its browser
// says: no other site, no link and no typed address. Without a word from the browser the answer
// is no.
func IsSameOrigin(r *http.Request, trusted []netip.Prefix) bool {
	if site := r.Header["Sec-Fetch-Site"]; len(site) > 0 {
		return len(site) == 1 && site[0] == "same-origin"
	}
	origin := r.Header["Origin"]
	if len(origin) != 1 {
		return false
	}
	scheme := "http"
	if IsSecure(r, trusted) {
		scheme = "https"
	}
	u, err := url.Parse(origin[0])
	return err == nil && u.Scheme == scheme && u.Host != "" && u.Host == r.Host
}
