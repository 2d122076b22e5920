// Package config owns every setting of rollcall: its name, meaning, default and
// range, each in one place.
//
// A setting is a flag (--users-per-minute), an environment variable
// (ROLLCALL_USERS_PER_MINUTE) and a key of the configuration file
// (users-per-minute: 100); the flag wins over the variable, the variable over the
// file. cmd/rollcall reads them; nothing else in the program looks at arguments,
// environment or configuration files. No setting holds a secret.
package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Limits are the rate limits of contract section 9; 0 = no limit.
type Limits struct {
	UsersPerMinute            int `help:"Users API requests a minute for each application (0 = no limit)." default:"100" placeholder:"N"`
	UsersPerHour              int `help:"Users API requests an hour for each application (0 = no limit)." default:"6000" placeholder:"N"`
	TokenPerMinute            int `help:"Token and revoke requests a minute for each application (0 = no limit)." default:"100" placeholder:"N"`
	TokenPerHour              int `help:"Token and revoke requests an hour for each application (0 = no limit)." default:"6000" placeholder:"N"`
	ManagementReadsPerMinute  int `help:"Reads of OAuth applications a minute for each caller (0 = no limit)." default:"60" placeholder:"N"`
	ManagementReadsPerHour    int `help:"Reads of OAuth applications an hour for each caller (0 = no limit)." default:"3600" placeholder:"N"`
	ManagementWritesPerMinute int `help:"Changes of OAuth applications a minute for each caller (0 = no limit)." default:"10" placeholder:"N"`
	ManagementWritesPerHour   int `help:"Changes of OAuth applications an hour for each caller (0 = no limit)." default:"600" placeholder:"N"`
	SignInFailuresPerMinute   int `help:"Failed sign-ins of people a minute, for each network address and for each person (0 = no limit)." default:"10" placeholder:"N"`
	SignInFailuresPerHour     int `help:"Failed sign-ins of people an hour, for each network address and for each person (0 = no limit)." default:"60" placeholder:"N"`
	SignInBegunPerMinute      int `help:"Sign-ins begun with a passkey or at an identity provider a minute, for each network address (0 = no limit)." default:"60" placeholder:"N"`
	ConsolePerMinute          int `help:"Pages and forms of the console a minute for each person (0 = no limit)." default:"600" placeholder:"N"`
	AuthFailuresPerMinute     int `help:"Failed authentications a minute for each network address (0 = no limit)." default:"30" placeholder:"N"`
}

// maxLimit is the largest figure a limit may have.
const maxLimit = 1_000_000_000

// Validate refuses figures that are out of range.
func (l Limits) Validate() error {
	for name, n := range map[string]int{
		"users-per-minute": l.UsersPerMinute, "users-per-hour": l.UsersPerHour,
		"token-per-minute": l.TokenPerMinute, "token-per-hour": l.TokenPerHour,
		"management-reads-per-minute": l.ManagementReadsPerMinute, "management-reads-per-hour": l.ManagementReadsPerHour,
		"management-writes-per-minute": l.ManagementWritesPerMinute, "management-writes-per-hour": l.ManagementWritesPerHour,
		"auth-failures-per-minute":    l.AuthFailuresPerMinute,
		"sign-in-failures-per-minute": l.SignInFailuresPerMinute, "sign-in-failures-per-hour": l.SignInFailuresPerHour,
		"sign-in-begun-per-minute": l.SignInBegunPerMinute, "console-per-minute": l.ConsolePerMinute,
	} {
		if n < 0 || n > maxLimit {
			return fmt.Errorf("--%s=%d is out of range: 0 (no limit) to %d", name, n, maxLimit)
		}
	}
	return nil
}

// SharedLimits is where limits are counted when several replicas serve.
type SharedLimits struct {
	LimitsURL          string        `help:"Where limits are counted: redis://HOST:PORT/DATABASE (rediss:// for TLS) for Valkey or Redis, or 'memory' for this process alone. Default: in the database if it is PostgreSQL, otherwise in memory." name:"limits-url" placeholder:"URL"`
	LimitsPasswordFile string        `help:"File that holds the password of --limits-url." placeholder:"FILE" type:"path"`
	LimitsCA           string        `help:"Authority to believe for --limits-url=rediss://, PEM. Default: the system's." name:"limits-ca" placeholder:"FILE" type:"path"`
	LimitsTimeout      time.Duration `help:"How long requests wait for the store of limits before this replica meters by itself: 10ms to 10s." default:"500ms" placeholder:"DURATION"`
}

