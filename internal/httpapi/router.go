package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/internal/ident"
)

// router finds the operation of a request. It is ours because net/http's can't have
// a verb behind a parameter, redirects paths that it finds untidy, and answers in
// plain text. There are two dozen rows: a look at each is as fast as a tree.
type router struct{ routes []route }

type route struct {
	segments []string // a parameter is "{account_id}", "{user_id}" or "{client_id}"
	verb     string
	op       *Operation
}

// match is what a path was found to be.
type match struct {
	op      *Operation // nil if no operation has this method
	allow   []string   // methods the path has; empty = unknown route
	account ident.AccountID
	user    ident.UserID
	client  ident.ClientID // of the path
}

// target is what the operation is about, as the record names it; empty for a list.
func (m *match) target() string {
	if m.client != "" {
		return string(m.client)
	}
	return string(m.user)
}

const (
	accountParam = "{account_id}"
	userParam    = "{user_id}"
	clientParam  = "{client_id}"
)

func newRouter(ops []Operation) *router {
	r := &router{}
	for i := range ops {
		segments := strings.Split(strings.TrimPrefix(ops[i].Path, "/"), "/")
		last := &segments[len(segments)-1]
		var verb string
		*last, verb, _ = ident.CutVerb(*last)
		r.routes = append(r.routes, route{segments, verb, &ops[i]})
	}
	return r
}

// find matches the escaped path. The last segment is cut at its last colon, after
// decoding: what follows is a verb, and an unknown verb is an unknown route.
func (r *router) find(method, escapedPath string) (m match) {
	var buffer [8]string
	segments, ok := ident.SplitPath(buffer[:0], escapedPath)
	if !ok || len(segments) == 0 {
		return m
	}
	last := len(segments) - 1
	name, verb, hasVerb := ident.CutVerb(segments[last])
	segments[last] = name
	for i := range r.routes {
		if rt := &r.routes[i]; rt.verb == verb && hasVerb == (rt.verb != "") && m.fits(rt, segments) {
			m.add(rt.op, method)
		}
	}
	return m
}

// fits tells whether the segments are the route's, and keeps the parameters.
func (m *match) fits(rt *route, segments []string) bool {
	if len(segments) != len(rt.segments) {
		return false
	}
	for i, want := range rt.segments {
		switch {
		case want == accountParam && segments[i] != "":
			m.account = ident.AccountID(segments[i])
		case want == userParam && segments[i] != "":
			m.user = ident.UserID(segments[i])
		case want == clientParam && segments[i] != "":
			m.client = ident.ClientID(segments[i])
		case want != segments[i]:
			return false
		}
	}
	return true
}

func (m *match) add(op *Operation, method string) {
	if method == op.Method || (method == http.MethodHead && op.Method == http.MethodGet) {
		m.op = op
	}
	if op.Method == http.MethodGet {
		m.allow = append(m.allow, http.MethodGet, http.MethodHead)
	} else {
		m.allow = append(m.allow, op.Method)
	}
	slices.Sort(m.allow)
}
