package httpapi

import (
	"net/url"
	"strings"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/page"
)

// query is the known parameters of a list request by their first spelling.
type query struct{ filter, size, token string }

// field returns where a parameter is kept; nil for one that is not known.
func (q *query) field(name string, filtered bool) *string {
	switch name {
	case "filter":
		if filtered {
			return &q.filter
		}
	case "max_page_size", "maxPageSize":
		return &q.size
	case "page_token", "pageToken":
		return &q.token
	}
	return nil
}

// readQuery reads the known parameters of a list request and ignores the others; filter is
// known where the list is filtered.
func readQuery(raw string, filtered bool) (query, error) {
	var q query
	seen := map[string]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		field := q.field(name, filtered)
		if err != nil || field == nil {
			continue // not a name of ours, however it is written
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return q, fault.Invalid("%s holds a broken percent escape", name)
		}
		if _, twice := seen[name]; twice {
			return q, fault.Invalid("%s is repeated: it may be sent once", name)
		}
		seen[name] = value
		if value != "" { // or else the other spelling's value stays
			*field = value
		}
	}
	return q, agree(seen)
}

// otherSpelling maps each parameter that clients spell in two ways to the second one.
var otherSpelling = map[string]string{"max_page_size": "maxPageSize", "page_token": "pageToken"}

// agree refuses two spellings of one parameter with different values; one that is
// empty is absent.
func agree(seen map[string]string) error {
	for _, name := range []string{"max_page_size", "page_token"} {
		a, b := seen[name], seen[otherSpelling[name]]
		if a != "" && b != "" && a != b {
			return fault.Invalid("%s and %s are both sent and differ: send one of them", name, otherSpelling[name])
		}
	}
	return nil
}

// listQuery turns parameters into the question directory is asked. What is empty is absent.
func listQuery(raw string) (directory.ListQuery, error) {
	var lq directory.ListQuery
	q, err := readQuery(raw, true)
	if err != nil {
		return lq, err
	}
	if strings.TrimSpace(q.filter) != "" {
		f, err := filter.Parse(q.filter)
		if err != nil {
			return lq, err
		}
		lq.Filter = &f
	}
	lq.Size, err = q.pageSize()
	lq.PageToken = q.token
	return lq, err
}

// pageSize is nil for a size that is absent, or 0, which is as good: a page token's stays.
func (q query) pageSize() (*int32, error) {
	size, err := page.ParseSize(q.size)
	if err != nil || strings.Trim(q.size, "0") == "" {
		return nil, err
	}
	return &size, nil
}
