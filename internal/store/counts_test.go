package store

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// TestCountsBesideOlderReplicas: whoever changes people and the chain, and knows of no counts, as
// replicas before them, makes none wrong: they are counted again, kept, and go on from there.
func TestCountsBesideOlderReplicas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openDir(t, dir)
	defer closeStore(t, s)
	account := newAccount(t, s)
	people, _ := services(t, s)
	add := func(id ident.UserID) {
		t.Helper()
		u := directory.User{ID: id, Email: ident.Email(id + "@example.com"), DisplayName: "N"}
		if _, err := people.AddUser(t.Context(), operator, account, u); err != nil {
			t.Fatal(err)
		}
	}
	is := func(active, suspended int) {
		t.Helper()
		got, err := s.CountByState(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		want := map[directory.State]int{directory.Active: active}
		if suspended > 0 {
			want[directory.Suspended] = suspended
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("people (-want +got):\n%s", diff)
		}
	}
	hold := func(want int64) {
		t.Helper()
		row, err := s.reads.GetCounts(t.Context(), string(account))
		if err != nil || row.Hold != want {
			t.Errorf("the counts hold: got %d, %v, want %d", row.Hold, err, want)
		}
	}
	older := func(id ident.UserID) { // SetUserState and SetHead as they were before the counts
		t.Helper()
		exec(t, filepath.Join(dir, File), "UPDATE users SET state = 'SUSPENDED' WHERE id = '"+string(id)+"'", "UPDATE accounts SET audit_seq = audit_seq + 1")
	}
	add("ada")
	add("bob")
	add("cyd")
	hold(1)
	is(3, 0)
	older("ada")
	hold(0)
	add("dan") // a newer one does not make them hold
	hold(0)
	is(3, 1)
	hold(1)
	add("eve")
	hold(1)
	is(4, 1)
	older("bob")
	is(3, 2)
	hold(1)

	// What was counted before somebody changed is not kept.
	rows, err := s.reads.CountByState(t.Context(), string(account))
	if err != nil {
		t.Fatal(err)
	}
	older("cyd")
	if err := s.keepCounts(t.Context(), account, tally{active: 3, suspended: 2}, rows[0].AuditSeq); err != nil {
		t.Fatal(err)
	}
	hold(0)
	is(2, 3)
}
