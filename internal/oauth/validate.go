package oauth

import (
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Bounds of an application (contract section 7); those of its fields are in characters.
const (
	MaxName        = 100
	MaxDescription = 1000
	MaxRedirectURL = 2000
	MaxOverlap     = 7 * 24 * time.Hour
	// MaxSecrets is how many secrets may live at once: each is looked at whenever the
	// application authenticates.
	MaxSecrets = 10
)

// ValidateRedirectURL accepts an absolute https URL of a public host (contract
// section 7), or nothing.
func ValidateRedirectURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case len(s) > MaxRedirectURL:
		return fault.Invalid("redirect_url is longer than %d characters", MaxRedirectURL)
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return fault.Invalid("redirect_url must be an https URL with a host and without user or fragment")
	case isLocal(u.Hostname()):
		return fault.Invalid("redirect_url must not be on localhost")
	}
	return nil
}

func isLocal(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.Unmap().IsLoopback() || addr.IsUnspecified())
}

// Validate tells what is wrong with an application, if anything is.
func (a Application) Validate() error {
	if err := ident.ValidateText("the application's name", a.Name, MaxName, false); err != nil {
		return err
	}
	if err := ident.ValidateText("description", a.Description, MaxDescription, true); err != nil {
		return err
	}
	if a.Permissions == 0 || a.Permissions.Without(access.All) != 0 {
		return fault.Invalid("an application needs at least one permission: %s", access.All)
	}
	if err := ident.ValidateGiven("client id", string(a.ID)); err != nil {
		return err
	}
	return ValidateRedirectURL(a.RedirectURL)
}
