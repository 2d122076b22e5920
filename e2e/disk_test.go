package e2e

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/store"
)

// fillDisk lets no file of the process grow beyond size bytes: without rights and on any file system, writes then fail as
// on a disk that is full, the last one in the middle. A negative size gives all the space back.
func fillDisk(t *testing.T, p *process, size int64) {
	t.Helper()
	limit := unix.Rlimit{Cur: uint64(size), Max: unix.RLIM_INFINITY}
	if size < 0 {
		limit.Cur = unix.RLIM_INFINITY
	}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		t.Fatalf("limit the size of files: %v", err)
	}
}

// TestFullDisk fills the disk under a running server: reads go on, writes are refused with 503, nothing is half written,
// and the server goes on by itself when there is space again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	seeded := newSeed(t, 10)
	dir := filepath.Join(t.TempDir(), "data")
	s := start(t, append([]string{"--tls=off", "--data=" + dir, "--seed=" + seeded.file}, noLimits...)...)
	d := &diskUser{server: s, bearer: s.issue(t), states: map[string]api.State{}}
	spare := s.issue(t)
	d.reads(t, seeded)
	for _, p := range seeded.people {
		d.states[p] = api.StateActive
	}
	log, err := os.Stat(filepath.Join(dir, store.File+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	// Not a whole number of pages: the last write that fits is cut in its middle.
	fillDisk(t, s.process, log.Size()+2*4096+1234)
	refused := 0
	for i := range 1000 {
		if !d.toggle(t, seeded.people[i%len(seeded.people)]) {
			refused++
		}
		if refused == 20 {
			break
		}
	}
	if refused == 0 {
		t.Fatal("the disk was never full")
	}
	d.reads(t, seeded)

	fillDisk(t, s.process, 0)
	for _, p := range seeded.people {
		if d.toggle(t, p) {
			t.Errorf("%s was changed without a byte of space", p)
		}
	}
	for _, q := range []ask{s.askToken(""), s.askRevoke(spare, "")} {
		a, err := s.do(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		unavailable(t, q.path, a)
	}
	d.reads(t, seeded)
	s.must(t, s.askUsers(spare, "")) // its revocation was refused

	fillDisk(t, s.process, -1)
	eventually(t, "a write after there is space again", func() bool { return d.toggle(t, seeded.people[0]) })
	s.must(t, s.askRevoke(spare, ""))
	s.issue(t)
	for _, p := range seeded.people {
		if !d.toggle(t, p) {
			t.Errorf("%s can't be changed though there is space again", p)
		}
	}
	d.reads(t, seeded)
	s.stop(t)
	readRecord(t, dir, seeded.account)
	intact(t, dir)
}

// diskUser is a client that knows who must be in which state.
type diskUser struct {
	*server
	bearer string
	states map[string]api.State
}

// toggle suspends or reactivates and tells whether that was done; if it was not, the answer must be the contract's 503.
func (d *diskUser) toggle(t *testing.T, person string) bool {
	t.Helper()
	aim, verb := api.StateSuspended, "suspend"
	if d.states[person] == api.StateSuspended {
		aim, verb = api.StateActive, "reactivate"
	}
	q := d.askAct(d.bearer, person, verb, "")
	a, err := d.do(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: %v\n%s", q.path, err, &d.stderr)
	}
	if a.status == http.StatusOK {
		d.states[person] = aim
		return true
	}
	unavailable(t, q.path, a)
	return false
}

// reads asks for everybody, alone and in pages.
func (d *diskUser) reads(t *testing.T, seeded seed) {
	t.Helper()
	for _, p := range seeded.people {
		if got, want := d.state(t, d.bearer, p), d.states[p]; got != want && want != "" {
			t.Errorf("%s is %s, want %s as was last acknowledged", p, got, want)
		}
	}
	rest := "?max_page_size=4"
	for n := 0; rest != ""; n++ {
		if n > len(seeded.people) {
			t.Fatal("the walk does not end")
		}
		page := decode[api.ListUsersResponse](t, d.must(t, d.askUsers(d.bearer, rest)))
		rest = ""
		if page.NextPageToken != "" {
			rest = "?page_token=" + page.NextPageToken
		}
	}
}

// intact checks the database of a server that has ended with SQLite's own means.
func intact(t *testing.T, dir string) {
	t.Helper()
	db := openSQLite(t, dir)
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check: %q, %v, want ok", verdict, err)
	}
}

func openSQLite(t *testing.T, dir string) *sql.DB {
	t.Helper()
	file := &url.URL{Scheme: "file", Path: filepath.Join(dir, store.File), RawQuery: "_pragma=busy_timeout(60000)"}
	db, err := sql.Open("sqlite", file.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestStartOnFullDisk: a server that can't make its database says so and ends, and starts when there is space.
func TestStartOnFullDisk(t *testing.T) {
	t.Parallel()
	seeded := newSeed(t, 10)
	dir := filepath.Join(t.TempDir(), "data")
	for _, kib := range []string{"0", "4", "60"} {
		cmd := exec.Command("bash", "-c", "ulimit -f "+kib+` && exec "$0" "$@"`,
			binary, "dev", "--listen=127.0.0.1:0", "--tls=off", "--data="+dir, "--seed="+seeded.file)
		said := launch(t, cmd).refusal(t)
		if !strings.HasPrefix(said, "rollcall: ") || !strings.Contains(said, dir) {
			t.Errorf("with %s KiB of space it says %q, want the folder and what is wrong with it", kib, said)
		}
	}
	s := start(t, "--tls=off", "--data="+dir, "--seed="+seeded.file)
	if users := decode[api.ListUsersResponse](t, s.must(t, s.askUsers(s.issue(t), ""))).Results; len(users) != 11 {
		t.Errorf("got %d people, want all 11 of the seed", len(users))
	}
	s.stop(t)
	readRecord(t, dir, seeded.account)
}

// TestLocked: another program holds the database. Reads go on, writes are refused with 503 and work again afterwards; also a
// server that starts meanwhile answers what it can.
func TestLocked(t *testing.T) {
	t.Parallel()
	seeded := newSeed(t, 2)
	dir := filepath.Join(t.TempDir(), "data")
	args := append([]string{"--tls=off", "--data=" + dir, "--seed=" + seeded.file}, noLimits...)
	s := start(t, args...)
	bearer := s.issue(t)
	unlock := lock(t, dir)
	q := s.askAct(bearer, seeded.people[0], "suspend", "")
	refused, err := s.do(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	unavailable(t, q.path, refused)
	if got := s.state(t, bearer, seeded.people[0]); got != api.StateActive {
		t.Errorf("after a suspension that was refused: %s, want ACTIVE", got)
	}
	unlock()
	eventually(t, "a write after the lock is gone", func() bool {
		a, err := s.do(t.Context(), q)
		return err == nil && a.status == http.StatusOK
	})
	s.stop(t)
	defer lock(t, dir)()
	s = start(t, args...)
	if got := s.state(t, bearer, seeded.people[0]); got != api.StateSuspended {
		t.Errorf("of a server that was started meanwhile: %s, want SUSPENDED", got)
	}
	s.calm(t)
}

// lock keeps everybody else from writing until it is undone.
func lock(t *testing.T, dir string) (undo func()) {
	t.Helper()
	conn, err := openSQLite(t, dir).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	exec := func(statement string) {
		if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	exec("BEGIN EXCLUSIVE")
	return func() {
		exec("ROLLBACK")
		_ = conn.Close()
	}
}
