package store

import (
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
)

const (
	benchPeople  = 20_000
	benchCallers = 16 // a core, so that commits are shared as they are under load
)

// BenchmarkStore measures what the store does for one request of each kind, as CPU of
// the whole process: wall time would mostly tell about the disk.
func BenchmarkStore(b *testing.B) {
	ctx := b.Context()
	s, err := Open(ctx, Options{Dir: b.TempDir(), Rand: rand.Reader, Exclusive: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	account, token := benchData(b, s)
	caller := access.Caller{Kind: access.System, Name: "bench"}
	var next atomic.Int64
	user := func() ident.UserID { return benchUser(next.Add(7919) % benchPeople) }
	for name, run := range map[string]func() error{
		"page":  func() error { _, err := s.Page(ctx, account, filter.Any, page.Position{}, 26); return err },
		"user":  func() error { _, err := s.User(ctx, account, user()); return err },
		"grant": func() error { _, err := s.Grant(ctx, oauth.HashOf(token)); return err },
		"look at a user": func() error {
			id := user()
			l := s.LookAtUser(account, id)
			if _, err := l.Grant(ctx, oauth.HashOf(token)); err != nil {
				return err
			}
			_, err := l.User(ctx, account, id)
			return err
		},
		"look at a page": func() error {
			l := s.LookAtPage(account, page.Cursor{}, 26)
			if _, err := l.Grant(ctx, oauth.HashOf(token)); err != nil {
				return err
			}
			_, err := l.Page(ctx, account, filter.Any, page.Position{}, 26)
			return err
		},
		"change": func() error {
			id := user()
			e := audit.New(caller, account, audit.UserSuspend, string(id), audit.Done, time.Now())
			_, err := s.Change(ctx, account, id, func(st directory.Standing) directory.Decision {
				st.User.State = directory.Suspended
				return directory.Decision{User: st.User, Changed: true, Entry: e}
			})
			return err
		},
		"token": func() error {
			clear, err := oauth.NewToken(rand.Reader)
			if err != nil {
				return err
			}
			t := oauth.Token{Hash: oauth.HashOf(clear), Client: "C", Account: account, IssueTime: time.Now(), ExpireTime: time.Now()}
			return s.AddToken(ctx, t, audit.New(caller, account, audit.TokenIssue, "", audit.Done, time.Now()), audit.Head{})
		},
	} {
		b.Run(name, func(b *testing.B) { benchCPU(b, run) })
	}
}

func benchCPU(b *testing.B, run func() error) {
	b.ReportAllocs()
	b.SetParallelism(benchCallers)
	begun := processCPU(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := run(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64((processCPU(b)-begun).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
}

func processCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchUser(i int64) ident.UserID { return ident.UserID(fmt.Sprintf("U%025d", i)) }

func benchData(b *testing.B, s *Store) (ident.AccountID, string) {
	b.Helper()
	ctx, caller := b.Context(), access.Caller{Kind: access.System, Name: "bench"}
	dir := &directory.Service{Store: s, Keys: page.NewKeyring(s, time.Now, rand.Reader), Now: time.Now, Rand: rand.Reader}
	account, err := dir.CreateAccount(ctx, caller, directory.Account{Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	people := func(yield func(directory.User, error) bool) {
		for i := range int64(benchPeople) {
			u := directory.User{
				ID: benchUser(i), Email: ident.Email(fmt.Sprintf("user%06d@example.com", i)), DisplayName: fmt.Sprintf("User %d", i),
			}
			if !yield(u, nil) {
				return
			}
		}
	}
	if _, err := dir.AddUsers(ctx, caller, account.ID, people); err != nil {
		b.Fatal(err)
	}
	apps := &oauth.Service{Store: s, Now: time.Now, Rand: rand.Reader, Lifetime: time.Hour}
	app, secret, err := apps.Create(ctx, caller, oauth.Application{Account: account.ID, Name: "bench", Permissions: access.All}, oauth.ClientSecret{})
	if err != nil {
		b.Fatal(err)
	}
	client, err := apps.AuthenticateClient(ctx, caller, audit.TokenIssue, oauth.Credentials{{ID: app.ID, Secret: secret.Reveal()}})
	if err != nil {
		b.Fatal(err)
	}
	issued, err := apps.Issue(ctx, caller, client)
	if err != nil {
		b.Fatal(err)
	}
	return account.ID, issued.AccessToken
}
