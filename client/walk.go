package client

import (
	"context"
	"fmt"
	"iter"
)

// Page is one page of a list.
type Page struct {
	Users []User
	// PageToken is what this page was asked for with, "" for the first. Beside an
	// error it is what to go on with.
	PageToken string
	// NextPageToken asks for the next page; "" says that this is the last.
	NextPageToken string
}

// All walks all people, page after page, and yields each of them once. An error
// ends the walk and is yielded last. A page is fetched when its first person is
// asked for, and no two pages are in memory at once.
func (s *UsersService) All(ctx context.Context, o ListOptions) iter.Seq2[User, error] {
	return func(yield func(User, error) bool) {
		for page, err := range s.Pages(ctx, o) {
			for _, u := range page.Users {
				if !yield(u, nil) {
					return
				}
			}
			if err != nil {
				yield(User{}, err)
				return
			}
		}
	}
}

// Pages walks like All, a page at a time, so that a walk can be resumed: keep the
// NextPageToken of the last page that is dealt with, and begin there with the same
// Filter. An error ends the walk; the PageToken yielded beside it is where to
// resume. Pages without people are yielded too.
func (s *UsersService) Pages(ctx context.Context, o ListOptions) iter.Seq2[Page, error] {
	if o.PageSize == 0 {
		o.PageSize = MaxPageSize
	}
	return func(yield func(Page, error) bool) {
		o, guard := o, newLoopGuard(o.PageToken)
		for {
			page, err := s.List(ctx, o)
			if !yield(page, err) || err != nil || page.NextPageToken == "" {
				return
			}
			o.PageToken = page.NextPageToken
			if guard.seen(o.PageToken) {
				yield(Page{PageToken: o.PageToken}, fmt.Errorf("client: list users: %w", ErrPageTokenLoop))
				return
			}
		}
	}
}

// loopGuard finds a token that comes again, with two tokens of memory (R. P. Brent's
// algorithm): a loop of n pages is found within 3 max(n, pages before it).
type loopGuard struct {
	kept        string
	steps, most int
}

func newLoopGuard(first string) *loopGuard { return &loopGuard{kept: first, most: 1} }

func (g *loopGuard) seen(token string) bool {
	if token == g.kept {
		return true
	}
	if g.steps++; g.steps == g.most {
		g.kept, g.steps, g.most = token, 0, 2*g.most
	}
	return false
}
