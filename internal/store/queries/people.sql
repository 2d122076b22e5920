-- name: WalkState :one
-- People of one state in the order of creation, each with whether they are in a group: as one
-- text, like PageOfListed.
SELECT CAST(coalesce(string_agg(p.packed, CAST(sqlc.arg(row_separator) AS text)), '') AS text) AS people FROM (
    SELECT concat_ws(CAST(sqlc.arg(field_separator) AS text), u.id, u.email, u.display_name, u.state, u.type, u.create_time,
        CASE WHEN CAST(sqlc.arg(group_name) AS text) = '' THEN 0 WHEN EXISTS (
            SELECT 1 FROM group_members m
            WHERE m.account_id = u.account_id AND m.group_name = CAST(sqlc.arg(group_name) AS text) AND m.user_id = u.id
        ) THEN 1 ELSE 0 END) AS packed
    FROM users u
    WHERE u.account_id = sqlc.arg(account_id) AND u.state = sqlc.arg(state)
        AND (u.create_time, u.id) > (CAST(sqlc.arg(after_time) AS bigint), CAST(sqlc.arg(after_id) AS text))
    ORDER BY u.create_time, u.id
    LIMIT CAST(sqlc.arg(most) AS bigint)
) AS p;

-- name: UsersByWord :one
-- People with a word between two, in no order; somebody may come twice. As one text.
SELECT CAST(coalesce(string_agg(q.packed, CAST(sqlc.arg(row_separator) AS text)), '') AS text) AS people FROM (
    SELECT concat_ws(CAST(sqlc.arg(field_separator) AS text), u.id, u.email, u.display_name, u.state, u.type, u.create_time,
        CASE WHEN CAST(sqlc.arg(group_name) AS text) = '' THEN 0 WHEN EXISTS (
            SELECT 1 FROM group_members m
            WHERE m.account_id = u.account_id AND m.group_name = CAST(sqlc.arg(group_name) AS text) AND m.user_id = u.id
        ) THEN 1 ELSE 0 END) AS packed
    FROM (
        SELECT w.account_id, w.user_id FROM user_words w
        WHERE w.account_id = sqlc.arg(account_id) AND w.word >= sqlc.arg(word) AND w.word < sqlc.arg(behind)
        LIMIT CAST(sqlc.arg(most) AS bigint)
    ) p
    JOIN users u ON u.account_id = p.account_id AND u.id = p.user_id
) AS q;

-- name: UsersByGroup :one
-- The people of a group, in no order, as one text.
SELECT CAST(coalesce(string_agg(q.packed, CAST(sqlc.arg(row_separator) AS text)), '') AS text) AS people FROM (
    SELECT concat_ws(CAST(sqlc.arg(field_separator) AS text), u.id, u.email, u.display_name, u.state, u.type, u.create_time, 1) AS packed
    FROM (
        SELECT m.account_id, m.user_id FROM group_members m
        WHERE m.account_id = sqlc.arg(account_id) AND m.group_name = sqlc.arg(group_name)
        LIMIT CAST(sqlc.arg(most) AS bigint)
    ) p
    JOIN users u ON u.account_id = p.account_id AND u.id = p.user_id
) AS q;

-- name: CountMembers :one
SELECT count(*) FROM (
    SELECT 1 FROM group_members m WHERE m.account_id = sqlc.arg(account_id) AND m.group_name = sqlc.arg(group_name)
    LIMIT CAST(sqlc.arg(most) AS bigint)
) AS p;

-- name: CountWords :one
SELECT count(*) FROM (
    SELECT 1 FROM user_words w
    WHERE w.account_id = sqlc.arg(account_id) AND w.word >= sqlc.arg(word) AND w.word < sqlc.arg(behind)
    LIMIT CAST(sqlc.arg(most) AS bigint)
) AS p;

-- name: GetCounts :one
SELECT active_people, suspended_people, pending_people, CAST(CASE WHEN counted_seq = audit_seq THEN 1 ELSE 0 END AS bigint) AS hold
FROM accounts WHERE id = $1;

-- name: CountByState :many
-- Counts them, and tells the end of the account's chain at the same moment.
SELECT u.state, count(*) AS people, CAST(coalesce((SELECT a.audit_seq FROM accounts a WHERE a.id = $1), 0) AS bigint) AS audit_seq
FROM users u WHERE u.account_id = $1 GROUP BY u.state;

-- name: SetCounts :exec
-- Keeps what was counted, unless the account has changed meanwhile.
UPDATE accounts SET active_people = sqlc.arg(active), suspended_people = sqlc.arg(suspended), pending_people = sqlc.arg(pending), counted_seq = audit_seq
WHERE id = sqlc.arg(id) AND audit_seq = sqlc.arg(audit_seq);

-- name: GroupNames :one
-- The first so many groups that have members, as one text: going from one to the next skips
-- the members.
WITH RECURSIVE g (name, place) AS (
    SELECT f.group_name, CAST(1 AS bigint) FROM (
        SELECT m.group_name FROM group_members m WHERE m.account_id = sqlc.arg(account_id) ORDER BY m.group_name LIMIT 1
    ) f
    UNION ALL
    SELECT (
        SELECT m.group_name FROM group_members m
        WHERE m.account_id = sqlc.arg(account_id) AND m.group_name > g.name
        ORDER BY m.group_name LIMIT 1
    ), g.place + 1
    FROM g WHERE g.name IS NOT NULL AND g.place < CAST(sqlc.arg(most) AS bigint)
)
SELECT CAST(coalesce(string_agg(g.name, CAST(sqlc.arg(row_separator) AS text)), '') AS text) AS names FROM g WHERE g.name IS NOT NULL;

-- name: UpdateUser :exec
UPDATE users SET email = $3, email_key = $4, display_name = $5, type = $6 WHERE account_id = $1 AND id = $2;

-- name: ActivateUser :exec
UPDATE users SET state = 'ACTIVE', listed = 1 WHERE account_id = $1 AND id = $2 AND state = 'PENDING';

-- name: DeleteUser :exec
DELETE FROM users WHERE account_id = $1 AND id = $2;

-- name: DeleteMemberships :exec
DELETE FROM group_members WHERE account_id = $1 AND user_id = $2;

-- name: InsertWord :exec
-- One that is there already was left behind by a binary that cut names into other words.
INSERT INTO user_words (account_id, word, user_id) VALUES ($1, $2, $3) ON CONFLICT (account_id, word, user_id) DO NOTHING;

-- name: DeleteWord :exec
DELETE FROM user_words WHERE account_id = $1 AND word = $2 AND user_id = $3;

-- name: UpdateAccount :exec
UPDATE accounts SET name = $2, provisioning = $3 WHERE id = $1;
