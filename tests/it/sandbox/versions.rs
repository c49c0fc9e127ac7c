//! How answers depend on the API version of the request.

use reqwest::header::LINK;

use super::*;

/// The versions on both sides of most differences.
const BOTH: [&str; 2] = ["2.15", "2.16"];

impl TestClient {
    /// Status and document of a request in this version.
    async fn at(&self, version: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.request(method, path).header("Intercom-Version", version);
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        read(request.send().await.unwrap()).await
    }

    async fn get_at(&self, version: &str, path: &str) -> Value {
        let (status, document) = self.at(version, Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{version} {path}: {document}");
        document
    }

    async fn post_at(&self, version: &str, path: &str, body: Value) -> Value {
        let (status, document) = self.at(version, Method::POST, path, body).await;
        assert_eq!(status, 200, "{version} {path}: {document}");
        document
    }
}

/// The different values of a field of these records.
fn values(records: &Value, field: &str) -> HashSet<String> {
    records.as_array().unwrap().iter().map(|record| record[field].to_string()).collect()
}

#[tokio::test]
async fn the_answer_names_its_version() {
    let client = TestClient::new(Options { api_version: "2.15".parse().unwrap(), ..options() }).await;
    let named = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        response.headers().get("intercom-version").map(|version| version.to_str().unwrap().to_owned())
    };
    let teams = || client.request(Method::GET, "/teams");
    assert_eq!(named(teams()).await.as_deref(), Some("2.15"));
    assert_eq!(named(teams().header("Intercom-Version", "2.17")).await.as_deref(), Some("2.17"));
    let missing = client.request(Method::GET, "/contacts/0").header("Intercom-Version", "Preview");
    assert_eq!(named(missing).await.as_deref(), Some("Preview"));
    assert_eq!(named(teams().header("Intercom-Version", "newest")).await, None);
}

#[tokio::test]
async fn requests_without_a_version_are_answered_in_that_of_the_app() {
    let client = TestClient::new(Options { api_version: "2.16".parse().unwrap(), ..options() }).await;
    let owners = values(&client.get("/contacts?per_page=150").await["data"], "owner_id");
    assert!(owners.len() > 1 && owners.iter().all(|owner| owner == "null" || owner.starts_with('"')));
}

#[tokio::test]
async fn conversations_have_the_shape_of_the_version() {
    let client =
        TestClient::new(Options { quirks: vec!["unassigned=null".parse().unwrap()], ..options() }).await;
    let [older, newer] = [
        client.get_at("2.15", "/conversations?per_page=150").await,
        client.get_at("2.16", "/conversations?per_page=150").await,
    ];
    let ungraded = values(&older["conversations"], "priority");
    assert_eq!(ungraded, HashSet::from(["\"priority\"", "\"not_priority\""].map(str::to_owned)));
    let graded = values(&newer["conversations"], "priority");
    assert!(graded.contains("\"high\"") && graded.contains("\"urgent\"") && graded.contains("\"none\""));
    assert!(graded.is_disjoint(&ungraded));
    let team = |list: &Value| values(&list["conversations"], "team_assignee_id");
    assert!(team(&older).contains("null") && !team(&older).contains("0"));
    assert!(team(&newer).contains("0") && !team(&newer).contains("null"));

    let search = async |version: &str, field: &str, value: Value| {
        let body = json!({"query": filter(field, "=", value), "pagination": {"per_page": 150}});
        let found = client.post_at(version, "/conversations/search", body).await;
        ids(&found["conversations"]).into_iter().collect::<HashSet<_>>()
    };
    let unassigned = search("2.15", "team_assignee_id", Value::Null).await;
    assert!(!unassigned.is_empty());
    assert_eq!(search("2.16", "team_assignee_id", json!(0)).await, unassigned);
    let mut graded = search("2.16", "priority", json!("high")).await;
    graded.extend(search("2.16", "priority", json!("urgent")).await);
    assert_eq!(search("2.15", "priority", json!("priority")).await, graded);
    assert!(!graded.is_empty() && search("2.15", "priority", json!("high")).await.is_empty());
    let id = graded.iter().next().unwrap();
    assert_eq!(client.get_at("2.13", &format!("/conversations/{id}")).await["priority"], "priority");
}

