//! Questions to the mirror, as a user asks them: search, SQL, export, counts, and generated commands
//! with `--data-source`; then following and importing, against the sandbox or a server that answers as
//! told.

mod export;
mod follow;
mod importing;
mod local;
mod names;
mod paper;
mod search;
mod sql;
mod times;
mod walk;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Output;

use intercom::mirror::Store;
use intercom::mirror::search::SearchOptions;
use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::{Value, json};

use crate::support::{Server, against, binary, document, json as answer, stderr, stdout};

/// A sandbox that is mirrored already.
struct Mirrored {
    home: tempfile::TempDir,
    sandbox: Sandbox,
}

impl Mirrored {
    async fn new() -> Self {
        let options =
            Options { contacts: 60, companies: 12, conversations: 80, tickets: 20, ..Options::default() };
        let it =
            Mirrored { home: tempfile::tempdir().unwrap(), sandbox: Sandbox::start(options).await.unwrap() };
        let synced = it.run(&["sync", "--db", "mirror.db"]);
        assert_eq!(code(&synced), 0, "{}", stderr(&synced));
        let synced = it.run(&["sync"]);
        assert_eq!(code(&synced), 0, "{}", stderr(&synced));
        it
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

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}
