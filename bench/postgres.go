package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/process"
	"github.com/rollcall-id/rollcall/bench/report"
	"github.com/rollcall-id/rollcall/internal/pgtest"
)

// postgresTargets are the CPU microseconds of the server and all of PostgreSQL together, and those of a bare handler on
// a machine for which the targets hold.
var postgresTargets = map[string]struct{ target, bare float64 }{
	"token": {350, 96}, "suspend": {600, 230}, "list": {550, 317}, "get": {400, 195},
}

// pgxBare begins the names of the bare handler's rows.
const pgxBare = "bare net/http + pgx: "

// startPostgres starts the server the database is on, as in use: every commit waits for the disk.
func (s *suite) startPostgres(ctx context.Context) error {
	if s.options.postgres == "" {
		return nil
	}
	var err error
	s.server, err = pgtest.Launch(ctx, pgtest.Options{
		Version: pgtest.Version(s.options.postgres), Durable: true,
		Settings: map[string]string{"shared_buffers": "256MB", "max_wal_size": "2GB"},
	})
	return err
}

func (s *suite) stopPostgres() error {
	if s.server == nil {
		return nil
	}
	return s.server.Close()
}

// moveIn copies a database that was filled in a folder to the server.
func (s *suite) moveIn(ctx context.Context, d *database) error {
	if s.server == nil {
		return nil
	}
	name, err := s.server.Create(ctx)
	if err != nil {
		return err
	}
	d.url = s.server.URL(name)
	begun := time.Now()
	out, err := exec.CommandContext(ctx, s.binary, "admin", "copy", "--from", "sqlite:"+d.folder, "--to", d.url).CombinedOutput() //nolint:gosec // our own binary
	if err != nil {
		return fmt.Errorf("copy to PostgreSQL: %w\n%s", err, out)
	}
	s.say("copied to PostgreSQL %s in %.1f s", s.options.postgres, time.Since(begun).Seconds())
	return nil
}

// launchOn starts rollcall on a database of the server.
func (s *suite) launchOn(ctx context.Context, d database, address string) (*process.Process, error) {
	args := []string{"serve", "--log-format", "json", "--database", d.url, "--listen", address, "--tls=off", "--admin-listen=off"}
	args = append(args, s.limits()...)
	if s.profile != "" {
		admin, err := freeAddress()
		if err != nil {
			return nil, err
		}
		s.adminOfProfile = admin
		args[slices.Index(args, "--admin-listen=off")] = "--admin-listen=" + admin
	}
	return process.Start(ctx, filepath.Join(s.dir, "server.log"), s.binary, args...)
}

// barePgx measures net/http and pgx alone on the same database: what of a figure is not
// rollcall's to save.
func (s *suite) barePgx(ctx context.Context) error {
	if s.server == nil || !s.wants(phaseBare) {
		return nil
	}
	p, err := s.account(ctx)
	if err != nil {
		return err
	}
	srv, err := s.startBare(ctx, report.Plain, "-database", p.database.url)
	if err != nil {
		return err
	}
	defer srv.Kill()
	srv.database = s.server.Pid()
	for _, sc := range scenarios() {
		script := sc.script
		bare := scenario{name: pgxBare + sc.name, script: func(c caller, perClient int) load.Script { return script(c, perClient) }}
		if err := s.measure(ctx, srv, s.connections, bare, p.caller); err != nil {
			return err
		}
	}
	return srv.Stop()
}
