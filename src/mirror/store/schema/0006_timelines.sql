-- Waiting times of each conversation, computed from its parts once instead of for every report. Times are epoch
-- seconds; spans are JSON, [[from, to], ...], where `to` is null while the span lasts.
--
-- A row exists only while it is valid: triggers remove it when its source changes, whatever changed it. Reports
-- compute missing rows, so nothing else has to keep them up to date.

CREATE TABLE conversation_timelines (
    conversation_id    TEXT PRIMARY KEY,
    created_at         INTEGER,
    -- The first message of a contact, the first visible answer of a human teammate to it, the closes after it.
    first_contact_at   INTEGER,
    first_response_at  INTEGER,
    first_close_at     INTEGER,
    last_close_at      INTEGER,
    -- The oldest message of a contact that nobody has answered.
    waiting_since      INTEGER,
    -- Sum of: 1 closed now, 2 snoozed now, 4 begun by a contact, 8 its parts were fetched, 16 it has changed
    -- since, 32 parts are missing that the API no longer hands out, 64 reopened.
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
    (created_at, marks, first_contact_at, first_response_at, first_close_at, last_close_at, waiting_since,
     team_id, admin_id, channel);

CREATE TRIGGER conversations_timeline_added AFTER INSERT ON conversations BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id = new.id;
END;
CREATE TRIGGER conversations_timeline_changed AFTER UPDATE OF
    id, state, open, created_at, updated_at, admin_assignee_id, team_assignee_id, source_type,
    source_delivered_as, source_author_type
    ON conversations BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id IN (old.id, new.id);
END;
CREATE TRIGGER conversations_timeline_removed AFTER DELETE ON conversations BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id = old.id;
END;

CREATE TRIGGER conversation_parts_timeline_added AFTER INSERT ON conversation_parts BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id = new.conversation_id;
END;
CREATE TRIGGER conversation_parts_timeline_changed AFTER UPDATE OF
    id, conversation_id, part_type, author_type, assigned_type, assigned_id, state, from_ai_agent, has_text,
    created_at, updated_at
    ON conversation_parts BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id IN (old.conversation_id, new.conversation_id);
END;
CREATE TRIGGER conversation_parts_timeline_removed AFTER DELETE ON conversation_parts BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id = old.conversation_id;
END;

CREATE TRIGGER conversation_parts_state_timeline_added AFTER INSERT ON conversation_parts_state BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id = new.conversation_id;
END;
CREATE TRIGGER conversation_parts_state_timeline_changed AFTER UPDATE OF
    conversation_id, updated_at, truncated ON conversation_parts_state BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id IN (old.conversation_id, new.conversation_id);
END;
CREATE TRIGGER conversation_parts_state_timeline_removed AFTER DELETE ON conversation_parts_state BEGIN
    DELETE FROM conversation_timelines WHERE conversation_id = old.conversation_id;
END;

-- To find a person by phone number, and the conversations that a person began.
CREATE INDEX contacts_phone ON contacts (phone);
CREATE INDEX conversations_author ON conversations (source_author_id);
