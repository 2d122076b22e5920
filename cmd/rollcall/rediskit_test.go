package main

import (
	"context"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rollcall-id/rollcall/internal/valkeytest"
)

// redis starts a Redis server with a password and puts its URL, without it, into a variable.
func redis(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: redis VARIABLE PASSWORD")
	}
	s, err := valkeytest.Launch(context.Background(), "--requirepass", args[1])
	ts.Check(err)
	ts.Defer(func() { ts.Check(s.Close()) })
	ts.Setenv(args[0], s.URL())
}
