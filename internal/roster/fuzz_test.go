package roster_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/roster"
)

// complete is how a person who was accepted is filled in before they are added.
func complete(t *testing.T, u directory.User) {
	t.Helper()
	if err := (&directory.Service{Rand: rand.Reader}).Complete(&u, now); err != nil {
		t.Errorf("accepted %+v, which is refused: %v", u, err)
	}
}

// located makes sure that an error names the file and is told as the file's fault.
func located(t *testing.T, err error) {
	t.Helper()
	var row *roster.RowError
	if !errors.As(err, &row) || fault.KindOf(err) != fault.KindInvalid || !strings.HasPrefix(err.Error(), row.File+":") {
		t.Errorf("the error names no place: %v", err)
	}
}

func FuzzParseSeed(f *testing.F) {
	f.Add([]byte(yamlSeed), false)
	f.Add([]byte(jsonSeed), true)
	f.Add([]byte("accounts: [{name: A, users: [{email: a@example.com, display_name: 7}]}]"), false)
	f.Add([]byte("accounts:\n- &a {name: A}\n- *a\n- <<: *a\n---\n? {}\n: !x y"), false)
	f.Fuzz(func(t *testing.T, data []byte, asJSON bool) {
		name := "s.yaml"
		if asJSON {
			name = "s.json"
		}
		seed, err := roster.ParseSeed(name, data)
		if err != nil {
			located(t, err)
			return
		}
		for _, a := range seed.Accounts {
			if a.Generate.Count < 0 || a.Generate.Count > roster.MaxGenerated {
				t.Errorf("accepted %d generated people", a.Generate.Count)
			}
			emails := map[string]bool{}
			for _, u := range a.Users {
				complete(t, u)
				if emails[u.Email.Key()] {
					t.Errorf("accepted %s twice", u.Email)
				}
				emails[u.Email.Key()] = true
			}
			for _, app := range a.Applications {
				if app.ID == "" {
					app.ID = ident.ClientID("made")
				}
				if err := app.Validate(); err != nil {
					t.Errorf("accepted %+v, which is refused: %v", app, err)
				}
			}
		}
	})
}

func fuzzUsers(f *testing.F, name string) {
	f.Fuzz(func(t *testing.T, data []byte) {
		for u, err := range roster.Users(name, bytes.NewReader(data)) {
			if err != nil {
				located(t, err)
				continue
			}
			complete(t, u)
		}
	})
}

func FuzzUsersCSV(f *testing.F) {
	f.Add([]byte(csvPeople))
	f.Add([]byte("email,display_name,groups\na@example.com,\"A\n\",x|y;;\nb,\n"))
	fuzzUsers(f, "p.csv")
}

func FuzzUsersJSON(f *testing.F) {
	f.Add([]byte(jsonPeople))
	f.Add([]byte(`[{"email":"a@example.com","display_name":"A","x":[[{}]]}, null, 1e9]`))
	fuzzUsers(f, "p.json")
}

func FuzzUsersJSONL(f *testing.F) {
	f.Add([]byte(jsonlPeople))
	fuzzUsers(f, "p.jsonl")
}