// limitsSchemes are the schemes of --limits-url.
var limitsSchemes = []string{"redis", "rediss", "valkey", "valkeys", "unix"}

// Validate refuses what names no store, and passwords where others can read them.
func (l SharedLimits) Validate() error {
	if l.LimitsTimeout < 10*time.Millisecond || l.LimitsTimeout > 10*time.Second {
		return fmt.Errorf("--limits-timeout=%s is out of range: 10ms to 10s", l.LimitsTimeout)
	}
	if l.LimitsURL == "" || l.LimitsURL == "memory" {
		if l.LimitsPasswordFile != "" || l.LimitsCA != "" {
			return errors.New("--limits-password-file and --limits-ca belong to a --limits-url such as redis://HOST:6379/0: set that too")
		}
		return nil
	}
	u, err := url.Parse(l.LimitsURL)
	if err != nil || !slices.Contains(limitsSchemes, u.Scheme) || u.Host == "" && u.Scheme != "unix" {
		return errors.New("--limits-url is neither 'memory' nor the URL of a Valkey or Redis server: give redis://HOST:PORT/DATABASE, or rediss:// for TLS")
	}
	if _, has := u.User.Password(); has {
		return errors.New("--limits-url holds a password, which others on this machine may read: leave it out, and name a file that holds it with --limits-password-file")
	}
	if l.LimitsCA != "" && u.Scheme != "rediss" && u.Scheme != "valkeys" {
		return errors.New("--limits-ca belongs to a --limits-url with TLS: rediss://HOST:PORT/DATABASE")
	}
	return nil
}

// Admission is how much is served at once. Whoever would have to wait too long is refused
// quickly, and asks again.
type Admission struct {
	ReadsAtOnce     int           `help:"Requests that read, in work at once. Default: 4 for each processor, and with --database as many more as it has connections." placeholder:"N"`
	WritesAtOnce    int           `help:"Requests that write, in work at once. Default: 48, and with --database 32." placeholder:"N"`
	RequestsWaiting int           `help:"Requests that may wait for their turn, of either kind; more are answered 503. Default: 64 for each processor." default:"-1" placeholder:"N"`
	RequestPatience time.Duration `help:"How long a request waits for its turn before it is answered 503: 1ms to 5s." default:"1s" placeholder:"DURATION"`
}

// maxAtOnce is the largest figure of Admission.
const maxAtOnce = 100_000

// Validate refuses figures that are out of range.
func (a Admission) Validate() error {
	switch {
	case a.ReadsAtOnce < 0 || a.ReadsAtOnce > maxAtOnce:
		return fmt.Errorf("--reads-at-once=%d is out of range: 0 (the default) to %d", a.ReadsAtOnce, maxAtOnce)
	case a.WritesAtOnce < 0 || a.WritesAtOnce > maxAtOnce:
		return fmt.Errorf("--writes-at-once=%d is out of range: 0 (the default) to %d", a.WritesAtOnce, maxAtOnce)
	case a.RequestsWaiting < -1 || a.RequestsWaiting > maxAtOnce:
		return fmt.Errorf("--requests-waiting=%d is out of range: 0 (none) to %d, or -1 (the default)", a.RequestsWaiting, maxAtOnce)
	case a.RequestPatience < time.Millisecond || a.RequestPatience > 5*time.Second:
		return fmt.Errorf("--request-patience=%s is out of range: 1ms to 5s", a.RequestPatience)
	}
	return nil
}

// Tokens is what concerns access tokens.
type Tokens struct {
	TokenLifetime time.Duration `help:"How long an access token lives: 1s to 24h, whole seconds." default:"900s" placeholder:"DURATION"`
}

