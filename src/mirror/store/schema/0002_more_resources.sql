-- The other resources, and records that belong to contacts. The conventions of the first file apply.

-- Records that belong to a contact. A document lists at most ten of each; `unlisted` names the lists with more,
-- which are fetched separately when the contact has changed.
CREATE TABLE contact_tags (
    contact_id  TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    tag_id      TEXT NOT NULL,
    PRIMARY KEY (contact_id, tag_id)
) WITHOUT ROWID;
CREATE INDEX contact_tags_tag ON contact_tags (tag_id);

CREATE TABLE contact_companies (
    contact_id  TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    company_id  TEXT NOT NULL,
    PRIMARY KEY (contact_id, company_id)
) WITHOUT ROWID;
CREATE INDEX contact_companies_company ON contact_companies (company_id);

CREATE TABLE contact_subscriptions (
    contact_id       TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    subscription_id  TEXT NOT NULL,
    PRIMARY KEY (contact_id, subscription_id)
) WITHOUT ROWID;

CREATE TABLE contact_segments (
    contact_id  TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    segment_id  TEXT NOT NULL,
    PRIMARY KEY (contact_id, segment_id)
) WITHOUT ROWID;
CREATE INDEX contact_segments_segment ON contact_segments (segment_id);

-- The number of members that the server reported when they were last fetched.
CREATE TABLE contact_segments_state (
    segment_id  TEXT PRIMARY KEY,
    count       INTEGER
) WITHOUT ROWID;

CREATE TABLE contact_notes (
    id          TEXT PRIMARY KEY,
    contact_id  TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    author_id   TEXT,
    created_at  INTEGER,
    synced_at   INTEGER NOT NULL,
    raw         TEXT NOT NULL
);
CREATE INDEX contact_notes_contact ON contact_notes (contact_id, created_at);

