package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/client"
)

func anApplication(id string) client.Application {
	return client.Application{ID: id, Name: "Bridge", Permissions: []client.Permission{client.PermissionListUsers}, State: client.ApplicationEnabled}
}

// answerApplication answers with an application, and with a new secret where one is made.
func answerApplication(w http.ResponseWriter, r *http.Request, _ int) {
	switch {
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(r.URL.Path, "/oauth-clients") || strings.HasSuffix(r.URL.Path, ":rotate-secret"):
		writeJSON(w, 200, api.NewOAuthClientSecret{OAuthClient: anApplication("BRIDGE"), ClientSecret: "rcs_new"})
	default:
		writeJSON(w, 200, anApplication("BRIDGE"))
	}
}

// firstly answers the first n requests by fail, and those after as it should.
func firstly(n int, fail func(http.ResponseWriter, *http.Request, int)) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, nth int) {
		if nth <= n {
			fail(w, r, nth)
			return
		}
		answerApplication(w, r, nth)
	}
}

func status(code int, headers ...string) func(http.ResponseWriter, *http.Request, int) {
	return refuseFirst(1<<30, code, headers...)
}

// applicationCalls are all that change something, by name; once tells which must not be repeated.
var applicationCalls = []struct {
	name string
	once bool
	do   func(context.Context, *client.Client) error
}{
	{"create", true, func(ctx context.Context, c *client.Client) error {
		_, err := c.Applications.Create(ctx, client.NewApplication{Name: "Bridge", Permissions: []client.Permission{"users.list"}})
		return err
	}},
	{"rotate", true, func(ctx context.Context, c *client.Client) error {
		_, err := c.Applications.RotateSecret(ctx, "BRIDGE", time.Hour)
		return err
	}},
	{"update", false, func(ctx context.Context, c *client.Client) error {
		_, err := c.Applications.Update(ctx, "BRIDGE", client.ApplicationPatch{Name: new("Bridge")})
		return err
	}},
	{"disable", false, func(ctx context.Context, c *client.Client) error {
		_, err := c.Applications.Disable(ctx, "BRIDGE")
		return err
	}},
	{"enable", false, func(ctx context.Context, c *client.Client) error {
		_, err := c.Applications.Enable(ctx, "BRIDGE")
		return err
	}},
	{"revoke", false, func(ctx context.Context, c *client.Client) error {
		_, err := c.Applications.RevokeTokens(ctx, "BRIDGE")
		return err
	}},
	{"delete", false, func(ctx context.Context, c *client.Client) error { return c.Applications.Delete(ctx, "BRIDGE") }},
}

// TestWhatIsRepeated fails each call once in every way. Creating and rotating are sent again only where nothing can have
// been done; the others always, where a person's would be.
func TestWhatIsRepeated(t *testing.T) {
	t.Parallel()
	ways := map[string]struct {
		fail    func(http.ResponseWriter, *http.Request, int)
		undone  bool // nothing can have been done
		refused bool // nobody repeats it
	}{
		"429":                    {fail: status(429, "Retry-After", "1"), undone: true},
		"a token that has ended": {fail: status(401), undone: true},
		"502":                    {fail: status(502)},
		"503":                    {fail: status(503, "Retry-After", "1")},
		"504":                    {fail: status(504)},
		"hung up":                {fail: hangUp(1)},
		"cut":                    {fail: cut(1)},
		"cut without length":     {fail: cutWithoutLength},
		"500":                    {fail: status(500), refused: true},
		"408":                    {fail: status(408), refused: true},
		"400":                    {fail: status(400), undone: true, refused: true},
		"403":                    {fail: status(403), undone: true, refused: true},
	}
	for name, way := range ways {
		for _, call := range applicationCalls {
			if name == "cut without length" && call.name == "delete" {
				continue // its status tells everything
			}
			t.Run(name+" "+call.name, func(t *testing.T) {
				t.Parallel()
				f := &fake{users: firstly(1, way.fail)}
				inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
					err := call.do(t.Context(), c)
					again := !way.refused && (way.undone || !call.once)
					if again != (err == nil) {
						t.Errorf("got error %v, want it repeated: %t", err, again)
					}
					if got, want := errors.Is(err, client.ErrOutcomeUnknown), call.once && !way.undone; got != want {
						t.Errorf("got error %v, want an unknown outcome: %t", err, want)
					}
					if _, calls := f.counts(); calls != map[bool]int{true: 2, false: 1}[again] {
						t.Errorf("%d requests, want it repeated: %t", calls, again)
					}
				})
			})
		}
	}
}

