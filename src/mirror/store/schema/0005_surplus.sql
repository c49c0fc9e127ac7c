-- By how many the stored records exceed the workspace's count although each of them exists, since counts and
-- lists do not always agree. Only a larger surplus is a sign of deletions.
ALTER TABLE sync_state ADD COLUMN surplus INTEGER NOT NULL DEFAULT 0;
