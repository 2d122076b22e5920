// Package views owns how the console looks: its pages as templ components, and the plain
// values they are made of.
//
// It leaves to console what a page shows and who may see it: a value that is absent is
// not drawn, and a button that is drawn is no promise. What must always hold: nothing
// here reads a clock, a database or a request; every text from outside is escaped by
// templ; no page holds inline script or style, so that the policy can forbid both.
package views

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Frame is what surrounds a page of somebody who is signed in.
type Frame struct {
	Title   string // of the page, and its heading in the browser's tab
	Theme   string // "light", "dark", or "" for the system's
	Account string // its name
	Me      Person
	Nav     []Link
	Narrow  bool
	Notice  *Notice
	Here    string // the path of the page, to come back to after a choice of theme
	// Wrong tells that the page is a form that came back.
	Wrong bool
}

// Door is what surrounds a page of somebody who is not signed in.
type Door struct {
	Title string
	Theme string
	Wrong bool
}

// Link is a place to go.
type Link struct {
	Label, Href, Icon string
	Current           bool
}

// Notice is a sentence or two above a page.
type Notice struct {
	Tone  string // "good", "bad", "warn" or "" for calm
	Title string
	Text  string
}

// Person is somebody as they are shown in a list.
type Person struct {
	ID, Name, Email string
	State           Badge
	Type            string // empty for a member
	Groups          []string
	CreateTime      time.Time
	Href            string
}

// Initials of a name, at most two.
func (p Person) Initials() string { return initials(p.Name) }

func initials(name string) string {
	var first []rune
	for word := range strings.FieldsSeq(name) {
		if r, _ := utf8.DecodeRuneInString(word); unicode.IsLetter(r) || unicode.IsDigit(r) {
			first = append(first, unicode.ToUpper(r))
		}
	}
	switch len(first) {
	case 0:
		return "?"
	case 1:
		return string(first)
	}
	return string([]rune{first[0], first[len(first)-1]})
}

// Badge is a state in a word and a colour.
type Badge struct{ Text, Tone string }

// Field is one input of a form.
type Field struct {
	Name, Label, Value string
	Type               string // of the input; "" = text
	Hint, Error        string
	Autocomplete       string
	Placeholder        string
	Max                int // characters; 0 = no limit told to the browser
	Optional           bool
	NoMark             bool // that it is optional goes without saying
	First              bool // has the focus when the page is opened
	Options            []Option
	Confirm            string // what must be typed, for the script
	List               string // id of the list of what others have typed; "" for none
}

// ID is the element's id.
func (f Field) ID() string { return "f-" + f.Name }

// Describes names the elements that tell more of the field; "" if there are none.
func (f Field) Describes() string {
	var ids []string
	if f.Error != "" {
		ids = append(ids, f.ID()+"-error")
	}
	if f.Hint != "" {
		ids = append(ids, f.ID()+"-hint")
	}
	return strings.Join(ids, " ")
}

// Option is one choice.
type Option struct {
	Value, Label, Hint string
	Chosen, Disabled   bool
}

// Problem is a page that says why there is no other.
type Problem struct {
	Status    int
	Title     string
	Text      string
	RequestID string
	Back      Link // empty for none
	RetryIn   int  // seconds; 0 = not told
}

// Confirm asks before something grave is done.
type Confirm struct {
	Title    string
	Text     string
	Points   []string // what will happen
	Action   string   // path the form is posted to
	Button   string
	Grave    bool
	Typed    *Field // what has to be typed, if anything has
	Cancel   string // path
	Hidden   []Hidden
	Back     Link
	Refusal  string
	Names    []Person // whom it is about, for more than one
	NamesEnd string   // what stands below the names
}

// Hidden is a value that goes with a form unseen.
type Hidden struct{ Name, Value string }

// Pager leads to what comes next.
type Pager struct {
	Text        string
	First, Next string // paths; empty where there is none
}

// plural says a count with its noun: "1 person", "2,310 people".
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Thousands(n) + " " + many
}

// Thousands writes a number with its thousands apart.
func Thousands(n int64) string {
	s := fmt.Sprint(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// iso is a time for machines.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// utc is a time in words, as it stands until the script has told it in the reader's zone.
func utc(t time.Time, as string) string {
	switch as {
	case "day":
		return t.UTC().Format("2 Jan 2006")
	case "second":
		return t.UTC().Format("2 Jan 2006, 15:04:05") + " UTC"
	}
	return t.UTC().Format("2 Jan 2006, 15:04") + " UTC"
}

// Ago says roughly how long before now a time was.
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return plural(int64(d/time.Minute), "minute", "minutes") + " ago"
	case d < 48*time.Hour:
		return plural(int64(d/time.Hour), "hour", "hours") + " ago"
	}
	return plural(int64(d/(24*time.Hour)), "day", "days") + " ago"
}

// In says roughly how long after now a time is.
func In(t, now time.Time) string {
	d := t.Sub(now)
	switch {
	case d <= 0:
		return "over"
	case d < 2*time.Minute:
		return "in a minute"
	case d < 2*time.Hour:
		return "in " + plural(int64(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return "in " + plural(int64(d/time.Hour), "hour", "hours")
	}
	return "in " + plural(int64(d/(24*time.Hour)), "day", "days")
}
