package roster_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/roster"
	"github.com/rollcall-id/rollcall/internal/store"
)

var (
	now      = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	operator = access.Caller{Kind: access.Operator, Name: "test"}
)

// services are the use cases on a database of their own.
func services(t *testing.T) (*directory.Service, *oauth.Service) {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Rand: rand.Reader, Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	journal := audit.NewJournal(st, func(err error, _ int64) { t.Error(err) })
	t.Cleanup(func() {
		if err := errors.Join(journal.Close(context.WithoutCancel(t.Context())), st.Close()); err != nil {
			t.Error(err)
		}
	})
	dir := &directory.Service{Store: st, Keys: page.NewKeyring(st, clock, rand.Reader), Now: clock, Rand: rand.Reader}
	return dir, &oauth.Service{Store: st, Journal: journal, Now: clock, Rand: rand.Reader, Lifetime: oauth.DefaultLifetime}
}

// everybody reads an account's people back, by address.
func everybody(t *testing.T, dir *directory.Service, account ident.AccountID) []directory.User {
	t.Helper()
	var users []directory.User
	err := dir.EachUser(t.Context(), operator, account, func(u directory.User) bool {
		users = append(users, u)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(users, func(a, b directory.User) int { return strings.Compare(a.Email.Key(), b.Email.Key()) })
	return users
}

func TestApply(t *testing.T) {
	t.Parallel()
	dir, apps := services(t)
	seed, err := roster.ParseSeed("seed.yaml", []byte(yamlSeed))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	progress := func(done, total int) { told = append(told, fmt.Sprintf("%d of %d", done, total)) }
	applied, err := seed.Apply(t.Context(), operator, dir, apps, progress)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"5 of 5"}, told); diff != "" {
		t.Errorf("progress (-want +got)\n%s", diff)
	}

	first, second := applied.Accounts[0], applied.Accounts[1]
	if first.ID != "ACCOUNT1" || first.Users != 5 || len(second.ID) != 26 || second.Users != 0 {
		t.Errorf("got accounts %+v", applied.Accounts)
	}
	wantApp := roster.Application{
		Application: oauth.Application{ID: "my-client", Account: "ACCOUNT1", Name: "App", Description: "An app",
			RedirectURL: "https://app.example.com/callback", Permissions: access.Set(access.ListUsers | access.GetUser),
			State: oauth.Enabled, CreateTime: now},
		Secret: oauth.GivenSecret("my secret"),
	}
	if diff := cmp.Diff([]roster.Application{wantApp}, first.Applications, compareSecrets, exceptSecrets); diff != "" {
		t.Errorf("applications (-want +got)\n%s", diff)
	}
	stored, err := apps.List(t.Context(), operator, "ACCOUNT1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]oauth.Application{wantApp.Application}, stored, exceptSecrets); diff != "" {
		t.Errorf("stored applications (-want +got)\n%s", diff)
	}
	checkSeeded(t, everybody(t, dir, "ACCOUNT1"))
}

// exceptSecrets leaves out the secrets' ids, which are made at random.
var exceptSecrets = cmpopts.IgnoreFields(oauth.Application{}, "Secrets")

func checkSeeded(t *testing.T, users []directory.User) {
	t.Helper()
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	want := []directory.User{
		{ID: "U1", Email: "Ada@example.com", DisplayName: "Ada \U0001F469", State: directory.Active, Type: directory.Member,
			Groups: []string{"owners", "security"}, CreateTime: time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)},
		{Email: "bob@example.com", DisplayName: "Bob", State: directory.Pending, Type: directory.Guest,
			CreateTime: time.Date(2024, 1, 15, 8, 30, 0, 500_000_000, time.UTC)},
		{Email: "user000001@example.com", DisplayName: "User 000001", State: directory.Active, Type: directory.Member, CreateTime: start},
		{Email: "user000002@example.com", DisplayName: "User 000002", State: directory.Suspended, Type: directory.Member, CreateTime: start.Add(time.Second)},
		{Email: "user000003@example.com", DisplayName: "User 000003", State: directory.Active, Type: directory.Member, CreateTime: start.Add(2 * time.Second)},
	}
	got := slices.Clone(users)
	for i := range got {
		if i > 0 && len(got[i].ID) != 26 {
			t.Errorf("user %d has the id %q, want one that was made", i, got[i].ID)
		}
		if i > 0 {
			got[i].ID = ""
		}
		if len(got[i].Groups) == 0 {
			got[i].Groups = nil
		}
		got[i].Account = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("people (-want +got)\n%s", diff)
	}
}

func TestApplyStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	dir, apps := services(t)
	seed := &roster.Seed{Accounts: []roster.Account{
		{Account: directory.Account{ID: "A", Name: "First"}},
		{Account: directory.Account{ID: "A", Name: "Again"}},
		{Account: directory.Account{ID: "B", Name: "Never"}},
	}}
	_, err := seed.Apply(t.Context(), operator, dir, apps, nil)
	if fault.KindOf(err) != fault.KindConflict {
		t.Errorf("got %v, want a conflict", err)
	}
	accounts, err := dir.Accounts(t.Context(), operator)
	if err != nil {
		t.Fatal(err)
	}
	if len(accounts) != 1 || accounts[0].ID != "A" {
		t.Errorf("got %+v, want only the first account", accounts)
	}
}

func TestApplyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir, apps := services(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seed := &roster.Seed{Accounts: []roster.Account{{
		Account:  directory.Account{ID: "A", Name: "Large"},
		Generate: roster.Generate{Count: 50_000},
	}}}
	var once sync.Once
	if _, err := seed.Apply(ctx, operator, dir, apps, func(int, int) { once.Do(cancel) }); err == nil {
		t.Error("ended without an error")
	}
	// The next write waits for the work that was given up, and finds nothing of it.
	if _, err := dir.CreateAccount(t.Context(), operator, directory.Account{ID: "B", Name: "Next"}); err != nil {
		t.Fatal(err)
	}
	if users := everybody(t, dir, "A"); len(users) != 0 {
		t.Errorf("%d people were added", len(users))
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		count    int
		fraction float64
		want     int
	}{{0, 1, 0}, {10, 0, 0}, {10, 1, 10}, {100, 0.29, 29}, {1000, 0.3, 300}, {7, 0.5, 3}, {3, 0.1, 0}, {200_000, 0.07, 14_000}} {
		t.Run(fmt.Sprint(tt.count, tt.fraction), func(t *testing.T) {
			t.Parallel()
			n, suspended, last := 0, 0, time.Time{}
			for u := range (roster.Generate{Count: tt.count, SuspendedFraction: tt.fraction}).Users() {
				n++
				if u.State == directory.Suspended {
					suspended++
				}
				if !u.CreateTime.After(last) {
					t.Fatalf("%s was created at %s, not after the one before", u.Email, u.CreateTime)
				}
				last = u.CreateTime
				if want := tt.fraction * float64(n); float64(suspended) > want+1 || float64(suspended) < want-1 {
					t.Fatalf("%d of the first %d are suspended: not evenly spread", suspended, n)
				}
			}
			if n != tt.count || suspended != tt.want {
				t.Errorf("got %d people, %d suspended, want %d and %d", n, suspended, tt.count, tt.want)
			}
		})
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	dir, apps := services(t)
	applied, err := roster.Demo(now).Apply(t.Context(), operator, dir, apps, nil)
	if err != nil {
		t.Fatal(err)
	}
	account := applied.Accounts[0]
	counts := map[string]int{}
	for _, u := range everybody(t, dir, account.ID) {
		counts["people"]++
		counts[string(u.State)]++
		counts[string(u.Type)]++
		for _, g := range u.Groups {
			switch g {
			case directory.Owners, directory.Administrators, directory.Security:
				counts[g+" "+string(u.State)]++
			}
		}
		if u.Type == directory.ExternallyManaged && !slices.Contains(u.Groups, directory.Administrators) {
			t.Errorf("%s is externally managed and no administrator", u.DisplayName)
		}
		if age := now.Sub(u.CreateTime); age <= 0 || age > 2*366*24*time.Hour {
			t.Errorf("%s was created %s ago", u.DisplayName, age)
		}
	}
	want := map[string]int{
		"people": 60, "ACTIVE": 49, "SUSPENDED": 6, "PENDING": 5, "member": 53, "guest": 6, "externally_managed": 1,
		"owners ACTIVE": 3, "administrators ACTIVE": 5, "security ACTIVE": 2,
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	app := account.Applications[0]
	if got := app.Permissions.String(); len(account.Applications) != 1 || got != "users.list users.get users.suspend users.reactivate" {
		t.Errorf("got applications %+v", account.Applications)
	}
	creds := oauth.Credentials{{ID: app.ID, Secret: app.Secret.Reveal()}}
	if _, err := apps.AuthenticateClient(t.Context(), access.Caller{}, audit.TokenIssue, creds); err != nil {
		t.Errorf("the secret does not work: %v", err)
	}
}
