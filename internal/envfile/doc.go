// Package envfile writes and reads environment files: shell assignments of the
// variables that credentials are handed over in.
//
// It owns the names of those variables, quoting, and how a file comes into being;
// whose credentials they are is the commands'. What must always hold: a file appears
// whole or not at all, only its owner can read it, and lines of somebody else's stay.
package envfile
