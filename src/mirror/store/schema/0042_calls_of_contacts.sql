-- Calls are fetched again when their contact is merged or deleted. Without an index, each such contact would take
-- a scan of all calls.
CREATE INDEX calls_contact ON calls (contact_id);

-- Segment members that are still being fetched are no longer stored here.
DELETE FROM sync_seen WHERE resource LIKE 'segment %';
