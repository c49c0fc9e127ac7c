-- When the members of a segment were last fetched, in epoch seconds by the server's clock. One contact may leave
-- while another enters, and not every server reports counts.
ALTER TABLE contact_segments_state ADD COLUMN read_at INTEGER NOT NULL DEFAULT 0;
