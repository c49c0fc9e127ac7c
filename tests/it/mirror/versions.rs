//! Mirrors of one workspace that were synced with different API versions.

use std::collections::BTreeSet;

use intercom::api::Client;
use intercom::mirror::{Store, Summary, SyncOptions, sync};
use intercom::sandbox::{TOKEN, shape};
use serde_json::Value;

use super::{number, small};
use crate::sandboxed::{Fixture, client, dump_without, stored};

fn options() -> SyncOptions {
    let resources = intercom::mirror::ResourceName::ALL.iter().copied();
    let resources =
        resources.filter(|name| *name != intercom::mirror::ResourceName::DataAttributes).collect();
    SyncOptions { resources, ..crate::sandboxed::options() }
}
use crate::support;

impl Fixture {
    fn client_at(&self, version: &str) -> Client {
        client(&self.sandbox.base_url()).with_version(version)
    }

    async fn sync_at(&self, version: &str, store: &mut Store, options: &SyncOptions) -> Summary {
        sync(&self.client_at(version), store, options, &mut |_: &_| {}).await.unwrap()
    }

    async fn mirror_at(&self, version: &str) -> Store {
        let mut store = self.store(&format!("{version}.db"));
        let summary = self.sync_at(version, &mut store, &options()).await;
        assert!(summary.complete, "{version}: {summary:?}");
        store
    }
}

/// The stored documents, in the words of one version.
fn documents(store: &Store) -> BTreeSet<String> {
    let shaped = |((table, id), raw): ((&str, String), String)| {
        let mut document: Value = serde_json::from_str(&raw).unwrap();
        if table == "conversations" {
            document["priority"] = Value::Null;
        }
        shape(&"2.16".parse().unwrap(), &mut document);
        format!("{table} {id} {document}")
    };
    stored(store).into_iter().map(shaped).collect()
}

/// What may differ in the columns: documents, and what is stored as received.
const AS_RECEIVED: [&str; 2] = ["raw", "priority"];

fn columns(store: &Store) -> Vec<String> {
    dump_without(store, &AS_RECEIVED)
}

#[tokio::test]
async fn a_sync_with_another_version_changes_nothing() {
    for [first, second] in [["2.13", "2.16"], ["2.16", "2.13"]] {
        let fixture = Fixture::new(small()).await;
        let mut store = fixture.mirror_at(first).await;
        let (before, before_columns) = (documents(&store), columns(&store));
        for options in
            [options(), SyncOptions { full: true, ..options() }, SyncOptions { prune: true, ..options() }]
        {
            fixture.sandbox.forget_requests();
            let summary = fixture.sync_at(second, &mut store, &options).await;
            assert!(summary.complete, "{summary:?}");
            for outcome in &summary.resources {
                let written = outcome.written;
                assert_eq!(
                    (written.inserted, written.updated, written.deleted),
                    (0, 0, 0),
                    "{first} to {second}: {}",
                    outcome.resource
                );
            }
            for details in ["retrieveConversation", "listTagsForAContact", "getTicket", "retrieveArticle"] {
                let is_fetched_again = options.full;
                assert!(is_fetched_again || fixture.calls(details) == 0, "{first} to {second}: {details}");
            }
            assert_eq!(documents(&store), before, "{first} to {second}");
            assert_eq!(columns(&store), before_columns, "{first} to {second}");
        }
        // A change is stored in the words of the version that fetched it, and counted.
        fixture.sandbox.with_workspace(|workspace| {
            let owner = workspace.my_id();
            let id = workspace.contacts.iter().find(|contact| !contact.archived).unwrap().id.clone();
            workspace.touch_contact(&id).unwrap().owner_id = Some(owner);
        });
        let summary = fixture.sync_at(second, &mut store, &options()).await;
        let updated: u64 = summary.resources.iter().map(|outcome| outcome.written.updated).sum();
        assert_eq!(updated, 1, "{first} to {second}: {summary:?}");
    }
}

