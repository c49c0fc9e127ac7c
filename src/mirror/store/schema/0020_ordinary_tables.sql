-- Tables that every reader of SQLite files supports: each has row ids, and each column holds its declared type.
-- DuckDB, for example, needs both.
--
-- Each table is copied aside, recreated under its name and filled, so that views which use it remain.

-- Marks the file as a mirror ("ICPP"), so that another program's database is not mistaken for one.
PRAGMA application_id = 1229148240;

CREATE TEMP TABLE kept AS SELECT * FROM main.conversation_tags;
DROP TABLE main.conversation_tags;
CREATE TABLE conversation_tags (
    conversation_id  TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    tag_id           TEXT NOT NULL,
    PRIMARY KEY (conversation_id, tag_id)
);
INSERT INTO main.conversation_tags SELECT * FROM temp.kept;
DROP TABLE temp.kept;
CREATE INDEX conversation_tags_tag ON conversation_tags (tag_id);

CREATE TEMP TABLE kept AS SELECT * FROM main.conversation_contacts;
DROP TABLE main.conversation_contacts;
CREATE TABLE conversation_contacts (
    conversation_id  TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    contact_id       TEXT NOT NULL,
    PRIMARY KEY (conversation_id, contact_id)
);
INSERT INTO main.conversation_contacts SELECT * FROM temp.kept;
DROP TABLE temp.kept;
CREATE INDEX conversation_contacts_contact ON conversation_contacts (contact_id);

CREATE TEMP TABLE kept AS SELECT * FROM main.contact_tags;
DROP TABLE main.contact_tags;
CREATE TABLE contact_tags (
    contact_id  TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    tag_id      TEXT NOT NULL,
    PRIMARY KEY (contact_id, tag_id)
);
INSERT INTO main.contact_tags SELECT * FROM temp.kept;
DROP TABLE temp.kept;
CREATE INDEX contact_tags_tag ON contact_tags (tag_id);

CREATE TEMP TABLE kept AS SELECT * FROM main.contact_companies;
DROP TABLE main.contact_companies;
CREATE TABLE contact_companies (
    contact_id  TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    company_id  TEXT NOT NULL,
    PRIMARY KEY (contact_id, company_id)
);
INSERT INTO main.contact_companies SELECT * FROM temp.kept;
DROP TABLE temp.kept;
CREATE INDEX contact_companies_company ON contact_companies (company_id);

CREATE TEMP TABLE kept AS SELECT * FROM main.contact_subscriptions;
DROP TABLE main.contact_subscriptions;
CREATE TABLE contact_subscriptions (
    contact_id       TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    subscription_id  TEXT NOT NULL,
    PRIMARY KEY (contact_id, subscription_id)
);
INSERT INTO main.contact_subscriptions SELECT * FROM temp.kept;
DROP TABLE temp.kept;

CREATE TEMP TABLE kept AS SELECT * FROM main.contact_segments;
DROP TABLE main.contact_segments;
CREATE TABLE contact_segments (
    contact_id  TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    segment_id  TEXT NOT NULL,
    PRIMARY KEY (contact_id, segment_id)
);
INSERT INTO main.contact_segments SELECT * FROM temp.kept;
DROP TABLE temp.kept;
CREATE INDEX contact_segments_segment ON contact_segments (segment_id);

CREATE TEMP TABLE kept AS SELECT * FROM main.ticket_contacts;
DROP TABLE main.ticket_contacts;
CREATE TABLE ticket_contacts (
    ticket_id   TEXT NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    contact_id  TEXT NOT NULL,
    PRIMARY KEY (ticket_id, contact_id)
);
INSERT INTO main.ticket_contacts SELECT * FROM temp.kept;
DROP TABLE temp.kept;
CREATE INDEX ticket_contacts_contact ON ticket_contacts (contact_id);

