package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/bench/load"
)

func testCaller() caller {
	return caller{host: "h:1", account: "ACC", clientID: "id", secret: "secret", bearer: "tok", people: []string{"A", "B", "C", "D"}}
}

// sent is a request as a server reads it.
type sent struct{ Method, Target, Authorization, Body string }

func readSent(t *testing.T, wire []byte) sent {
	t.Helper()
	r := bufio.NewReader(bytes.NewReader(wire))
	request, err := http.ReadRequest(r)
	if err != nil {
		t.Fatalf("%v in %q", err, wire)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.Buffered() > 0 {
		t.Errorf("%q goes on after its end", wire)
	}
	if request.Host != "h:1" || request.UserAgent() == "" {
		t.Errorf("host %q, agent %q", request.Host, request.UserAgent())
	}
	return sent{request.Method, request.URL.RequestURI(), request.Header.Get("Authorization"), string(body)}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	c := testCaller()
	const users = "/v1beta1/accounts/ACC/users"
	tests := map[string]struct {
		script    load.Script
		client, i int
		want      sent
	}{
		"token":            {c.token(), 3, 7, sent{"POST", "/v1beta1/users/oauth2/token", "Basic aWQ6c2VjcmV0", "grant_type=client_credentials&scope=openid"}},
		"get":              {c.get(2), 1, 1, sent{"GET", users + "/D", "Bearer tok", ""}},
		"get goes round":   {c.get(2), 2, 0, sent{"GET", users + "/A", "Bearer tok", ""}},
		"suspend":          {c.change(4), 1, 1, sent{"POST", users + "/D:suspend", "Bearer tok", ""}},
		"reactivate":       {c.change(4), 1, 3, sent{"POST", users + "/D:reactivate", "Bearer tok", ""}},
		"list":             {c.list("?max_page_size=25", 25, more), 0, 0, sent{"GET", users + "?max_page_size=25", "Bearer tok", ""}},
		"a page":           {c.list(pageQuery("tt", 25), 25, last), 0, 0, sent{"GET", users + "?max_page_size=25&page_token=tt", "Bearer tok", ""}},
		"without a token":  {c.list(pageQuery("", 25), 25, last), 0, 0, sent{"GET", users + "?max_page_size=25", "Bearer tok", ""}},
		"suspend at first": {c.change(2), 0, 0, sent{"POST", users + "/A:suspend", "Bearer tok", ""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := readSent(t, tt.script.Append(nil, tt.client, tt.i))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestChangeLeavesNoTrace: in one run each person is suspended once, then reactivated once, and by one client only.
func TestChangeLeavesNoTrace(t *testing.T) {
	t.Parallel()
	c := testCaller()
	const clients, perClient = 2, 4
	script := c.change(perClient)
	state, owner := map[string]string{}, map[string]int{}
	for client := range clients {
		for i := range perClient {
			path, verb, _ := strings.Cut(readSent(t, script.Append(nil, client, i)).Target, ":")
			if state[path] == verb || (state[path] == "" && verb != "suspend") {
				t.Errorf("%s: %q after %q", path, verb, state[path])
			}
			if by, seen := owner[path]; seen && by != client {
				t.Errorf("%s is changed by clients %d and %d", path, by, client)
			}
			state[path], owner[path] = verb, client
		}
	}
	if len(state) != clients*perClient/2 {
		t.Errorf("%d people were changed, want %d", len(state), clients*perClient/2)
	}
	for path, verb := range state {
		if verb != "reactivate" {
			t.Errorf("%s is left after %q", path, verb)
		}
	}
}

func userText(id, state string) string {
	return fmt.Sprintf(`{"id":%q,"email":"a@b.example","display_name":"A","state":%q,"create_time":"2024-01-15T10:30:00Z","path":"accounts/ACC/users/%s"}`, id, state, id)
}

func TestChecks(t *testing.T) {
	t.Parallel()
	c := testCaller()
	two := c.list("", 2, more)
	end := c.list("", 1, last)
	a, b := userText("A", "ACTIVE"), userText("B", "SUSPENDED")
	const token = `{"access_token":"x","token_type":"Bearer","expires_in":900,"scope":"openid"}`
	tests := map[string]struct {
		script load.Script
		i      int
		status int
		body   string
		wrong  string // empty: the answer is right
	}{
		"token":            {c.token(), 0, 200, token, ""},
		"refused":          {c.token(), 0, 429, `{"error":"temporarily_unavailable"}`, "status 429"},
		"no token":         {c.token(), 0, 200, `{"token_type":"Bearer","expires_in":900}`, "lacks"},
		"token, more":      {c.token(), 0, 200, strings.Replace(token, "}", `,"refresh_token":"y"}`, 1), "unknown field"},
		"user":             {c.get(4), 0, 200, a, ""},
		"another user":     {c.get(4), 1, 200, a, "want accounts/ACC/users/B ACTIVE"},
		"not found":        {c.get(4), 0, 404, `{"code":5,"message":"not_found","details":[]}`, "status 404"},
		"no JSON":          {c.get(4), 0, 200, "hello", "read answer"},
		"two answers":      {c.get(4), 0, 200, a + a, "goes on after its end"},
		"suspended":        {c.change(4), 1, 200, b, ""},
		"not suspended":    {c.change(4), 0, 200, a, "want accounts/ACC/users/A SUSPENDED"},
		"reactivated":      {c.change(4), 2, 200, a, ""},
		"not reactivated":  {c.change(4), 3, 200, b, "want accounts/ACC/users/B ACTIVE"},
		"page":             {two, 0, 200, `{"results":[` + a + "," + b + `],"next_page_token":"t"}`, ""},
		"page skimmed":     {two, 1, 200, `{"results":[` + a + "," + b + `],"next_page_token":"t"}`, ""},
		"short":            {two, 0, 200, `{"results":[` + a + `],"next_page_token":"t"}`, "page of 1 people"},
		"short skimmed":    {two, 1, 200, `{"results":[` + a + `],"next_page_token":"t"}`, "page of 1 people"},
		"no next":          {two, 0, 200, `{"results":[` + a + "," + b + `]}`, "another follows: false"},
		"no next skimmed":  {two, 1, 200, `{"results":[` + a + "," + b + `]}`, "another follows: false"},
		"end":              {end, 0, 200, `{"results":[` + a + `]}`, ""},
		"no end":           {end, 0, 200, `{"results":[` + a + `],"next_page_token":"t"}`, "another follows: true"},
		"hollow":           {end, 0, 200, `{"results":[{}]}`, "incomplete"},
		"broken, skimmed":  {end, 1, 200, `{"results":[` + a, "page of 1 people"},
		"failure, skimmed": {end, 1, 500, `{"code":13}`, "status 500"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.script.Check(0, tt.i, load.Answer{Status: tt.status, Body: []byte(tt.body)})
			if tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("got %v, want %q", err, tt.wrong)
			}
		})
	}
}

// standIn answers lists of a made-up account of the given size; a page token is the number of the next person.
func standIn(t *testing.T, people int) *server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var from, size int
		_, _ = fmt.Sscan(r.URL.Query().Get("max_page_size"), &size)
		_, _ = fmt.Sscan(r.URL.Query().Get("page_token"), &from)
		page := api.NewListUsersResponse(nil, "")
		for ; from < people && len(page.Results) < size; from++ {
			state := api.StateActive
			if from%10 == 9 {
				state = api.StateSuspended
			}
			page.Results = append(page.Results, api.User{ID: fmt.Sprint(from), State: state, Email: "x", CreateTime: api.Timestamp{Time: time.Unix(0, 0)}})
		}
		if from < people {
			page.NextPageToken = fmt.Sprint(from)
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	t.Cleanup(srv.Close)
	return &server{target: load.Target{Address: srv.Listener.Addr().String()}}
}

func TestWalk(t *testing.T) {
	t.Parallel()
	for _, people := range []int{2025, 2024, 2001, 1000, 26} {
		t.Run(fmt.Sprint(people), func(t *testing.T) {
			t.Parallel()
			srv := standIn(t, people)
			found, err := walk(t.Context(), srv, testCaller())
			if err != nil {
				t.Fatal(err)
			}
			suspended := people / 10
			if found.total != people || len(found.active) != people-suspended-1 || found.active[0] != "1" {
				t.Errorf("got %d people, %d of them active, want %d, %d without the owner", found.total, len(found.active), people, people-suspended-1)
			}
			token, err := tokenBefore(t.Context(), srv, testCaller(), found, people-pageSize)
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprint(people - pageSize); token != want {
				t.Errorf("the last page begins at %q, want %q", token, want)
			}
		})
	}
}

// TestBare: the baseline answers what the scenarios ask, and nothing else.
func TestBare(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(bareHandler())
	t.Cleanup(srv.Close)
	for name, script := range map[string]load.Script{"token": testCaller().token(), "get": testCaller().get(4)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clients, err := load.DialAll(context.Background(), load.Target{Address: srv.Listener.Addr().String()}, 2)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { load.CloseAll(clients) })
			if _, err := load.Run(t.Context(), clients, 8, script); err != nil {
				t.Error(err)
			}
		})
	}
}
