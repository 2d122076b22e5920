package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/api"
)

// Version is the version of the API to speak: it is the first segment of every path.
type Version = api.Version

// The versions of the API. V1Beta1 is the published preview and the default.
const (
	V1Beta1 = api.V1Beta1
	V1      = api.V1
)

// Region is where the published service keeps an account.
type Region string

// The regions of the published service.
const (
	RegionCOM Region = "com" // https://api.1password.com
	RegionCA  Region = "ca"  // https://api.1password.ca
	RegionEU  Region = "eu"  // https://api.1password.eu
)

// BaseURL returns the origin of the region's API, "" for an unknown region.
func (r Region) BaseURL() string {
	switch r {
	case RegionCOM, RegionCA, RegionEU:
		return "https://api.1password." + string(r)
	}
	return ""
}

// Config says whom to call and how. Needed are one of BaseURL and Region,
// AccountID, ClientID, ClientSecret and UserAgent.
type Config struct {
	// BaseURL is where the API is served: an https URL, with a path where a proxy
	// adds one, without query. Plain http is taken for localhost and loopback
	// addresses.
	BaseURL string
	// Region names the published service in place of BaseURL.
	Region Region
	// APIVersion is V1Beta1 unless it is set.
	APIVersion Version

	// AccountID is the account whose people are looked after.
	AccountID string
	// ClientID and ClientSecret are those of the OAuth application.
	ClientID     string
	ClientSecret Secret
	// UserAgent names your program as "Company/version". The documentation asks
	// integrations to say who they are; servers count usage by it.
	UserAgent string

	// HTTPClient makes the requests, in place of one with sound timeouts, proxies
	// from the environment and HTTP/2. It is copied; its redirect policy and its
	// cookies are not used.
	HTTPClient *http.Client
	// CAFile is a PEM file of the only certificate authorities to trust, in place
	// of the system's. It excludes HTTPClient.
	CAFile string
	// AllowInsecureHTTP permits plain http to any host. The client secret can then
	// be read on the way.
	AllowInsecureHTTP bool

	// AttemptTimeout bounds one request with its answer; 0 = 30 s. The context of
	// a call bounds all its attempts.
	AttemptTimeout time.Duration
	// Retry says how stubborn a call is.
	Retry Retry
	// Pacing spaces requests so that a long walk meets no 429; the zero value
	// does not pace.
	Pacing Pacing

	// Now is the clock, for tests; nil = time.Now.
	Now func() time.Time
	// Sleep waits for d or until ctx ends, whose error it then returns, for tests;
	// nil = a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Rand returns numbers in [0,1) that spread retries, for tests; nil =
	// math/rand/v2. It is called from many goroutines at once.
	Rand func() float64
}

// origin returns the base URL without a trailing slash.
func (c Config) origin() (string, error) {
	base := c.BaseURL
	switch {
	case base != "" && c.Region != "":
		return "", errors.New("client: Config has both BaseURL and Region: set one")
	case c.Region != "":
		if base = c.Region.BaseURL(); base == "" {
			return "", fmt.Errorf("client: Config.Region %q is unknown: use com, ca or eu", c.Region)
		}
	case base == "":
		return "", errors.New("client: Config has neither BaseURL nor Region: set one")
	}
	u, err := url.Parse(base)
	if err != nil {
		// The parser's error would repeat what may hold a password.
		return "", errors.New("client: Config.BaseURL is no URL")
	}
	return strings.TrimRight(u.String(), "/"), c.checkBase(u)
}

func (c Config) checkBase(u *url.URL) error {
	switch {
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("client: Config.BaseURL must have no user, query or fragment")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return fmt.Errorf("client: Config.BaseURL %q must be a URL like https://users.example.com", u)
	case u.Scheme == "http" && !c.AllowInsecureHTTP && !isLoopback(u.Hostname()):
		return fmt.Errorf("client: Config.BaseURL %q would show the client secret to everyone on the way: use https, or set AllowInsecureHTTP", u)
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// check tells what is wrong with the fields other than BaseURL and Region.
func (c Config) check() error {
	switch {
	case c.APIVersion != "" && c.APIVersion != V1Beta1 && c.APIVersion != V1:
		return fmt.Errorf("client: Config.APIVersion %q is unknown: use %s or %s", c.APIVersion, V1Beta1, V1)
	case checkID(c.AccountID) != nil:
		return fmt.Errorf("client: Config.AccountID: %w", checkID(c.AccountID))
	case c.ClientID == "" || c.ClientSecret.Reveal() == "":
		return errors.New("client: Config needs ClientID and ClientSecret: those of the OAuth application")
	case !isUserAgent(c.UserAgent):
		return fmt.Errorf("client: Config.UserAgent %q must name your program as Company/version, in printable ASCII", c.UserAgent)
	case c.HTTPClient != nil && c.CAFile != "":
		return errors.New("client: Config has both HTTPClient and CAFile: put the authority into the HTTP client's transport")
	case c.AttemptTimeout < 0 || c.Retry.MaxAttempts < 0 || c.Retry.MaxWait < 0 || c.Pacing.isNegative():
		return errors.New("client: Config has a negative AttemptTimeout, Retry or Pacing: 0 means the default")
	}
	return nil
}

// isUserAgent tells whether s begins with a product and its version (RFC 9110
// section 10.1.5) and can stand in a header.
func isUserAgent(s string) bool {
	first, _, _ := strings.Cut(s, " ")
	company, version, found := strings.Cut(first, "/")
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return found && company != "" && version != ""
}

// checkID refuses the ids that would name another path than a person's: every
// other id is opaque and judged by the server.
func checkID(id string) error {
	if id == "" || id == "." || id == ".." {
		return fmt.Errorf("%w: %q is no id", ErrInvalidArgument, id)
	}
	return nil
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	if c.APIVersion == "" {
		c.APIVersion = V1Beta1
	}
	if c.AttemptTimeout == 0 {
		c.AttemptTimeout = defaultAttemptTimeout
	}
	c.Retry = c.Retry.withDefaults()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	if c.Rand == nil {
		c.Rand = defaultRand
	}
	return c
}
