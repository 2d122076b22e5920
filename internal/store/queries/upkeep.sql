-- name: PurgeTokens :execrows
DELETE FROM tokens WHERE hash IN (
    SELECT t.hash FROM tokens t WHERE t.expire_time <= $1 ORDER BY t.expire_time LIMIT $2
);

-- name: PurgePageKeys :execrows
DELETE FROM page_keys WHERE create_time < $1;

-- name: PurgeUsage :execrows
DELETE FROM usage_hours WHERE (hour, account_id, client_id, user_agent) IN (
    SELECT u.hour, u.account_id, u.client_id, u.user_agent FROM usage_hours u
    WHERE u.hour < $1 ORDER BY u.hour LIMIT $2
);

-- name: PurgeSecrets :execrows
-- Rotated secrets that are over; what tokens they left are over with them.
DELETE FROM application_secrets WHERE id IN (
    SELECT s.id FROM application_secrets s WHERE s.expire_time > 0 AND s.expire_time <= $1
    ORDER BY s.expire_time LIMIT $2
);

-- name: PurgeEntries :execrows
DELETE FROM audit_entries WHERE chained = 0 AND id IN (
    SELECT e.id FROM audit_entries e WHERE e.chained = 0 AND e.id < $1 ORDER BY e.id LIMIT $2
);

-- name: ListPageKeys :many
SELECT * FROM page_keys;

-- name: InsertPageKey :exec
INSERT INTO page_keys (id, secret, create_time) VALUES ($1, $2, $3);

-- name: InsertMark :exec
INSERT INTO marks (id, create_time) VALUES ($1, $2);

-- name: MarkExists :one
SELECT EXISTS (SELECT 1 FROM marks WHERE id = $1);

-- name: PurgeMarks :execrows
-- They are few: one each time a replica adds its usage.
DELETE FROM marks WHERE create_time < $1;