#[tokio::test]
async fn owners_of_contacts_become_text() {
    let client = TestClient::with_defaults().await;
    let admin = client.get("/me").await["id"].as_str().unwrap().to_owned();
    let number: i64 = admin.parse().unwrap();
    for (version, owner, other_form) in
        [("2.15", json!(number), json!(admin)), ("2.16", json!(admin), json!(number))]
    {
        let contact = json!({"external_id": format!("owned-{version}"), "owner_id": owner});
        let created = client.post_at(version, "/contacts", contact).await;
        assert_eq!(created["owner_id"], owner);
        let path = format!("/contacts/{}", created["id"].as_str().unwrap());
        assert_eq!(client.get_at(version, &path).await["owner_id"], owner);
        let (status, _) = client.at(version, Method::PUT, &path, json!({"owner_id": other_form})).await;
        assert_eq!(status, 400, "{version}");
        let (_, cleared) = client.at(version, Method::PUT, &path, json!({"owner_id": null})).await;
        assert_eq!(cleared["owner_id"], Value::Null);
    }
}

#[tokio::test]
async fn assignees_of_tickets_become_numbers() {
    let client = TestClient::with_defaults().await;
    let admin = client.get("/me").await["id"].as_str().unwrap().to_owned();
    let number: i64 = admin.parse().unwrap();
    let ticket = client.sandbox.with_workspace(|workspace| workspace.tickets[0].id.clone());
    let path = format!("/tickets/{ticket}");
    let nested = |assignee: &str| json!({"assignment": {"admin_id": admin, "assignee_id": assignee}});
    let flat = |assignee: &str| json!({"admin_id": number, "assignee_id": assignee});
    for (version, body, shown) in [
        ("2.13", nested(&admin), json!(admin)),
        ("2.13", nested("0"), json!("0")),
        ("2.14", flat(&admin), json!(admin)),
        ("2.15", flat("0"), json!("0")),
        ("2.16", flat(&admin), json!(number)),
        ("2.16", flat("0"), json!(0)),
    ] {
        let (status, changed) = client.at(version, Method::PUT, &path, body).await;
        assert_eq!((status, &changed["admin_assignee_id"]), (200, &shown), "{version}");
    }
    client.at("2.16", Method::PUT, &path, flat(&admin)).await;
    let (_, ignored) = client.at("2.16", Method::PUT, &path, nested("0")).await;
    assert_eq!(ignored["admin_assignee_id"], json!(number), "a member that the version does not have");
}

#[tokio::test]
async fn articles_lose_their_parent_but_requests_still_set_it() {
    let client = TestClient::with_defaults().await;
    let admin: i64 = client.get("/me").await["id"].as_str().unwrap().parse().unwrap();
    let parent: i64 = ids(&client.get("/help_center/collections").await["data"])[0].parse().unwrap();
    for version in BOTH {
        let body =
            json!({"title": "A", "author_id": admin, "parent_id": parent, "parent_type": "collection"});
        let article = client.post_at(version, "/articles", body).await;
        assert_eq!(article["parent_ids"][0], parent, "{version}");
        let path = format!("/articles/{}", article["id"].as_str().unwrap());
        let listed = client.get_at(version, "/articles").await;
        let found = client.get_at(version, "/articles/search?phrase=a").await;
        let one = client.get_at(version, &path).await;
        for article in [&one, &listed["data"][0], &found["data"]["articles"][0]] {
            for field in ["parent_id", "parent_type"] {
                assert_eq!(article.get(field).is_some(), version == "2.15", "{version} {article}");
            }
            assert!(article["parent_ids"].is_array());
        }
    }
}

