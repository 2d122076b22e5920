// Package e2e holds tests of the real binary, from outside: a process, its sockets, its files, its signals and its exit
// status, with clients that other people wrote. It has no code but tests.
//
// It owns what only a whole process can show: that what was acknowledged outlives SIGKILL, that a full disk or a damaged
// file is answered and not died of, that a drain cuts nobody, that the commands which are printed and documented work, and
// that nonsense on the socket hurts nobody else. What one room promises by itself is tested in that room.
//
// What must always hold: a test decides by what it reads (answers, exit statuses, the audit record), never by how long
// something took; patience only bounds how long a test that has already failed goes on waiting.
package e2e
