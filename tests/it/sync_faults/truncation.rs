//! Threads of which the service returns only the newest parts, although there are fewer than 500.

use intercom::sandbox::Options;
use intercom::sandbox::model::conversation::{Author, ConversationEvent};
use serde_json::{Value, json};

use super::completeness::{quirk, run, small};
use super::*;
use crate::support::{document, stderr};
use intercom::api::request_builder::{Arguments, operation};

/// Creates a conversation with these messages: whether the team wrote it, and seconds after the start.
async fn conversation(fixture: &Fixture, messages: &[(bool, i64)]) -> String {
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
        for (by_team, after) in messages {
            let author =
                if *by_team { Author::Admin(workspace.my_id()) } else { Author::Contact(contact.clone()) };
            let comment = ConversationEvent::new("comment", author, began + after).with_body("<p>Well</p>");
            workspace.apply_event(&id, comment).unwrap();
        }
    });
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_thread_is_counted_without_a_first_response() {
    let fixture = Fixture::new(Options { conversations: 0, tickets: 0, ..small() }).await;
    let whole = conversation(&fixture, &[(true, 600)]).await;
    let mut answered: Vec<(bool, i64)> = vec![(true, 60)];
    answered.extend((0..24).map(|place| (place % 2 == 1, 1_000 + place * 60)));
    let cut = conversation(&fixture, &answered).await;
    // All returned parts are by the contact, so whether the team replied is unknown.
    let mut alone: Vec<(bool, i64)> = vec![(true, 60)];
    alone.extend((0..24).map(|place| (false, 1_000 + place * 60)));
    let hidden = conversation(&fixture, &alone).await;
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
    // Parts that were stored earlier are kept, so nothing is truncated.
    quirk(&fixture, &[]);
    ask("sync --json --db one.db --full");
    let report = ask("conversations sla --json --db one.db --min-samples 1 --target first-response=5m");
    let total = &report["meta"]["total"];
    assert_eq!((&total["truncated"], &total["first_response_n"]), (&0.into(), &3.into()), "{total}");
}
