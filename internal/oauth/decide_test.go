package oauth

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// TestLongestChangeIsRecordedWhole: no change can hide its end by being long.
func TestLongestChangeIsRecordedWhole(t *testing.T) {
	t.Parallel()
	const widest = "\U000e0001" // takes ten bytes once it is quoted
	for _, c := range []string{"n", widest} {
		before := Application{Account: "A", ID: "C", Name: "n", Permissions: 1}
		after := Patch{Permissions: new(access.Set)}
		*after.Permissions = access.All
		name, description := strings.Repeat(c, MaxName), strings.Repeat(c, MaxDescription)
		url := "https://example.com/" + strings.Repeat("\u00ad", (MaxRedirectURL-20)/2)
		after.Name, after.Description, after.RedirectURL = &name, &description, &url
		after.Apply(&before)
		clean := Application{Account: "A", ID: "C", Name: "n", Permissions: 1}
		for _, change := range []struct{ from, to Application }{{clean, before}, {before, clean}} {
			want := difference(change.from, change.to)
			if got := (audit.Entry{}).WithChange(want).Detail; got != want {
				t.Errorf("of %d bytes %d are recorded", len(want), len(got))
			}
		}
	}
}

// TestUpdateDecisions: nobody ends with more than the caller, whatever is asked; what is
// decided is what was asked; and only what changes something is a change.
func TestUpdateDecisions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		held := access.Set(rapid.Uint8Range(0, uint8(access.All)).Draw(t, "held"))
		c := access.Caller{Kind: access.Application, Account: "A", Permissions: held}
		a := Application{ID: "C", Account: "A", Name: "n", State: Enabled, Permissions: access.Set(rapid.Uint8Range(1, uint8(access.All)).Draw(t, "before"))}
		var p Patch
		if rapid.Bool().Draw(t, "name sent") {
			name := rapid.SampledFrom([]string{"n", "m", ""}).Draw(t, "name")
			p.Name = &name
		}
		if rapid.Bool().Draw(t, "permissions sent") {
			set := access.Set(rapid.Uint8Range(0, uint8(access.All)).Draw(t, "permissions"))
			p.Permissions = &set
		}
		want := a
		p.Apply(&want)
		d := update(c, a, p, audit.Entry{Action: audit.ApplicationUpdate, Outcome: audit.Done})
		switch {
		case want.Name == "" || want.Permissions == 0:
			if fault.KindOf(d.Refusal) != fault.KindInvalid || d.Act != Keep || d.Entry.Action != "" {
				t.Fatalf("invalid: got %+v", d)
			}
		case want.Permissions.Without(held) != 0:
			if fault.KindOf(d.Refusal) != fault.KindForbidden || d.Act != Keep || d.Entry.Outcome != audit.Denied {
				t.Fatalf("beyond the caller: got %+v", d)
			}
		default:
			if d.Refusal != nil || !cmp.Equal(d.Application, want) {
				t.Fatalf("got %+v, want %+v", d, want)
			}
			changes := !cmp.Equal(a, want)
			if (d.Act == Replace) != changes || (d.Entry.Outcome == audit.Done) != changes {
				t.Fatalf("changes %t: got %+v", changes, d)
			}
		}
	})
}

func TestRotateDecisions(t *testing.T) {
	t.Parallel()
	now := time.Unix(1, 0)
	for n := 1; n <= MaxSecrets+1; n++ {
		for _, overlap := range []time.Duration{0, time.Second, MaxOverlap} {
			a := Application{ID: "C", Secrets: make([]Secret, n)}
			d := rotate(a, Secret{ID: ident.EntryID("new"), CreateTime: now}, overlap, audit.Entry{})
			refused := n >= MaxSecrets && overlap > 0
			if (fault.KindOf(d.Refusal) == fault.KindPrecondition) != refused || (d.Act == Renew) == refused {
				t.Errorf("%d secrets, overlap %v: got %+v, want a refusal: %t", n, overlap, d, refused)
			}
			if !refused && !d.OverlapEnd.Equal(now.Add(overlap)) {
				t.Errorf("overlap %v ends at %v", overlap, d.OverlapEnd)
			}
		}
	}
}
