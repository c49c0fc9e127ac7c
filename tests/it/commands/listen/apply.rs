//! `listen --apply`: the mirror equals the workspace, whatever is sent, repeated, forged, lost or killed.

use intercom::api::client::Client;
use intercom::mirror::ResourceName;
use intercom::types;

use super::*;
use crate::sandboxed::{assert_same, client, expected, stored};

/// A sandbox with a mirror that is current, and a client that changes the workspace.
struct Workspace {
    home: tempfile::TempDir,
    sandbox: Sandbox,
    client: Client,
    sent: std::cell::Cell<u32>,
}

impl Workspace {
    async fn new() -> Self {
        let options =
            Options { contacts: 30, companies: 6, conversations: 30, tickets: 10, ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        let client = client(&sandbox.base_url());
        Workspace { home: tempfile::tempdir().unwrap(), sandbox, client, sent: Default::default() }
    }

    /// Starts to listen, and waits until the first sync has ended.
    fn listen(&self) -> Listening {
        let command = at(self.home.path(), &self.sandbox);
        let words = ["--apply", "--db", "mirror.db", "--sync-every", "1h"];
        let mut listening = Listening::start_command(command, Stdio::null(), &words);
        line_with(&mut listening.stderr, "synced the mirror: ");
        self.sandbox.forget_requests();
        listening
    }

    fn store(&self) -> Store {
        Store::open_read_only(&self.home.path().join("mirror.db")).unwrap()
    }

    fn notification(&self, topic: &str, item: &Value) -> String {
        self.sent.set(self.sent.get() + 1);
        let id = format!("notif_{}", self.sent.get());
        json!({
            "type": "notification_event", "id": id, "topic": topic, "app_id": self.code(),
            "created_at": 1_779_602_400, "data": { "item": item },
        })
        .to_string()
    }

    fn code(&self) -> String {
        self.store().workspace().unwrap().unwrap().id_code
    }

    fn wait_until_same(&self) {
        let is_same = || stored(&self.store()) == expected(&self.sandbox);
        let start = Instant::now();
        while !is_same() && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_same(&self.store(), &self.sandbox);
    }

    fn calls(&self, operation: &str) -> usize {
        self.sandbox.requests().iter().filter(|request| request.operation == Some(operation)).count()
    }

    fn first(&self, resource: ResourceName) -> String {
        self.ids(resource).swap_remove(0)
    }

    fn ids(&self, resource: ResourceName) -> Vec<String> {
        let store = self.store();
        let mut ids = store.connection().prepare(&format!("SELECT id FROM {resource} ORDER BY id")).unwrap();
        let ids = ids.query_map([], |row| row.get(0)).unwrap();
        ids.collect::<Result<_, _>>().unwrap()
    }

    async fn rename(&self, contact: &str, name: &str) {
        let request = types::UpdateContactRequest::default().name(name);
        self.client.contacts().update(contact, &request).await.unwrap();
    }

    /// A note, because a reply would also change the contact.
    async fn note(&self, conversation: &str, body: &str) {
        let admin = self.first(ResourceName::Admins);
        let request = types::ReplyConversationRequest::new("note", "admin").admin_id(admin).body(body);
        self.client.conversations().reply(conversation, &request).await.unwrap();
    }
}

/// The program with the token and the address of a sandbox.
fn at(home: &Path, sandbox: &Sandbox) -> std::process::Command {
    let mut command = binary(home);
    command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", sandbox.base_url());
    command
}

fn item(kind: &str, id: &str) -> Value {
    json!({ "type": kind, "id": id })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_makes_one_request_for_its_record() {
    let workspace = Workspace::new().await;
    let listening = workspace.listen();
    let conversation = workspace.first(ResourceName::Conversations);
    workspace.note(&conversation, "<p>On it</p>").await;
    workspace.sandbox.forget_requests();
    // The text in a notification is plain, and must not replace the one of the API.
    let mut item = item("conversation", &conversation);
    item["conversation_parts"] = json!({ "conversation_parts": [{ "id": "1", "body": "On it" }] });
    for _ in 0..10 {
        let body = workspace.notification("conversation.admin.noted", &item);
        assert_eq!((listening.send(&body), listening.send(&body)), (200, 200), "once, and repeated");
    }
    workspace.wait_until_same();
    let (code, stderr) = listening.terminate();
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(workspace.calls("retrieveConversation"), 1);
    assert_eq!(workspace.sandbox.requests().len(), 1, "nothing else is requested");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_removed_only_if_the_workspace_confirms_it() {
    let workspace = Workspace::new().await;
    let listening = workspace.listen();
    let contacts = workspace.ids(ResourceName::Contacts);
    let [conversation, other] = &workspace.ids(ResourceName::Conversations)[..2] else { unreachable!() };
    let company = workspace.first(ResourceName::Companies);
    workspace.client.contacts().delete(contacts[0].as_str()).await.unwrap();
    workspace.client.conversations().delete(conversation.as_str()).await.unwrap();
    for (topic, item) in [
        ("contact.deleted", item("contact", &contacts[0])),
        ("contact.deleted", item("contact", &contacts[1])),
        ("conversation.deleted", json!({ "type": "conversation", "conversation_id": conversation })),
        ("conversation.deleted", json!({ "type": "conversation", "conversation_id": other })),
        ("company.deleted", item("company", &company)),
    ] {
        assert_eq!(listening.send(&workspace.notification(topic, &item)), 200);
    }
    let has = |resource, id: &str| workspace.store().has_record(resource, id).unwrap();
    wait_until("both are removed", || {
        !has(ResourceName::Contacts, &contacts[0]) && !has(ResourceName::Conversations, conversation)
    });
    let (code, stderr) = listening.terminate();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(has(ResourceName::Contacts, &contacts[1]) && has(ResourceName::Conversations, other));
    assert!(has(ResourceName::Companies, &company));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_contact_is_removed() {
    let workspace = Workspace::new().await;
    let (lead, user) = workspace.sandbox.with_workspace(|workspace| {
        let of =
            |role: &str| workspace.contacts.iter().find(|contact| contact.role() == role).unwrap().id.clone();
        (of("lead"), of("user"))
    });
    let listening = workspace.listen();
    let merge = types::MergeContactsRequest::new(lead.as_str(), user.as_str());
    workspace.client.contacts().merge(&merge).await.unwrap();
    assert_eq!(listening.send(&workspace.notification("contact.merged", &item("contact", &user))), 200);
    wait_until("the lead is removed", || {
        !workspace.store().has_record(ResourceName::Contacts, &lead).unwrap()
    });
    assert!(workspace.store().has_record(ResourceName::Contacts, &user).unwrap());
    let (code, stderr) = listening.terminate();
    assert_eq!(code, Some(0), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_synced_and_what_was_received_is_applied_by_the_next_run() {
    let workspace = Workspace::new().await;
    let listening = workspace.listen();
    let contacts = workspace.ids(ResourceName::Contacts);
    // Killed between the answer and the fetch.
    workspace.rename(&contacts[0], "Received").await;
    assert_eq!(
        listening.send(&workspace.notification("contact.user.updated", &item("contact", &contacts[0]))),
        200
    );
    listening.kill();
    workspace.rename(&contacts[1], "Missed").await;
    workspace.note(&workspace.first(ResourceName::Conversations), "<p>Missed</p>").await;
    let listening = workspace.listen();
    workspace.wait_until_same();
    // A notification that could not be delivered before: others may have been lost.
    workspace.rename(&contacts[2], "Lost").await;
    let mut late: Value =
        serde_json::from_str(&workspace.notification("contact.user.updated", &item("contact", &contacts[0])))
            .unwrap();
    late["delivery_attempts"] = json!(2);
    assert_eq!(listening.send(&late.to_string()), 200);
    workspace.wait_until_same();
    let (code, stderr) = listening.terminate();
    assert_eq!(code, Some(0), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_about_another_workspace_change_nothing() {
    let workspace = Workspace::new().await;
    let listening = workspace.listen();
    let contact = workspace.first(ResourceName::Contacts);
    let foreign = workspace
        .notification("contact.deleted", &item("contact", &contact))
        .replace(&workspace.code(), "other");
    assert_eq!(listening.send(&foreign), 200);
    let (code, stderr) = listening.terminate();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("about another workspace"), "{stderr}");
    assert!(workspace.sandbox.requests().is_empty());
    assert_same(&workspace.store(), &workspace.sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_workspace_is_refused_at_the_start() {
    let workspace = Workspace::new().await;
    workspace.listen().kill();
    let other = Sandbox::start(Options::default()).await.unwrap();
    other.with_workspace(|workspace| workspace.id = "other".to_owned());
    let mut command = at(workspace.home.path(), &other);
    let words = ["listen", "--apply", "--db", "mirror.db", "--port", "0"];
    let output = command.args(words).env("INTERCOM_CLIENT_SECRET", SECRET).output().unwrap();
    assert_eq!(code(&output), 10, "{}", stderr(&output));
}
