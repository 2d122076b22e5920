// Package house holds no code: its tests keep the plan of the house that docs/design.md draws.
//
// It owns the dependency rule (which room may import which, what the rule rooms must never touch) and the few rules of
// style that a machine can count (lengths of files and functions, names and comments of packages). Formatting, bugs and
// idiom are left to the linters; .golangci.yml mirrors the dependency rule so that an editor shows a breach at once, and
// these tests remain the authority.
//
// What must always hold: every package of the module stands on a floor of the table in floors_test.go. A new package is
// first given its floor there and in docs/design.md; moving a room needs a decision record in docs/decisions.
package house
