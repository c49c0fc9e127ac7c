//! Contacts, and their tags, notes and companies.

use super::*;

// ---- Contacts ----

#[tokio::test]
async fn contact_documents_truncate_lists_and_link_to_the_full_lists() {
    let client = TestClient::with_defaults().await;
    let id = client.sandbox.with_workspace(|workspace| {
        workspace.contacts.iter().find(|row| row.companies.len() > 10).unwrap().id.clone()
    });
    let contact = client.get(&format!("/contacts/{id}")).await;
    for (name, total) in [("tags", 13), ("notes", 12), ("companies", 12)] {
        let embedded = &contact[name];
        assert_eq!(embedded["data"].as_array().unwrap().len(), 10, "{name}");
        assert_eq!(embedded["has_more"], true);
        assert_eq!(embedded["total_count"], total);
        let all = client.get(embedded["url"].as_str().unwrap()).await;
        assert_eq!(all["data"].as_array().unwrap().len(), total);
    }
}

#[tokio::test]
async fn contacts_can_be_created_updated_archived_and_deleted() {
    let client = TestClient::with_defaults().await;
    let body = json!({"email": "Ada@example.com", "external_id": "ada", "custom_attributes": {"seats": 3}});
    let created = client.post("/contacts", body.clone()).await;
    let id = created["id"].as_str().unwrap().to_owned();
    assert_eq!((created["role"].as_str(), id.len()), (Some("user"), 24));
    let (status, code) = client.error(Method::POST, "/contacts", json!({"email": "ada@EXAMPLE.com"})).await;
    assert_eq!((status, code.as_str()), (409, "conflict"));
    assert_eq!(client.error(Method::POST, "/contacts", json!({"external_id": "ada"})).await.0, 409);
    client.post("/contacts", json!({"email": "ada@example.com", "role": "lead"})).await;
    let unknown = json!({"external_id": "x", "custom_attributes": {"shoe_size": 43}});
    assert_eq!(client.error(Method::POST, "/contacts", unknown).await.0, 400);

    client.sandbox.advance(Duration::from_secs(100));
    let path = format!("/contacts/{id}");
    let change = json!({"name": "Ada", "custom_attributes": {"seats": null}});
    let (_, updated) = client.call(Method::PUT, &path, change).await;
    assert_eq!((updated["name"].as_str(), &updated["custom_attributes"]), (Some("Ada"), &json!({})));
    assert!(updated["updated_at"].as_i64() >= created["updated_at"].as_i64().map(|at| at + 100));
    assert_eq!(client.get("/contacts/find_by_external_id/ada").await["id"], id.as_str());

    let ada = filter("external_id", "=", "ada");
    assert_eq!(client.search_contacts(ada.clone()).await.len(), 1);
    assert_eq!(client.post(&format!("{path}/archive"), Value::Null).await["archived"], true);
    assert!(client.search_contacts(ada.clone()).await.is_empty());
    client.get(&path).await;
    client.post(&format!("{path}/unarchive"), json!({})).await;
    assert_eq!(client.search_contacts(ada).await.len(), 1);
    assert_eq!(client.post(&format!("{path}/block"), Value::Null).await["blocked"], true);
    assert_eq!(client.call(Method::DELETE, &path, Value::Null).await.1["deleted"], true);
    assert_eq!(client.error(Method::GET, &path, Value::Null).await, (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_conflict_says_whether_the_other_contact_is_active_archived_or_not_the_only_one() {
    let client = TestClient::with_defaults().await;
    let first = client.post("/contacts", json!({"external_id": "one", "email": "one@example.com"})).await;
    let first = first["id"].as_str().unwrap();
    client.post("/contacts", json!({"external_id": "two", "email": "two@example.com"})).await;
    let conflict = async |body: Value| {
        let (status, answer) = client.call(Method::POST, "/contacts", body).await;
        assert_eq!(status, 409, "{answer}");
        answer["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    let existing = "A contact with these details already exists";
    assert_eq!(conflict(json!({"external_id": "one"})).await, format!("{existing}: id={first}"));
    let both = json!({"external_id": "one", "email": "two@example.com"});
    assert_eq!(conflict(both).await, "Multiple users have these details; use an id instead");
    client.post(&format!("/contacts/{first}/archive"), Value::Null).await;
    let archived = "An archived contact with these details already exists";
    assert_eq!(conflict(json!({"external_id": "one"})).await, format!("{archived}: id={first}"));
}

#[tokio::test]
async fn merging_moves_the_lead_s_data_to_the_user_and_deletes_the_lead() {
    let client = TestClient::with_defaults().await;
    let lead = client.post("/contacts", json!({"role": "lead", "email": "lead@example.com"})).await;
    let user = client.post("/contacts", json!({"external_id": "merge-into"})).await;
    let (lead, user) = (lead["id"].as_str().unwrap(), user["id"].as_str().unwrap());
    let start = json!({"from": {"type": "lead", "id": lead}, "body": "Hello"});
    let conversation = client.post("/conversations", start).await["conversation_id"].clone();
    client.post(&format!("/contacts/{lead}/notes"), json!({"body": "Met at the fair"})).await;

    let user_into_lead = json!({"from": user, "into": lead});
    assert_eq!(client.error(Method::POST, "/contacts/merge", user_into_lead).await.0, 400);
    let merged = client.post("/contacts/merge", json!({"from": lead, "into": user})).await;
    assert_eq!((merged["id"].as_str(), merged["email"].as_str()), (Some(user), Some("lead@example.com")));
    assert_eq!(merged["notes"]["total_count"], 1);
    assert_eq!(client.error(Method::GET, &format!("/contacts/{lead}"), Value::Null).await.0, 404);
    assert!(client.search_contacts(filter("id", "=", lead)).await.is_empty());
    let conversation = client.get(&format!("/conversations/{}", conversation.as_str().unwrap())).await;
    assert_eq!(ids(&conversation["contacts"]["contacts"]), [user]);
    assert_eq!(conversation["source"]["author"]["id"], user);
}

#[tokio::test]
async fn tags_and_companies_can_be_attached_and_detached() {
    let client = TestClient::with_defaults().await;
    let contact = client.post("/contacts", json!({"external_id": "tagged"})).await;
    let contact = format!("/contacts/{}", contact["id"].as_str().unwrap());
    let tag = client.post("/tags", json!({"name": "Brand new"})).await;
    assert_eq!(client.post("/tags", json!({"name": "brand NEW"})).await["id"], tag["id"]);
    let tag_id = tag["id"].as_str().unwrap();
    client.post(&format!("{contact}/tags"), json!({"id": tag_id})).await;
    assert_eq!(ids(&client.get(&format!("{contact}/tags")).await["data"]), [tag_id]);
    let unknown = json!({"id": "nonsense"});
    assert_eq!(client.error(Method::POST, &format!("{contact}/tags"), unknown).await.0, 404);
    let tagged = client.search_contacts(filter("tag_id", "=", tag_id)).await;
    assert_eq!(tagged.len(), 1);

    let company =
        client.post("/companies", json!({"company_id": "acme", "name": "Acme", "plan": "Gold"})).await;
    let upserted = client.post("/companies", json!({"company_id": "acme", "size": 12})).await;
    assert_eq!(
        (&upserted["id"], &upserted["name"], &upserted["size"]),
        (&company["id"], &json!("Acme"), &json!(12))
    );
    assert_eq!(client.get("/companies?company_id=acme").await["user_count"], 0);
    let company_id = company["id"].as_str().unwrap();
    client.post(&format!("{contact}/companies"), json!({"id": company_id})).await;
    assert_eq!(client.get(&format!("/companies/{company_id}")).await["user_count"], 1);
    let members = client.get(&format!("/companies/{company_id}/contacts")).await;
    assert_eq!(members["total_count"], 1);
    let detach = format!("{contact}/companies/{company_id}");
    assert_eq!(client.call(Method::DELETE, &detach, Value::Null).await.0, 200);
    assert_eq!(client.error(Method::DELETE, &detach, Value::Null).await.1, "company_not_found");

    let (status, body) = client.call(Method::DELETE, &format!("/tags/{tag_id}"), Value::Null).await;
    assert_eq!((status, body), (200, Value::Null));
    assert_eq!(client.get(&contact).await["tags"]["total_count"], 0);
}
