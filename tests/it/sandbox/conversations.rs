//! Conversations, tickets and articles, and operations that change them.

use super::*;

// ---- Conversations ----

#[tokio::test]
async fn lists_omit_parts_and_a_conversation_has_at_most_500() {
    let client = TestClient::with_defaults().await;
    let listed = client.get("/conversations").await;
    assert_eq!(listed["type"], "conversation.list");
    assert_eq!(listed["conversations"].as_array().unwrap().len(), 20);
    let row = &listed["conversations"][0];
    assert!(row.get("conversation_parts").is_none());
    assert!(row["tags"]["tags"].is_array());

    let path = format!("/conversations/{}", row["id"].as_str().unwrap());
    let before = client.get(&path).await["conversation_parts"]["total_count"].as_u64().unwrap();
    client.sandbox.with_workspace(|workspace| {
        use intercom::sandbox::model::conversation::{Author, ConversationEvent};
        let at = workspace.now();
        let author = Author::Admin(workspace.my_id());
        let id = row["id"].as_str().unwrap();
        for number in 0..600 {
            let note = ConversationEvent::new("note", author.clone(), at).with_body(number.to_string());
            workspace.apply_event(id, note).unwrap();
        }
    });
    let conversation = client.get(&path).await;
    let parts = conversation["conversation_parts"]["conversation_parts"].as_array().unwrap();
    assert_eq!(parts.len(), 500);
    assert_eq!(parts.last().unwrap()["body"], "599");
    assert_eq!(conversation["statistics"]["count_conversation_parts"], before + 600);
}

