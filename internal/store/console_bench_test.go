package store

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// What the pages of the console are measured with.
const (
	consolePeople  = 100_000
	consoleEntries = 1_000_000
)

// BenchmarkConsole measures the looks that pages of the console take, one at a time: the
// dearest searches there are, and those that find nothing.
func BenchmarkConsole(b *testing.B) {
	dir := b.TempDir()
	account := consoleData(b, dir)
	s, err := Open(b.Context(), Options{Dir: dir, Rand: rand.Reader, Exclusive: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ctx := b.Context()
	people := func(q directory.PeopleQuery) func() error {
		q.Limit = 50
		return func() error { _, err := s.People(ctx, account, q); return err }
	}
	find := func(q audit.Query) func() error {
		q.Limit = 50
		return func() error { _, err := s.FindEntries(ctx, account, q, audit.MaxExamined); return err }
	}
	late := page.Position{CreateTime: morning.Add(90_000 * time.Second), ID: "X"}
	for _, look := range []struct {
		name string
		run  func() error
	}{
		{"people/all", people(directory.PeopleQuery{})},
		{"people/all-late", people(directory.PeopleQuery{After: late})},
		{"people/suspended", people(directory.PeopleQuery{State: directory.Suspended})},
		{"people/rare-word", people(directory.PeopleQuery{Text: "user04217"})},
		{"people/word-of-2000", people(directory.PeopleQuery{Text: "user01"})},
		{"people/word-of-all", people(directory.PeopleQuery{Text: "example"})},
		{"people/group-of-all", people(directory.PeopleQuery{Group: "crew"})},
		{"people/small-group", people(directory.PeopleQuery{Group: "pilots", Text: "example"})},
		{"people/common-and-none", people(directory.PeopleQuery{Text: "example", Type: directory.ExternallyManaged})},
		{"people/count", func() error { _, err := s.CountByState(ctx, account); return err }},
		{"people/groups", func() error { _, err := s.GroupNames(ctx, account, 500); return err }},
		{"audit/all", find(audit.Query{})},
		{"audit/common", find(audit.Query{Action: audit.UserSuspend})},
		{"audit/none", find(audit.Query{Target: "nobody"})},
		{"session", func() error { _, err := s.Session(ctx, signin.HashOf("token")); return err }},
	} {
		b.Run(look.name, func(b *testing.B) {
			begun := processCPU(b)
			for b.Loop() {
				if err := look.run(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processCPU(b)-begun).Microseconds())/1e3/float64(b.N), "cpu-ms/op")
		})
	}
}

func consoleData(b *testing.B, dir string) ident.AccountID {
	b.Helper()
	ctx := b.Context()
	s, err := Open(ctx, Options{Dir: dir, Rand: rand.Reader, Exclusive: true})
	if err != nil {
		b.Fatal(err)
	}
	dirs := &directory.Service{Store: s, Keys: page.NewKeyring(s, time.Now, rand.Reader), Now: time.Now, Rand: rand.Reader}
	account, err := dirs.CreateAccount(ctx, operator, directory.Account{Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	people := func(yield func(directory.User, error) bool) {
		for i := range consolePeople {
			u := directory.User{
				ID: benchUser(int64(i)), Email: ident.Email(fmt.Sprintf("user%06d@example.com", i)), DisplayName: fmt.Sprintf("Given%d Family%d", i%997, i%1009),
				CreateTime: morning.Add(time.Duration(i) * time.Second), Groups: []string{"crew"}, State: directory.States()[i%50/48],
			}
			if i%2000 == 0 {
				u.Groups = append(u.Groups, "pilots")
			}
			if !yield(u, nil) {
				return
			}
		}
	}
	begun := time.Now()
	if _, err := dirs.AddUsers(ctx, operator, account.ID, people); err != nil {
		b.Fatal(err)
	}
	b.Logf("adding %d people took %s", consolePeople, time.Since(begun).Round(time.Millisecond))
	session := &signin.StoredSession{Hash: signin.HashOf("token"), Session: signin.Session{ID: "S", Account: account.ID, User: benchUser(1), ExpireTime: time.Now().Add(time.Hour)}}
	if err := s.ChangePerson(ctx, account.ID, benchUser(1), func(signin.Standing) signin.Change { return signin.Change{Session: session} }); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	exec(b, filepath.Join(dir, File), "PRAGMA synchronous = OFF", fmt.Sprintf(`
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT %d)
INSERT INTO audit_entries SELECT '%s', printf('0%%025d', i), 0, 1, i, 'application', 'C' || (i %% 7), CASE i %% 3 WHEN 0 THEN 'users.suspend' ELSE 'token.issue' END,
	'U' || (i %% 5000), 'done', '', '192.0.2.1', 'Agent/1.0', 'R' || i, 1, zeroblob(32), zeroblob(32) FROM n`, consoleEntries, account.ID))
	return account.ID
}
