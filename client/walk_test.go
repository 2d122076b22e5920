package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/client"
)

// book answers lists: page i holds pages[i] and is asked for with the token "i".
func book(pages ...[]string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		i, _ := strconv.Atoi(r.FormValue("page_token"))
		var users []client.User
		for _, id := range pages[i] {
			users = append(users, aUser(id))
		}
		next := ""
		if i+1 < len(pages) {
			next = strconv.Itoa(i + 1)
		}
		writeJSON(w, 200, api.NewListUsersResponse(users, next))
	}
}

// walk collects the ids that All yields, and the error that ended it.
func walk(ctx context.Context, c *client.Client, o client.ListOptions) (ids []string, err error) {
	for u, err := range c.Users.All(ctx, o) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, u.ID)
	}
	return ids, nil
}

func TestAll(t *testing.T) {
	t.Parallel()
	raw := func(body string) func(http.ResponseWriter, *http.Request, int) {
		return func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprint(w, body) }
	}
	tests := map[string]struct {
		users func(http.ResponseWriter, *http.Request, int)
		want  []string
		calls int
	}{
		"three pages":                      {users: book([]string{"A", "B"}, []string{"C"}, []string{"D"}), want: []string{"A", "B", "C", "D"}, calls: 3},
		"empty pages before the last":      {users: book(nil, []string{"A"}, nil, nil, []string{"B"}), want: []string{"A", "B"}, calls: 5},
		"nobody":                           {users: book(nil), calls: 1},
		"an empty next_page_token":         {users: raw(`{"results":[{"id":"A"}],"next_page_token":""}`), want: []string{"A"}, calls: 1},
		"next_page_token null":             {users: raw(`{"results":[{"id":"A"}],"next_page_token":null}`), want: []string{"A"}, calls: 1},
		"no results at all":                {users: raw(`{}`), calls: 1},
		"results null":                     {users: raw(`{"results":null}`), calls: 1},
		"fields and states of years ahead": {users: raw(`{"results":[{"id":"A","state":"ON_LEAVE","shoe_size":44,"create_time":"2024-01-15T10:30:00.5+02:00"}],"total":1}`), want: []string{"A"}, calls: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{users: tt.users}
			got, err := walk(t.Context(), dial(t, f, nil), client.ListOptions{})
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("error %v, ids (-want +got)\n%s", err, diff)
			}
			if _, calls := f.counts(); calls != tt.calls {
				t.Errorf("%d requests, want %d", calls, tt.calls)
			}
		})
	}
}

func TestWalkAsksForWhatItWasTold(t *testing.T) {
	t.Parallel()
	f := &fake{users: book([]string{"A"}, []string{"B"})}
	if _, err := walk(t.Context(), dial(t, f, nil), client.ListOptions{Filter: client.SuspendedUsers}); err != nil {
		t.Fatal(err)
	}
	const path = "GET /v1beta1/accounts/" + testAccount + "/users?filter=user.isSuspended%28%29&max_page_size=1000"
	if diff := cmp.Diff([]string{path, path + "&page_token=1"}, f.calls); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWalkStopsWithItsReader(t *testing.T) {
	t.Parallel()
	f := &fake{users: book([]string{"A", "B"}, []string{"C"})}
	for u, err := range dial(t, f, nil).Users.All(t.Context(), client.ListOptions{}) {
		if err != nil || u.ID != "A" {
			t.Errorf("got %s, %v; want A", u.ID, err)
		}
		break
	}
	if _, calls := f.counts(); calls != 1 {
		t.Errorf("%d requests, want 1", calls)
	}
}

func TestWalkOutlivesItsToken(t *testing.T) {
	t.Parallel()
	f := &fake{}
	pages := book([]string{"A"}, []string{"B"}, []string{"C"})
	f.users = func(w http.ResponseWriter, r *http.Request, n int) {
		f.end("") // revoked in the middle of every page
		pages(w, r, n)
	}
	got, err := walk(t.Context(), dial(t, f, nil), client.ListOptions{})
	if diff := cmp.Diff([]string{"A", "B", "C"}, got); diff != "" || err != nil {
		t.Errorf("error %v, ids (-want +got)\n%s", err, diff)
	}
}

func TestWalkResumes(t *testing.T) {
	t.Parallel()
	pages := book([]string{"A", "B"}, []string{"C"}, []string{"D"})
	broken := true
	f := &fake{users: func(w http.ResponseWriter, r *http.Request, n int) {
		if broken && r.FormValue("page_token") == "2" {
			writeJSON(w, 500, api.NewStatus(api.CodeInternal, "internal error"))
			return
		}
		pages(w, r, n)
	}}
	c := dial(t, f, nil)
	resume := ""
	for page, err := range c.Users.Pages(t.Context(), client.ListOptions{}) {
		resume = page.PageToken
		if err != nil && !errors.Is(err, client.ErrInternal) {
			t.Errorf("got %v, want %v", err, client.ErrInternal)
		}
	}
	broken = false
	got, err := walk(t.Context(), c, client.ListOptions{PageToken: resume})
	if diff := cmp.Diff([]string{"D"}, got); diff != "" || err != nil {
		t.Errorf("resumed at %q: error %v, ids (-want +got)\n%s", resume, err, diff)
	}
}

// TestPageTokenLoop lets tokens run into a loop of any length after any number of
// pages: the walk ends with an error, after a bounded number of requests.
func TestPageTokenLoop(t *testing.T) {
	t.Parallel()
	var before, loop int
	f := &fake{users: func(w http.ResponseWriter, r *http.Request, _ int) {
		i, _ := strconv.Atoi(r.FormValue("page_token"))
		next := i + 1
		if next >= before+loop {
			next = before
		}
		writeJSON(w, 200, api.NewListUsersResponse(nil, "0"+strconv.Itoa(next)))
	}}
	c := dial(t, f, nil)
	rapid.Check(t, func(t *rapid.T) {
		before, loop = rapid.IntRange(1, 40).Draw(t, "pages before the loop"), rapid.IntRange(1, 40).Draw(t, "pages of the loop")
		_, sofar := f.counts()
		_, err := walk(context.Background(), c, client.ListOptions{})
		if !errors.Is(err, client.ErrPageTokenLoop) {
			t.Errorf("got %v, want %v", err, client.ErrPageTokenLoop)
		}
		if _, calls := f.counts(); calls-sofar > 3*max(before, loop)+3 {
			t.Errorf("%d requests to find a loop of %d after %d pages", calls-sofar, loop, before)
		}
	})
}
