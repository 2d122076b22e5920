-- What a request asks for, read along with its token: GetGrant and one more thing, in one
-- statement. Nothing is read for a token of another account than the path's.

-- name: LookAtUser :one
-- The fields of GetGrant, then those of the person, if the token's account has them.
SELECT CAST(concat_ws(CAST(sqlc.arg(field_separator) AS text),
    tokens.client_id, tokens.expire_time, applications.account_id, applications.permissions, applications.state,
    s.expire_time, accounts.state,
    u.email, u.display_name, u.state, u.type, u.create_time) AS text) AS packed
FROM tokens
JOIN applications ON applications.id = tokens.client_id AND applications.token_epoch = tokens.token_epoch
JOIN application_secrets s ON s.id = tokens.secret_id
JOIN accounts ON accounts.id = applications.account_id
LEFT JOIN users u ON u.account_id = applications.account_id
    AND u.account_id = sqlc.arg(account_id) AND u.id = sqlc.arg(user_id)
WHERE tokens.hash = sqlc.arg(hash);

-- name: LookAtListed :one
-- GetGrant, and PageOfListed.
SELECT CAST(concat_ws(CAST(sqlc.arg(field_separator) AS text),
    tokens.client_id, tokens.expire_time, applications.account_id, applications.permissions, applications.state,
    s.expire_time, accounts.state) AS text) AS packed,
    CAST(CASE WHEN applications.account_id = sqlc.arg(account_id) THEN (
        SELECT coalesce(string_agg(p.packed, CAST(sqlc.arg(row_separator) AS text)), '') FROM (
            SELECT concat_ws(CAST(sqlc.arg(field_separator) AS text), v.id, v.email, v.display_name, v.state, v.create_time) AS packed
            FROM users v
            WHERE v.account_id = sqlc.arg(account_id) AND v.listed = 1
                AND (v.create_time, v.id) > (CAST(sqlc.arg(after_time) AS bigint), CAST(sqlc.arg(after_id) AS text))
            ORDER BY v.create_time, v.id
            LIMIT CAST(sqlc.arg(most) AS bigint)
        ) AS p
    ) ELSE '' END AS text) AS page
FROM tokens
JOIN applications ON applications.id = tokens.client_id AND applications.token_epoch = tokens.token_epoch
JOIN application_secrets s ON s.id = tokens.secret_id
JOIN accounts ON accounts.id = applications.account_id
WHERE tokens.hash = sqlc.arg(hash);

-- name: LookAtState :one
-- GetGrant, and PageOfState.
SELECT CAST(concat_ws(CAST(sqlc.arg(field_separator) AS text),
    tokens.client_id, tokens.expire_time, applications.account_id, applications.permissions, applications.state,
    s.expire_time, accounts.state) AS text) AS packed,
    CAST(CASE WHEN applications.account_id = sqlc.arg(account_id) THEN (
        SELECT coalesce(string_agg(p.packed, CAST(sqlc.arg(row_separator) AS text)), '') FROM (
            SELECT concat_ws(CAST(sqlc.arg(field_separator) AS text), v.id, v.email, v.display_name, v.state, v.create_time) AS packed
            FROM users v
            WHERE v.account_id = sqlc.arg(account_id) AND v.state = sqlc.arg(state)
                AND (v.create_time, v.id) > (CAST(sqlc.arg(after_time) AS bigint), CAST(sqlc.arg(after_id) AS text))
            ORDER BY v.create_time, v.id
            LIMIT CAST(sqlc.arg(most) AS bigint)
        ) AS p
    ) ELSE '' END AS text) AS page
FROM tokens
JOIN applications ON applications.id = tokens.client_id AND applications.token_epoch = tokens.token_epoch
JOIN application_secrets s ON s.id = tokens.secret_id
JOIN accounts ON accounts.id = applications.account_id
WHERE tokens.hash = sqlc.arg(hash);
