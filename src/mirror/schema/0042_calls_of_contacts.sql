-- Calls are read again when their contact is merged or deleted: without an index each such contact costs a look at
-- all calls.
CREATE INDEX calls_contact ON calls (contact_id);

-- Segment members that were still being fetched are no longer kept here.
DELETE FROM sync_seen WHERE resource LIKE 'segment %';
