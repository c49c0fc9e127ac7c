//! Which topics the changes of a sandbox lead to. Every operation that writes records with topics is called once.

use std::collections::BTreeSet;

use intercom::api::commands::OPERATIONS;
use intercom::api::operation::Effect;
use intercom::sandbox::Webhooks;
use intercom::webhooks::{Notification, SIGNATURE_HEADER};

use super::*;
use crate::support::{Server, response};

const SECRET: &str = "made-up";

/// Operations on these paths change records with topics.
const GROUPS: [&str; 8] =
    ["contacts", "conversations", "companies", "articles", "tickets", "messages", "tags", "admins"];

/// A sandbox whose notifications are compared after every request.
struct Driven {
    client: TestClient,
    receiver: Server,
    operations: BTreeSet<&'static str>,
}

impl Driven {
    async fn new(options: Options) -> Self {
        let receiver = Server::start(|_| response(200, "text/plain", ""));
        let options = Options { webhooks: Some(Webhooks::new(&receiver.url, SECRET)), ..options };
        let mut driven =
            Driven { client: TestClient::new(options).await, receiver, operations: BTreeSet::new() };
        assert_eq!(topics(&driven.received().await), ["ping"]);
        driven
    }

    /// The notifications since the last call.
    async fn received(&mut self) -> Vec<Notification> {
        while self.client.sandbox.webhook_counts().waiting > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let requests = self.receiver.take();
        let read = |request: &crate::support::RecordedRequest| {
            let signature = request.header(&SIGNATURE_HEADER.to_lowercase()).unwrap_or_default();
            Notification::receive(SECRET, &request.body, signature).unwrap()
        };
        requests.iter().map(read).collect()
    }

    /// Calls an operation, and compares the topics of what it leads to. Returns the answer and the notifications.
    async fn call(
        &mut self,
        id: &'static str,
        path: &str,
        body: Value,
        expected: &[&str],
    ) -> (Value, Vec<Value>) {
        let operation = OPERATIONS.iter().find(|operation| operation.id == id).unwrap();
        let method = operation.method.as_str().parse().unwrap();
        let mut request = self.client.request(method, path);
        if let Some(version) = operation.version {
            request = request.header("Intercom-Version", version);
        }
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let (status, answer) = read(request.send().await.unwrap()).await;
        assert!((200..300).contains(&status), "{id} {path}: {status} {answer}");
        let called = self.client.sandbox.requests().last().and_then(|request| request.operation);
        assert_eq!(called, Some(id), "{path}");
        let notifications = self.received().await;
        assert_eq!(topics(&notifications), expected, "{id} {body}");
        self.operations.insert(id);
        (answer, notifications.into_iter().map(|notification| Value::Object(notification.item)).collect())
    }

    fn ids<R>(&self, find: impl FnOnce(&mut intercom::sandbox::Workspace) -> R) -> R {
        self.client.sandbox.with_workspace(find)
    }
}

fn topics(notifications: &[Notification]) -> Vec<&str> {
    notifications.iter().map(|notification| notification.topic.as_str()).collect()
}

fn id(document: &Value) -> String {
    document["id"].as_str().unwrap_or_else(|| panic!("no id: {document}")).to_owned()
}

#[tokio::test]
async fn every_write_leads_to_its_topics() {
    let mut driven = Driven::new(options()).await;
    let user = contacts(&mut driven).await;
    companies(&mut driven, &user).await;
    conversations(&mut driven, &user).await;
    tickets(&mut driven, &user).await;
    articles(&mut driven).await;
    let admin = driven.ids(|workspace| workspace.my_id());
    let away = json!({"away_mode_enabled": true, "away_mode_reassign": false});
    let path = format!("/admins/{admin}/away");
    let (_, items) = driven.call("setAwayAdmin", &path, away, &["admin.away_mode_updated"]).await;
    assert_eq!(items[0]["id"], admin);
    let (_, items) =
        driven.call("DeleteContact", &format!("/contacts/{user}"), Value::Null, &["contact.deleted"]).await;
    assert_eq!(items[0]["deleted"], true);
    assert!(items[0].get("email").is_none() && items[0].get("created_at").is_none());

    let is_in_a_group = |path: &str| GROUPS.contains(&path.split('/').nth(1).unwrap_or_default());
    let writes = OPERATIONS.iter().filter(|operation| operation.effect != Effect::Read);
    let missing: Vec<_> = writes
        .filter(|operation| is_in_a_group(operation.path) && !driven.operations.contains(operation.id))
        .map(|operation| operation.id)
        .collect();
    assert!(
        missing.is_empty(),
        "call them here, with the topics that they lead to or with none: {missing:?}"
    );
}

