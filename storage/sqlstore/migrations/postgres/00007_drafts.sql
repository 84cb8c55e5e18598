-- +goose Up
CREATE TABLE {drafts} (
    entry   TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    ticket  TEXT   COLLATE "C" NOT NULL,
    person  TEXT   COLLATE "C" NOT NULL,
    site    TEXT   COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    doc     TEXT   NOT NULL
);
CREATE INDEX {drafts_ticket} ON {drafts} (ticket, person, entry);
CREATE INDEX {drafts_person} ON {drafts} (site, person, ticket, entry);
