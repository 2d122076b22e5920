package roster

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// kind is what sort of value a node is.
type kind string

// The kinds, by the words that tell people of them.
const (
	nothing kind = "empty"
	text    kind = "text"
	number  kind = "a number"
	truth   kind = "true or false"
	moment  kind = "a time"
	list    kind = "a list"
	object  kind = "a set of fields"
)

// node is a value of a file and where it stands, whatever the format.
type node struct {
	kind   kind
	line   int
	text   string // of scalars, as written
	items  []node // of a list
	fields []field
}

// field is a named value of an object.
type field struct {
	name  string
	line  int
	value node
}

// get returns the field's value, or the object itself where there is none.
func (n node) get(name string) node {
	for _, f := range n.fields {
		if f.name == name {
			return f.value
		}
	}
	return n
}

// want refuses a value of another kind.
func (n node) want(k kind) error {
	switch {
	case n.kind == k:
		return nil
	case n.kind == nothing:
		return fault.Invalid("is empty: give %s, or leave the field out", k)
	case k == text && n.kind != list && n.kind != object:
		return fault.Invalid("must be text, not %s: put it in quotes", n.kind)
	}
	return fault.Invalid("must be %s, not %s", k, n.kind)
}

// into reads text.
func (n node) into(s *string) error {
	if err := n.want(text); err != nil {
		return err
	}
	*s = n.text
	return nil
}

// given reads text that would be made if it were left out.
func (n node) given(s *string) error {
	if n.kind == text && n.text == "" {
		return fault.Invalid("is empty: leave it out to have one made")
	}
	return n.into(s)
}

// texts reads a list of text.
func (n node) texts() ([]string, error) {
	if err := n.want(list); err != nil {
		return nil, err
	}
	all := make([]string, len(n.items))
	for i, item := range n.items {
		if err := item.into(&all[i]); err != nil {
			return nil, fault.Invalid("item %d %v", i+1, err)
		}
	}
	return all, nil
}

// time reads a time of RFC 3339, which YAML knows as a kind of its own.
func (n node) time() (time.Time, error) {
	t, err := time.Parse(time.RFC3339, n.text)
	if n.kind != text && n.kind != moment || err != nil {
		return t, fault.Invalid("must be a time such as 2024-01-15T10:30:00Z (RFC 3339)")
	}
	// The zero time would be taken for none, and replaced.
	if t.IsZero() {
		return t, fault.Invalid("is out of range: 1970 to 9999")
	}
	return t, nil
}

// whole reads a whole number between 0 and most.
func (n node) whole(most int) (int, error) {
	i, err := strconv.Atoi(n.text)
	if n.kind != number || err != nil || i < 0 || i > most {
		return 0, fault.Invalid("must be a whole number from 0 to %d", most)
	}
	return i, nil
}

// fraction reads a number from 0 to 1.
func (n node) fraction() (float64, error) {
	f, err := strconv.ParseFloat(n.text, 64)
	if n.kind != number || err != nil || !(f >= 0 && f <= 1) { // NaN is neither
		return 0, fault.Invalid("must be a number from 0 to 1")
	}
	return f, nil
}

// unknown says that a name is not known, and which one may have been meant.
func unknown(what, name string, known []string) error {
	slices.Sort(known)
	best, distance := "", max(2, len(name)/3)+1
	if len(name) <= 2*64 { // longer ones are no slips of the keyboard
		for _, k := range known {
			if d := edits(strings.ToLower(name), k); d < distance {
				best, distance = k, d
			}
		}
	}
	if best != "" {
		return fault.Invalid("%s %q is not known: did you mean %q?", what, cut(name), best)
	}
	return fault.Invalid("%s %q is not known: use %s", what, cut(name), strings.Join(known, ", "))
}

// cut shortens text that is repeated in a message.
func cut(s string) string {
	if r := []rune(s); len(r) > 64 {
		return string(r[:64]) + "..."
	}
	return s
}

// edits counts the insertions, deletions and replacements of bytes that make b of a (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
