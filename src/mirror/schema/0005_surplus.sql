-- How many records more than the workspace counts are stored although each of them exists: counts and lists
-- do not always agree. Only what goes beyond that is a sign that something was deleted.
ALTER TABLE sync_state ADD COLUMN surplus INTEGER NOT NULL DEFAULT 0;
