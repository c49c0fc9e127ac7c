//! Runs that are made with one API version and continued or undone with another.

use serde_json::{Value, json};

use super::{NOW, Scene};
use crate::support::stderr;
use intercom::sandbox::{Options, Sandbox};

const PAIRS: [[&str; 2]; 3] = [["2.13", "2.16"], ["2.16", "2.13"], ["2.16", "2.16"]];

async fn scene() -> Scene {
    let options = Options {
        now: NOW,
        conversations: 6,
        contacts: 10,
        companies: 1,
        tickets: 6,
        articles: 0,
        ..Options::default()
    };
    Scene { sandbox: Sandbox::start(options).await.unwrap(), home: tempfile::tempdir().unwrap() }
}

impl Scene {
    /// The results of a command that is run with an API version.
    fn at(&self, version: &str, words: &[&str]) -> Value {
        self.results(&[words, &["--json", "--api-version", version]].concat(), 0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_contact_is_set_and_restored_with_any_version() {
    for [set, undo] in PAIRS {
        let scene = scene().await;
        let (id, before, after) = scene.sandbox.with_workspace(|workspace| {
            let [before, after] = [workspace.admins[0].id, workspace.admins[1].id];
            let id = workspace.contacts.iter().find(|contact| !contact.archived).unwrap().id.clone();
            workspace.contacts.get_mut(&id).unwrap().owner_id = Some(before);
            (id, before, after)
        });
        let owner =
            || scene.sandbox.with_workspace(|workspace| workspace.contacts.get(&id).unwrap().owner_id);
        let name = scene.sandbox.with_workspace(|workspace| workspace.admins[1].name.clone());
        let (field, by_name) = (format!("owner_id={after}"), format!("owner={name}"));
        let words = ["contacts", "bulk-update", &id, "--set", &by_name, "--apply"];
        let run = scene.at(set, &words);
        assert_eq!((&run["changed"], owner()), (&json!(1), Some(after)), "{set}: {run}");
        // The other version shows the same owner in another form.
        let again = scene.at(undo, &words);
        assert_eq!(again["contacts"][0]["status"], "already_so", "{undo}: {again}");
        let undone = scene.at(undo, &["bulk", "undo", run["run"].as_str().unwrap(), "--apply"]);
        assert_eq!((&undone["changed"], owner()), (&json!(1), Some(before)), "{set}, {undo}: {undone}");
        // A plan of one version is agreed to when it is applied with another.
        scene.at(set, &["contacts", "bulk-update", &id, "--set", &field, "--save-plan", "plan.json"]);
        let applied = scene.at(undo, &["contacts", "bulk-update", "--plan", "plan.json", "--apply"]);
        assert_eq!((&applied["changed"], owner()), (&json!(1), Some(after)), "{set}, {undo}: {applied}");
        scene.at(undo, &["contacts", "bulk-update", &id, "--set", "owner_id=null", "--apply"]);
        assert_eq!(owner(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn assignments_are_made_and_undone_with_any_version() {
    for [set, undo] in PAIRS {
        let scene = scene().await;
        let (conversation, ticket, team) = scene.sandbox.with_workspace(|workspace| {
            let conversation = workspace.conversations.iter().next().unwrap().id.clone();
            let record = workspace.conversations.get_mut(&conversation).unwrap();
            (record.admin_assignee_id, record.team_assignee_id) = (None, None);
            let ticket = workspace.tickets.iter().next().unwrap().id.clone();
            let record = workspace.tickets.get_mut(&ticket).unwrap();
            (record.admin_assignee_id, record.team_assignee_id) = (None, None);
            (conversation, ticket, workspace.teams.iter().next().unwrap().id.clone())
        });
        let assignees = || {
            scene.sandbox.with_workspace(|workspace| {
                let conversation = workspace.conversations.get(&conversation).unwrap();
                let ticket = workspace.tickets.get(&ticket).unwrap();
                [conversation.team_assignee_id, ticket.team_assignee_id].map(|id| id.map(|id| id.to_string()))
            })
        };
        for (group, id) in [("conversations", &conversation), ("tickets", &ticket)] {
            let output = scene.run(&[group, "assign", id, "--team", &team, "--json", "--api-version", set]);
            assert_eq!(output.status.code(), Some(0), "{set}: {}", stderr(&output));
            let document = crate::support::document(&output);
            assert_eq!(document["results"][0]["status"], "done", "{set}: {document}");
            let again = scene.at(undo, &[group, "assign", id, "--team", &team]);
            assert_eq!(again[0]["status"], "already_assigned", "{undo}: {again}");
            let undo_words: Vec<&str> = document["meta"]["undo"].as_str().unwrap().split(' ').collect();
            assert_eq!(scene.at(undo, &undo_words)["changed"], 1, "{set}, {undo}");
        }
        assert_eq!(assignees(), [None, None], "{set}, {undo}");
        let nobody = scene.at(undo, &["tickets", "assign", &ticket, "--nobody"]);
        assert_eq!(nobody[0]["status"], "already_assigned", "{undo}: {nobody}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unassigned_records_and_priorities_are_selected_with_any_version() {
    let scene = Scene::new(40).await;
    let found = |version: &str, filter: &str| {
        let list = scene.at(version, &["conversations", "search", "--where", filter, "--all"]);
        let list = list.as_array().or_else(|| list["conversations"].as_array()).unwrap().clone();
        let mut ids: Vec<String> =
            list.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    for filter in ["team = null", "assignee != null", "priority = priority", "priority != priority"] {
        let expected = found("2.13", filter);
        assert!(!expected.is_empty() && expected.len() < 40, "{filter}: {}", expected.len());
        for version in ["2.14", "2.16", "2.17"] {
            assert_eq!(found(version, filter), expected, "{filter} with {version}");
        }
    }
    let graded = found("2.16", "priority in (high, urgent)");
    assert_eq!(graded, found("2.16", "priority = priority"));
    let graded = ["conversations", "search", "--where", "priority = high", "--api-version", "2.13"];
    if crate::support::api_version().is_none() {
        let refused = scene.run(&graded);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_with_other_addresses_are_merged_only_when_told() {
    let scene = scene().await;
    let (lead, user) = scene.sandbox.with_workspace(|workspace| {
        let id = |is_user| {
            workspace.contacts.iter().find(|contact| contact.is_user == is_user).unwrap().id.clone()
        };
        let (lead, user) = (id(false), id(true));
        for (id, email) in [(&lead, "lead@example.com"), (&user, "user@example.com")] {
            let contact = workspace.contacts.get_mut(id).unwrap();
            (contact.email, contact.phone) = (Some(email.to_owned()), None);
        }
        (lead, user)
    });
    let words = ["contacts", "merge", "--from", &lead, "--into", &user, "--yes", "--api-version", "2.16"];
    let refused = scene.run(&words);
    assert!(stderr(&refused).contains("--skip-duplicate-validation"), "{}", stderr(&refused));
    let body = json!({ "from": lead, "into": user, "skip_duplicate_validation": true }).to_string();
    let typed = ["contacts", "merge", "--body-json", &body, "--yes", "--api-version", "2.16"];
    assert_eq!(scene.run(&typed).status.code(), Some(0), "{}", stderr(&scene.run(&typed)));
}