CREATE TEMP TABLE kept AS SELECT * FROM main.conversation_parts_state;
DROP TABLE main.conversation_parts_state;
CREATE TABLE conversation_parts_state (
    conversation_id  TEXT PRIMARY KEY NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    updated_at       INTEGER,
    fetched_at       INTEGER NOT NULL,
    parts            INTEGER NOT NULL,
    expected         INTEGER,
    truncated        INTEGER NOT NULL
);
INSERT INTO main.conversation_parts_state SELECT * FROM temp.kept;
DROP TABLE temp.kept;
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

CREATE TEMP TABLE kept AS SELECT * FROM main.ticket_parts_state;
DROP TABLE main.ticket_parts_state;
CREATE TABLE ticket_parts_state (
    ticket_id        TEXT PRIMARY KEY NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    updated_at       INTEGER,
    fetched_at       INTEGER NOT NULL,
    parts            INTEGER NOT NULL,
    expected         INTEGER,
    truncated        INTEGER NOT NULL
);
INSERT INTO main.ticket_parts_state SELECT * FROM temp.kept;
DROP TABLE temp.kept;

CREATE TEMP TABLE kept AS SELECT * FROM main.contact_lists_state;
DROP TABLE main.contact_lists_state;
CREATE TABLE contact_lists_state (
    contact_id  TEXT PRIMARY KEY NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    updated_at  INTEGER,
    fetched_at  INTEGER NOT NULL
);
INSERT INTO main.contact_lists_state SELECT * FROM temp.kept;
DROP TABLE temp.kept;

CREATE TEMP TABLE kept AS SELECT * FROM main.contact_segments_state;
DROP TABLE main.contact_segments_state;
CREATE TABLE contact_segments_state (
    segment_id  TEXT PRIMARY KEY NOT NULL,
    count       INTEGER,
    read_at     INTEGER NOT NULL DEFAULT 0
);
INSERT INTO main.contact_segments_state SELECT * FROM temp.kept;
DROP TABLE temp.kept;

CREATE TEMP TABLE kept AS SELECT * FROM main.sync_seen;
DROP TABLE main.sync_seen;
CREATE TABLE sync_seen (
    resource   TEXT NOT NULL,
    id         TEXT NOT NULL,
    PRIMARY KEY (resource, id)
);
INSERT INTO main.sync_seen SELECT * FROM temp.kept;
DROP TABLE temp.kept;

CREATE TEMP TABLE kept AS SELECT * FROM main.texts_due;
DROP TABLE main.texts_due;
CREATE TABLE texts_due (
    resource   TEXT NOT NULL,
    record_id  TEXT NOT NULL,
    PRIMARY KEY (resource, record_id)
);
INSERT INTO main.texts_due SELECT * FROM temp.kept;
DROP TABLE temp.kept;

-- A company's spend need not be an integer.
CREATE TEMP TABLE kept AS SELECT * FROM main.companies;
DROP TABLE main.companies;
CREATE TABLE companies (
    id               TEXT PRIMARY KEY,
    company_id       TEXT,
    name             TEXT,
    plan             TEXT,
    size             INTEGER,
    monthly_spend    REAL,
    user_count       INTEGER,
    session_count    INTEGER,
    created_at       INTEGER,
    updated_at       INTEGER,
    last_request_at  INTEGER,
    synced_at        INTEGER NOT NULL,
    raw              TEXT NOT NULL
);
INSERT INTO main.companies SELECT * FROM temp.kept;
DROP TABLE temp.kept;
CREATE INDEX companies_company_id ON companies (company_id);
CREATE TRIGGER companies_text_added AFTER INSERT ON companies BEGIN
    INSERT INTO texts_due SELECT 'companies', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'companies' AND record_id = new.id);
END;
CREATE TRIGGER companies_text_changed AFTER UPDATE OF raw ON companies WHEN new.raw IS NOT old.raw BEGIN
    INSERT INTO texts_due SELECT 'companies', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'companies' AND record_id = new.id);
END;
CREATE TRIGGER companies_text_removed AFTER DELETE ON companies BEGIN
    INSERT INTO texts_due SELECT 'companies', old.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'companies' AND record_id = old.id);
END;
