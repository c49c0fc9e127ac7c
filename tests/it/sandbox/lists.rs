//! Lists and searches: pagination by cursor and by number, the scroll, filters and dates.

use super::*;

// ---- Pagination ----

#[tokio::test]
async fn paging_by_cursor_returns_every_record_once() {
    let client = TestClient::with_defaults().await;
    for (path, key, total) in [("/contacts", "data", 120), ("/conversations", "conversations", 130)] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = client.get(&format!("{path}?per_page=17{after}")).await;
            assert_eq!(page["total_count"], total);
            seen.extend(ids(&page[key]));
            let Some(next) = page["pages"]["next"]["starting_after"].as_str() else {
                assert!(page["pages"]["next"].is_null());
                break;
            };
            let next = next.replace('+', "%2B").replace('=', "%3D");
            after = format!("&starting_after={next}");
        }
        assert_eq!(seen.len(), total);
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), total);
    }
}

/// Ids in the order of a search sorted by `updated_at`. Calls `between_pages` with the page index before each
/// further page.
async fn search_all_pages(client: &TestClient, order: &str, between_pages: impl Fn(usize)) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    for number in 0.. {
        let body = json!({
            "query": filter("updated_at", ">", 0),
            "sort": {"field": "updated_at", "order": order},
            "pagination": {"per_page": 20, "starting_after": after},
        });
        let page = client.post("/conversations/search", body).await;
        seen.extend(ids(&page["conversations"]));
        after = page["pages"]["next"]["starting_after"].clone();
        if after.is_null() {
            break;
        }
        between_pages(number);
    }
    seen
}

#[tokio::test]
async fn a_record_updated_during_paging_is_returned_twice_ascending_and_never_descending() {
    let client = TestClient::with_defaults().await;
    let descending = search_all_pages(&client, "descending", |_| {}).await;
    let mut ascending = search_all_pages(&client, "ascending", |_| {}).await;
    ascending.reverse();
    assert_eq!(ascending, descending);

    let touch = |id: &str| {
        client.sandbox.with_workspace(|workspace| {
            let now = workspace.now();
            workspace.conversations.get_mut(id).unwrap().updated_at = now;
        });
    };
    let (oldest, middle) = (descending.last().unwrap(), &descending[65]);
    let seen = search_all_pages(&client, "ascending", |number| {
        if number == 0 {
            touch(oldest)
        }
    })
    .await;
    assert_eq!(seen.iter().filter(|id| *id == oldest).count(), 2);
    assert_eq!(seen.len(), 131);
    let seen = search_all_pages(&client, "descending", |number| {
        if number == 0 {
            touch(middle)
        }
    })
    .await;
    assert!(!seen.contains(middle));

    let sort = json!({"query": filter("open", "=", true), "sort": {"field": "updated_at", "order": "asc"}});
    assert_eq!(client.error(Method::POST, "/conversations/search", sort).await.0, 400);
}

#[tokio::test]
async fn numbered_pages_link_to_the_next_page() {
    let client = TestClient::with_defaults().await;
    let (mut seen, mut times) = (Vec::new(), Vec::new());
    let mut path = "/articles?per_page=7".to_owned();
    loop {
        let page = client.get(&path).await;
        assert_eq!(page["pages"]["total_pages"], 6);
        seen.extend(ids(&page["data"]));
        times.extend(page["data"].as_array().unwrap().iter().map(|row| row["updated_at"].as_i64().unwrap()));
        let Some(next) = page["pages"]["next"].as_str() else { break };
        path = next.strip_prefix(&client.sandbox.base_url()).unwrap().to_owned();
    }
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 40);
    assert!(times.is_sorted_by(|a, b| a >= b));
}

