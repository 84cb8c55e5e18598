-- +goose Up
CREATE TABLE {allowances} (
    site    TEXT   COLLATE "C" NOT NULL,
    person  TEXT   COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    doc     TEXT   NOT NULL,
    PRIMARY KEY (site, person)
);
