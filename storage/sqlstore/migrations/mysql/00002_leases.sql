-- +goose Up
CREATE TABLE IF NOT EXISTS {leases} (
    kind       VARBINARY(64) NOT NULL,
    inbox      VARBINARY(255) NOT NULL,
    due        BIGINT NOT NULL,
    rest       BIGINT NOT NULL,
    rung       SMALLINT NOT NULL,
    owner      VARBINARY(255) NOT NULL,
    token      BIGINT NOT NULL,
    PRIMARY KEY (kind, inbox),
    KEY {leases_due} (kind, due, inbox)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;
