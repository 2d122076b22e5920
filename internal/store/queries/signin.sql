-- name: GetSession :one
-- Everything that decides whether a session counts, at once. Groups are joined with a
-- character that no name may hold.
SELECT s.account_id, s.user_id, s.id, s.method, s.create_time, s.last_seen_time, s.expire_time, s.address, s.user_agent,
    u.email, u.display_name, u.state, u.type, u.create_time AS user_create_time,
    a.name AS account_name, a.provisioning, a.state AS account_state, a.create_time AS account_create_time,
    CAST(coalesce((
        SELECT string_agg(m.group_name, CAST(sqlc.arg(separator) AS text)) FROM group_members m
        WHERE m.account_id = s.account_id AND m.user_id = s.user_id
    ), '') AS text) AS user_groups
FROM sessions s
JOIN users u ON u.account_id = s.account_id AND u.id = s.user_id
JOIN accounts a ON a.id = s.account_id
WHERE s.hash = sqlc.arg(hash);

-- name: SeeSession :exec
UPDATE sessions SET last_seen_time = $2 WHERE hash = $1 AND last_seen_time < $2;

-- name: ListSessions :many
SELECT * FROM sessions WHERE account_id = $1 AND user_id = $2 ORDER BY id DESC;

-- name: ListSessionIDs :many
SELECT id FROM sessions WHERE account_id = $1 AND user_id = $2 ORDER BY id;

-- name: InsertSession :exec
INSERT INTO sessions (account_id, user_id, id, hash, method, create_time, last_seen_time, expire_time, address, user_agent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: DeleteSession :exec
DELETE FROM sessions WHERE account_id = $1 AND user_id = $2 AND id = $3;

-- name: DeleteSessions :exec
-- All of a person's but one ('' = all).
DELETE FROM sessions WHERE account_id = $1 AND user_id = $2 AND id <> $3;

-- name: DeleteSessionsOfUser :exec
DELETE FROM sessions WHERE account_id = $1 AND user_id = $2;

-- name: DeleteSessionsOfAccount :exec
DELETE FROM sessions WHERE account_id = $1;

-- name: GetPassword :one
SELECT hash FROM passwords WHERE account_id = $1 AND user_id = $2;

-- name: SetPassword :exec
INSERT INTO passwords (account_id, user_id, hash, set_time) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, user_id) DO UPDATE SET hash = excluded.hash, set_time = excluded.set_time;

-- name: DeletePassword :exec
DELETE FROM passwords WHERE account_id = $1 AND user_id = $2;

-- name: GetLink :one
SELECT * FROM links WHERE hash = $1;

-- name: InsertLink :exec
INSERT INTO links (hash, account_id, user_id, purpose, create_time, expire_time) VALUES ($1, $2, $3, $4, $5, $6);

-- name: DeleteLinks :exec
DELETE FROM links WHERE account_id = $1 AND user_id = $2;

-- name: ListPasskeys :many
SELECT * FROM passkeys WHERE account_id = $1 AND user_id = $2 ORDER BY id;

-- name: ListPasskeyIDs :many
SELECT id FROM passkeys WHERE account_id = $1 AND user_id = $2 ORDER BY id;

-- name: GetPasskey :one
SELECT * FROM passkeys WHERE credential = $1;

-- name: InsertPasskey :exec
INSERT INTO passkeys (account_id, user_id, id, credential, data, name, create_time, last_used_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0);

-- name: UsePasskey :exec
UPDATE passkeys SET data = $4, last_used_time = $5 WHERE account_id = $1 AND user_id = $2 AND id = $3;

-- name: DeletePasskey :exec
DELETE FROM passkeys WHERE account_id = $1 AND user_id = $2 AND id = $3;

-- name: DeletePasskeys :exec
DELETE FROM passkeys WHERE account_id = $1 AND user_id = $2;

-- name: InsertCeremony :exec
INSERT INTO ceremonies (hash, kind, account_id, user_id, data, expire_time) VALUES ($1, $2, $3, $4, $5, $6);

-- name: GetCeremony :one
SELECT * FROM ceremonies WHERE hash = $1;

-- name: DeleteCeremony :execrows
DELETE FROM ceremonies WHERE hash = $1;

-- name: GetConnection :one
SELECT * FROM sso_connections WHERE account_id = $1;

-- name: SetConnection :exec
INSERT INTO sso_connections (account_id, issuer, client_id, secret, update_time) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id) DO UPDATE SET
    issuer = excluded.issuer, client_id = excluded.client_id, secret = excluded.secret, update_time = excluded.update_time;

-- name: DeleteConnection :execrows
DELETE FROM sso_connections WHERE account_id = $1;

-- name: GetSubjectUser :one
SELECT user_id FROM sso_subjects WHERE account_id = $1 AND issuer = $2 AND subject = $3;

-- name: GetSubject :one
-- By which subject the account's present issuer knows somebody.
SELECT s.subject FROM sso_connections c
JOIN sso_subjects s ON s.account_id = c.account_id AND s.user_id = $2 AND s.issuer = c.issuer
WHERE c.account_id = $1;

-- name: InsertSubject :exec
INSERT INTO sso_subjects (account_id, issuer, subject, user_id) VALUES ($1, $2, $3, $4);

-- name: DeleteSubjects :exec
DELETE FROM sso_subjects WHERE account_id = $1 AND user_id = $2;

-- name: DeleteOtherSubjects :exec
-- Those of every issuer but one ('' = all).
DELETE FROM sso_subjects WHERE account_id = $1 AND issuer <> $2;

-- name: ListOpenAccounts :many
SELECT id, name, provisioning, state, create_time FROM accounts WHERE state = 'open' LIMIT $1;

-- name: PurgeSessions :execrows
DELETE FROM sessions WHERE hash IN (
    SELECT s.hash FROM sessions s WHERE s.expire_time <= $1 ORDER BY s.expire_time LIMIT $2
);

-- name: PurgeLinks :execrows
DELETE FROM links WHERE hash IN (
    SELECT l.hash FROM links l WHERE l.expire_time <= $1 ORDER BY l.expire_time LIMIT $2
);

-- name: PurgeCeremonies :execrows
DELETE FROM ceremonies WHERE hash IN (
    SELECT c.hash FROM ceremonies c WHERE c.expire_time <= $1 ORDER BY c.expire_time LIMIT $2
);
