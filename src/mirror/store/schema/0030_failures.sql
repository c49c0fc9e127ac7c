-- Records that could not be fetched, and in how many consecutive runs. After the third run a record is in
-- quarantine: it is not requested until `retry_at`, unless it changes, and no longer makes the mirror incomplete.
-- `id` is the conversation, ticket or contact. Times are epoch seconds by the local clock, except the record's
-- `updated_at`.
CREATE TABLE IF NOT EXISTS sync_failures (
    resource         TEXT NOT NULL,
    id               TEXT NOT NULL,
    updated_at       INTEGER,
    runs             INTEGER NOT NULL,
    first_failed_at  INTEGER NOT NULL,
    last_failed_at   INTEGER NOT NULL,
    retry_at         INTEGER,
    reason           TEXT NOT NULL,
    PRIMARY KEY (resource, id)
);

-- A contact may have entries in a list that its document omits or sets to null.
UPDATE contacts SET unlisted = (
    SELECT group_concat(name) FROM (
        SELECT 'tags' AS name WHERE instr(',' || coalesce(contacts.unlisted, '') || ',', ',tags,')
            OR json_type(raw, '$.tags.data') IS NOT 'array'
        UNION ALL
        SELECT 'companies' WHERE instr(',' || coalesce(contacts.unlisted, '') || ',', ',companies,')
            OR json_type(raw, '$.companies.data') IS NOT 'array'
        UNION ALL
        SELECT 'subscriptions' WHERE instr(',' || coalesce(contacts.unlisted, '') || ',', ',subscriptions,')
        UNION ALL
        SELECT 'notes' WHERE instr(',' || coalesce(contacts.unlisted, '') || ',', ',notes,')
            OR json_type(raw, '$.notes.data') IS NOT 'array'
    )
)
WHERE json_valid(raw) AND (
    json_type(raw, '$.tags.data') IS NOT 'array'
    OR json_type(raw, '$.companies.data') IS NOT 'array'
    OR json_type(raw, '$.notes.data') IS NOT 'array'
);
-- Their lists were marked as fetched although none was requested.
DELETE FROM contact_lists_state WHERE contact_id IN (
    SELECT id FROM contacts WHERE unlisted IS NOT NULL AND json_valid(raw) AND (
        json_type(raw, '$.tags.data') IS NOT 'array'
        OR json_type(raw, '$.companies.data') IS NOT 'array'
        OR json_type(raw, '$.notes.data') IS NOT 'array'
    )
);
