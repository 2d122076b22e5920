package node

import (
	"github.com/rollcall-id/rollcall/internal/httpapi"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/store"
)

// looks lets the API look into the store: the two edges do not know each other.
type looks struct{ store *store.Store }

// LookAtUser implements httpapi.Looks.
func (l looks) LookAtUser(account ident.AccountID, id ident.UserID) httpapi.Look {
	return l.store.LookAtUser(account, id)
}

// LookAtPage implements httpapi.Looks.
func (l looks) LookAtPage(account ident.AccountID, cursor page.Cursor, limit int) httpapi.Look {
	return l.store.LookAtPage(account, cursor, limit)
}
