package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// Finding people. Every condition of a query names a set of people; the smallest one that
// an index gives, a word's or the group's, is read as a whole if it is small, and sorted. If
// none is, many people fit each condition, and walking along all in the order of creation
// soon meets enough of them; how far one page walks is bounded all the same.
const (
	smallSet   = 2000
	walkAtMost = 2000
	walkStep   = 500
)

// met is a person with whether they are in the group that is asked for.
type met struct {
	directory.User
	member bool
}

func (m met) compare(p page.Position) int {
	return cmp.Or(m.CreateTime.Compare(p.CreateTime), cmp.Compare(m.ID, p.ID))
}

func (m met) position() page.Position { return page.Position{CreateTime: m.CreateTime, ID: m.ID} }

func byPosition(a, b met) int { return a.compare(b.position()) }

// People implements directory.Store.
func (s *Store) People(ctx context.Context, account ident.AccountID, q directory.PeopleQuery) (directory.PeoplePage, error) {
	f := finder{Store: s, account: account, q: q, fits: q.Fits()}
	set, err := f.smallest(ctx)
	if err == nil && set != nil {
		err = f.sift(ctx, set)
	} else if err == nil {
		err = f.walk(ctx)
	}
	if err != nil {
		return directory.PeoplePage{}, classify("find people", err)
	}
	return f.page(ctx)
}

// finder is the search for one page.
type finder struct {
	*Store
	account ident.AccountID
	q       directory.PeopleQuery
	fits    func(directory.User, bool) bool

	found []met
	next  page.Position // where a walk that was long enough has ended
}

func (f *finder) full() bool { return len(f.found) > f.q.Limit }

// take keeps those that fit, behind q.After, up to one more than the page holds.
func (f *finder) take(people []met) {
	for _, m := range people {
		behind := f.q.After.ID == "" || m.compare(f.q.After) > 0
		if behind && f.fits(m.User, m.member) && !f.full() {
			f.found = append(f.found, m)
		}
	}
}

// page is what was found, with groups.
func (f *finder) page(ctx context.Context) (directory.PeoplePage, error) {
	p := directory.PeoplePage{Next: f.next, People: make([]directory.User, 0, len(f.found))}
	if f.full() {
		f.found = f.found[:f.q.Limit]
		p.Next = f.found[f.q.Limit-1].position()
	}
	for _, m := range f.found {
		u, err := ask(f.Store, "read groups", func() (directory.User, error) { return f.withGroups(ctx, f.reads, m.User) })
		if err != nil {
			return p, err
		}
		p.People = append(p.People, u)
	}
	return p, nil
}

// reader reads a whole set.
type reader func(context.Context) ([]met, error)

// smallest returns the smallest set of the query's conditions, if it is small.
func (f *finder) smallest(ctx context.Context) (reader, error) {
	var best reader
	size := int64(smallSet) + 1
	consider := func(n int64, err error, r reader) error {
		if err == nil && n < size {
			size, best = n, r
		}
		return err
	}
	if f.q.Group != "" {
		n, err := ask(f.Store, "find people", func() (int64, error) {
			return f.reads.CountMembers(bounded(ctx), string(f.account), f.q.Group, smallSet+1)
		})
		if err := consider(n, err, f.byGroup); err != nil {
			return nil, err
		}
	}
	for _, word := range f.q.Words() {
		from, to := wordRange(word)
		n, err := ask(f.Store, "find people", func() (int64, error) {
			return f.reads.CountWords(bounded(ctx), sqlgen.CountWordsParams{
				AccountID: string(f.account), Word: from, Behind: to, Most: smallSet + 1,
			})
		})
		if err := consider(n, err, func(ctx context.Context) ([]met, error) { return f.byWord(ctx, from, to) }); err != nil {
			return nil, err
		}
	}
	return best, nil
}

// wordRange holds the words that begin with this one: no byte of UTF-8 is 0xFF.
func wordRange(word string) (from, to []byte) { return []byte(word), append([]byte(word), 0xff) }

func (f *finder) byGroup(ctx context.Context) ([]met, error) {
	return f.unpacked(f.reads.UsersByGroup(bounded(ctx), sqlgen.UsersByGroupParams{
		FieldSeparator: fieldSeparator, RowSeparator: rowSeparator, AccountID: string(f.account), GroupName: f.q.Group, Most: smallSet + 1,
	}))
}

