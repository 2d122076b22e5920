package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// liar is a server of the API for three people, two of whom are owners, that may tell one lie.
type liar struct {
	mu        sync.Mutex
	lie       string
	suspended map[string]bool
	tokens    map[string]bool
	requests  int
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	switch {
	case l.lie == "503 without Retry-After" && l.requests%10 == 0:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case l.lie == "500" && l.requests%10 == 0:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case l.lie == "" && l.requests%10 == 0:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/token"):
		token := fmt.Sprint("t", l.requests)
		l.tokens[token] = true
		fmt.Fprintf(w, `{"access_token":%q}`, token)
	case strings.HasSuffix(path, "/revoke"):
		if l.lie != "a revoked token" {
			delete(l.tokens, r.FormValue("token"))
		}
	case !l.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]:
		w.WriteHeader(http.StatusUnauthorized)
	default:
		l.user(w, path[strings.LastIndex(path, "/")+1:])
	}
}

func (l *liar) user(w http.ResponseWriter, last string) {
	id, verb, _ := strings.Cut(last, ":")
	switch verb {
	case "suspend":
		if owners := id != "C"; owners && (l.suspended["A"] || l.suspended["B"]) && !l.suspended[id] && l.lie != "both owners" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"message":"no_owner_remain"}`)
			return
		}
		l.suspended[id] = true
	case "reactivate":
		l.suspended[id] = false
	}
	state := active
	if l.suspended[id] {
		state = suspended
	}
	if l.lie == "a lost change" && verb == "suspend" {
		l.suspended[id] = false
	}
	if l.lie == "somebody else" && verb == "" {
		id = "X"
	}
	fmt.Fprintf(w, `{"id":%q,"state":%q}`, id, state)
}

// TestWorkloadNoticesLies: each kind of wrong answer is noticed, and a server that is merely busy at times is not blamed.
func TestWorkloadNoticesLies(t *testing.T) {
	t.Parallel()
	for lie, want := range map[string]string{
		"":                        "",
		"a lost change":           "read ACTIVE, possible is [SUSPENDED]",
		"a revoked token":         "a token that was revoked works",
		"both owners":             "both owners were suspended",
		"503 without Retry-After": "503 without Retry-After",
		"500":                     ": 500",
		"somebody else":           "an answer about somebody else",
	} {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			l := &liar{lie: lie, suspended: map[string]bool{}, tokens: map[string]bool{}}
			server := httptest.NewServer(l)
			defer server.Close()
			load := newWorkload(server.URL, app{"ACCOUNT", "id", "secret"}, []string{"A", "B", "C"}, 1, 1)
			for range 200 {
				load.workers[0].step(t.Context())
				load.owners.round(t.Context())
			}
			err := load.tally.err()
			switch {
			case want == "" && err != nil:
				t.Errorf("a server that does not lie is blamed: %v", err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("got %v, want %q", err, want)
			}
			if s := load.tally.reset(); lie == "" && (s.busy == 0 || s.answered == 0 || s.changes == 0 || load.owners.won == 0) {
				t.Errorf("nothing was tried: %+v", s)
			}
		})
	}
}
