package node

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/httpapi"
)

func TestAdmissionDefaults(t *testing.T) {
	t.Parallel()
	none, waiting := 0, waitingForEach*runtime.GOMAXPROCS(0)
	for name, c := range map[string]struct {
		url   string
		given Admission
		want  httpapi.Admission
	}{
		"on a server": {"postgres://x", Admission{}, httpapi.Admission{
			Reads:    admit.Limits{Places: 7 + readsForEach*runtime.GOMAXPROCS(0), Waiting: waiting, Fresh: freshFor},
			Writes:   admit.Limits{Places: writesAtOnceOnServer, Waiting: waiting, Fresh: freshFor},
			Patience: time.Second, LimitedPace: limitedPace}},
		"given": {"", Admission{Reads: 3, Writes: 5, Waiting: &none, Patience: 10 * time.Millisecond}, httpapi.Admission{
			Reads:    admit.Limits{Places: 3, Fresh: 5 * time.Millisecond},
			Writes:   admit.Limits{Places: 5, Fresh: 5 * time.Millisecond},
			Patience: 10 * time.Millisecond, LimitedPace: limitedPace}},
	} {
		if diff := cmp.Diff(c.want, (&Core{database: c.url, connections: 7}).admission(c.given)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := (&Core{}).admission(Admission{}).Reads.Places; got < readsForEach {
		t.Errorf("in a folder: %d reads at once, want %d for each processor", got, readsForEach)
	}
}

// TestConsoleRequestsEnd: what a page waits for is bounded, too.
func TestConsoleRequestsEnd(t *testing.T) {
	t.Parallel()
	bounded := false
	pages := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, bounded = admit.Until(r.Context()) })
	withConsole(pages, http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/console/", nil))
	if !bounded {
		t.Error("a page may wait for ever")
	}
}
