package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// bare is an API without anything behind it: enough for whoever sends no credentials.
func bare(logs io.Writer) *API {
	a, err := New(Config{
		Usage: &usage.Meter{}, Logger: slog.New(slog.NewJSONHandler(logs, nil)), Registry: prometheus.NewRegistry(),
		Now: func() time.Time { return time.Unix(0, 0) }, Rand: strings.NewReader(strings.Repeat("r", 1<<20)),
	})
	if err != nil {
		panic(err) // only a door can fail, and there is none
	}
	return a
}

// TestPanic: a defect is told to the client by nothing but the request id, and to the
// operator with all there is.
func TestPanic(t *testing.T) {
	t.Parallel()
	var logs strings.Builder
	a := bare(&logs)
	op := Operation{ID: "panics", Method: http.MethodGet, Path: "/panics"}
	op.handle = func(*API, context.Context, *call) (reply, error) { panic("the cause") }
	fine := Operation{ID: "fine", Method: http.MethodGet, Path: "/fine"}
	fine.handle = func(*API, context.Context, *call) (reply, error) { return answer("fine"), nil }
	broken := Operation{ID: "broken", Method: http.MethodGet, Path: "/broken"}
	broken.handle = func(*API, context.Context, *call) (reply, error) { return answer(func() {}), nil }
	a.router = newRouter([]Operation{op, fine, broken})
	for _, path := range []string{"/panics", "/broken"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("X-Request-Id", "the-id")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		want := `{"code":13,"message":"internal error (request id the-id)","details":[]}`
		if w.Code != http.StatusInternalServerError || w.Body.String() != want {
			t.Errorf("%s: got %d %s, want 500 %s", path, w.Code, w.Body, want)
		}
	}
	if text := logs.String(); !strings.Contains(text, "the cause") || !strings.Contains(text, "internal_test.go") {
		t.Errorf("the log lacks the cause or the place: %s", text)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/fine", nil))
	if w.Code != http.StatusOK {
		t.Errorf("after it: got %d %s", w.Code, w.Body)
	}
	var counted dto.Metric
	if err := a.metrics.requests.WithLabelValues("panics", "500").Write(&counted); err != nil || counted.GetCounter().GetValue() != 1 {
		t.Errorf("counted defects: got %v, %v, want 1", &counted, err)
	}
}

// TestRequestsEnd: whatever a handler waits for, it knows until when.
func TestRequestsEnd(t *testing.T) {
	t.Parallel()
	a := bare(io.Discard)
	op := Operation{ID: "waits", Method: http.MethodGet, Path: "/waits"}
	op.handle = func(_ *API, ctx context.Context, _ *call) (reply, error) {
		_, bounded := admit.Until(ctx)
		return answer(bounded), nil
	}
	a.router = newRouter([]Operation{op})
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/waits", nil))
	if got := w.Body.String(); got != "true" {
		t.Errorf("a handler is bounded: got %s, want true", got)
	}
}

// TestEveryKindHasAStatus: a kind without a row would be answered with status 0.
func TestEveryKindHasAStatus(t *testing.T) {
	t.Parallel()
	for kind := fault.KindInternal; kind <= fault.KindUnavailable; kind++ {
		p, ok := problems[kind]
		if !ok || p.status < 400 || p.code == 0 || p.oauth == "" {
			t.Errorf("kind %s: got %+v, want a status and both codes", kind, p)
		}
	}
	if next := fault.KindUnavailable + 1; next.String() != fault.KindInternal.String() {
		t.Errorf("kind %s is new: give it a row", next)
	}
}

// TestRetryAfter: whole seconds, never less than the wait, at least 1.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		0: "1", time.Nanosecond: "1", time.Second: "1", time.Second + time.Nanosecond: "2", 30 * time.Second: "30", time.Hour: "3600",
	} {
		if got := retryAfter(fault.Exhausted(wait, "x")); got != want {
			t.Errorf("%s: got %s, want %s", wait, got, want)
		}
	}
	if got := retryAfter(fault.NotFound("x")); got != "" {
		t.Errorf("not found: got %s, want none", got)
	}
}

// TestRouterRoundTrip: whatever ids are, escaped into a path they come out as they were.
func TestRouterRoundTrip(t *testing.T) {
	t.Parallel()
	r := newRouter(Operations())
	ops := Operations()
	rapid.Check(t, func(rt *rapid.T) {
		op := rapid.SampledFrom(ops).Draw(rt, "operation")
		want := match{op: nil, account: ident.AccountID(rapid.StringN(1, 20, 60).Draw(rt, "account")), user: ident.UserID(rapid.StringN(1, 20, 60).Draw(rt, "user"))}
		if strings.Contains(string(want.user), ":") && !strings.Contains(op.Path, ":") {
			want.user = "U" // behind its last colon a verb would be read
		}
		path := strings.NewReplacer(accountParam, url.PathEscape(string(want.account)), userParam, url.PathEscape(string(want.user))).Replace(op.Path)
		got := r.find(op.Method, path)
		if got.op == nil || got.op.ID != op.ID {
			rt.Fatalf("%s: found %+v, want %s", path, got.op, op.ID)
		}
		if strings.Contains(op.Path, accountParam) && got.account != want.account {
			rt.Errorf("%s: account %q, want %q", path, got.account, want.account)
		}
		if strings.Contains(op.Path, userParam) && got.user != want.user {
			rt.Errorf("%s: user %q, want %q", path, got.user, want.user)
		}
	})
}

// TestProblemWords: the words that clients match on are the contract's in each room.
func TestProblemWords(t *testing.T) {
	t.Parallel()
	got := []string{errUnknownRoute.Message, errWrongMethod.Message}
	if diff := cmp.Diff([]string{api.MessageRouteNotFound, api.MessageMethodNotAllowed}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c := &call{}
	c.caller.RequestID = "r"
	for _, err := range []error{fault.Forbidden("x"), io.ErrUnexpectedEOF, fault.Conflict("x")} {
		body, encodeErr := (&reply{value: problemReply(c, err).value}).encode(nil)
		if encodeErr != nil || !json.Valid(body) {
			t.Errorf("%v: got %s, %v", err, body, encodeErr)
		}
	}
}
