package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/client"
)

const denied = `403 {"code":7,"message":"permission_denied"}`

func TestFind(t *testing.T) {
	t.Parallel()
	f := &fake{
		pages: [][]client.User{
			{someone("A", "a@x", client.StateActive), someone("TWIN1", "twin@x", client.StateActive), someone("TWIN2", "Twin@X", client.StateActive)},
			{someone("B", "b@x", client.StateActive)},
			{someone("C", "c@x", client.StateActive)},
		},
		answer: map[string]string{"GET /Z": userJSON("Z", "z@x", client.StateSuspended)},
	}
	e, _ := testEnv(t)
	people, err := f.session(t, e).find(t.Context(), []name{
		{email: "B@x"}, {id: "A"}, {email: "twin@x"}, {id: "Z"}, {id: "A", email: "b@x"}, {id: "NONE"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range people {
		got = append(got, fmt.Sprintf("%s %s %s", p, p.State, strings.SplitN(p.problem, ":", 2)[0]))
	}
	want := []string{
		"b@x (B) ACTIVE ", "a@x (A) ACTIVE ", "twin@x  ambiguous", "z@x (Z) SUSPENDED ", "b@x  contradictory", "NONE  get user NONE",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// One walk, no further than needed, and a request for each it did not meet.
	if diff := cmp.Diff([]string{"GET", "GET", "GET /Z", "GET /NONE"}, f.asked); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
}

// TestFindWithoutPermission: who may only suspend is not kept from it, and asks once.
func TestFindWithoutPermission(t *testing.T) {
	t.Parallel()
	f := &fake{answer: map[string]string{"GET /A": denied, "GET ": denied}}
	e, _ := testEnv(t)
	s := f.session(t, e)
	people, err := s.find(t.Context(), []name{{id: "A", email: "a@x"}, {id: "B"}})
	if err != nil || len(people) != 2 || people[0].problem != "" || people[0].State != "" || people[1].ID != "B" {
		t.Errorf("got %+v, error %v", people, err)
	}
	if diff := cmp.Diff([]string{"GET /A"}, f.asked); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
	if _, err := s.find(t.Context(), []name{{email: "a@x"}}); !errors.Is(err, client.ErrPermissionDenied) {
		t.Errorf("by e-mail address: got error %v", err)
	}
}

// performed runs over P and Q, where P meets the answer.
func performed(t *testing.T, answer string) (j *journalFile, printed string, err error) {
	t.Helper()
	f := &fake{answer: map[string]string{"POST /P:suspend": answer, "POST /Q:suspend": userJSON("Q", "q@x", client.StateSuspended)}}
	e, stdout := testEnv(t)
	s := f.session(t, e)
	j, err = e.newJournal(filepath.Join(t.TempDir(), "j"), head, []entry{{id: "P", email: "p@x"}, {id: "Q"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.close() })
	err = (&run{session: s, journal: j, report: e.newReport(suspend, asTable)}).perform(t.Context())
	return j, stdout.String(), err
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer string
		result result
		print  string
		stops  bool
	}{
		"done":             {userJSON("P", "p@x", client.StateSuspended), resultDone, "suspended             p@x (P)\n", false},
		"not as it says":   {userJSON("P", "p@x", client.StateActive), resultUnknown, `not known             p@x (P): the server answered that they are "ACTIVE"`, false},
		"last owner":       {`403 {"code":7,"message":"no_owner_remain"}`, resultRefused, "make somebody else an owner first\n", false},
		"other words":      {`403 {"code":7,"message":"not_on_sundays"}`, resultRefused, "not_on_sundays", false},
		"gone":             {`404 {"code":5,"message":"not_found"}`, resultRefused, "not found", false},
		"defect":           {`500 {"code":13,"message":"internal"}`, resultUnknown, "not known ", false},
		"denied":           {denied, resultRefused, "failed ", true},
		"limited":          {`429 {"code":8,"message":"slow"}`, resultRefused, "failed ", true},
		"unavailable":      {`503 {"code":14,"message":"down"}`, resultUnknown, "not known ", true},
		"another server":   {`200 <html>`, resultUnknown, "not known ", true},
		"unauthenticated":  {`401 {"code":16,"message":"no"}`, resultRefused, "failed ", true},
		"escape sequences": {`404 {"code":5,"message":"\u001b[2Jx"}`, resultRefused, "[2Jx", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, printed, err := performed(t, tt.answer)
			if !strings.Contains(printed, tt.print) || strings.Contains(printed, "\x1b") {
				t.Errorf("printed %q, want %q", printed, tt.print)
			}
			var stopped *stop
			if errors.As(err, &stopped) != tt.stops {
				t.Errorf("got error %v, want a stop: %t", err, tt.stops)
			}
			if got := j.people[0].result; got != tt.result {
				t.Errorf("the journal says %q, want %q", got, tt.result)
			}
			if got := j.people[1].settled(); got == tt.stops {
				t.Errorf("the next one done: %t", got)
			}
		})
	}
}

func TestInterruptedBeforeTheFirst(t *testing.T) {
	t.Parallel()
	j := newTestJournal(t, entry{id: "A"})
	e, _ := testEnv(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := (&run{session: &session{env: e}, journal: j, report: e.newReport(suspend, asTable)}).perform(ctx)
	if err == nil || errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "interrupted: 0 of 1 people are suspended\ngo on with:   rollcall users suspend --resume ") {
		t.Errorf("got error %v", err)
	}
	if j.people[0].begun {
		t.Error("it was begun")
	}
}

func TestPlanUndo(t *testing.T) {
	t.Parallel()
	active, suspended := client.StateActive, client.StateSuspended
	j := &journal{run: head, people: []entry{
		{id: "DONE", before: active, begun: true, result: resultDone},
		{id: "BACK", before: active, begun: true, result: resultDone},
		{id: "REFUSED", before: active, begun: true, result: resultRefused},
		{id: "NOT-BEGUN", before: active},
		{id: "CUT-OFF", before: active, begun: true},
		{id: "LOST", before: active, begun: true, result: resultUnknown},
		{id: "UNSEEN", begun: true, result: resultDone},
		{id: "BLIND", before: active, begun: true},
		{id: "BLIND-DONE", before: active, begun: true, result: resultDone},
	}}
	now := map[string]client.State{"DONE": suspended, "BACK": active, "CUT-OFF": suspended, "LOST": active, "UNSEEN": suspended}
	p, err := planUndo(j, "j", func(e entry) (person, error) {
		return person{User: someone(e.id, "", now[e.id])}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := func(people []person) (ids []string) {
		for _, p := range people {
			ids = append(ids, p.ID)
		}
		return ids
	}
	want := [][]string{{"DONE", "CUT-OFF", "BLIND-DONE"}, {"BACK", "LOST"}, {"UNSEEN", "BLIND"}}
	if diff := cmp.Diff(want, [][]string{ids(p.act), ids(p.already), ids(p.cannot)}); diff != "" || p.action != reactivate {
		t.Errorf("to %s: act, already, cannot (-want +got)\n%s", p.action, diff)
	}
	broken := errors.New("broken")
	if _, err := planUndo(j, "j", func(entry) (person, error) { return person{}, broken }); !errors.Is(err, broken) {
		t.Errorf("got error %v", err)
	}
}

func TestConsequence(t *testing.T) {
	t.Parallel()
	var people []person
	for i := range mostNamed + 2 {
		people = append(people, person{User: someone(fmt.Sprint(i), "\x1b\n@x", client.StateActive)})
	}
	got := newPlan(suspend, append(people, people[0], person{problem: "no"})).consequence(connection{account: "A", baseURL: "u"})
	lines := strings.Split(got, "\n")
	want := []string{"These will be suspended in account A at u: 22", `  \x1b\n@x (0)`, "  and 2 more: --dry-run shows all", "not possible: 1"}
	if diff := cmp.Diff(want, []string{lines[0], lines[1], lines[mostNamed+1], lines[mostNamed+2]}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/a/b-c_1.jsonl": "/a/b-c_1.jsonl", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "": "''", "~/x": "'~/x'", "é": "'é'",
	} {
		if got := shellWord(in); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", in, got, want)
		}
	}
}