async fn contacts(driven: &mut Driven) -> String {
    let new_user = json!({"role": "user", "email": "new@example.test", "name": "New"});
    let (user, items) = driven.call("CreateContact", "/contacts", new_user, &["contact.user.created"]).await;
    let user = id(&user);
    assert_eq!(items[0]["created_at"].as_str().map(|time| &time[..10]), Some("2025-11-24"));
    let new_lead = json!({"role": "lead", "name": "Lead"});
    let (lead, _) = driven.call("CreateContact", "/contacts", new_lead, &["contact.lead.created"]).await;
    let lead = id(&lead);
    let (of_user, of_lead) = (format!("/contacts/{user}"), format!("/contacts/{lead}"));
    for (path, body, expected) in [
        (&of_user, json!({"name": "Newer"}), &["contact.user.updated"][..]),
        (&of_user, json!({"name": "Newer"}), &[]),
        (
            &of_user,
            json!({"email": "newer@example.test"}),
            &["contact.email.updated", "contact.user.updated"],
        ),
        (&of_user, json!({"unsubscribed_from_emails": true}), &["contact.unsubscribed"]),
        (&of_user, json!({"unsubscribed_from_emails": false}), &["contact.subscribed"]),
        (&of_lead, json!({"phone": "+1 555"}), &["contact.lead.updated"]),
        (
            &of_lead,
            json!({"email": "lead@example.test"}),
            &["contact.lead.added_email", "contact.lead.updated"],
        ),
        (&of_lead, json!({"role": "user"}), &["contact.lead.signed_up"]),
        (&of_lead, json!({"role": "lead"}), &[]),
    ] {
        driven.call("UpdateContact", path, body, expected).await;
    }
    driven.call("createNote", &format!("{of_user}/notes"), json!({"body": "Hm"}), &[]).await;
    let (tag, _) = driven.call("createTag", "/tags", json!({"name": "vip"}), &[]).await;
    let tag = id(&tag);
    let (tags, body) = (format!("{of_user}/tags"), json!({"id": tag}));
    let (_, items) =
        driven.call("attachTagToContact", &tags, body.clone(), &["contact.user.tag.created"]).await;
    assert_eq!((&items[0]["tag"]["name"], &items[0]["contact"]["id"]), (&json!("vip"), &json!(user)));
    driven.call("attachTagToContact", &tags, body, &[]).await;
    driven
        .call("detachTagFromContact", &format!("{tags}/{tag}"), Value::Null, &["contact.user.tag.deleted"])
        .await;
    let all = json!({"name": "vip", "users": [{"id": user}]});
    driven.call("createTag", "/tags", all, &["contact.user.tag.created"]).await;
    driven.call("deleteTag", &format!("/tags/{tag}"), Value::Null, &[]).await;
    let subscription = driven.ids(|workspace| workspace.subscription_types[0].id.clone());
    let subscriptions = format!("{of_user}/subscriptions");
    let opt_in = json!({"id": subscription, "consent_type": "opt_in"});
    let (_, items) =
        driven.call("attachSubscriptionTypeToContact", &subscriptions, opt_in, &["contact.subscribed"]).await;
    assert_eq!(items[0]["contact"]["id"], json!(user));
    assert!(items[0].get("id").is_none());
    let one = format!("{subscriptions}/{subscription}");
    driven.call("detachSubscriptionTypeToContact", &one, Value::Null, &["contact.unsubscribed"]).await;
    let archive = format!("{of_user}/archive");
    let (_, items) = driven.call("ArchiveContact", &archive, Value::Null, &["contact.archived"]).await;
    assert_eq!(items[0], json!({"type": "contact", "id": user, "external_id": null, "archived": true}));
    driven
        .call("UnarchiveContact", &format!("{of_user}/unarchive"), Value::Null, &["contact.unarchive"])
        .await;
    driven.call("BlockContact", &format!("{of_lead}/block"), Value::Null, &[]).await;
    let banners = format!("{of_user}/banners");
    let (shown, _) = driven.call("listContactBanners", &banners, Value::Null, &[]).await;
    let view = shown["data"][0]["view_id"].as_str().unwrap();
    driven.call("dismissContactBanner", &format!("{banners}/{view}/dismiss"), Value::Null, &[]).await;
    let merge = json!({"from": lead, "into": user});
    let (_, items) = driven.call("MergeContact", "/contacts/merge", merge, &["contact.merged"]).await;
    assert_eq!(items[0]["id"], json!(user));
    assert!(!items[0].to_string().contains(&lead), "only the survivor is named");
    user
}

