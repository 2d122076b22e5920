// Package cli is the client commands: log in, list and get people, suspend and
// reactivate them one by one or by the hundred, undo that, manage OAuth applications,
// and hand out tokens.
//
// It owns profiles and where their secrets are kept, how people and applications are
// named and found, the bulk run with its journal, and the words of its errors. Calling the API is
// package client's, tables and questions are package terminal's, and it works with any
// server of the contract: this module's server is as foreign to it as another.
//
//	names ──► find (walk, get) ──► plan ──► ask ──► journal: run, people ──► begin, act, done ...
//	                                │                    │
//	                             --dry-run         --resume, undo
//
// What must always hold: a secret is never an argument, a log line or an error; nobody
// is touched before the journal that can undo it is on disk; an interrupted run can be
// resumed; and an undo touches only whom the run changed.
package cli
