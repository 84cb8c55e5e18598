-- +goose Up
ALTER TABLE {tickets} ADD COLUMN rest TEXT;
ALTER TABLE {tickets} ADD COLUMN rested INTEGER;
UPDATE {tickets} SET rested = activity, rest = CASE WHEN trash = 1 THEN 'trash'
    WHEN status = 'waiting' THEN 'waiting' ELSE 'done' END
    WHERE trash = 1 OR status IN ('waiting', 'solved', 'closed');
CREATE INDEX {tickets_rest} ON {tickets} (rest, rested, site) WHERE rest IS NOT NULL;