#[tokio::test]
async fn a_merged_contact_is_gone_and_names_its_successor() {
    let client = TestClient::with_defaults().await;
    let user = client.post("/contacts", json!({"external_id": "kept"})).await["id"].clone();
    let lead = json!({"role": "lead", "external_id": "merged"});
    let lead = client.post("/contacts", lead).await["id"].clone();
    client.post("/contacts/merge", json!({"from": lead, "into": user})).await;
    let by_id = format!("/contacts/{}", lead.as_str().unwrap());
    for path in [by_id.as_str(), "/contacts/find_by_external_id/merged"] {
        let (status, _) = client.at("2.15", Method::GET, path, Value::Null).await;
        assert_eq!(status, 404);
        let response =
            client.request(Method::GET, path).header("Intercom-Version", "2.16").send().await.unwrap();
        let link = response.headers()[LINK].to_str().unwrap().to_owned();
        assert_eq!(link, format!("</contacts/{}>; rel=\"canonical\"", user.as_str().unwrap()));
        let (status, error) = read(response).await;
        assert_eq!((status, &error["errors"][0]["code"]), (410, &json!("contact_merged")));
    }
    for version in BOTH {
        let (status, _) = client.at(version, Method::PUT, &by_id, json!({"name": "A"})).await;
        assert_eq!(status, 404, "only reads name the successor");
        assert_eq!(client.at(version, Method::GET, "/contacts/0", Value::Null).await.0, 404);
    }
}

#[tokio::test]
async fn merging_can_require_duplicates() {
    let client = TestClient::with_defaults().await;
    let contact = async |body: Value| client.post("/contacts", body).await["id"].clone();
    let user =
        contact(json!({"external_id": "into", "email": "ann@example.com", "phone": "+15550001"})).await;
    let merge = async |version: &str, lead: Value, extra: Value| {
        let mut body = json!({"from": contact(lead).await, "into": user});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        client.at(version, Method::POST, "/contacts/merge", body).await.0
    };
    let (lead, nothing) = (json!({"role": "lead", "name": "Bo"}), json!({}));
    assert_eq!(merge("2.15", lead.clone(), nothing.clone()).await, 200);
    assert_eq!(merge("2.16", lead.clone(), nothing.clone()).await, 400);
    assert_eq!(merge("2.16", lead, json!({"skip_duplicate_validation": true})).await, 200);
    for same in
        [json!({"role": "lead", "email": "Ann@example.com"}), json!({"role": "lead", "phone": "+15550001"})]
    {
        assert_eq!(merge("2.16", same, nothing.clone()).await, 200);
    }
}

#[tokio::test]
async fn attributes_of_conversations_leave_the_list_of_data_attributes() {
    let client = TestClient::with_defaults().await;
    let models = async |version: &str| {
        values(&client.get_at(version, "/data_attributes?include_archived=true").await["data"], "model")
    };
    assert!(models("2.15").await.contains("\"conversation\""));
    let newer = models("2.16").await;
    assert_eq!(newer, HashSet::from(["\"contact\"", "\"company\""].map(str::to_owned)));
    let only = "/data_attributes?model=conversation";
    assert_eq!(client.at("2.15", Method::GET, only, Value::Null).await.0, 200);
    assert_eq!(client.at("2.16", Method::GET, only, Value::Null).await.0, 422);
}

#[tokio::test]
async fn tagging_can_skip_people_who_do_not_exist() {
    let client = TestClient::with_defaults().await;
    let id = client.post("/contacts", json!({"external_id": "tagged"})).await["id"].clone();
    let body = json!({"name": "Skipped", "users": [{"id": "0"}, {"id": id}]});
    assert_eq!(client.at("2.15", Method::POST, "/tags", body.clone()).await.0, 404);
    let tag = client.post_at("2.16", "/tags", body).await;
    assert_eq!(client.search_contacts(filter("tag_id", "=", tag["id"].clone())).await.len(), 1);
}

