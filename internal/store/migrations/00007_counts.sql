-- How many people an account has in each state, for who looks at its overview: counting a
-- hundred thousand of them takes longer than all the rest of that page.

-- +goose Up
-- The counts hold while counted_seq is the account's audit_seq: whoever moves one moves the
-- other along, except replicas that don't know of them. -1 = nobody has counted yet.
ALTER TABLE accounts ADD COLUMN active_people bigint NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN suspended_people bigint NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN pending_people bigint NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN counted_seq bigint NOT NULL DEFAULT -1;

-- +goose Down
ALTER TABLE accounts DROP COLUMN counted_seq;
ALTER TABLE accounts DROP COLUMN pending_people;
ALTER TABLE accounts DROP COLUMN suspended_people;
ALTER TABLE accounts DROP COLUMN active_people;