async fn companies(driven: &mut Driven, user: &str) {
    let named = |name: &str| json!({"company_id": "acme", "name": name});
    let (company, _) =
        driven.call("createOrUpdateCompany", "/companies", named("Acme"), &["company.created"]).await;
    let company = id(&company);
    let path = format!("/companies/{company}");
    driven.call("createOrUpdateCompany", "/companies", named("Acme 2"), &["company.updated"]).await;
    driven.call("UpdateCompany", &path, json!({"name": "Acme 3"}), &["company.updated"]).await;
    driven.call("UpdateCompany", &path, json!({"name": "Acme 3"}), &[]).await;
    driven.call("createCompanyNote", &format!("{path}/notes"), json!({"body": "Hm"}), &[]).await;
    let attach = format!("/contacts/{user}/companies");
    let (body, attached) = (json!({"id": company}), &["company.contact.attached"]);
    let (_, items) = driven.call("attachContactToACompany", &attach, body.clone(), attached).await;
    assert_eq!((&items[0]["company"]["id"], &items[0]["contact"]["id"]), (&json!(company), &json!(user)));
    let detach = format!("{attach}/{company}");
    driven.call("detachContactFromACompany", &detach, Value::Null, &["company.contact.detached"]).await;
    driven.call("attachContactToACompany", &attach, body, attached).await;
    let (_, items) = driven.call("deleteCompany", &path, Value::Null, &["company.deleted"]).await;
    assert_eq!(items[0], json!({"type": "company", "id": company, "deleted": true}));
}

async fn new_conversation(driven: &mut Driven, user: &str) -> String {
    let body = json!({"from": {"type": "user", "id": user}, "body": "Hello"});
    let (answer, _) =
        driven.call("createConversation", "/conversations", body, &["conversation.user.created"]).await;
    answer["conversation_id"].as_str().unwrap().to_owned()
}