#[tokio::test]
async fn contact_times_compare_by_day_and_later_to_the_second() {
    let client = TestClient::with_defaults().await;
    let at = NOW - 3 * 86_400;
    client.sandbox.with_workspace(|workspace| workspace.contacts.iter_mut().next().unwrap().created_at = at);
    let found = async |version: &str, operator: &str, value: i64| {
        let body = json!({"query": filter("created_at", operator, value), "pagination": {"per_page": 150}});
        let found = client.post_at(version, "/contacts/search", body).await;
        values(&found["data"], "created_at").contains(&at.to_string())
    };
    for version in ["2.13", "2.16"] {
        assert!(found(version, "=", at + 1).await && !found(version, ">", at - 1).await, "{version}");
    }
    for version in ["2.17", "Preview"] {
        assert!(!found(version, "=", at + 1).await && found(version, ">", at - 1).await, "{version}");
        assert!(found(version, "=", at).await && !found(version, ">", at).await, "{version}");
    }
}

#[tokio::test]
async fn the_order_of_a_search_is_ascending_or_descending() {
    let client = TestClient::with_defaults().await;
    for path in ["/contacts/search", "/conversations/search", "/tickets/search"] {
        let status = async |order: Value| {
            let sort = json!({"field": "updated_at", "order": order});
            let body = json!({"query": filter("created_at", ">", 0), "sort": sort});
            client.at("2.16", Method::POST, path, body).await.0
        };
        assert_eq!(status(json!("ascending")).await, 200);
        assert_eq!(status(json!("descending")).await, 200);
        for wrong in [json!("asc"), json!("desc"), json!("DESCENDING"), json!(1), json!(true)] {
            assert_eq!(status(wrong.clone()).await, 400, "{path} {wrong}");
        }
    }
}

#[tokio::test]
async fn instances_of_a_custom_object_can_be_listed() {
    let client = TestClient::with_defaults().await;
    let orders = "/custom_object_instances/Order";
    for number in 0..3 {
        client
            .post(orders, json!({"external_id": format!("o-{number}"), "custom_attributes": {"total": "5"}}))
            .await;
    }
    client.post("/custom_object_instances/Trip", json!({"external_id": "o-1"})).await;
    let renamed = json!({"external_id": "o-1", "custom_attributes": {"state": "sent"}});
    let order = client.post(orders, renamed).await;
    assert_eq!(order["custom_attributes"], json!({"total": "5", "state": "sent"}));

    let one = format!("{orders}?external_id=o-1");
    for version in BOTH {
        assert_eq!(client.get_at(version, &one).await, order, "{version}");
        assert_eq!(client.at(version, Method::GET, &format!("{one}2"), Value::Null).await.0, 404);
    }
    assert_eq!(client.at("2.15", Method::GET, orders, Value::Null).await.0, 400);
    let first = client.get_at("2.16", &format!("{orders}?per_page=3")).await;
    let second = client.get_at("2.16", &format!("{orders}?per_page=3&page=2")).await;
    let listed: HashSet<String> = ids(&first["data"]).into_iter().chain(ids(&second["data"])).collect();
    assert_eq!((listed.len(), &first["total_count"]), (4, &json!(4)));
    assert_eq!(client.at("2.16", Method::GET, &format!("{orders}?per_page=151"), Value::Null).await.0, 400);

    let contact = client.sandbox.with_workspace(|workspace| {
        let contact = workspace.contacts.iter_mut().next().unwrap();
        contact.custom_attributes.insert("Order".to_owned(), json!([{"id": order["id"]}]));
        contact.id.clone()
    });
    let referring = client.get_at("2.16", &format!("{orders}?references_contact_id={contact}")).await;
    assert_eq!(ids(&referring["data"]), [order["id"].as_str().unwrap()]);
    let unknown = format!("{orders}?references_contact_id=0");
    assert_eq!(client.at("2.16", Method::GET, &unknown, Value::Null).await.0, 404);

    let by_id = format!("{orders}/{}", order["id"].as_str().unwrap());
    assert_eq!(client.call(Method::DELETE, &by_id, Value::Null).await.1["deleted"], true);
    assert_eq!(client.error(Method::GET, &by_id, Value::Null).await.0, 404);
    assert_eq!(client.call(Method::DELETE, &format!("{orders}?external_id=o-2"), Value::Null).await.0, 200);
}
