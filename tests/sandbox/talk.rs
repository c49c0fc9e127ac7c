//! Conversations, tickets and articles, and what changes them.

use super::*;

// ---- Conversations ----

#[tokio::test]
async fn lists_carry_no_parts_and_one_conversation_at_most_five_hundred() {
    let caller = Caller::usual().await;
    let listed = caller.get("/conversations").await;
    assert_eq!(listed["type"], "conversation.list");
    assert_eq!(listed["conversations"].as_array().unwrap().len(), 20);
    let row = &listed["conversations"][0];
    assert!(row.get("conversation_parts").is_none());
    assert!(row["tags"]["tags"].is_array());

    let path = format!("/conversations/{}", row["id"].as_str().unwrap());
    let before = caller.get(&path).await["conversation_parts"]["total_count"].as_u64().unwrap();
    caller.sandbox.with_workspace(|workspace| {
        use intercom::sandbox::model::conversation::{Author, Happening};
        let at = workspace.now();
        let author = Author::Admin(workspace.my_id());
        let id = row["id"].as_str().unwrap();
        for number in 0..600 {
            let note = Happening::new("note", author.clone(), at).saying(number.to_string());
            workspace.happen(id, note).unwrap();
        }
    });
    let whole = caller.get(&path).await;
    let parts = whole["conversation_parts"]["conversation_parts"].as_array().unwrap();
    assert_eq!(parts.len(), 500);
    assert_eq!(parts.last().unwrap()["body"], "599");
    assert_eq!(whole["statistics"]["count_conversation_parts"], before + 600);
}

