//! `conversations incident-tag`: which conversations match, and which requests are sent.

use intercom::sandbox::model::conversation::{Author, ConversationEvent};
use intercom::sandbox::model::plain::PlainRecord;
use serde_json::json;

use super::{NOW, PHRASE, Scene, ids};
use crate::support::{self, stderr};

const TAG: &str = "incident-2026-05-24";

fn words<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["conversations", "incident-tag", "--mentions", PHRASE, "--json"];
    if !more.iter().any(|word| word.starts_with("--tag")) {
        words.extend(["--tag", TAG]);
    }
    words.extend(more);
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn without_apply_it_only_previews() {
    let scene = Scene::new(60).await;
    let mentioned = scene.mention(12);
    let results = scene.results(&words(&[]), 0);
    assert_eq!(ids(&results, "would_tag"), mentioned);
    for (name, count) in [
        ("matched", 12),
        ("would_tag", 12),
        ("tagged", 0),
        ("already_tagged", 0),
        ("failed", 0),
        ("skipped", 0),
    ] {
        assert_eq!(results[name], count, "{name}");
    }
    assert_eq!((&results["tag"], &results["limit_reached"]), (&json!(TAG), &json!(false)));
    let first = &results["conversations"][0];
    assert!(first["match"].as_str().unwrap().starts_with("Our **Checkout fails**, order"), "{first}");
    assert!(first["contact"]["id"].is_string() && first["state"].is_string(), "{first}");
    assert_eq!(scene.changing_calls(), Vec::<String>::new());
    assert!(!scene.home().join(".local/share/intercom-pp-cli/runs").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_apply_each_conversation_is_tagged_once() {
    let scene = Scene::new(60).await;
    let mentioned = scene.mention(12);
    let counts = scene.count_attached(|_, _, _| None);
    let results = scene.results(&words(&["--apply"]), 0);
    assert_eq!((&results["matched"], &results["tagged"]), (&json!(12), &json!(12)));
    assert_eq!(scene.tagged(TAG), mentioned);
    let again = scene.results(&words(&["--apply"]), 0);
    assert_eq!((&again["already_tagged"], &again["tagged"]), (&json!(12), &json!(0)));
    assert!(
        again["conversations"]
            .as_array()
            .unwrap()
            .iter()
            .all(|conversation| conversation["already_tagged"] == true)
    );
    let counts = counts.lock().unwrap();
    assert!(counts.len() == 12 && counts.values().all(|count| *count == 1), "{counts:?}");
    let tags =
        scene.sandbox.requests().iter().filter(|request| request.operation == Some("createTag")).count();
    assert_eq!(tags, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_are_read_from_the_workspace_or_a_current_mirror() {
    let scene = Scene::new(40).await;
    let replied = scene.sandbox.with_workspace(|workspace| {
        let id = workspace.conversations.iter().map(|conversation| conversation.id.clone()).max().unwrap();
        let note = ConversationEvent::new("note", Author::Bot, NOW)
            .with_body("<p>CHECKOUT<br>fails for them too</p>");
        workspace.apply_event(&id, note).unwrap();
        id
    });
    let fetched = || {
        scene
            .sandbox
            .requests()
            .iter()
            .filter(|request| request.operation == Some("retrieveConversation"))
            .count()
    };
    let output = scene.run(&words(&[]));
    let document = support::document(&output);
    assert_eq!(ids(&document["results"], "would_tag"), std::slice::from_ref(&replied));
    assert_eq!(document["results"]["conversations"][0]["matched_in"], "part");
    assert!(
        stderr(&output).contains("no mirror") && stderr(&output).contains("parts"),
        "{}",
        stderr(&output)
    );
    assert!(fetched() > 30);
    assert_eq!(scene.results(&words(&["--in", "source"]), 0)["matched"], 0);

    assert!(scene.run(&["sync", "--resources", "conversations,conversation_parts"]).status.success());
    scene.sandbox.forget_requests();
    let output = scene.run(&words(&["--in", "parts"]));
    assert_eq!(ids(&support::document(&output)["results"], "would_tag"), std::slice::from_ref(&replied));
    assert_eq!((fetched(), stderr(&output)), (0, String::new()));

    // Only a conversation that changed since is read again.
    let other = scene.sandbox.with_workspace(|workspace| {
        workspace.clock.advance(std::time::Duration::from_secs(60));
        let id = workspace.conversations.iter().map(|conversation| conversation.id.clone()).min().unwrap();
        let at = workspace.now();
        workspace
            .apply_event(&id, ConversationEvent::new("comment", Author::Bot, at).with_body("checkout  fails"))
            .unwrap();
        id
    });
    let mut both = vec![other, replied];
    both.sort_unstable();
    assert_eq!(ids(&scene.results(&words(&[]), 0), "would_tag"), both);
    assert_eq!(fetched(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_the_time_of_the_mention() {
    let scene = Scene::new(30).await;
    let mentioned = scene.mention(5);
    let [old, active, early, late, repeated] = [0, 1, 2, 3, 4].map(|index| mentioned[index].clone());
    scene.sandbox.with_workspace(|workspace| {
        let mut at = |id: &str, created_at: i64, updated_at: i64| {
            let conversation = workspace.conversations.get_mut(id).unwrap();
            (conversation.created_at, conversation.updated_at) = (NOW - created_at, NOW - updated_at);
            conversation.parts.clear();
        };
        at(&old, 9000, 8000);
        at(&active, 9000, 100);
        at(&early, 2000, 2000);
        at(&late, 900, 900);
        at(&repeated, 9000, 9000);
        let mut add_comment = |id: &str, body: &str, ago: i64| {
            let part = ConversationEvent::new("comment", Author::Bot, NOW - ago).with_body(body);
            workspace.apply_event(id, part).unwrap();
        };
        add_comment(&active, "<p>thanks</p>", 100);
        add_comment(&repeated, "<p>Again: checkout <b>fails</b></p>", 1500);
        add_comment(&repeated, "<p>thanks</p>", 100);
    });
    let found = |more: &[&str]| {
        let results = scene.results(&words(more), 0);
        (ids(&results, "would_tag"), results["conversations"].clone())
    };
    let sorted = |ids: &[&String]| {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort_unstable();
        ids
    };
    let (since, until) = ((NOW - 2000).to_string(), (NOW - 900).to_string());
    for round in ["from the workspace", "from the mirror"] {
        let (inside, shown) = found(&["--since", &since]);
        assert_eq!(inside, sorted(&[&early, &late, &repeated]), "{round}: the bound belongs to the window");
        let shown = shown.as_array().unwrap();
        let again = shown.iter().find(|row| row["id"] == repeated.as_str()).unwrap();
        assert_eq!((&again["matched_in"], &again["matched_at"]), (&json!("part"), &json!(NOW - 1500)));
        let bounded = ["--since", since.as_str(), "--until", until.as_str()];
        assert_eq!(found(&bounded).0, sorted(&[&early, &repeated]), "{round}");
        assert_eq!(found(&["--since", &since, "--in", "source"]).0, sorted(&[&early, &late]), "{round}");
        assert_eq!(found(&["--since", &since, "--in", "parts"]).0, sorted(&[&repeated]), "{round}");
        let (active_too, _) = found(&["--since", &since, "--window", "active"]);
        assert_eq!(active_too, sorted(&[&active, &early, &late, &repeated]), "{round}");
        assert!(scene.run(&["sync", "--resources", "conversations,conversation_parts"]).status.success());
    }
    assert_eq!(scene.run(&words(&["--since", &until, "--until", &since])).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn tagging_does_not_move_a_conversation_into_the_window() {
    let scene = Scene::new(40).await;
    let mentioned = scene.mention(20);
    scene.sandbox.with_workspace(|workspace| {
        for conversation in workspace.conversations.iter_mut() {
            conversation.created_at = NOW - 50 * 86_400;
            conversation.parts.iter_mut().for_each(|part| part.created_at = NOW - 49 * 86_400);
        }
    });
    let since = (NOW - 60 * 86_400).to_string();
    let old = scene.results(&words(&["--since", &since, "--apply"]), 0);
    assert_eq!(old["tagged"], mentioned.len());
    let since = (NOW - 3600).to_string();
    let today = scene.results(&words(&["--since", &since, "--tag", "today"]), 0);
    assert_eq!(today["matched"], 0, "tagging moved updated_at, but wrote no message");
}

#[tokio::test(flavor = "multi_thread")]
async fn phrases_states_and_teams_narrow_the_selection() {
    let scene = Scene::new(60).await;
    let mentioned = scene.mention(10);
    scene.sandbox.with_workspace(|workspace| {
        let conversation = workspace.conversations.get_mut(&mentioned[0]).unwrap();
        conversation.source.body.push_str(" Xyzzy, all fine");
    });
    let matched = |more: &[&str]| scene.results(&words(more), 0)["matched"].as_u64().unwrap();
    assert_eq!(matched(&["--exclude", "XYZZY,  all"]), 9);
    assert_eq!(matched(&["--mentions", "no such words at all"]), 10);
    assert_eq!(matched(&["--mentions", "xyzzy", "--all-mentions", "--in", "source"]), 1);
    let by_state: u64 = ["open", "closed", "snoozed"].iter().map(|state| matched(&["--state", state])).sum();
    assert_eq!((by_state, matched(&["--state", "open,closed,snoozed"])), (10, 10));
    let (team, of_team) = scene.sandbox.with_workspace(|workspace| {
        let team = workspace.teams[0].clone();
        let own = mentioned.iter().filter_map(|id| workspace.conversations.get(id));
        let id = team.id.parse().ok();
        let of_team = own.filter(|conversation| conversation.team_assignee_id == id).count() as u64;
        (team.text("name").to_owned(), of_team)
    });
    assert_eq!(matched(&["--team", &team]), of_team);
    assert_eq!(scene.run(&words(&["--team", "Nobody"])).status.code(), Some(3));
    assert_eq!(
        scene.run(&["conversations", "incident-tag", "--mentions", " ", "--tag", "x"]).status.code(),
        Some(2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tag_names_match_exactly() {
    let scene = Scene::new(20).await;
    let mentioned = scene.mention(3);
    scene.sandbox.with_workspace(|workspace| {
        for (id, name) in [("801", "Blip"), ("802", "blip"), ("803", "801")] {
            workspace.tags.insert(PlainRecord::new(json!({"type": "tag", "id": id, "name": name})));
        }
    });
    for (flag, tag, name) in [("--tag", "blip", "blip"), ("--tag", "801", "801"), ("--tag-id", "801", "Blip")]
    {
        scene.results(&words(&[flag, tag, "--apply", "--no-create"]), 0);
        assert_eq!(scene.tagged(name), mentioned, "{flag} {tag}");
        scene.sandbox.with_workspace(|workspace| {
            workspace.conversations.iter_mut().for_each(|conversation| conversation.tags.clear());
        });
    }
    assert_eq!(scene.run(&words(&["--tag-id", "9999"])).status.code(), Some(3));
    scene.sandbox.forget_requests();
    assert_eq!(scene.run(&words(&["--tag", "new", "--apply", "--no-create"])).status.code(), Some(3));
    assert!(scene.changing_calls().is_empty());
    // This workspace resolves "BLIP" to an existing tag, so using it would mix two incidents.
    let output = scene.run(&words(&["--tag", "BLIP", "--apply"]));
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(scene.tagged("blip").is_empty() && scene.tagged("Blip").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_reports_further_matches() {
    let scene = Scene::new(40).await;
    scene.mention(9);
    let preview = scene.results(&words(&["--limit", "4"]), 0);
    assert_eq!(preview["conversations"].as_array().unwrap().len(), 4, "only the selected ones");
    assert_eq!((&preview["limit_reached"], &preview["matched"]), (&json!(true), &json!(9)));
    let output = scene.run(&words(&["--limit", "4", "--csv"]));
    assert_eq!(output.status.code(), Some(0));
    let message = stderr(&output);
    assert!(message.ends_with("\nnote: stopped at --limit 4; 5 more match\n"), "{message}");
    assert_eq!(crate::support::stdout(&output).lines().count(), 5, "a header and four rows");
    let results = scene.results(&words(&["--limit", "4", "--apply"]), 6);
    assert_eq!((&results["tagged"], &results["skipped"]), (&json!(4), &json!(5)));
    assert_eq!((&results["limit_reached"], &results["matched"]), (&json!(true), &json!(9)));
    assert_eq!(scene.tagged(TAG).len(), 4);
    let results = scene.results(&words(&["--limit", "5", "--apply"]), 0);
    assert_eq!((&results["already_tagged"], &results["limit_reached"]), (&json!(4), &json!(false)));
    assert_eq!(scene.tagged(TAG).len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn unusual_documents_do_not_hide_a_mention() {
    let document = json!({
        "type": "conversation.list", "pages": { "next": null }, "total_count": 2,
        "conversations": [
            { "id": 7, "updated_at": "1790000000", "created_at": null, "source": { "body": "checkout fails" } },
            { "id": "8", "source": null, "tags": { "tags": null }, "state": "open" },
        ],
    });
    let server = support::Server::start(move |request| {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/conversations/search") => support::json(200, &document.to_string()),
            ("GET", "/me") => support::json(200, r#"{"id": 5, "app": {"id_code": "w"}}"#),
            ("GET", "/tags") => {
                support::json(200, r#"{"data": [{"id": 44, "name": "x"}, {"id": "45", "name": null}]}"#)
            }
            ("GET", "/conversations/7") => support::json(200, r#"{"id": "7"}"#),
            ("GET", "/conversations/8") => support::json(
                200,
                r#"{"id": "8", "conversation_parts": {"conversation_parts": [{"id": 1, "body": null}, {"id": 2, "body": "<p>Checkout fails"}]}}"#,
            ),
            ("POST", "/conversations/7/tags" | "/conversations/8/tags") => support::json(200, "{}"),
            _ => support::json(404, "{}"),
        }
    });
    let home = tempfile::tempdir().unwrap();
    let words = [
        "conversations",
        "incident-tag",
        "--mentions",
        PHRASE,
        "--since",
        "2026-01-01",
        "--tag",
        "x",
        "--apply",
        "--json",
    ];
    let output = support::against(home.path(), &server.url).args(words).output().unwrap();
    // The records do not list their tags, so a successful request proves nothing.
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(super::ids(&support::document(&output)["results"], "unknown"), ["7", "8"]);
    let sent = server.take();
    let attached: Vec<_> =
        sent.iter().filter(|request| request.path.ends_with("/tags") && request.method == "POST").collect();
    assert_eq!(attached.len(), 2);
    for request in attached {
        assert_eq!(request.json(), json!({ "id": "44", "admin_id": "5" }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unsearchable_conversations_are_named() {
    let parts: Vec<_> = (0..500).map(|id| json!({ "id": id, "body": "hello" })).collect();
    let whole =
        json!({ "id": "8", "conversation_parts": { "conversation_parts": parts, "total_count": 812 } });
    let server =
        support::Server::start(move |request| match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/conversations/search") => support::json(
                200,
                r#"{"conversations": [{"id": "8", "updated_at": 1790000000}], "pages": {}}"#,
            ),
            ("GET", "/me") => support::json(200, r#"{"id": "5", "app": {"id_code": "w"}}"#),
            ("GET", "/tags") => support::json(200, r#"{"data": []}"#),
            _ => support::json(200, &whole.to_string()),
        });
    let home = tempfile::tempdir().unwrap();
    let output = support::against(home.path(), &server.url).args(words(&[])).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document = support::document(&output);
    assert_eq!((&document["results"]["matched"], &document["meta"]["parts"]["cut"]), (&json!(0), &json!(1)));
    assert!(stderr(&output).contains("not searched: older parts of 1 conversation;"), "{}", stderr(&output));
}
