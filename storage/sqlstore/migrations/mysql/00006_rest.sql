-- +goose Up
-- The columns may be there already when the migration was cut short.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = '{tickets}' AND column_name = 'rest') > 0, 'DO 0',
    'ALTER TABLE {tickets} ADD COLUMN rest VARBINARY(64), ADD COLUMN rested BIGINT, ADD KEY {tickets_rest} (rest, rested, site)');
PREPARE addition FROM @statement;
EXECUTE addition;
DEALLOCATE PREPARE addition;
UPDATE {tickets} SET rested = activity, rest = CASE WHEN trash = 1 THEN 'trash'
    WHEN status = 'waiting' THEN 'waiting' ELSE 'done' END
    WHERE rest IS NULL AND (trash = 1 OR status IN ('waiting', 'solved', 'closed'));
