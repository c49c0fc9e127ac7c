-- Operator's address identifies its messages, even if the author is typed as a user, a lead or a contact, and on
-- regional hosts. Authors are recomputed from the documents.

CREATE TABLE IF NOT EXISTS columns_due (
    resource  TEXT PRIMARY KEY NOT NULL
);
INSERT OR IGNORE INTO columns_due VALUES ('conversations'), ('conversation_parts'), ('ticket_parts');

-- Erased from the mirror, but not yet from the bytes of its file. `wanted` is a fingerprint of the request.
CREATE TABLE erasures (
    wanted  INTEGER PRIMARY KEY NOT NULL
);
