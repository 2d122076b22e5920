package cli

import (
	"github.com/rollcall-id/rollcall/client"
)

// userSheet shows people.
var userSheet = &sheet[client.User]{
	all:   []string{"id", "email", "display_name", "state", "create_time", "path"},
	table: []string{"id", "state", "email", "display_name"},
	value: func(u client.User, column string) any {
		switch column {
		case "id":
			return u.ID
		case "email":
			return u.Email
		case "display_name":
			return u.DisplayName
		case "state":
			return string(u.State)
		case "create_time":
			return u.CreateTime
		case "path":
			return u.Path
		}
		return nil
	},
}

// applicationSheet shows OAuth applications. When one was last used is no field of the
// API but the latest of several.
var applicationSheet = &sheet[client.Application]{
	all:   []string{"id", "name", "description", "redirect_url", "permissions", "state", "create_time", "last_used_time", "path", "secrets"},
	table: []string{"id", "name", "state", "last_used_time", "permissions"},
	value: func(a client.Application, column string) any {
		switch column {
		case "id":
			return a.ID
		case "name":
			return a.Name
		case "description":
			return a.Description
		case "redirect_url":
			return a.RedirectURL
		case "permissions":
			return a.Permissions
		case "state":
			return string(a.State)
		case "create_time":
			return a.CreateTime
		case "last_used_time":
			return lastUsed(a)
		case "path":
			return a.Path
		case "secrets":
			return a.Secrets
		}
		return nil
	},
}

// lastUsed is when the application last authenticated with a secret that still works;
// nil = never.
func lastUsed(a client.Application) (last *client.Timestamp) {
	for _, s := range a.Secrets {
		if s.LastUsedTime != nil && (last == nil || s.LastUsedTime.After(last.Time)) {
			last = s.LastUsedTime
		}
	}
	return last
}
