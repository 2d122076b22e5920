package oauth

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

// Create adds an application, which holds no permission that the caller lacks. An empty
// id and an empty secret are made; the secret is in the answer and never to be had again.
func (s *Service) Create(ctx context.Context, c access.Caller, a Application, given ClientSecret) (Application, ClientSecret, error) {
	if err := s.May(ctx, c, a.Account, access.WriteApplications, audit.ApplicationCreate, string(a.ID)); err != nil {
		return a, ClientSecret{}, err
	}
	a.State, a.CreateTime = Enabled, s.now()
	if a.ID == "" {
		id, err := ident.NewClientID(s.Rand)
		if err != nil {
			return a, ClientSecret{}, err
		}
		a.ID = id
	}
	if err := a.Validate(); err != nil {
		return a, ClientSecret{}, err
	}
	e := audit.New(c, a.Account, audit.ApplicationCreate, string(a.ID), audit.Done, a.CreateTime).WithChange(a.summary())
	if lacking := c.Lacks(a.Permissions); lacking != 0 {
		e.Target = "" // there is no such application, and will not be
		d := beyond(lacking, e)
		if err := s.Store.Append(ctx, []audit.Entry{d.Entry}); err != nil {
			return a, ClientSecret{}, err
		}
		return a, ClientSecret{}, d.Refusal
	}
	clear, stored, err := s.newSecret(a.ID, given, a.CreateTime)
	if err != nil {
		return a, ClientSecret{}, err
	}
	if err := s.Store.CreateApplication(ctx, a, stored, e); err != nil {
		return a, ClientSecret{}, err
	}
	stored.Hash = Hash{}
	a.Secrets = []Secret{stored}
	return a, clear, nil
}

func (s *Service) newSecret(client ident.ClientID, clear ClientSecret, now time.Time) (ClientSecret, Secret, error) {
	var err error
	if clear == (ClientSecret{}) {
		if clear, err = NewClientSecret(s.Rand); err != nil {
			return clear, Secret{}, err
		}
	}
	id, err := ident.NewEntryID(now, s.Rand)
	return clear, Secret{ID: id, Client: client, Hash: clear.Hash(), CreateTime: now}, err
}

// ListQuery is a request for one page of applications.
type ListQuery struct {
	Size      *int32 // nil where the caller left it out
	PageToken string // empty for the first page
}

