package main

import (
	"github.com/rollcall-id/rollcall/internal/envfile"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

func (c credentials) applicationAssignments() []envfile.Assignment {
	return []envfile.Assignment{
		{Name: envfile.AccountID, Value: string(c.Account)}, {Name: envfile.ClientID, Value: string(c.Client)},
		{Name: envfile.ClientSecret, Value: c.Secret.Reveal()},
	}
}

func (c credentials) assignments() []envfile.Assignment {
	set := append([]envfile.Assignment{{Name: envfile.BaseURL, Value: c.BaseURL}}, c.applicationAssignments()...)
	return append(set, envfile.Assignment{Name: envfile.CAFile, Value: c.CAFile})
}

// writeEnvFile writes the credentials as shell assignments.
func writeEnvFile(path string, c credentials) error {
	file, err := envfile.Begin(path)
	if err != nil {
		return err
	}
	return file.Finish(c.assignments())
}

// readEnvFile reads what an earlier run wrote; nothing if there is no such file.
func readEnvFile(path string) credentials {
	variables := envfile.Read(path)
	c := credentials{Client: ident.ClientID(variables[envfile.ClientID])}
	if secret := variables[envfile.ClientSecret]; secret != "" {
		c.Secret = oauth.GivenSecret(secret)
	}
	return c
}
