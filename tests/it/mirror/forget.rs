//! Removed records leave no bytes in the files.

use super::*;

/// Whether the files of a store contain a text.
fn is_left(store: &Store, text: &str) -> bool {
    ["", "-wal"].iter().any(|ending| {
        let mut path = store.path().as_os_str().to_owned();
        path.push(ending);
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).any(|at| at.eq_ignore_ascii_case(text.as_bytes()))
    })
}

fn index_and_checkpoint(store: &mut Store) {
    store.index().unwrap();
    store.checkpoint().unwrap();
}

#[tokio::test]
async fn deleted_contacts_leave_no_bytes_in_the_files() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    // A reader prevents the removal of the log when a connection closes.
    fixture.sandbox.with_workspace(|workspace| {
        let ids: Vec<String> = workspace.contacts.iter().map(|contact| contact.id.clone()).collect();
        for (place, id) in ids.iter().enumerate() {
            let contact = workspace.touch_contact(id).unwrap();
            contact.email = Some(format!("erase-{place:03}@example.org"));
            contact.name = Some(format!("Erasable{place:03}"));
        }
    });
    fixture.sync(&mut store).await;
    index_and_checkpoint(&mut store);
    let reader = Store::open_read_only(store.path()).unwrap();
    let held = |store: &Store| (0..70).filter(|place| is_left(store, &format!("erase-{place:03}@"))).count();
    assert_eq!(held(&store), 70);
    let gone: Vec<String> = fixture.sandbox.with_workspace(|workspace| {
        let in_talks: std::collections::BTreeSet<String> =
            workspace.conversations.iter().flat_map(|conversation| conversation.contacts.clone()).collect();
        let in_tickets: std::collections::BTreeSet<String> =
            workspace.tickets.iter().flat_map(|ticket| ticket.contacts.clone()).collect();
        let ids: Vec<String> = workspace.contacts.iter().map(|contact| contact.id.clone()).collect();
        let ids = ids.into_iter().filter(|id| !in_talks.contains(id) && !in_tickets.contains(id)).take(20);
        ids.map(|id| workspace.contacts.remove(&id).unwrap().email.unwrap()).collect()
    });
    assert!(gone.len() >= 5, "{gone:?}");
    fixture.sandbox.advance(Duration::from_secs(7_200));
    assert!(fixture.sync(&mut store).await.complete);
    index_and_checkpoint(&mut store);
    let left: Vec<_> = gone.iter().filter(|email| is_left(&store, email)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(held(&store), 70 - gone.len());
    drop(reader);
}

