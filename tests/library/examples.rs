//! Every program in `examples/` runs and does what it says, against a sandbox in this process.

#![allow(dead_code, reason = "the `main` of each program is not called")]

use std::time::Duration;

use intercom::local::Metric;
use intercom::sandbox::{Options, Sandbox};
use intercom::{Client, Filter};

#[path = "../../examples/create_and_tag.rs"]
mod create_and_tag;
#[path = "../../examples/errors_and_retries.rs"]
mod errors_and_retries;
#[path = "../../examples/list_contacts.rs"]
mod list_contacts;
#[path = "../../examples/proxy_and_tracing.rs"]
mod proxy_and_tracing;
#[path = "../../examples/refresh_one_record.rs"]
mod refresh_one_record;
#[path = "../../examples/search_and_reply.rs"]
mod search_and_reply;
#[path = "../../examples/sla_from_mirror.rs"]
mod sla_from_mirror;
#[path = "../../examples/stream_conversations.rs"]
mod stream_conversations;
#[path = "../../examples/ticket_from_conversation.rs"]
mod ticket_from_conversation;
#[path = "../../examples/upsert_company.rs"]
mod upsert_company;

async fn workspace() -> (Sandbox, Client) {
    let sandbox =
        Sandbox::start(Options { contacts: 61, conversations: 45, ..Options::default() }).await.unwrap();
    let client = sandbox.client().unwrap();
    (sandbox, client)
}

/// The methods and paths of all requests.
fn sent(sandbox: &Sandbox) -> Vec<String> {
    let requests = sandbox.requests().into_iter();
    requests.map(|request| format!("{} {}", request.method, request.path)).collect()
}

#[tokio::test]
async fn list_contacts() {
    let (sandbox, client) = workspace().await;
    let (recent, all) = list_contacts::run(&client).await.unwrap();
    assert_eq!(all, 61);
    assert!(recent > 0 && recent < all, "{recent}");
    assert!(sent(&sandbox).contains(&"POST /contacts/search".to_owned()));
}

#[tokio::test]
async fn search_and_reply() {
    let (sandbox, client) = workspace().await;
    let all = client.conversations().search(Filter::eq("state", "open")).all().await.unwrap();
    let body = all.iter().find_map(|one| one.source.as_ref()?.body.clone()).unwrap();
    let word = body.split(|letter: char| !letter.is_alphanumeric()).max_by_key(|word| word.len()).unwrap();
    sandbox.forget_requests();
    let answered = search_and_reply::run(&client, word).await.unwrap();
    assert!(!answered.is_empty(), "{word}");
    let replies =
        sent(&sandbox).into_iter().filter(|line| line.starts_with("POST") && line.ends_with("/reply"));
    assert_eq!(replies.count(), answered.len());
}

#[tokio::test]
async fn create_and_tag() {
    let (_sandbox, client) = workspace().await;
    let contact = create_and_tag::run(&client, "ada@example.com").await.unwrap();
    assert_eq!(contact.email.as_deref(), Some("ada@example.com"));
    let id = contact.id.clone().unwrap();
    let tags = client.contacts().tags_list(&id).all().await.unwrap();
    assert!(tags.iter().any(|tag| tag.name.as_deref() == Some("vip")), "{tags:?}");
    assert_eq!(client.contacts().notes_list(&id).all().await.unwrap().len(), 1);
}

#[tokio::test]
async fn upsert_company() {
    let (_sandbox, client) = workspace().await;
    let created = upsert_company::run(&client, "acme-1", "Acme").await.unwrap();
    let updated = upsert_company::run(&client, "acme-1", "Acme Ltd").await.unwrap();
    assert_eq!(created.id, updated.id);
    assert_eq!(updated.name.as_deref(), Some("Acme Ltd"));
}

#[tokio::test]
async fn ticket_from_conversation() {
    let (_sandbox, client) = workspace().await;
    let ticket = ticket_from_conversation::run(&client).await.unwrap().expect("a ticket");
    let state = ticket.ticket_state.as_ref().and_then(|state| state.category.as_ref()).unwrap();
    assert_eq!(state.as_str(), "waiting_on_customer");
}

#[tokio::test]
async fn stream_conversations() {
    let (sandbox, client) = workspace().await;
    let (conversations, parts) = stream_conversations::run(&client).await.unwrap();
    assert_eq!(conversations, 45);
    assert!(parts > conversations, "{parts}");
    let details = sent(&sandbox).iter().filter(|line| line.starts_with("GET /conversations/")).count();
    assert_eq!(details, 45);
}

#[tokio::test]
async fn errors_and_retries() {
    let (sandbox, _) = workspace().await;
    let advice = errors_and_retries::run(&sandbox).await.unwrap();
    assert_eq!(
        advice,
        [
            "a contact that does not exist: skip the record",
            "a read that fails twice: done",
            "a change without a response: look whether it happened",
            "a wrong token: check the token and its permissions",
        ]
    );
    let created = sent(&sandbox).iter().filter(|line| *line == "POST /contacts").count();
    assert_eq!(created, 1, "a change is never sent twice");
}

#[tokio::test]
async fn refresh_one_record() {
    let (_sandbox, client) = workspace().await;
    let folder = tempfile::tempdir().unwrap();
    let name = refresh_one_record::run(&client, &folder.path().join("mirror.db")).await.unwrap();
    assert_eq!(name.as_deref(), Some("Grace Hopper"));
}

#[tokio::test]
async fn sla_from_mirror() {
    let (_sandbox, client) = workspace().await;
    let folder = tempfile::tempdir().unwrap();
    let report = sla_from_mirror::run(&client, &folder.path().join("mirror.db")).await.unwrap();
    assert!(report.rows.len() > 1, "{report:?}");
    let figures = report.total.figures.of(Metric::FirstResponse).unwrap();
    assert!(figures.median().is_some_and(|median| median > Duration::ZERO), "{figures:?}");
}

#[tokio::test]
async fn proxy_and_tracing() {
    let (sandbox, _) = workspace().await;
    // A proxy receives requests with the whole address, so the sandbox can be one. The other name does not exist.
    let address = sandbox.base_url();
    for (base_url, proxy) in [(address.as_str(), None), ("http://intercom.test", Some(address.as_str()))] {
        sandbox.forget_requests();
        let observed = proxy_and_tracing::run(base_url, sandbox.token(), proxy).await.unwrap();
        assert_eq!(
            observed,
            ["identifyAdmin: Some(200) in attempt 1", "ListContacts: Some(200) in attempt 1"]
        );
        assert_eq!(sent(&sandbox), ["GET /me", "GET /contacts"]);
    }
}
