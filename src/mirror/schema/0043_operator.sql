-- Operator's address decides who wrote a message, also where its author is typed as a user, a lead or a contact, and
-- below the regions' hosts. Who wrote what is worked out again from the documents.

CREATE TABLE IF NOT EXISTS columns_due (
    resource  TEXT PRIMARY KEY NOT NULL
);
INSERT OR IGNORE INTO columns_due VALUES ('conversations'), ('conversation_parts'), ('ticket_parts');

-- What was erased from the mirror but not yet from the bytes of its file: a number made from what was asked for.
CREATE TABLE erasures (
    wanted  INTEGER PRIMARY KEY NOT NULL
);
