//! Responses with missing fields: a change succeeded only when the record shows it.

use intercom::sandbox::{Fault, Quirk};
use serde_json::json;

use super::{Scene, ids};
use crate::support::{self, stderr};

fn switch_on(scene: &Scene, quirks: &[&str]) {
    scene.sandbox.with_workspace(|workspace| {
        workspace.quirks = quirks.iter().map(|quirk| quirk.parse::<Quirk>().unwrap()).collect();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_without_evidence_in_the_record_is_unknown() {
    let scene = Scene::new(20).await;
    let id = scene.sandbox.with_workspace(|workspace| {
        let open = workspace
            .conversations
            .iter()
            .find(|conversation| conversation.state.as_str() == "open")
            .unwrap()
            .id
            .clone();
        let conversation = workspace.conversations.get_mut(&open).unwrap();
        (conversation.admin_assignee_id, conversation.team_assignee_id) = (None, None);
        open
    });
    let ignored = [
        "ignored-writes=/conversations/*/parts",
        "ignored-writes=/conversations/*/reply",
        "ignored-writes=/conversations/*/tags",
    ];
    for (quirk, command, code) in [
        ("unassigned=absent", &["bulk-assign", "--team", "Billing"][..], "not_applied"),
        ("without=tags", &["bulk-tag", "--tag", "proof"], ""),
        ("without=state", &["bulk-close"], ""),
        ("without=conversation_parts", &["bulk-reply-note", "--body", "seen"], ""),
    ] {
        switch_on(&scene, &[&ignored[..], &[quirk]].concat());
        let words = [&["conversations"], command, &[id.as_str(), "--apply", "--json"]].concat();
        let output = scene.run(&words);
        assert_eq!(output.status.code(), Some(5), "{words:?}: {}", stderr(&output));
        let results = &support::document(&output)["results"];
        let record = &results["conversations"][0];
        assert_eq!(results["failed"], 1, "{words:?}: {results}");
        if code.is_empty() {
            assert_eq!(record["status"], "unknown", "{words:?}: {record}");
        } else {
            assert_eq!(record["error"]["code"], code, "{words:?}: {record}");
        }
    }
    // The note may have arrived, so it is not written again until the record can be read.
    let notes = || scene.changing_calls().iter().filter(|call| call.ends_with("/reply")).count();
    let sent = notes();
    assert_eq!(scene.run(&["conversations", "bulk-reply-note", "--resume"]).status.code(), Some(5));
    assert_eq!(notes(), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_can_restore_a_missing_assignee() {
    let scene = Scene::new(20).await;
    let chosen = scene.mention(5);
    scene.sandbox.with_workspace(|workspace| {
        for id in &chosen {
            let conversation = workspace.conversations.get_mut(id).unwrap();
            (conversation.admin_assignee_id, conversation.team_assignee_id) = (None, None);
        }
    });
    switch_on(&scene, &["unassigned=absent"]);
    let mut words = vec!["conversations", "bulk-assign", "--team", "Billing", "--apply", "--json"];
    words.extend(chosen.iter().map(String::as_str));
    let run = scene.results(&words, 0)["run"].as_str().unwrap().to_owned();
    let undone = scene.results(&["bulk", "undo", &run, "--apply", "--json"], 0);
    assert_eq!(undone["changed"], 5);
    let teams = scene.sandbox.with_workspace(|workspace| {
        chosen.iter().filter(|id| workspace.conversations.get(id).unwrap().team_assignee_id.is_some()).count()
    });
    assert_eq!(teams, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_case_sensitive() {
    let scene = Scene::new(5).await;
    let id = scene.sandbox.with_workspace(|workspace| {
        let id = workspace.contacts.iter().next().unwrap().id.clone();
        let contact = workspace.contacts.get_mut(&id).unwrap();
        contact.name = Some("ann".into());
        contact.email = Some("ann@example.com".into());
        id
    });
    switch_on(&scene, &["ignored-writes=/contacts/*"]);
    let update = |field: &str, code: i32| {
        scene.results(&["contacts", "bulk-update", &id, "--set", field, "--apply", "--json"], code)
    };
    assert_eq!(update("name=ANN", 5)["contacts"][0]["error"]["code"], "not_applied");
    // Addresses are compared without case, so nothing is sent.
    assert_eq!(update("email=ANN@example.com", 0)["contacts"][0]["status"], "already_so");
    switch_on(&scene, &[]);
    assert_eq!(update("name=ANN", 0)["changed"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_tags_of_a_contact_are_fetched() {
    let scene = Scene::quirky(5, &["null-lists"]).await;
    let id = scene.sandbox.with_workspace(|workspace| workspace.contacts.iter().next().unwrap().id.clone());
    assert_eq!(
        scene.results(&["contacts", "bulk-tag", &id, "--tag", "x", "--apply", "--json"], 0)["tagged"],
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_unreadable_after_archiving_counts_as_archived() {
    let scene = Scene::quirky(5, &["hidden-archived"]).await;
    let chosen: Vec<String> = scene.sandbox.with_workspace(|workspace| {
        workspace
            .contacts
            .iter()
            .filter(|contact| !contact.archived)
            .take(3)
            .map(|contact| contact.id.clone())
            .collect()
    });
    scene
        .sandbox
        .inject_faults(|_, served| (served.operation == Some("ArchiveContact")).then_some(Fault::Drop));
    let mut words = vec!["contacts", "bulk-archive", "--apply", "--yes", "--json"];
    words.extend(chosen.iter().map(String::as_str));
    let results = scene.results(&words, 0);
    assert_eq!((ids(&results, "changed").len(), &results["failed"]), (3, &json!(0)), "{results}");
}

/// Unassigning the teammate also unassigns the team here, so the undo assigns it again.
#[tokio::test(flavor = "multi_thread")]
async fn undo_repairs_its_own_side_effects() {
    let scene = Scene::new(10).await;
    let (admin, team) = scene
        .sandbox
        .with_workspace(|workspace| (workspace.admins[1].id, workspace.teams[1].id.parse().unwrap()));
    let id = scene.mention(1).remove(0);
    let assignees = || {
        scene.sandbox.with_workspace(|workspace| {
            let conversation = workspace.conversations.get(&id).unwrap();
            (conversation.admin_assignee_id, conversation.team_assignee_id)
        })
    };
    scene.sandbox.with_workspace(|workspace| {
        let conversation = workspace.conversations.get_mut(&id).unwrap();
        (conversation.admin_assignee_id, conversation.team_assignee_id) = (None, Some(team));
    });
    let admin = admin.to_string();
    let words = ["conversations", "bulk-assign", &id, "--admin", &admin, "--apply", "--json"];
    let run = scene.results(&words, 0)["run"].as_str().unwrap().to_owned();
    switch_on(&scene, &["unassign-clears-team"]);
    assert_eq!(scene.results(&["bulk", "undo", &run, "--apply", "--json"], 0)["changed"], 1);
    assert_eq!(assignees(), (None, Some(team)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_contact_names_its_successor() {
    let scene = Scene::quirky(5, &["gone-with-link"]).await;
    let (lead, user) = scene.sandbox.with_workspace(|workspace| {
        let id = |is_user| {
            workspace.contacts.iter().find(|contact| contact.is_user == is_user).unwrap().id.clone()
        };
        let (lead, user) = (id(false), id(true));
        // Some versions merge only duplicates.
        for id in [&lead, &user] {
            workspace.contacts.get_mut(id).unwrap().email = Some("same@example.com".to_owned());
        }
        (lead, user)
    });
    let merge = ["contacts", "merge", "--from", &lead, "--into", &user, "--yes"];
    assert!(scene.run(&merge).status.success());
    let results = scene.results(&["contacts", "bulk-tag", &lead, "--tag", "x", "--json"], 5);
    let record = &results["contacts"][0];
    assert_eq!((&record["reason"], &record["merged_into"]), (&json!("not_found"), &json!(user)));
    assert!(record["error"]["message"].as_str().unwrap().contains(&user), "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_keeps_a_tag_of_another_teammate() {
    let scene = Scene::new(10).await;
    let chosen = scene.mention(2);
    let mut words = vec!["conversations", "bulk-tag", "--tag", "both", "--apply", "--json"];
    words.extend(chosen.iter().map(String::as_str));
    let run = scene.results(&words, 0)["run"].as_str().unwrap().to_owned();
    scene.sandbox.with_workspace(|workspace| {
        let other = workspace.admins[2].id;
        let conversation = workspace.conversations.get_mut(&chosen[0]).unwrap();
        conversation.tags.last_mut().unwrap().admin_id = other;
    });
    let undone = scene.results(&["bulk", "undo", &run, "--apply", "--json"], 6);
    assert_eq!((&undone["changed"], &undone["skipped"]), (&json!(1), &json!(1)));
    assert_eq!(undone["conversations"][0]["reason"], "tagged by another teammate");
    assert_eq!(scene.tagged("both"), [chosen[0].clone()]);
}
