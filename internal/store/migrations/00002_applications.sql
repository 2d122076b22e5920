-- The management of applications: ending all tokens of one at once, and telling when a
-- secret was last used.

-- +goose Up
-- A token counts only in the epoch of its application that it was asked for in: one
-- write ends them all, and issuing them needs no further index.
ALTER TABLE applications ADD COLUMN token_epoch bigint NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN token_epoch bigint NOT NULL DEFAULT 0;
ALTER TABLE application_secrets ADD COLUMN last_used_time bigint NOT NULL DEFAULT 0; -- 0 = never

-- +goose Down
ALTER TABLE application_secrets DROP COLUMN last_used_time;
ALTER TABLE tokens DROP COLUMN token_epoch;
ALTER TABLE applications DROP COLUMN token_epoch;
