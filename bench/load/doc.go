// Package load is a lean HTTP/1.1 client: requests go out as prepared bytes and answers are cut, not parsed into
// objects, so that on a small machine most of the processor is left to the server that is being measured.
//
// It owns connections, the reading of answers, the closed loop (each connection sends its next request when it has its
// answer) and the timing of each request. What the requests say, and whether an answer is right, belongs to the caller's
// [Script].
//
// What must always hold: a run counts only if every answer passed its check. The first wrong answer, or a connection
// that the server closed, ends the run with an error, because the speed of errors is of no interest.
package load
