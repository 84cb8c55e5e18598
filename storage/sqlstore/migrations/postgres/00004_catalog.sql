-- +goose Up
CREATE TABLE {catalogs} (
    site    TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    doc     TEXT   NOT NULL
);