// TestNothingSentIsRepeated: where no connection came about, nothing can have been done twice.
func TestNothingSentIsRepeated(t *testing.T) {
	t.Parallel()
	for _, call := range applicationCalls {
		f := &fake{users: answerApplication}
		var dialer net.Dialer
		refused := 0
		c := dial(t, f, func(c *client.Config) {
			c.HTTPClient = &http.Client{Transport: &http.Transport{
				DisableKeepAlives: true,
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					if refused++; refused == 2 || refused == 3 { // 1 is for the token
						address = "127.0.0.1:1"
					}
					return dialer.DialContext(ctx, network, address)
				},
			}}
		})
		if err := call.do(t.Context(), c); err != nil {
			t.Errorf("%s: got error %v", call.name, err)
		}
		if _, calls := f.counts(); calls != 1 || refused < 4 {
			t.Errorf("%s: %d requests on %d connections, want 1 on the fourth", call.name, calls, refused)
		}
	}
}

// TestOutcomeUnknownWhenInterrupted: the caller gave up while the server was at work.
func TestOutcomeUnknownWhenInterrupted(t *testing.T) {
	t.Parallel()
	for _, call := range applicationCalls[:2] {
		f := &fake{users: func(_ http.ResponseWriter, r *http.Request, _ int) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}}
		inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := call.do(ctx, c)
			if !errors.Is(err, client.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got %v, want %v and %v", call.name, err, client.ErrOutcomeUnknown, context.DeadlineExceeded)
			}
		})
	}
}

