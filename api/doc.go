// Package api is the contract: what a client of the Users API sees, and
// nothing of how it is done.
//
// It owns the wire types, the words and numbers that clients match on, the
// OpenAPI document (openapi.yaml, written by hand, golden) and the reference
// page made from it. It leaves the serving to internal/httpapi, the calling to
// client, and the rules to the rooms behind them. It imports nothing of ours.
//
// What must always hold: every type here marshals to what openapi.yaml says,
// every example in openapi.yaml is valid against its schema, and docs.html is
// what `go generate` makes of openapi.yaml. A change of the wire changes all
// three, and the document's version, in one commit.
package api