func (f *finder) byWord(ctx context.Context, from, to []byte) ([]met, error) {
	return f.unpacked(f.reads.UsersByWord(bounded(ctx), sqlgen.UsersByWordParams{
		FieldSeparator: fieldSeparator, RowSeparator: rowSeparator, GroupName: f.q.Group, AccountID: string(f.account),
		Word: from, Behind: to, Most: smallSet + 1,
	}))
}

// metFields are id, email, display_name, state, type, create_time, and whether they are a member.
const metFields = 7

// unpacked reads people out of the one text that the database hands over (see page.go).
func (f *finder) unpacked(packed string, err error) ([]met, error) {
	if err != nil || packed == "" {
		return nil, err
	}
	people := make([]met, 0, strings.Count(packed, rowSeparator)+1)
	for row := range strings.SplitSeq(packed, rowSeparator) {
		var field [metFields]string
		if !fieldsOf(row, field[:]) {
			return nil, fmt.Errorf("somebody who was found can't be read: they do not have %d fields", metFields)
		}
		created, err := strconv.ParseInt(field[5], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("somebody who was found can't be read: %w", err)
		}
		people = append(people, met{directory.User{
			ID: ident.UserID(field[0]), Account: f.account, Email: ident.Email(field[1]), DisplayName: field[2],
			State: directory.State(field[3]), Type: directory.Type(field[4]), CreateTime: fromMicros(created),
		}, field[6] != "0"})
	}
	return people, nil
}

// sift takes from a whole set.
func (f *finder) sift(ctx context.Context, read reader) error {
	set, err := ask(f.Store, "find people", func() ([]met, error) { return read(ctx) })
	if err != nil {
		return err
	}
	slices.SortFunc(set, byPosition)
	f.take(slices.CompactFunc(set, func(a, b met) bool { return a.ID == b.ID }))
	return nil
}

// walk takes along the order of creation until the page is full or it was far enough. Each
// state has its own order in the index: they are merged.
func (f *finder) walk(ctx context.Context) error {
	states := directory.States()
	if f.q.State != "" {
		states = []directory.State{f.q.State}
	}
	lines := make([]*line, len(states))
	for i, state := range states {
		lines[i] = &line{state: state, at: f.q.After, step: f.q.Limit + 1}
	}
	for examined := 0; !f.full(); examined++ {
		next, err := f.first(ctx, lines)
		if err != nil || next == nil {
			return err
		}
		if examined == walkAtMost {
			return nil // f.next is behind the last that was looked at
		}
		f.next = next.at
		f.take(next.people[:1])
		next.people = next.people[1:]
	}
	return nil
}

// line is the people of one state, as far as they are read.
type line struct {
	state  directory.State
	people []met         // read and not looked at yet
	at     page.Position // of the first of them, or behind whom to read on
	step   int           // how many to read next; 0 = there are no more
}

// first returns the line whose first person comes first; nil, and no place to go on from, if
// there is nobody left.
func (f *finder) first(ctx context.Context, lines []*line) (*line, error) {
	var first *line
	for _, l := range lines {
		if len(l.people) == 0 && l.step > 0 {
			if err := f.read(ctx, l); err != nil {
				return nil, err
			}
		}
		if len(l.people) == 0 {
			continue
		}
		l.at = l.people[0].position()
		if first == nil || byPosition(l.people[0], first.people[0]) < 0 {
			first = l
		}
	}
	if first == nil {
		f.next = page.Position{}
	}
	return first, nil
}

func (f *finder) read(ctx context.Context, l *line) error {
	after := int64(start)
	if l.at.ID != "" {
		after = l.at.CreateTime.UnixMicro()
	}
	people, err := ask(f.Store, "find people", func() ([]met, error) {
		return f.unpacked(f.reads.WalkState(bounded(ctx), sqlgen.WalkStateParams{
			FieldSeparator: fieldSeparator, RowSeparator: rowSeparator, GroupName: f.q.Group, AccountID: string(f.account), State: string(l.state),
			AfterTime: after, AfterID: string(l.at.ID), Most: int64(l.step),
		}))
	})
	l.people = append(l.people, people...)
	if len(people) < l.step {
		l.step = 0
	} else {
		l.step = walkStep
	}
	return err
}
