-- The first schema. One text for SQLite and PostgreSQL: only text, bigint and
-- bytea; times are integer microseconds since 1970 UTC; 0 and '' stand for "none".
-- What a comment marks with "sqlite:" is text for SQLite alone (see dialect.go).

-- +goose Up
CREATE TABLE accounts (
    id           text   NOT NULL PRIMARY KEY,
    name         text   NOT NULL,
    provisioning text   NOT NULL,
    state        text   NOT NULL,
    create_time  bigint NOT NULL,
    audit_seq    bigint NOT NULL, -- end of the account's audit chain
    audit_hash   bytea  NOT NULL
) /* sqlite: WITHOUT ROWID */;

-- With a rowid, unlike the others: people who were added together lie together, and
-- pages are read in the order of adding.
CREATE TABLE users (
    account_id   text   NOT NULL REFERENCES accounts (id),
    id           text   NOT NULL,
    email        text   NOT NULL,
    email_key    text   NOT NULL, -- the address as it is compared
    display_name text   NOT NULL,
    state        text   NOT NULL,
    listed       bigint NOT NULL, -- 1 where the API shows the person: not PENDING
    type         text   NOT NULL,
    create_time  bigint NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX users_email ON users (account_id, email_key);
-- The two orders in which pages are read: of everybody the API shows, and of one state.
-- No index is partial: SQLite parses a statement again for each new parameter where
-- one might serve it.
CREATE INDEX users_listed ON users (account_id, listed, create_time, id);
CREATE INDEX users_by_state ON users (account_id, state, create_time, id);

CREATE TABLE group_members (
    account_id text NOT NULL,
    group_name text NOT NULL,
    user_id    text NOT NULL,
    PRIMARY KEY (account_id, group_name, user_id),
    FOREIGN KEY (account_id, user_id) REFERENCES users (account_id, id)
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX group_members_user ON group_members (account_id, user_id);

CREATE TABLE applications (
    id           text   NOT NULL PRIMARY KEY,
    account_id   text   NOT NULL REFERENCES accounts (id),
    name         text   NOT NULL,
    description  text   NOT NULL,
    redirect_url text   NOT NULL,
    permissions  text   NOT NULL, -- wire names separated by a space
    state        text   NOT NULL,
    create_time  bigint NOT NULL
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX applications_account ON applications (account_id, create_time, id);

CREATE TABLE application_secrets (
    id          text   NOT NULL PRIMARY KEY,
    client_id   text   NOT NULL REFERENCES applications (id),
    hash        bytea  NOT NULL,
    create_time bigint NOT NULL,
    expire_time bigint NOT NULL -- 0 = the current one
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX application_secrets_client ON application_secrets (client_id);
CREATE INDEX application_secrets_over ON application_secrets (expire_time);

-- No foreign keys here: a token whose application, secret or account is gone
-- does not count, and the table is written for every token issued.
CREATE TABLE tokens (
    hash        bytea  NOT NULL PRIMARY KEY,
    client_id   text   NOT NULL,
    secret_id   text   NOT NULL,
    issue_time  bigint NOT NULL,
    expire_time bigint NOT NULL
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX tokens_expiry ON tokens (expire_time);

CREATE TABLE page_keys (
    id          bigint NOT NULL PRIMARY KEY,
    secret      bytea  NOT NULL,
    create_time bigint NOT NULL
) /* sqlite: WITHOUT ROWID */;

-- Rows are only ever added. account_id is '' where no account is known. Entries
-- that are not changes (chained = 0) are purged when they are old.
CREATE TABLE audit_entries (
    account_id text   NOT NULL,
    id         text   NOT NULL, -- sorts by time
    chained    bigint NOT NULL,
    seq        bigint NOT NULL,
    time       bigint NOT NULL,
    actor_kind text   NOT NULL,
    actor      text   NOT NULL,
    action     text   NOT NULL,
    target     text   NOT NULL,
    outcome    text   NOT NULL,
    detail     text   NOT NULL,
    address    text   NOT NULL,
    user_agent text   NOT NULL,
    request_id text   NOT NULL,
    count      bigint NOT NULL,
    prev_hash  bytea  NOT NULL,
    hash       bytea  NOT NULL,
    PRIMARY KEY (account_id, id)
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX audit_entries_age ON audit_entries (chained, id);

-- Each account's changes in their order: one entry a place.
CREATE TABLE audit_chain (
    account_id text   NOT NULL,
    seq        bigint NOT NULL,
    entry_id   text   NOT NULL,
    hash       bytea  NOT NULL,
    PRIMARY KEY (account_id, seq)
) /* sqlite: WITHOUT ROWID */;

CREATE TABLE usage_hours (
    hour       bigint NOT NULL, -- its first second, Unix time
    account_id text   NOT NULL,
    client_id  text   NOT NULL,
    user_agent text   NOT NULL,
    requests   bigint NOT NULL,
    errors     bigint NOT NULL,
    limited    bigint NOT NULL,
    PRIMARY KEY (hour, account_id, client_id, user_agent)
) /* sqlite: WITHOUT ROWID */;

-- +goose Down
DROP TABLE usage_hours;
DROP TABLE audit_chain;
DROP TABLE audit_entries;
DROP TABLE page_keys;
DROP TABLE tokens;
DROP TABLE application_secrets;
DROP TABLE applications;
DROP TABLE group_members;
DROP TABLE users;
DROP TABLE accounts;