#[tokio::test]
async fn only_the_scroll_returns_every_company_and_only_one_can_be_open() {
    let client = TestClient::new(Options { companies: 230, ..options() }).await;
    let listed = client.post("/companies/list?per_page=60", Value::Null).await;
    let listed = listed["total_count"].as_u64().unwrap();
    assert!((1..230).contains(&listed));

    let scroll = async |token: Value| {
        let query = token.as_str().map(|token| format!("?scroll_param={token}")).unwrap_or_default();
        client.call(Method::GET, &format!("/companies/scroll{query}"), Value::Null).await
    };
    let (_, first) = scroll(Value::Null).await;
    let (status, second) = scroll(Value::Null).await;
    assert_eq!((status, &second["errors"][0]["code"]), (400, &json!("scroll_exists")));

    let mut seen = ids(&first["data"]);
    let token = first["scroll_param"].clone();
    loop {
        let (status, page) = scroll(token.clone()).await;
        assert_eq!(status, 200);
        if page["data"].as_array().unwrap().is_empty() {
            break;
        }
        seen.extend(ids(&page["data"]));
    }
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 230);
    assert_eq!(scroll(token).await.0, 404);

    let (_, started) = scroll(Value::Null).await;
    client.sandbox.advance(Duration::from_secs(61));
    assert_eq!(scroll(started["scroll_param"].clone()).await.0, 404);
    assert_eq!(scroll(Value::Null).await.0, 200);
}

// ---- Searches ----

#[tokio::test]
async fn message_bodies_are_searched_by_word() {
    let client = TestClient::with_defaults().await;
    let support = client.search_conversations(filter("source.body", "=", "support")).await;
    assert!(!support.is_empty());
    assert!(client.search_conversations(filter("source.body", "=", "need support")).await.is_empty());
    assert_eq!(client.search_conversations(filter("source.body", "~", "need support")).await, support);
    assert!(client.search_conversations(filter("source.body", "=", "suppor")).await.is_empty());
    // Only the first message is searched, not the replies.
    let id = support.iter().next().unwrap();
    let admin = client.get("/me").await["id"].clone();
    let reply = json!({"message_type": "comment", "type": "admin", "admin_id": admin, "body": "zebra"});
    client.post(&format!("/conversations/{id}/reply"), reply).await;
    assert!(client.search_conversations(filter("source.body", "=", "zebra")).await.is_empty());
}

#[tokio::test]
async fn contact_dates_compare_by_day_in_the_time_zone_and_conversation_dates_by_second() {
    let zone = "America/Los_Angeles".to_owned();
    let client = TestClient::new(Options { timezone: zone, ..options() }).await;
    let midnight = NOW - 8 * 3_600; // 2025-11-24T00:00 in Los Angeles
    let id = client.post("/contacts", json!({"external_id": "late"})).await["id"].clone();
    let set_updated_at = |at: i64| {
        client.sandbox.with_workspace(|workspace| {
            workspace.contacts.get_mut(id.as_str().unwrap()).unwrap().updated_at = at;
        });
    };
    let is_found = |operator: &'static str, value: i64| {
        let both = json!([filter("external_id", "=", "late"), filter("updated_at", operator, value)]);
        let query = json!({"operator": "AND", "value": both});
        async { !client.search_contacts(query).await.is_empty() }
    };
    set_updated_at(midnight + 10 * 3_600);
    assert!(!is_found(">", midnight).await);
    assert!(is_found(">", midnight - 1).await);
    assert!(is_found("=", midnight + 20).await);
    assert!(!is_found("<", midnight + DAY - 1).await);
    assert!(is_found("<", midnight + DAY).await);
    // One second before midnight: still the same day in UTC, but the day before in the workspace's time zone.
    set_updated_at(midnight - 1);
    assert!(!is_found("=", midnight).await);

    for operator in [">=", "<=", "!="] {
        let body = json!({"query": filter("created_at", operator, NOW)});
        assert_eq!(client.error(Method::POST, "/contacts/search", body).await.0, 400);
    }

    let listed = client.get("/conversations?per_page=1").await;
    let newest = &listed["conversations"][0];
    let (id, at) = (newest["id"].as_str().unwrap(), newest["updated_at"].as_i64().unwrap());
    assert!(client.search_conversations(filter("updated_at", ">", at - 1)).await.contains(id));
    assert!(client.search_conversations(filter("updated_at", "=", at)).await.contains(id));
    assert!(!client.search_conversations(filter("updated_at", ">", at)).await.contains(id));
}

