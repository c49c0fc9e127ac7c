//! Reports on the golden workspace: a hand-made mirror in which each conversation is one edge case with its
//! expected metrics.
//!
//! The documents look like those of the API, quirks included, and are stored as in a sync. Minutes count from
//! Monday 2026-05-11 09:00 in Berlin (07:00 UTC).

mod cases;
mod contact_360;
mod dupes;
mod sla;
mod sla_command;
mod sla_workspace;
mod stale;
mod translations;
mod volume;

use crate::support;
use std::path::{Path, PathBuf};

use intercom::mirror::conversation::{Detail, OF_CONVERSATIONS};
use intercom::mirror::{ResourceName, Store, Workspace};
use serde_json::{Value, json};

/// 2026-05-11T07:00:00Z.
pub const START: i64 = 1_778_482_800;
pub const HOUR: i64 = 60;
pub const DAY: i64 = 24 * HOUR;
/// Time of the sync: two weeks later.
pub const AS_OF: i64 = START + 14 * DAY * 60;

/// The epoch seconds of a minute.
pub const fn at(minute: i64) -> i64 {
    START + minute * 60
}

/// A folder with the golden mirror.
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

    /// Runs a command on this mirror.
    pub fn ask(&self, words: &[&str]) -> std::process::Output {
        self.command(words).output().unwrap()
    }

    /// The output on a terminal with this many columns.
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
    contact_360::contacts(store);
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

/// Stores a conversation with its parts, as a sync does.
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

/// One column of a list of rows.
pub fn column<'a>(rows: &'a Value, name: &str) -> Vec<&'a str> {
    rows.as_array().unwrap().iter().map(|row| row[name].as_str().unwrap_or("")).collect()
}
