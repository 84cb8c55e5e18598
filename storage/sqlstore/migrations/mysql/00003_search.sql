-- +goose Up
-- The entries that can be found; the key is the second of the entry, so that newer ones come behind.
CREATE TABLE IF NOT EXISTS {search} (
    pk         BIGINT NOT NULL PRIMARY KEY,
    entry      BIGINT NOT NULL,
    ticket     BIGINT NOT NULL,
    inbox      VARBINARY(255) NOT NULL,
    hidden     SMALLINT NOT NULL,
    files      SMALLINT NOT NULL,
    scope      BIGINT NOT NULL DEFAULT 0,
    words      MEDIUMBLOB NOT NULL,
    UNIQUE KEY {search_entry} (entry),
    KEY {search_ticket} (ticket, files, hidden, inbox),
    KEY {search_inbox} (inbox)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

-- FULLTEXT would leave out short words, keep the words of what is deleted until OPTIMIZE TABLE, and
-- show a transaction nothing of what it has written.
CREATE TABLE IF NOT EXISTS {search_words} (
    scope      BIGINT NOT NULL,
    word       VARBINARY(64) NOT NULL,
    doc        BIGINT NOT NULL,
    fields     SMALLINT NOT NULL,
    places     MEDIUMBLOB NOT NULL,
    PRIMARY KEY (scope, word, doc)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

CREATE TABLE IF NOT EXISTS {reads} (
    person     VARBINARY(255) NOT NULL,
    ticket     BIGINT NOT NULL,
    seen       BIGINT NOT NULL,
    PRIMARY KEY (ticket, person)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;

-- A NULL is not known yet: the ticket has not been saved since. The columns may be there already when
-- the migration was cut short.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = '{tickets}' AND column_name = 'heard') > 0, 'DO 0',
    'ALTER TABLE {tickets} ADD COLUMN created BIGINT, ADD COLUMN heard BIGINT, ADD COLUMN priority VARBINARY(255), ADD COLUMN `type` VARBINARY(255), ADD COLUMN source VARBINARY(255), ADD KEY {tickets_counts} (site, trash, inbox, status, assignee, hidden, heard)');
PREPARE addition FROM @statement;
EXECUTE addition;
DEALLOCATE PREPARE addition;
