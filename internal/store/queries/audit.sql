-- name: GetHead :one
SELECT audit_seq, audit_hash FROM accounts WHERE id = $1;

-- name: LockHead :one
-- As GetHead; nobody else changes the account before this transaction ends.
SELECT audit_seq, audit_hash FROM accounts WHERE id = $1 FOR UPDATE;

-- name: EntryExists :one
SELECT EXISTS (SELECT 1 FROM audit_entries WHERE account_id = $1 AND id = $2);

-- name: SetHead :exec
-- With it go the counts of people, which are kept up only where they held.
UPDATE accounts SET audit_seq = CAST(sqlc.arg(audit_seq) AS bigint), audit_hash = sqlc.arg(audit_hash),
    active_people = active_people + CAST(sqlc.arg(active) AS bigint),
    suspended_people = suspended_people + CAST(sqlc.arg(suspended) AS bigint),
    pending_people = pending_people + CAST(sqlc.arg(pending) AS bigint),
    counted_seq = CASE WHEN counted_seq = audit_seq THEN CAST(sqlc.arg(audit_seq) AS bigint) ELSE -1 END
WHERE id = sqlc.arg(id);

-- name: InsertEntry :exec
INSERT INTO audit_entries (account_id, id, chained, seq, time, actor_kind, actor, action, target, outcome,
    detail, address, user_agent, request_id, count, prev_hash, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: PageOfEntries :many
-- An account's entries from the newest to the oldest.
SELECT * FROM audit_entries
WHERE account_id = $1 AND id < $2
ORDER BY id DESC
LIMIT $3;

-- name: PageOfChain :many
-- An entry that no longer says what its place says is missing from the chain.
SELECT e.* FROM audit_chain c
JOIN audit_entries e ON e.account_id = c.account_id AND e.id = c.entry_id AND e.seq = c.seq AND e.chained = 1
WHERE c.account_id = $1 AND c.seq > $2
ORDER BY c.seq
LIMIT $3;

-- name: InsertChain :exec
INSERT INTO audit_chain (account_id, seq, entry_id, hash) VALUES ($1, $2, $3, $4);

-- name: GetChainHash :one
SELECT hash FROM audit_chain WHERE account_id = $1 AND seq = $2;

-- name: AddUsage :exec
INSERT INTO usage_hours (hour, account_id, client_id, user_agent, requests, errors, limited)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (hour, account_id, client_id, user_agent) DO UPDATE SET
    requests = usage_hours.requests + excluded.requests,
    errors = usage_hours.errors + excluded.errors,
    limited = usage_hours.limited + excluded.limited;

-- name: ListUsage :many
SELECT * FROM usage_hours WHERE hour >= $1 AND account_id = $2 ORDER BY hour, client_id, user_agent;
