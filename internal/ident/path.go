package ident

import (
	"net/url"
	"strings"
)

// MaxSegments is the most segments a request path may have; the longest route has six.
const MaxSegments = 16

// AppendUserPath appends a user's resource path (contract section 3): no leading slash, no version.
func AppendUserPath(b []byte, account AccountID, user UserID) []byte {
	return append(append(append(append(b, "accounts/"...), account...), "/users/"...), user...)
}

// ClientPath is an OAuth application's resource path, in the same form.
func ClientPath(account AccountID, client ClientID) string {
	return "accounts/" + string(account) + "/oauth-clients/" + string(client)
}

// CutVerb cuts the last segment of a path, already decoded, at its last colon: "a:b:suspend" is the name "a:b" and
// the verb "suspend". Without a colon the whole segment is the name and found is false.
func CutVerb(segment string) (name, verb string, found bool) {
	at := strings.LastIndexByte(segment, ':')
	if at < 0 {
		return segment, "", false
	}
	return segment[:at], segment[at+1:], true
}

// SplitPath appends to dst the segments of an escaped URL path, each percent-decoded after the split so that an
// escaped slash stays inside its segment. Nothing is cleaned: "//" and a trailing slash give empty segments, "." and
// ".." stay. It is false, with dst as it came, for a path without a leading slash, with a broken escape, or with more
// than MaxSegments segments. It allocates only for growing dst and for segments that hold an escape.
func SplitPath(dst []string, escaped string) ([]string, bool) {
	rest, ok := strings.CutPrefix(escaped, "/")
	if !ok || strings.Count(rest, "/") >= MaxSegments {
		return dst, false
	}
	segments := dst
	for more := true; more; {
		var raw string
		raw, rest, more = strings.Cut(rest, "/")
		segment, err := url.PathUnescape(raw)
		if err != nil {
			return dst, false
		}
		segments = append(segments, segment)
	}
	return segments, true
}