#[tokio::test]
async fn mirrors_of_both_versions_have_the_same_columns_and_links() {
    let fixture = Fixture::new(small()).await;
    let [older, newer] = [fixture.mirror_at("2.13").await, fixture.mirror_at("2.16").await];
    assert_eq!(columns(&older), columns(&newer));
    for (store, priority) in [
        (&older, "priority IN ('priority', 'not_priority')"),
        (&newer, "priority IN ('none', 'low', 'medium', 'high', 'urgent')"),
    ] {
        let stored_otherwise = format!("SELECT count(*) FROM conversations WHERE NOT {priority}");
        assert_eq!(number(store, &stored_otherwise), 0, "priorities are stored as received");
        let in_collections =
            "SELECT count(*) FROM articles JOIN collections AS c ON c.id = articles.parent_id";
        assert!(number(store, in_collections) > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_and_searches_answer_the_same_for_both_versions() {
    let fixture = Fixture::new(small()).await;
    let stores = [fixture.mirror_at("2.13").await, fixture.mirror_at("2.16").await];
    let home = tempfile::tempdir().unwrap();
    let ask = |store: &Store, words: &[&str]| {
        let database = store.connection().path().unwrap();
        let mut command = support::against(home.path(), &fixture.sandbox.base_url());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN);
        let output = command.args(words).args(["--json", "--db", database]).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", support::stderr(&output));
        support::document(&output)["results"].clone()
    };
    let inbox = "SELECT id, title, state, team, assignee FROM inbox ORDER BY 1";
    let unassigned = "SELECT count(*) FROM conversations WHERE team_assignee_id IS NULL";
    for words in [
        &["conversations", "sla"][..],
        &["conversations", "sla", "--group-by", "team"],
        &["conversations", "sla", "--group-by", "admin"],
        &["conversations", "stale", "--idle", "1d"],
        &["conversations", "stale", "--idle", "1d", "--assigned-to", "none"],
        &["conversations", "volume", "--by", "channel"],
        &["conversations", "volume", "--by", "day"],
        &["contacts", "dupes"],
        &["search", "refund"],
        &["search", "export", "--type", "conversations"],
        &["sql", unassigned],
        &["sql", inbox],
        &["sql", "SELECT owner_id, count(*) FROM contacts GROUP BY 1 ORDER BY 1"],
        &["sql", "SELECT admin_assignee_id, count(*) FROM tickets GROUP BY 1 ORDER BY 1"],
        &["sql", "SELECT parent_id, parent_type, count(*) FROM articles GROUP BY 1, 2 ORDER BY 1"],
    ] {
        let [mut older, mut newer] = stores.each_ref().map(|store| ask(store, words));
        for answer in [&mut older, &mut newer] {
            let rows = answer.as_array_mut().into_iter().flatten();
            rows.filter_map(Value::as_object_mut).for_each(|row| drop(row.remove("priority")));
        }
        assert_eq!(older, newer, "{words:?}");
        let has_rows = words != ["contacts", "dupes"];
        assert!(!has_rows || older.as_array().is_none_or(|rows| !rows.is_empty()), "{words:?}");
    }

    // Filters of either version find both spellings.
    let config = home.path().join("config.toml");
    let ids = |store: &Store, version: &str, filter: &str| {
        let database = store.connection().path().unwrap();
        std::fs::write(&config, format!("store = {database:?}\n")).unwrap();
        let mut command = support::against(home.path(), &fixture.sandbox.base_url());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).args(["--config", config.to_str().unwrap()]);
        command.args(["conversations", "search", "--where", filter, "--all", "--data-source", "local"]);
        let output = command.args(["--api-version", version, "--json"]).output().unwrap();
        assert!(output.status.success(), "{filter}: {}", support::stderr(&output));
        let found = support::document(&output)["results"].clone();
        let found = found.as_array().or_else(|| found["conversations"].as_array()).unwrap();
        found.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    for (older, newer) in [
        ("priority = priority", "priority in (high, urgent)"),
        ("priority != priority", "priority in (none, low, medium)"),
        ("team = null", "team = null"),
        ("assignee != null", "assignee != null"),
    ] {
        let expected = ids(&stores[0], "2.13", older);
        assert!(!expected.is_empty() && expected.len() < 90, "{older}");
        for store in &stores {
            assert_eq!(ids(store, "2.13", older), expected, "{older}");
            assert_eq!(ids(store, "2.16", newer), expected, "{newer}");
        }
    }
}
