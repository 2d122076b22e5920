package main

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// database is a data folder with one account in it, and the credentials of its one application.
type database struct {
	folder, seed     string
	account          string
	clientID, secret string
	quiet            []credentials // of other applications
	people           int           // the owner not counted
	url              string        // on a PostgreSQL server; empty = in the folder
}

// credentials are an application's.
type credentials struct{ clientID, secret string }

func newCredentials() credentials {
	return credentials{uuid.NewString(), rand.Text() + rand.Text()}
}

// quietOnes is how many applications an account has besides the one that most scenarios use: enough for those that ask
// without limits, those that stay within them, and the one that does not (see neighbour).
const quietOnes = fewQuiet + manyQuiet + 1

// suspendedShare of the people are suspended from the start, as on a real account.
const suspendedShare = "0.1"

// seedText is the seed file of contract and issue: people without number, one owner older than all of them, who can't
// be suspended, one application that may do everything,
// and a few that only read.
const seedText = `accounts:
  - id: %s
    name: Benchmark
    users:
      - {email: owner@bench.example, display_name: Owner, groups: [owners], create_time: "2001-01-01T00:00:00Z"}
    generate_users: {count: %d, suspended_fraction: ` + suspendedShare + `}
    applications:
      - client_id: %s
        client_secret: %s
        name: bench
        permissions: [users.list, users.get, users.suspend, users.reactivate]
`

// quietText is one more application.
const quietText = `      - client_id: %s
        client_secret: %s
        name: quiet %d
        permissions: [users.list, users.get]
`

// newDatabase writes the seed of a database under dir; the server's first start fills it.
func newDatabase(dir, name string, people int) (database, error) {
	d := database{
		folder: filepath.Join(dir, name), seed: filepath.Join(dir, name+".yaml"),
		account: newAccountID(), clientID: uuid.NewString(), secret: rand.Text() + rand.Text(), people: people,
	}
	if err := os.Mkdir(d.folder, 0o700); err != nil {
		return database{}, fmt.Errorf("make data folder: %w", err)
	}
	text := fmt.Sprintf(seedText, d.account, people, d.clientID, d.secret)
	for i := range quietOnes {
		c := newCredentials()
		d.quiet = append(d.quiet, c)
		text += fmt.Sprintf(quietText, c.clientID, c.secret, i+1)
	}
	if err := os.WriteFile(d.seed, []byte(text), 0o600); err != nil {
		return database{}, fmt.Errorf("write seed: %w", err)
	}
	return d, nil
}

// newAccountID makes an id as contract section 8 has them: 16 random bytes in base32.
func newAccountID() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random[:])
}

// basic returns the value of an Authorization header, RFC 7617.
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}
