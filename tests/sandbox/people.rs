//! Contacts, and what hangs on them.

use super::*;

// ---- Contacts ----

#[tokio::test]
async fn what_does_not_fit_into_a_contact_is_behind_its_links() {
    let caller = Caller::usual().await;
    let id = caller.sandbox.with_workspace(|workspace| {
        workspace.contacts.iter().find(|row| row.companies.len() > 10).unwrap().id.clone()
    });
    let contact = caller.get(&format!("/contacts/{id}")).await;
    for (name, total) in [("tags", 13), ("notes", 12), ("companies", 12)] {
        let embedded = &contact[name];
        assert_eq!(embedded["data"].as_array().unwrap().len(), 10, "{name}");
        assert_eq!(embedded["has_more"], true);
        assert_eq!(embedded["total_count"], total);
        let all = caller.get(embedded["url"].as_str().unwrap()).await;
        assert_eq!(all["data"].as_array().unwrap().len(), total);
    }
}

#[tokio::test]
async fn contacts_are_written_found_archived_and_deleted() {
    let caller = Caller::usual().await;
    let body = json!({"email": "Ada@example.com", "external_id": "ada", "custom_attributes": {"seats": 3}});
    let made = caller.post("/contacts", body.clone()).await;
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!((made["role"].as_str(), id.len()), (Some("user"), 24));
    let (status, code) = caller.refused(Method::POST, "/contacts", json!({"email": "ada@EXAMPLE.com"})).await;
    assert_eq!((status, code.as_str()), (409, "conflict"));
    assert_eq!(caller.refused(Method::POST, "/contacts", json!({"external_id": "ada"})).await.0, 409);
    caller.post("/contacts", json!({"email": "ada@example.com", "role": "lead"})).await;
    let unknown = json!({"external_id": "x", "custom_attributes": {"shoe_size": 43}});
    assert_eq!(caller.refused(Method::POST, "/contacts", unknown).await.0, 400);

    caller.sandbox.advance(Duration::from_secs(100));
    let path = format!("/contacts/{id}");
    let change = json!({"name": "Ada", "custom_attributes": {"seats": null}});
    let (_, changed) = caller.call(Method::PUT, &path, change).await;
    assert_eq!((changed["name"].as_str(), &changed["custom_attributes"]), (Some("Ada"), &json!({})));
    assert!(changed["updated_at"].as_i64() >= made["updated_at"].as_i64().map(|at| at + 100));
    assert_eq!(caller.get("/contacts/find_by_external_id/ada").await["id"], id.as_str());

    let ada = test("external_id", "=", "ada");
    assert_eq!(caller.contacts(ada.clone()).await.len(), 1);
    assert_eq!(caller.post(&format!("{path}/archive"), Value::Null).await["archived"], true);
    assert!(caller.contacts(ada.clone()).await.is_empty());
    caller.get(&path).await;
    caller.post(&format!("{path}/unarchive"), json!({})).await;
    assert_eq!(caller.contacts(ada).await.len(), 1);
    assert_eq!(caller.post(&format!("{path}/block"), Value::Null).await["blocked"], true);
    assert_eq!(caller.call(Method::DELETE, &path, Value::Null).await.1["deleted"], true);
    assert_eq!(caller.refused(Method::GET, &path, Value::Null).await, (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_merged_lead_is_gone_and_what_it_had_is_the_user_s() {
    let caller = Caller::usual().await;
    let lead = caller.post("/contacts", json!({"role": "lead", "email": "lead@example.com"})).await;
    let user = caller.post("/contacts", json!({"external_id": "merge-into"})).await;
    let (lead, user) = (lead["id"].as_str().unwrap(), user["id"].as_str().unwrap());
    let start = json!({"from": {"type": "lead", "id": lead}, "body": "Hello"});
    let conversation = caller.post("/conversations", start).await["conversation_id"].clone();
    caller.post(&format!("/contacts/{lead}/notes"), json!({"body": "Met at the fair"})).await;

    let wrong = json!({"from": user, "into": lead});
    assert_eq!(caller.refused(Method::POST, "/contacts/merge", wrong).await.0, 400);
    let merged = caller.post("/contacts/merge", json!({"from": lead, "into": user})).await;
    assert_eq!((merged["id"].as_str(), merged["email"].as_str()), (Some(user), Some("lead@example.com")));
    assert_eq!(merged["notes"]["total_count"], 1);
    assert_eq!(caller.refused(Method::GET, &format!("/contacts/{lead}"), Value::Null).await.0, 404);
    assert!(caller.contacts(test("id", "=", lead)).await.is_empty());
    let conversation = caller.get(&format!("/conversations/{}", conversation.as_str().unwrap())).await;
    assert_eq!(ids(&conversation["contacts"]["contacts"]), [user]);
    assert_eq!(conversation["source"]["author"]["id"], user);
}

#[tokio::test]
async fn tags_and_companies_are_attached_and_detached() {
    let caller = Caller::usual().await;
    let contact = caller.post("/contacts", json!({"external_id": "tagged"})).await;
    let contact = format!("/contacts/{}", contact["id"].as_str().unwrap());
    let tag = caller.post("/tags", json!({"name": "Brand new"})).await;
    assert_eq!(caller.post("/tags", json!({"name": "brand NEW"})).await["id"], tag["id"]);
    let tag_id = tag["id"].as_str().unwrap();
    caller.post(&format!("{contact}/tags"), json!({"id": tag_id})).await;
    assert_eq!(ids(&caller.get(&format!("{contact}/tags")).await["data"]), [tag_id]);
    let absent = json!({"id": "nonsense"});
    assert_eq!(caller.refused(Method::POST, &format!("{contact}/tags"), absent).await.0, 404);
    let tagged = caller.contacts(test("tag_id", "=", tag_id)).await;
    assert_eq!(tagged.len(), 1);

    let company =
        caller.post("/companies", json!({"company_id": "acme", "name": "Acme", "plan": "Gold"})).await;
    let again = caller.post("/companies", json!({"company_id": "acme", "size": 12})).await;
    assert_eq!((&again["id"], &again["name"], &again["size"]), (&company["id"], &json!("Acme"), &json!(12)));
    assert_eq!(caller.get("/companies?company_id=acme").await["user_count"], 0);
    let company_id = company["id"].as_str().unwrap();
    caller.post(&format!("{contact}/companies"), json!({"id": company_id})).await;
    assert_eq!(caller.get(&format!("/companies/{company_id}")).await["user_count"], 1);
    let members = caller.get(&format!("/companies/{company_id}/contacts")).await;
    assert_eq!(members["total_count"], 1);
    let detach = format!("{contact}/companies/{company_id}");
    assert_eq!(caller.call(Method::DELETE, &detach, Value::Null).await.0, 200);
    assert_eq!(caller.refused(Method::DELETE, &detach, Value::Null).await.1, "company_not_found");

    let (status, nothing) = caller.call(Method::DELETE, &format!("/tags/{tag_id}"), Value::Null).await;
    assert_eq!((status, nothing), (200, Value::Null));
    assert_eq!(caller.get(&contact).await["tags"]["total_count"], 0);
}
