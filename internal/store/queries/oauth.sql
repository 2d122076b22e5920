-- name: GetClient :many
-- What authenticating an application needs, at once: a row for each of its secrets.
SELECT applications.account_id, applications.permissions, applications.state, accounts.state AS account_state,
    s.id AS secret_id, s.hash, s.expire_time
FROM applications
JOIN accounts ON accounts.id = applications.account_id
JOIN application_secrets s ON s.client_id = applications.id
WHERE applications.id = $1;

-- name: GetGrant :one
-- Everything that decides whether a token counts, at once, and no column more: it is
-- read for every request.
SELECT tokens.client_id, tokens.expire_time, applications.account_id, applications.permissions, applications.state,
    s.expire_time AS secret_expire_time, accounts.state AS account_state
FROM tokens
JOIN applications ON applications.id = tokens.client_id
JOIN application_secrets s ON s.id = tokens.secret_id
JOIN accounts ON accounts.id = applications.account_id
WHERE tokens.hash = $1;

-- name: InsertToken :exec
INSERT INTO tokens (hash, client_id, secret_id, issue_time, expire_time) VALUES ($1, $2, $3, $4, $5);

-- name: DeleteToken :execrows
DELETE FROM tokens WHERE hash = $1 AND client_id = $2;

-- name: InsertApplication :exec
INSERT INTO applications (id, account_id, name, description, redirect_url, permissions, state, create_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: GetApplication :one
SELECT * FROM applications WHERE account_id = $1 AND id = $2;

-- name: ListApplications :many
SELECT * FROM applications WHERE account_id = $1 ORDER BY create_time, id;

-- name: SetApplicationState :execrows
UPDATE applications SET state = $3 WHERE account_id = $1 AND id = $2 AND state <> $3;

-- name: InsertSecret :exec
INSERT INTO application_secrets (id, client_id, hash, create_time, expire_time) VALUES ($1, $2, $3, $4, $5);

-- name: ExpireSecrets :exec
-- All secrets of a client end at $2 or when they would have, whichever is sooner.
UPDATE application_secrets SET expire_time = $2
WHERE client_id = $1 AND (expire_time = 0 OR expire_time > $2);

-- name: DeleteSecrets :exec
DELETE FROM application_secrets WHERE client_id = $1;

-- name: DeleteApplication :exec
DELETE FROM applications WHERE account_id = $1 AND id = $2;
