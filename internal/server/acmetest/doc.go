// Package acmetest proves that the server gets itself a certificate from an ACME authority. It is a module of its own,
// because the authority, Pebble, is a heavy dependency that only this test has.
package acmetest
