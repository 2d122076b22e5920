-- name: FindEntries :many
-- Of so many entries, from the newest to the oldest, those that fit; '' fits all.
SELECT p.* FROM (
    SELECT e.* FROM audit_entries e
    WHERE e.account_id = sqlc.arg(account_id) AND e.id < sqlc.arg(before) AND e.id >= sqlc.arg(oldest)
    ORDER BY e.id DESC
    LIMIT CAST(sqlc.arg(examine) AS bigint)
) p
WHERE (CAST(sqlc.arg(actor) AS text) = '' OR actor = CAST(sqlc.arg(actor) AS text))
    AND (CAST(sqlc.arg(target) AS text) = '' OR target = CAST(sqlc.arg(target) AS text))
    AND (CAST(sqlc.arg(action) AS text) = '' OR action = CAST(sqlc.arg(action) AS text))
    AND (CAST(sqlc.arg(outcome) AS text) = '' OR outcome = CAST(sqlc.arg(outcome) AS text));

-- name: EntriesExamined :one
-- How many those are, and which is the oldest of them.
SELECT count(*) AS entries, CAST(coalesce(min(id), '') AS text) AS oldest_id FROM (
    SELECT e.id FROM audit_entries e
    WHERE e.account_id = sqlc.arg(account_id) AND e.id < sqlc.arg(before) AND e.id >= sqlc.arg(oldest)
    ORDER BY e.id DESC
    LIMIT CAST(sqlc.arg(examine) AS bigint)
) AS p;

-- name: UsageOfHour :many
SELECT client_id, CAST(sum(requests) AS bigint) AS requests, CAST(sum(errors) AS bigint) AS errors, CAST(sum(limited) AS bigint) AS limited
FROM usage_hours WHERE hour = $1 AND account_id = $2 GROUP BY client_id;

-- name: UsageOfClient :many
SELECT * FROM usage_hours WHERE hour = $1 AND account_id = $2 AND client_id = $3;

-- name: CountLiveTokens :one
-- How many of so many unexpired tokens are this client's, of its present epoch and of a
-- secret that still works, and how many were looked at.
SELECT count(*) AS examined, CAST(coalesce(sum(CASE
    WHEN client_id <> CAST(sqlc.arg(client_id) AS text) OR token_epoch <> CAST(sqlc.arg(epoch) AS bigint) THEN 0
    WHEN EXISTS (
        SELECT 1 FROM application_secrets s
        WHERE s.id = secret_id AND (s.expire_time = 0 OR s.expire_time > CAST(sqlc.arg(now) AS bigint))
    ) THEN 1
    ELSE 0 END), 0) AS bigint) AS live
FROM (
    SELECT t.client_id, t.token_epoch, t.secret_id FROM tokens t WHERE t.expire_time > CAST(sqlc.arg(now) AS bigint)
    ORDER BY t.expire_time LIMIT CAST(sqlc.arg(examine) AS bigint)
) AS p;

-- name: GetTokenEpoch :one
SELECT account_id, token_epoch FROM applications WHERE id = $1;
