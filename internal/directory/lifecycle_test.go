package directory

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
)

// verdict is a decision in a form that is easy to write down.
type verdict struct {
	State   State
	Changed bool
	Outcome audit.Outcome // "" = no entry
	Refusal string
}

func verdictOf(d Decision) verdict {
	v := verdict{State: d.User.State, Changed: d.Changed}
	if d.Entry.Action != "" {
		v.Outcome = d.Entry.Outcome
	}
	if f := fault.As(d.Refusal); f != nil {
		v.Refusal = f.Message
	}
	return v
}

// standings yields every state x type x owner x others x policy.
func standings(yield func(Standing) bool) {
	for _, state := range States() {
		for _, kind := range Types() {
			for _, policy := range Provisionings() {
				for _, owner := range []bool{false, true} {
					for _, others := range []int{0, 1} {
						st := Standing{User: User{ID: "U", State: state, Type: kind}, Provisioning: policy, Owner: owner, OtherActiveOwners: others}
						if !yield(st) {
							return
						}
					}
				}
			}
		}
	}
}

// expected says contract sections 4, 5 and 8 once more, the other way round: for each
// answer, who gets it.
func expected(t transition, st Standing) verdict {
	seen := st.User.State != Pending
	managed := seen && st.Provisioning == RefuseProvisioning
	there := seen && !managed && st.User.State == t.to
	moving := seen && !managed && !there
	lastOwner := st.Owner && st.OtherActiveOwners == 0
	down := moving && t.to == Suspended
	switch {
	case down && st.User.Type == ExternallyManaged:
		return verdict{st.User.State, false, audit.Refused, "externally_managed_user"}
	case down && lastOwner:
		return verdict{st.User.State, false, audit.Refused, "no_owner_remain"}
	case moving:
		return verdict{t.to, true, audit.Done, ""}
	case there:
		return verdict{t.to, false, audit.Unchanged, ""}
	case managed:
		return verdict{st.User.State, false, audit.Refused, "automated_provisioning_enabled"}
	}
	return verdict{"", false, "", "not_found"}
}

func TestEveryStanding(t *testing.T) {
	t.Parallel()
	met := map[verdict]int{}
	for name, act := range map[string]transition{"suspend": suspend, "reactivate": reactivate} {
		for st := range standings {
			entry := audit.Entry{Action: act.action, Outcome: audit.Done}
			d := act.decide(st, entry)
			if diff := cmp.Diff(expected(act, st), verdictOf(d)); diff != "" {
				t.Errorf("%s %+v (-want +got):\n%s", name, st, diff)
			}
			if d.Refusal == nil && d.User.ID != "U" || d.Refusal != nil && d.Changed {
				t.Errorf("%s %+v: got %+v", name, st, d)
			}
			if d.Entry.Outcome == audit.Refused && d.Entry.Detail != verdictOf(d).Refusal {
				t.Errorf("%s %+v: the entry gives as reason %q", name, st, d.Entry.Detail)
			}
			met[verdictOf(d)]++
		}
	}
	// Every answer there is was met: the table above is not empty anywhere.
	want := map[verdict]int{
		{"", false, "", "not_found"}:                                        72,
		{Active, false, audit.Refused, "automated_provisioning_enabled"}:    24,
		{Suspended, false, audit.Refused, "automated_provisioning_enabled"}: 24,
		{Active, false, audit.Refused, "externally_managed_user"}:           8,
		{Active, false, audit.Refused, "no_owner_remain"}:                   4,
		{Suspended, true, audit.Done, ""}:                                   12,
		{Active, true, audit.Done, ""}:                                      24,
		{Suspended, false, audit.Unchanged, ""}:                             24,
		{Active, false, audit.Unchanged, ""}:                                24,
	}
	if diff := cmp.Diff(want, met); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestEveryMembership(t *testing.T) {
	t.Parallel()
	for st := range standings {
		for _, group := range []string{Owners, Administrators, "crew"} {
			for _, wanted := range []bool{false, true} {
				for _, is := range []bool{false, true} {
					if group == Owners && is != st.Owner {
						continue // a standing that can't be
					}
					want := verdict{st.User.State, is != wanted, audit.Done, ""}
					if is == wanted {
						want.Outcome = audit.Unchanged
					}
					if group == Owners && is && !wanted && st.User.State == Active && st.OtherActiveOwners == 0 {
						want = verdict{st.User.State, false, audit.Refused, "no_owner_remain"}
					}
					got := verdictOf(decideMember(st, group, is, wanted, audit.Entry{Action: audit.GroupAdd, Outcome: audit.Done}))
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s: is %t, wanted %t, %+v (-want +got):\n%s", group, is, wanted, st, diff)
					}
				}
			}
		}
	}
}
