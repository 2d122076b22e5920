package roster

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// maxSecret bounds a given client secret, in bytes: it has to fit a header with room to spare.
const maxSecret = 256

// Seed is a description of whole accounts.
type Seed struct {
	Accounts []Account
}

// Account is an account with everything in it. An empty id is made when it is created.
type Account struct {
	directory.Account
	Users        []directory.User // what was left out is empty, as directory.Service.Complete takes it
	Generate     Generate
	Applications []Application
}

// Application is an application with its secret. An empty id and an empty secret are made when it is created.
type Application struct {
	oauth.Application
	Secret oauth.ClientSecret
}

// ReadSeed reads a seed file of at most MaxSeedBytes: JSON where the name ends in
// .json, else YAML. What is wrong with its content comes as a *FileError.
func ReadSeed(path string) (*Seed, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the seed file: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSeedBytes+1))
	_ = f.Close() // was only read
	if err != nil {
		return nil, fmt.Errorf("read the seed file: %w", err)
	}
	return ParseSeed(path, data)
}

// ParseSeed is ReadSeed of a file's content; name is how errors call the file.
func ParseSeed(name string, data []byte) (*Seed, error) {
	r := &report{file: name}
	if len(data) > MaxSeedBytes {
		r.add(0, "", fault.Invalid("is larger than %d MiB: have people made with generate_users, or import them from a file of their own",
			MaxSeedBytes>>20))
		return nil, r.err()
	}
	parse := parseYAML
	if strings.EqualFold(filepath.Ext(name), ".json") {
		parse = parseJSON
	}
	root, ok := parse(r, data)
	if !ok {
		return nil, r.err()
	}
	s := &seedReader{report: r, accounts: unique{}, clients: unique{}}
	seed := s.seed(root)
	if err := r.err(); err != nil {
		return nil, err
	}
	return seed, nil
}

// draft is an account as it is written: its lists are read after it, so that a
// mistake in one of them hides no other.
type draft struct {
	directory.Account
	users, generate, applications node
}

var (
	rootShape = &shape[node]{
		fields:   map[string]func(*node, node) error{"accounts": keepList},
		required: []string{"accounts"},
		check:    func(*node) error { return nil },
	}
	accountShape = &shape[draft]{
		fields: map[string]func(*draft, node) error{
			"id":             func(d *draft, n node) error { return n.given((*string)(&d.ID)) },
			"name":           func(d *draft, n node) error { return n.into(&d.Name) },
			"provisioning":   func(d *draft, n node) error { return n.chosen((*string)(&d.Provisioning)) },
			"users":          func(d *draft, n node) error { return keepList(&d.users, n) },
			"generate_users": func(d *draft, n node) error { d.generate = n; return n.want(object) },
			"applications":   func(d *draft, n node) error { return keepList(&d.applications, n) },
		},
		required: []string{"name"},
		check:    checkAccount,
		sound:    draft{Account: directory.Account{Name: "Sound"}},
	}
	generateShape = &shape[Generate]{
		fields: map[string]func(*Generate, node) error{
			"count":              func(g *Generate, n node) (err error) { g.Count, err = n.whole(MaxGenerated); return err },
			"suspended_fraction": func(g *Generate, n node) (err error) { g.SuspendedFraction, err = n.fraction(); return err },
		},
		required: []string{"count"},
		check:    func(*Generate) error { return nil },
	}
	applicationShape = &shape[Application]{
		fields: map[string]func(*Application, node) error{
			"client_id":     func(a *Application, n node) error { return n.given((*string)(&a.ID)) },
			"client_secret": readSecret,
			"name":          func(a *Application, n node) error { return n.into(&a.Name) },
			"description":   func(a *Application, n node) error { return n.into(&a.Description) },
			"redirect_url":  func(a *Application, n node) error { return n.into(&a.RedirectURL) },
			"permissions":   readPermissions,
		},
		required: []string{"name", "permissions"},
		check:    checkApplication,
		sound:    Application{Application: oauth.Application{Name: "Sound", Permissions: access.Set(access.ListUsers)}},
	}
)

