package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// patience is how long a client waits for an answer: longer than the promise, so that breaking it is seen.
const patience = 28 * time.Second

// app is an OAuth application's credentials.
type app struct {
	Account string `json:"account_id"`
	ID      string `json:"client_id"`
	Secret  string `json:"client_secret"`
}

// client calls the API at one base URL.
type client struct {
	base string
	http *http.Client
}

func newClient(base string) *client {
	return &client{base, &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}}}
}

// outcome is what a client can tell of a request.
type outcome int

const (
	done    outcome = iota // it was answered as it should be
	unknown                // 503 with Retry-After, or the connection was cut: it may have happened
	refused                // it was answered with a refusal; whether that is right, the caller knows
)

// answer is what came back.
type answer struct {
	outcome outcome
	status  int // 0 = nothing
	body    []byte
	err     error
	began   time.Time
	took    time.Duration
	bare    bool // a 503 without Retry-After
}

// do sends one request and waits for its answer.
func (c *client) do(ctx context.Context, method, path string, auth func(*http.Request), form url.Values) answer {
	if form == nil {
		return c.send(ctx, method, path, auth, "", "")
	}
	return c.send(ctx, method, path, auth, "application/x-www-form-urlencoded", form.Encode())
}

// send is do with any body; none if its type is empty.
func (c *client) send(ctx context.Context, method, path string, auth func(*http.Request), contentType, text string) answer {
	a := answer{began: time.Now()}
	var body io.Reader
	if contentType != "" {
		body = strings.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		a.outcome, a.err = refused, err
		return a
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	auth(req)
	res, err := c.http.Do(req)
	if err == nil {
		a.status = res.StatusCode
		a.body, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
	}
	a.took = time.Since(a.began)
	switch {
	case err != nil:
		a.outcome, a.err = unknown, err
	case a.status == http.StatusOK, a.status == http.StatusNoContent:
		a.outcome = done
	case a.status == http.StatusServiceUnavailable:
		a.outcome, a.bare = unknown, res.Header.Get("Retry-After") == ""
	default:
		a.outcome = refused
	}
	return a
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func basic(a app) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(a.ID, a.Secret) }
}

// issue asks for a token.
func (c *client) issue(ctx context.Context, a app) (string, answer) {
	got := c.do(ctx, http.MethodPost, "/v1/oauth/token", basic(a), url.Values{"grant_type": {"client_credentials"}})
	if got.outcome != done {
		return "", got
	}
	var body struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(got.body, &body); err != nil || body.Token == "" {
		got.outcome, got.err = refused, errors.Join(errors.New("a token's answer without a token"), err)
	}
	return body.Token, got
}

// revoke ends a token.
func (c *client) revoke(ctx context.Context, a app, token string) answer {
	return c.do(ctx, http.MethodPost, "/v1/oauth/revoke", basic(a), url.Values{"token": {token}})
}

// user is asked about one person: "" to get, ":suspend", ":reactivate". The state is that of the answer.
func (c *client) user(ctx context.Context, a app, token, id, verb string) (string, answer) {
	method := http.MethodPost
	if verb == "" {
		method = http.MethodGet
	}
	got := c.do(ctx, method, "/v1/accounts/"+a.Account+"/users/"+id+verb, bearer(token), nil)
	if got.outcome != done {
		return "", got
	}
	var body struct{ ID, State string }
	if err := json.Unmarshal(got.body, &body); err != nil || body.ID != id {
		got.outcome, got.err = refused, errors.Join(errors.New("an answer about somebody else"), err)
	}
	return body.State, got
}