#[tokio::test]
async fn forgetting_a_person_leaves_everyone_else_unchanged() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let id = fixture.sandbox.with_workspace(|workspace| {
        let conversation = some_conversation(workspace);
        let id = workspace.conversations.get(&conversation).unwrap().contacts[0].clone();
        let contact = workspace.touch_contact(&id).unwrap();
        contact.email = Some("Quibble@Example.org".into());
        contact.name = Some("Wilhelmina Quibbleworth".into());
        contact.phone = Some("+15550009999".into());
        let at = workspace.now();
        let comment = ConversationEvent::new("comment", Author::Contact(id.clone()), at)
            .with_body("<p>my zanzibar secret</p>");
        workspace.apply_event(&conversation, comment).unwrap();
        let note = ConversationEvent::new("note", Author::Bot, at)
            .with_body("<p>write to quibble@example.org, tangerine</p>");
        workspace.apply_event(&conversation, note).unwrap();
        id
    });
    fixture.sync(&mut store).await;
    index_and_checkpoint(&mut store);
    let counts = |store: &Store| {
        ["conversations", "conversation_parts", "tickets", "ticket_parts", "companies"]
            .map(|table| number(store, &format!("SELECT count(*) FROM {table}")))
    };
    let contacts = number(&store, "SELECT count(*) FROM contacts");
    let before = counts(&store);
    let shown = store.forget("quibble@example.org", true).unwrap();
    assert_eq!(shown.ids, std::slice::from_ref(&id));
    assert!(shown.conversations >= 1 && shown.conversation_parts >= 2, "{shown:?}");
    assert_eq!(number(&store, "SELECT count(*) FROM contacts"), contacts, "a dry run changes nothing");

    assert_eq!(store.forget("quibble@example.org", false).unwrap(), shown);
    store.vacuum().unwrap();
    for text in ["quibble", "Quibbleworth", "zanzibar", "+15550009999", &id] {
        assert!(!is_left(&store, text), "{text}");
    }
    assert!(is_left(&store, "tangerine"), "the words of others stay");
    assert_eq!(counts(&store), before);
    assert_eq!(number(&store, "SELECT count(*) FROM contacts"), contacts - 1);
    assert!(store.search("tangerine", &Default::default()).unwrap().hits.len() == 1);
    assert!(matches!(store.forget("quibble@example.org", false), Err(Error::UnknownPerson { .. })));
    for table in ["contacts", "conversations", "conversation_parts", "tickets"] {
        let sql = format!("SELECT count(*) FROM {table} WHERE NOT json_valid(raw)");
        assert_eq!(number(&store, &sql), 0, "{table}");
    }
    assert_eq!(text(&store, "PRAGMA integrity_check").as_deref(), Some("ok"));
    assert_eq!(number(&store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/// Conversations still name people who were deleted from the workspace.
#[tokio::test]
async fn a_person_without_a_contact_can_be_forgotten() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let sql = "SELECT source_author_id FROM conversations WHERE source_author_type IN ('user', 'lead')
               AND raw ->> '$.source.author.email' IS NOT NULL ORDER BY id LIMIT 1";
    let id = text(&store, sql).unwrap();
    let sql =
        format!("SELECT raw ->> '$.source.author.email' FROM conversations WHERE source_author_id = '{id}'");
    let email = text(&store, &sql).unwrap();
    store.connection().execute("DELETE FROM contacts WHERE id = ?1", [&id]).unwrap();
    let forgotten = store.forget(&email, false).unwrap();
    assert_eq!((forgotten.ids.as_slice(), forgotten.contacts), (&[id.clone()][..], 0));
    assert!(forgotten.conversations >= 1);
    store.vacuum().unwrap();
    assert!(!is_left(&store, &email) && !is_left(&store, &id), "{email} {id}");
}

/// A store with one conversation of a person and one of somebody else. The documents use JSON escapes.
fn store_with_escaped_documents(fixture: &Fixture) -> Store {
    let mut store = fixture.store("escaped.db");
    let records = |resource: ResourceName, store: &mut Store, documents: &[&str]| {
        let items: Vec<_> = documents
            .iter()
            .map(|document| serde_json::value::RawValue::from_string((*document).to_owned()).unwrap())
            .collect();
        store.store_records(resource, &items, 1).unwrap();
    };
    records(
        ResourceName::Contacts,
        &mut store,
        &[
            r#"{"type":"contact","id":"650000000000000000000001","role":"user","external_id":"u12","email":"j\u00fcrgen@example.com","phone":"+1 (555) 000-0004","name":"J\u00fcrgen Quibble"}"#,
            r#"{"type":"contact","id":"650000000000000000000002","role":"user","email":"ann@example.com","phone":"+15550000099"}"#,
        ],
    );
    records(
        ResourceName::Conversations,
        &mut store,
        &[
            r#"{"type":"conversation","id":"1","created_at":5,"updated_at":5,"source":{"body":"<p>zanzibar</p>","author":{"type":"user","id":"650000000000000000000001"}},"contacts":{"contacts":[{"type":"contact","id":"650000000000000000000001","external_id":"u12"}]},"custom_attributes":{"Address":"1 Elm Street","Seats":3}}"#,
            r#"{"type":"conversation","id":"2","created_at":5,"updated_at":5,"source":{"body":"<p>tangerine: write to j\u00fcrgen@example.com or call 555-000-0004</p>","author":{"type":"admin","id":"9"}},"contacts":{"contacts":[{"type":"contact","id":"650000000000000000000002"}]},"custom_attributes":{"Address":"2 Oak Street"}}"#,
        ],
    );
    store.index().unwrap();
    store
}

#[tokio::test]
async fn a_person_is_erased_in_every_spelling() {
    let fixture = Fixture::new(small()).await;
    for identifier in ["+15550000004", "J\u{dc}RGEN@example.com", "u12", "1 555 000 0004"] {
        let mut store = store_with_escaped_documents(&fixture);
        let forgotten = store.forget(identifier, false).unwrap();
        assert_eq!((forgotten.contacts, forgotten.conversations), (1, 2), "{identifier}: {forgotten:?}");
        store.vacuum().unwrap();
        for gone in ["rgen@example.com", "000-0004", "zanzibar", "Elm Street", "\"u12\"", "Quibble"] {
            assert!(!is_left(&store, gone), "{identifier}: {gone}");
        }
        for kept in ["tangerine", "Oak Street", "ann@example.com"] {
            assert!(is_left(&store, kept), "{identifier}: {kept}");
        }
        let hits = |text: &str| store.search(text, &Default::default()).unwrap().hits.len();
        assert_eq!((hits("rgen"), hits("tangerine")), (0, 1), "{identifier}");
        std::fs::remove_file(store.path()).unwrap();
    }
}

/// The state after a process was killed once the records were erased.
#[tokio::test]
async fn an_interrupted_forget_can_be_repeated() {
    let fixture = Fixture::new(small()).await;
    let mut store = store_with_escaped_documents(&fixture);
    store.forget("u12", false).unwrap();
    // The index is unchanged.
    store
        .connection()
        .execute_batch(
            "UPDATE texts SET body = 'zanzibar' WHERE resource = 'conversations' AND record_id = '1';
             INSERT OR IGNORE INTO texts_due VALUES ('conversations', '1');",
        )
        .unwrap();
    assert!(is_left(&store, "zanzibar"));
    for identifier in ["u12", "+1 555 000 0004"] {
        assert_eq!(store.forget(identifier, false).unwrap().contacts, 0, "{identifier}");
    }
    assert!(matches!(store.forget("somebody@example.org", false), Err(Error::UnknownPerson { .. })));
    store.vacuum().unwrap();
    assert!(!is_left(&store, "zanzibar"));
    assert!(matches!(store.forget("u12", false), Err(Error::UnknownPerson { .. })));
}

/// Rewriting the file removes remnants from the index.
#[tokio::test]
async fn vacuum_updates_the_index() {
    let fixture = Fixture::new(small()).await;
    let mut store = store_with_escaped_documents(&fixture);
    store
        .connection()
        .execute_batch("UPDATE conversations SET raw = replace(raw, 'zanzibar', 'gone') WHERE id = '1'")
        .unwrap();
    store.connection().execute("INSERT OR IGNORE INTO texts_due VALUES ('conversations', '1')", []).unwrap();
    store.vacuum().unwrap();
    assert!(!is_left(&store, "zanzibar"));
}
