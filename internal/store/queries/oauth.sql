-- name: GetClient :many
-- What authenticating an application needs, at once, and the end of its account's chain: a row for each of its secrets.
SELECT applications.account_id, applications.permissions, applications.state, applications.token_epoch,
    accounts.state AS account_state, s.id AS secret_id, s.hash, s.expire_time,
    accounts.audit_seq, accounts.audit_hash
FROM applications
JOIN accounts ON accounts.id = applications.account_id
JOIN application_secrets s ON s.client_id = applications.id
WHERE applications.id = $1;

-- name: GetGrant :one
-- Everything that decides whether a token counts, at once, and no column more: it is
-- read for every request. As one text, like a page of people (see PageOfListed). A token
-- of an epoch that is over is as good as gone.
SELECT CAST(concat_ws(CAST(sqlc.arg(field_separator) AS text),
    tokens.client_id, tokens.expire_time, applications.account_id, applications.permissions, applications.state,
    s.expire_time, accounts.state) AS text) AS packed
FROM tokens
JOIN applications ON applications.id = tokens.client_id AND applications.token_epoch = tokens.token_epoch
JOIN application_secrets s ON s.id = tokens.secret_id
JOIN accounts ON accounts.id = applications.account_id
WHERE tokens.hash = sqlc.arg(hash);

-- name: InsertToken :exec
INSERT INTO tokens (hash, client_id, secret_id, issue_time, expire_time, token_epoch) VALUES ($1, $2, $3, $4, $5, $6);

-- name: DeleteToken :execrows
DELETE FROM tokens WHERE hash = $1 AND client_id = $2;

-- name: InsertApplication :exec
INSERT INTO applications (id, account_id, name, description, redirect_url, permissions, state, create_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: GetApplication :many
-- An application: a row for each of its secrets. By id alone, which is unique: with the
-- account beside it, statistics would change the plan.
SELECT a.id, a.account_id, a.name, a.description, a.redirect_url, a.permissions, a.state, a.create_time,
    s.id AS secret_id, s.create_time AS secret_create_time, s.expire_time, s.last_used_time
FROM applications a
JOIN application_secrets s ON s.client_id = a.id
WHERE a.id = $1;

-- name: PageOfApplications :many
-- A page of an account's applications: a row for each of their secrets, in no order.
SELECT a.id, a.account_id, a.name, a.description, a.redirect_url, a.permissions, a.state, a.create_time,
    s.id AS secret_id, s.create_time AS secret_create_time, s.expire_time, s.last_used_time
FROM (
    SELECT b.id, b.account_id, b.name, b.description, b.redirect_url, b.permissions, b.state, b.create_time
    FROM applications b
    WHERE b.account_id = sqlc.arg(account_id)
        AND (b.create_time, b.id) > (CAST(sqlc.arg(after_time) AS bigint), CAST(sqlc.arg(after_id) AS text))
    ORDER BY b.create_time, b.id
    LIMIT CAST(sqlc.arg(most) AS bigint)
) a
JOIN application_secrets s ON s.client_id = a.id;

-- name: UpdateApplication :exec
UPDATE applications SET name = $3, description = $4, redirect_url = $5, permissions = $6, state = $7
WHERE account_id = $1 AND id = $2;

-- name: EndTokens :exec
UPDATE applications SET token_epoch = token_epoch + 1 WHERE account_id = $1 AND id = $2;

-- name: InsertSecret :exec
INSERT INTO application_secrets (id, client_id, hash, create_time, expire_time) VALUES ($1, $2, $3, $4, $5);

-- name: ExpireSecrets :exec
-- All secrets of a client end at $2 or when they would have, whichever is sooner.
UPDATE application_secrets SET expire_time = $2
WHERE client_id = $1 AND (expire_time = 0 OR expire_time > $2);

-- name: SetSecretUsed :exec
UPDATE application_secrets SET last_used_time = $2 WHERE id = $1 AND last_used_time < $2;

-- name: DeleteSecrets :exec
DELETE FROM application_secrets WHERE client_id = $1;

-- name: DeleteApplication :exec
DELETE FROM applications WHERE account_id = $1 AND id = $2;
