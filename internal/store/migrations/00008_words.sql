-- The words by which people are found stand alone: no foreign key, and no index of whose they are. Somebody has five of
-- them, and each was looked up and indexed again when it was added, only so that the words of one person could be deleted:
-- now each is deleted by its key. See docs/decisions/0035.

-- +goose Up
/* sqlite: CREATE TABLE lone_words (account_id text NOT NULL, word bytea NOT NULL, user_id text NOT NULL, PRIMARY KEY (account_id, word, user_id)) WITHOUT ROWID; */
/* sqlite: INSERT INTO lone_words SELECT * FROM user_words; */
/* sqlite: DROP TABLE user_words; */
/* sqlite: ALTER TABLE lone_words RENAME TO user_words; */
SET LOCAL lock_timeout = 4000; -- not sqlite
ALTER TABLE user_words DROP CONSTRAINT IF EXISTS user_words_account_id_user_id_fkey; -- not sqlite
DROP INDEX IF EXISTS user_words_user; -- not sqlite

-- +goose Down
/* sqlite: CREATE TABLE kept_words (account_id text NOT NULL, word bytea NOT NULL, user_id text NOT NULL, PRIMARY KEY (account_id, word, user_id), FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)) WITHOUT ROWID; */
/* sqlite: INSERT INTO kept_words SELECT * FROM user_words; */
/* sqlite: DROP TABLE user_words; */
/* sqlite: ALTER TABLE kept_words RENAME TO user_words; */
ALTER TABLE user_words ADD FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id); -- not sqlite
CREATE INDEX user_words_user ON user_words (account_id, user_id);
