package cli

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/envfile"
)

// explained is an error with what to do about it on a line of its own.
type explained struct {
	error
	hint string
}

func (e *explained) Error() string { return plain(e.error) + "\n" + e.hint }

func (e *explained) Unwrap() error { return e.error }

// plain is the error without the name of the package that it comes from.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "client: ") }

// explain adds what to type next.
func (c connection) explain(err error) error {
	var done *explained
	if err == nil || errors.As(err, &done) {
		return err
	}
	if hint := c.hint(err); hint != "" {
		return &explained{err, hint}
	}
	return &unprefixed{err}
}

// unprefixed is an error of package client for people, who know no packages.
type unprefixed struct{ error }

func (u *unprefixed) Error() string { return plain(u.error) }

func (u *unprefixed) Unwrap() error { return u.error }

func (c connection) hint(err error) string {
	var authority x509.UnknownAuthorityError
	switch {
	case isForeign(err):
		return "does " + c.baseURL + " serve the Users API? If it does over https, the base URL begins so: " + c.renew()
	case errors.Is(err, client.ErrBadCredentials), errors.Is(err, client.ErrUnauthenticated):
		return "the client id or secret of " + c.source() + " is wrong, or the application is disabled: " + c.renew()
	case errors.Is(err, client.ErrPermissionDenied):
		return fmt.Sprintf("application %s lacks the permission for this, or is of another account than %s: have it granted, or use another with --profile", c.client, c.account)
	case errors.Is(err, client.ErrNotFound):
		return "'rollcall users list' shows who there is; those who are invited and never signed in are not among them"
	case errors.Is(err, client.ErrLastOwner):
		return "make somebody else an owner first"
	case errors.Is(err, client.ErrExternallyManaged), errors.Is(err, client.ErrAutomatedProvisioning):
		return "suspend them where the account is provisioned from"
	case errors.Is(err, client.ErrUnknownRoute), errors.Is(err, client.ErrUnexpected), errors.Is(err, client.ErrRedirect):
		return "does " + c.baseURL + " serve the Users API, in the version that is asked for (--api-version of 'rollcall login')? " + c.renew()
	case errors.Is(err, client.ErrRateLimited):
		return rateHint(err)
	case errors.As(err, &authority):
		return "if its certificate is of an authority of your own, name that with --ca-file of 'rollcall login', or in " + envfile.CAFile
	case errors.Is(err, client.ErrConnection):
		return "is " + c.baseURL + " right, and does it run? 'rollcall whoami' shows whether it answers"
	case errors.Is(err, client.ErrUnavailable), errors.Is(err, client.ErrInternal):
		return "try again later; if it stays so, report the request id to who runs the server"
	}
	return ""
}

// isForeign tells of a refusal in which nothing is of this API. Servers of HTTPS answer plain HTTP so.
func isForeign(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && refused.Status == http.StatusBadRequest && refused.Code == 0 && refused.OAuthCode == ""
}

// renew says how to change the credentials.
func (c connection) renew() string {
	if c.from == "" {
		return "correct " + strings.Join(connectionVariables, ", ")
	}
	return "type '" + loginCommand(c.from) + "'"
}

func rateHint(err error) string {
	var refused *client.Error
	if errors.As(err, &refused) && refused.RetryAfter > 0 {
		return fmt.Sprintf("try again in %s, or allow longer waits with --max-wait", refused.RetryAfter)
	}
	return "try again later"
}