async fn conversations(driven: &mut Driven, user: &str) {
    let (admin, other) = driven.ids(|workspace| {
        let other = workspace.contacts.iter().find(|contact| contact.id != user && !contact.archived);
        (workspace.my_id().to_string(), other.unwrap().id.clone())
    });
    let conversation = new_conversation(driven, user).await;
    let path = format!("/conversations/{conversation}");
    let reply = format!("{path}/reply");
    let from_user =
        json!({"type": "user", "message_type": "comment", "intercom_user_id": user, "body": "And?"});
    let from_admin =
        |kind: &str| json!({"type": "admin", "message_type": kind, "admin_id": admin, "body": "Hm"});
    let (_, items) =
        driven.call("replyConversation", &reply, from_user.clone(), &["conversation.user.replied"]).await;
    let parts = &items[0]["conversation_parts"];
    assert_eq!(
        (&parts["total_count"], &parts["conversation_parts"][0]["body"]),
        (&json!(1), &json!("<p>And?</p>"))
    );
    driven.call("replyConversation", &reply, from_admin("comment"), &["conversation.admin.replied"]).await;
    driven.call("replyConversation", &reply, from_admin("note"), &["conversation.admin.noted"]).await;
    let manage = format!("{path}/parts");
    let action = |kind: &str| json!({"message_type": kind, "type": "admin", "admin_id": admin});
    let with = |kind: &str, name: &str, value: Value| {
        let mut body = action(kind);
        body[name] = value;
        body
    };
    let assign = with("assignment", "assignee_id", json!(admin));
    for (body, topic) in [
        (action("close"), "conversation.admin.closed"),
        (action("open"), "conversation.admin.opened"),
        (assign.clone(), "conversation.admin.assigned"),
        (action("close"), "conversation.admin.closed"),
        (assign, "conversation.admin.open.assigned"),
        (with("snoozed", "snoozed_until", json!(NOW + DAY)), "conversation.admin.snoozed"),
        (action("open"), "conversation.admin.unsnoozed"),
        (action("close"), "conversation.admin.closed"),
    ] {
        driven.call("manageConversation", &manage, body, &[topic]).await;
    }
    driven.call("replyConversation", &reply, from_user, &["conversation.user.replied"]).await;
    for (body, expected) in [
        (json!({"read": true}), &["conversation.read"][..]),
        (json!({"read": true}), &[]),
        (json!({"title": "A title"}), &[]),
    ] {
        driven.call("updateConversation", &path, body, expected).await;
    }
    let tag = driven.ids(|workspace| workspace.tags[0].id.clone());
    let tags = format!("{path}/tags");
    let body = json!({"id": tag, "admin_id": admin});
    let (_, items) =
        driven.call("attachTagToConversation", &tags, body.clone(), &["conversation_part.tag.created"]).await;
    assert_eq!(items[0]["tags_added"]["tags"][0]["id"], json!(tag));
    let one = format!("{tags}/{tag}");
    driven.call("detachTagFromConversation", &one, json!({"admin_id": admin}), &[]).await;
    let customers = format!("{path}/customers");
    let body = json!({"admin_id": admin, "customer": {"intercom_user_id": other}});
    let attached = &["conversation.contact.attached"];
    let (_, items) = driven.call("attachContactToConversation", &customers, body, attached).await;
    assert_eq!(items[0]["conversation"]["model"]["id"].to_string(), conversation);
    assert_eq!(items[0]["contact"]["id"], json!(other));
    let (one, body) = (format!("{customers}/{other}"), json!({"admin_id": admin}));
    let detached = &["conversation.contact.detached"];
    driven.call("detachContactFromConversation", &one, body, detached).await;
    let part = driven.ids(|workspace| {
        let parts = &workspace.conversations.get(&conversation).unwrap().parts;
        parts.iter().find(|part| part.body.is_some()).unwrap().id.clone()
    });
    let redact =
        json!({"type": "conversation_part", "conversation_id": conversation, "conversation_part_id": part});
    let redacted = &["conversation_part.redacted"];
    let (_, items) = driven.call("redactConversation", "/conversations/redact", redact, redacted).await;
    assert_eq!(items[0]["conversation_parts"]["conversation_parts"][0]["id"], json!(part));

    let second = new_conversation(driven, &other).await;
    let into = json!({"merge_into_conversation_id": conversation.parse::<u64>().unwrap()});
    let merge = format!("/conversations/{second}/merge");
    driven.call("mergeConversation", &merge, into, &["conversation.admin.closed"]).await;
    let type_id = driven.ids(|workspace| workspace.ticket_types[0].id.clone());
    let convert = format!("{path}/convert");
    driven
        .call(
            "convertConversationToTicket",
            &convert,
            json!({"ticket_type_id": type_id}),
            &["ticket.created"],
        )
        .await;
    let (_, items) = driven.call("deleteConversation", &path, Value::Null, &["conversation.deleted"]).await;
    assert_eq!(items[0], json!({"type": "conversation", "conversation_id": conversation}));

    let message = json!({
        "message_type": "inapp", "body": "News", "from": {"type": "admin", "id": admin.parse::<i64>().unwrap()},
        "to": {"type": "user", "id": user}, "create_conversation_without_contact_reply": true,
    });
    driven.call("createMessage", "/messages", message, &["conversation.admin.single.created"]).await;
    let attributes = "/conversations/attributes";
    let body =
        json!({"name": "Reason", "data_type": "list", "options": [{"label": "Late"}, {"label": "Lost"}]});
    let (created, _) = driven.call("createConversationAttribute", attributes, body, &[]).await;
    let one = format!("{attributes}/{}", created["id"]);
    let options = format!("{one}/options");
    driven.call("updateConversationAttribute", &one, json!({"name": "Cause"}), &[]).await;
    let label = json!({"label": "Broken"});
    driven.call("createConversationAttributeOption", &options, label.clone(), &[]).await;
    let option = format!("{options}/{}", created["options"][0]["id"].as_str().unwrap());
    driven.call("updateConversationAttributeOption", &option, json!({"label": "Slow"}), &[]).await;
    driven.call("deleteConversationAttributeOption", &option, Value::Null, &[]).await;
    driven.call("deleteConversationAttribute", &one, Value::Null, &[]).await;
}