#[tokio::test]
async fn replies_and_actions_update_state_and_statistics() {
    let client = TestClient::with_defaults().await;
    let me = client.get("/me").await["id"].as_str().unwrap().to_owned();
    let contact = client.post("/contacts", json!({"external_id": "asks"})).await["id"].clone();
    let start = json!({"from": {"type": "user", "id": contact}, "body": "Where is <my> order?"});
    let started = client.post("/conversations", start).await;
    let path = format!("/conversations/{}", started["conversation_id"].as_str().unwrap());
    let reply = |body: Value| {
        client.sandbox.advance(Duration::from_secs(60));
        let path = format!("{path}/reply");
        let client = &client;
        async move { client.post(&path, body).await }
    };
    let manage = |body: Value| {
        client.sandbox.advance(Duration::from_secs(60));
        let path = format!("{path}/parts");
        let client = &client;
        async move { client.post(&path, body).await }
    };

    let fresh = client.get(&path).await;
    assert_eq!(fresh["waiting_since"], fresh["created_at"]);
    let noted = reply(json!({"message_type": "note", "type": "admin", "admin_id": me, "body": "Hm"})).await;
    assert!(noted["statistics"]["first_admin_reply_at"].is_null());
    let assigned =
        manage(json!({"message_type": "assignment", "type": "admin", "admin_id": me, "assignee_id": me}))
            .await;
    assert!(assigned["statistics"]["first_admin_reply_at"].is_null());
    assert_eq!(assigned["statistics"]["count_assignments"], 1);
    assert_eq!(assigned["admin_assignee_id"].to_string(), me);
    let answered =
        reply(json!({"message_type": "comment", "type": "admin", "admin_id": me, "body": "On its way"}))
            .await;
    assert_eq!(answered["statistics"]["first_admin_reply_at"], answered["updated_at"]);
    assert!(answered["waiting_since"].is_null());
    let closed = manage(json!({"message_type": "close", "type": "admin", "admin_id": me})).await;
    assert_eq!((&closed["state"], &closed["open"]), (&json!("closed"), &json!(false)));
    assert_eq!(closed["statistics"]["last_closed_by_id"], me.as_str());
    let contact_reply =
        json!({"message_type": "comment", "type": "user", "intercom_user_id": contact, "body": "Again"});
    let reopened = reply(contact_reply).await;
    assert_eq!((&reopened["state"], &reopened["statistics"]["count_reopens"]), (&json!("open"), &json!(1)));
    assert_eq!(reopened["waiting_since"], reopened["updated_at"]);
    assert_eq!(reopened["statistics"]["count_conversation_parts"], 5);

    let until = NOW + 2 * DAY;
    let snooze = json!({"message_type": "snoozed", "admin_id": me, "snoozed_until": until});
    assert_eq!(manage(snooze).await["snoozed_until"], until);
    client.sandbox.advance(Duration::from_secs(3 * DAY as u64));
    assert_eq!(client.get(&path).await["state"], "open");

    let plain = client.get(&format!("{path}?display_as=plaintext")).await;
    assert_eq!(plain["conversation_parts"]["conversation_parts"][2]["body"], "On its way");
    let (_, titled) = client.call(Method::PUT, &path, json!({"title": "Order", "read": true})).await;
    assert_eq!((&titled["title"], &titled["read"]), (&json!("Order"), &json!(true)));

    let unknown_teammate = json!({"message_type": "close", "type": "admin", "admin_id": "1"});
    assert_eq!(
        client.error(Method::POST, &format!("{path}/parts"), unknown_teammate).await.1,
        "admin_not_found"
    );
    let unknown_action = json!({"message_type": "shout", "admin_id": me});
    assert_eq!(client.error(Method::POST, &format!("{path}/parts"), unknown_action).await.0, 400);
    assert_eq!(client.call(Method::DELETE, &path, Value::Null).await.1["deleted"], true);
    assert_eq!(client.error(Method::GET, &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn tagging_a_conversation_requires_a_teammate() {
    let client = TestClient::with_defaults().await;
    let me = client.get("/me").await["id"].clone();
    let tag = client.get("/tags").await["data"][0]["id"].clone();
    let id = client.sandbox.with_workspace(|workspace| {
        workspace.conversations.iter().find(|row| row.tags.is_empty()).unwrap().id.clone()
    });
    let path = format!("/conversations/{id}/tags");
    assert_eq!(client.error(Method::POST, &path, json!({"id": tag})).await.0, 400);
    let unknown_teammate = json!({"id": tag, "admin_id": "12"});
    assert_eq!(
        client.error(Method::POST, &path, unknown_teammate).await,
        (404, "admin_not_found".to_owned())
    );
    client.post(&path, json!({"id": tag, "admin_id": me})).await;
    let tagged = client.get(&format!("/conversations/{id}")).await;
    assert_eq!(tagged["tags"]["tags"][0]["id"], tag);
    assert!(tagged["updated_at"].as_i64() >= Some(NOW));
    assert!(client.search_conversations(filter("tag_ids", "=", tag.clone())).await.contains(&id));
    let tag_path = format!("{path}/{}", tag.as_str().unwrap());
    assert_eq!(client.call(Method::DELETE, &tag_path, json!({"admin_id": me})).await.0, 200);
    assert_eq!(client.error(Method::DELETE, &tag_path, json!({"admin_id": me})).await.1, "tag_not_found");
}

#[tokio::test]
async fn contacts_join_and_leave_and_messages_can_be_redacted() {
    let client = TestClient::with_defaults().await;
    let me = client.get("/me").await["id"].clone();
    let row = client.get("/conversations?per_page=1").await["conversations"][0].clone();
    let (id, contact_id) =
        (row["id"].as_str().unwrap(), row["contacts"]["contacts"][0]["id"].as_str().unwrap());
    let guest = client.post("/contacts", json!({"external_id": "guest"})).await["id"].clone();
    let path = format!("/conversations/{id}/customers");
    let contact_path = |contact: &str| format!("{path}/{contact}");
    let admin = json!({"admin_id": me});
    assert_eq!(client.error(Method::DELETE, &contact_path(contact_id), admin.clone()).await.0, 422);
    let invite = json!({"admin_id": me, "customer": {"user_id": "guest"}});
    assert_eq!(client.post(&path, invite).await["customers"].as_array().unwrap().len(), 2);
    assert_eq!(client.call(Method::DELETE, &contact_path(guest.as_str().unwrap()), admin).await.0, 200);

    let source = row["source"]["id"].clone();
    let redact = json!({"type": "source", "conversation_id": id, "source_id": source});
    assert_eq!(client.post("/conversations/redact", redact).await["source"]["redacted"], true);
    let unknown_part =
        json!({"type": "conversation_part", "conversation_id": id, "conversation_part_id": "1"});
    assert_eq!(client.error(Method::POST, "/conversations/redact", unknown_part).await.0, 404);
}

// ---- Tickets and articles ----

#[tokio::test]
async fn tickets_can_be_created_resolved_searched_and_converted() {
    let client = TestClient::with_defaults().await;
    let ticket_types = client.get("/ticket_types").await;
    let type_id = |category: &str| {
        let mut ticket_types = ticket_types["data"].as_array().unwrap().iter();
        ticket_types.find(|ticket_type| ticket_type["category"] == category).unwrap()["id"].clone()
    };
    let (customer, back_office) = (type_id("Customer"), type_id("Back-office"));
    let body = json!({
        "ticket_type_id": customer,
        "contacts": [{"email": "new@example.com"}],
        "ticket_attributes": {"_default_title_": "Broken"},
    });
    let ticket = client.post("/tickets", body).await;
    let path = format!("/tickets/{}", ticket["id"].as_str().unwrap());
    assert_eq!(ticket["ticket_state"]["category"], "submitted");
    let states = client.get("/ticket_states").await;
    let resolved = states["data"].as_array().unwrap().last().unwrap()["id"].clone();
    let (_, closed) = client.call(Method::PUT, &path, json!({"ticket_state_id": resolved})).await;
    assert_eq!((&closed["open"], &closed["ticket_parts"]["total_count"]), (&json!(false), &json!(1)));
    let (status, code) = client.error(Method::PUT, &path, json!({"ticket_state_id": "1"})).await;
    assert_eq!((status, code.as_str()), (400, "ticket_state_id_invalid"));
    let titled = client.search_ids("/tickets/search", "tickets", filter("title", "=", "broken")).await;
    assert_eq!(titled.len(), 1);

    let body = json!({"ticket_type_id": back_office, "contacts": [{"email": "new@example.com"}]});
    let internal = client.post("/tickets", body).await;
    let reply = json!({"message_type": "comment", "type": "user", "email": "new@example.com", "body": "Hi"});
    let path = format!("/tickets/{}/reply", internal["id"].as_str().unwrap());
    assert_eq!(client.error(Method::POST, &path, reply).await.1, "parameter_mismatch");

    let id = client.get("/conversations?per_page=1").await["conversations"][0]["id"].clone();
    let path = format!("/conversations/{}/convert", id.as_str().unwrap());
    assert_eq!(client.error(Method::POST, &path, json!({"ticket_type_id": back_office})).await.0, 400);
    let converted = client.post(&path, json!({"ticket_type_id": customer})).await;
    let linked = &client.get(&format!("/conversations/{}", id.as_str().unwrap())).await["linked_objects"];
    assert_eq!(linked["data"][0]["id"], converted["id"]);
}

#[tokio::test]
async fn updating_an_article_publishes_it_and_deletes_omitted_translations() {
    let locales = ["en", "de", "fr"].map(str::to_owned).into();
    let client = TestClient::new(Options { locales, ..options() }).await;
    let author = client.get("/me").await["id"].as_str().unwrap().parse::<i64>().unwrap();
    let body = json!({
        "title": "Moving house",
        "author_id": author,
        "body": "<h2 id=\"h_mine\">First</h2><p>Pack.</p>",
        "translated_content": {"de": {"title": "Umziehen"}, "fr": {"title": "Déménager"}},
    });
    let created = client.post("/articles", body).await;
    assert_eq!(created["state"], "draft");
    assert!(created["body"].as_str().unwrap().ends_with(">First</h2><p class=\"no-margin\">Pack.</p>"));
    assert!(!created["body"].as_str().unwrap().contains("h_mine"));
    assert_eq!(created["translated_content"]["fr"]["title"], "Déménager");
    assert_eq!(created["translated_content"]["en"]["title"], "Moving house");

    let path = format!("/articles/{}", created["id"].as_str().unwrap());
    let change = json!({"translated_content": {"de": {"title": "Umzug"}}});
    let (_, updated) = client.call(Method::PUT, &path, change).await;
    assert_eq!(updated["state"], "published");
    assert!(updated["translated_content"].get("fr").is_none());
    assert_eq!(client.get("/articles?per_page=1").await["data"][0]["id"], created["id"]);
    let results = client.get("/articles/search?phrase=house&highlight=true").await;
    assert_eq!(ids(&results["data"]["articles"]), [created["id"].as_str().unwrap()]);
    assert_eq!(results["data"]["highlights"][0]["highlighted_title"][1]["text"], "house");
    assert_eq!(client.call(Method::DELETE, &path, Value::Null).await.1["object"], "article");

    let single = TestClient::with_defaults().await;
    assert!(single.get("/articles").await["data"][0].get("translated_content").is_none());
}
