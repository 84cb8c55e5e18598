-- +goose Up
CREATE TABLE {catalogs} (
    site    TEXT    NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    doc     TEXT    NOT NULL
);