#[tokio::test]
async fn replies_and_actions_move_state_and_statistics() {
    let caller = Caller::usual().await;
    let me = caller.get("/me").await["id"].as_str().unwrap().to_owned();
    let contact = caller.post("/contacts", json!({"external_id": "asks"})).await["id"].clone();
    let start = json!({"from": {"type": "user", "id": contact}, "body": "Where is <my> order?"});
    let started = caller.post("/conversations", start).await;
    let path = format!("/conversations/{}", started["conversation_id"].as_str().unwrap());
    let say = |body: Value| {
        caller.sandbox.advance(Duration::from_secs(60));
        let path = format!("{path}/reply");
        let caller = &caller;
        async move { caller.post(&path, body).await }
    };
    let act = |body: Value| {
        caller.sandbox.advance(Duration::from_secs(60));
        let path = format!("{path}/parts");
        let caller = &caller;
        async move { caller.post(&path, body).await }
    };

    let fresh = caller.get(&path).await;
    assert_eq!(fresh["waiting_since"], fresh["created_at"]);
    let noted = say(json!({"message_type": "note", "type": "admin", "admin_id": me, "body": "Hm"})).await;
    assert!(noted["statistics"]["first_admin_reply_at"].is_null());
    let assigned =
        act(json!({"message_type": "assignment", "type": "admin", "admin_id": me, "assignee_id": me})).await;
    assert!(assigned["statistics"]["first_admin_reply_at"].is_null());
    assert_eq!(assigned["statistics"]["count_assignments"], 1);
    assert_eq!(assigned["admin_assignee_id"].to_string(), me);
    let answered =
        say(json!({"message_type": "comment", "type": "admin", "admin_id": me, "body": "On its way"})).await;
    assert_eq!(answered["statistics"]["first_admin_reply_at"], answered["updated_at"]);
    assert!(answered["waiting_since"].is_null());
    let closed = act(json!({"message_type": "close", "type": "admin", "admin_id": me})).await;
    assert_eq!((&closed["state"], &closed["open"]), (&json!("closed"), &json!(false)));
    assert_eq!(closed["statistics"]["last_closed_by_id"], me.as_str());
    let asked =
        json!({"message_type": "comment", "type": "user", "intercom_user_id": contact, "body": "Again"});
    let reopened = say(asked).await;
    assert_eq!((&reopened["state"], &reopened["statistics"]["count_reopens"]), (&json!("open"), &json!(1)));
    assert_eq!(reopened["waiting_since"], reopened["updated_at"]);
    assert_eq!(reopened["statistics"]["count_conversation_parts"], 5);

    let until = NOW + 2 * DAY;
    let pause = json!({"message_type": "snoozed", "admin_id": me, "snoozed_until": until});
    assert_eq!(act(pause).await["snoozed_until"], until);
    caller.sandbox.advance(Duration::from_secs(3 * DAY as u64));
    assert_eq!(caller.get(&path).await["state"], "open");

    let plain = caller.get(&format!("{path}?display_as=plaintext")).await;
    assert_eq!(plain["conversation_parts"]["conversation_parts"][2]["body"], "On its way");
    let (_, titled) = caller.call(Method::PUT, &path, json!({"title": "Order", "read": true})).await;
    assert_eq!((&titled["title"], &titled["read"]), (&json!("Order"), &json!(true)));

    let nobody = json!({"message_type": "close", "type": "admin", "admin_id": "1"});
    assert_eq!(caller.refused(Method::POST, &format!("{path}/parts"), nobody).await.1, "admin_not_found");
    let unknown = json!({"message_type": "shout", "admin_id": me});
    assert_eq!(caller.refused(Method::POST, &format!("{path}/parts"), unknown).await.0, 400);
    assert_eq!(caller.call(Method::DELETE, &path, Value::Null).await.1["deleted"], true);
    assert_eq!(caller.refused(Method::GET, &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn tagging_a_conversation_needs_a_teammate() {
    let caller = Caller::usual().await;
    let me = caller.get("/me").await["id"].clone();
    let tag = caller.get("/tags").await["data"][0]["id"].clone();
    let id = caller.sandbox.with_workspace(|workspace| {
        workspace.conversations.iter().find(|row| row.tags.is_empty()).unwrap().id.clone()
    });
    let path = format!("/conversations/{id}/tags");
    assert_eq!(caller.refused(Method::POST, &path, json!({"id": tag})).await.0, 400);
    let stranger = json!({"id": tag, "admin_id": "12"});
    assert_eq!(caller.refused(Method::POST, &path, stranger).await, (404, "admin_not_found".to_owned()));
    caller.post(&path, json!({"id": tag, "admin_id": me})).await;
    let tagged = caller.get(&format!("/conversations/{id}")).await;
    assert_eq!(tagged["tags"]["tags"][0]["id"], tag);
    assert!(tagged["updated_at"].as_i64() >= Some(NOW));
    assert!(caller.conversations(test("tag_ids", "=", tag.clone())).await.contains(&id));
    let one = format!("{path}/{}", tag.as_str().unwrap());
    assert_eq!(caller.call(Method::DELETE, &one, json!({"admin_id": me})).await.0, 200);
    assert_eq!(caller.refused(Method::DELETE, &one, json!({"admin_id": me})).await.1, "tag_not_found");
}

#[tokio::test]
async fn people_join_leave_and_messages_are_redacted() {
    let caller = Caller::usual().await;
    let me = caller.get("/me").await["id"].clone();
    let row = caller.get("/conversations?per_page=1").await["conversations"][0].clone();
    let (id, own) = (row["id"].as_str().unwrap(), row["contacts"]["contacts"][0]["id"].as_str().unwrap());
    let guest = caller.post("/contacts", json!({"external_id": "guest"})).await["id"].clone();
    let path = format!("/conversations/{id}/customers");
    let leave = |who: &str| format!("{path}/{who}");
    let admin = json!({"admin_id": me});
    assert_eq!(caller.refused(Method::DELETE, &leave(own), admin.clone()).await.0, 422);
    let invite = json!({"admin_id": me, "customer": {"user_id": "guest"}});
    assert_eq!(caller.post(&path, invite).await["customers"].as_array().unwrap().len(), 2);
    assert_eq!(caller.call(Method::DELETE, &leave(guest.as_str().unwrap()), admin).await.0, 200);

    let source = row["source"]["id"].clone();
    let redact = json!({"type": "source", "conversation_id": id, "source_id": source});
    assert_eq!(caller.post("/conversations/redact", redact).await["source"]["redacted"], true);
    let wrong = json!({"type": "conversation_part", "conversation_id": id, "conversation_part_id": "1"});
    assert_eq!(caller.refused(Method::POST, "/conversations/redact", wrong).await.0, 404);
}

// ---- Tickets, articles and the rest ----

#[tokio::test]
async fn tickets_live() {
    let caller = Caller::usual().await;
    let kinds = caller.get("/ticket_types").await;
    let kind = |category: &str| {
        let kinds = kinds["data"].as_array().unwrap();
        kinds.iter().find(|kind| kind["category"] == category).unwrap()["id"].clone()
    };
    let (customer, office) = (kind("Customer"), kind("Back-office"));
    let body = json!({
        "ticket_type_id": customer,
        "contacts": [{"email": "new@example.com"}],
        "ticket_attributes": {"_default_title_": "Broken"},
    });
    let ticket = caller.post("/tickets", body).await;
    let path = format!("/tickets/{}", ticket["id"].as_str().unwrap());
    assert_eq!(ticket["ticket_state"]["category"], "submitted");
    let states = caller.get("/ticket_states").await;
    let resolved = states["data"].as_array().unwrap().last().unwrap()["id"].clone();
    let (_, closed) = caller.call(Method::PUT, &path, json!({"ticket_state_id": resolved})).await;
    assert_eq!((&closed["open"], &closed["ticket_parts"]["total_count"]), (&json!(false), &json!(1)));
    let (status, code) = caller.refused(Method::PUT, &path, json!({"ticket_state_id": "1"})).await;
    assert_eq!((status, code.as_str()), (400, "ticket_state_id_invalid"));
    let titled = caller.found("/tickets/search", "tickets", test("title", "=", "broken")).await;
    assert_eq!(titled.len(), 1);

    let body = json!({"ticket_type_id": office, "contacts": [{"email": "new@example.com"}]});
    let internal = caller.post("/tickets", body).await;
    let reply = json!({"message_type": "comment", "type": "user", "email": "new@example.com", "body": "Hi"});
    let path = format!("/tickets/{}/reply", internal["id"].as_str().unwrap());
    assert_eq!(caller.refused(Method::POST, &path, reply).await.1, "parameter_mismatch");

    let id = caller.get("/conversations?per_page=1").await["conversations"][0]["id"].clone();
    let path = format!("/conversations/{}/convert", id.as_str().unwrap());
    assert_eq!(caller.refused(Method::POST, &path, json!({"ticket_type_id": office})).await.0, 400);
    let made = caller.post(&path, json!({"ticket_type_id": customer})).await;
    let linked = &caller.get(&format!("/conversations/{}", id.as_str().unwrap())).await["linked_objects"];
    assert_eq!(linked["data"][0]["id"], made["id"]);
}

#[tokio::test]
async fn articles_keep_the_service_s_dangerous_habits() {
    let locales = ["en", "de", "fr"].map(str::to_owned).into();
    let caller = Caller::new(Options { locales, ..options() }).await;
    let author = caller.get("/me").await["id"].as_str().unwrap().parse::<i64>().unwrap();
    let body = json!({
        "title": "Moving house",
        "author_id": author,
        "body": "<h2 id=\"h_mine\">First</h2><p>Pack.</p>",
        "translated_content": {"de": {"title": "Umziehen"}, "fr": {"title": "Déménager"}},
    });
    let made = caller.post("/articles", body).await;
    assert_eq!(made["state"], "draft");
    assert!(made["body"].as_str().unwrap().ends_with(">First</h2><p class=\"no-margin\">Pack.</p>"));
    assert!(!made["body"].as_str().unwrap().contains("h_mine"));
    assert_eq!(made["translated_content"]["fr"]["title"], "Déménager");
    assert_eq!(made["translated_content"]["en"]["title"], "Moving house");

    let path = format!("/articles/{}", made["id"].as_str().unwrap());
    let change = json!({"translated_content": {"de": {"title": "Umzug"}}});
    let (_, changed) = caller.call(Method::PUT, &path, change).await;
    assert_eq!(changed["state"], "published");
    assert!(changed["translated_content"].get("fr").is_none());
    assert_eq!(caller.get("/articles?per_page=1").await["data"][0]["id"], made["id"]);
    let found = caller.get("/articles/search?phrase=house&highlight=true").await;
    assert_eq!(ids(&found["data"]["articles"]), [made["id"].as_str().unwrap()]);
    assert_eq!(found["data"]["highlights"][0]["highlighted_title"][1]["text"], "house");
    assert_eq!(caller.call(Method::DELETE, &path, Value::Null).await.1["object"], "article");

    let single = Caller::usual().await;
    assert!(single.get("/articles").await["data"][0].get("translated_content").is_none());
}
