package directory

import (
	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
)

// Standing is what a rule may know of a person when it decides about them, read
// under the same lock under which the decision is written.
type Standing struct {
	User         User
	Provisioning Provisioning
	// Owner tells whether the person is in the owners group.
	Owner bool
	// OtherActiveOwners is how many other owners are ACTIVE. It is counted only for
	// an owner, and no further than 1.
	OtherActiveOwners int
}

// Decision is what a rule makes of a standing: the person as they are to be, the
// entry to write, and the refusal if there is one. Changed is false for a refusal
// and where all is as wanted already. Entry is empty (no action) where nothing is
// to be remembered, as for a person the caller can't see.
type Decision struct {
	User    User
	Changed bool
	Entry   audit.Entry
	Refusal error
}

// Messages of the refusals (contract section 5).
const (
	NoOwnerRemains       = "no_owner_remain"
	IsExternallyManaged  = "externally_managed_user"
	AutomatedProvisioner = "automated_provisioning_enabled"
)

// transition is one of the two ways a person's state is changed through the API.
type transition struct {
	permission access.Permission
	action     audit.Action
	to         State
	refuse     func(Standing) string
}

var (
	suspend    = transition{access.SuspendUser, audit.UserSuspend, Suspended, refuseSuspend}
	reactivate = transition{access.ReactivateUser, audit.UserReactivate, Active, refuseReactivate}
)

// decide is pure: it may run more than once for one request.
func (t transition) decide(st Standing, entry audit.Entry) Decision {
	d := Decision{User: st.User, Entry: entry}
	switch reason := t.refuse(st); {
	case st.User.State == Pending:
		return Decision{Refusal: notFound()}
	case st.Provisioning == RefuseProvisioning:
		return d.refused(AutomatedProvisioner)
	case st.User.State == t.to:
		d.Entry.Outcome = audit.Unchanged
	case reason != "":
		return d.refused(reason)
	default:
		d.User.State, d.Changed = t.to, true
	}
	return d
}

func (d Decision) refused(reason string) Decision {
	d.Refusal = fault.Forbidden(reason)
	d.Entry.Outcome = audit.Refused
	if d.Entry.Detail != "" {
		reason = d.Entry.Detail + ": " + reason
	}
	d.Entry = d.Entry.With(reason)
	return d
}

func refuseSuspend(st Standing) string {
	switch {
	case st.User.Type == ExternallyManaged:
		return IsExternallyManaged
	case st.Owner && st.OtherActiveOwners == 0:
		return NoOwnerRemains
	}
	return ""
}

func refuseReactivate(Standing) string { return "" }