CREATE TABLE contact_lists_state (
    contact_id  TEXT PRIMARY KEY REFERENCES contacts (id) ON DELETE CASCADE,
    updated_at  INTEGER,
    fetched_at  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE tickets (
    id                 TEXT PRIMARY KEY,
    ticket_id          TEXT,
    category           TEXT,
    state              TEXT,
    ticket_type_id     TEXT,
    title              TEXT,
    open               INTEGER,
    is_shared          INTEGER,
    company_id         TEXT,
    admin_assignee_id  TEXT,
    team_assignee_id   TEXT,
    created_at         INTEGER,
    updated_at         INTEGER,
    snoozed_until      INTEGER,
    synced_at          INTEGER NOT NULL,
    raw                TEXT NOT NULL
);
CREATE INDEX tickets_updated_at ON tickets (updated_at);
-- Covers the query for parts that are due.
CREATE INDEX tickets_age ON tickets (id, updated_at);

CREATE TABLE ticket_contacts (
    ticket_id   TEXT NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    contact_id  TEXT NOT NULL,
    PRIMARY KEY (ticket_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX ticket_contacts_contact ON ticket_contacts (contact_id);

CREATE TABLE ticket_parts (
    id              TEXT PRIMARY KEY,
    ticket_id       TEXT NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    part_type       TEXT,
    author_type     TEXT,
    author_id       TEXT,
    assigned_type   TEXT,
    assigned_id     TEXT,
    previous_state  TEXT,
    state           TEXT,
    has_text        INTEGER NOT NULL,
    redacted        INTEGER,
    created_at      INTEGER,
    updated_at      INTEGER,
    synced_at       INTEGER NOT NULL,
    raw             TEXT NOT NULL
);
CREATE INDEX ticket_parts_timeline ON ticket_parts (ticket_id, created_at, id);

-- As `conversation_parts_state`.
CREATE TABLE ticket_parts_state (
    ticket_id   TEXT PRIMARY KEY REFERENCES tickets (id) ON DELETE CASCADE,
    updated_at  INTEGER,
    fetched_at  INTEGER NOT NULL,
    parts       INTEGER NOT NULL,
    expected    INTEGER,
    truncated   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE articles (
    id           TEXT PRIMARY KEY,
    title        TEXT,
    state        TEXT,
    author_id    TEXT,
    parent_id    TEXT,
    parent_type  TEXT,
    url          TEXT,
    created_at   INTEGER,
    updated_at   INTEGER,
    synced_at    INTEGER NOT NULL,
    raw          TEXT NOT NULL
);
CREATE INDEX articles_updated_at ON articles (updated_at);

CREATE TABLE collections (
    id              TEXT PRIMARY KEY,
    name            TEXT,
    parent_id       TEXT,
    help_center_id  TEXT,
    position        INTEGER,
    created_at      INTEGER,
    updated_at      INTEGER,
    synced_at       INTEGER NOT NULL,
    raw             TEXT NOT NULL
);

CREATE TABLE help_centers (
    id                 TEXT PRIMARY KEY,
    identifier         TEXT,
    display_name       TEXT,
    website_turned_on  INTEGER,
    created_at         INTEGER,
    updated_at         INTEGER,
    synced_at          INTEGER NOT NULL,
    raw                TEXT NOT NULL
);

CREATE TABLE internal_articles (
    id          TEXT PRIMARY KEY,
    title       TEXT,
    author_id   TEXT,
    owner_id    TEXT,
    created_at  INTEGER,
    updated_at  INTEGER,
    synced_at   INTEGER NOT NULL,
    raw         TEXT NOT NULL
);
CREATE INDEX internal_articles_updated_at ON internal_articles (updated_at);

CREATE TABLE news_items (
    id          TEXT PRIMARY KEY,
    title       TEXT,
    state       TEXT,
    sender_id   TEXT,
    created_at  INTEGER,
    updated_at  INTEGER,
    synced_at   INTEGER NOT NULL,
    raw         TEXT NOT NULL
);
CREATE INDEX news_items_updated_at ON news_items (updated_at);

CREATE TABLE segments (
    id           TEXT PRIMARY KEY,
    name         TEXT,
    person_type  TEXT,
    created_at   INTEGER,
    updated_at   INTEGER,
    synced_at    INTEGER NOT NULL,
    raw          TEXT NOT NULL
);

CREATE TABLE data_attributes (
    id          TEXT PRIMARY KEY,
    model       TEXT,
    name        TEXT,
    full_name   TEXT,
    data_type   TEXT,
    custom      INTEGER,
    archived    INTEGER,
    created_at  INTEGER,
    updated_at  INTEGER,
    synced_at   INTEGER NOT NULL,
    raw         TEXT NOT NULL
);

CREATE TABLE subscription_types (
    id            TEXT PRIMARY KEY,
    name          TEXT,
    consent_type  TEXT,
    state         TEXT,
    synced_at     INTEGER NOT NULL,
    raw           TEXT NOT NULL
);

CREATE TABLE ticket_types (
    id           TEXT PRIMARY KEY,
    name         TEXT,
    category     TEXT,
    is_internal  INTEGER,
    archived     INTEGER,
    created_at   INTEGER,
    updated_at   INTEGER,
    synced_at    INTEGER NOT NULL,
    raw          TEXT NOT NULL
);

CREATE TABLE ticket_states (
    id              TEXT PRIMARY KEY,
    category        TEXT,
    internal_label  TEXT,
    external_label  TEXT,
    archived        INTEGER,
    synced_at       INTEGER NOT NULL,
    raw             TEXT NOT NULL
);

CREATE TABLE calls (
    id               TEXT PRIMARY KEY,
    conversation_id  TEXT,
    admin_id         TEXT,
    contact_id       TEXT,
    state            TEXT,
    direction        TEXT,
    initiated_at     INTEGER,
    answered_at      INTEGER,
    ended_at         INTEGER,
    created_at       INTEGER,
    updated_at       INTEGER,
    synced_at        INTEGER NOT NULL,
    raw              TEXT NOT NULL
);
CREATE INDEX calls_updated_at ON calls (updated_at);

CREATE TABLE activity_logs (
    id                    TEXT PRIMARY KEY,
    activity_type         TEXT,
    activity_description  TEXT,
    performed_by_id       TEXT,
    performed_by_email    TEXT COLLATE NOCASE,
    created_at            INTEGER,
    synced_at             INTEGER NOT NULL,
    raw                   TEXT NOT NULL
);
CREATE INDEX activity_logs_created_at ON activity_logs (created_at);
