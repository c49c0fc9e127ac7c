//! The store as a file: made once, private, of one workspace.

use super::*;

#[test]
fn a_store_is_made_once_and_only_grows() {
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
fn reading_needs_a_store_and_changes_nothing() {
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
fn nobody_else_can_read_a_store() {
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
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(Store::open(&path).unwrap());
    assert_eq!(mode(&path), 0o600);
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
fn odd_documents_are_stored_as_they_came() {
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
async fn a_store_takes_one_workspace_only() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    store.bind(&Workspace { id_code: "other".into(), ..Workspace::default() }).unwrap();
    let error = sync(&fixture.client, &mut store, &options(), &mut |_: &Event| {}).await.unwrap_err();
    let given = fixture.sandbox.with_workspace(|workspace| workspace.id.clone());
    assert!(matches!(error, Error::OtherWorkspace { .. }));
    assert!(error.to_string().contains("other") && error.to_string().contains(&given), "{error}");
    assert!(stored(&store).is_empty());
}

/// What an earlier version worked out otherwise must not be shown by this one.
#[test]
fn timelines_of_an_earlier_version_are_worked_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.db");
    let store = Store::open(&path).unwrap();
    let insert = "INSERT INTO conversation_timelines (conversation_id, marks) VALUES ('1', 0)";
    store.connection().execute(insert, []).unwrap();
    store.connection().pragma_update(None, "user_version", 8).unwrap();
    assert_eq!(number(&Store::open(&path).unwrap(), "SELECT count(*) FROM conversation_timelines"), 0);
}
