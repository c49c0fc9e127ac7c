//! Commands run through the binary, against a mirrored sandbox or a server with canned responses. One file per
//! command, and one per subject that several commands share.

mod agent_context;
mod analytics;
mod api_versions;
mod budget;
mod demo;
mod export;
mod formats;
mod html_report;
mod import;
mod knowledge;
#[cfg(unix)]
mod listen;
mod names_in_tables;
mod nothing_found;
mod offline;
mod pagination;
mod profile;
mod search;
mod settings;
mod sql;
mod sync;
mod tail;
mod time_flags;
#[cfg(unix)]
mod webhooks;
mod workflow;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use intercom::mirror::Store;
use intercom::mirror::search::SearchOptions;
use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::{Value, json};

use crate::support::{Server, against, binary, document, json as answer, stderr, stdout};

/// A sandbox with two mirrors: `mirror.db`, and the default path of its token.
struct Mirrored {
    home: tempfile::TempDir,
    sandbox: Sandbox,
}

impl Mirrored {
    async fn new() -> Self {
        let options =
            Options { contacts: 60, companies: 12, conversations: 80, tickets: 20, ..Options::default() };
        let mirrored =
            Mirrored { home: tempfile::tempdir().unwrap(), sandbox: Sandbox::start(options).await.unwrap() };
        for words in [&["sync", "--db", "mirror.db"][..], &["sync"]] {
            let output = mirrored.run(words);
            assert_eq!(code(&output), 0, "{}", stderr(&output));
        }
        mirrored
    }

    fn run(&self, words: &[&str]) -> Output {
        self.at(&self.sandbox.base_url(), words)
    }

    fn at(&self, url: &str, words: &[&str]) -> Output {
        let mut command = binary(self.home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", url);
        command.args(words).output().unwrap()
    }

    /// The results of a command that must succeed.
    fn ask(&self, words: &[&str]) -> Value {
        let output = self.run(&[words, &["--db", "mirror.db", "--json"]].concat());
        assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
        document(&output)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn store(&self) -> Store {
        Store::open(&self.path("mirror.db")).unwrap()
    }

    fn execute(&self, sql: &str) {
        self.store().connection().execute_batch(sql).unwrap();
    }
}

/// A sandbox without a mirror.
pub async fn sandbox() -> Sandbox {
    let options = Options { contacts: 60, companies: 8, conversations: 80, ..Options::default() };
    Sandbox::start(options).await.unwrap()
}

/// Runs the binary against a sandbox.
pub fn run(home: &Path, sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let mut command = binary(home);
    command.env("INTERCOM_BASE_URL", sandbox.base_url()).env("INTERCOM_ACCESS_TOKEN", TOKEN);
    command.args(arguments).output().unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect()
}
