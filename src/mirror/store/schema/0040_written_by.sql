-- The author of a message: `contact`, `teammate` (a person) or `bot` (also Operator and workflows, which may be
-- typed as admins). Texts are extracted from HTML again, because attributes used to leak into them.

CREATE TABLE IF NOT EXISTS columns_due (
    resource  TEXT PRIMARY KEY NOT NULL
);
INSERT OR IGNORE INTO columns_due VALUES ('conversations'), ('conversation_parts'), ('ticket_parts');

ALTER TABLE conversations ADD COLUMN source_written_by TEXT;
ALTER TABLE conversation_parts ADD COLUMN written_by TEXT;

DROP INDEX conversation_parts_timeline;
-- Covers reading a whole timeline in order.
CREATE INDEX conversation_parts_timeline ON conversation_parts
    (conversation_id, created_at, id, part_type, written_by, has_text, state);

INSERT OR IGNORE INTO texts_due SELECT 'conversations', id FROM conversations;
INSERT OR IGNORE INTO texts_due SELECT 'conversation_parts', id FROM conversation_parts;
INSERT OR IGNORE INTO texts_due SELECT 'tickets', id FROM tickets;
INSERT OR IGNORE INTO texts_due SELECT 'ticket_parts', id FROM ticket_parts;
INSERT OR IGNORE INTO texts_due SELECT 'articles', id FROM articles;
INSERT OR IGNORE INTO texts_due SELECT 'internal_articles', id FROM internal_articles;

-- When a conversation began for the customer: with the opening message, or, if the team or a workflow began it,
-- with the first message of a contact. Until a contact has written, it is the opening message.
DROP TABLE conversation_timelines;
CREATE TABLE conversation_timelines (
    conversation_id    TEXT PRIMARY KEY,
    created_at         INTEGER,
    started_at         INTEGER,
    -- The first message of a contact, the first visible answer of a human teammate to it, the closes after it.
    first_contact_at   INTEGER,
    first_response_at  INTEGER,
    first_close_at     INTEGER,
    last_close_at      INTEGER,
    -- The oldest message of a contact that nobody has answered.
    waiting_since      INTEGER,
    -- Sum of: 1 closed now, 2 snoozed now, 4 begun by a contact, 8 its parts were fetched, 16 it has changed
    -- since, 32 parts are missing that the API did not hand out, 64 reopened.
    marks              INTEGER NOT NULL,
    team_id            TEXT,
    admin_id           TEXT,
    channel            TEXT,
    next_responses     TEXT,
    snoozes            TEXT,
    handled            TEXT
);
-- Covers the report on waiting times.
CREATE INDEX conversation_timelines_report ON conversation_timelines
    (started_at, created_at, marks, first_contact_at, first_response_at, first_close_at, last_close_at,
     waiting_since, team_id, admin_id, channel);

DROP TRIGGER conversations_timeline_changed;
CREATE TRIGGER conversations_timeline_changed AFTER UPDATE OF
    id, state, open, created_at, updated_at, admin_assignee_id, team_assignee_id, source_type, source_written_by
    ON conversations BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id IN (old.id, new.id);
END;
DROP TRIGGER conversation_parts_timeline_changed;
CREATE TRIGGER conversation_parts_timeline_changed AFTER UPDATE OF
    id, conversation_id, part_type, written_by, assigned_type, assigned_id, state, has_text, created_at,
    updated_at
    ON conversation_parts BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id IN (old.conversation_id, new.conversation_id);
END;
