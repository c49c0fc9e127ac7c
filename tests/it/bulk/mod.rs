//! Changing many records. The binary runs against a sandbox; the tests check the sandbox's state and the requests
//! it received.

mod changes;
mod faults;
mod filter_gaps;
mod incident_tag;
mod merge;
mod resume;
mod selection;
mod single;
mod sparse_responses;
mod verification;
mod versions;

use crate::support;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use intercom::sandbox::{Fault, Options, Sandbox, TOKEN, Workspace};
use serde_json::Value;
use tempfile::TempDir;

/// The initial time of the sandbox, in epoch seconds.
pub const NOW: i64 = 1_790_000_000;
const PHRASE: &str = "checkout fails";

struct Scene {
    sandbox: Sandbox,
    home: TempDir,
}

impl Scene {
    async fn new(conversations: usize) -> Self {
        Scene::quirky(conversations, &[]).await
    }

    async fn quirky(conversations: usize, quirks: &[&str]) -> Self {
        let options = Options {
            now: NOW,
            conversations,
            contacts: 60,
            companies: 10,
            tickets: 0,
            articles: 0,
            quirks: quirks.iter().map(|quirk| quirk.parse().unwrap()).collect(),
            ..Options::default()
        };
        Scene { sandbox: Sandbox::start(options).await.unwrap(), home: tempfile::tempdir().unwrap() }
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = support::binary(self.home());
        command
            .env("INTERCOM_ACCESS_TOKEN", TOKEN)
            .env("INTERCOM_BASE_URL", self.sandbox.base_url())
            .args(words);
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs a command, asserts its exit code and returns its results.
    fn results(&self, words: &[&str], code: i32) -> Value {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", support::stderr(&output));
        support::document(&output)["results"].take()
    }

    /// Writes the phrase into the opening message of the first `count` conversations by id, and returns their ids.
    fn mention(&self, count: usize) -> Vec<String> {
        self.sandbox.with_workspace(|workspace| {
            let mut ids: Vec<String> =
                workspace.conversations.iter().map(|conversation| conversation.id.clone()).collect();
            ids.sort_unstable();
            ids.truncate(count);
            for id in &ids {
                let conversation = workspace.conversations.get_mut(id).unwrap();
                conversation.source.body = format!("<p>Our <b>Checkout</b>&nbsp;\n fails, order {id}</p>");
            }
            ids
        })
    }

    /// Ids of the conversations with this tag.
    fn tagged(&self, name: &str) -> Vec<String> {
        self.sandbox.with_workspace(|workspace| {
            let Some(tag) =
                workspace.tags.iter().find(|tag| tag.text("name") == name).map(|tag| tag.id.clone())
            else {
                return Vec::new();
            };
            let mut ids: Vec<String> = workspace
                .conversations
                .iter()
                .filter(|conversation| conversation.tags.iter().any(|own| own.tag_id == tag))
                .map(|conversation| conversation.id.clone())
                .collect();
            ids.sort_unstable();
            ids
        })
    }

    /// Requests that change something: neither GET nor a search or list by POST.
    fn changing_calls(&self) -> Vec<String> {
        let requests = self.sandbox.requests();
        let changing = requests.iter().filter(|request| {
            request.method != "GET" && !request.path.ends_with("/search") && !request.path.ends_with("/list")
        });
        changing.map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// Counts, by request path, how often a tag is attached from now on. `fault` may inject faults.
    fn count_attached(
        &self,
        mut fault: impl FnMut(&mut Workspace, &str, &str) -> Option<Fault> + Send + 'static,
    ) -> Arc<Mutex<BTreeMap<String, usize>>> {
        let counts = Arc::new(Mutex::new(BTreeMap::new()));
        let shared = Arc::clone(&counts);
        self.sandbox.inject_faults(move |workspace, served| {
            let fault = fault(workspace, &served.method, &served.path);
            let carried_out = !matches!(fault, Some(Fault::Status(_)));
            if served.operation == Some("attachTagToConversation") && carried_out {
                *shared.lock().unwrap().entry(served.path.clone()).or_default() += 1;
            }
            fault
        });
        counts
    }
}

fn ids(results: &Value, status: &str) -> Vec<String> {
    let list = results["conversations"].as_array().or_else(|| results["contacts"].as_array());
    let chosen = list.unwrap().iter().filter(|item| item["status"] == status);
    let mut ids: Vec<String> = chosen.map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}