async fn tickets(driven: &mut Driven, user: &str) {
    let (admin, team, types, states) = driven.ids(|workspace| {
        let ids = |category: &str| -> Vec<String> {
            let types = workspace.ticket_types.iter().filter(|kind| kind.text("category") == category);
            types.map(|kind| kind.id.clone()).collect()
        };
        let states: Vec<_> = workspace.ticket_states.iter().map(|state| state.id.clone()).collect();
        (
            workspace.my_id().to_string(),
            workspace.teams[0].id.clone(),
            [ids("Customer"), ids("Tracker")],
            states,
        )
    });
    let body = |contact: Value| json!({"ticket_type_id": types[0][0], "contacts": [contact], "ticket_attributes": {"_default_title_": "Slow"}});
    let (ticket, _) =
        driven.call("createTicket", "/tickets", body(json!({"id": user})), &["ticket.created"]).await;
    let stranger = body(json!({"email": "stranger@example.test"}));
    driven.call("createTicket", "/tickets", stranger, &["contact.user.created", "ticket.created"]).await;
    driven
        .call("enqueueCreateTicket", "/tickets/enqueue", body(json!({"id": user})), &["ticket.created"])
        .await;
    let ticket = id(&ticket);
    let path = format!("/tickets/{ticket}");
    let assign = |to: &str| json!({"assignment": {"admin_id": admin, "assignee_id": to}});
    for (body, expected) in [
        (json!({"ticket_state_id": states[1]}), &["ticket.state.updated"][..]),
        (json!({"ticket_state_id": states[1]}), &[]),
        (json!({"ticket_state_id": states[3]}), &["ticket.state.updated", "ticket.closed"]),
        (json!({"ticket_attributes": {"_default_title_": "Slower"}}), &["ticket.attribute.updated"]),
        (assign(&admin), &["ticket.admin.assigned"]),
        (assign(&team), &["ticket.team.assigned"]),
        (json!({"is_shared": true}), &[]),
    ] {
        driven.call("updateTicket", &path, body, expected).await;
    }
    let reply = format!("{path}/reply");
    for (body, topic) in [
        (
            json!({"type": "admin", "message_type": "note", "admin_id": admin, "body": "Hm"}),
            "ticket.note.created",
        ),
        (
            json!({"type": "admin", "message_type": "comment", "admin_id": admin, "body": "Hi"}),
            "ticket.admin.replied",
        ),
        (
            json!({"type": "user", "message_type": "comment", "intercom_user_id": user, "body": "Hi"}),
            "ticket.contact.replied",
        ),
    ] {
        let (answer, items) = driven.call("replyTicket", &reply, body, &[topic]).await;
        assert_eq!(items[0]["ticket"]["id"], json!(ticket));
        assert_eq!(items[0]["ticket_part"]["id"], answer["id"]);
    }
    let tag = driven.ids(|workspace| workspace.tags[0].id.clone());
    let tags = format!("{path}/tags");
    driven.call("attachTagToTicket", &tags, json!({"id": tag, "admin_id": admin}), &[]).await;
    driven.call("detachTagFromTicket", &format!("{tags}/{tag}"), json!({"admin_id": admin}), &[]).await;
    let change = json!({"ticket_type_id": types[0][1], "ticket_state_id": states[0]});
    driven.call("changeTicketType", &format!("{path}/change_type"), change, &["ticket.state.updated"]).await;
    let tracker = json!({"ticket_type_id": types[1][0], "contacts": [{"id": user}]});
    let (tracker, _) = driven.call("createTicket", "/tickets", tracker, &["ticket.created"]).await;
    let conversation = new_conversation(driven, user).await;
    let links = format!("/tickets/{}/linked_conversations", id(&tracker));
    let body = json!({"conversation_id": conversation});
    driven.call("linkConversationToTicket", &links, body, &[]).await;
    let one = format!("{links}/{conversation}");
    driven.call("unlinkConversationFromTicket", &one, Value::Null, &[]).await;
    driven.call("deleteTicket", &path, Value::Null, &[]).await;
}

