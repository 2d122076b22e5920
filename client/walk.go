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
	return each(s.Pages(ctx, o), func(p Page) []User { return p.Users })
}

// Pages walks like All, a page at a time, so that a walk can be resumed: keep the
// NextPageToken of the last page that is dealt with, and begin there with the same
// Filter. An error ends the walk; the PageToken yielded beside it is where to
// resume. Pages without people are yielded too.
func (s *UsersService) Pages(ctx context.Context, o ListOptions) iter.Seq2[Page, error] {
	if o.PageSize == 0 {
		o.PageSize = MaxPageSize
	}
	return pages(o.PageToken, func(token string, failed error) (Page, string, error) {
		o := o
		o.PageToken = token
		if failed != nil {
			return Page{PageToken: token}, "", fmt.Errorf("client: list users: %w", failed)
		}
		page, err := s.List(ctx, o)
		return page, page.NextPageToken, err
	})
}

// each yields what is on the pages of a walk.
func each[P, T any](walk iter.Seq2[P, error], on func(P) []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for page, err := range walk {
			for _, item := range on(page) {
				if !yield(item, nil) {
					return
				}
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
		}
	}
}

// pages walks from page to page. fetch returns the page of a token and the token of
// the next; given an error, it returns both for that token instead of asking.
func pages[P any](first string, fetch func(token string, failed error) (P, string, error)) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		token, guard := first, newLoopGuard(first)
		var failed error
		for {
			page, next, err := fetch(token, failed)
			if !yield(page, err) || err != nil || next == "" {
				return
			}
			if token = next; guard.seen(token) {
				failed = ErrPageTokenLoop
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
