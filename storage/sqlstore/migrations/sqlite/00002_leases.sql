-- +goose Up
CREATE TABLE {leases} (
    kind    TEXT    NOT NULL,
    inbox   TEXT    NOT NULL,
    due     INTEGER NOT NULL,
    rest    INTEGER NOT NULL,
    rung    INTEGER NOT NULL,
    owner   TEXT    NOT NULL,
    token   INTEGER NOT NULL,
    PRIMARY KEY (kind, inbox)
) WITHOUT ROWID;
CREATE INDEX {leases_due} ON {leases} (kind, due, inbox);