async fn articles(driven: &mut Driven) {
    let admin = driven.ids(|workspace| workspace.my_id());
    let body = json!({"title": "How to", "author_id": admin, "state": "draft"});
    let (article, items) = driven.call("createArticle", "/articles", body, &["article.created"]).await;
    assert_eq!(items[0]["state"], "draft");
    let article = id(&article);
    let path = format!("/articles/{article}");
    for (body, expected) in [
        (json!({"state": "published"}), &["article.published"][..]),
        (json!({"state": "published", "title": "How to do it"}), &["article.updated"]),
        (json!({"state": "published", "title": "How to do it"}), &[]),
    ] {
        driven.call("updateArticle", &path, body, expected).await;
    }
    let draft = format!("{path}/draft");
    driven.call("stageArticleDraft", &draft, json!({"title": "How to do it well"}), &[]).await;
    let publish = format!("{draft}/publish");
    driven.call("publishArticleDraft", &publish, json!({}), &["article.updated"]).await;
    let tag = driven.ids(|workspace| workspace.tags[0].id.clone());
    let tags = format!("{path}/tags");
    driven.call("attachTagToArticle", &tags, json!({"id": tag, "admin_id": admin.to_string()}), &[]).await;
    driven.call("detachTagFromArticle", &format!("{tags}/{tag}"), Value::Null, &[]).await;
    driven.call("updateArticle", &path, json!({"state": "draft"}), &["article.unpublished"]).await;
    let (_, items) = driven.call("deleteArticle", &path, Value::Null, &["article.deleted"]).await;
    assert_eq!(items[0]["id"], json!(article));
    let published = json!({"title": "News", "author_id": admin, "state": "published"});
    driven.call("createArticle", "/articles", published, &["article.created", "article.published"]).await;
}

#[tokio::test]
async fn a_snoozed_conversation_that_wakes_is_announced() {
    let mut driven = Driven::new(options()).await;
    let (conversation, admin) = driven.ids(|workspace| {
        let open = workspace.conversations.iter().find(|row| row.state.as_str() == "open").unwrap();
        (open.id.clone(), workspace.my_id().to_string())
    });
    driven.client.sandbox.with_workspace(|workspace| workspace.wake_snoozed());
    let snooze = json!({
        "message_type": "snoozed", "type": "admin", "admin_id": admin, "snoozed_until": NOW + 600,
    });
    let path = format!("/conversations/{conversation}");
    let topics_of = ["conversation.admin.snoozed"];
    driven.call("manageConversation", &format!("{path}/parts"), snooze, &topics_of).await;
    driven.client.sandbox.advance(Duration::from_secs(700));
    driven.client.get("/teams").await;
    let woken = driven.received().await;
    let is_it = |notification: &&Notification| notification.item["id"] == json!(conversation);
    assert_eq!(woken.iter().find(is_it).unwrap().topic, "conversation.admin.unsnoozed");
}

#[tokio::test]
async fn bodies_are_plain_text_for_apps_with_a_later_version() {
    let api_version = "2.15".parse().unwrap();
    let mut driven = Driven::new(Options { api_version, ..options() }).await;
    let user = driven.ids(|workspace| workspace.contacts.iter().find(|row| row.is_user).unwrap().id.clone());
    let body = json!({"from": {"type": "user", "id": user}, "body": "<p>One &amp; <b>two</b></p>"});
    let created = &["conversation.user.created"];
    let (_, items) = driven.call("createConversation", "/conversations", body, created).await;
    assert_eq!(items[0]["source"]["body"], "One & two");
    let conversation: intercom::types::Conversation = serde_json::from_value(items[0].clone()).unwrap();
    assert_eq!(conversation.created_at.map(|time| time.as_second() / DAY), Some(NOW / DAY));
}
