-- What changes unnoticed: deletions, names of authors, counts. A slice of such records is fetched again in each
-- run. Times are epoch seconds by the server's clock.

-- The running check for deletions: its start, and the last id that it has checked.
ALTER TABLE sync_state ADD COLUMN check_began_at INTEGER;
ALTER TABLE sync_state ADD COLUMN check_after TEXT;
-- Start of the latest complete check: records deleted before are not in the mirror.
ALTER TABLE sync_state ADD COLUMN checked_at INTEGER;
-- Number of stored records that are gone, according to the workspace's count.
ALTER TABLE sync_state ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
-- Requests of the latest complete listing.
ALTER TABLE sync_state ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;
-- When the last daily slice of records was scheduled for a reread.
ALTER TABLE sync_state ADD COLUMN reread_at INTEGER;

-- Records to fetch again although they do not count as changed.
CREATE TABLE sync_rereads (
    resource  TEXT NOT NULL,
    id        TEXT NOT NULL,
    PRIMARY KEY (resource, id)
);

-- Conversations and tickets contain the names of their authors, but do not count as changed with them.
CREATE TRIGGER contacts_renamed AFTER UPDATE OF name, email ON contacts
    WHEN new.name IS NOT old.name OR new.email IS NOT old.email BEGIN
    INSERT INTO sync_rereads (resource, id)
        SELECT 'conversations', conversation_id FROM conversation_contacts WHERE contact_id = new.id
        UNION SELECT 'conversations', conversation_id FROM conversation_parts WHERE author_id = new.id
        UNION SELECT 'conversations', id FROM conversations WHERE source_author_id = new.id
        UNION SELECT 'tickets', ticket_id FROM ticket_contacts WHERE contact_id = new.id
        EXCEPT SELECT resource, id FROM sync_rereads;
END;
CREATE TRIGGER admins_renamed AFTER UPDATE OF name, email ON admins
    WHEN new.name IS NOT old.name OR new.email IS NOT old.email BEGIN
    INSERT INTO sync_rereads (resource, id)
        SELECT 'conversations', conversation_id FROM conversation_parts
            WHERE author_id = new.id AND author_type = 'admin'
        UNION SELECT 'conversations', id FROM conversations
            WHERE source_author_id = new.id AND source_author_type = 'admin'
        UNION SELECT 'tickets', ticket_id FROM ticket_parts WHERE author_id = new.id AND author_type = 'admin'
        EXCEPT SELECT resource, id FROM sync_rereads;
END;

-- Lists of articles omit these, so each article is fetched.
ALTER TABLE articles ADD COLUMN statistics_views INTEGER;
ALTER TABLE articles ADD COLUMN statistics_conversations INTEGER;
ALTER TABLE articles ADD COLUMN statistics_reactions INTEGER;
ALTER TABLE articles ADD COLUMN statistics_happy_reaction_percentage REAL;
ALTER TABLE articles ADD COLUMN statistics_neutral_reaction_percentage REAL;
ALTER TABLE articles ADD COLUMN statistics_sad_reaction_percentage REAL;
CREATE TABLE article_statistics_state (
    article_id  TEXT PRIMARY KEY NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    updated_at  INTEGER,
    fetched_at  INTEGER NOT NULL
);
