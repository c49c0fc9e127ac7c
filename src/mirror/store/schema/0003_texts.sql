-- Plain text of records, and an index over it. All of it is in ordinary tables and views: reading them requires
-- no function of this program.
--
-- Triggers only record which records changed. The program extracts their text in batches, after a sync or before
-- a search, so the index is correct whatever writes the tables.

CREATE TABLE texts (
    id         INTEGER PRIMARY KEY,
    resource   TEXT NOT NULL,
    record_id  TEXT NOT NULL,
    -- The conversation or ticket of a part; otherwise the record itself.
    owner_id   TEXT NOT NULL,
    written_at INTEGER,
    title      TEXT,
    body       TEXT,
    UNIQUE (resource, record_id)
);

CREATE TABLE texts_due (
    resource   TEXT NOT NULL,
    record_id  TEXT NOT NULL,
    PRIMARY KEY (resource, record_id)
) WITHOUT ROWID;

CREATE VIRTUAL TABLE texts_index USING fts5 (
    title, body, content = 'texts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO texts_index (texts_index, rank) VALUES ('rank', 'bm25(4.0, 1.0)');

CREATE TRIGGER texts_added AFTER INSERT ON texts BEGIN
    INSERT INTO texts_index (rowid, title, body) VALUES (new.id, new.title, new.body);
END;
CREATE TRIGGER texts_removed AFTER DELETE ON texts BEGIN
    INSERT INTO texts_index (texts_index, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
END;
CREATE TRIGGER texts_changed AFTER UPDATE OF title, body ON texts BEGIN
    INSERT INTO texts_index (texts_index, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
    INSERT INTO texts_index (rowid, title, body) VALUES (new.id, new.title, new.body);
END;

CREATE TRIGGER contacts_text_added AFTER INSERT ON contacts BEGIN
    INSERT INTO texts_due SELECT 'contacts', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'contacts' AND record_id = new.id);
END;
CREATE TRIGGER contacts_text_changed AFTER UPDATE OF raw ON contacts WHEN new.raw IS NOT old.raw BEGIN
    INSERT INTO texts_due SELECT 'contacts', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'contacts' AND record_id = new.id);
END;
CREATE TRIGGER contacts_text_removed AFTER DELETE ON contacts BEGIN
    INSERT INTO texts_due SELECT 'contacts', old.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'contacts' AND record_id = old.id);
END;
INSERT INTO texts_due SELECT 'contacts', id FROM contacts;

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
INSERT INTO texts_due SELECT 'companies', id FROM companies;

CREATE TRIGGER conversations_text_added AFTER INSERT ON conversations BEGIN
    INSERT INTO texts_due SELECT 'conversations', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'conversations' AND record_id = new.id);
END;
CREATE TRIGGER conversations_text_changed AFTER UPDATE OF raw ON conversations WHEN new.raw IS NOT old.raw BEGIN
    INSERT INTO texts_due SELECT 'conversations', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'conversations' AND record_id = new.id);
END;
CREATE TRIGGER conversations_text_removed AFTER DELETE ON conversations BEGIN
    INSERT INTO texts_due SELECT 'conversations', old.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'conversations' AND record_id = old.id);
END;
INSERT INTO texts_due SELECT 'conversations', id FROM conversations;

CREATE TRIGGER conversation_parts_text_added AFTER INSERT ON conversation_parts BEGIN
    INSERT INTO texts_due SELECT 'conversation_parts', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'conversation_parts' AND record_id = new.id);
END;
CREATE TRIGGER conversation_parts_text_changed AFTER UPDATE OF raw ON conversation_parts WHEN new.raw IS NOT old.raw BEGIN
    INSERT INTO texts_due SELECT 'conversation_parts', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'conversation_parts' AND record_id = new.id);
END;
CREATE TRIGGER conversation_parts_text_removed AFTER DELETE ON conversation_parts BEGIN
    INSERT INTO texts_due SELECT 'conversation_parts', old.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'conversation_parts' AND record_id = old.id);
END;
INSERT INTO texts_due SELECT 'conversation_parts', id FROM conversation_parts;

CREATE TRIGGER tickets_text_added AFTER INSERT ON tickets BEGIN
    INSERT INTO texts_due SELECT 'tickets', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'tickets' AND record_id = new.id);
END;
CREATE TRIGGER tickets_text_changed AFTER UPDATE OF raw ON tickets WHEN new.raw IS NOT old.raw BEGIN
    INSERT INTO texts_due SELECT 'tickets', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'tickets' AND record_id = new.id);
END;
CREATE TRIGGER tickets_text_removed AFTER DELETE ON tickets BEGIN
    INSERT INTO texts_due SELECT 'tickets', old.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'tickets' AND record_id = old.id);
END;
INSERT INTO texts_due SELECT 'tickets', id FROM tickets;

CREATE TRIGGER ticket_parts_text_added AFTER INSERT ON ticket_parts BEGIN
    INSERT INTO texts_due SELECT 'ticket_parts', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'ticket_parts' AND record_id = new.id);
END;
CREATE TRIGGER ticket_parts_text_changed AFTER UPDATE OF raw ON ticket_parts WHEN new.raw IS NOT old.raw BEGIN
    INSERT INTO texts_due SELECT 'ticket_parts', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'ticket_parts' AND record_id = new.id);
END;
CREATE TRIGGER ticket_parts_text_removed AFTER DELETE ON ticket_parts BEGIN
    INSERT INTO texts_due SELECT 'ticket_parts', old.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'ticket_parts' AND record_id = old.id);
END;
INSERT INTO texts_due SELECT 'ticket_parts', id FROM ticket_parts;

CREATE TRIGGER articles_text_added AFTER INSERT ON articles BEGIN
    INSERT INTO texts_due SELECT 'articles', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'articles' AND record_id = new.id);
END;
CREATE TRIGGER articles_text_changed AFTER UPDATE OF raw ON articles WHEN new.raw IS NOT old.raw BEGIN
    INSERT INTO texts_due SELECT 'articles', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'articles' AND record_id = new.id);
END;
CREATE TRIGGER articles_text_removed AFTER DELETE ON articles BEGIN
    INSERT INTO texts_due SELECT 'articles', old.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'articles' AND record_id = old.id);
END;
INSERT INTO texts_due SELECT 'articles', id FROM articles;

CREATE TRIGGER internal_articles_text_added AFTER INSERT ON internal_articles BEGIN
    INSERT INTO texts_due SELECT 'internal_articles', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'internal_articles' AND record_id = new.id);
END;
CREATE TRIGGER internal_articles_text_changed AFTER UPDATE OF raw ON internal_articles WHEN new.raw IS NOT old.raw BEGIN
    INSERT INTO texts_due SELECT 'internal_articles', new.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'internal_articles' AND record_id = new.id);
END;
CREATE TRIGGER internal_articles_text_removed AFTER DELETE ON internal_articles BEGIN
    INSERT INTO texts_due SELECT 'internal_articles', old.id
        WHERE NOT EXISTS (SELECT 1 FROM texts_due WHERE resource = 'internal_articles' AND record_id = old.id);
END;
INSERT INTO texts_due SELECT 'internal_articles', id FROM internal_articles;
