-- name: InsertAccount :exec
-- Nobody is in it yet, and so they are counted.
INSERT INTO accounts (id, name, provisioning, state, create_time, audit_seq, audit_hash, counted_seq)
VALUES (sqlc.arg(id), sqlc.arg(name), sqlc.arg(provisioning), sqlc.arg(state), sqlc.arg(create_time), sqlc.arg(audit_seq), sqlc.arg(audit_hash),
    sqlc.arg(audit_seq));

-- name: GetAccount :one
SELECT id, name, provisioning, state, create_time FROM accounts WHERE id = $1;

-- name: ListAccounts :many
-- No columns of later migrations: an earlier one runs it.
SELECT id, name, provisioning, state, create_time FROM accounts ORDER BY create_time, id;

-- name: SetAccountState :execrows
UPDATE accounts SET state = $2 WHERE id = $1 AND state <> $2;

-- name: GetUser :one
SELECT email, display_name, state, type, create_time FROM users WHERE account_id = $1 AND id = $2;

-- name: GetUserByEmail :one
SELECT * FROM users WHERE account_id = $1 AND email_key = $2;

-- name: PageOfListed :one
-- A whole page as one text, its fields and rows separated by characters that no field may
-- hold: handing rows and columns over one by one costs several times what finding them does.
-- The cast of the limit hides it from SQLite's planner, which would parse the statement
-- again for each new value; the others name types that the generator can't guess.
SELECT CAST(coalesce(string_agg(p.packed, CAST(sqlc.arg(row_separator) AS text)), '') AS text) AS page FROM (
    SELECT concat_ws(CAST(sqlc.arg(field_separator) AS text), id, email, display_name, state, create_time) AS packed
    FROM users
    WHERE account_id = sqlc.arg(account_id) AND listed = 1
        AND (create_time, id) > (CAST(sqlc.arg(after_time) AS bigint), CAST(sqlc.arg(after_id) AS text))
    ORDER BY create_time, id
    LIMIT CAST(sqlc.arg(most) AS bigint)
) AS p;

-- name: PageOfState :one
-- As PageOfListed, of one state.
SELECT CAST(coalesce(string_agg(p.packed, CAST(sqlc.arg(row_separator) AS text)), '') AS text) AS page FROM (
    SELECT concat_ws(CAST(sqlc.arg(field_separator) AS text), id, email, display_name, state, create_time) AS packed
    FROM users
    WHERE account_id = sqlc.arg(account_id) AND state = sqlc.arg(state)
        AND (create_time, id) > (CAST(sqlc.arg(after_time) AS bigint), CAST(sqlc.arg(after_id) AS text))
    ORDER BY create_time, id
    LIMIT CAST(sqlc.arg(most) AS bigint)
) AS p;

-- name: PageOfAll :many
-- Everybody in any state, in the order of ids, for local administration.
SELECT * FROM users
WHERE account_id = $1 AND id > $2
ORDER BY id
LIMIT $3;

-- name: GetStanding :one
-- What the rules of a change need, at once. ownership is 0 for no owner, 1 for an owner
-- without another ACTIVE one, 2 for one among others; others are looked for only if needed.
SELECT users.email, users.display_name, users.state, users.type, users.create_time, accounts.provisioning,
    CAST(CASE
        WHEN NOT EXISTS (
            SELECT 1 FROM group_members m
            WHERE m.account_id = users.account_id AND m.group_name = 'owners' AND m.user_id = users.id
        ) THEN 0
        WHEN NOT EXISTS (
            SELECT 1 FROM group_members m
            JOIN users o ON o.account_id = m.account_id AND o.id = m.user_id
            WHERE m.account_id = users.account_id AND m.group_name = 'owners'
                AND m.user_id <> users.id AND o.state = 'ACTIVE'
        ) THEN 1
        ELSE 2
    END AS bigint) AS ownership,
    CAST(CASE WHEN EXISTS (
        SELECT 1 FROM sessions s WHERE s.account_id = users.account_id AND s.user_id = users.id
    ) THEN 1 ELSE 0 END AS bigint) AS signed_in
FROM users
JOIN accounts ON accounts.id = users.account_id
WHERE users.account_id = $1 AND users.id = $2;

-- name: SetUserState :exec
UPDATE users SET state = $3 WHERE account_id = $1 AND id = $2;

-- name: InsertUser :exec
INSERT INTO users (account_id, id, email, email_key, display_name, state, listed, type, create_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: InsertMember :exec
INSERT INTO group_members (account_id, group_name, user_id) VALUES ($1, $2, $3);

-- name: DeleteMember :exec
DELETE FROM group_members WHERE account_id = $1 AND group_name = $2 AND user_id = $3;

-- name: IsMember :one
SELECT EXISTS (
    SELECT 1 FROM group_members WHERE account_id = $1 AND group_name = $2 AND user_id = $3
);

-- name: ListGroups :many
SELECT group_name FROM group_members WHERE account_id = $1 AND user_id = $2 ORDER BY group_name;
