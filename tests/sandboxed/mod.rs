//! What the tests of the mirror and of the reports share: a sandbox, a client that reaches it, a store
//! in a temporary folder, and what the store should hold.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod trouble;

use std::collections::BTreeMap;
use std::time::Duration;

use intercom::api::client::Client;
use intercom::api::transport::Settings;
use intercom::api::{Region, Token};
use intercom::mirror::{Event, Store, Summary, SyncOptions, sync};
use intercom::sandbox::{Options, Sandbox, TOKEN, Workspace};
use serde_json::Value;
use tempfile::TempDir;

/// Long enough ago that no record changed "just now"; the sandbox's time goes on from here.
pub const NOW: i64 = 1_760_000_000;

pub struct Fixture {
    pub sandbox: Sandbox,
    pub client: Client,
    folder: TempDir,
}

impl Fixture {
    pub async fn new(options: Options) -> Self {
        let sandbox = Sandbox::start(Options { now: NOW, ..options }).await.unwrap();
        let client = client(&sandbox.base_url());
        Fixture { sandbox, client, folder: tempfile::tempdir().unwrap() }
    }

    pub fn store(&self, name: &str) -> Store {
        Store::open(&self.folder.path().join(name)).unwrap()
    }

    pub async fn sync(&self, store: &mut Store) -> Summary {
        self.sync_with(store, &options()).await.0
    }

    pub async fn sync_with(&self, store: &mut Store, options: &SyncOptions) -> (Summary, Vec<Event>) {
        let mut events = Vec::new();
        let mut note = |event: &Event| events.push(event.clone());
        let summary = sync(&self.client, store, options, &mut note).await.unwrap();
        (summary, events)
    }

    /// How many calls of an operation the sandbox has served.
    pub fn calls(&self, operation: &str) -> usize {
        self.sandbox.requests().iter().filter(|served| served.operation == Some(operation)).count()
    }
}

pub fn client(base_url: &str) -> Client {
    let mut base = Region::Us.base_url();
    base.set_scheme("http").unwrap();
    let (host, port) = base_url.trim_start_matches("http://").split_once(':').unwrap();
    base.set_host(Some(host)).unwrap();
    base.set_port(Some(port.parse().unwrap())).unwrap();
    let mut settings = Settings::new(base, Some(Token::new(TOKEN).unwrap()));
    settings.first_delay = Duration::from_millis(1);
    settings.retries = 2;
    Client::new(settings).unwrap()
}

/// Small pages, so that there are many of them.
pub fn options() -> SyncOptions {
    SyncOptions { per_page: Some(20), concurrency: 4, ..SyncOptions::default() }
}

/// Table, id, and the document as stored.
pub type Records = BTreeMap<(&'static str, String), String>;

/// What the sandbox would answer now.
pub fn expected(sandbox: &Sandbox) -> Records {
    sandbox.with_workspace(|workspace| {
        let mut records = Records::new();
        let mut add = |table, document: Value| {
            let id = document["id"].as_str().unwrap().to_owned();
            records.insert((table, id), document.to_string());
        };
        let sizes = workspace.company_sizes();
        workspace.contacts.iter().for_each(|it| add("contacts", workspace.contact_document(it)));
        workspace.companies.iter().for_each(|it| add("companies", workspace.company_document(it, &sizes)));
        workspace.admins.iter().for_each(|it| add("admins", it.document()));
        workspace.teams.iter().for_each(|it| add("teams", it.document()));
        workspace.tags.iter().for_each(|it| add("tags", it.document()));
        workspace.segments.iter().for_each(|it| add("segments", it.document(None)));
        workspace.subscription_types.iter().for_each(|it| add("subscription_types", it.document()));
        workspace.internal_articles.iter().for_each(|it| add("internal_articles", it.document()));
        workspace.news_items.iter().for_each(|it| add("news_items", it.document(&workspace.id)));
        workspace.help_centers.iter().for_each(|it| add("help_centers", it.document(&workspace.id)));
        workspace
            .collections
            .iter()
            .for_each(|it| add("collections", it.document(&workspace.id, workspace.locale())));
        for conversation in workspace.conversations.iter() {
            add("conversations", workspace.conversation_item(conversation));
            conversation.parts.iter().for_each(|it| add("conversation_parts", workspace.part_document(it)));
        }
        for ticket in workspace.tickets.iter() {
            let document = workspace.ticket_document(ticket);
            let parts = document["ticket_parts"]["ticket_parts"].as_array().unwrap().clone();
            parts.into_iter().for_each(|part| add("ticket_parts", part));
            add("tickets", document);
        }
        records
    })
}

/// The tables whose whole content is known from the workspace.
const COMPARED: &[&str] = &[
    "contacts",
    "companies",
    "conversations",
    "conversation_parts",
    "tickets",
    "ticket_parts",
    "collections",
    "help_centers",
    "internal_articles",
    "news_items",
    "admins",
    "teams",
    "tags",
    "segments",
    "subscription_types",
];

/// What the store holds.
pub fn stored(store: &Store) -> Records {
    let mut records = Records::new();
    for table in COMPARED {
        let mut statement = store.connection().prepare(&format!("SELECT id, raw FROM {table}")).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).unwrap();
        records.extend(rows.map(|row| row.unwrap()).map(|(id, raw)| ((*table, id), raw)));
    }
    records
}

/// The tables that hold what came from the workspace.
fn tables(store: &Store) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'
               AND name NOT IN ('workspace', 'sync_state', 'sync_seen') ORDER BY name";
    let mut statement = store.connection().prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

/// Every row and column of the store but the moments of syncing.
pub fn dump(store: &Store) -> Vec<String> {
    let mut rows = Vec::new();
    for table in tables(store) {
        let mut statement = store.connection().prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_names().map(str::to_owned).collect::<Vec<_>>();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let cells = columns
                .iter()
                .enumerate()
                .filter(|(_, name)| !["synced_at", "fetched_at", "read_at"].contains(&name.as_str()));
            let cells: Vec<String> =
                cells.map(|(at, name)| format!("{name}={:?}", row.get_ref(at).unwrap())).collect();
            rows.push(format!("{table}: {}", cells.join(" ")));
        }
    }
    rows.sort();
    rows
}

pub fn assert_same(store: &Store, sandbox: &Sandbox) {
    let (stored, expected) = (stored(store), expected(sandbox));
    let missing: Vec<_> = expected.keys().filter(|key| !stored.contains_key(*key)).collect();
    let surplus: Vec<_> = stored.keys().filter(|key| !expected.contains_key(*key)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:?}, surplus {surplus:?}");
    for (key, document) in &expected {
        assert_eq!(&stored[key], document, "{key:?}");
    }
}

/// The id of some conversation, always the same one.
pub fn some_conversation(workspace: &Workspace) -> String {
    workspace.conversations.iter().map(|conversation| conversation.id.clone()).min().unwrap()
}
