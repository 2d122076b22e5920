// Package terminal prints what commands answer, and asks before what can't be undone.
//
// It owns tables, JSON, CSV cells, escaping and questions; what to print and ask is the
// commands'. What must always hold: text that came from elsewhere can neither rewrite a
// terminal nor run in a spreadsheet, results go to one stream and remarks to another,
// and a list costs a thousand rows of memory, however long it is.
package terminal
