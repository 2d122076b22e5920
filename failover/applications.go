package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// subjectPermissions are those of an application that is managed by others.
const subjectPermissions = "users.list,users.get,users.suspend,users.reactivate"

// application manages an application: its id and what follows it in the path, "" for all of them.
func (c *client) application(ctx context.Context, manager app, token, method, rest, body string) answer {
	contentType := ""
	if body != "" {
		contentType = "application/json"
	}
	path := "/v1/accounts/" + manager.Account + "/oauth-clients"
	if rest != "" {
		path += "/" + rest
	}
	return c.send(ctx, method, path, bearer(token), contentType, body)
}

// create makes an application.
func (c *client) create(ctx context.Context, manager app, token string) (app, answer) {
	a := c.application(ctx, manager, token, http.MethodPost, "", `{"name":"Subject","permissions":["`+strings.ReplaceAll(subjectPermissions, ",", `","`)+`"]}`)
	if a.outcome != done {
		return app{}, a
	}
	var made struct {
		ID     string `json:"id"`
		Secret string `json:"client_secret"`
	}
	if err := json.Unmarshal(a.body, &made); err != nil || made.ID == "" || made.Secret == "" {
		a.outcome, a.err = refused, errors.Join(errors.New("an application without id or secret"), err)
		return app{}, a
	}
	return app{manager.Account, made.ID, made.Secret}, a
}

// secretOf is the secret in an answer to rotating.
func secretOf(a answer) string {
	var made struct {
		Secret string `json:"client_secret"`
	}
	if json.Unmarshal(a.body, &made) != nil {
		return ""
	}
	return made.Secret
}
