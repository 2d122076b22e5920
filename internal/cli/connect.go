package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/envfile"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// Target chooses whom to talk to.
type Target struct {
	Profile string `help:"Profile that 'rollcall login' keeps. Without it: ROLLCALL_BASE_URL, ROLLCALL_ACCOUNT_ID, ROLLCALL_CLIENT_ID and ROLLCALL_CLIENT_SECRET if they are set, else the profile called default." env:"-" placeholder:"NAME"`
}

// connection is where commands go and as whom.
type connection struct {
	from    string // the profile's name, "" for the environment
	baseURL string
	account string
	client  string
	secret  client.Secret
	caFile  string
	version string
}

// connection finds the credentials: those of the profile that was typed, of the
// environment, or of the default profile. They are never mixed: one's secret must not
// go where the other points.
func (e *Env) connection(ctx context.Context, t Target) (connection, error) {
	if t.Profile != "" {
		return e.fromProfile(ctx, t.Profile)
	}
	missing := e.missingVariables()
	switch len(missing) {
	case 0:
		return connection{
			baseURL: e.Getenv(envfile.BaseURL), account: e.Getenv(envfile.AccountID), client: e.Getenv(envfile.ClientID),
			secret: client.NewSecret(e.Getenv(envfile.ClientSecret)), caFile: e.Getenv(envfile.CAFile), version: e.Getenv(envfile.APIVersion),
		}, nil
	case len(connectionVariables):
		return e.fromProfile(ctx, defaultProfile)
	}
	return connection{}, fmt.Errorf("of the variables that say whom to talk to, %s not set: set all of %s, or name a profile with --profile",
		strings.Join(missing, ", ")+map[bool]string{true: " is", false: " are"}[len(missing) == 1], strings.Join(connectionVariables, ", "))
}

var connectionVariables = []string{envfile.BaseURL, envfile.AccountID, envfile.ClientID, envfile.ClientSecret}

func (e *Env) missingVariables() (missing []string) {
	for _, name := range connectionVariables {
		if e.Getenv(name) == "" {
			missing = append(missing, name)
		}
	}
	return missing
}

func (e *Env) fromProfile(ctx context.Context, name string) (connection, error) {
	p, err := e.readProfile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return connection{}, fmt.Errorf("there is no profile %s: make it with '%s', or set %s", name, loginCommand(name), strings.Join(connectionVariables, ", "))
	}
	if err != nil {
		return connection{}, err
	}
	secret, err := e.secretOf(ctx, name, p)
	if err != nil {
		return connection{}, err
	}
	return connection{
		from: name, baseURL: p.BaseURL, account: p.AccountID, client: p.ClientID,
		secret: secret, caFile: p.CAFile, version: p.APIVersion,
	}, nil
}

// Calls says whom to talk to and how patiently.
type Calls struct {
	Target
	Pace    bool          `help:"Keep within the published limits, so that no request is refused: a minute 100 requests on people, 60 reads and 10 changes of applications." default:"true" negatable:"" env:"-"`
	MaxWait time.Duration `help:"The longest wait that the server may ask for before a request is given up." default:"2m" env:"-" placeholder:"DURATION"`
}

func (c *Calls) connected(ctx context.Context, e *Env, work func(*session) error) error {
	if c.MaxWait <= 0 {
		return terminal.Misused("--max-wait=%s: give more than nothing, such as 30s", c.MaxWait)
	}
	return e.connected(ctx, c.Target, manners{paced: c.Pace, maxWait: c.MaxWait}, work)
}

// manners are how a command calls.
type manners struct {
	paced   bool
	maxWait time.Duration
}

// session is one command's use of the API.
type session struct {
	*client.Client
	connection
	env *Env
}

func (e *Env) open(c connection, m manners) (*session, error) {
	config := client.Config{
		BaseURL: c.baseURL, APIVersion: client.Version(c.version), CAFile: c.caFile,
		AccountID: c.account, ClientID: c.client, ClientSecret: c.secret,
		UserAgent: e.UserAgent, Retry: client.Retry{MaxWait: m.maxWait},
	}
	if m.paced {
		config.Pacing = client.PublishedPacing()
	}
	made, err := client.New(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.source(), &unprefixed{err})
	}
	return &session{Client: made, connection: c, env: e}, nil
}

// source says where the credentials are from.
func (c connection) source() string {
	if c.from == "" {
		return "the environment"
	}
	return "profile " + c.from
}

// closePatience bounds the revocation of the token at the end of a command.
const closePatience = 5 * time.Second

// connected opens a session, works in it, and gives its token back.
func (e *Env) connected(ctx context.Context, t Target, m manners, work func(*session) error) error {
	c, err := e.connection(ctx, t)
	if err != nil {
		return interrupted(ctx, err, "nothing was done")
	}
	s, err := e.open(c, m)
	if err != nil {
		return err
	}
	err = c.explain(work(s))
	// Also after an interruption. What can't be revoked ends by itself; where the
	// credentials are refused, it has ended.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closePatience)
	defer cancel()
	if closeErr := s.Close(ending); closeErr != nil && err == nil && !errors.Is(closeErr, client.ErrBadCredentials) {
		fmt.Fprintln(e.Stderr, "The access token could not be revoked; it ends by itself.")
	}
	return err
}

// loginCommand is what makes or renews a profile.
func loginCommand(name string) string {
	if name == defaultProfile {
		return "rollcall login"
	}
	return "rollcall login --profile " + name
}
