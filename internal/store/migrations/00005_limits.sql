-- Counts of rate limits, which replicas on PostgreSQL share; SQLite has one replica, which
-- counts in memory, and leaves these empty. See internal/sharedlimit.

-- +goose Up
CREATE TABLE limit_counts (
    name    bytea  NOT NULL PRIMARY KEY, -- class:subject
    state   bytea  NOT NULL,             -- the windows, with the ends of each
    idle_at bigint NOT NULL              -- when nothing of it counts any more; not indexed, or each count would write an index too
) /* sqlite: WITHOUT ROWID */;
CREATE TABLE limit_runs (
    name bytea  NOT NULL,
    span text   NOT NULL, -- which window
    seq  bigint NOT NULL,
    runs bytea  NOT NULL, -- a piece of its middle
    PRIMARY KEY (name, span, seq)
) /* sqlite: WITHOUT ROWID */;

-- +goose Down
DROP TABLE limit_runs;
DROP TABLE limit_counts;
