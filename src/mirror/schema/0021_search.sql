-- Words that the index did not find: in scripts that are written without spaces, words of several scripts,
-- and letters that are spelled in two ways. `grams` holds such words in another form: every two neighbouring
-- letters, the pieces by script, and the other spelling. Most texts have none.

ALTER TABLE texts ADD COLUMN grams TEXT;

DROP TRIGGER texts_added;
DROP TRIGGER texts_removed;
DROP TRIGGER texts_changed;
DROP TABLE texts_index;

CREATE VIRTUAL TABLE texts_index USING fts5 (
    title, body, grams, content = 'texts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO texts_index (texts_index, rank) VALUES ('rank', 'bm25(4.0, 1.0, 1.0)');
-- What is removed leaves no trace in the index. Needs SQLite 3.42 to read.
INSERT INTO texts_index (texts_index, rank) VALUES ('secure-delete', 1);
INSERT INTO texts_index (texts_index) VALUES ('rebuild');
-- The words of the index, for those that are only part of another.
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

-- Only texts beyond ASCII can have grams: they are longer in bytes than in letters.
INSERT OR IGNORE INTO texts_due (resource, record_id)
    SELECT resource, record_id FROM texts
    WHERE length(title) <> length(CAST(title AS BLOB)) OR length(body) <> length(CAST(body AS BLOB));
