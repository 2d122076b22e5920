package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/envfile"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/node"
)

// announce tells how to connect: on standard output, and in the environment file.
func (d *dev) announce(ctx context.Context, core *node.Core, c credentials) error {
	someone, count, err := example(ctx, core, c.Account)
	if err != nil {
		return err
	}
	if d.EnvFile != "" {
		if err := writeEnvFile(d.EnvFile, c); err != nil {
			return err
		}
	}
	// A database that can't be written to at the moment, or is damaged, is served as far as
	// it can be: no link is no reason to end.
	door, err := d.door(ctx, core, c)
	if err != nil {
		d.logger.Warn("no link to the console could be made", "error", err)
		door = "no link could be made now: start again, or use 'rollcall admin user reset OWNER --data " + d.dir + "'"
	}
	_, err = fmt.Fprint(d.world.stdout, d.banner(c, count, door), curls(c, someone))
	return err
}

// door is where to open the console: a one-time link of the account's first owner.
func (d *dev) door(ctx context.Context, core *node.Core, c credentials) (string, error) {
	owners, err := core.Directory.People(ctx, devCaller, c.Account, directory.PeopleQuery{Group: directory.Owners})
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(owners.People, func(u directory.User) bool { return u.State != directory.Suspended })
	if i < 0 {
		return "there is no owner to open it for", nil
	}
	owner := owners.People[i]
	link, err := core.SignIn.FirstOwnerLink(ctx, devCaller, c.Account, owner.ID)
	if err != nil {
		return "", err
	}
	return linkURL(browserURL(c.BaseURL), link) + "   (" + owner.DisplayName + ", an owner; works once)", nil
}

// browserURL names this machine as browsers want it: passkeys work at localhost, and at no
// address.
func browserURL(base string) string { return strings.Replace(base, "//127.0.0.1:", "//localhost:", 1) }

// example finds somebody who can be suspended, and counts the account's people as far as it is quick.
func example(ctx context.Context, core *node.Core, account ident.AccountID) (someone ident.UserID, count int, err error) {
	err = core.Directory.EachUser(ctx, devCaller, account, func(u directory.User) bool {
		count++
		if someone == "" && u.State == directory.Active && u.Type == directory.Member && !slices.Contains(u.Groups, directory.Owners) {
			someone = u.ID
		}
		return count < 1000
	})
	return someone, count, err
}

func (d *dev) banner(c credentials, people int, door string) string {
	kept := "This folder is removed at exit."
	if d.Data != "" {
		kept = "The folder is kept."
	}
	if d.continued {
		kept += " It held a database, which is continued."
	}
	counted := fmt.Sprint(people)
	if people >= 1000 {
		counted = "1000 or more"
	}
	ca := c.CAFile
	if ca == "" {
		ca = "none: TLS is off"
	}
	return fmt.Sprintf(`
  !!  THROWAWAY SERVER: for building and testing, never for real people.  !!
  !!  Its certificate authority was made for this run alone.              !!

  base URL       %s
  account id     %s   (%s people)
  client id      %s
  client secret  %s
  CA file        %s
  data           %s   %s
  reference      %s/docs
  console        %s

`, c.BaseURL, c.Account, counted, c.Client, c.Secret.Reveal(), ca, d.dir, kept, c.BaseURL, door)
}

// curls are four commands that work as they are pasted.
func curls(c credentials, someone ident.UserID) string {
	curl := `curl -sS -w '\n'`
	if c.CAFile != "" {
		curl += " --cacert " + envfile.Quote(c.CAFile)
	}
	users := c.BaseURL + "/v1beta1/accounts/" + string(c.Account) + "/users"
	if someone == "" {
		someone = "USER_ID"
	}
	bearer := ` -H "Authorization: Bearer $TOKEN" ` //nolint:gosec // a variable of the shell, not a secret
	return strings.Join([]string{
		"Try it: get a token, list who is active, suspend somebody, let them back in.\n",
		"TOKEN=$(" + curl + " -u " + envfile.Quote(string(c.Client)+":"+c.Secret.Reveal()) + " -d grant_type=client_credentials " +
			c.BaseURL + `/v1beta1/users/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')`,
		curl + bearer + envfile.Quote(users+"?filter=user.isActive()&max_page_size=5"),
		curl + bearer + "-X POST " + envfile.Quote(users+"/"+string(someone)+":suspend"),
		curl + bearer + "-X POST " + envfile.Quote(users+"/"+string(someone)+":reactivate"),
		"\nPress Ctrl-C to end.\n",
	}, "\n")
}
