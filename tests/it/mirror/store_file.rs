//! The store file: creation, permissions, migrations and its workspace.

use super::*;

#[test]
fn a_store_is_created_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/intercom/one.db");
    let tables = |store: &Store| text(store, "SELECT group_concat(sql) FROM sqlite_schema").unwrap();
    let mut first = Store::open(&path).unwrap();
    let before = tables(&first);
    first
        .bind(&Workspace { id_code: "abc".into(), name: Some("Acme".into()), ..Workspace::default() })
        .unwrap();
    let second = Store::open(&path).unwrap();
    assert_eq!(tables(&second), before);
    assert_eq!(number(&second, "PRAGMA user_version"), schema::VERSION);
    assert_eq!(second.workspace().unwrap().unwrap().id_code, "abc");

    let refused = first.bind(&Workspace { id_code: "xyz".into(), ..Workspace::default() }).unwrap_err();
    assert!(matches!(refused, Error::OtherWorkspace { .. }));
    assert!(refused.to_string().contains("abc (Acme)") && refused.to_string().contains("xyz"), "{refused}");

    first.connection().pragma_update(None, "user_version", 999).unwrap();
    for later in [Store::open(&path), Store::open_read_only(&path)] {
        assert!(matches!(later.unwrap_err(), Error::LaterSchema { found: 999, .. }));
    }
}

#[test]
fn reading_requires_a_store_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.db");
    assert!(matches!(Store::open_read_only(&path).unwrap_err(), Error::Missing { .. }));
    assert!(!path.exists());
    drop(Store::open(&path).unwrap());
    let mut store = Store::open_read_only(&path).unwrap();
    assert!(store.begin(ResourceName::Tags, 1).is_err());
    assert_eq!(store.sync_state(ResourceName::Tags).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn a_new_store_is_private_and_existing_permissions_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("private/one.db");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut store = Store::open(&path).unwrap();
    store.begin(ResourceName::Tags, 1).unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&path.with_file_name(format!("one.db{suffix}"))), 0o600, "{suffix}");
    }
    drop(store);
    for widened in [0o644, 0o640] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(widened)).unwrap();
        let mut store = Store::open(&path).unwrap();
        store.begin(ResourceName::Tags, 2).unwrap();
        for suffix in ["", "-wal", "-shm"] {
            assert_eq!(mode(&path.with_file_name(format!("one.db{suffix}"))), widened, "{suffix}");
        }
    }
}

