package storetest

import (
	"sync"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// counted checks what is said of how many people there are by looking at each.
func (w *world) counted(account ident.AccountID) {
	w.Helper()
	want := map[directory.State]int{}
	w.ok(w.peer.EachUser(w.Context(), account, func(u directory.User) bool { want[u.State]++; return true }))
	for _, s := range []Store{w.peer, w.Store} {
		got, err := s.CountByState(w.Context(), account)
		w.ok(err)
		w.same("people by state", want, got)
	}
}

// peopleAreCounted: whatever happens to people, and many things at once, the counts go along.
func peopleAreCounted(w *world) {
	account, other := w.account(), w.account()
	w.counted(account)
	users := make([]directory.User, 12)
	for i := range users {
		users[i].State = directory.States()[i%3]
	}
	users[0].Groups = []string{directory.Owners}
	users = w.add(account, users...)
	w.add(other, directory.User{State: directory.Suspended})
	w.counted(account)
	if _, err := w.directory.Suspend(w.Context(), operator, account, users[0].ID); fault.KindOf(err) != fault.KindForbidden {
		w.Errorf("the last owner is suspended: %v", err)
	}
	w.counted(account)

	var all sync.WaitGroup
	for i, u := range users[1:] {
		service := w.directory
		if i%2 == 0 {
			service = w.replica
		}
		all.Go(func() {
			var err error
			switch u.State {
			case directory.Active:
				_, err = service.Suspend(w.Context(), operator, account, u.ID)
			case directory.Suspended:
				_, err = service.Reactivate(w.Context(), operator, account, u.ID)
			default:
				err = service.RemoveUser(w.Context(), operator, account, u.ID)
			}
			if err != nil {
				w.Error(err)
			}
			if _, err := w.peer.CountByState(w.Context(), account); err != nil {
				w.Error(err)
			}
		})
	}
	all.Wait()
	w.sound(account)
	w.sound(other)
	w.counted("nowhere")
}
