// Package sharedlimit meters requests of many replicas together: their counts are kept
// in Valkey or Redis, or in PostgreSQL, and limits hold exactly over all of them.
//
//	Spend, Peek -> waiting -> one round trip for all that wait -> Store -> decisions
//	                  |
//	                  '-- the store is away -> this replica's memory
//
// It owns the waiting, the stores and what happens without them. It leaves the rules to
// throttle: a store only says how much of each window is used, and counts what the rules
// admit. What must always hold, beside the promises of throttle.Limiter:
//
//   - One clock counts: the store's. A request is counted at an instant of that clock that
//     lies between its arrival and its answer, whatever the replicas' own clocks say. If the
//     store's clock goes back, as after a failover, a key stands still until it has caught up.
//   - A store that fails never fails a request. The requests under way wait for it at most
//     Options.Timeout, once; from then on the replica meters by its own memory, which has
//     counted along, and asks in the background whether the store is back.
//   - Requests that wait at the same time share a round trip, in which each key is asked for
//     once. So a replica has one round trip under way, however many requests it has.
package sharedlimit
