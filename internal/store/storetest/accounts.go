package storetest

import (
	"cmp"
	"slices"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

func accountsAreKept(w *world) {
	var want []directory.Account
	for i, policy := range directory.Provisionings() {
		a, err := w.directory.CreateAccount(w.Context(), operator,
			directory.Account{Name: "Ümlaut & Söhne 🦉", Provisioning: policy, ID: ident.AccountID([]string{"C", "B", "A"}[i])})
		w.ok(err)
		want = append(want, a)
	}
	for _, a := range want {
		got, err := w.peer.Account(w.Context(), a.ID)
		w.ok(err)
		w.same("account", a, got)
	}
	slices.SortFunc(want, func(a, b directory.Account) int {
		return cmp.Compare(a.CreateTime.UnixMicro(), b.CreateTime.UnixMicro())
	})
	got, err := w.peer.Accounts(w.Context())
	w.ok(err)
	w.same("accounts by creation", want, got)

	_, err = w.directory.CreateAccount(w.Context(), operator, directory.Account{ID: "A", Name: "again"})
	w.is(fault.KindConflict, err)
	_, err = w.Account(w.Context(), "nowhere")
	w.is(fault.KindNotFound, err)
	w.same("entries", []line{{audit.AccountCreate, audit.Done, "A", "Ümlaut & Söhne 🦉"}}, w.lines("A", 10))
}

func accountsOpenAndClose(w *world) {
	account := w.account()
	set := func(state directory.AccountState) {
		w.Helper()
		w.ok(w.directory.SetAccountState(w.Context(), operator, account, state))
		got, err := w.peer.Account(w.Context(), account)
		w.ok(err)
		w.same("state", state, got.State)
	}
	set(directory.Closed)
	set(directory.Closed)
	set(directory.Open)
	w.same("entries", []line{
		{audit.AccountClose, audit.Done, string(account), ""},
		{audit.AccountClose, audit.Unchanged, string(account), ""},
		{audit.AccountReopen, audit.Done, string(account), ""},
	}, w.lines(account, 3))
	w.is(fault.KindNotFound, w.directory.SetAccountState(w.Context(), operator, "nowhere", directory.Closed))
	w.sound(account)
}
