//! Verification: a change succeeded when the record shows it, and belongs to the run that made it.

use intercom::sandbox::{Fault, Quirk};
use serde_json::{Value, json};

use super::{PHRASE, Scene, ids};
use crate::support::{self, stderr};

fn switch_on(scene: &Scene, quirk: &str) {
    let quirk: Quirk = quirk.parse().unwrap();
    scene.sandbox.with_workspace(|workspace| workspace.quirks.push(quirk));
}

/// Ids of the first `count` conversations.
fn first(scene: &Scene, count: usize) -> Vec<String> {
    scene.mention(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_that_changed_nothing_is_a_failure() {
    let scene = Scene::new(20).await;
    for path in ["/conversations/*/parts", "/conversations/*/reply", "/conversations/*/tags", "/contacts/*"] {
        switch_on(&scene, &format!("ignored-writes={path}"));
    }
    let id = scene.sandbox.with_workspace(|workspace| {
        workspace
            .conversations
            .iter()
            .find(|conversation| conversation.state.as_str() == "open")
            .unwrap()
            .id
            .clone()
    });
    let contact =
        scene.sandbox.with_workspace(|workspace| workspace.contacts.iter().next().unwrap().id.clone());
    let commands: [&[&str]; 6] = [
        &["conversations", "bulk-close", &id],
        &["conversations", "bulk-snooze", &id, "--until", "+9d"],
        &["conversations", "bulk-assign", &id, "--team", "Billing"],
        &["conversations", "bulk-tag", &id, "--tag", "proof"],
        &["conversations", "bulk-reply-note", &id, "--body", "seen"],
        &["contacts", "bulk-update", &contact, "--set", "name=Zebra"],
    ];
    for command in commands {
        let words: Vec<&str> = command.iter().copied().chain(["--apply", "--json"]).collect();
        let output = scene.run(&words);
        assert_eq!(output.status.code(), Some(5), "{words:?}: {}", stderr(&output));
        let results = &support::document(&output)["results"];
        assert_eq!(results["failed"], 1, "{words:?}: {results}");
        let records = results["conversations"].as_array().or_else(|| results["contacts"].as_array()).unwrap();
        assert_eq!(records[0]["error"]["code"], "not_applied", "{words:?}");
    }
    // Once the workspace applies changes again, the run can be resumed.
    scene.sandbox.with_workspace(|workspace| workspace.quirks.clear());
    let results = scene.results(&["conversations", "bulk-close", "--resume", "--json"], 0);
    assert_eq!(results["changed"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_restores_both_assignees_or_reports_what_failed() {
    let scene = Scene::new(30).await;
    let (admin, team) =
        scene.sandbox.with_workspace(|workspace| (workspace.admins[1].id, workspace.teams[1].clone()));
    let team_id: i64 = team.id.parse().unwrap();
    let chosen = first(&scene, 6);
    let prepare = || {
        scene.sandbox.with_workspace(|workspace| {
            for id in &chosen {
                let conversation = workspace.conversations.get_mut(id).unwrap();
                (conversation.admin_assignee_id, conversation.team_assignee_id) = (Some(admin), None);
            }
        });
    };
    let assignees = || -> Vec<Value> {
        scene.sandbox.with_workspace(|workspace| {
            let both = |id: &String| {
                let it = workspace.conversations.get(id).unwrap();
                json!([it.admin_assignee_id, it.team_assignee_id])
            };
            chosen.iter().map(both).collect()
        })
    };
    let assign = || {
        let mut words =
            vec!["conversations", "bulk-assign", "--team", team.text("name"), "--apply", "--json"];
        words.extend(chosen.iter().map(String::as_str));
        scene.results(&words, 0)["run"].as_str().unwrap().to_owned()
    };
    for quirk in [None, Some("unassign-clears-teammate")] {
        prepare();
        let before = assignees();
        let run = assign();
        assert!(assignees().iter().all(|both| *both == json!([admin, team_id])));
        if let Some(quirk) = quirk {
            switch_on(&scene, quirk);
        }
        let code = if quirk.is_some() { 5 } else { 0 };
        let undone = scene.results(&["bulk", "undo", &run, "--apply", "--json"], code);
        match quirk {
            None => {
                assert_eq!((&undone["changed"], assignees()), (&json!(6), before));
            }
            // This workspace cannot unassign a team, but the teammate is restored anyway.
            Some(_) => {
                assert_eq!((&undone["changed"], &undone["failed"]), (&json!(0), &json!(6)));
                assert!(assignees().iter().all(|both| *both == json!([admin, team_id])), "{:?}", assignees());
                let error = &undone["conversations"][0]["error"];
                assert_eq!(error["code"], "not_applied");
                assert_eq!(error["now"]["team_assignee_id"], team.id);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_runs_divide_the_records() {
    let scene = Scene::new(80).await;
    let mentioned = scene.mention(60);
    let other_home = tempfile::tempdir().unwrap();
    let words = [
        "conversations",
        "incident-tag",
        "--mentions",
        PHRASE,
        "--tag",
        "both",
        "--json",
        "--apply",
        "--yes",
    ];
    // The tag exists beforehand, so that both runs do the same.
    scene.run(&["tags", "create", "--name", "both"]);
    let start = |home: &std::path::Path| {
        let mut command = scene.command(&words);
        command.env("HOME", home).env("XDG_DATA_HOME", home.join("data"));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let (one, other) = (start(scene.home()), start(other_home.path()));
    let results = [one, other].map(|child| {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        support::document(&output)["results"].take()
    });
    let tagged: Vec<String> = results.iter().flat_map(|results| ids(results, "tagged")).collect();
    assert_eq!(tagged.len(), mentioned.len(), "each record belongs to one run");
    assert_eq!(scene.tagged("both"), mentioned);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_leaves_the_changes_of_others_alone() {
    let scene = Scene::new(30).await;
    let mentioned = scene.mention(5);
    scene.run(&["tags", "create", "--name", "late"]);
    let tag_id = scene.sandbox.with_workspace(|workspace| {
        workspace.tags.iter().find(|tag| tag.text("name") == "late").unwrap().id.clone()
    });
    // While the run tags its first conversation, another user tags one from the plan.
    let (planned, mut is_done) = (mentioned.clone(), false);
    scene.sandbox.inject_faults(move |workspace, served| {
        if served.operation == Some("attachTagToConversation") && !is_done {
            is_done = true;
            let other = planned.iter().find(|id| !served.path.contains(id.as_str())).unwrap();
            let applied = intercom::sandbox::model::tagging::AppliedTag {
                tag_id: tag_id.clone(),
                applied_at: workspace.now(),
                admin_id: workspace.admins[1].id,
            };
            workspace.conversations.get_mut(other).unwrap().tags.push(applied);
        }
        None
    });
    let words = ["conversations", "incident-tag", "--mentions", PHRASE, "--tag", "late", "--json", "--apply"];
    let words: Vec<&str> = words.iter().copied().chain(["--concurrency", "1"]).collect();
    let results = scene.results(&words, 0);
    scene.sandbox.inject_faults(|_, _| None);
    let run = results["run"].as_str().unwrap();
    assert_eq!((&results["tagged"], &results["already_tagged"]), (&json!(4), &json!(1)));
    let undone = scene.results(&["bulk", "undo", run, "--apply", "--json"], 0);
    assert_eq!((&undone["changed"], scene.tagged("late").len()), (&json!(4), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_names_a_tag_that_differs_only_in_case() {
    let scene = Scene::new(20).await;
    scene.run(&["tags", "create", "--name", "vip"]);
    let output =
        scene.run(&["conversations", "bulk-tag", "--where", "state = open", "--tag", "VIP", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(support::document(&output)["results"]["existing_tag_in_other_case"], "vip");
    assert!(stderr(&output).contains("next to \"vip\""), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_with_lost_responses_are_looked_up() {
    let scene = Scene::new(20).await;
    let leads = scene.sandbox.with_workspace(|workspace| {
        let users: Vec<String> = workspace
            .contacts
            .iter()
            .filter(|contact| contact.is_user && contact.email.is_some())
            .filter_map(|contact| contact.email.clone())
            .take(8)
            .collect();
        let mut leads: Vec<String> = workspace
            .contacts
            .iter()
            .filter(|contact| !contact.is_user)
            .map(|contact| contact.id.clone())
            .collect();
        leads.sort_unstable();
        leads.truncate(users.len());
        for (lead, email) in leads.iter().zip(users) {
            let contact = workspace.contacts.get_mut(lead).unwrap();
            contact.email = Some(email);
        }
        leads
    });
    assert!(leads.len() >= 4, "{leads:?}");
    assert!(scene.run(&["sync", "--resources", "contacts"]).status.success());
    let mut calls = 0;
    scene.sandbox.inject_faults(move |_, served| {
        if served.path != "/contacts/merge" {
            return None;
        }
        calls += 1;
        match calls % 3 {
            0 => None,
            1 => Some(Fault::Drop),
            _ => Some(Fault::Truncate),
        }
    });
    let output = scene.run(&["contacts", "dupes", "--merge", "--apply", "--yes", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document = support::document(&output);
    let rows = document["results"].as_array().unwrap();
    assert!(rows.len() >= leads.len() && rows.iter().all(|row| row["status"] == "merged"), "{rows:?}");
    assert_eq!(document["meta"]["merged"], rows.len());
    scene.sandbox.with_workspace(|workspace| {
        assert!(leads.iter().all(|lead| workspace.contacts.get(lead).is_none()));
    });
    // The journal prevents a second merge of the same leads.
    let runs = scene.run(&["bulk", "runs", "--json"]);
    assert_eq!(support::document(&runs)["results"][0]["command"], "contacts dupes");
    let again = scene.run(&["contacts", "dupes", "--merge", "--apply", "--yes", "--json"]);
    assert_eq!(again.status.code(), Some(0));
    let again = support::document(&again);
    assert!(again["results"].as_array().unwrap().iter().all(|row| row["status"] == "gone"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_did_not_happen_is_not_reported() {
    let scene = Scene::new(10).await;
    scene.sandbox.with_workspace(|workspace| {
        let email = workspace
            .contacts
            .iter()
            .find(|contact| contact.is_user && contact.email.is_some())
            .unwrap()
            .email
            .clone();
        let lead = workspace.contacts.iter().find(|contact| !contact.is_user).unwrap().id.clone();
        workspace.contacts.get_mut(&lead).unwrap().email = email;
    });
    assert!(scene.run(&["sync", "--resources", "contacts"]).status.success());
    switch_on(&scene, "ignored-writes=/contacts/merge");
    let output = scene.run(&["contacts", "dupes", "--merge", "--apply", "--yes", "--json"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(support::document(&output)["results"][0]["status"], "failed");
}
