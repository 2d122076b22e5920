package roster_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/roster"
)

const yamlSeed = `# a comment
accounts:
  - id: ACCOUNT1
    name: Northwind
    provisioning: refuse
    users:
      - {id: U1, email: Ada@example.com, display_name: "Ada \U0001F469", groups: [owners, security], create_time: 2024-01-15T10:30:00Z}
      - email: bob@example.com
        display_name: Bob
        state: PENDING
        type: guest
        create_time: "2024-01-15T10:30:00.5+02:00"
    generate_users: {count: 3, suspended_fraction: 0.5}
    applications:
      - client_id: my-client
        client_secret: my secret
        name: App
        description: An app
        redirect_url: https://app.example.com/callback
        permissions: [users.list, users.get]
  - name: Second
`

const jsonSeed = `{"accounts": [
	{"id": "ACCOUNT1", "name": "Northwind", "provisioning": "refuse",
	 "users": [
		{"id": "U1", "email": "Ada@example.com", "display_name": "Ada \ud83d\udc69", "groups": ["owners", "security"], "create_time": "2024-01-15T10:30:00Z"},
		{"email": "bob@example.com", "display_name": "Bob", "state": "PENDING", "type": "guest", "create_time": "2024-01-15T10:30:00.5+02:00"}],
	 "generate_users": {"count": 3, "suspended_fraction": 0.5},
	 "applications": [{"client_id": "my-client", "client_secret": "my secret", "name": "App", "description": "An app",
		"redirect_url": "https:\/\/app.example.com/callback", "permissions": ["users.list", "users.get"]}]},
	{"name": "Second"}]}
`

func wantSeed() *roster.Seed {
	return &roster.Seed{Accounts: []roster.Account{
		{
			Account: directory.Account{ID: "ACCOUNT1", Name: "Northwind", Provisioning: directory.RefuseProvisioning},
			Users: []directory.User{
				{ID: "U1", Email: "Ada@example.com", DisplayName: "Ada \U0001F469", Groups: []string{"owners", "security"},
					CreateTime: time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)},
				{Email: "bob@example.com", DisplayName: "Bob", State: directory.Pending, Type: directory.Guest,
					CreateTime: time.Date(2024, 1, 15, 8, 30, 0, 500_000_000, time.UTC)},
			},
			Generate: roster.Generate{Count: 3, SuspendedFraction: 0.5},
			Applications: []roster.Application{{
				Application: oauth.Application{ID: "my-client", Name: "App", Description: "An app",
					RedirectURL: "https://app.example.com/callback", Permissions: access.Set(access.ListUsers | access.GetUser)},
				Secret: oauth.GivenSecret("my secret"),
			}},
		},
		{Account: directory.Account{Name: "Second"}, Users: []directory.User{}, Applications: []roster.Application{}},
	}}
}

// compareSecrets compares secrets by their text, which they show to nothing else.
var compareSecrets = cmp.Comparer(func(a, b oauth.ClientSecret) bool { return a.Reveal() == b.Reveal() })

