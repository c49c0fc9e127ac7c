//! A small workspace made by hand, each conversation of it one trap, with the figures worked out beside it.
//!
//! The documents are written the way the API sends them, quirks included, and go through the same storing
//! as in a sync. Minutes count from Monday 2026-05-11 09:00 in Berlin (07:00 UTC).

mod cases;
mod waits;
mod weekly;
mod who;

use crate::support;
use std::path::{Path, PathBuf};

use intercom::mirror::conversation::{Detail, OF_CONVERSATIONS};
use intercom::mirror::{ResourceName, Store, Workspace};
use serde_json::{Value, json};

/// 2026-05-11T07:00:00Z.
pub const START: i64 = 1_778_482_800;
pub const HOUR: i64 = 60;
pub const DAY: i64 = 24 * HOUR;
/// The mirror was complete two weeks later.
pub const AS_OF: i64 = START + 14 * DAY * 60;

/// Epoch seconds of a minute.
pub const fn at(minute: i64) -> i64 {
    START + minute * 60
}

/// A folder with a mirror in it.
pub struct Golden {
    pub folder: tempfile::TempDir,
}

impl Default for Golden {
    fn default() -> Self {
        Golden::new()
    }
}

impl Golden {
    pub fn new() -> Self {
        let golden = Golden { folder: tempfile::tempdir().unwrap() };
        let mut store = golden.open();
        fill(&mut store);
        golden
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("golden.db")
    }

    pub fn open(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    /// The answer of a command of the program about this mirror.
    pub fn ask(&self, words: &[&str]) -> std::process::Output {
        self.command(words).output().unwrap()
    }

    /// What a terminal of so many columns shows.
    pub fn shown(&self, columns: &str, words: &[&str]) -> String {
        let output = self.command(words).arg("--human-friendly").env("COLUMNS", columns).output().unwrap();
        support::stdout(&output)
    }

    fn command(&self, words: &[&str]) -> std::process::Command {
        let mut command = support::binary(self.folder.path());
        command.args(words).args(["--db", self.path().to_str().unwrap()]);
        command
    }

    pub fn json(&self, words: &[&str]) -> Value {
        let output = self.ask(&[words, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", support::stderr(&output));
        support::document(&output)
    }

    pub fn fails(&self, words: &[&str]) -> (i32, String) {
        let output = self.ask(words);
        (output.status.code().unwrap(), support::stderr(&output))
    }
}

fn fill(store: &mut Store) {
    let workspace =
        Workspace { id_code: "golden".into(), name: Some("Golden".into()), ..Workspace::default() };
    store.bind(&workspace).unwrap();
    put(
        store,
        ResourceName::Teams,
        &[json!({"id": "10", "name": "Support"}), json!({"id": 20, "name": "<script>"})],
    );
    put(store, ResourceName::Admins, &[json!({"id": "7", "name": "Ann"}), json!({"id": "8", "name": "Bo"})]);
    put(
        store,
        ResourceName::Tags,
        &[json!({"id": "t1", "name": "billing"}), json!({"id": "t2", "name": "bug"})],
    );
    who::contacts(store);
    let cases = cases::all();
    assert!(cases.len() >= 25);
    for case in &cases {
        keep(store, &case.document());
    }
    for resource in ResourceName::ALL {
        store.begin(*resource, AS_OF).unwrap();
        store.finish(*resource, None, AS_OF).unwrap();
    }
}

pub fn put(store: &mut Store, resource: ResourceName, documents: &[Value]) {
    let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
    store.store_page(resource.resource(), texts.iter().map(String::as_str), None, AS_OF).unwrap();
}

/// Stores a conversation with its parts, as after fetching it.
pub fn keep(store: &mut Store, document: &Value) {
    let text = document.to_string();
    let detail = Detail::read(&OF_CONVERSATIONS, &text, None, AS_OF).unwrap();
    store.store_details(&[detail], AS_OF).unwrap();
}

pub fn mirror_without(folder: &Path, resources: &[ResourceName]) -> PathBuf {
    let path = folder.join("partial.db");
    let mut store = Store::open(&path).unwrap();
    fill(&mut store);
    for resource in resources {
        let table = match resource {
            ResourceName::ConversationParts => "conversation_parts_state",
            other => other.as_str(),
        };
        let sql = format!("DELETE FROM sync_state WHERE resource = '{resource}'; DELETE FROM {table};");
        store.connection().execute_batch(&sql).unwrap();
    }
    path
}
