package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/pgtest"
)

// options says what is measured, and how thoroughly.
type options struct {
	people      int // in the account of the load scenarios
	crowd       int // in the account whose last page is read
	requests    int // of one run with all connections; fewer connections send fewer
	runs        int // figures are medians of so many
	connections int
	fewer       []int // connection counts measured besides, for comparison
	restarts    int

	only          []string // phases and scenarios; empty means all
	quick, check  bool
	markdown      bool
	json          string
	profile       string
	profileLength time.Duration
	binary, dir   string
	postgres      string // version of the server the database is on; empty = SQLite
}

// The phases besides the scenarios of load, as -only names them.
const (
	phaseBare     = "bare"
	phaseReady    = "ready"
	phasePages    = "pages"
	phaseImport   = "import"
	phaseReplicas = "replicas" // with -postgres

	phaseOverload  = "overload"
	phaseNeighbour = "neighbour"
)

// thorough is what the targets of the project are judged by.
func thorough() options {
	return options{people: 100_000, crowd: 1_000_000, requests: 8_000, runs: 5, connections: 32, fewer: []int{8, 1}, restarts: 7}
}

// quick only proves that everything works: its figures are too few to mean anything.
func quick() options {
	return options{people: 2_000, crowd: 5_000, requests: 400, runs: 2, connections: 4, restarts: 2, quick: true}
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	o := thorough()
	if slices.Contains(args, "-quick") || slices.Contains(args, "--quick") {
		o = quick()
	}
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.quick, "quick", o.quick, "a smoke test of a few seconds, without verdicts")
	flags.BoolVar(&o.check, "check", false, fmt.Sprintf("exit with %d when a target is missed", exitMissed))
	flags.StringVar(&only, "only", "", "comma-separated: "+strings.Join(everything(), ", ")+" (default all)")
	flags.IntVar(&o.people, "people", o.people, "people in the account of the load scenarios")
	flags.IntVar(&o.crowd, "crowd", o.crowd, "people in the account whose last page is read")
	flags.IntVar(&o.requests, "requests", o.requests, "requests in one run")
	flags.IntVar(&o.runs, "runs", o.runs, "runs of each scenario")
	flags.IntVar(&o.connections, "connections", o.connections, "keep-alive connections")
	flags.IntVar(&o.restarts, "restarts", o.restarts, "starts of each kind in phase ready")
	flags.BoolVar(&o.markdown, "markdown", false, "print Markdown instead of text")
	flags.StringVar(&o.json, "json", "", "also write all figures to this `file`")
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile of the scenario that -only names to this `file`, and no figures")
	flags.DurationVar(&o.profileLength, "profile-length", 10*time.Second, "how long to profile")
	flags.StringVar(&o.binary, "binary", "", "measure this rollcall `binary` instead of building one")
	flags.StringVar(&o.dir, "dir", "", "put the databases under this `folder` (default the system's temporary one)")
	flags.StringVar(&o.postgres, "postgres", "", "measure on a PostgreSQL of this `version` (15 or 18) that is started for it, its CPU time included")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q; see -help", flags.Arg(0))
	}
	return o, o.validate()
}

// everything lists what -only may name.
func everything() []string {
	names := []string{phaseBare}
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return append(names, phaseReady, phasePages, phaseImport, phaseReplicas, phaseOverload, phaseNeighbour)
}

// fewestPeople leaves every connection people of its own to suspend, and pages to walk.
const fewestPeople = 1_000

func (o options) validate() error {
	if err := o.knowsAll(); err != nil {
		return err
	}
	switch {
	case !o.knowsPostgres():
		return fmt.Errorf("-postgres %q: want one of %v", o.postgres, pgtest.Versions())
	case o.people < fewestPeople || o.crowd < fewestPeople:
		return fmt.Errorf("-people and -crowd must be at least %d", fewestPeople)
	case o.requests < 2 || o.runs < 1 || o.connections < 1 || o.restarts < 1:
		return errors.New("-requests must be at least 2; -runs, -connections and -restarts at least 1")
	case o.requests > o.people:
		return errors.New("-requests must not exceed -people, so that each request of a run can be for another person")
	case o.profile != "" && !o.profilable():
		return errors.New("-profile needs -only with the one scenario to profile: token, suspend, list or get")
	case o.profileLength < time.Second || o.profileLength > time.Minute:
		return errors.New("-profile-length must be from 1s to 1m")
	}
	return nil
}

func (o options) knowsAll() error {
	for _, name := range o.only {
		if !slices.Contains(everything(), name) {
			return fmt.Errorf("-only %q: want some of %s", name, strings.Join(everything(), ", "))
		}
	}
	return nil
}

func (o options) knowsPostgres() bool {
	return o.postgres == "" || slices.Contains(pgtest.Versions(), pgtest.Version(o.postgres))
}

func (o options) profilable() bool {
	return len(o.only) == 1 && slices.ContainsFunc(scenarios(), func(s scenario) bool { return s.name == o.only[0] })
}

// wants tells whether a phase or scenario is to be measured.
func (o options) wants(name string) bool { return len(o.only) == 0 || slices.Contains(o.only, name) }

// perConnection returns how many requests each of n connections sends in a run. It is even, so that whoever is
// suspended is reactivated, and smaller for few connections, which are slow because each waits for the disk alone.
func (o options) perConnection(n int) int {
	total := o.requests
	switch {
	case n == 1 && o.connections > 1:
		total /= 10
	case n < o.connections:
		total /= 2
	}
	return max(total/n&^1, 2)
}
