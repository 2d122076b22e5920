package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// crowd fills an account of its own with n people, every third suspended, and makes w
// work on it.
func (w *world) crowd(n int) {
	w.Account = string(w.AddAccount(directory.Account{}).ID)
	w.app = w.AddApplicationTo(ident.AccountID(w.Account))
	w.token = w.Token(w.app)
	users := make([]directory.User, n)
	for i := range users {
		users[i] = directory.User{
			ID: ident.UserID(fmt.Sprintf("U%04d", i)), Account: ident.AccountID(w.Account),
			CreateTime: day(1).Add(time.Duration(i/4) * time.Second), // four share each moment
		}
		if i%3 == 2 {
			users[i].State = directory.Suspended
		}
	}
	w.AddUsers(users...)
}

// ids are those of the people on a page.
func ids(r testkit.Response) []string {
	list := []string{}
	for _, u := range page(r).Results {
		list = append(list, u.ID)
	}
	return list
}

func TestPageSizes(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		w.crowd(1003)
		for query, want := range map[string]int{
			"": 25, "max_page_size=": 25, "max_page_size=0": 25, "maxPageSize=0": 25, "max_page_size=1": 1,
			"max_page_size=26": 26, "maxPageSize=1001": 1000,
			"max_page_size=2&maxPageSize=2": 2, "max_page_size=&maxPageSize=3": 3, "maxPageSize=4&max_page_size=": 4,
			"max%5Fpage%5Fsize=%35": 5, "max_page_size=007": 7,
		} {
			if got := len(ids(w.Do(w.list(query)))); got != want {
				t.Errorf("%q: got %d people, want %d", query, got, want)
			}
		}
	})
}

func TestBadListParameters(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		for query, name := range map[string]string{
			"max_page_size=-1": "max_page_size", "max_page_size=%2B1": "max_page_size", "max_page_size=1.0": "max_page_size",
			"max_page_size=0x10": "max_page_size", "max_page_size=2147483648": "max_page_size", "max_page_size=1e2": "max_page_size",
			"max_page_size=99999999999999999999": "max_page_size", "max_page_size=%201": "max_page_size", "maxPageSize=x": "max_page_size",
			"max_page_size=1&max_page_size=1": "max_page_size", "maxPageSize=1&maxPageSize=1": "maxPageSize",
			"max_page_size=1&maxPageSize=2": "max_page_size", "max_page_size=%": "max_page_size", "max_page_size=%zz": "max_page_size",
			"filter=ACTIVE": "filter", "filter=user.isactive()": "filter", "filter=user.isActive": "filter",
			"filter=user.isActive()%20OR%20user.isSuspended()": "filter", "filter=user.isActive()&filter=user.isActive()": "filter",
			"filter=%00": "filter", "filter=%f": "filter", "filter=user.isActive%20()": "filter",
			"page_token=x": "page_token", "pageToken=x": "page_token", "page_token=a&pageToken=b": "page_token",
			"page_token=a&page_token=a": "page_token", "page_token=%GG": "page_token", "page_token=" + strings.Repeat("A", 513): "page_token",
		} {
			r := w.Do(w.list(query))
			if s := status(r); r.Status != http.StatusBadRequest || s.Code != 3 || !strings.Contains(s.Message, name) {
				t.Errorf("%q: got %d %s, want 400 naming %s", query, r.Status, r.Body, name)
			}
		}
	})
}

func TestFilters(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		everybody := []string{"ACTIVE", "SUSPENDED", "EXTERNAL", "OWNER"}
		active := []string{"ACTIVE", "EXTERNAL", "OWNER"}
		for query, want := range map[string][]string{
			"":                                    everybody,
			"filter=":                             everybody,
			"filter=%20":                          everybody,
			"filter=user.isActive()":              active,
			"filter=%09user.isActive()%0D%0A":     active,
			"filter=user%2eisActive%28%29":        active,
			"filter=user.isSuspended()":           {"SUSPENDED"},
			"Filter=user.isSuspended()":           everybody,
			"filter=user.isSuspended()&a&=&;&a=1": {"SUSPENDED"},
		} {
			if diff := cmp.Diff(want, ids(w.Do(w.list(query)))); diff != "" {
				t.Errorf("%q (-want +got):\n%s", query, diff)
			}
		}
	})
}

// walk follows page tokens to the end and returns every id, in order.
func (w *world) walk(t *testing.T, query string) (all []string, pages int) {
	t.Helper()
	for {
		r := w.Do(w.list(query))
		if r.Status != http.StatusOK {
			t.Fatalf("%s: got %d %s", query, r.Status, r.Body)
		}
		p := page(r)
		if len(p.Results) == 0 && p.NextPageToken != "" {
			t.Fatalf("an empty page before the last")
		}
		if last := p.NextPageToken == ""; last == strings.Contains(r.Body, "next_page_token") {
			t.Fatalf("the last page has a next_page_token: %s", r.Body)
		}
		all, pages = append(all, ids(r)...), pages+1
		if p.NextPageToken == "" {
			return all, pages
		}
		query = "page_token=" + p.NextPageToken
	}
}

