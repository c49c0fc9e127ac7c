//! Merged and deleted records, side conversations, conversation attributes, banners, company notes and macros.

use super::knowledge::{newest, newest_get, refusal};
use super::*;

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn merging_moves_the_messages_and_closes_the_other_conversation() {
    let client = TestClient::with_defaults().await;
    let (one, other) = client.sandbox.with_workspace(|workspace| {
        let rows = &workspace.conversations;
        let with_messages = rows.iter().find(|row| row.parts.iter().any(|part| part.body.is_some())).unwrap();
        let primary = rows.iter().find(|row| row.contacts != with_messages.contacts).unwrap();
        (primary.id.clone(), with_messages.id.clone())
    });
    let get = async |id: &str| newest_get(&client, &format!("/conversations/{id}")).await;
    let bodies = |conversation: &Value| -> usize {
        let parts = conversation["conversation_parts"]["conversation_parts"].as_array().unwrap();
        parts.iter().filter(|part| !part["body"].is_null()).count()
    };
    let (primary, secondary) = (get(&one).await, get(&other).await);
    let path = format!("/conversations/{other}/merge");
    let into = |id: &str| json!({"merge_into_conversation_id": id.parse::<u64>().unwrap()});
    let (status, merged) = newest(&client, Method::POST, &path, into(&one)).await;
    assert_eq!((status, &merged["id"], &merged["state"]), (200, &json!(one), &primary["state"]));
    assert_eq!(bodies(&merged), bodies(&primary) + bodies(&secondary) + 1);
    let parts = merged["conversation_parts"]["conversation_parts"].as_array().unwrap();
    assert_eq!(parts.last().unwrap()["part_type"], "merged_primary_conversation");
    assert_eq!(merged["contacts"]["contacts"].as_array().unwrap().len(), 2);
    let left = get(&other).await;
    assert_eq!((&left["state"], bodies(&left)), (&json!("closed"), 0));
    let linked = &left["linked_objects"]["data"][0];
    assert_eq!((&linked["type"], &linked["id"]), (&json!("conversation"), &json!(one)));

    for (path, target) in [
        (path.as_str(), one.as_str()),
        (&format!("/conversations/{one}/merge"), &one),
        (&format!("/conversations/{one}/merge"), "404"),
        ("/conversations/404/merge", &one),
    ] {
        assert_eq!(refusal(&client, Method::POST, path, into(target)).await, code(422, "merge_failed"));
    }
}

#[tokio::test]
async fn deleted_conversations_are_listed() {
    let client = TestClient::with_defaults().await;
    let list = "/conversations/deleted";
    assert_eq!(newest_get(&client, list).await["conversations"], json!([]));
    let rows: Vec<String> = client.sandbox.with_workspace(|workspace| {
        workspace.conversations.iter().take(3).map(|row| row.id.clone()).collect()
    });
    for (id, query) in rows.iter().zip(["", "?retain_metrics=true", "?retain_metrics=false"]) {
        let path = format!("/conversations/{id}{query}");
        assert_eq!(newest(&client, Method::DELETE, &path, Value::Null).await.0, 200);
    }
    let deleted = newest_get(&client, &format!("{list}?per_page=2")).await;
    assert_eq!((&deleted["type"], &deleted["total_count"]), (&json!("conversations.list"), &json!(3)));
    assert!(deleted["pages"]["next"].as_str().unwrap().contains("page=2"));
    let first = &deleted["conversations"][0];
    assert_eq!((&first["id"], &first["metrics_retained"]), (&json!(rows[2]), &json!(false)));
    assert!(first["deleted_at"].as_i64().unwrap() >= NOW);
    let ascending = newest_get(&client, &format!("{list}?order=asc")).await;
    assert_eq!(ids(&ascending["conversations"]), rows);
    for wrong in ["per_page=61", "order=up"] {
        let path = format!("{list}?{wrong}");
        assert_eq!(refusal(&client, Method::GET, &path, Value::Null).await, code(400, "parameter_invalid"));
    }
}

