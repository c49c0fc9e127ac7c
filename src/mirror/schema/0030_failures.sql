-- Records that could not be fetched, and for how many runs in a row. After the third run a record is in
-- quarantine: it is left alone until `retry_at`, unless it changes, and no longer keeps the mirror from being
-- complete. `id` is the conversation, ticket or contact. Times are epoch seconds by the machine's clock, but
-- `updated_at`, which is the record's own.
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

-- A contact whose document says nothing of a list, or null, may have entries in it all the same.
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
-- Their lists have been marked as fetched when none was asked for.
DELETE FROM contact_lists_state WHERE contact_id IN (
    SELECT id FROM contacts WHERE unlisted IS NOT NULL AND json_valid(raw) AND (
        json_type(raw, '$.tags.data') IS NOT 'array'
        OR json_type(raw, '$.companies.data') IS NOT 'array'
        OR json_type(raw, '$.notes.data') IS NOT 'array'
    )
);
