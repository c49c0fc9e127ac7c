//! A migrated mirror gives the same results as one filled by this version.

use std::collections::BTreeSet;

use intercom::report::timeline_cache;

use super::*;

/// The schema of the version before `written_by`.
const BEFORE: [&str; 13] = [
    include_str!("../../../src/mirror/store/schema/0001_resources.sql"),
    include_str!("../../../src/mirror/store/schema/0002_more_resources.sql"),
    include_str!("../../../src/mirror/store/schema/0003_texts.sql"),
    include_str!("../../../src/mirror/store/schema/0004_views.sql"),
    include_str!("../../../src/mirror/store/schema/0005_surplus.sql"),
    include_str!("../../../src/mirror/store/schema/0006_timelines.sql"),
    include_str!("../../../src/mirror/store/schema/0007_segments.sql"),
    include_str!("../../../src/mirror/store/schema/0008_spend.sql"),
    include_str!("../../../src/mirror/store/schema/0009_timelines_again.sql"),
    include_str!("../../../src/mirror/store/schema/0020_ordinary_tables.sql"),
    include_str!("../../../src/mirror/store/schema/0021_search.sql"),
    include_str!("../../../src/mirror/store/schema/0022_freshness.sql"),
    include_str!("../../../src/mirror/store/schema/0030_failures.sql"),
];

fn list(connection: &rusqlite::Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Copies the records of a mirror into a file of the earlier version, with the values that version computed.
fn copy_into_earlier_version(fresh: &Store, path: &std::path::Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    BEFORE.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    connection.execute("ATTACH ?1 AS fresh", [fresh.path().to_str().unwrap()]).unwrap();
    let tables = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'texts%'
                  AND name NOT LIKE 'sqlite_%' AND name <> 'conversation_timelines'";
    for table in list(&connection, tables) {
        let columns = format!(
            "SELECT '\"' || name || '\"' FROM pragma_table_info('{table}', 'main')
             INTERSECT SELECT '\"' || name || '\"' FROM pragma_table_info('{table}', 'fresh')"
        );
        let columns = list(&connection, &columns).join(", ");
        let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM fresh.{table}");
        connection.execute(&copy, []).unwrap();
    }
    connection
        .execute_batch(
            "INSERT INTO main.texts (id, resource, record_id, owner_id, written_at, title, body, grams)
                 SELECT id, resource, record_id, owner_id, written_at, title,
                        iif(resource IN ('contacts', 'companies'), body, body || ' leaked'), grams FROM fresh.texts;
             DELETE FROM texts_due;
             INSERT INTO conversation_timelines (conversation_id, marks, channel)
                 SELECT id, 4, 'wrong' FROM main.conversations;
             -- It read who wrote from fewer places, and what is visible from attributes as well.
             UPDATE main.conversation_parts SET from_ai_agent = 0, has_text = 1;
             UPDATE main.ticket_parts SET has_text = 1;
             DELETE FROM texts_due;
             DETACH fresh;
             PRAGMA user_version = 13;",
        )
        .unwrap();
}

/// Every row of a view or table, in order.
fn rows(store: &Store, name: &str) -> Vec<String> {
    let mut statement = store.connection().prepare(&format!("SELECT * FROM {name}")).unwrap();
    let width = statement.column_count();
    let mut found = statement.query([]).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = found.next().unwrap() {
        rows.push((0..width).map(|at| format!("{:?} ", row.get_ref(at).unwrap())).collect());
    }
    rows.sort();
    rows
}

#[tokio::test]
async fn a_migrated_mirror_reports_the_same_as_a_new_one() {
    let quirks = vec!["operator-as-admin".parse().unwrap()];
    let fixture = Fixture::new(Options { quirks, conversations: 150, ..small() }).await;
    let mut fresh = fixture.store("fresh.db");
    assert!(fixture.sync(&mut fresh).await.complete);
    fresh.index().unwrap();
    timeline_cache::refresh(&fresh).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    copy_into_earlier_version(&fresh, &path);
    let mut old = Store::open(&path).unwrap();
    assert_eq!(number(&old, "PRAGMA user_version"), schema::VERSION);
    assert_eq!(number(&old, "SELECT count(*) FROM conversation_timelines"), 0);
    old.index().unwrap();
    timeline_cache::refresh(&old).unwrap();

    for (what, sql) in [
        ("machines that are typed as teammates", "author_type = 'admin' AND written_by = 'bot'"),
        ("an AI agent", "from_ai_agent"),
        ("teammates", "written_by = 'teammate'"),
        ("parts without a text", "NOT has_text"),
    ] {
        let count = number(&old, &format!("SELECT count(*) FROM conversation_parts WHERE {sql}"));
        assert!(count > 0, "the workspace has no {what} to prove anything with");
    }
    assert_eq!(number(&old, "SELECT count(*) FROM texts_index WHERE texts_index MATCH 'leaked'"), 0);
    for view in ["conversation_timelines", "inbox", "messages", "texts"] {
        assert_eq!(rows(&old, view), rows(&fresh, view), "{view}");
    }
    // The row ids of the search index depend on insertion order.
    let kept = |store: &Store| -> BTreeSet<String> {
        dump(store).into_iter().filter(|row| !row.starts_with("texts")).collect()
    };
    let (old_rows, fresh_rows) = (kept(&old), kept(&fresh));
    let differing: Vec<&String> = old_rows.symmetric_difference(&fresh_rows).take(2).collect();
    assert!(differing.is_empty(), "{differing:?}");
    assert_eq!(text(&old, "PRAGMA integrity_check").as_deref(), Some("ok"));
    assert_eq!(number(&old, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    // The next run has nothing left to migrate.
    fixture.sandbox.forget_requests();
    assert!(fixture.sync(&mut old).await.complete);
    assert_eq!(fixture.calls("retrieveConversation"), 0);
}
