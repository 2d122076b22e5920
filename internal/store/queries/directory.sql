-- name: InsertAccount :exec
INSERT INTO accounts (id, name, provisioning, state, create_time, audit_seq, audit_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: GetAccount :one
SELECT * FROM accounts WHERE id = $1;

-- name: ListAccounts :many
SELECT * FROM accounts ORDER BY create_time, id;

-- name: SetAccountState :execrows
UPDATE accounts SET state = $2 WHERE id = $1 AND state <> $2;

-- name: GetUser :one
SELECT * FROM users WHERE account_id = $1 AND id = $2;

-- name: GetUserByEmail :one
SELECT * FROM users WHERE account_id = $1 AND email_key = $2;

-- name: PageOfListed :many
-- The casts name the parameters' types: a tuple gives the generator none.
SELECT * FROM users
WHERE account_id = $1 AND state <> 'PENDING' AND (create_time, id) > (CAST(sqlc.arg(after_time) AS bigint), CAST(sqlc.arg(after_id) AS text))
ORDER BY create_time, id
LIMIT sqlc.arg(most);

-- name: PageOfState :many
SELECT * FROM users
WHERE account_id = $1 AND state = $2 AND (create_time, id) > (CAST(sqlc.arg(after_time) AS bigint), CAST(sqlc.arg(after_id) AS text))
ORDER BY create_time, id
LIMIT sqlc.arg(most);

-- name: PageOfAll :many
-- Everybody in any state, in the order of ids, for local administration.
SELECT * FROM users
WHERE account_id = $1 AND id > $2
ORDER BY id
LIMIT $3;

-- name: GetStanding :one
-- What the rules of a change need, at once. Other owners are not counted beyond one.
SELECT sqlc.embed(users), accounts.provisioning,
    EXISTS (
        SELECT 1 FROM group_members m
        WHERE m.account_id = users.account_id AND m.group_name = 'owners' AND m.user_id = users.id
    ) AS is_owner,
    EXISTS (
        SELECT 1 FROM group_members m
        JOIN users o ON o.account_id = m.account_id AND o.id = m.user_id
        WHERE m.account_id = users.account_id AND m.group_name = 'owners'
            AND m.user_id <> users.id AND o.state = 'ACTIVE'
    ) AS others_own
FROM users
JOIN accounts ON accounts.id = users.account_id
WHERE users.account_id = $1 AND users.id = $2;

-- name: SetUserState :exec
UPDATE users SET state = $3 WHERE account_id = $1 AND id = $2;

-- name: InsertUser :exec
INSERT INTO users (account_id, id, email, email_key, display_name, state, type, create_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

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
