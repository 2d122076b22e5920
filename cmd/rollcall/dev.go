package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/config"
	"github.com/rollcall-id/rollcall/internal/node"
	"github.com/rollcall-id/rollcall/internal/roster"
	"github.com/rollcall-id/rollcall/internal/server"
	"github.com/rollcall-id/rollcall/internal/store"
)

type devCmd struct{ config.Dev }

// devRetention is long for a throwaway server and short for a disk.
var devRetention = store.Retention{Entries: 90 * 24 * time.Hour, Usage: 90 * 24 * time.Hour}

// Help gives examples.
func (*devCmd) Help() string {
	return `It makes its own certificate authority, credentials and data, and prints four commands to try. Never use it for real people.

	rollcall dev
	rollcall dev --listen 127.0.0.1:0 --env-file rollcall.env --seed people.yaml`
}

// Run serves a throwaway API until it is told to end.
func (cmd *devCmd) Run(ctx context.Context, w *world) (err error) {
	if err := cmd.Validate(); err != nil {
		return mistyped(err)
	}
	dir, remove, err := dataDir(cmd.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	logger, endLog := w.serverLog(cmd.Logs)
	defer endLog()
	d := &dev{Dev: cmd.Dev, world: w, dir: dir, logger: logger}
	return d.run(ctx)
}

// dev is one run of the throwaway server.
type dev struct {
	config.Dev
	world     *world
	dir       string
	logger    *slog.Logger
	continued bool // the folder held a database
}

// dataDir returns the folder to work in, and how to leave it.
func dataDir(given string) (dir string, remove func() error, err error) {
	if given != "" {
		return given, func() error { return nil }, os.MkdirAll(given, 0o700)
	}
	dir, err = os.MkdirTemp("", "rollcall-dev-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

func (d *dev) run(ctx context.Context) error {
	// A wrong seed is refused before anything is written.
	seed, err := d.seed()
	if err != nil {
		return err
	}
	// Held from before it is known whether there is something to seed: of two runs
	// that begin at once on an empty folder, one must not seed over the other.
	lock, err := store.LockDir(d.dir)
	if err != nil {
		return err
	}
	creds, err := d.prepare(ctx, seed)
	if err != nil {
		return errors.Join(err, lock.Release())
	}
	core, err := d.open(ctx, store.Options{Dir: d.dir, Held: lock})
	if err != nil {
		return err
	}
	if creds, err = d.ensureCredentials(ctx, core, creds); err != nil {
		return errors.Join(err, core.Close())
	}
	authority, err := d.authority()
	if err != nil {
		return errors.Join(err, core.Close())
	}
	n, err := node.New(core, node.Options{
		Server: server.Config{
			Addr: d.Listen, Certificates: authority.source(), Admin: server.AdminConfig{Addr: d.AdminListen},
		},
		Limits: limits(d.Limits), WithoutV1Beta1: !d.V1Beta1, Retention: devRetention, CAFile: authority.file,
	})
	if err != nil {
		return errors.Join(err, core.Close())
	}
	addr, err := n.Listen(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("%w\nanother server may be running: choose another address with --listen 127.0.0.1:0", err), n.Close())
	}
	creds.BaseURL, creds.CAFile = d.baseURL(addr), authority.file
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- n.Run(ctx) }()
	// The sockets are open: a client that reads the file now is answered.
	if err = d.announce(ctx, core, creds); err != nil {
		stop() // nobody could connect, and whoever waits for the file would wait for ever
	}
	return errors.Join(err, <-served)
}

func (d *dev) baseURL(addr net.Addr) string { return baseURL(d.TLS == "on", addr) }

func (d *dev) open(ctx context.Context, o store.Options) (*node.Core, error) {
	return node.OpenCore(ctx, node.CoreOptions{
		Store: o, Lifetime: d.TokenLifetime, LocalIssuers: true,
		Now: d.world.now, Rand: d.world.rand, Logger: d.logger,
	})
}

// devCaller is who seeds.
var devCaller = access.Caller{Kind: access.System, Name: "rollcall dev"}

// prepare seeds the folder unless it holds a database. The seed is written to a
// database aside that is put in place when it is whole: a run that is killed leaves
// nothing half seeded.
func (d *dev) prepare(ctx context.Context, seed *roster.Seed) (credentials, error) {
	exists, err := store.Exists(d.dir)
	if err != nil {
		return credentials{}, err
	}
	if exists {
		d.continued = true
		return seededCredentials(seed), nil
	}
	aside := filepath.Join(d.dir, ".seeding")
	// A run that was killed may have left it: it is ours alone, because the folder is.
	if err := errors.Join(os.RemoveAll(aside), os.Mkdir(aside, 0o700)); err != nil {
		return credentials{}, fmt.Errorf("make a folder to seed in: %w", err)
	}
	creds, err := d.seedInto(ctx, aside, seed)
	if err == nil {
		err = os.Rename(filepath.Join(aside, store.File), filepath.Join(d.dir, store.File))
	}
	return creds, errors.Join(err, os.RemoveAll(aside))
}

func (d *dev) seed() (*roster.Seed, error) {
	if d.Seed != "" {
		return roster.ReadSeed(d.Seed)
	}
	return roster.Demo(d.world.now()), nil
}

func (d *dev) seedInto(ctx context.Context, dir string, seed *roster.Seed) (credentials, error) {
	core, err := d.open(ctx, store.Options{Dir: dir, Exclusive: true})
	if err != nil {
		return credentials{}, err
	}
	applied, err := seed.Apply(ctx, devCaller, core.Directory, core.OAuth, nil)
	if err = errors.Join(err, core.Close()); err != nil {
		return credentials{}, err
	}
	return appliedCredentials(applied), nil
}

// authority is the certificate authority of one run; zero without TLS.
type authority struct {
	local *server.LocalAuthority
	file  string
}

// source returns the certificates, nil (and not a nil pointer in an interface) without TLS.
func (a authority) source() server.CertificateSource {
	if a.local == nil {
		return nil
	}
	return a.local
}

func (d *dev) authority() (authority, error) {
	if d.TLS == "off" {
		return authority{}, nil
	}
	host, _, err := net.SplitHostPort(d.Listen)
	if err != nil {
		return authority{}, mistyped(fmt.Errorf("--listen=%s: %w", d.Listen, err))
	}
	local, err := server.NewLocalAuthority(d.world.rand, d.world.now(), host)
	if err != nil {
		return authority{}, err
	}
	file, err := filepath.Abs(filepath.Join(d.dir, "ca.pem"))
	if err != nil {
		return authority{}, err
	}
	return authority{local, file}, os.WriteFile(file, local.CertificatePEM(), 0o644) //nolint:gosec // a certificate is public
}
