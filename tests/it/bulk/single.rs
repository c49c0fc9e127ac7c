//! Verbs for one conversation or ticket: what they change, what they send, and how they are undone.

use std::process::Stdio;

use intercom::sandbox::model::conversation::ConversationState;
use intercom::sandbox::{Fault, Options, Sandbox};
use serde_json::{Value, json};

use super::{NOW, Scene};
use crate::support::{self, stderr, stdout};

async fn with_tickets() -> Scene {
    let options = Options {
        now: NOW,
        conversations: 10,
        contacts: 20,
        companies: 4,
        tickets: 10,
        articles: 0,
        ..Options::default()
    };
    Scene { sandbox: Sandbox::start(options).await.unwrap(), home: tempfile::tempdir().unwrap() }
}

/// State, snooze time, assignees and tags of a conversation.
fn state(scene: &Scene, id: &str) -> Value {
    scene.sandbox.with_workspace(|workspace| {
        let it = workspace.conversations.get(id).unwrap();
        let tags: Vec<_> = it.tags.iter().map(|tag| tag.tag_id.clone()).collect();
        json!([it.state.as_str(), it.snoozed_until, it.admin_assignee_id, it.team_assignee_id, tags])
    })
}

/// The bodies of the last part of a conversation and its kind.
fn last_part(scene: &Scene, id: &str) -> (String, String) {
    scene.sandbox.with_workspace(|workspace| {
        let conversation = workspace.conversations.get(id).unwrap();
        let part = conversation.parts.iter().rev().find(|part| part.body.is_some()).unwrap();
        (part.part_type.to_string(), part.body.clone().unwrap())
    })
}

fn ticket(scene: &Scene, id: &str) -> Value {
    scene.sandbox.with_workspace(|workspace| {
        let it = workspace.tickets.get(id).unwrap();
        json!([it.state_id, it.admin_assignee_id, it.team_assignee_id])
    })
}

fn first_ticket(scene: &Scene) -> String {
    scene.sandbox.with_workspace(|workspace| {
        let category =
            |id: &str| workspace.ticket_states.get(id).map(|state| state.text("category").to_owned());
        let open =
            workspace.tickets.iter().find(|ticket| category(&ticket.state_id).as_deref() != Some("resolved"));
        open.unwrap().id.clone()
    })
}

