package console_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// What the pages are measured with.
const (
	benchPeople  = 100_000
	benchEntries = 1_000_000
)

// BenchmarkPages tells the time for each page, from the request to the last byte, over one
// connection on this machine, and what of the processor it takes, this client included.
func BenchmarkPages(b *testing.B) {
	s := testkit.Start(b, testkit.Options{})
	s.AddUser(directory.User{ID: "ada", DisplayName: "Ada Lovelace", Email: "ada@example.com", Groups: []string{directory.Owners}})
	users := make([]directory.User, benchPeople)
	for i := range users {
		users[i] = directory.User{
			ID: ident.UserID(fmt.Sprintf("u%d", i)), DisplayName: fmt.Sprintf("%s Number%d", []string{"Walker", "Runner", "Rider", "Sailor"}[i%4], i),
			CreateTime: testkit.Epoch.Add(time.Duration(-i) * time.Minute),
		}
		if i%17 == 0 {
			users[i].State, users[i].Groups = directory.Suspended, []string{fmt.Sprintf("group %d", i%900)}
		}
	}
	s.AddUsers(users...)
	app := s.AddClient(oauth.Application{Account: testkit.Account, Name: "Robot", Permissions: access.AllUsers}, "")
	fillRecord(b, s, app.ID)
	token := benchSession(b, s)
	defer http.DefaultClient.CloseIdleConnections()
	paths := map[string]string{
		"overview": "/console/overview", "people": "/console/people", "search": "/console/people?q=walk+number5", "search-2000": "/console/people?q=number42+sai", "state": "/console/people?state=SUSPENDED",
		"nobody": "/console/people?q=walker+zzz", "group": "/console/people?group=group+17", "person": "/console/people/u17", "integrations": "/console/integrations",
		"integration": "/console/integrations/" + string(app.ID), "audit": "/console/audit", "audit-rare": "/console/audit?target=u99", "profile": "/console/profile", "account": "/console/account",
		"sign-in": "/console/sign-in", "start": "/console", "audit-actor": "/console/audit?actor=" + string(app.ID) + "&action=users.suspend&from=2020-01-01T00%3A00",
	}
	for path := range pages("u17", string(app.ID)) { // what has no name above
		if !slices.Contains(slices.Collect(maps.Values(paths)), path) {
			paths[strings.Trim(strings.NewReplacer("/console", "", string(app.ID), "CLIENT", "/", "-").Replace(path), "-")] = path
		}
	}
	for name, path := range paths {
		b.Run(name, func(b *testing.B) {
			begun := processCPU(b)
			for b.Loop() {
				r, err := http.NewRequest(http.MethodGet, s.BaseURL+path, nil) //nolint:noctx // ends with its server
				if err != nil {
					b.Fatal(err)
				}
				r.Header.Set("Cookie", "rollcall="+token)
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				_, err = io.Copy(io.Discard, resp.Body)
				if closing := resp.Body.Close(); err != nil || closing != nil || resp.StatusCode >= http.StatusBadRequest {
					b.Fatalf("got %d (%v, %v)", resp.StatusCode, err, closing)
				}
			}
			b.ReportMetric(float64((processCPU(b)-begun).Microseconds())/1e3/float64(b.N), "cpu-ms/op")
		})
	}
}

func processCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func fillRecord(b *testing.B, s *testkit.Server, app ident.ClientID) {
	b.Helper()
	const batch = 5000
	for n := 0; n < benchEntries; n += batch {
		entries := make([]audit.Entry, batch)
		for i := range entries {
			at := testkit.Epoch.Add(time.Duration(n+i-benchEntries) * 100 * time.Millisecond)
			e := audit.New(access.Caller{Kind: access.Application, Account: testkit.Account, Client: app, UserAgent: "Bench/1.0"}, testkit.Account, audit.TokenIssue, "", audit.Done, at)
			if i%50 == 0 {
				e.Action, e.Outcome, e.Target = audit.UserSuspend, audit.Refused, fmt.Sprintf("u%d", (n+i)%benchPeople)
			}
			entries[i] = e
		}
		if err := s.Store.Append(context.Background(), entries); err != nil {
			b.Fatal(err)
		}
	}
	var rows []usage.Row
	for i := range 168 {
		for _, agent := range []string{"Bench/1.0", "Bench/2.0", "curl/8"} {
			rows = append(rows, usage.Row{Key: usage.Key{Hour: testkit.Epoch.Add(time.Duration(-i) * time.Hour), Account: testkit.Account, Client: app, UserAgent: agent}, Counts: usage.Counts{Requests: int64(i * 7), Errors: int64(i)}})
		}
	}
	if err := s.Store.AddUsage(context.Background(), rows); err != nil {
		b.Fatal(err)
	}
}

func benchSession(b *testing.B, s *testkit.Server) string {
	b.Helper()
	link, err := s.SignIn.Reset(context.Background(), operator, testkit.Account, "ada")
	if err != nil {
		b.Fatal(err)
	}
	session, err := s.SignIn.UseLink(context.Background(), access.Caller{}, link.Token, password)
	if err != nil {
		b.Fatal(err)
	}
	return session.Token
}
