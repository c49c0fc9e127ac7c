//! A thread of which the service hands out only the newest parts, though they are fewer than five hundred.

use intercom::sandbox::Options;
use intercom::sandbox::model::conversation::{Author, ConversationEvent};
use serde_json::{Value, json};

use super::verdict::{quirk, run, small};
use super::*;
use crate::support::{document, stderr};
use intercom::api::request_builder::{Arguments, operation};

/// A conversation of one contact with what is said in it: who, and how many seconds after the start.
async fn talk(fixture: &Fixture, said: &[(bool, i64)]) -> String {
    let contact = fixture.sandbox.with_workspace(|workspace| {
        workspace
            .contacts
            .iter()
            .filter(|contact| contact.is_user)
            .map(|contact| contact.id.clone())
            .min()
            .unwrap()
    });
    let body = json!({"from": {"type": "user", "id": contact}, "body": "Hello?"}).to_string().into_bytes();
    let arguments = Arguments { body: Some(body), ..Arguments::default() };
    let reply = fixture.client.execute(operation("createConversation").unwrap(), &arguments).await.unwrap();
    let made: Value = serde_json::from_slice(&reply.body).unwrap();
    let id = made["conversation_id"].as_str().unwrap().to_owned();
    fixture.sandbox.with_workspace(|workspace| {
        let began = workspace.conversations.get(&id).unwrap().created_at;
        workspace.clock.advance(Duration::from_secs(100_000));
        for (by_team, after) in said {
            let author =
                if *by_team { Author::Admin(workspace.my_id()) } else { Author::Contact(contact.clone()) };
            let happening = ConversationEvent::new("comment", author, began + after).with_body("<p>Well</p>");
            workspace.apply_event(&id, happening).unwrap();
        }
    });
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_thread_is_counted_and_gives_no_figure_of_its_beginning() {
    let fixture = Fixture::new(Options { conversations: 0, tickets: 0, ..small() }).await;
    let whole = talk(&fixture, &[(true, 600)]).await;
    let mut answered: Vec<(bool, i64)> = vec![(true, 60)];
    answered.extend((0..24).map(|place| (place % 2 == 1, 1_000 + place * 60)));
    let cut = talk(&fixture, &answered).await;
    // All that is handed out of it is by the contact: whether anybody answered cannot be seen.
    let mut alone: Vec<(bool, i64)> = vec![(true, 60)];
    alone.extend((0..24).map(|place| (false, 1_000 + place * 60)));
    let hidden = talk(&fixture, &alone).await;
    quirk(&fixture, &["withheld-parts=8"]);
    let home = tempfile::tempdir().unwrap();
    let ask = |words: &str| {
        let output = run(home.path(), &fixture.sandbox, words);
        assert!(output.status.success(), "{words}: {}", stderr(&output));
        document(&output)
    };
    ask("sync --json --db one.db");
    let report = ask("conversations sla --json --db one.db --min-samples 1 --target first-response=5m");
    let total = &report["meta"]["total"];
    for (name, figure) in [
        ("conversations", 3),
        ("truncated", 2),
        ("first_response_n", 1),
        ("first_response_breached", 0),
        ("unanswered", 1),
    ] {
        assert_eq!(total[name], figure, "{name}: {total}");
    }
    assert_eq!(total["first_response_p50_minutes"], 10.0, "of the whole one alone: {total}");
    for (id, is_cut) in [(&whole, false), (&cut, true), (&hidden, true)] {
        let explained = ask(&format!("conversations sla --json --db one.db --explain {id}"));
        assert_eq!(explained["results"]["truncated"], is_cut, "{explained}");
    }
    // What was seen in time stays, and then nothing is cut.
    quirk(&fixture, &[]);
    ask("sync --json --db one.db --full");
    let report = ask("conversations sla --json --db one.db --min-samples 1 --target first-response=5m");
    let total = &report["meta"]["total"];
    assert_eq!((&total["truncated"], &total["first_response_n"]), (&0.into(), &3.into()), "{total}");
}
