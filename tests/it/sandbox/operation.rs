//! What happens beside conversations: exports, jobs, Fin, links of tickets, figures of teams.

use super::settings::refused;
use super::*;

#[tokio::test]
async fn a_reporting_export_is_enqueued_and_downloaded() {
    let client = TestClient::with_defaults().await;
    let path = "/export/reporting_data";
    let datasets = client.latest_get(&format!("{path}/get_datasets")).await;
    assert_eq!(datasets["data"][0]["attributes"][0]["qualified_id"], "conversation.conversation_id");
    let request = json!({
        "dataset_id": "conversation",
        "attribute_ids": ["conversation.conversation_id", "state"],
        "start_time": NOW - 30 * DAY,
        "end_time": NOW,
    });
    let (_, job) = client.latest(Method::POST, &format!("{path}/enqueue"), request.clone()).await;
    assert_eq!(job["status"], "pending");
    let id = job["job_identifier"].as_str().unwrap();
    let download = format!("/download/reporting_data/{id}?app_id=sandbox1");
    assert_eq!(client.refusal(Method::GET, &download, Value::Null).await, refused(404, "not_found"));
    let status = format!("{path}/{id}?app_id=sandbox1&client_id=c");
    assert_eq!(client.latest_get(&status).await["status"], "complete");
    let answer =
        client.request(Method::GET, &download).header("Intercom-Version", "2.16").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/octet-stream");
    let text = answer.text().await.unwrap();
    let rows: Vec<_> = text.lines().collect();
    assert_eq!(rows[0], "conversation_id,state");
    assert!(rows.len() > 50 && rows[1..].iter().all(|row| row.split(',').count() == 2), "{text}");
    for (field, value) in [
        ("dataset_id", json!("nothing")),
        ("attribute_ids", json!(["nothing"])),
        ("attribute_ids", json!([])),
        ("start_time", json!(NOW + 1)),
    ] {
        let mut wrong = request.clone();
        wrong[field] = value;
        let error = client.refusal(Method::POST, &format!("{path}/enqueue"), wrong).await;
        assert_eq!(error, refused(400, "bad_request"), "{field}");
    }
    let elsewhere = format!("{path}/{id}?app_id=other&client_id=c");
    assert_eq!(client.refusal(Method::GET, &elsewhere, Value::Null).await.0, 404);
    for _ in 0..5 {
        client.latest(Method::POST, &format!("{path}/enqueue"), request.clone()).await;
    }
    let sixth = client.refusal(Method::POST, &format!("{path}/enqueue"), request).await;
    assert_eq!(sixth, refused(429, "rate_limit_exceeded"));
}

#[tokio::test]
async fn a_ticket_is_created_by_a_job() {
    let client = TestClient::with_defaults().await;
    let types = client.get("/ticket_types").await;
    let contact = client.get("/contacts?per_page=1").await["data"][0]["id"].clone();
    let mut request = json!({
        "ticket_type_id": types["data"][0]["id"],
        "contacts": [{"id": contact}],
        "ticket_attributes": {"_default_title_": "Slow"},
        "conversation_to_link_id": "215470000000001",
        "assignment": {"admin_assignee_id": "991267001", "team_assignee_id": "5017690"},
    });
    let (_, job) = client.latest(Method::POST, "/tickets/enqueue", request.clone()).await;
    assert_eq!((&job["status"], &job["resource_id"]), (&json!("pending"), &Value::Null));
    let done = client.latest_get(&format!("/jobs/status/{}", job["id"].as_str().unwrap())).await;
    let ticket = client.get(&format!("/tickets/{}", done["resource_id"].as_str().unwrap())).await;
    assert_eq!(ticket["ticket_attributes"]["_default_title_"], "Slow");
    assert_eq!(ticket["admin_assignee_id"], "991267001");
    assert_eq!(ticket["linked_objects"]["data"][0]["id"], "215470000000001");
    for (field, value) in [
        ("conversation_to_link_id", json!("1")),
        ("assignment", json!({"admin_assignee_id": "1"})),
        ("ticket_attributes", json!({"Nothing": 1})),
    ] {
        let valid = request[field].take();
        request[field] = value;
        assert_eq!(client.refusal(Method::POST, "/tickets/enqueue", request.clone()).await.0, 400, "{field}");
        request[field] = valid;
    }
    let missing = client.refusal(Method::GET, "/jobs/status/1", Value::Null).await;
    assert_eq!(missing, refused(404, "job_not_found"));
}

