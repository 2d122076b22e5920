-- The console: how people sign in, their sessions, and finding people by words.

-- +goose Up
CREATE TABLE passwords (
    account_id text   NOT NULL,
    user_id    text   NOT NULL,
    hash       text   NOT NULL, -- argon2id, in the PHC string format
    set_time   bigint NOT NULL,
    PRIMARY KEY (account_id, user_id),
    FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
) /* sqlite: WITHOUT ROWID */;

CREATE TABLE passkeys (
    account_id     text   NOT NULL,
    user_id        text   NOT NULL,
    id             text   NOT NULL, -- sorts by time
    credential     bytea  NOT NULL, -- the id its authenticator gave it
    data           bytea  NOT NULL, -- public key, counter, flags
    name           text   NOT NULL,
    create_time    bigint NOT NULL,
    last_used_time bigint NOT NULL, -- 0 = never
    PRIMARY KEY (account_id, user_id, id),
    FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
) /* sqlite: WITHOUT ROWID */;
CREATE UNIQUE INDEX passkeys_credential ON passkeys (credential);

CREATE TABLE sessions (
    account_id     text   NOT NULL,
    user_id        text   NOT NULL,
    id             text   NOT NULL, -- sorts by time
    hash           bytea  NOT NULL, -- of the cookie's value
    method         text   NOT NULL,
    create_time    bigint NOT NULL,
    last_seen_time bigint NOT NULL,
    expire_time    bigint NOT NULL,
    address        text   NOT NULL,
    user_agent     text   NOT NULL,
    PRIMARY KEY (account_id, user_id, id),
    FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
) /* sqlite: WITHOUT ROWID */;
CREATE UNIQUE INDEX sessions_hash ON sessions (hash);
CREATE INDEX sessions_expiry ON sessions (expire_time);

CREATE TABLE links (
    hash        bytea  NOT NULL PRIMARY KEY,
    account_id  text   NOT NULL,
    user_id     text   NOT NULL,
    purpose     text   NOT NULL,
    create_time bigint NOT NULL,
    expire_time bigint NOT NULL,
    FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX links_user ON links (account_id, user_id);
CREATE INDEX links_expiry ON links (expire_time);

-- Tries to sign in, or to add a passkey, between their two requests.
CREATE TABLE ceremonies (
    hash        bytea  NOT NULL PRIMARY KEY,
    kind        text   NOT NULL,
    account_id  text   NOT NULL, -- '' = not known yet
    user_id     text   NOT NULL, -- the same
    data        bytea  NOT NULL,
    expire_time bigint NOT NULL
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX ceremonies_expiry ON ceremonies (expire_time);

CREATE TABLE sso_connections (
    account_id  text   NOT NULL PRIMARY KEY REFERENCES accounts (id),
    issuer      text   NOT NULL,
    client_id   text   NOT NULL,
    secret      bytea  NOT NULL, -- sealed with a key that is not in the database; empty = none
    update_time bigint NOT NULL
) /* sqlite: WITHOUT ROWID */;

-- Whom an account's issuer knows by which subject.
CREATE TABLE sso_subjects (
    account_id text NOT NULL,
    issuer     text NOT NULL,
    subject    text NOT NULL,
    user_id    text NOT NULL,
    PRIMARY KEY (account_id, issuer, subject),
    FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
) /* sqlite: WITHOUT ROWID */;
CREATE UNIQUE INDEX sso_subjects_user ON sso_subjects (account_id, user_id, issuer);

-- The words of people's names and addresses (see directory.SearchWords). As bytes: text is
-- compared by the database's locale, in which a beginning is no range.
CREATE TABLE user_words (
    account_id text  NOT NULL,
    word       bytea NOT NULL,
    user_id    text  NOT NULL,
    PRIMARY KEY (account_id, word, user_id),
    FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX user_words_user ON user_words (account_id, user_id);

-- +goose Down
DROP TABLE user_words;
DROP TABLE sso_subjects;
DROP TABLE sso_connections;
DROP TABLE ceremonies;
DROP TABLE links;
DROP TABLE sessions;
DROP TABLE passkeys;
DROP TABLE passwords;