// Page returns one page of an account's applications in the order of creation, and the
// token of the next page ("" on the last).
func (s *Service) Page(ctx context.Context, c access.Caller, account ident.AccountID, q ListQuery) ([]Application, string, error) {
	if err := s.May(ctx, c, account, access.ReadApplications, audit.ApplicationList, ""); err != nil {
		return nil, "", err
	}
	cursor := page.Cursor{Size: page.DefaultSize}
	if q.PageToken != "" {
		var err error
		if cursor, err = s.Keys.OpenList(ctx, page.Applications, account, q.PageToken); err != nil {
			return nil, "", err
		}
	}
	if q.Size != nil {
		cursor.Size = *q.Size
	}
	// One more than asked tells whether another page follows, so that none is ever empty.
	list, err := s.Store.Applications(ctx, account, cursor.After, int(cursor.Size)+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(list) > int(cursor.Size) {
		list = list[:cursor.Size]
		last := list[len(list)-1]
		cursor.After = page.Position{CreateTime: last.CreateTime, ID: ident.UserID(last.ID)}
		next, err = s.Keys.SealList(ctx, page.Applications, account, cursor)
	}
	for i := range list {
		s.finish(&list[i])
	}
	return list, next, err
}

// listStep is how many applications List reads at a time.
const listStep = 500

// List returns all of an account's applications in the order of creation.
func (s *Service) List(ctx context.Context, c access.Caller, account ident.AccountID) ([]Application, error) {
	if err := s.May(ctx, c, account, access.ReadApplications, audit.ApplicationList, ""); err != nil {
		return nil, err
	}
	var all []Application
	var after page.Position
	for {
		list, err := s.Store.Applications(ctx, account, after, listStep)
		if err != nil {
			return nil, err
		}
		for i := range list {
			s.finish(&list[i])
		}
		all = append(all, list...)
		if len(list) < listStep {
			return all, nil
		}
		last := list[len(list)-1]
		after = page.Position{CreateTime: last.CreateTime, ID: ident.UserID(last.ID)}
	}
}

// Get returns one of an account's applications; NotFound if it has none such.
func (s *Service) Get(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID) (Application, error) {
	if err := s.May(ctx, c, account, access.ReadApplications, audit.ApplicationGet, string(id)); err != nil {
		return Application{}, err
	}
	if !ident.Possible(string(id)) {
		return Application{}, noApplication()
	}
	a, err := s.Store.Application(ctx, account, id)
	s.finish(&a)
	return a, err
}

// finish leaves out secrets that are over and tells of uses that are not written yet.
func (s *Service) finish(a *Application) {
	now := s.Now()
	live := a.Secrets[:0]
	for _, secret := range a.Secrets {
		if secret.live(now) {
			secret.LastUsedTime = s.Uses.latest(secret.ID, secret.LastUsedTime)
			live = append(live, secret)
		}
	}
	a.Secrets = live
}

// Update changes the fields that p names. It is idempotent. Forbidden where the
// application holds, or would hold, a permission that the caller lacks.
func (s *Service) Update(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID, p Patch) (Application, error) {
	d, err := s.change(ctx, c, account, id, audit.ApplicationUpdate, func(a Application, e audit.Entry) Decision { return update(c, a, p, e) })
	return d.Application, err
}

// Rotate makes a new secret; the ones before work on for overlap (0 to MaxOverlap).
// Tokens obtained with a secret end with it.
func (s *Service) Rotate(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID, overlap time.Duration) (Application, ClientSecret, error) {
	return s.renew(ctx, c, account, id, overlap, func(Application) bool { return true })
}

// RotateFrom is Rotate for whoever has seen which secret is current: Conflict, and nothing
// done, where another one has become it, so that of several who ask at once one is heard.
func (s *Service) RotateFrom(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID, current ident.EntryID, overlap time.Duration) (Application, ClientSecret, error) {
	return s.renew(ctx, c, account, id, overlap, func(a Application) bool { return a.current() == current })
}

// renew makes a new secret of an application that is as the caller believes.
func (s *Service) renew(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID, overlap time.Duration, as func(Application) bool) (Application, ClientSecret, error) {
	if err := s.May(ctx, c, account, access.WriteApplications, audit.ApplicationRotate, string(id)); err != nil {
		return Application{}, ClientSecret{}, err
	}
	if overlap < 0 || overlap > MaxOverlap {
		return Application{}, ClientSecret{}, fault.Invalid("overlap must be between 0s and %ds", int(MaxOverlap/time.Second))
	}
	clear, stored, err := s.newSecret(id, ClientSecret{}, s.now())
	if err != nil {
		return Application{}, ClientSecret{}, err
	}
	d, err := s.change(ctx, c, account, id, audit.ApplicationRotate, func(a Application, e audit.Entry) Decision {
		if !as(a) {
			return Decision{Refusal: fault.Conflict("the secret has been rotated by somebody else")}
		}
		return rotate(a, stored, overlap, e)
	})
	if err != nil {
		return Application{}, ClientSecret{}, err
	}
	return d.Application, clear, nil
}

// SetState enables or disables an application and reports whether that changed anything.
func (s *Service) SetState(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID, state ApplicationState) (Application, bool, error) {
	action := audit.ApplicationEnable
	if state == Disabled {
		action = audit.ApplicationDisable
	}
	d, err := s.change(ctx, c, account, id, action, func(a Application, e audit.Entry) Decision { return setState(a, state, e) })
	return d.Application, d.Act != Keep, err
}

// RevokeTokens ends all tokens of an application at once, those that are being issued
// included; its secrets go on working.
func (s *Service) RevokeTokens(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID) (Application, error) {
	d, err := s.change(ctx, c, account, id, audit.ApplicationRevoke, func(a Application, e audit.Entry) Decision {
		return Decision{Act: EndTokens, Application: a, Entry: e}
	})
	return d.Application, err
}

// Delete removes an application; its secrets and tokens end at once.
func (s *Service) Delete(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID) error {
	_, err := s.change(ctx, c, account, id, audit.ApplicationDelete, func(a Application, e audit.Entry) Decision {
		return Decision{Act: Remove, Application: a, Entry: e.WithChange(fmt.Sprintf("was %s: %s", a.State, a.summary()))}
	})
	return err
}

// change asks decide about an application inside one transaction, unless it holds what
// the caller lacks: whoever changes an application could act as it.
func (s *Service) change(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID, act audit.Action,
	decide func(Application, audit.Entry) Decision,
) (Decision, error) {
	if err := s.May(ctx, c, account, access.WriteApplications, act, string(id)); err != nil {
		return Decision{}, err
	}
	if !ident.Possible(string(id)) {
		return Decision{}, noApplication()
	}
	entry := audit.New(c, account, act, string(id), audit.Done, s.now())
	d, err := s.Store.ChangeApplication(ctx, account, id, func(a Application) Decision {
		s.finish(&a)
		if lacking := c.Lacks(a.Permissions); lacking != 0 {
			return beyond(lacking, entry)
		}
		return decide(a, entry)
	})
	if err == nil {
		err = d.Refusal
	}
	if err != nil {
		return Decision{}, err
	}
	s.finish(&d.Application)
	return d, nil
}

// May tells whether the caller may use p in account; a denial is remembered before
// it is answered. It is for callers who found something else wrong first.
func (s *Service) May(ctx context.Context, c access.Caller, account ident.AccountID, p access.Permission, a audit.Action, target string) error {
	return audit.Authorize(ctx, s.Store, c, account, p, a, target, s.now())
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// Verify returns the application whose live secret this is; Unauthenticated if there
// is none. It is for whoever holds the database and counts as no use of the secret.
func (s *Service) Verify(ctx context.Context, id ident.ClientID, secret ClientSecret) (Identity, error) {
	client, err := s.client(ctx, id)
	if err != nil {
		return Identity{}, err
	}
	if _, ok := client.check(secret.Reveal(), s.Now()); !ok {
		return Identity{}, invalidClient()
	}
	return client.Identity, nil
}