func keepList(into *node, n node) error {
	*into = n
	return n.want(list)
}

func checkAccount(d *draft) error {
	whole := d.Account
	if whole.ID == "" {
		whole.ID = "made-later"
	}
	if whole.Provisioning == "" {
		whole.Provisioning = directory.NoProvisioning
	}
	return whole.Validate()
}

func checkApplication(a *Application) error {
	whole := a.Application
	if whole.ID == "" {
		whole.ID = "made-later"
	}
	return whole.Validate()
}

func readPermissions(a *Application, n node) error {
	names, err := n.texts()
	if err != nil {
		return err
	}
	a.Permissions, err = access.ParseSet(names)
	if err != nil {
		return fmt.Errorf("holds what is none: %w", err)
	}
	return nil
}

// readSecret takes any text that can be sent as a secret (RFC 6749 appendix A.2); it is never repeated in an error.
func readSecret(a *Application, n node) error {
	var clear string
	if err := n.given(&clear); err != nil {
		return err
	}
	if len(clear) > maxSecret || strings.ContainsFunc(clear, func(c rune) bool { return c < 0x20 || c > 0x7e }) {
		return fault.Invalid("must be 1 to %d printable ASCII characters", maxSecret)
	}
	a.Secret = oauth.GivenSecret(clear)
	return nil
}

// seedReader makes a seed of nodes, and sees to it that nothing is there twice.
type seedReader struct {
	*report
	accounts, clients unique
}

func (s *seedReader) seed(root node) *Seed {
	accounts, ok := rootShape.read(s.report, "", root)
	if !ok {
		return nil
	}
	if len(accounts.items) == 0 {
		s.add(accounts.line, "", fault.Invalid("accounts is empty: a seed file holds at least one"))
	}
	seed := &Seed{Accounts: make([]Account, 0, len(accounts.items))}
	for i, n := range accounts.items {
		if s.more {
			break
		}
		seed.Accounts = append(seed.Accounts, s.account(place("account", i), n))
	}
	return seed
}

func (s *seedReader) account(where string, n node) Account {
	d, ok := accountShape.read(s.report, where, n)
	a := Account{Account: d.Account}
	if ok && a.ID != "" {
		s.accounts.claim(s.report, n.get("id"), where, "account id", string(a.ID))
	}
	if d.generate.kind == object {
		a.Generate, _ = generateShape.read(s.report, "generate_users", d.generate)
	}
	a.Users = s.users(d.users, a.Generate)
	a.Applications = s.applications(d.applications)
	return a
}

func (s *seedReader) users(all node, generated Generate) []directory.User {
	ids, emails := unique{}, unique{}
	users := make([]directory.User, 0, len(all.items))
	for i, n := range all.items {
		if s.more {
			break
		}
		where := place("user", i)
		u, ok := userShape.read(s.report, where, n)
		if !ok {
			continue
		}
		if u.ID != "" {
			ids.claim(s.report, n.get("id"), where, "id", string(u.ID))
		}
		emails.claim(s.report, n.get("email"), where, "email", u.Email.Key())
		if generated.makes(u.Email) {
			s.add(n.get("email").line, where, fault.Invalid("email %q is that of a person generate_users makes", u.Email))
		}
		users = append(users, u)
	}
	return users
}

func (s *seedReader) applications(all node) []Application {
	apps := make([]Application, 0, len(all.items))
	for i, n := range all.items {
		if s.more {
			break
		}
		where := place("application", i)
		a, ok := applicationShape.read(s.report, where, n)
		if ok && a.ID != "" {
			s.clients.claim(s.report, n.get("client_id"), where, "client_id", string(a.ID))
		}
		apps = append(apps, a)
	}
	return apps
}

// place names one of several, counted from 1 as people do.
func place(what string, index int) string { return fmt.Sprintf("%s %d", what, index+1) }
