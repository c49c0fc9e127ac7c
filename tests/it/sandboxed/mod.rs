//! Shared code of the mirror and report tests: a sandbox with a client, a store in a temporary folder, and the
//! expected contents of the store.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod faults;

use std::collections::BTreeMap;
use std::time::Duration;

use intercom::api::client::Client;
use intercom::api::transport::Settings;
use intercom::api::{ApiVersion, Region, Token};
use intercom::mirror::{Event, Store, Summary, SyncOptions, sync};
use intercom::sandbox::{Options, Sandbox, TOKEN, Workspace, shape};
use serde_json::Value;
use tempfile::TempDir;

/// The API version that tests run with, unless it is the default one. As in `support`, which benchmarks lack.
fn api_version() -> Option<String> {
    std::env::var("TEST_API_VERSION").ok()
}

/// Start time of the sandbox's clock: long enough ago that no record counts as recently changed.
pub const NOW: i64 = 1_760_000_000;

pub struct Fixture {
    pub sandbox: Sandbox,
    pub client: Client,
    folder: TempDir,
}

impl Fixture {
    pub async fn new(options: Options) -> Self {
        let sandbox = Sandbox::start(Options { now: NOW, ..options }).await.unwrap();
        // What changed within the last seconds is fetched twice. No test may depend on how fast it begins.
        sandbox.advance(Duration::from_secs(10));
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
        let mut observer = |event: &Event| events.push(event.clone());
        let summary = sync(&self.client, store, options, &mut observer).await.unwrap();
        (summary, events)
    }

    /// Number of requests for an operation.
    pub fn calls(&self, operation: &str) -> usize {
        self.sandbox.requests().iter().filter(|request| request.operation == Some(operation)).count()
    }
}

pub fn client(base_url: &str) -> Client {
    let mut base = Region::Us.base_url();
    base.set_scheme("http").unwrap();
    let (host, port) = base_url.trim_start_matches("http://").split_once(':').unwrap();
    base.set_host(Some(host)).unwrap();
    base.set_port(Some(port.parse().unwrap())).unwrap();
    let mut settings = Settings::new(base, Some(Token::new(TOKEN).unwrap()));
    settings.api_version = api_version().unwrap_or(settings.api_version);
    settings.first_delay = Duration::from_millis(1);
    settings.retries = 2;
    Client::new(settings).unwrap()
}

/// Small pages, so that lists have several.
pub fn options() -> SyncOptions {
    SyncOptions { per_page: Some(20), concurrency: 4, ..SyncOptions::default() }
}

/// Maps table and id to the stored document.
pub type Records = BTreeMap<(&'static str, String), String>;

/// The documents that the sandbox would return now.
pub fn expected(sandbox: &Sandbox) -> Records {
    sandbox.with_workspace(|workspace| {
        let mut records = Records::new();
        let version = api_version().map_or_else(ApiVersion::pinned, |version| version.parse().unwrap());
        let mut add = |table, mut document: Value| {
            shape(&version, &mut document);
            let id = document["id"].as_str().unwrap().to_owned();
            records.insert((table, id), document.to_string());
        };
        let sizes = workspace.company_sizes();
        for contact in workspace.contacts.iter() {
            add("contacts", workspace.contact_document(contact));
        }
        for company in workspace.companies.iter() {
            add("companies", workspace.company_document(company, &sizes));
        }
        workspace.admins.iter().for_each(|admin| add("admins", admin.document()));
        for (table, records) in [
            ("teams", &workspace.teams),
            ("tags", &workspace.tags),
            ("segments", &workspace.segments),
            ("subscription_types", &workspace.subscription_types),
            ("internal_articles", &workspace.internal_articles),
            ("news_items", &workspace.news_items),
            ("help_centers", &workspace.help_centers),
            ("collections", &workspace.collections),
        ] {
            records.iter().for_each(|record| add(table, record.document.clone()));
        }
        for conversation in workspace.conversations.iter() {
            add("conversations", workspace.conversation_item(conversation));
            for part in &conversation.parts {
                add("conversation_parts", workspace.part_document(part));
            }
        }
        for ticket in workspace.tickets.iter() {
            let document = workspace.ticket_document(ticket);
            for part in document["ticket_parts"]["ticket_parts"].as_array().unwrap() {
                add("ticket_parts", part.clone());
            }
            add("tickets", document);
        }
        records
    })
}

/// The tables whose complete contents can be derived from the workspace.
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

/// The documents in the store.
pub fn stored(store: &Store) -> Records {
    let mut records = Records::new();
    for table in COMPARED {
        let mut statement = store.connection().prepare(&format!("SELECT id, raw FROM {table}")).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).unwrap();
        records.extend(rows.map(|row| row.unwrap()).map(|(id, raw)| ((*table, id), raw)));
    }
    records
}

/// The tables with data from the workspace.
fn tables(store: &Store) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'
               AND name NOT IN ('workspace', 'sync_state', 'sync_seen') ORDER BY name";
    let mut statement = store.connection().prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

/// All rows and columns of the store, except the times of syncing.
pub fn dump(store: &Store) -> Vec<String> {
    dump_without(store, &[])
}

/// Like [`dump`], without some columns.
pub fn dump_without(store: &Store, columns_to_skip: &[&str]) -> Vec<String> {
    let mut rows = Vec::new();
    for table in tables(store) {
        let mut statement = store.connection().prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_names().map(str::to_owned).collect::<Vec<_>>();
        let mut table_rows = statement.query([]).unwrap();
        while let Some(row) = table_rows.next().unwrap() {
            let cells = columns
                .iter()
                .enumerate()
                .filter(|(_, name)| !["synced_at", "fetched_at", "read_at"].contains(&name.as_str()))
                .filter(|(_, name)| !columns_to_skip.contains(&name.as_str()));
            let cells: Vec<String> =
                cells.map(|(index, name)| format!("{name}={:?}", row.get_ref(index).unwrap())).collect();
            rows.push(format!("{table}: {}", cells.join(" ")));
        }
    }
    rows.sort();
    rows
}

/// Asserts that the store equals the workspace.
pub fn assert_same(store: &Store, sandbox: &Sandbox) {
    let (stored, expected) = (stored(store), expected(sandbox));
    let missing: Vec<_> = expected.keys().filter(|key| !stored.contains_key(*key)).collect();
    let unexpected: Vec<_> = stored.keys().filter(|key| !expected.contains_key(*key)).collect();
    assert!(missing.is_empty() && unexpected.is_empty(), "missing {missing:?}, unexpected {unexpected:?}");
    for (key, document) in &expected {
        assert_eq!(&stored[key], document, "{key:?}");
    }
}

/// The id of a conversation; always the same one.
pub fn some_conversation(workspace: &Workspace) -> String {
    workspace.conversations.iter().map(|conversation| conversation.id.clone()).min().unwrap()
}
