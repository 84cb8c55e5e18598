-- +goose Up
CREATE TABLE {drafts} (
    entry   TEXT    NOT NULL PRIMARY KEY,
    ticket  TEXT    NOT NULL,
    person  TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    doc     TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX {drafts_ticket} ON {drafts} (ticket, person, entry);
CREATE INDEX {drafts_person} ON {drafts} (site, person, ticket, entry);
