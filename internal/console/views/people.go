package views

import "time"

// People is the list.
type People struct {
	Frame
	Text                string // searched for
	State, Type, Group  Field
	Filtered            bool
	List                []Person
	Pager               Pager
	Manage, Suspend     bool // what is offered
	Now                 time.Time
	TextError           string
	SuspendAction, Back string
}

// PersonForm is the form that adds or edits a person.
type PersonForm struct {
	Frame
	Back          Link
	Heading, Text string
	Action        string
	Button        string
	Errors        []FieldError
	Refusal       string
	Name, Email   Field
	Type          Field // radio
	Groups        *Field
	OtherGroups   *Field
	Invite        *Field // checkbox
	Cancel        string
}

// FieldError leads from the top of a form to what is wrong in it.
type FieldError struct{ ID, Text string }

// Errs collects what is wrong with fields.
func Errs(fields ...Field) []FieldError {
	var errs []FieldError
	for _, f := range fields {
		if f.Error != "" {
			errs = append(errs, FieldError{f.ID(), f.Error})
		}
	}
	return errs
}

// PersonPage is one person.
type PersonPage struct {
	Frame
	Person    Person
	Self      bool
	Owner     bool
	Now       time.Time
	Buttons   []Act
	Groups    []GroupRow
	AddGroup  *Field // nil where the reader may not
	Errors    []FieldError
	GroupPath string
	Story     []Event // nil where the reader may not see the record
	StoryMore string  // path of the whole record of this person
	Sessions  []Session
	SeeSess   bool
	EndAll    string // path
	Passkeys  int
	LastSeen  time.Time
	Link      *LinkShown
}

// GroupRow is a group somebody is in.
type GroupRow struct {
	Name, Title, Hint string
	Remove            bool // may be removed by the reader
}

// Act is a button of a page: a link to a page that asks, or a form that acts.
type Act struct {
	Label, Href, Class string
	Post               bool
}

// LinkShown is a one-time link, shown once.
type LinkShown struct {
	Title, Text, URL string
	ExpireTime       time.Time
}

// Session is one place somebody is signed in.
type Session struct {
	Device, Address, Method string
	Began, Seen, Ends       time.Time
	Current                 bool
	End                     string // path; empty where the reader may not
}

// Event is an entry of the record in words.
type Event struct {
	At      time.Time
	Tone    string
	Title   string
	Who     string // who did it
	WhoHref string
	Detail  string
}

// LinkPage shows a link that was made, once.
type LinkPage struct {
	Frame
	Back   Link
	Person Person
	Link   LinkShown
	Now    time.Time
	Done   string // path
}

// Outcomes is what came of an act on several people.
type Outcomes struct {
	Frame
	Back          Link
	Done, Refused int
	List          []OutcomeRow
}

// OutcomeRow is what came of it for one of them.
type OutcomeRow struct {
	Person  Person
	Refusal string // empty where it was done
}
