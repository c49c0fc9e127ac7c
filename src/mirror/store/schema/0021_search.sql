-- Words that the index missed: in scripts without spaces, words in several scripts, and letters with two
-- spellings. `grams` holds such words in other forms: pairs of neighbouring letters, pieces by script, and the
-- other spelling. Most texts have none.

ALTER TABLE texts ADD COLUMN grams TEXT;

DROP TRIGGER texts_added;
DROP TRIGGER texts_removed;
DROP TRIGGER texts_changed;
DROP TABLE texts_index;

CREATE VIRTUAL TABLE texts_index USING fts5 (
    title, body, grams, content = 'texts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO texts_index (texts_index, rank) VALUES ('rank', 'bm25(4.0, 1.0, 1.0)');
-- Removed text must leave no trace in the index. Reading this requires SQLite 3.42.
INSERT INTO texts_index (texts_index, rank) VALUES ('secure-delete', 1);
INSERT INTO texts_index (texts_index) VALUES ('rebuild');
-- The words of the index, to find those that contain a search word.
CREATE VIRTUAL TABLE texts_words USING fts5vocab (texts_index, row);

CREATE TRIGGER texts_added AFTER INSERT ON texts BEGIN
    INSERT INTO texts_index (rowid, title, body, grams) VALUES (new.id, new.title, new.body, new.grams);
END;
CREATE TRIGGER texts_removed AFTER DELETE ON texts BEGIN
    INSERT INTO texts_index (texts_index, rowid, title, body, grams)
        VALUES ('delete', old.id, old.title, old.body, old.grams);
END;
CREATE TRIGGER texts_changed AFTER UPDATE OF title, body, grams ON texts BEGIN
    INSERT INTO texts_index (texts_index, rowid, title, body, grams)
        VALUES ('delete', old.id, old.title, old.body, old.grams);
    INSERT INTO texts_index (rowid, title, body, grams) VALUES (new.id, new.title, new.body, new.grams);
END;

-- Only texts beyond ASCII can have grams: they have more bytes than characters.
INSERT OR IGNORE INTO texts_due (resource, record_id)
    SELECT resource, record_id FROM texts
    WHERE length(title) <> length(CAST(title AS BLOB)) OR length(body) <> length(CAST(body AS BLOB));