// TestWalks: a walk by page tokens alone gives everybody once, in order, in the filter
// and page size that it began with; there is no empty page at its end.
func TestWalks(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		w.crowd(60)
		everybody, _ := w.walk(t, "max_page_size=1000")
		if len(everybody) != 60 {
			t.Fatalf("got %d people, want 60", len(everybody))
		}
		for query, pages := range map[string]int{
			"max_page_size=60": 1, "max_page_size=59": 2, "max_page_size=20": 3, "max_page_size=7": 9, "": 3,
		} {
			got, n := w.walk(t, query)
			if diff := cmp.Diff(everybody, got); diff != "" || n != pages {
				t.Errorf("%q: got %d pages, want %d; people (-want +got):\n%s", query, n, pages, diff)
			}
		}
		suspended, pages := w.walk(t, "max_page_size=5&filter=user.isSuspended()")
		if len(suspended) != 20 || pages != 4 {
			t.Errorf("suspended: got %d on %d pages, want 20 on 4", len(suspended), pages)
		}
	})
}

func TestPageTokenParameters(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		w.crowd(60)
		plain := w.nextPage("max_page_size=5")
		active := w.nextPage("max_page_size=5&filter=user.isActive()")
		for _, c := range []struct {
			query         string
			status, count int
		}{
			{"page_token=" + plain, 200, 5},
			{"pageToken=" + plain, 200, 5},
			{"page_token=" + plain + "&pageToken=" + plain, 200, 5},
			{"page_token=&pageToken=" + plain, 200, 5},
			{"page_token=" + plain + "&max_page_size=7", 200, 7},
			{"page_token=" + plain + "&max_page_size=0", 200, 5}, // 0 is as good as absent
			{"page_token=" + plain + "&filter=", 200, 5},
			{"page_token=" + plain + "&filter=user.isActive()", 400, 0},
			{"page_token=" + active, 200, 5},
			{"page_token=" + active + "&filter=", 200, 5},
			{"page_token=" + active + "&filter=+user.isActive()", 200, 5},
			{"page_token=" + active + "&filter=user.isSuspended()", 400, 0},
			{"page_token=" + active + "&max_page_size=-1", 400, 0},
		} {
			r := w.Do(w.list(c.query))
			if n := len(ids(r)); r.Status != c.status || n != c.count {
				t.Errorf("%s: got %d with %d people, want %d with %d", c.query, r.Status, n, c.status, c.count)
			}
		}
	})
}

// TestBadPageTokens: whatever is wrong with a page token, it says the same.
func TestBadPageTokens(t *testing.T) {
	t.Parallel()
	options := testkit.Options{TokenLifetime: 24 * time.Hour}
	bothVersions(t, options, func(t *testing.T, w *world) {
		good := w.nextPage("max_page_size=1")
		if len(good) > 512 || url.QueryEscape(good) != good || strings.HasSuffix(good, "=") {
			t.Errorf("page token %q: want at most 512 URL-safe characters without padding", good)
		}
		want := w.Do(w.list("page_token=x"))
		refused := func(name string, r testkit.Response) {
			if r.Status != http.StatusBadRequest || r.Body != want.Body {
				t.Errorf("%s: got %d %s, want %d %s", name, r.Status, r.Body, want.Status, want.Body)
			}
		}
		for i := range len(good) {
			other := "A"
			if good[i] == 'A' {
				other = "Q"
			}
			refused(fmt.Sprintf("character %d changed", i), w.Do(w.list("page_token="+good[:i]+other+good[i+1:])))
		}
		refused("cut", w.Do(w.list("page_token="+good[:len(good)-1])))
		refused("longer", w.Do(w.list("page_token="+good+"A")))
		refused("padded", w.Do(w.list("page_token="+good+"%3D%3D")))
		foreign := w.AddApplicationTo(elsewhere)
		refused("in another account", w.Get(w.Token(foreign), w.users(elsewhere)+"?page_token="+good))
		w.Restart()
		expect(t, w.Do(w.list("page_token="+good)), http.StatusOK)
		w.Clock.Advance(72*time.Hour - time.Second)
		w.token = w.Token(w.app)
		expect(t, w.Do(w.list("page_token="+good)), http.StatusOK)
		w.Clock.Advance(time.Second)
		refused("after three days", w.Do(w.list("page_token="+good)))
	})
}