#[tokio::test]
async fn merges_of_contacts_have_a_history() {
    let client = TestClient::with_defaults().await;
    let (user, leads) = client.sandbox.with_workspace(|workspace| {
        let ids = |is_user: bool| {
            let rows = workspace.contacts.iter().filter(move |row| row.is_user == is_user);
            rows.map(|row| row.id.clone()).take(3).collect::<Vec<_>>()
        };
        (ids(true).remove(0), ids(false))
    });
    for lead in &leads {
        let body = json!({"from": lead, "into": user, "skip_duplicate_validation": true});
        assert_eq!(newest(&client, Method::POST, "/contacts/merge", body).await.0, 200);
    }
    let path = format!("/contacts/{user}/merge_history");
    let sources = |page: &Value| -> Vec<String> {
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["source_contact_id"].as_str().unwrap().to_owned()).collect()
    };
    let first = newest_get(&client, &format!("{path}?per_page=2")).await;
    assert_eq!(
        (sources(&first), &first["has_more"]),
        (vec![leads[2].clone(), leads[1].clone()], &json!(true))
    );
    assert_eq!(first["data"][0]["source_contact_role"], "lead");
    let cursor = first["next_cursor"].as_str().unwrap();
    let cursor = percent_encoding::utf8_percent_encode(cursor, percent_encoding::NON_ALPHANUMERIC);
    let last = newest_get(&client, &format!("{path}?per_page=2&cursor={cursor}")).await;
    assert_eq!((sources(&last), &last["has_more"]), (vec![leads[0].clone()], &json!(false)));
    assert!(last.get("next_cursor").is_none());
    assert_eq!(sources(&newest_get(&client, &format!("{path}?order=asc")).await), leads);
    for wrong in ["per_page=151", "per_page=0", "cursor=x", "order=up"] {
        let path = format!("{path}?{wrong}");
        assert_eq!(refusal(&client, Method::GET, &path, Value::Null).await.0, 400, "{path}");
    }
    let gone = format!("/contacts/{}/merge_history", leads[0]);
    assert_eq!(refusal(&client, Method::GET, &gone, Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_dismissed_banner_is_not_shown_again() {
    let client = TestClient::with_defaults().await;
    let user = client
        .sandbox
        .with_workspace(|workspace| workspace.contacts.iter().find(|row| row.is_user).unwrap().id.clone());
    let path = format!("/contacts/{user}/banners");
    let shown = newest_get(&client, &path).await;
    assert_eq!(shown["data"].as_array().unwrap().len(), 2);
    let view = shown["data"][0]["view_id"].as_str().unwrap();
    for _ in 0..2 {
        let dismiss = format!("{path}/{view}/dismiss");
        let (status, answer) = newest(&client, Method::POST, &dismiss, Value::Null).await;
        assert_eq!((status, &answer["dismissed"], &answer["view_id"]), (200, &json!(true), &json!(view)));
    }
    assert_eq!(newest_get(&client, &path).await["data"], json!([shown["data"][1]]));
    let unknown = format!("{path}/404/dismiss");
    assert_eq!(refusal(&client, Method::POST, &unknown, Value::Null).await, code(404, "not_found"));
    assert_eq!(refusal(&client, Method::GET, "/contacts/404/banners", Value::Null).await.0, 404);
}

#[tokio::test]
async fn side_conversations_belong_to_a_conversation() {
    let client = TestClient::new(options().with_story()).await;
    let id = intercom::sandbox::story::CONVERSATION;
    let path = format!("/conversations/{id}/side_conversations");
    let list = newest_get(&client, &path).await;
    assert_eq!((&list["type"], &list["total_count"]), (&json!("side_conversation.list"), &json!(1)));
    let thread = &list["side_conversations"][0];
    assert_eq!(
        (&thread["total_count"], &thread["conversation_parts"][0]["author"]["type"]),
        (&json!(2), &json!("admin"))
    );
    assert_eq!(refusal(&client, Method::GET, &format!("{path}?per_page=51"), Value::Null).await.0, 400);
    let missing = "/conversations/404/side_conversations";
    assert_eq!(refusal(&client, Method::GET, missing, Value::Null).await.0, 404);
}

#[tokio::test]
async fn conversation_attributes_and_options_are_archived_not_deleted() {
    let client = TestClient::with_defaults().await;
    let attributes = "/conversations/attributes";
    let names = async |query: &str| {
        let list = newest_get(&client, &format!("{attributes}{query}")).await;
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["product_area", "Severity", "Order number", "Order total"]);
    let body =
        json!({"name": "Reason", "data_type": "list", "options": [{"label": "Late"}, {"label": "Broken"}]});
    let (status, created) = newest(&client, Method::POST, attributes, body.clone()).await;
    assert_eq!((status, &created["options"][1]["label"]), (200, &json!("Broken")));
    assert_eq!(refusal(&client, Method::POST, attributes, body).await, code(422, "parameter_invalid"));
    let wrong_type = json!({"name": "x", "data_type": "colour"});
    assert_eq!(refusal(&client, Method::POST, attributes, wrong_type).await.0, 400);
    let one = format!("{attributes}/{}", created["id"]);
    let multiline = json!({"multiline": true});
    assert_eq!(refusal(&client, Method::PUT, &one, multiline).await, code(422, "parameter_invalid"));
    let (_, renamed) = newest(&client, Method::PUT, &one, json!({"name": "Cause", "required": true})).await;
    assert_eq!((&renamed["name"], &renamed["required"]), (&json!("Cause"), &json!(true)));

    let options = format!("{one}/options");
    let (_, with_third) = newest(&client, Method::POST, &options, json!({"label": "Lost"})).await;
    let option =
        |number: usize| format!("{options}/{}", with_third["options"][number]["id"].as_str().unwrap());
    let (_, relabelled) = newest(&client, Method::PUT, &option(0), json!({"label": "Delayed"})).await;
    assert_eq!(relabelled["options"][0]["label"], "Delayed");
    let more = json!({"label": "x", "archived": true});
    assert_eq!(refusal(&client, Method::PUT, &option(0), more).await, code(422, "parameter_invalid"));
    let (_, left) = newest(&client, Method::DELETE, &option(0), Value::Null).await;
    assert_eq!(left["options"][0]["archived"], true);
    let too_few = refusal(&client, Method::DELETE, &option(1), Value::Null).await;
    assert_eq!(too_few, code(422, "parameter_invalid"));
    let missing = code(404, "conversation_attribute_not_found");
    assert_eq!(refusal(&client, Method::DELETE, &format!("{options}/404"), Value::Null).await, missing);
    let no_list = format!("{attributes}/6500002/options");
    assert_eq!(refusal(&client, Method::POST, &no_list, json!({"label": "x"})).await.0, 422);

    let (_, archived) = newest(&client, Method::DELETE, &one, Value::Null).await;
    assert_eq!(archived["archived"], true);
    assert!(!names("").await.contains(&"Cause".to_owned()));
    assert!(names("?include_archived=true").await.contains(&"Cause".to_owned()));
    assert_eq!(refusal(&client, Method::GET, &format!("{attributes}/404"), Value::Null).await, missing);
}

#[tokio::test]
async fn company_notes_are_notes_too() {
    let client = TestClient::with_defaults().await;
    let company = client.sandbox.with_workspace(|workspace| workspace.companies[0].id.clone());
    let path = format!("/companies/{company}/notes");
    let (status, note) = newest(&client, Method::POST, &path, json!({"body": "Renewal in May"})).await;
    assert_eq!((status, &note["company"]["id"], &note["type"]), (200, &json!(company), &json!("note")));
    assert_eq!(newest_get(&client, &format!("/notes/{}", note["id"].as_str().unwrap())).await, note);
    assert_eq!(refusal(&client, Method::POST, &path, json!({})).await.0, 400);
    let missing = refusal(&client, Method::POST, "/companies/404/notes", json!({"body": "x"})).await;
    assert_eq!(missing, code(404, "company_not_found"));
}

#[tokio::test]
async fn macros_have_iso_times_and_are_listed_by_cursor() {
    let client = TestClient::with_defaults().await;
    let first = newest_get(&client, "/macros?per_page=2").await;
    assert_eq!(ids(&first["data"]), ["6400001", "6400002"]);
    assert_eq!(first["data"][0]["updated_at"], "2025-11-22T15:00:00.000Z");
    let cursor = first["pages"]["next"]["starting_after"].as_str().unwrap();
    let cursor = percent_encoding::utf8_percent_encode(cursor, percent_encoding::NON_ALPHANUMERIC);
    let last = newest_get(&client, &format!("/macros?per_page=2&starting_after={cursor}")).await;
    assert_eq!((ids(&last["data"]), &last["pages"]["next"]), (vec!["6400003".to_owned()], &Value::Null));
    let recent = newest_get(&client, &format!("/macros?updated_since={}", NOW - 10 * DAY)).await;
    assert_eq!(ids(&recent["data"]), ["6400001"]);
    assert_eq!(newest_get(&client, "/macros/6400003").await["visible_to"], "specific_teams");
    assert_eq!(refusal(&client, Method::GET, "/macros/404", Value::Null).await, code(404, "not_found"));
    assert_eq!(refusal(&client, Method::GET, "/macros?updated_since=soon", Value::Null).await.0, 400);
}
