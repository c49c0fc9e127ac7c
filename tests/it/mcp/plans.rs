//! Destructive calls: plans, their confirmation, and elicitation.

use std::path::Path;

use intercom::sandbox::{Sandbox, TOKEN};
use serde_json::{Value, json};

use crate::commands::sandbox;
use crate::mcp::client::Client;

const FLAGS: [&str; 2] = ["--allow-writes", "--allow-destructive"];

fn serve(home: &Path, sandbox: &Sandbox) -> Client {
    Client::start(home, &sandbox.base_url(), TOKEN, &FLAGS)
}

fn create(client: &mut Client, email: &str, name: &str) -> String {
    let created = client.content("contacts_create", json!({ "email": email, "name": name }));
    created["results"]["id"].as_str().unwrap().to_owned()
}

fn writes(sandbox: &Sandbox) -> Vec<String> {
    let requests = sandbox.requests();
    let changing =
        requests.iter().filter(|request| request.method != "GET" && !request.path.ends_with("/search"));
    changing.map(|request| format!("{} {}", request.method, request.path)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_the_current_record() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox);
    let id = create(&mut client, "ann@example.com", "Ann Mills");
    let plan = client.content("contacts_delete", json!({ "id": id, "dry_run": true }))["plan"].clone();
    assert_eq!((&plan["method"], &plan["records"]), (&json!("DELETE"), &json!(1)));
    assert!(plan["name"].as_str().unwrap().contains("Ann Mills"), "{plan}");
    assert_eq!(plan["before"]["email"], "ann@example.com");
    let update = json!({ "id": id, "custom_attributes": { "plan": "pro" }, "dry_run": true });
    let plan = client.content("contacts_update", update)["plan"].clone();
    assert!(
        plan["before"]["custom_attributes"].is_object() && plan["before"]["name"] == "Ann Mills",
        "{plan}"
    );
    let other = create(&mut client, "bo@example.com", "Bo Ruiz");
    let merge = client.content("contacts_merge", json!({ "from": id, "into": other, "dry_run": true }));
    let plan = &merge["plan"];
    assert_eq!((&plan["records"], &plan["before"]["into"]["name"]), (&json!(2), &json!("Bo Ruiz")));
    assert!(plan["name"].as_str().unwrap().contains("Ann Mills"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_changed_since_the_plan_is_left_alone() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox);
    let id = create(&mut client, "ann@example.com", "Ann Mills");
    let plan = client.content("contacts_delete", json!({ "id": id, "dry_run": true }));
    // Another user renames the record.
    let mut other = serve(home.path(), &sandbox);
    let rename = json!({ "id": id, "name": "Dr. Ann Mills" });
    let planned = other.call("contacts_update", rename.clone())["structuredContent"]["confirmation"].clone();
    let mut confirmed = rename;
    confirmed["confirmation"] = planned;
    other.content("contacts_update", confirmed);
    let result = client.call("contacts_delete", json!({ "id": id, "confirmation": plan["confirmation"] }));
    let again = &result["structuredContent"];
    assert_eq!(
        (&result["isError"], &again["error"]["kind"]),
        (&json!(true), &json!("confirmation")),
        "{again}"
    );
    assert!(again["plan"]["name"].as_str().unwrap().contains("Dr. Ann"), "{again}");
    assert!(!writes(&sandbox).iter().any(|write| write.starts_with("DELETE")));
    client.content("contacts_delete", json!({ "id": id, "confirmation": again["confirmation"] }));
    assert_eq!(writes(&sandbox).iter().filter(|write| write.starts_with("DELETE")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_bulk_change_affects_only_the_records_of_its_plan() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox);
    let planned: Vec<String> =
        (0..3).map(|at| create(&mut client, &format!("z{at}@example.com"), "Zebra")).collect();
    let call = json!({ "where": "name = Zebra", "set": ["phone=+3530000000"], "apply": true });
    let plan = client.call("contacts_bulk-update", call.clone())["structuredContent"].clone();
    assert_eq!(
        (&plan["plan"]["records"], &plan["error"]["kind"]),
        (&json!(3), &json!("confirmation")),
        "{plan}"
    );
    // Two more records match the filter, and one from the plan has a new phone number.
    for at in 3..5 {
        create(&mut client, &format!("z{at}@example.com"), "Zebra");
    }
    sandbox.with_workspace(|workspace| {
        workspace.touch_contact(&planned[2]).unwrap().phone = Some("+353111".to_owned());
    });
    sandbox.forget_requests();
    let mut confirmed = call;
    confirmed["confirmation"] = plan["confirmation"].clone();
    let done = client.call("contacts_bulk-update", confirmed)["structuredContent"].clone();
    assert_eq!((&done["results"]["changed"], &done["results"]["matched"]), (&json!(2), &json!(3)), "{done}");
    let items = done["results"]["contacts"].as_array().unwrap();
    let left_out = items.iter().find(|item| item["id"] == planned[2].as_str()).unwrap();
    assert_eq!((&left_out["status"], &left_out["reason"]), (&json!("skipped"), &json!("changed_since_plan")));
    let mut expected: Vec<String> = planned[..2].iter().map(|id| format!("PUT /contacts/{id}")).collect();
    let mut sent = writes(&sandbox);
    expected.sort();
    sent.sort();
    assert_eq!(sent, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_ignores_key_order() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox);
    let id = create(&mut client, "ann@example.com", "Ann Mills");
    let one = json!({ "id": id, "custom_attributes": { "plan": "pro", "seats": 5 }, "dry_run": true, "confirmation": null });
    let plan = client.content("contacts_update", one);
    let other = json!({ "confirmation": plan["confirmation"], "custom_attributes": { "seats": 5, "plan": "pro" }, "id": id });
    client.content("contacts_update", other);
    let refused = client.error("contacts_update", json!({ "id": id, "name": "A", "confirmation": null }));
    assert_eq!(refused["kind"], "confirmation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_elicitation_asks_its_user() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    for capability in [json!({}), json!({ "form": {} })] {
        let mut client = Client::with_capabilities(
            home.path(),
            &sandbox.base_url(),
            &FLAGS,
            &json!({ "elicitation": capability }),
        );
        let id = create(&mut client, "ann@example.com", "Ann Mills");
        let call = json!({ "id": id });
        for no in [
            json!({ "action": "decline" }),
            json!({ "action": "cancel" }),
            json!({ "action": "accept", "content": { "confirm": false } }),
            json!({ "action": "accept", "content": {} }),
        ] {
            let (result, questions) = client.call_and_answer("contacts_delete", call.clone(), &no);
            assert_eq!(result["structuredContent"]["error"]["kind"], "confirmation", "{no}: {result}");
            assert!(result["structuredContent"]["confirmation"].is_null(), "a no leaves no token: {result}");
            assert!(questions[0]["message"].as_str().unwrap().contains("Ann Mills"), "{questions:?}");
            assert_eq!(questions[0]["requestedSchema"]["required"], json!(["confirm"]));
        }
        // A confirmation token does not replace the user's answer.
        let plan = client.content("contacts_delete", json!({ "id": id, "dry_run": true }));
        let by_token = json!({ "id": id, "confirmation": plan["confirmation"] });
        let (result, questions) =
            client.call_and_answer("contacts_delete", by_token, &json!({ "action": "decline" }));
        assert_eq!((&result["isError"], questions.len()), (&json!(true), 1));
        assert!(!writes(&sandbox).iter().any(|write| write.starts_with("DELETE")));
        let yes = json!({ "action": "accept", "content": { "confirm": true } });
        let (result, _) = client.call_and_answer("contacts_delete", call, &yes);
        assert_eq!(result["isError"], false, "{result}");
        assert_eq!(writes(&sandbox).iter().filter(|write| write.starts_with("DELETE")).count(), 1);
        sandbox.forget_requests();
    }
    // URL elicitation is not supported.
    let mut client = Client::with_capabilities(
        home.path(),
        &sandbox.base_url(),
        &FLAGS,
        &json!({ "elicitation": { "url": {} } }),
    );
    let id = create(&mut client, "bo@example.com", "Bo Ruiz");
    assert_eq!(client.error("contacts_delete", json!({ "id": id }))["kind"], "confirmation");
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_clients_are_asked_in_the_result_of_their_call() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = serve(home.path(), &sandbox);
    let id = create(&mut client, "ann@example.com", "Ann Mills");
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } },
    });
    let mut newer = Client::uninitialized(home.path(), &sandbox.base_url(), TOKEN, &FLAGS);
    let call = |more: Value| {
        let mut parameters = json!({ "name": "contacts_delete", "arguments": { "id": id }, "_meta": meta });
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parameters
    };
    let asked = newer.request("tools/call", call(json!({})))["result"].clone();
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let question = &asked["inputRequests"]["confirm"];
    assert!(question["params"]["message"].as_str().unwrap().contains("Ann Mills"), "{question}");
    let answer = |content: Value| json!({ "requestState": asked["requestState"], "inputResponses": { "confirm": content } });
    let yes = answer(json!({ "action": "accept", "content": { "confirm": true } }));
    let done = newer.request("tools/call", call(yes.clone()))["result"].clone();
    assert_eq!(done["isError"], false, "{done}");
    assert_eq!(writes(&sandbox).iter().filter(|write| write.starts_with("DELETE")).count(), 1);
    let again = newer.request("tools/call", call(yes))["result"].clone();
    assert_eq!(again["structuredContent"]["error"]["kind"], "confirmation", "{again}");
}