func TestParseSeed(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"seed.yaml": yamlSeed, "seed.json": jsonSeed, "SEED.JSON": "\ufeff" + jsonSeed, "seed.yml": "\ufeff" + yamlSeed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := roster.ParseSeed(name, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wantSeed(), got, compareSecrets); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// people returns a seed of one account whose users stand on line 3 and the following.
func people(lines ...string) string {
	return "accounts:\n- name: A\n  users:\n" + strings.Join(lines, "\n") + "\n"
}

func TestParseSeedProblems(t *testing.T) {
	t.Parallel()
	const bob = "  - {email: bob@example.com, display_name: Bob}"
	tests := map[string]struct {
		file, text string
		want       []string
	}{
		"unknown state": {text: people(bob, "  - email: eve@example.com", "    display_name: Eve", "    state: GONE"),
			want: []string{`s.yaml:7: user 2: state "GONE" is not known: use ACTIVE, SUSPENDED or PENDING`}},
		"several of one person": {text: people("  - email: eve", "    display_name: ''", "    type: robot", "    state: ACTIVE"),
			want: []string{
				"s.yaml:4: user 1: email must be one bare address such as name@example.com, without spaces, quotes or a display name",
				"s.yaml:5: user 1: display_name is missing",
				`s.yaml:6: user 1: type "robot" is not known: use member, guest or externally_managed`}},
		"missing": {text: people("  - {}"),
			want: []string{"s.yaml:4: user 1: email is missing", "s.yaml:4: user 1: display_name is missing"}},
		"unknown field": {text: people("  - {emial: a@example.com, display_name: A}"),
			want: []string{`s.yaml:4: user 1: field "emial" is not known: did you mean "email"?`, "s.yaml:4: user 1: email is missing"}},
		"very unknown field": {text: "accounts: []\nxylophone: 1",
			want: []string{`s.yaml:2: field "xylophone" is not known: use accounts`}},
		"repeated field": {text: people("  - email: a@example.com", "    display_name: A", "    email: b@example.com"),
			want: []string{`s.yaml:6: user 1: field "email" is repeated: line 4 has it already`}},
		"number for text": {text: people("  - {email: a@example.com, display_name: 2024}"),
			want: []string{"s.yaml:4: user 1: display_name must be text, not a number: put it in quotes"}},
		"null for text": {text: people("  - {email: a@example.com, display_name: Null}"),
			want: []string{"s.yaml:4: user 1: display_name is empty: give text, or leave the field out"}},
		"list for text": {text: people("  - {email: [a@example.com], display_name: A}"),
			want: []string{"s.yaml:4: user 1: email must be text, not a list"}},
		"text for list": {text: "accounts: none", want: []string{"s.yaml:1: accounts must be a list, not text"}},
		"text for object": {text: people("  - bob@example.com"),
			want: []string{"s.yaml:4: user 1: must be a set of fields, not text"}},
		"time": {text: people("  - {email: a@example.com, display_name: A, create_time: 2024-01-15}"),
			want: []string{"s.yaml:4: user 1: create_time must be a time such as 2024-01-15T10:30:00Z (RFC 3339)"}},
		"zero time": {text: people("  - {email: a@example.com, display_name: A, create_time: 0001-01-01T00:00:00Z}"),
			want: []string{"s.yaml:4: user 1: create_time is out of range: 1970 to 9999"}},
		"role in another case": {text: people("  - {email: a@example.com, display_name: A, groups: [Owners]}"),
			want: []string{`s.yaml:4: user 1: groups holds "Owners": the group that carries the role is written "owners"`}},
		"group of a wrong type": {text: people("  - {email: a@example.com, display_name: A, groups: [owners, 7]}"),
			want: []string{"s.yaml:4: user 1: groups item 2 must be text, not a number: put it in quotes"}},
		"address twice": {text: people(bob, "  - {email: BOB@example.com, display_name: Robert}"),
			want: []string{`s.yaml:5: user 2: email "bob@example.com" is taken: line 4 has it already`}},
		"user id twice": {text: people("  - {id: U, email: a@example.com, display_name: A}", "  - {id: U, email: b@example.com, display_name: B}"),
			want: []string{`s.yaml:5: user 2: id "U" is taken: line 4 has it already`}},
		"address of a generated person": {text: "accounts:\n- name: A\n  generate_users: {count: 7}\n  users:\n  - {email: user000007@example.com, display_name: A}",
			want: []string{`s.yaml:5: user 1: email "user000007@example.com" is that of a person generate_users makes`}},
		"account id twice": {text: "accounts:\n- {id: A, name: A}\n- {id: A, name: B}",
			want: []string{`s.yaml:3: account 2: account id "A" is taken: line 2 has it already`}},
		"account": {text: "accounts:\n- id: a/b\n  name: 7\n  provisioning: perhaps",
			want: []string{
				`s.yaml:2: account 1: account id must be 1 to 64 visible ASCII characters without spaces and / : % ? #, and not "." or ".."`,
				"s.yaml:3: account 1: name must be text, not a number: put it in quotes",
				`s.yaml:4: account 1: provisioning "perhaps" is not known: use none, refuse or allow`}},
		"client id twice": {text: "accounts:\n- name: A\n  applications: [{client_id: C, name: A, permissions: [users.get]}]\n- name: B\n  applications:\n  - {client_id: C, name: B, permissions: [users.get]}",
			want: []string{`s.yaml:6: application 1: client_id "C" is taken: line 3 has it already`}},
		"application": {text: "accounts:\n- name: A\n  applications:\n  - name: A\n    permissions: [users.lift]\n    redirect_url: http://localhost\n    client_secret: ''",
			want: []string{
				`s.yaml:5: application 1: permissions holds what is none: permission "users.lift" is not known: use users.list, users.get, users.suspend, users.reactivate, oauth_clients.read, oauth_clients.write`,
				"s.yaml:6: application 1: redirect_url must be an https URL with a host and without user or fragment",
				"s.yaml:7: application 1: client_secret is empty: leave it out to have one made"}},
		"no permissions": {text: "accounts:\n- name: A\n  applications:\n  - name: A\n    permissions: []",
			want: []string{"s.yaml:5: application 1: an application needs at least one permission: users.list users.get users.suspend users.reactivate oauth_clients.read oauth_clients.write"}},
		"generate": {text: "accounts:\n- name: A\n  generate_users:\n    count: 10000001\n    suspended_fraction: .nan",
			want: []string{"s.yaml:4: generate_users: count must be a whole number from 0 to 10000000", "s.yaml:5: generate_users: suspended_fraction must be a number from 0 to 1"}},
		"no accounts":     {text: "accounts: []", want: []string{"s.yaml:1: accounts is empty: a seed file holds at least one"}},
		"empty":           {text: "# nothing\n", want: []string{"s.yaml:1: is empty: a seed file has a field accounts"}},
		"alias":           {text: "accounts: &a\n- name: A\n- *a", want: []string{"s.yaml:1: anchors and aliases (& and *) are not accepted: write the value out"}},
		"tag":             {text: "accounts:\n- name: !secret A", want: []string{`s.yaml:2: the tag "!secret" is not accepted: write the value without it`}},
		"merge key":       {text: "accounts:\n- name: A\n  <<: {id: B}", want: []string{`s.yaml:3: the tag "!!merge" is not accepted: write the value without it`}},
		"two documents":   {text: "accounts: [{name: A}]\n---\naccounts: []", want: []string{"s.yaml:2: a second document starts here: a seed file is one document"}},
		"yaml syntax":     {text: "accounts:\n- name: A\n  users: [\n", want: []string{"s.yaml:3: is not YAML, here or just below: did not find expected node content"}},
		"yaml tab":        {text: "accounts:\n- name: A\n\tusers: []\n", want: []string{"s.yaml:2: is not YAML, here or just below: found a tab character that violates indentation"}},
		"deep yaml":       {text: "accounts:\n " + strings.Repeat("[", 17) + strings.Repeat("]", 17), want: []string{"s.yaml:2: is nested more than 16 deep"}},
		"many values":     {text: strings.Repeat("\n", roster.MaxSeedValues+1), want: []string{"s.yaml: holds more than 8000000 values: have people made with generate_users, or import them from a file of their own"}},
		"large":           {text: strings.Repeat(" ", roster.MaxSeedBytes+1), want: []string{"s.yaml: is larger than 64 MiB: have people made with generate_users, or import them from a file of their own"}},
		"json syntax":     {file: "s.json", text: "{\"accounts\": [\n{\"name\" \"A\"}\n]}", want: []string{"s.json:2: is not JSON: invalid character '\"' after object key"}},
		"json cut off":    {file: "s.json", text: "{\"accounts\": [\n{\"name\": \"A\"}", want: []string{"s.json:2: is not JSON: the text ends in the middle"}},
		"json empty":      {file: "s.json", text: " ", want: []string{"s.json:1: is empty: a seed file has a field accounts"}},
		"json and more":   {file: "s.json", text: "{\"accounts\": [{\"name\": \"A\"}]}\n{}", want: []string{"s.json:2: more follows the end of the JSON value"}},
		"json duplicate":  {file: "s.json", text: "{\"accounts\": [{\n\"name\": \"A\",\n\"name\": \"B\"}]}", want: []string{`s.json:3: account 1: field "name" is repeated: line 2 has it already`}},
		"json latin 1":    {file: "s.json", text: "{\"accounts\": [\n{\"name\": \"Ren\xe9\"}]}", want: []string{"s.json:2: text is not valid UTF-8, or holds U+FFFD, which stands for a damaged character"}},
		"json null":       {file: "s.json", text: "{\"accounts\":\nnull}", want: []string{"s.json:2: accounts is empty: give a list, or leave the field out"}},
		"deep json":       {file: "s.json", text: strings.Repeat("[\n", 17), want: []string{"s.json:17: is nested more than 16 deep"}},
		"utf-16":          {file: "s.json", text: "\xff\xfe{\x00}\x00", want: []string{"s.json:1: is UTF-16 text: save it as UTF-8"}},
		"json wrong type": {file: "s.json", text: "{\"accounts\": [{\"name\": true}]}", want: []string{"s.json:1: account 1: name must be text, not true or false: put it in quotes"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := tt.file
			if file == "" {
				file = "s.yaml"
			}
			seed, err := roster.ParseSeed(file, []byte(tt.text))
			if err == nil {
				t.Fatalf("accepted as %+v", seed)
			}
			if diff := cmp.Diff(tt.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got := fault.KindOf(err); got != fault.KindInvalid {
				t.Errorf("kind %v, want invalid", got)
			}
		})
	}
}

func TestParseSeedTellsTwentyProblems(t *testing.T) {
	t.Parallel()
	var lines []string
	for i := range 3_000 {
		lines = append(lines, fmt.Sprintf("  - {email: u%d@example.com, display_name: U, x: 1}", i))
	}
	_, err := roster.ParseSeed("s.yaml", []byte(people(lines...)))
	var all *roster.FileError
	if !errors.As(err, &all) {
		t.Fatalf("got %v", err)
	}
	if len(all.Problems) != roster.MaxProblems || !all.More {
		t.Errorf("got %d problems and more = %v, want %d and true", len(all.Problems), all.More, roster.MaxProblems)
	}
	if last := strings.Split(err.Error(), "\n"); last[len(last)-1] != "s.yaml: there is more: these are the first 20 problems" {
		t.Errorf("ends with %q", last[len(last)-1])
	}
}

func TestParseSeedKeepsSecretsOutOfErrors(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-h\u00fcnter2"
	_, err := roster.ParseSeed("s.yaml", []byte("accounts:\n- name: A\n  applications: [{name: A, permissions: [users.get], client_secret: "+secret+"}]"))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want a refusal without the secret", err)
	}
}

func TestReadSeed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "seed.yaml")
	if _, err := roster.ReadSeed(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
	if err := os.WriteFile(path, []byte(yamlSeed), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := roster.ReadSeed(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantSeed(), got, compareSecrets); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
