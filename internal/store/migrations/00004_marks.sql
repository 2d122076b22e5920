-- Marks of work that leaves no other trace: after a commit whose outcome nobody heard, its
-- mark tells whether it happened.

-- +goose Up
CREATE TABLE marks (
    id          text   NOT NULL PRIMARY KEY,
    create_time bigint NOT NULL
) /* sqlite: WITHOUT ROWID */;

-- +goose Down
DROP TABLE marks;
