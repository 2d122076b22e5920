package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/process"
	"github.com/rollcall-id/rollcall/bench/report"
	"github.com/rollcall-id/rollcall/internal/pgtest"
)

// pkg is what is built and measured.
const (
	pkg     = "github.com/rollcall-id/rollcall/cmd/rollcall"
	profile = "cmd/rollcall/release.pgo" // from the repository's root, where make bench runs
)

// suite is one benchmark run under way.
type suite struct {
	options
	dir    string // everything that is written; removed at the end
	binary string
	stderr io.Writer
	report report.Report
	peaks  []peak
	main   *populated // nil until it is needed

	server         *pgtest.Server // nil without -postgres
	adminOfProfile string
	// published tells that servers are started with the published limits.
	published bool
}

// populated is a database and a caller that knows everybody in it.
type populated struct {
	database database
	caller   caller
}

// peak is the most memory that a server process held.
type peak struct {
	of     string
	people int
	memory process.Memory
}

// measureAll does what the options ask for and removes what it wrote.
func measureAll(ctx context.Context, o options, stderr io.Writer) (result report.Report, err error) {
	dir, err := os.MkdirTemp(o.dir, "rollcall-bench-")
	if err != nil {
		return result, fmt.Errorf("make working folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &suite{options: o, dir: dir, binary: o.binary, stderr: stderr}
	s.report = report.Report{Judged: !o.quick, Connections: o.connections}
	if s.report.Machine, err = lookAtMachine(dir); err != nil {
		return result, err
	}
	if s.report.Machine.Load > 0.5 {
		s.say("something else is running here (load average %.2f): the figures will be worse than the server is", s.report.Machine.Load)
	}
	defer func() { err = errors.Join(err, s.stopPostgres()) }()
	steps := []func(context.Context) error{s.build, s.bare, s.load, s.pages, s.importing, s.ready, s.overload, s.neighbour}
	if o.postgres != "" {
		steps = []func(context.Context) error{s.build, s.startPostgres, s.barePgx, s.load, s.replicas, s.growth, s.importing, s.overload, s.neighbour}
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return result, err
		}
	}
	s.concludeMemory()
	return s.report, s.concludeBinary()
}

// say tells the person who waits what is going on.
func (s *suite) say(format string, args ...any) {
	fmt.Fprintf(s.stderr, "bench: "+format+"\n", args...)
}

func (s *suite) build(ctx context.Context) error {
	if s.binary != "" {
		return nil
	}
	begun := time.Now()
	s.binary = filepath.Join(s.dir, "rollcall")
	err := process.Build(ctx, pkg, profile, s.binary)
	s.say("built in %.1f s", time.Since(begun).Seconds())
	return err
}

// fill makes a database of that many people and returns it with what a caller needs to know of it. The server that
// filled it is stopped, so that its memory is not taken for that of one under load.
func (s *suite) fill(ctx context.Context, name string, people int) (d database, c caller, err error) {
	d, err = newDatabase(s.dir, name, people)
	if err != nil {
		return d, caller{}, err
	}
	begun := time.Now()
	srv, err := s.serve(ctx, d, report.Plain)
	if err != nil {
		return d, caller{}, err
	}
	defer srv.Kill()
	s.say("%d people were made in %.1f s", people, time.Since(begun).Seconds())
	c, err = s.acquaint(ctx, srv, d)
	if err != nil {
		return d, caller{}, err
	}
	if err := srv.Stop(); err != nil {
		return d, c, err
	}
	return d, c, s.moveIn(ctx, &d)
}

// acquaint returns a caller that knows everybody.
func (s *suite) acquaint(ctx context.Context, srv *server, d database) (caller, error) {
	c, err := newCaller(ctx, srv, d)
	if err != nil {
		return c, err
	}
	walked, err := walk(ctx, srv, c)
	if err != nil {
		return c, err
	}
	if want := d.people + 1; walked.total != want {
		return c, fmt.Errorf("the walk found %d people, want %d", walked.total, want)
	}
	c.people = walked.active
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: the same order each time, to compare runs
	random.Shuffle(len(c.people), func(i, j int) { c.people[i], c.people[j] = c.people[j], c.people[i] })
	return c, nil
}

// account returns the database of the load scenarios and makes it if need be.
func (s *suite) account(ctx context.Context) (populated, error) {
	if s.main == nil {
		d, c, err := s.fill(ctx, "people", s.people)
		if err != nil {
			return populated{}, err
		}
		s.main = &populated{database: d, caller: c}
	}
	return *s.main, nil
}

// newCaller returns the application of a database with a fresh token, and nobody whom it knows.
func newCaller(ctx context.Context, srv *server, d database) (caller, error) {
	c := caller{host: srv.target.Address, account: d.account, clientID: d.clientID, secret: d.secret}
	return c.at(ctx, srv.target)
}

// at returns the caller with a token from the server at the target.
func (c caller) at(ctx context.Context, target load.Target) (caller, error) {
	c.host = target.Address
	client, err := load.Dial(ctx, target)
	if err != nil {
		return c, err
	}
	defer client.Close()
	answer, err := client.Do(c.token().Append(nil, 0, 0), oneRequest)
	if err != nil {
		return c, fmt.Errorf("get a token: %w", err)
	}
	c.bearer, err = readToken(answer)
	return c, err
}

// census is what a walk over all pages found.
type census struct {
	total  int
	active []string // ids, without the owner's
	tokens []string // tokens[i] leads to the page that begins with person i*stride
}

// stride is the size of the pages of a walk, the largest there is.
const stride = 1000

func walk(ctx context.Context, srv *server, c caller) (census, error) {
	client, err := load.Dial(ctx, srv.target)
	if err != nil {
		return census{}, err
	}
	defer client.Close()
	found := census{tokens: []string{""}}
	for {
		query := pageQuery(found.tokens[len(found.tokens)-1], stride)
		answer, err := client.Do(c.request(nil, "GET", query), oneRequest)
		if err != nil {
			return found, fmt.Errorf("walk after %d people: %w", found.total, err)
		}
		page, err := readPage(answer)
		if err != nil {
			return found, fmt.Errorf("walk after %d people: %w", found.total, err)
		}
		found.add(page)
		if page.NextPageToken == "" {
			return found, nil
		}
		found.tokens = append(found.tokens, page.NextPageToken)
	}
}

func (f *census) add(page api.ListUsersResponse) {
	for i, u := range page.Results {
		owner := f.total == 0 && i == 0 // older than everybody, by the seed
		if u.State == api.StateActive && !owner {
			f.active = append(f.active, u.ID)
		}
	}
	f.total += len(page.Results)
}

func pageQuery(token string, size int) string {
	if token == "" {
		return fmt.Sprintf("?max_page_size=%d", size)
	}
	return fmt.Sprintf("?max_page_size=%d&page_token=%s", size, token)
}
