-- +goose Up
CREATE TABLE IF NOT EXISTS {drafts} (
    entry      VARBINARY(255) NOT NULL,
    ticket     VARBINARY(255) NOT NULL,
    person     VARBINARY(255) NOT NULL,
    site       VARBINARY(255) NOT NULL,
    version    BIGINT NOT NULL,
    doc        LONGBLOB NOT NULL,
    PRIMARY KEY (entry),
    KEY {drafts_ticket} (ticket, person, entry),
    KEY {drafts_person} (site, person, ticket, entry)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;