// Validate refuses lifetimes that are out of range or not whole seconds.
func (t Tokens) Validate() error {
	if t.TokenLifetime < time.Second || t.TokenLifetime > 24*time.Hour || t.TokenLifetime%time.Second != 0 {
		return fmt.Errorf("--token-lifetime=%s is out of range: whole seconds from 1s to 24h", t.TokenLifetime)
	}
	return nil
}

// Logs is what concerns the log, which goes to standard error.
type Logs struct {
	LogLevel  string `help:"What is logged: ${enum}." enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL"`
	LogFormat string `help:"How it is logged: ${enum}." enum:"json,text" default:"${log_format}" placeholder:"FORMAT"`
}

// Retention is how long what may be forgotten is kept.
type Retention struct {
	AuditRetention time.Duration `help:"How long audit entries that are not changes (tokens issued, refusals, limit hits) are kept; changes are kept for ever." default:"2160h" placeholder:"DURATION"`
	UsageRetention time.Duration `help:"How long hourly usage counters are kept." default:"2160h" placeholder:"DURATION"`
}

// Validate refuses retentions below an hour, which would lose what was counted for the hour that runs.
func (r Retention) Validate() error {
	if r.AuditRetention < time.Hour || r.UsageRetention < time.Hour {
		return errors.New("--audit-retention and --usage-retention must be at least 1h")
	}
	return nil
}

// Network is what concerns the listeners of serve.
type Network struct {
	Listen           string        `help:"Address of the API." default:"127.0.0.1:8443" placeholder:"HOST:PORT"`
	AdminListen      string        `help:"Address of /metrics, /livez, /readyz and /debug/pprof, without authentication; 'off' for none." default:"127.0.0.1:9091" placeholder:"HOST:PORT"`
	AdminAllowRemote bool          `help:"Allow an --admin-listen address that other machines can reach."`
	AdminHosts       []string      `help:"Names under which the administrative listener may be asked for, besides localhost and addresses." placeholder:"NAME"`
	PublicHealth     bool          `help:"Answer /livez and /readyz on the API's address too."`
	PublicURL        string        `help:"Base URL that metadata names, such as https://users.example.com. Default: as each request names it." placeholder:"URL"`
	TrustedProxies   []string      `help:"Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed." placeholder:"CIDR"`
	DrainDelay       time.Duration `help:"How long to go on accepting after readiness has turned red." default:"0s" placeholder:"DURATION"`
	ShutdownTimeout  time.Duration `help:"How long requests in flight may take at the end." default:"30s" placeholder:"DURATION"`
	MaxConnections   int           `help:"Connections open at once." default:"10000" placeholder:"N"`
}

// Validate refuses what can't be listened on or believed.
func (n Network) Validate() error {
	if err := CheckPublicURL(n.PublicURL); err != nil {
		return err
	}
	if n.MaxConnections < 1 {
		return fmt.Errorf("--max-connections=%d: give at least 1", n.MaxConnections)
	}
	if n.DrainDelay < 0 || n.ShutdownTimeout <= 0 {
		return errors.New("--drain-delay must not be negative, and --shutdown-timeout must be above 0")
	}
	_, err := n.Proxies()
	return err
}

// CheckPublicURL refuses what is neither empty nor a base URL.
func CheckPublicURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return fmt.Errorf("--public-url=%s is not a base URL: give scheme and host, such as https://users.example.com", text)
	}
	return nil
}

