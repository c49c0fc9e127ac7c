-- When the members of a segment were last read, in epoch seconds by the server's clock. Somebody may leave
-- while somebody else enters, and not every server tells the counts.
ALTER TABLE contact_segments_state ADD COLUMN read_at INTEGER NOT NULL DEFAULT 0;
