-- +goose Up
CREATE TABLE IF NOT EXISTS {allowances} (
    site       VARBINARY(255) NOT NULL,
    person     VARBINARY(255) NOT NULL,
    version    BIGINT NOT NULL,
    doc        LONGBLOB NOT NULL,
    PRIMARY KEY (site, person)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4;
