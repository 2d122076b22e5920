package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/client"
)

// fake is a server that need not keep to the contract.
type fake struct {
	mu     sync.Mutex
	pages  [][]client.User
	answer map[string]string // METHOD path below /users: "STATUS body"
	asked  []string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, below, _ := strings.Cut(r.URL.Path, "/accounts/A/users")
	key := r.Method + " " + below
	switch answer, known := f.answer[key]; {
	case strings.HasSuffix(r.URL.Path, "/token"):
		_, _ = io.WriteString(w, `{"access_token":"t","token_type":"Bearer","expires_in":900}`)
		return
	case strings.HasSuffix(r.URL.Path, "/revoke"):
		return
	case known:
		status, body := 0, ""
		_, _ = fmt.Sscanf(answer, "%d %s", &status, &body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	case key == "GET ":
		f.page(w, r.URL.Query().Get("page_token"))
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"code":5,"message":"not_found","details":[]}`)
	}
	f.asked = append(f.asked, strings.TrimSpace(key))
}

func (f *fake) page(w io.Writer, token string) {
	n := 0
	_, _ = fmt.Sscan(token, &n)
	body := map[string]any{"results": f.pages[n]}
	if n+1 < len(f.pages) {
		body["next_page_token"] = fmt.Sprint(n + 1)
	}
	_ = json.NewEncoder(w).Encode(body)
}

// session is a session with the fake.
func (f *fake) session(t *testing.T, e *Env) *session {
	t.Helper()
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	s, err := e.open(connection{baseURL: srv.URL, account: "A", client: "C", secret: client.NewSecret("s"), version: "v1"}, manners{maxWait: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	return s
}

func someone(id, email string, state client.State) client.User {
	return client.User{ID: id, Email: email, State: state}
}

func userJSON(id, email string, state client.State) string {
	text, err := json.Marshal(someone(id, email, state))
	if err != nil {
		panic(err)
	}
	return "200 " + string(text)
}
