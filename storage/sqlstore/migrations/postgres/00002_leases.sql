-- +goose Up
-- Every turn of an inbox moves its row in the index, and what that leaves lies where claims look.
CREATE TABLE {leases} (
    kind    TEXT   COLLATE "C" NOT NULL,
    inbox   TEXT   COLLATE "C" NOT NULL,
    due     BIGINT NOT NULL,
    rest    BIGINT NOT NULL,
    rung    SMALLINT NOT NULL,
    owner   TEXT   COLLATE "C" NOT NULL,
    token   BIGINT NOT NULL,
    PRIMARY KEY (kind, inbox)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
CREATE INDEX {leases_due} ON {leases} (kind, due, inbox);
