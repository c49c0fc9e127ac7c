//! A filter selects what is meant, whatever a search leaves out of its documents or has not noticed yet.

use std::collections::BTreeSet;

use intercom::sandbox::Workspace;
use intercom::sandbox::model::conversation::{Conversation, ConversationState};
use serde_json::{Value, json};

use super::{NOW, PHRASE, Scene, ids};
use crate::support::{document, stderr};

fn listed(results: &Value, key: &str) -> BTreeSet<String> {
    let records = results[key].as_array().unwrap().iter();
    records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

impl Scene {
    fn meant(&self, fits: impl Fn(&Workspace, &Conversation) -> bool) -> BTreeSet<String> {
        self.sandbox.with_workspace(|workspace| {
            let meant = workspace.conversations.iter().filter(|conversation| fits(workspace, conversation));
            meant.map(|conversation| conversation.id.clone()).collect()
        })
    }

    /// What a search and the plan of a change select.
    fn selected(&self, filter: &str) -> [BTreeSet<String>; 2] {
        let search = ["conversations", "search", "--where", filter, "--all", "--json"];
        let plan = ["conversations", "bulk-reply-note", "--where", filter, "--body", "Hello", "--json"];
        [listed(&self.results(&search, 0), "conversations"), listed(&self.results(&plan, 0), "conversations")]
    }

    fn assert_selects(&self, filter: &str, meant: impl Fn(&Workspace, &Conversation) -> bool) {
        let meant = self.meant(meant);
        let all = self.meant(|_, _| true);
        assert!(!meant.is_empty() && meant.len() < all.len(), "{filter}: {} of {}", meant.len(), all.len());
        assert_eq!(self.selected(filter), [meant.clone(), meant], "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_search_does_not_show_is_read_from_the_records() {
    let scene = Scene::quirky(60, &["sparse-search=tags"]).await;
    scene.assert_selects("tags = null", |_, conversation| conversation.tags.is_empty());
    scene.assert_selects("tags != null", |_, conversation| !conversation.tags.is_empty());
    let scene = Scene::quirky(60, &["sparse-search=statistics", "inclusive-comparison"]).await;
    let parts = |workspace: &Workspace, conversation: &Conversation| {
        workspace.statistics(conversation).document()["count_conversation_parts"].as_i64().unwrap()
    };
    scene.assert_selects("statistics.count_conversation_parts >= 4", move |all, it| parts(all, it) >= 4);
    scene.assert_selects("statistics.count_conversation_parts > 4", move |all, it| parts(all, it) > 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_without_an_assignee_key_is_nobodys() {
    let scene = Scene::quirky(60, &["unassigned=absent"]).await;
    let team = scene.sandbox.with_workspace(|workspace| workspace.teams.first().unwrap().clone());
    let id = team.id;
    let filter = format!("team = \"{}\"", team.name);
    scene.assert_selects(&filter, move |_, conversation| conversation.team_assignee_id == Some(id));
    scene.assert_selects("team = null", |_, conversation| conversation.team_assignee_id.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_does_not_pass_the_filter_any_more_is_left_alone() {
    for command in [
        &["conversations", "bulk-reply-note", "--body", "Hello"][..],
        &["conversations", "bulk-tag", "--tag", "late"],
        &["conversations", "bulk-assign", "--team", "Support"],
        &["conversations", "bulk-snooze", "--until", "+2d"],
    ] {
        let scene = Scene::quirky(40, &["stale-search"]).await;
        let closed =
            |_: &Workspace, conversation: &Conversation| conversation.state == ConversationState::Closed;
        let before = scene.meant(closed);
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
        assert_eq!(scene.meant(closed), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_null_is_asked_without_it() {
    let scene = Scene::quirky(60, &["no-null-search", "unassigned=null"]).await;
    scene.assert_selects("team = null", |_, conversation| conversation.team_assignee_id.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_found_through_its_markup() {
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
async fn an_unknown_attribute_selects_nobody() {
    let scene = Scene::new(5).await;
    for filter in ["custom_attributes.churn_rsik != high", "custom_attributes.nope = 1"] {
        let output = scene.run(&["contacts", "bulk-archive", "--where", filter, "--json"]);
        assert_eq!(output.status.code(), Some(2), "{filter}: {}", stderr(&output));
        assert!(stderr(&output).contains("unknown attribute"), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_found_with_the_white_space_in_its_name() {
    let scene = Scene::new(20).await;
    let id = scene.sandbox.with_workspace(|workspace| {
        let mut tag = workspace.tags.first().unwrap().clone();
        (tag.id, tag.name) = ("990001".to_owned(), " spaced tag ".to_owned());
        workspace.tags.push(tag);
        "990001".to_owned()
    });
    let first = scene.meant(|_, _| true).into_iter().next().unwrap();
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
async fn the_zone_of_the_office_hours_decides_which_day_a_date_of_a_filter_or_window_is() {
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