#[tokio::test]
async fn conversations_are_linked_to_one_tracker_ticket() {
    let client = TestClient::with_defaults().await;
    let tracker = ticket_of(&client, "Tracker").await;
    let customer = ticket_of(&client, "Customer").await;
    let links = |ticket: &str| format!("/tickets/{ticket}/linked_conversations");
    let body = json!({"conversation_id": "215470000000002"});
    let (status, conversation) = client.latest(Method::POST, &links(&tracker), body.clone()).await;
    assert_eq!(status, 200, "{conversation}");
    assert_eq!(conversation["linked_objects"]["data"][0]["id"], tracker.as_str());
    let linked = client.get(&format!("/tickets/{tracker}")).await;
    assert_eq!(linked["linked_objects"]["data"][0]["id"], "215470000000002");
    let again = client.refusal(Method::POST, &links(&tracker), body.clone()).await;
    assert_eq!(again, refused(400, "already_linked_to_tracker"));
    let wrong_type = client.refusal(Method::POST, &links(&customer), body).await;
    assert_eq!(wrong_type, refused(400, "invalid_ticket_type"));
    let nothing = client.refusal(Method::POST, &links(&tracker), json!({"conversation_id": "1"})).await;
    assert_eq!(nothing, refused(404, "conversation_not_found"));
    let one = format!("{}/215470000000002", links(&tracker));
    let (_, unlinked) = client.latest(Method::DELETE, &one, Value::Null).await;
    assert_eq!(unlinked["linked_objects"]["total_count"], 0);
    let twice = client.refusal(Method::DELETE, &one, Value::Null).await;
    assert_eq!(twice, refused(404, "conversation_not_found"));
    let missing = client.refusal(Method::DELETE, &format!("{}/1", links("1")), Value::Null).await;
    assert_eq!(missing, refused(404, "ticket_not_found"));
}

/// The id of a ticket with this category.
async fn ticket_of(client: &TestClient, category: &str) -> String {
    client.sandbox.with_workspace(|workspace| {
        let mut tickets = workspace.tickets.iter();
        let ticket = tickets.find(|ticket| workspace.category(ticket) == category);
        ticket.map(|ticket| ticket.id.clone()).unwrap()
    })
}

#[tokio::test]
async fn a_ticket_changes_its_type_within_its_category() {
    let client = TestClient::with_defaults().await;
    let id = ticket_of(&client, "Customer").await;
    let ticket = client.get(&format!("/tickets/{id}")).await;
    let types = client.get("/ticket_types").await;
    let types = types["data"].as_array().unwrap();
    let other =
        types.iter().find(|kind| kind["category"] == "Customer" && kind["id"] != ticket["ticket_type"]["id"]);
    let internal = types.iter().find(|kind| kind["category"] == "Tracker").unwrap();
    let path = format!("/tickets/{id}/change_type");
    let state = client.get("/ticket_states").await["data"][1]["id"].clone();
    let body = |kind: &Value| json!({"ticket_type_id": kind["id"], "ticket_state_id": state});
    let (status, changed) = client.latest(Method::POST, &path, body(other.unwrap())).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["ticket_type"]["id"], other.unwrap()["id"]);
    assert_eq!(changed["ticket_state"]["id"], state);
    assert_eq!(changed["ticket_attributes"], ticket["ticket_attributes"]);
    let same = client.refusal(Method::POST, &path, body(other.unwrap())).await;
    assert_eq!(same, refused(400, "parameter_invalid"));
    assert_eq!(client.refusal(Method::POST, &path, body(internal)).await, refused(400, "parameter_invalid"));
    let without_state = json!({"ticket_type_id": internal["id"]});
    assert_eq!(client.refusal(Method::POST, &path, without_state).await, refused(400, "parameter_not_found"));
    let missing = client.refusal(Method::POST, "/tickets/1/change_type", body(internal)).await;
    assert_eq!(missing, refused(404, "not_found"));
}

#[tokio::test]
async fn fin_is_asked_and_then_rated() {
    let client = TestClient::with_defaults().await;
    let message = json!({"author": "user", "body": "Hello", "timestamp": "2026-05-24T09:15:00Z"});
    let mut request = json!({
        "conversation_id": "c1",
        "message": message,
        "user": {"id": "u1", "attributes": {"plan": "growth", "shoe_size": 44}},
    });
    let (_, started) = client.latest(Method::POST, "/fin/start", request.clone()).await;
    assert_eq!(started["status"], "thinking");
    assert!(started["errors"]["user"]["attributes"].get("shoe_size").is_some());
    assert!(started["errors"]["user"]["attributes"].get("plan").is_none());
    let rating = |rating: &str| json!({"conversation_id": "c1", "rating": rating});
    assert_eq!(client.refusal(Method::POST, "/fin/csat", rating("good")).await.0, 422);
    client.latest(Method::POST, "/fin/reply", request.clone()).await;
    assert_eq!(client.latest(Method::POST, "/fin/csat", rating("good")).await.1["status"], "rated");
    let final_rating = json!({"conversation_id": "c1", "rating": "bad", "remark": "Too slow"});
    assert_eq!(client.latest(Method::POST, "/fin/csat", final_rating).await.1["rating"], "bad");
    assert_eq!(client.refusal(Method::POST, "/fin/csat", rating("good")).await.0, 422);
    assert_eq!(client.latest(Method::POST, "/fin/csat", rating("bad")).await.0, 200);
    request["conversation_id"] = json!("c2");
    assert_eq!(client.refusal(Method::POST, "/fin/reply", request.clone()).await.0, 400);
    request["message"]["timestamp"] = json!("yesterday");
    assert_eq!(client.refusal(Method::POST, "/fin/start", request).await.0, 400);
}

