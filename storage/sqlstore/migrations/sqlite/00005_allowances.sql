-- +goose Up
CREATE TABLE {allowances} (
    site    TEXT    NOT NULL,
    person  TEXT    NOT NULL,
    version INTEGER NOT NULL,
    doc     TEXT    NOT NULL,
    PRIMARY KEY (site, person)
) WITHOUT ROWID;
