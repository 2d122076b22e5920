package client_test

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"testing"

	"github.com/rollcall-id/rollcall/client"
)

const (
	millionPages = 1000
	pageOf       = 1000
	heapBound    = 30 << 20
)

// bigPage is a page of 1000 people as a server would send it, with a # for the
// number of the page in the id of each.
func bigPage() []byte {
	var b bytes.Buffer
	for i := range pageOf {
		fmt.Fprintf(&b, `,{"id":"U%03d-#","email":"u@example.com","display_name":"Some One","state":"ACTIVE","create_time":"2024-01-15T10:30:00Z","path":"accounts/A/users/U"}`, i)
	}
	return b.Bytes()[1:]
}

// TestMillion walks a million people. It is not parallel: it measures the heap of
// the whole process, which the other tests share.
func TestMillion(t *testing.T) { //nolint:paralleltest // see above
	requests, people := 0, bigPage()
	f := &fake{users: func(w http.ResponseWriter, r *http.Request, _ int) {
		requests++
		page, _ := strconv.Atoi(r.FormValue("page_token"))
		next := ""
		if page+1 < millionPages {
			next = strconv.Itoa(page + 1)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"results":[%s],"next_page_token":"%s"}`, bytes.ReplaceAll(people, []byte("#"), []byte(strconv.Itoa(page))), next)
	}}
	c := dial(t, f, nil)
	walked := 0
	for u, err := range c.Users.All(t.Context(), client.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if want := number(walked%pageOf) + "-" + strconv.Itoa(walked/pageOf); u.ID != want {
			t.Fatalf("person %d is %s, want %s", walked, u.ID, want)
		}
		if walked++; walked%100_000 == pageOf/2 { // in the middle of a page
			if heap := heapInUse(); heap > heapBound {
				t.Errorf("after %d people: %d MiB of heap in use, at most %d", walked, heap>>20, heapBound>>20)
			}
		}
	}
	if walked != millionPages*pageOf || requests != millionPages {
		t.Errorf("%d people in %d requests, want 1000000 in %d", walked, requests, millionPages)
	}
}

func number(i int) string { return "U" + strconv.Itoa(1000 + i)[1:] }

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
