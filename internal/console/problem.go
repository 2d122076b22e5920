package console

import (
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
)

// Reasons of our own.
const (
	reasonMethod = "method_not_allowed"
	reasonOrigin = "cross_origin"
	reasonBody   = "body_too_large"
)

// problemOf says what kinds of failure are on a page.
var problemOf = map[fault.Kind]struct {
	status int
	title  string
}{
	fault.KindInvalid:         {http.StatusBadRequest, "That can't be done like this"},
	fault.KindUnauthenticated: {http.StatusUnauthorized, "You are not signed in"},
	fault.KindForbidden:       {http.StatusForbidden, "You may not do this"},
	fault.KindNotFound:        {http.StatusNotFound, "There is no such page"},
	fault.KindConflict:        {http.StatusConflict, "That collides with something"},
	fault.KindPrecondition:    {http.StatusConflict, "Not as things stand"},
	fault.KindExhausted:       {http.StatusTooManyRequests, "Too much at once"},
	fault.KindUnavailable:     {http.StatusServiceUnavailable, "Not available just now"},
	fault.KindInternal:        {http.StatusInternalServerError, "Something went wrong here"},
}

// problem turns a failure into a page, or for the script into JSON. What is not a fault is
// a defect, of which the reader learns only the request id.
func (c *Console) problem(v *visit, err error) reply {
	f := fault.As(err)
	if f == nil {
		f = &fault.Fault{Kind: fault.KindInternal}
	}
	p := problemOf[f.Kind]
	text := sentence(words(f.Message, "this person"))
	rep := reply{status: p.status}
	switch {
	case f.Reason == reasonMethod:
		rep.status, rep.allow = http.StatusMethodNotAllowed, v.allow
	case f.Reason == reasonBody:
		rep.status = http.StatusRequestEntityTooLarge
	case f.Kind == fault.KindInternal:
		text = "It is not your doing, and it has been noted. Nothing more is known here than the request's id."
	case f.Kind == fault.KindNotFound && (f.Message == directory.NotFoundMessage || text == ""):
		text = "What you look for is not here, or not any more."
	case f.Kind == fault.KindExhausted || f.Kind == fault.KindUnavailable:
		rep.retryAfter = int(max(1, math.Ceil(float64(f.RetryAfter)/float64(time.Second))))
	}
	if isJSON(v.request) {
		rep.value = struct {
			Message   string `json:"message"`
			RequestID string `json:"request_id"`
		}{text, string(v.from.RequestID)}
		return rep
	}
	page := views.Problem{Status: rep.status, Title: p.title, Text: text, RequestID: string(v.from.RequestID)}
	if v.known {
		page.Back = views.Link{Label: "Back to the console", Href: Root}
		rep.page = views.ProblemInFrame(c.frame(v, p.title, ""), page)
	} else {
		page.Back = views.Link{Label: "To sign-in", Href: Root + "/sign-in"}
		rep.page = views.ProblemAtDoor(c.door(v, p.title), page)
	}
	return rep
}

// words are what a refusal's reason says to people (contract section 4).
func words(message, who string) string {
	switch message {
	case directory.NoOwnerRemains:
		return capital(who) + " is the last active owner of this account, and an account needs one. Make somebody else an owner first, then try again."
	case directory.IsExternallyManaged:
		return capital(who) + " is externally managed: administered from outside this account, and so never suspended or removed here."
	case directory.AutomatedProvisioner:
		return "The people of this account are managed by automated provisioning, and its policy refuses such changes here. Make the change in the directory that provisions them, or change the policy on the Account page."
	case access.Denied:
		return "Your role does not allow this. Owners and administrators manage people, the security group manages integrations, and only owners manage owners. Ask one of them."
	case directory.NotFoundMessage:
		return "There is nobody like that here, or not any more."
	}
	return message
}

// sentence begins with a capital and ends with a stop.
func sentence(s string) string {
	s = capital(s)
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// refused tells whether an error is a refusal that belongs on the page where it was
// asked for, and says it in words about who.
func refused(err error, who string) (string, bool) {
	switch fault.KindOf(err) {
	case fault.KindInvalid, fault.KindForbidden, fault.KindConflict, fault.KindPrecondition:
		return sentence(words(fault.As(err).Message, who)), true
	}
	return "", false
}
