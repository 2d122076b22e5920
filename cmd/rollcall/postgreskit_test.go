package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rollcall-id/rollcall/internal/pgtest"
)

// pgServer is one PostgreSQL for all scripts; it ends with the process.
var pgServer = sync.OnceValues(func() (*pgtest.Server, error) {
	return pgtest.Launch(context.Background(), pgtest.Options{Version: pgtest.Oldest})
})

// postgres VARIABLE [guarded] makes an empty database and sets a variable to its URL: of a
// role without a password, or of one whose password is then in the file "password".
func postgres(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: postgres VARIABLE [guarded]")
	}
	s, err := pgServer()
	ts.Check(err)
	name, err := s.Create(context.Background())
	ts.Check(err)
	ts.Defer(func() { ts.Check(s.Drop(context.Background(), name)) })
	url := s.URL(name)
	if len(args) == 2 {
		url = strings.Replace(url, pgtest.Role+"@", pgtest.GuardedRole+"@", 1)
		ts.Check(os.WriteFile(ts.MkAbs("password"), []byte(pgtest.GuardedPassword+"\n"), 0o600))
		ts.Check(os.WriteFile(ts.MkAbs("pgpass"), fmt.Appendf(nil, "127.0.0.1:*:*:%s:%s\n", pgtest.GuardedRole, pgtest.GuardedPassword), 0o600))
		ts.Check(s.Admin(context.Background(), name, "GRANT ALL ON SCHEMA public TO "+pgtest.GuardedRole))
	}
	ts.Setenv(args[0], url)
	ts.Setenv(args[0]+"_SERVER", url[:strings.LastIndex(url, "/")])
}
