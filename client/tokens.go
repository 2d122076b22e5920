package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Token is an access token.
type Token struct {
	Value Secret
	// Lifetime is what the server gave it, counted from before it was asked.
	Lifetime time.Duration
	// Expiry is the end of that, by Config.Now: no clock of a server is looked at.
	Expiry time.Time
}

// publishedLifetime is assumed where an answer tells none (contract section 6).
const publishedLifetime = 900 * time.Second

// usable tells whether the token will outlive a request that is sent now.
func (t Token) usable(now time.Time) bool {
	return t.Value != (Secret{}) && now.Before(t.Expiry.Add(-min(5*time.Second, t.Lifetime/20)))
}

// renewAt is when a new token is fetched while this one is still used.
func (t Token) renewAt() time.Time { return t.Expiry.Add(-min(time.Minute, t.Lifetime/5)) }

// TokensService issues and revokes access tokens.
type TokensService struct{ client *Client }

// Issue asks for a new token, which is the caller's: other calls do not use it,
// and Close does not revoke it. ErrBadCredentials where the application's id or
// secret is wrong.
func (s *TokensService) Issue(ctx context.Context) (Token, error) {
	t, err := s.client.issue(ctx)
	if err != nil {
		return Token{}, fmt.Errorf("client: %w", err)
	}
	return t, nil
}

// Revoke ends a token of this application at once. A token that is unknown or has
// ended already is no error (RFC 7009 section 2.2), nor is another application's,
// which lives on.
func (s *TokensService) Revoke(ctx context.Context, token Secret) error {
	c := s.client
	if token.Reveal() == "" {
		return fmt.Errorf("client: revoke a token: %w: the token is empty", ErrInvalidArgument)
	}
	form := url.Values{"token": {token.Reveal()}}.Encode()
	err := c.persist(ctx, func() error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.routes.revoke, strings.NewReader(form))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		// As package oauth2 does for the token (RFC 6749 section 2.3.1).
		r.SetBasicAuth(url.QueryEscape(c.config.ClientID), url.QueryEscape(c.config.ClientSecret.Reveal()))
		a, err := c.exchange(ctx, r)
		if err == nil && a.status != http.StatusOK {
			err = refusal(a, c.config.Now())
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("client: revoke a token: %w", err)
	}
	c.source.reject(token)
	return nil
}

// issue asks for a token until there is one or no hope of one.
func (c *Client) issue(ctx context.Context) (Token, error) {
	var token Token
	err := c.persist(ctx, func() (err error) {
		token, err = c.askToken(ctx)
		return err
	})
	if err != nil {
		return Token{}, fmt.Errorf("get an access token: %w", err)
	}
	return token, nil
}

func (c *Client) askToken(ctx context.Context) (Token, error) {
	began := c.config.Now()
	attempt, cancel := context.WithTimeoutCause(ctx, c.config.AttemptTimeout, errAttemptTimeout)
	defer cancel()
	// Made anew each time: kept in the client, fmt would print the secret in it.
	credentials := clientcredentials.Config{
		ClientID: c.config.ClientID, ClientSecret: c.config.ClientSecret.Reveal(),
		TokenURL: c.routes.token, AuthStyle: oauth2.AuthStyleInHeader,
	}
	t, err := credentials.Token(context.WithValue(attempt, oauth2.HTTPClient, c.http))
	if err != nil {
		return Token{}, c.tokenError(ctx, err)
	}
	if t.Type() != "Bearer" {
		return Token{}, fmt.Errorf("%w: the token is of type %q, not Bearer", ErrUnexpected, printable(t.TokenType))
	}
	lifetime := lifetimeOf(t)
	return Token{Value: NewSecret(t.AccessToken), Lifetime: lifetime, Expiry: began.Add(lifetime)}, nil
}

// lifetimeOf reads expires_in, a number or a numeral. Package oauth2 gives an
// expiry by the system's clock only.
func lifetimeOf(t *oauth2.Token) time.Duration {
	seconds, err := strconv.ParseFloat(fmt.Sprint(t.Extra("expires_in")), 64)
	if err != nil {
		return publishedLifetime
	}
	return time.Duration(min(max(seconds, 0), 24*3600)) * time.Second
}

// tokenError reads what package oauth2 made of an answer. Its own text repeats the
// body, so it is not kept.
func (c *Client) tokenError(ctx context.Context, err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return refusal(answer{status: refused.Response.StatusCode, header: refused.Response.Header, body: refused.Body}, c.config.Now())
	}
	var transfer *url.Error
	if errors.As(err, &transfer) {
		return connectionError(ctx, err)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w: the token endpoint did not answer in JSON: check the base URL", ErrUnexpected)
	}
	return fmt.Errorf("%w: %s", ErrUnexpected, strings.TrimPrefix(err.Error(), "oauth2: "))
}
