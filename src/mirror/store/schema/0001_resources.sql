-- Times are epoch seconds (UTC). Ids are text, as in the API. `raw` is the record's JSON as received. It is the
-- last column, so that the typed columns are read without its pages.

CREATE TABLE workspace (
    only_row  INTEGER PRIMARY KEY CHECK (only_row = 1),
    id_code   TEXT NOT NULL,
    name      TEXT,
    region    TEXT,
    base_url  TEXT,
    timezone  TEXT
);

-- One row per resource: the running listing (`started_at`, `cursor`, `rows`) and what the mirror covers.
-- `watermark` is the start of the last complete listing, `floor` how far back listings went: changes between
-- the two are in the mirror. `floor` is NULL for everything.
CREATE TABLE sync_state (
    resource      TEXT PRIMARY KEY,
    started_at    INTEGER NOT NULL,
    cursor        TEXT,
    watermark     INTEGER,
    floor         INTEGER,
    completed_at  INTEGER,
    pruned_at     INTEGER,
    rows          INTEGER NOT NULL DEFAULT 0,
    complete      INTEGER NOT NULL DEFAULT 0,
    skipped       INTEGER NOT NULL DEFAULT 0,
    reason        TEXT
);

-- Records returned by running listings, if the others are to be removed afterwards.
CREATE TABLE sync_seen (
    resource  TEXT NOT NULL,
    id        TEXT NOT NULL,
    PRIMARY KEY (resource, id)
) WITHOUT ROWID;

CREATE TABLE contacts (
    id                        TEXT PRIMARY KEY,
    external_id               TEXT,
    role                      TEXT,
    email                     TEXT COLLATE NOCASE,
    phone                     TEXT,
    name                      TEXT,
    owner_id                  TEXT,
    created_at                INTEGER,
    updated_at                INTEGER,
    signed_up_at              INTEGER,
    last_seen_at              INTEGER,
    last_replied_at           INTEGER,
    last_contacted_at         INTEGER,
    unsubscribed_from_emails  INTEGER,
    unlisted                  TEXT,
    synced_at                 INTEGER NOT NULL,
    raw                       TEXT NOT NULL
);
CREATE INDEX contacts_email ON contacts (email);
CREATE INDEX contacts_external_id ON contacts (external_id);
CREATE INDEX contacts_updated_at ON contacts (updated_at);
-- Covers the query for lists that are due.
CREATE INDEX contacts_unlisted ON contacts (id, updated_at, unlisted) WHERE unlisted IS NOT NULL;

CREATE TABLE companies (
    id               TEXT PRIMARY KEY,
    company_id       TEXT,
    name             TEXT,
    plan             TEXT,
    size             INTEGER,
    monthly_spend    INTEGER,
    user_count       INTEGER,
    session_count    INTEGER,
    created_at       INTEGER,
    updated_at       INTEGER,
    last_request_at  INTEGER,
    synced_at        INTEGER NOT NULL,
    raw              TEXT NOT NULL
);
CREATE INDEX companies_company_id ON companies (company_id);

CREATE TABLE admins (
    id                 TEXT PRIMARY KEY,
    name               TEXT,
    email              TEXT COLLATE NOCASE,
    job_title          TEXT,
    has_inbox_seat     INTEGER,
    away_mode_enabled  INTEGER,
    synced_at          INTEGER NOT NULL,
    raw                TEXT NOT NULL
);

CREATE TABLE teams (
    id         TEXT PRIMARY KEY,
    name       TEXT,
    synced_at  INTEGER NOT NULL,
    raw        TEXT NOT NULL
);

CREATE TABLE tags (
    id         TEXT PRIMARY KEY,
    name       TEXT,
    synced_at  INTEGER NOT NULL,
    raw        TEXT NOT NULL
);

-- `raw` is the conversation without its parts, which have a separate table.
CREATE TABLE conversations (
    id                      TEXT PRIMARY KEY,
    title                   TEXT,
    state                   TEXT,
    open                    INTEGER,
    read                    INTEGER,
    priority                TEXT,
    created_at              INTEGER,
    updated_at              INTEGER,
    waiting_since           INTEGER,
    snoozed_until           INTEGER,
    admin_assignee_id       TEXT,
    team_assignee_id        TEXT,
    source_type             TEXT,
    source_delivered_as     TEXT,
    source_author_type      TEXT,
    source_author_id        TEXT,
    rating                  INTEGER,
    ai_agent_participated   INTEGER,
    parts_count             INTEGER,
    synced_at               INTEGER NOT NULL,
    raw                     TEXT NOT NULL
);
CREATE INDEX conversations_updated_at ON conversations (updated_at);
-- Covers the query for parts that are due.
CREATE INDEX conversations_age ON conversations (id, updated_at);
-- Covers reports over a period, because rows with documents take a page each.
CREATE INDEX conversations_report ON conversations
    (created_at, id, updated_at, state, open, source_author_type, source_delivered_as, source_type,
     team_assignee_id, admin_assignee_id);

CREATE TABLE conversation_tags (
    conversation_id  TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    tag_id           TEXT NOT NULL,
    PRIMARY KEY (conversation_id, tag_id)
) WITHOUT ROWID;
CREATE INDEX conversation_tags_tag ON conversation_tags (tag_id);

CREATE TABLE conversation_contacts (
    conversation_id  TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    contact_id       TEXT NOT NULL,
    PRIMARY KEY (conversation_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX conversation_contacts_contact ON conversation_contacts (contact_id);

CREATE TABLE conversation_parts (
    id               TEXT PRIMARY KEY,
    conversation_id  TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    part_type        TEXT,
    author_type      TEXT,
    author_id        TEXT,
    assigned_type    TEXT,
    assigned_id      TEXT,
    state            TEXT,
    from_ai_agent    INTEGER NOT NULL,
    has_text         INTEGER NOT NULL,
    redacted         INTEGER,
    created_at       INTEGER,
    updated_at       INTEGER,
    synced_at        INTEGER NOT NULL,
    raw              TEXT NOT NULL
);
-- Covers reading a whole timeline in order.
CREATE INDEX conversation_parts_timeline ON conversation_parts
    (conversation_id, created_at, id, part_type, author_type, from_ai_agent, has_text, state);
CREATE INDEX conversation_parts_author ON conversation_parts (author_id, created_at);

-- The state of a conversation's parts. They are fetched again when `updated_at` differs from the
-- conversation's. `expected` is the server's count; `truncated` means that the server has parts which it no
-- longer returns and the mirror never received.
CREATE TABLE conversation_parts_state (
    conversation_id  TEXT PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    updated_at       INTEGER,
    fetched_at       INTEGER NOT NULL,
    parts            INTEGER NOT NULL,
    expected         INTEGER,
    truncated        INTEGER NOT NULL
) WITHOUT ROWID;
