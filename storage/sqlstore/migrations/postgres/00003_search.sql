-- +goose Up
-- A NULL is not known yet: the ticket has not been saved since.
ALTER TABLE {tickets} ADD COLUMN created BIGINT, ADD COLUMN heard BIGINT,
    ADD COLUMN priority TEXT COLLATE "C", ADD COLUMN type TEXT COLLATE "C", ADD COLUMN source TEXT COLLATE "C";
CREATE INDEX {tickets_counts} ON {tickets} (site, trash, inbox, status, assignee, hidden, heard);

-- The entries that can be found; the key is the second of the entry, so that newer ones come behind.
-- words come in their final form; the first ones say who they are for.
CREATE TABLE {search} (
    pk     BIGINT   PRIMARY KEY,
    entry  BIGINT   NOT NULL,
    ticket BIGINT   NOT NULL,
    inbox  TEXT     COLLATE "C" NOT NULL,
    hidden SMALLINT NOT NULL,
    files  SMALLINT NOT NULL,
    words  TSVECTOR NOT NULL
);
CREATE UNIQUE INDEX {search_entry} ON {search} (entry);
CREATE INDEX {search_ticket} ON {search} (ticket, files, hidden, inbox);
CREATE INDEX {search_inbox} ON {search} (inbox);
CREATE INDEX {search_words} ON {search} USING gin (words);
-- So that the planner knows rare words from common ones, for which it had better go newest first.
ALTER TABLE {search} ALTER COLUMN words SET STATISTICS 300;

CREATE TABLE {reads} (
    person TEXT   COLLATE "C" NOT NULL,
    ticket BIGINT NOT NULL,
    seen   BIGINT NOT NULL,
    PRIMARY KEY (ticket, person)
);
