-- +goose Up
-- A NULL is not known yet: the ticket has not been saved since.
ALTER TABLE {tickets} ADD COLUMN created INTEGER;
ALTER TABLE {tickets} ADD COLUMN heard INTEGER;
ALTER TABLE {tickets} ADD COLUMN priority TEXT;
ALTER TABLE {tickets} ADD COLUMN type TEXT;
ALTER TABLE {tickets} ADD COLUMN source TEXT;
CREATE INDEX {tickets_counts} ON {tickets} (site, trash, inbox, status, assignee, hidden, heard);

-- The entries that can be found; the key is the second of the entry, so that newer ones come behind.
CREATE TABLE {search} (
    pk     INTEGER PRIMARY KEY,
    entry  INTEGER NOT NULL,
    ticket INTEGER NOT NULL,
    inbox  TEXT    NOT NULL,
    hidden INTEGER NOT NULL,
    files  INTEGER NOT NULL
);
CREATE UNIQUE INDEX {search_entry} ON {search} (entry);
CREATE INDEX {search_ticket} ON {search} (ticket, files, hidden, inbox);
CREATE INDEX {search_inbox} ON {search} (inbox);

-- Words come in their final form, ASCII or not, with a space between; scope is who they are for.
CREATE VIRTUAL TABLE {search_words} USING fts5 (
    subject, people, files, body, quote, scope, tokenize = 'ascii', columnsize = 0
);
-- What is taken out is taken out of the index at once, not marked only.
INSERT INTO {search_words} ({search_words}, rank) VALUES ('secure-delete', 1);

CREATE TABLE {reads} (
    person TEXT    NOT NULL,
    ticket INTEGER NOT NULL,
    seen   INTEGER NOT NULL,
    PRIMARY KEY (ticket, person)
) WITHOUT ROWID;
