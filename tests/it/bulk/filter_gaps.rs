//! Filters select the right records even when search results lack fields or are outdated.

use std::collections::BTreeSet;

use intercom::sandbox::Workspace;
use intercom::sandbox::model::conversation::{Conversation, ConversationState};
use intercom::sandbox::model::plain::PlainRecord;
use serde_json::{Value, json};

use super::{NOW, PHRASE, Scene, ids};
use crate::support::{document, stderr};

fn listed(results: &Value, key: &str) -> BTreeSet<String> {
    let records = results[key].as_array().unwrap().iter();
    records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

impl Scene {
    fn expected_ids(&self, fits: impl Fn(&Workspace, &Conversation) -> bool) -> BTreeSet<String> {
        self.sandbox.with_workspace(|workspace| {
            let matching =
                workspace.conversations.iter().filter(|conversation| fits(workspace, conversation));
            matching.map(|conversation| conversation.id.clone()).collect()
        })
    }

    /// A search and the preview of a change select the same records.
    fn selected(&self, filter: &str) -> [BTreeSet<String>; 2] {
        let search = ["conversations", "search", "--where", filter, "--all", "--json"];
        let plan = ["conversations", "bulk-reply-note", "--where", filter, "--body", "Hello", "--json"];
        [listed(&self.results(&search, 0), "conversations"), listed(&self.results(&plan, 0), "conversations")]
    }

    fn assert_selects(&self, filter: &str, expected: impl Fn(&Workspace, &Conversation) -> bool) {
        let expected = self.expected_ids(expected);
        let all = self.expected_ids(|_, _| true);
        assert!(
            !expected.is_empty() && expected.len() < all.len(),
            "{filter}: {} of {}",
            expected.len(),
            all.len()
        );
        assert_eq!(self.selected(filter), [expected.clone(), expected], "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_missing_from_a_search_are_read_from_the_records() {
    let scene = Scene::quirky(60, &["sparse-search=tags"]).await;
    scene.assert_selects("tags = null", |_, conversation| conversation.tags.is_empty());
    scene.assert_selects("tags != null", |_, conversation| !conversation.tags.is_empty());
    let scene = Scene::quirky(60, &["sparse-search=statistics", "inclusive-comparison"]).await;
    let parts = |workspace: &Workspace, conversation: &Conversation| {
        workspace.statistics(conversation).document()["count_conversation_parts"].as_i64().unwrap()
    };
    scene.assert_selects("statistics.count_conversation_parts >= 4", move |all, conversation| {
        parts(all, conversation) >= 4
    });
    scene.assert_selects("statistics.count_conversation_parts > 4", move |all, conversation| {
        parts(all, conversation) > 4
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_without_an_assignee_key_is_unassigned() {
    let scene = Scene::quirky(60, &["unassigned=absent"]).await;
    let team = scene.sandbox.with_workspace(|workspace| workspace.teams.first().unwrap().clone());
    let id: i64 = team.id.parse().unwrap();
    let filter = format!("team = \"{}\"", team.text("name"));
    scene.assert_selects(&filter, move |_, conversation| conversation.team_assignee_id == Some(id));
    scene.assert_selects("team = null", |_, conversation| conversation.team_assignee_id.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_no_longer_matches_is_left_alone() {
    for command in [
        &["conversations", "bulk-reply-note", "--body", "Hello"][..],
        &["conversations", "bulk-tag", "--tag", "late"],
        &["conversations", "bulk-assign", "--team", "Support"],
        &["conversations", "bulk-snooze", "--until", "+2d"],
    ] {
        let scene = Scene::quirky(40, &["stale-search"]).await;
        let closed =
            |_: &Workspace, conversation: &Conversation| conversation.state == ConversationState::Closed;
        let before = scene.expected_ids(closed);
        assert!(!before.is_empty());
        let output =
            scene.run(&[command, &["--where", "state = open", "--apply", "--yes", "--json"]].concat());
        assert_eq!(output.status.code(), Some(6), "{command:?}: {}", stderr(&output));
        let results = document(&output)["results"].take();
        let skipped: BTreeSet<String> = ids(&results, "skipped").into_iter().collect();
        assert!(!skipped.is_empty() && skipped.is_subset(&before), "{command:?}: {skipped:?}");
        let listed = results["conversations"].as_array().unwrap().iter();
        let mut reasons = listed.filter(|item| item["status"] == "skipped").map(|item| &item["reason"]);
        assert!(reasons.all(|reason| reason == "no_longer_matches"), "{results}");
        let changed = scene.changing_calls();
        let touched = |id: &String| changed.iter().any(|call| call.contains(&format!("/{id}/")));
        assert!(!before.iter().any(touched), "{command:?}: {changed:?}");
        assert_eq!(scene.expected_ids(closed), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_null_is_searched_without_it() {
    let scene = Scene::quirky(60, &["no-null-search", "unassigned=null"]).await;
    scene.assert_selects("team = null", |_, conversation| conversation.team_assignee_id.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_despite_its_markup() {
    let scene = Scene::quirky(40, &["markup-search"]).await;
    scene.sandbox.with_workspace(|workspace| {
        let ids: Vec<String> =
            workspace.conversations.iter().map(|conversation| conversation.id.clone()).collect();
        for (index, id) in ids.iter().enumerate().take(9) {
            let body =
                ["<b>check</b>out fails", "check&#111;ut fails", "<p>Checkout<br>fails</p>"][index % 3];
            workspace.conversations.get_mut(id).unwrap().source.body = body.to_owned();
        }
    });
    let is_meant = |_: &Workspace, it: &Conversation| {
        it.source.body.ends_with("out fails")
            || it.source.body.contains("ut fails")
            || it.source.body.contains("<br>")
    };
    scene.assert_selects("body ~ \"checkout fails\"", is_meant);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_attribute_selects_nothing() {
    let scene = Scene::new(5).await;
    for filter in ["custom_attributes.churn_rsik != high", "custom_attributes.nope = 1"] {
        let output = scene.run(&["contacts", "bulk-archive", "--where", filter, "--json"]);
        assert_eq!(output.status.code(), Some(2), "{filter}: {}", stderr(&output));
        assert!(stderr(&output).contains("unknown attribute"), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_name_may_contain_white_space() {
    let scene = Scene::new(20).await;
    let id = scene.sandbox.with_workspace(|workspace| {
        let tag = json!({"type": "tag", "id": "990001", "name": " spaced tag "});
        workspace.tags.insert(PlainRecord::new(tag));
        "990001".to_owned()
    });
    let first = scene.expected_ids(|_, _| true).into_iter().next().unwrap();
    for name in [" spaced tag ", "spaced tag"] {
        let words = ["conversations", "bulk-tag", &first, "--tag", name, "--json"];
        assert_eq!(scene.results(&words, 0)["tag_id"], json!(id), "{name:?}");
        let filter = format!("tags = \"{name}\"");
        let words = ["conversations", "search", "--where", &filter, "--dry-run"];
        assert!(scene.run(&["sync", "--resources", "tags"]).status.success());
        let dry = document(&scene.run(&words));
        assert_eq!(dry["body"]["query"]["value"], json!(id), "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_in_filters_and_windows_are_days_in_the_zone_of_the_office_hours() {
    let scene = Scene::new(10).await;
    let id = scene.mention(1).remove(0);
    // 2026-09-20 in Berlin begins two hours before it does in UTC.
    let midnight = 1_789_855_200;
    scene.sandbox.with_workspace(|workspace| {
        for conversation in workspace.conversations.iter_mut() {
            let age = if conversation.id == id { -1_800 } else { 86_400 };
            (conversation.created_at, conversation.updated_at) = (midnight - age, NOW - 3_600);
            conversation.parts.clear();
        }
    });
    let filter = ["conversations", "bulk-close", "--where", "created_at > 2026-09-20", "--json"];
    let window = ["conversations", "incident-tag", "--mentions", PHRASE, "--tag", "x", "--json"];
    let window = [&window[..], &["--since", "2026-09-20"]].concat();
    let hours = "[office_hours]\ntimezone = \"Europe/Berlin\"\nhours = \"09:00-17:00\"\n";
    let path = scene.home().join("config.toml");
    let config = ["--config", path.to_str().unwrap()];
    for (settings, matched) in [(hours, 1), ("", 0)] {
        std::fs::write(&path, settings).unwrap();
        for words in [&filter[..], &window] {
            let results = scene.results(&[words, &config].concat(), 0);
            assert_eq!(results["matched"], matched, "{words:?} with {settings:?}");
        }
    }
}