#[tokio::test]
async fn filters_match_the_workspace_state() {
    let client = TestClient::with_defaults().await;
    let expected = |keep: fn(&Value) -> bool| {
        client.sandbox.with_workspace(|workspace| {
            let rows = workspace.conversations.iter().map(|row| workspace.conversation_item(row));
            rows.filter(keep).map(|row| row["id"].as_str().unwrap().to_owned()).collect::<HashSet<_>>()
        })
    };
    let open = expected(|row| row["open"] == true);
    assert!(!open.is_empty());
    assert_eq!(client.search_conversations(filter("open", "=", true)).await, open);
    let channels = json!({"field": "source.type", "operator": "IN", "value": ["email", "whatsapp"]});
    let from_channels =
        expected(|row| ["email", "whatsapp"].contains(&row["source"]["type"].as_str().unwrap()));
    assert_eq!(client.search_conversations(channels).await, from_channels);
    let unanswered = expected(|row| row["statistics"]["first_admin_reply_at"].is_null());
    let query = filter("statistics.first_admin_reply_at", "=", Value::Null);
    assert_eq!(client.search_conversations(query).await, unanswered);
    let reopened = expected(|row| row["statistics"]["count_reopens"].as_i64() > Some(0));
    assert_eq!(client.search_conversations(filter("statistics.count_reopens", ">", 0)).await, reopened);
    let group = json!({"operator": "AND", "value": [
        {"operator": "OR", "value": [filter("state", "=", "closed"), filter("state", "=", "snoozed")]},
        {"operator": "OR", "value": [filter("priority", "!=", "priority")]},
    ]});
    let both = expected(|row| {
        row["state"] != "open" && ["none", "low", "medium"].contains(&row["priority"].as_str().unwrap())
    });
    assert_eq!(client.search_conversations(group).await, both);

    let tickets = filter("open", "=", false);
    let closed = client.search_ids("/tickets/search", "tickets", tickets).await;
    let resolved = client.sandbox.with_workspace(|workspace| {
        workspace.tickets.iter().filter(|row| !row.open).map(|row| row.id.clone()).collect::<HashSet<_>>()
    });
    assert_eq!(closed, resolved);
}

#[tokio::test]
async fn invalid_queries_are_rejected() {
    let client = TestClient::with_defaults().await;
    let single = filter("email", "~", "a");
    let mut nested = single.clone();
    for _ in 0..3 {
        nested = json!({"operator": "AND", "value": [nested]});
    }
    let wide = json!({"operator": "OR", "value": vec![single.clone(); 16]});
    for query in [
        nested,
        wide,
        filter("shoe_size", "=", "43"),
        filter("email", ">", "a"),
        filter("created_at", "=", "foobar"),
        filter("email", "=", 7),
        filter("email", "IN", "a"),
        filter("tag_id", "IN", json!(["1"])),
        json!({"operator": "AND", "value": []}),
        json!({"field": "email"}),
    ] {
        let (status, code) =
            client.error(Method::POST, "/contacts/search", json!({"query": query.clone()})).await;
        assert_eq!((status, code.as_str()), (400, "parameter_invalid"), "{query}");
    }
}

#[tokio::test]
async fn unpaginated_lists_use_the_keys_of_the_api() {
    let client = TestClient::with_defaults().await;
    for (path, key, length) in [
        ("/admins", "admins", 8),
        ("/teams", "teams", 4),
        ("/segments?include_count=true", "segments", 4),
        ("/subscription_types", "data", 2),
        ("/help_center/collections", "data", 5),
        ("/help_center/help_centers", "data", 1),
        ("/data_attributes?model=company", "data", 6),
        ("/news/news_items", "data", 6),
        ("/news/newsfeeds", "data", 2),
    ] {
        let response = client.get(path).await;
        assert_eq!(response[key].as_array().unwrap().len(), length, "{path}");
    }
    let me = client.get("/me").await;
    assert_eq!((&me["app"]["region"], &me["app"]["id_code"]), (&json!("US"), &json!("sandbox1")));
    let logs = client.get("/admins/activity_logs?created_at_after=0").await;
    assert_eq!(logs["activity_logs"].as_array().unwrap().len(), 20);

    client.post("/contacts", json!({"external_id": "clicks"})).await;
    let event = json!({"event_name": "clicked", "created_at": NOW, "user_id": "clicks"});
    assert_eq!(client.call(Method::POST, "/events", event).await.0, 202);
    let summary = client.get("/events?type=user&user_id=clicks&summary=true").await;
    assert_eq!(summary["events"][0]["count"], 1);
}