#[tokio::test]
async fn a_registered_call_is_found_by_each_of_its_ids() {
    let client = TestClient::with_defaults().await;
    let body = json!({"phone_number": "+353215550199", "call_id": "c-1", "source": "five9"});
    let (_, call) = client.latest(Method::POST, "/fin_voice/register", body.clone()).await;
    assert_eq!(call["status"], "registered");
    for path in [
        format!("/fin_voice/collect/{}", call["id"]),
        "/fin_voice/external_id/c-1".to_owned(),
        "/fin_voice/phone_number/%2B353215550199".to_owned(),
    ] {
        let found = client.latest_get(&path).await;
        assert_eq!((&found["id"], &found["status"]), (&call["id"], &json!("in-progress")), "{path}");
    }
    assert_eq!(client.refusal(Method::POST, "/fin_voice/register", body).await.0, 409);
    let wrong = json!({"phone_number": "0215550199", "call_id": "c-2"});
    assert_eq!(client.refusal(Method::POST, "/fin_voice/register", wrong).await.0, 400);
    let calls = client.latest_get("/fin_voice/conversation/215470000000001").await;
    assert_eq!(calls.as_array().unwrap().len(), 2);
    assert_eq!(client.refusal(Method::GET, "/fin_voice/collect/1", Value::Null).await.0, 404);
}

#[tokio::test]
async fn whatsapp_messages_are_listed_by_their_send() {
    let client = TestClient::with_defaults().await;
    let page = client.latest_get("/messages/status?ruleset_id=9001&per_page=40").await;
    assert_eq!((page["events"].as_array().unwrap().len(), &page["total_count"]), (40, &json!(60)));
    let cursor = page["pages"]["next"]["starting_after"].as_str().unwrap();
    let rest = client
        .latest_get(&format!("/messages/status?ruleset_id=9001&per_page=40&starting_after={cursor}"))
        .await;
    assert_eq!((rest["events"].as_array().unwrap().len(), &rest["pages"]["next"]), (20, &Value::Null));
    let failed = rest["events"].as_array().unwrap().iter().find(|event| event["status"] == "failed").unwrap();
    let id = failed["whatsapp_message_id"].as_str().unwrap();
    let one = client.latest_get(&format!("/messages/whatsapp/status?message_id={id}")).await;
    assert!(one["error"]["message"].is_string());
    assert_eq!(client.latest_get("/messages/status?ruleset_id=1").await["events"], json!([]));
    let missing = client.refusal(Method::GET, "/messages/whatsapp/status?message_id=1", Value::Null).await;
    assert_eq!(missing, refused(404, "whatsapp_message_not_found"));
    assert_eq!(client.refusal(Method::GET, "/messages/status", Value::Null).await.0, 400);
}

#[tokio::test]
async fn teams_have_figures_and_conversations_have_pauses() {
    let client = TestClient::with_defaults().await;
    let metrics = client.latest_get("/teams/5017690/metrics?idle_threshold=1").await;
    let metrics = metrics["data"].as_array().unwrap();
    assert!(metrics.iter().any(|metric| metric["open"].as_i64() > Some(0)), "{metrics:?}");
    assert!(metrics.iter().all(|metric| metric["idle"].as_i64() <= metric["open"].as_i64()));
    let missing = client.refusal(Method::GET, "/teams/1/metrics", Value::Null).await;
    assert_eq!(missing, refused(404, "team_not_found"));
    let events = client.latest_get("/conversations/215470000000001/handling_events").await;
    assert_eq!(events["handling_events"][1]["type"], "resumed");
    let none = client.latest_get("/conversations/215470000000002/handling_events").await;
    assert_eq!(none["handling_events"], json!([]));
    assert_eq!(client.refusal(Method::GET, "/conversations/1/handling_events", Value::Null).await.0, 404);
}

#[tokio::test]
async fn companies_have_notes_and_calls_have_transcripts() {
    let client = TestClient::new(Options { calls: 3, ..options() }).await;
    let company = client.sandbox.with_workspace(|workspace| workspace.companies[0].id.clone());
    let notes = client.latest_get(&format!("/companies/{company}/notes")).await;
    assert_eq!((notes["data"].as_array().unwrap().len(), &notes["total_count"]), (2, &json!(2)));
    assert_eq!(notes["data"][0]["company"]["id"], company.as_str());
    let missing = client.refusal(Method::GET, "/companies/1/notes", Value::Null).await;
    assert_eq!(missing, refused(404, "company_not_found"));
    let body = json!({"conversation_ids": ["215470000000001", "215470000000003"]});
    let (_, calls) = client.latest(Method::POST, "/calls/search", body).await;
    assert_eq!(calls["data"].as_array().unwrap().len(), 2, "{calls}");
    assert_eq!(calls["data"][0]["transcript"].as_array().unwrap().len(), 2);
    let many = json!({"conversation_ids": vec!["1"; 21]});
    assert_eq!(client.refusal(Method::POST, "/calls/search", many).await.0, 400);
}
