package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/bench/load"
)

// caller is the application that calls, and what it knows.
type caller struct {
	host, account    string
	clientID, secret string
	bearer           string
	people           []string // ids of active people other than the owner, in random order
}

// scenario is one kind of request that is measured by itself.
type scenario struct {
	name   string
	target float64 // CPU microseconds
	// bare is the handler without rollcall that gets the same requests, and bareTarget what it costs on a machine
	// for which the target holds, in CPU microseconds.
	bare       string
	bareTarget float64
	// script makes what connections clients of perClient requests each send.
	script func(c caller, perClient int) load.Script
}

// The scenarios with the targets of the project, in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		{name: "token", target: 150, bare: postBare, bareTarget: 29, script: func(c caller, _ int) load.Script { return c.token() }},
		{name: "suspend", target: 160, bare: postBare, bareTarget: 29, script: caller.change},
		{name: "list", target: 120, bare: getBare, bareTarget: 26, script: func(c caller, _ int) load.Script {
			return c.list("?max_page_size=25", pageSize, more)
		}},
		{name: "get", target: 80, bare: getBare, bareTarget: 26, script: caller.get},
	}
}

const (
	userAgent = "User-Agent: RollcallBench/1.0\r\n"
	// pageSize is the published default, and what every measured page holds.
	pageSize = 25
	// more says that another page follows, last that none does.
	more, last = true, false
)

// token asks for one access token after the other.
func (c caller) token() load.Script {
	const form = "grant_type=client_credentials&scope=openid"
	request := fmt.Appendf(nil, "POST /v1beta1/users/oauth2/token HTTP/1.1\r\nHost: %s\r\n%sAuthorization: %s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		c.host, userAgent, basic(c.clientID, c.secret), len(form), form)
	return load.Script{
		Append: func(wire []byte, _, _ int) []byte { return append(wire, request...) },
		Check: func(_, _ int, answer load.Answer) error {
			_, err := readToken(answer)
			return err
		},
	}
}

// get reads person after person, each connection beginning elsewhere.
func (c caller) get(perClient int) load.Script {
	person := func(client, i int) string { return c.people[(client*perClient+i)%len(c.people)] }
	return load.Script{
		Append: func(wire []byte, client, i int) []byte { return c.request(wire, "GET", "/"+person(client, i)) },
		Check: func(client, i int, answer load.Answer) error {
			return checkUser(answer, c.account, person(client, i), api.StateActive)
		},
	}
}

// change suspends people of each connection's own, and then reactivates them in the same order: every request changes
// a state, none finds its row warm from the one before, and the run leaves everybody as it found them.
func (c caller) change(perClient int) load.Script {
	half := perClient / 2
	person := func(client, i int) string { return c.people[(client*half+i%half)%len(c.people)] }
	return load.Script{
		Append: func(wire []byte, client, i int) []byte {
			verb := ":suspend"
			if i >= half {
				verb = ":reactivate"
			}
			return c.request(wire, "POST", "/"+person(client, i)+verb)
		},
		Check: func(client, i int, answer load.Answer) error {
			want := api.StateSuspended
			if i >= half {
				want = api.StateActive
			}
			return checkUser(answer, c.account, person(client, i), want)
		},
	}
}

// list reads the same page again and again; every 32nd answer is read in full.
func (c caller) list(query string, size int, follows bool) load.Script {
	request := c.request(nil, "GET", query)
	return load.Script{
		Append: func(wire []byte, _, _ int) []byte { return append(wire, request...) },
		Check: func(_, i int, answer load.Answer) error {
			if i%32 == 0 {
				return checkPage(answer, size, follows)
			}
			return skimPage(answer, size, follows)
		},
	}
}

// request appends a resource request without a body; tail follows ".../users" in its target.
func (c caller) request(wire []byte, method, tail string) []byte {
	wire = append(append(wire, method...), " /v1beta1/accounts/"...)
	wire = append(append(append(wire, c.account...), "/users"...), tail...)
	wire = append(append(wire, " HTTP/1.1\r\nHost: "...), c.host...)
	wire = append(append(wire, "\r\n"+userAgent+"Authorization: Bearer "...), c.bearer...)
	wire = append(wire, "\r\n"...)
	if method == "POST" {
		wire = append(wire, "Content-Length: 0\r\n"...)
	}
	return append(wire, "\r\n"...)
}

func readToken(answer load.Answer) (string, error) {
	var token api.TokenResponse
	if err := read(answer, &token); err != nil {
		return "", err
	}
	if token.AccessToken == "" || token.TokenType != api.TokenTypeBearer || token.ExpiresIn <= 0 {
		return "", errors.New("the token answer lacks a token, its type or its lifetime")
	}
	return token.AccessToken, nil
}

func checkUser(answer load.Answer, account, id string, state api.State) error {
	var user api.User
	if err := read(answer, &user); err != nil {
		return err
	}
	if path := "accounts/" + account + "/users/" + id; user.ID != id || user.Path != path || user.State != state || user.Email == "" {
		return fmt.Errorf("got %s %s, want %s %s", user.Path, user.State, path, state)
	}
	return nil
}

// checkPage reads a page in full.
func checkPage(answer load.Answer, size int, follows bool) error {
	page, err := readPage(answer)
	if err != nil {
		return err
	}
	complete := func(u api.User) bool { return u.ID == "" || u.Email == "" || u.State == "" }
	if slices.ContainsFunc(page.Results, complete) {
		return errors.New("a person on the page is incomplete")
	}
	if got := page.NextPageToken != ""; len(page.Results) != size || got != follows {
		return fmt.Errorf("page of %d people, another follows: %v; want %d, %v", len(page.Results), got, size, follows)
	}
	return nil
}

func readPage(answer load.Answer) (api.ListUsersResponse, error) {
	var page api.ListUsersResponse
	err := read(answer, &page)
	return page, err
}

// skimPage counts people without reading them, which would cost the client as much as the server's work.
func skimPage(answer load.Answer, size int, follows bool) error {
	if answer.Status != 200 {
		return unexpected(answer)
	}
	people := bytes.Count(answer.Body, []byte(`"create_time":`))
	next := bytes.Contains(answer.Body, []byte(`"next_page_token":`))
	if people != size || next != follows || !json.Valid(answer.Body) {
		return fmt.Errorf("page of %d people, another follows: %v; want %d, %v", people, next, size, follows)
	}
	return nil
}

// read decodes a successful answer that has the given shape and nothing else.
func read(answer load.Answer, into any) error {
	if answer.Status != 200 {
		return unexpected(answer)
	}
	decoder := json.NewDecoder(bytes.NewReader(answer.Body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("read answer %.200q: %w", answer.Body, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("answer %.200q goes on after its end", answer.Body)
	}
	return nil
}

func unexpected(answer load.Answer) error {
	return fmt.Errorf("status %d, want 200: %.300s", answer.Status, answer.Body)
}