// Proxies returns TrustedProxies as networks; a single address is a network of one.
func (n Network) Proxies() ([]netip.Prefix, error) {
	list := make([]netip.Prefix, 0, len(n.TrustedProxies))
	for _, text := range n.TrustedProxies {
		if addr, err := netip.ParseAddr(text); err == nil {
			list = append(list, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxies: %q is neither an address nor a network such as 10.0.0.0/8", text)
		}
		list = append(list, prefix)
	}
	return list, nil
}

// TLS is what concerns certificates of serve.
type TLS struct {
	TLS               string        `help:"Where TLS ends: 'on' here; 'off' only where a proxy in front terminates it." name:"tls" enum:"on,off" default:"on" placeholder:"on|off"`
	TLSCert           string        `help:"Certificate chain, PEM; read again when it changes." name:"tls-cert" placeholder:"FILE" type:"path"`
	TLSKey            string        `help:"Its private key, PEM." name:"tls-key" placeholder:"FILE" type:"path"`
	TLSReloadInterval time.Duration `help:"How often to look whether the files have changed." name:"tls-reload-interval" default:"5s" placeholder:"DURATION"`
	ACMEDomains       []string      `help:"Names to obtain certificates for from an ACME authority (agrees to its terms)." name:"acme-domains" placeholder:"NAME"`
	ACMEEmail         string        `help:"Where the authority may write to." name:"acme-email" placeholder:"ADDRESS"`
	ACMEDirectory     string        `help:"Directory URL of the authority. Default: Let's Encrypt." name:"acme-directory" placeholder:"URL"`
	ACMEHTTPChallenge bool          `help:"Also answer challenges on port 80." name:"acme-http-challenge"`
}

// Validate asks for exactly one way to have certificates.
func (t TLS) Validate() error {
	files := t.TLSCert != "" || t.TLSKey != ""
	acme := len(t.ACMEDomains) > 0
	switch {
	case t.TLS == "off" && (files || acme):
		return errors.New("--tls=off and certificates are both set: leave one out")
	case t.TLS == "off":
		return nil
	case files && acme:
		return errors.New("certificate files and --acme-domains are both set: leave one out")
	case files && (t.TLSCert == "" || t.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key belong together: set both")
	case !files && !acme:
		return errors.New("no certificate: set --tls-cert and --tls-key, or --acme-domains, or --tls=off where a proxy in front terminates TLS")
	case files && t.TLSReloadInterval < 100*time.Millisecond:
		return errors.New("--tls-reload-interval must be at least 100ms")
	}
	return nil
}

// API is what concerns the contract.
type API struct {
	V1Beta1 bool `help:"Serve the preview routes under /v1beta1 too." name:"v1beta1" default:"true" negatable:""`
}

// Console is what concerns the console.
type Console struct {
	ConsoleKeyFile string `help:"Key that seals client secrets of identity providers: 32 random bytes, made when first needed. Default: console.key in the data folder." placeholder:"FILE" type:"path"`
}

// Serve is the settings of 'rollcall serve'.
type Serve struct {
	Database
	Network
	TLS
	API
	Console
	Tokens
	Limits
	SharedLimits
	Admission
	Retention
	Logs
}

// Validate returns the first thing that is wrong.
func (s Serve) Validate() error {
	if err := s.Database.Check(); err != nil {
		return err
	}
	for _, part := range []interface{ Validate() error }{s.Network, s.TLS, s.Tokens, s.Limits, s.SharedLimits, s.Admission, s.Retention} {
		if err := part.Validate(); err != nil {
			return err
		}
	}
	if s.Database.Database != "" && len(s.ACMEDomains) > 0 {
		return errors.New("--acme-domains keeps its certificates in --data, which replicas do not share: with --database, give --tls-cert and --tls-key, or --tls=off behind a proxy")
	}
	return nil
}

// Dev is the settings of 'rollcall dev'.
type Dev struct {
	Listen      string `help:"Address of the API." default:"127.0.0.1:8443" placeholder:"HOST:PORT"`
	AdminListen string `help:"Address of /metrics, /livez, /readyz and /debug/pprof; 'off' for none." default:"off" placeholder:"HOST:PORT"`
	Data        string `help:"Folder of the database: one that holds a database is continued, not seeded again. Default: a temporary folder, removed at exit." placeholder:"DIR" type:"path" env:"-"`
	Seed        string `help:"Accounts, people and applications to begin with, as YAML or JSON. Default: a demonstration account of 60 people." placeholder:"FILE" type:"path"`
	EnvFile     string `help:"Write base URL, account, client id, client secret and CA file as shell assignments once ready." placeholder:"FILE" type:"path"`
	TLS         string `help:"'on' with a certificate of a throwaway local authority, or 'off'." name:"tls" enum:"on,off" default:"on" placeholder:"on|off"`
	API
	Tokens
	Limits
	Logs
}

// Validate returns the first thing that is wrong.
func (d Dev) Validate() error {
	if err := d.Tokens.Validate(); err != nil {
		return err
	}
	return d.Limits.Validate()
}
