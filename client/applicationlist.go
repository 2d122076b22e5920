package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	"github.com/rollcall-id/rollcall/api"
)

// Permission is something that an application may do.
type Permission = api.Permission

// The permissions there are.
const (
	PermissionListUsers         = api.PermissionListUsers
	PermissionGetUser           = api.PermissionGetUser
	PermissionSuspendUser       = api.PermissionSuspendUser
	PermissionReactivateUser    = api.PermissionReactivateUser
	PermissionReadApplications  = api.PermissionReadOAuthClients
	PermissionWriteApplications = api.PermissionWriteOAuthClients
)

// ApplicationListOptions says which page of applications to list.
type ApplicationListOptions struct {
	// PageSize is the most applications of a page; the server caps it at
	// MaxPageSize. 0 leaves it to the server (25) in List, and is MaxPageSize in
	// Pages and All, which saves requests.
	PageSize int
	// PageToken is where to begin: the NextPageToken or PageToken of an
	// ApplicationPage.
	PageToken string
}

// ApplicationPage is one page of applications.
type ApplicationPage struct {
	Applications []Application
	// PageToken is what this page was asked for with, "" for the first. Beside an
	// error it is what to go on with.
	PageToken string
	// NextPageToken asks for the next page; "" says that this is the last.
	NextPageToken string
}

// List returns one page of applications, those that were created first at the front.
// It sends the options that are set and no others.
func (s *ApplicationsService) List(ctx context.Context, o ApplicationListOptions) (ApplicationPage, error) {
	target := s.client.routes.applications
	if q := (ListOptions{PageSize: o.PageSize, PageToken: o.PageToken}).query(); len(q) > 0 {
		target += "?" + q.Encode()
	}
	var body api.ListOAuthClientsResponse
	r := call{method: http.MethodGet, target: target, pacer: s.client.pacers.reads}
	if err := s.client.resource(ctx, r, &body); err != nil {
		return ApplicationPage{PageToken: o.PageToken}, fmt.Errorf("client: list applications: %w", err)
	}
	return ApplicationPage{Applications: body.Results, PageToken: o.PageToken, NextPageToken: body.NextPageToken}, nil
}

// All walks all applications, page after page, and yields each of them once. An
// error ends the walk and is yielded last.
func (s *ApplicationsService) All(ctx context.Context, o ApplicationListOptions) iter.Seq2[Application, error] {
	return each(s.Pages(ctx, o), func(p ApplicationPage) []Application { return p.Applications })
}

// Pages walks like All, a page at a time, and can be resumed as UsersService.Pages.
func (s *ApplicationsService) Pages(ctx context.Context, o ApplicationListOptions) iter.Seq2[ApplicationPage, error] {
	if o.PageSize == 0 {
		o.PageSize = MaxPageSize
	}
	return pages(o.PageToken, func(token string, failed error) (ApplicationPage, string, error) {
		o := o
		o.PageToken = token
		if failed != nil {
			return ApplicationPage{PageToken: token}, "", fmt.Errorf("client: list applications: %w", failed)
		}
		page, err := s.List(ctx, o)
		return page, page.NextPageToken, err
	})
}
