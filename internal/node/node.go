// Package node assembles a whole running rollcall out of its rooms: the store, the
// use cases, the API and the sockets, and the housekeeping beside them.
//
//	Core: store + directory + oauth + signin + records + journal      local administration works on this
//	Node: Core + limiter + usage + API + server    what serve, dev and the tests run
//
// It decides nothing: it connects, starts in order and ends in the reverse order, so
// that nothing taken is lost: the server drains, then the journal and the usage
// counters are written, then the store is closed.
package node

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/passkey"
	"github.com/rollcall-id/rollcall/internal/records"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/sso"
	"github.com/rollcall-id/rollcall/internal/store"
)

// CoreOptions says how to open a Core. Now, Rand and Logger are required.
type CoreOptions struct {
	Store    store.Options // its Rand is filled in
	Lifetime time.Duration // of access tokens; 0 = the contract's 900 s
	Now      func() time.Time
	Rand     io.Reader // of cryptographic quality, safe for concurrent use
	Logger   *slog.Logger
	// ConsoleKeyFile holds the key that seals client secrets of single sign-on; empty =
	// console.key in the data folder. It is made when it is first needed; without either, no
	// secret can be kept.
	ConsoleKeyFile string
	// LocalIssuers lets identity providers be on this machine, and speak plain http: for
	// development.
	LocalIssuers bool
}

// Core is an open database and the use cases on it.
type Core struct {
	Store     *store.Store
	Directory *directory.Service
	OAuth     *oauth.Service
	SignIn    *signin.Service // lets people in once New has given it a limiter
	Records   *records.Service
	Journal   *audit.Journal

	now      func() time.Time
	rand     io.Reader
	logger   *slog.Logger
	database string // URL of the database, "" = embedded
	// connections to it, at most; 0 = embedded.
	connections int
	// lost counts audit entries the store would not take.
	lost atomic.Int64
}

// OpenCore opens the database and makes the use cases. Whoever calls it closes it.
func OpenCore(ctx context.Context, o CoreOptions) (*Core, error) {
	_ = layBallast()
	o.Store.Rand = o.Rand
	if o.Lifetime == 0 {
		o.Lifetime = oauth.DefaultLifetime
	}
	s, err := store.Open(ctx, o.Store)
	if err != nil {
		return nil, err
	}
	c := &Core{Store: s, now: o.Now, rand: o.Rand, logger: o.Logger, database: o.Store.URL}
	if c.database != "" {
		c.connections = o.Store.Connections
		if c.connections == 0 {
			c.connections = store.DefaultConnections
		}
	}
	c.Journal = audit.NewJournal(s, func(err error, lost int64) {
		c.lost.Add(lost)
		o.Logger.Error("audit entries could not be written", "lost", lost, "error", err)
	})
	keys := page.NewKeyring(s, o.Now, o.Rand)
	c.Directory = &directory.Service{Store: s, Keys: keys, Now: o.Now, Rand: o.Rand}
	c.OAuth = &oauth.Service{
		Store: s, Journal: c.Journal, Now: o.Now, Rand: o.Rand, Lifetime: o.Lifetime, Keys: keys, Uses: &oauth.Uses{},
	}
	c.Records = &records.Service{Store: s, Now: o.Now}
	if o.ConsoleKeyFile == "" && o.Store.Dir != "" {
		o.ConsoleKeyFile = filepath.Join(o.Store.Dir, keyFileName)
	}
	c.SignIn = &signin.Service{
		Store: s, Journal: c.Journal, Now: o.Now, Rand: o.Rand,
		PasskeyProtocol: passkey.Protocol{Name: "rollcall"},
		SSOProtocol:     sso.New(sso.Config{AllowLocal: o.LocalIssuers, Now: o.Now}),
		Hasher:          signin.NewHasher(runtime.GOMAXPROCS(0), signin.DefaultCost),
	}
	if o.ConsoleKeyFile != "" {
		c.SignIn.Sealer = (&consoleKey{path: o.ConsoleKeyFile, rand: o.Rand}).sealer
	}
	return c, nil
}

// closeTimeout bounds the writing of what is left at the end.
const closeTimeout = 20 * time.Second

// Close writes what is waiting and closes the database.
func (c *Core) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return errors.Join(c.Journal.Close(ctx), c.Store.Close())
}