#[test]
fn an_older_version_never_replaces_a_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("one.db")).unwrap();
    let contacts = ResourceName::Contacts.resource();
    let mut put = |document: &str| store.store_page(contacts, [document], None, 1).unwrap();
    let first = put(r#"{"id": "a", "name": "New", "updated_at": 20}"#);
    assert_eq!((first.inserted, first.updated), (1, 0));
    assert_eq!(put(r#"{"id": "a", "name": "Old", "updated_at": 19}"#).updated, 0);
    assert_eq!(put(r#"{"id": "a", "name": "Same second", "updated_at": "20"}"#).updated, 1);
    assert_eq!(put(r#"{"id": "a", "name": "Same second", "updated_at": "20"}"#).updated, 0);
    assert_eq!(put(r#"{"id": "a", "name": "Timeless"}"#).updated, 1);
    assert_eq!(text(&store, "SELECT name FROM contacts").as_deref(), Some("Timeless"));
}

#[test]
fn unusual_documents_are_stored_as_received() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("one.db")).unwrap();
    let documents = [
        r#"{ "id":12345678901234567 , "email":null,"created_at":"1663597223","owner_id":0,"x":1.50}"#,
        r#"{"name": "nobody"}"#,
        "null",
        r#"{"id": "b", "created_at": "2022-09-19T14:20:23Z", "role": {"odd": true}}"#,
    ];
    let written = store.store_page(ResourceName::Contacts.resource(), documents, None, 1).unwrap();
    assert_eq!((written.fetched, written.inserted, written.unidentified), (4, 2, 2));
    let rows = "SELECT group_concat(id || ' ' || created_at || ' ' || coalesce(owner_id, '-') || ' ' || raw, char(10))
                FROM (SELECT * FROM contacts ORDER BY id)";
    let expected =
        format!("12345678901234567 1663597223 - {}\nb 1663597223 - {}", documents[0], documents[3]);
    assert_eq!(text(&store, rows).unwrap(), expected);
}

#[tokio::test]
async fn a_store_holds_a_single_workspace() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    store.bind(&Workspace { id_code: "other".into(), ..Workspace::default() }).unwrap();
    let error = sync(&fixture.client, &mut store, &options(), &mut |_: &Event| {}).await.unwrap_err();
    let given = fixture.sandbox.with_workspace(|workspace| workspace.id.clone());
    assert!(matches!(error, Error::OtherWorkspace { .. }));
    assert!(error.to_string().contains("other") && error.to_string().contains(&given), "{error}");
    assert!(stored(&store).is_empty());
}

/// The migrations of the first schema versions.
const OLD_SCHEMA: [&str; 9] = [
    include_str!("../../../src/mirror/store/schema/0001_resources.sql"),
    include_str!("../../../src/mirror/store/schema/0002_more_resources.sql"),
    include_str!("../../../src/mirror/store/schema/0003_texts.sql"),
    include_str!("../../../src/mirror/store/schema/0004_views.sql"),
    include_str!("../../../src/mirror/store/schema/0005_surplus.sql"),
    include_str!("../../../src/mirror/store/schema/0006_timelines.sql"),
    include_str!("../../../src/mirror/store/schema/0007_segments.sql"),
    include_str!("../../../src/mirror/store/schema/0008_spend.sql"),
    include_str!("../../../src/mirror/store/schema/0009_timelines_again.sql"),
];

/// A store of an earlier schema version with these records.
fn old_store(path: &std::path::Path, version: usize, records: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    OLD_SCHEMA[..version].iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    connection.execute_batch(records).unwrap();
    connection.pragma_update(None, "user_version", version as i64).unwrap();
}

/// Results that an earlier version computed differently must not be shown.
#[test]
fn timelines_of_an_earlier_version_are_recomputed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.db");
    old_store(&path, 8, "INSERT INTO conversation_timelines (conversation_id, marks) VALUES ('1', 0)");
    assert_eq!(number(&Store::open(&path).unwrap(), "SELECT count(*) FROM conversation_timelines"), 0);
}

#[test]
fn authors_of_an_earlier_version_are_recomputed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.db");
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            r#"DROP TABLE erasures;
               INSERT INTO conversations (id, source_written_by, synced_at, raw) VALUES
                   ('1', 'contact', 1, '{"id":"1","source":{"author":{"type":"user","email":"operator+x@intercom.io"}}}');
               INSERT INTO conversation_parts (id, conversation_id, written_by, from_ai_agent, has_text, synced_at, raw) VALUES
                   ('2', '1', 'teammate', 0, 0, 1, '{"id":"2","author":{"type":"admin","email":"operator+x@eu.intercom.io"}}'),
                   ('3', '1', 'contact', 0, 0, 1, '{"id":"3","author":{"type":"user","email":"ann@example.com"}}');"#,
        )
        .unwrap();
    connection.pragma_update(None, "user_version", 16).unwrap();
    drop(connection);
    let store = Store::open(&path).unwrap();
    assert_eq!(text(&store, "SELECT source_written_by FROM conversations").as_deref(), Some("bot"));
    let parts =
        text(&store, "SELECT group_concat(written_by) FROM (SELECT * FROM conversation_parts ORDER BY id)");
    assert_eq!(parts.as_deref(), Some("bot,contact"));
}

#[test]
fn a_migration_keeps_everything_and_results_in_the_current_schema() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    old_store(
        &old,
        9,
        "INSERT INTO companies (id, monthly_spend, synced_at, raw) VALUES ('c', 12.5, 1, '{}'), ('d', 3, 1, '{}');
         INSERT INTO contacts (id, name, synced_at, raw) VALUES
             ('a', 'Ann', 1, '{\"tags\":{\"data\":[]},\"companies\":{\"data\":[]},\"notes\":{\"data\":[]}}');
         INSERT INTO contact_tags VALUES ('a', 't'); INSERT INTO contact_companies VALUES ('a', 'c');
         INSERT INTO contact_lists_state VALUES ('a', 5, 6);
         INSERT INTO contact_segments_state (segment_id, count, read_at) VALUES ('s', 2, 9);
         INSERT INTO conversations (id, synced_at, raw) VALUES ('v', 1, '{}');
         INSERT INTO conversation_tags VALUES ('v', 't'); INSERT INTO conversation_contacts VALUES ('v', 'a');
         INSERT INTO conversation_parts_state VALUES ('v', 5, 6, 7, 8, 1);
         INSERT INTO sync_seen VALUES ('contacts', 'a');
         DELETE FROM texts_due; INSERT INTO texts_due VALUES ('contacts', 'a');
         INSERT INTO texts (resource, record_id, owner_id, title, body)
             VALUES ('contacts', 'a', 'a', 'Ann', ''), ('articles', '1', '1', '退款', '');",
    );
    let store = Store::open(&old).unwrap();
    for (sql, expected) in [
        ("SELECT group_concat(monthly_spend || typeof(monthly_spend)) FROM companies", "12.5real,3.0real"),
        ("SELECT contact_id || tag_id FROM contact_tags", "at"),
        ("SELECT contact_id || company_id FROM contact_companies", "ac"),
        ("SELECT contact_id || updated_at || fetched_at FROM contact_lists_state", "a56"),
        ("SELECT segment_id || count || read_at FROM contact_segments_state", "s29"),
        ("SELECT conversation_id || tag_id FROM conversation_tags", "vt"),
        (
            "SELECT conversation_id || updated_at || fetched_at || parts || expected || truncated FROM conversation_parts_state",
            "v56781",
        ),
        ("SELECT resource || id FROM sync_seen", "contactsa"),
        (
            "SELECT group_concat(resource || record_id) FROM (SELECT * FROM texts_due ORDER BY 1)",
            "articles1,contactsa,conversationsv",
        ),
        ("SELECT title FROM texts_index WHERE texts_index MATCH 'ann'", "Ann"),
    ] {
        assert_eq!(text(&store, sql).as_deref(), Some(expected), "{sql}");
    }
    let schema = |store: &Store| {
        text(
            store,
            "SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name)",
        )
    };
    assert_eq!(schema(&store), schema(&Store::open(&new).unwrap()));
    assert_eq!(number(&store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_eq!(text(&store, "PRAGMA integrity_check").as_deref(), Some("ok"));
}

/// Readers such as DuckDB rely on declared types and row ids.
#[tokio::test]
async fn every_column_matches_its_declared_type_and_every_table_has_row_ids() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let spends =
        r#"{"id": "12", "monthly_spend": "12.5", "size": "7", "session_count": 3.0, "plan": {"name": 5}}"#;
    store.store_page(ResourceName::Companies.resource(), [spends], None, 1).unwrap();
    store.index().unwrap();
    let without =
        "SELECT count(*) FROM pragma_table_list WHERE wr AND name NOT LIKE 'texts\\_index\\__%' ESCAPE '\\'";
    assert_eq!(number(&store, without), 0);
    let columns = "SELECT t.name, c.name, c.type FROM pragma_table_list t JOIN pragma_table_info(t.name) c
                   WHERE t.type = 'table' AND t.schema = 'main' AND c.type <> '' AND t.name NOT LIKE 'sqlite_%'";
    let mut statement = store.connection().prepare(columns).unwrap();
    let columns = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let columns: Vec<(String, String, String)> = columns.collect::<Result<_, _>>().unwrap();
    assert!(columns.len() > 200, "{}", columns.len());
    for (table, column, declared) in columns {
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE \"{column}\" IS NOT NULL AND typeof(\"{column}\") <> lower('{declared}')"
        );
        assert_eq!(number(&store, &sql), 0, "{table}.{column} {declared}");
    }
    let spend = "SELECT monthly_spend = 12.5 FROM companies WHERE id = '12'";
    assert_eq!(number(&store, spend), 1);
}

/// A foreign file keeps its bytes and permissions.
#[cfg(unix)]
#[test]
fn a_database_of_another_program_is_refused_unchanged() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let made: [(&str, &str); 4] = [
        ("unversioned.db", "CREATE TABLE notes (id)"),
        ("versioned.db", "CREATE TABLE notes (id); PRAGMA user_version = 4"),
        ("named.db", "CREATE TABLE contacts (id); PRAGMA application_id = 77; PRAGMA user_version = 9"),
        ("logged.db", "PRAGMA journal_mode = WAL; CREATE TABLE contacts (id)"),
    ];
    for (name, sql) in made {
        let path = folder.path().join(name);
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let before = std::fs::read(&path).unwrap();
        for refused in [Store::open(&path), Store::open_read_only(&path)] {
            let error = refused.unwrap_err();
            assert!(matches!(error, Error::NotAMirror { .. }), "{name}: {error}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before, "{name}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644, "{name}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4, "no file was created beside them");
    // An empty file can be used.
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    Store::open(&folder.path().join("empty.db")).unwrap();
}

/// Closing a file that a process has opened releases all its locks on it. Without them, another program can remove the log
/// that this process still writes to.
#[cfg(target_os = "linux")]
#[test]
fn opening_a_store_again_keeps_the_locks_of_this_process() {
    use std::os::unix::fs::MetadataExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.db");
    let first = Store::open(&path).unwrap();
    assert_eq!(number(&first, "SELECT count(*) FROM contacts"), 0);
    let inode = std::fs::metadata(&path).unwrap().ino();
    let end = format!(":{inode} ");
    let is_locked = || std::fs::read_to_string("/proc/locks").unwrap().contains(&end);
    assert!(is_locked(), "a connection in WAL mode holds a lock");
    drop(Store::open(&path).unwrap());
    assert!(is_locked(), "after another connection for writing");
    drop(Store::open_read_only(&path).unwrap());
    assert!(is_locked(), "after another connection for reading");
    drop(first);
    assert!(!is_locked());
}
