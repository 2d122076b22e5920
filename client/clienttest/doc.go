// Package clienttest runs a real rollcall in your test's process, for tests of
// programs that use package client:
//
//	srv := clienttest.Start(t, clienttest.WithUser(clienttest.User{ID: "ada", Email: "ada@example.com"}))
//	c := srv.Client()
//
// It owns the making and the ending of that server: an embedded database in a
// temporary folder, one account with the people you name, one OAuth application
// with all permissions on people, plain HTTP on a loopback port, no limits. What the
// server answers is the whole API: the same code as in production answers.
//
// What must always hold: servers share nothing, so tests may run in parallel, and
// nothing of a server is left when its test ends.
package clienttest