// TestSecretLost: an answer that holds no secret came after one was made.
func TestSecretLost(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"id":"BRIDGE"}`, `{"client_secret":"rcs_x"}`, `<html>`, `{"id":7}`} {
		f := &fake{users: func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprint(w, body) }}
		for _, call := range applicationCalls[:2] {
			if err := call.do(t.Context(), dial(t, f, nil)); !errors.Is(err, client.ErrOutcomeUnknown) || strings.Contains(fmt.Sprint(err), "rcs_x") {
				t.Errorf("%s, answered %s: got %v, want %v", call.name, body, err, client.ErrOutcomeUnknown)
			}
		}
		for _, call := range applicationCalls[2:6] {
			err := call.do(t.Context(), dial(t, f, nil))
			if errors.Is(err, client.ErrOutcomeUnknown) || body != `{"id":"BRIDGE"}` && !errors.Is(err, client.ErrUnexpected) {
				t.Errorf("%s, answered %s: got %v, want %v", call.name, body, err, client.ErrUnexpected)
			}
		}
	}
}

// TestDeleteTwice: a repetition that finds nothing has deleted it; what was never there is an error.
func TestDeleteTwice(t *testing.T) {
	t.Parallel()
	gone := func(w http.ResponseWriter, _ *http.Request, _ int) {
		writeJSON(w, 404, api.NewStatus(api.CodeNotFound, api.MessageNotFound))
	}
	for name, tt := range map[string]struct {
		first func(http.ResponseWriter, *http.Request, int)
		want  error
		calls int
	}{
		"the answer was lost":    {hangUp(1), nil, 2},
		"a proxy answered":       {status(502), nil, 2},
		"refused before":         {status(429, "Retry-After", "1"), client.ErrNotFound, 2},
		"the token had ended":    {status(401), client.ErrNotFound, 2},
		"never there":            {gone, client.ErrNotFound, 1},
		"a wrong base URL":       {func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(404) }, client.ErrUnknownRoute, 1},
		"another kind of answer": {status(202), client.ErrUnexpected, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{users: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 1 {
					tt.first(w, r, n)
					return
				}
				gone(w, r, n)
			}}
			inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
				err := c.Applications.Delete(t.Context(), "BRIDGE")
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if _, calls := f.counts(); calls != tt.calls {
					t.Errorf("%d requests, want %d", calls, tt.calls)
				}
			})
		})
	}
}

func TestOddOverlapsAndIDs(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerApplication}
	c := dial(t, f, nil)
	for _, overlap := range []time.Duration{-1, -time.Second, time.Millisecond, 1500 * time.Millisecond} {
		if _, err := c.Applications.RotateSecret(t.Context(), "BRIDGE", overlap); !errors.Is(err, client.ErrInvalidArgument) {
			t.Errorf("overlap %s: got %v, want %v", overlap, err, client.ErrInvalidArgument)
		}
	}
	for _, id := range []string{"", ".", ".."} {
		_, rotateErr := c.Applications.RotateSecret(t.Context(), id, 0)
		_, getErr := c.Applications.Get(t.Context(), id)
		for _, err := range []error{rotateErr, getErr, c.Applications.Delete(t.Context(), id)} {
			if !errors.Is(err, client.ErrInvalidArgument) {
				t.Errorf("id %q: got %v, want %v", id, err, client.ErrInvalidArgument)
			}
		}
	}
	if _, calls := f.counts(); calls != 0 {
		t.Errorf("%d requests, want none", calls)
	}
	if err := c.Applications.Delete(t.Context(), "a/b:c d"); err != nil || f.calls[0] != "DELETE /v1/accounts/"+testAccount+"/oauth-clients/a%2Fb:c%20d" {
		t.Errorf("got %q, %v", f.calls, err)
	}
}

// TestCredentialsTellNothing in whatever form they are printed, logged or written as JSON.
func TestCredentialsTellNothing(t *testing.T) {
	t.Parallel()
	c, err := dial(t, &fake{users: answerApplication}, nil).Applications.RotateSecret(t.Context(), "BRIDGE", 0)
	if err != nil || c.Secret.Reveal() != "rcs_new" || c.Application.ID != "BRIDGE" {
		t.Fatalf("got %s of %s, %v; want rcs_new of BRIDGE", c.Secret.Reveal(), c.Application.ID, err)
	}
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&text, verb, c)
		fmt.Fprintf(&text, verb, &c)
	}
	slog.New(slog.NewTextHandler(&text, nil)).Info("made", "credentials", c)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("made", "credentials", c)
	if err := json.NewEncoder(&text).Encode(c); err != nil {
		t.Error(err)
	}
	if strings.Contains(text.String(), "rcs_new") || strings.Contains(text.String(), fmt.Sprintf("%x", "rcs_new")) || !strings.Contains(text.String(), "[redacted]") {
		t.Errorf("told: %s", text.String())
	}
}

func TestApplicationPages(t *testing.T) {
	t.Parallel()
	f := &fake{users: func(w http.ResponseWriter, r *http.Request, _ int) {
		switch r.FormValue("page_token") {
		case "":
			writeJSON(w, 200, api.ListOAuthClientsResponse{Results: []client.Application{anApplication("A"), anApplication("B")}, NextPageToken: "2"})
		case "2":
			writeJSON(w, 200, api.ListOAuthClientsResponse{NextPageToken: "3"})
		default:
			writeJSON(w, 200, api.ListOAuthClientsResponse{Results: []client.Application{anApplication("C")}, NextPageToken: r.FormValue("loop")})
		}
	}}
	c := dial(t, f, nil)
	var got []string
	for a, err := range c.Applications.All(t.Context(), client.ApplicationListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a.ID)
	}
	if diff := cmp.Diff([]string{"A", "B", "C"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	const path = "GET /v1/accounts/" + testAccount + "/oauth-clients?max_page_size=1000"
	if diff := cmp.Diff([]string{path, path + "&page_token=2", path + "&page_token=3"}, f.calls); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
	f.users = func(w http.ResponseWriter, _ *http.Request, _ int) {
		writeJSON(w, 200, api.ListOAuthClientsResponse{NextPageToken: "again"})
	}
	for page, err := range c.Applications.Pages(t.Context(), client.ApplicationListOptions{PageToken: "again"}) {
		if err != nil && (!errors.Is(err, client.ErrPageTokenLoop) || page.PageToken != "again") {
			t.Errorf("got %+v, %v; want %v", page, err, client.ErrPageTokenLoop)
		}
	}
}

// TestManagementIsPacedApart makes calls of each family, which wait for no other's.
func TestManagementIsPacedApart(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerApplication}
	inBubble(t, f, func(c *client.Config) {
		c.Pacing = client.Pacing{PerMinute: 1, ReadsPerMinute: 2, WritesPerMinute: 3}
	}, func(t *testing.T, c *client.Client) {
		took := func(call func() error) time.Duration {
			start := time.Now()
			if err := call(); err != nil {
				t.Error(err)
			}
			return time.Since(start)
		}
		person := get(t.Context(), c)
		read := func() error { _, err := c.Applications.Get(t.Context(), "BRIDGE"); return err }
		write := func() error { return applicationCalls[1].do(t.Context(), c) }
		var got []time.Duration
		for _, call := range []func() error{person, read, read, write, write, write, write, read, person} {
			got = append(got, took(call).Round(time.Second))
		}
		// The write waits a minute, in which the others' windows pass.
		want := []time.Duration{0, 0, 0, 0, 0, 0, time.Minute, 0, 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("waits (-want +got)\n%s", diff)
		}
	})
}