/// Names of a team, a teammate and a tag that the conversation does not have.
fn names(scene: &Scene, id: &str) -> (String, String, String) {
    scene.sandbox.with_workspace(|workspace| {
        let it = workspace.conversations.get(id).unwrap();
        let (team, admin) = (it.team_assignee_id, it.admin_assignee_id);
        let tags: Vec<_> = it.tags.iter().map(|tag| tag.tag_id.clone()).collect();
        let team = workspace.teams.iter().find(|other| other.id.parse().ok() != team).unwrap();
        let admin = workspace.admins.iter().find(|other| Some(other.id) != admin).unwrap();
        let tag = workspace.tags.iter().find(|tag| !tags.contains(&tag.id)).unwrap();
        (team.text("name").to_owned(), admin.name.clone(), tag.text("name").to_owned())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_changes_its_conversation_and_can_be_undone() {
    let scene = Scene::new(12).await;
    let id = &scene.mention(1)[0];
    scene.sandbox.with_workspace(|workspace| {
        let conversation = workspace.conversations.get_mut(id).unwrap();
        conversation.tags.clear();
    });
    scene.run(&["conversations", "open", id]);
    let (team, admin, tag) = names(&scene, id);
    for (words, undone_first) in [
        (vec!["close"], false),
        (vec!["snooze", "--until", "99999d"], false),
        (vec!["assign", "--team", &team], false),
        (vec!["assign", "--to", &admin], false),
        (vec!["assign", "--nobody"], false),
        (vec!["tag", "--tag", &tag], false),
        (vec!["tag", "--tag", "never seen", "--create"], true),
        (vec!["untag", "--tag", "never seen"], false),
    ] {
        let before = state(&scene, id);
        let line: Vec<&str> =
            ["conversations", words[0], id].into_iter().chain(words[1..].iter().copied()).collect();
        scene.sandbox.forget_requests();
        let planned = scene.results(&[&line[..], &["--dry-run", "--json"]].concat(), 0);
        assert_eq!(planned[0]["status"], "would_change", "{line:?}: {planned}");
        assert!(planned[0]["requests"][0]["path"].as_str().unwrap().contains(id.as_str()), "{planned}");
        assert_eq!(scene.changing_calls(), Vec::<String>::new(), "{line:?}");
        let output = scene.run(&[&line[..], &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{line:?}: {}", stderr(&output));
        // The lock is for all runs of this user, so a parallel test may hold it.
        let notices =
            stderr(&output).replace("waiting for another run that is changing this workspace\n", "");
        assert_eq!(notices, "", "{line:?}");
        let document = support::document(&output);
        let row = &document["results"][0];
        assert_eq!(
            (&row["id"], &row["status"], &row["action"]),
            (&json!(id), &json!("done"), &json!(words[0]))
        );
        assert_ne!(state(&scene, id), before, "{line:?}");
        assert_ne!(row["state_before"], row["state_after"], "{line:?}");
        // Again, it has no effect and sends nothing.
        scene.sandbox.forget_requests();
        let again = scene.results(&[&line[..], &["--json"]].concat(), 0);
        assert!(
            again[0]["status"].as_str().unwrap().starts_with("already_")
                || again[0]["status"] == "not_tagged"
        );
        assert_eq!(scene.changing_calls(), Vec::<String>::new(), "{line:?}");
        if undone_first {
            continue;
        }
        let undo = document["meta"]["undo"].as_str().unwrap();
        let undo: Vec<&str> = undo.split(' ').chain(["--json"]).collect();
        assert_eq!(scene.results(&undo, 0)["changed"], 1, "{line:?}");
        assert_eq!(state(&scene, id), before, "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_unknown_is_answered_with_the_one_that_was_meant() {
    let scene = Scene::new(5).await;
    let id = &scene.mention(1)[0];
    let wrong: Vec<&[&str]> = vec![
        &["assign", "--team", "Suport"],
        &["assign", "--to", "Nobody at all"],
        &["tag", "--tag", "refnd"],
        &["untag", "--tag", "refnd"],
        &["close", "--as", "Nobody at all"],
    ];
    scene.sandbox.forget_requests();
    for words in wrong {
        let line: Vec<&str> =
            ["conversations", words[0], id].into_iter().chain(words[1..].iter().copied()).collect();
        let output = scene.run(&line);
        assert_eq!(output.status.code(), Some(3), "{line:?}: {}", stderr(&output));
        let said = stderr(&output);
        let meant = ["did you mean \"Support\"?", "did you mean \"refund\"?", "expected one of "];
        assert!(meant.iter().any(|meant| said.contains(meant)), "{line:?}: {said}");
        assert!(said.contains(" list` shows the names and ids"), "{line:?}: {said}");
    }
    let team = scene.run(&["conversations", "assign", id, "--to", "Support"]);
    assert_eq!(team.status.code(), Some(2));
    assert!(stderr(&team).contains("\"Support\" is a team") && stderr(&team).contains("--team"));
    let missing = scene.run(&["conversations", "close", "999"]);
    assert_eq!((missing.status.code(), stdout(&missing).as_str()), (Some(3), ""));
    assert!(stderr(&missing).contains("conversation 999 not found"), "{}", stderr(&missing));
    assert_eq!(scene.changing_calls(), Vec::<String>::new());
    // Of several, the others are closed.
    let partial = scene.results(&["conversations", "close", id, "999", "--json"], 6);
    assert_eq!(partial[1]["reason"], "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_the_text_that_was_typed() {
    let scene = Scene::new(5).await;
    let id = &scene.mention(1)[0];
    std::fs::write(scene.home().join("note.md"), "**now**\n").unwrap();
    for (words, body) in [
        (vec!["a <b> & c\nnext"], "<p>a &lt;b&gt; &amp; c<br>next</p>"),
        (vec!["<p><i>x</i></p>", "--html"], "<p><i>x</i></p>"),
        (vec!["--file", "note.md", "--markdown"], "<p><b>now</b></p>"),
    ] {
        let line: Vec<&str> = ["conversations", "note", id].into_iter().chain(words).collect();
        let output = scene.command(&line).current_dir(scene.home()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line:?}: {}", stderr(&output));
        assert_eq!(last_part(&scene, id), ("note".to_owned(), body.to_owned()));
    }
    for words in [&["note"][..], &["note", " "], &["reply"], &["reply", "x", "--attach", "file.png"]] {
        let line: Vec<&str> =
            ["conversations", words[0], id].into_iter().chain(words[1..].iter().copied()).collect();
        let output = scene.run(&[&line[..], &["--yes"]].concat());
        assert_eq!(output.status.code(), Some(2), "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_sent_only_with_consent_and_only_once() {
    let scene = Scene::new(5).await;
    let id = &scene.mention(1)[0];
    scene.run(&["conversations", "open", id]);
    scene.sandbox.forget_requests();
    let reply = ["conversations", "reply", id, "On its way", "--close"];
    for more in [&[][..], &["--agent"], &["--no-input"]] {
        let output = scene.command(&[&reply[..], more].concat()).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", stderr(&output));
        assert!(
            stderr(&output).contains("Reply to ") && stderr(&output).contains("--yes"),
            "{}",
            stderr(&output)
        );
    }
    assert_eq!(scene.changing_calls(), Vec::<String>::new());
    // The first response is lost: the conversation shows the reply, so it is not sent again.
    let mut is_first = true;
    scene.sandbox.inject_faults(move |_, served| {
        let is_reply = served.operation == Some("replyConversation");
        (is_reply && std::mem::take(&mut is_first)).then_some(Fault::Drop)
    });
    let sent = scene.results(&[&reply[..], &["--yes", "--json"]].concat(), 0);
    assert_eq!(sent[0]["status"], "done", "{sent}");
    assert!(sent[0]["to"].as_str().unwrap().contains('@'), "{sent}");
    let replies = scene.changing_calls().iter().filter(|call| call.ends_with("/reply")).count();
    assert_eq!(replies, 1);
    assert_eq!(last_part(&scene, id), ("comment".to_owned(), "<p>On its way</p>".to_owned()));
    assert_eq!(state(&scene, id)[0], "closed");
    let draft = scene.results(&["conversations", "reply", id, "Maybe", "--draft-note", "--json"], 0);
    assert_eq!(draft[0]["status"], "done");
    assert_eq!(last_part(&scene, id).0, "note");
}

/// A gateway can give up while the workspace is still adding the message.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_may_still_arrive_is_not_sent_again() {
    let scene = Scene::new(5).await;
    let id = &scene.mention(1)[0];
    scene.sandbox.inject_faults(|_, served| {
        (served.operation == Some("replyConversation")).then_some(Fault::Status(504))
    });
    for words in [&["reply", id, "Once", "--yes"][..], &["note", id, "Once"]] {
        scene.sandbox.forget_requests();
        let output = scene.run(&[&["conversations"][..], words].concat());
        assert_eq!(output.status.code(), Some(5), "{words:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("may have been changed"), "{words:?}: {}", stderr(&output));
        let sent = scene.changing_calls().iter().filter(|call| call.ends_with("/reply")).count();
        assert_eq!(sent, 1, "{words:?}");
    }
    // An error of the workspace itself ends the request, so the conversation shows whether the note has to be sent again.
    let mut failures = 2;
    scene.sandbox.inject_faults(move |_, served| {
        let is_due = served.operation == Some("replyConversation") && failures > 0;
        failures -= i32::from(is_due);
        is_due.then_some(Fault::Status(500))
    });
    let sent = scene.results(&["conversations", "note", id, "After errors", "--json"], 0);
    assert_eq!(sent[0]["status"], "done", "{sent}");
    assert_eq!(last_part(&scene, id).1, "<p>After errors</p>");
}

/// The words of a verb are also those of an operation.
#[tokio::test(flavor = "multi_thread")]
async fn the_fields_of_the_api_still_mean_the_operation() {
    let scene = with_tickets().await;
    let id =
        scene.sandbox.with_workspace(|workspace| workspace.conversations.iter().next().unwrap().id.clone());
    let admin = scene.sandbox.with_workspace(|workspace| workspace.admins[0].id.to_string());
    let fields = ["--message-type", "note", "--type", "admin", "--admin-id", &admin, "--body", "by field"];
    for words in [&["conversations", "reply", &id][..], &["conversations", "reply", "conversation", &id]] {
        let answer = scene.results(&[words, &fields, &["--json"]].concat(), 0);
        assert_eq!(answer["type"], "conversation", "{words:?}");
        assert_eq!(last_part(&scene, &id), ("note".to_owned(), "<p>by field</p>".to_owned()));
    }
    let ticket = first_ticket(&scene);
    for words in [&["tickets", "reply", &ticket][..], &["tickets", "reply", "ticket", &ticket]] {
        let answer = scene.results(&[words, &fields, &["--json"]].concat(), 0);
        assert_eq!(answer["part_type"], "note", "{words:?}");
    }
    let body =
        json!({ "message_type": "note", "type": "admin", "admin_id": admin, "body": "as JSON" }).to_string();
    scene.results(&["conversations", "reply", &id, "--body-json", &body, "--json"], 0);
    assert_eq!(last_part(&scene, &id).1, "<p>as JSON</p>");
    let mixed = scene.run(&["conversations", "reply", &id, "text", "--body", "other"]);
    assert_eq!(mixed.status.code(), Some(2));
    assert!(stderr(&mixed).contains("TEXT cannot be combined with --body"), "{}", stderr(&mixed));
    let help = stdout(&scene.run(&["conversations", "reply", "--help"]));
    assert!(help.contains("--draft-note") && !help.contains("--attachment-files"), "{help}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_resolved_assigned_and_annotated() {
    let scene = with_tickets().await;
    let id = &first_ticket(&scene);
    let (team, admin) = scene.sandbox.with_workspace(|workspace| {
        (workspace.teams.iter().next().unwrap().text("name").to_owned(), workspace.admins[1].name.clone())
    });
    for words in [&["resolve"][..], &["assign", "--team", &team], &["assign", "--to", &admin]] {
        let before = ticket(&scene, id);
        let line: Vec<&str> =
            ["tickets", words[0], id].into_iter().chain(words[1..].iter().copied()).collect();
        let output = scene.run(&[&line[..], &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{line:?}: {}", stderr(&output));
        let document = support::document(&output);
        if document["results"][0]["status"] == "already_assigned" {
            continue;
        }
        assert_eq!(document["results"][0]["status"], "done", "{line:?}: {document}");
        assert_ne!(ticket(&scene, id), before, "{line:?}");
        let undo = document["meta"]["undo"].as_str().unwrap();
        let undo: Vec<&str> = undo.split(' ').chain(["--json"]).collect();
        assert_eq!(scene.results(&undo, 0)["changed"], 1, "{line:?}");
        assert_eq!(ticket(&scene, id), before, "{line:?}");
    }
    let unknown = scene.run(&["tickets", "resolve", id, "--state", "nonsense"]);
    assert_eq!(unknown.status.code(), Some(3));
    assert!(stderr(&unknown).contains("expected one of "), "{}", stderr(&unknown));
    for (words, kind) in [(&["note", "for us"][..], "note"), (&["reply", "for you", "--yes"], "comment")] {
        let line: Vec<&str> =
            ["tickets", words[0], id].into_iter().chain(words[1..].iter().copied()).collect();
        let done = scene.results(&[&line[..], &["--json"]].concat(), 0);
        assert_eq!(done[0]["status"], "done", "{line:?}");
        let last = scene
            .sandbox
            .with_workspace(|workspace| workspace.tickets.get(id).unwrap().parts.last().unwrap().part_type);
        assert_eq!(last, kind);
    }
}

/// Closing again must not reply again.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_not_repeated_when_its_conversation_has_to_be_closed_again() {
    let scene = Scene::new(5).await;
    let id = scene.mention(1)[0].clone();
    scene.run(&["conversations", "open", &id]);
    scene.sandbox.forget_requests();
    let (path, reopened) = (format!("/conversations/{id}"), id.clone());
    let mut is_due = true;
    scene.sandbox.inject_faults(move |workspace, served| {
        let conversation = workspace.conversations.get_mut(&reopened)?;
        let is_closed = conversation.state == ConversationState::Closed;
        if served.method == "GET" && served.path == path && is_closed && std::mem::take(&mut is_due) {
            conversation.state = ConversationState::Open;
        }
        None
    });
    let sent = scene.results(&["conversations", "reply", &id, "Once", "--close", "--yes", "--json"], 0);
    assert_eq!(sent[0]["status"], "done", "{sent}");
    let calls = scene.changing_calls();
    let count = |end: &str| calls.iter().filter(|call| call.ends_with(end)).count();
    assert_eq!((count("/reply"), count("/parts")), (1, 2), "{calls:?}");
    assert_eq!(state(&scene, &id)[0], "closed");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_the_reply_and_asks_before_it_is_sent() {
    use std::io::Write;
    let scene = Scene::new(5).await;
    let id = &scene.mention(1)[0];
    let words = format!("conversations reply {id} 'Hello <you>'");
    for (answer, code, said) in [("n\n", 2, "not sent"), ("y\n", 0, "replied to ")] {
        scene.sandbox.forget_requests();
        let command = scene.command(&[]);
        let mut terminal = std::process::Command::new("script");
        terminal.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let line = format!("{} {words}", env!("CARGO_BIN_EXE_intercom-pp-cli"));
        terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = terminal.spawn().unwrap();
        let mut keys = child.stdin.take().unwrap();
        keys.write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(keys);
        let screen = stdout(&output);
        assert_eq!(output.status.code(), Some(code), "{screen}");
        for text in ["To:   ", "  Hello <you>", "A sent reply cannot be taken back. [y/N]", said] {
            assert!(screen.contains(text), "{text}: {screen}");
        }
        assert_eq!(scene.changing_calls().len(), usize::from(code == 0), "{screen}");
    }
}
