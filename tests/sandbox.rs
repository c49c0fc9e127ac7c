//! The sandbox, driven over HTTP: it has to be as awkward as the service it stands for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

use std::collections::HashSet;
use std::sync::Once;
use std::time::Duration;

use intercom::sandbox::{Options, Sandbox, TOKEN};
use reqwest::{Method, Response};
use serde_json::{Value, json};

const NOW: i64 = 1_764_000_000; // 2025-11-24T16:00Z
const DAY: i64 = 86_400;

/// A sandbox and somebody who calls it.
struct Caller {
    sandbox: Sandbox,
    client: reqwest::Client,
}

impl Caller {
    async fn new(options: Options) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            rustls::crypto::ring::default_provider().install_default().expect("no other provider yet");
        });
        Caller { sandbox: Sandbox::start(options).await.unwrap(), client: reqwest::Client::new() }
    }

    async fn usual() -> Self {
        Caller::new(options()).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.sandbox.base_url())).bearer_auth(TOKEN)
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        read(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "GET {path}: {answer}");
        answer
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(Method::POST, path, body).await;
        assert_eq!(status, 200, "POST {path}: {answer}");
        answer
    }

    /// The status and the first error of a call that should fail.
    async fn refused(&self, method: Method, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call(method, path, body).await;
        assert_eq!(answer["type"], "error.list", "{path}: {answer}");
        assert_eq!(answer["request_id"].as_str().unwrap().len(), 36);
        (status, answer["errors"][0]["code"].as_str().unwrap().to_owned())
    }

    /// The ids that a search finds on one large page.
    async fn found(&self, path: &str, key: &str, query: Value) -> HashSet<String> {
        let answer = self.post(path, json!({"query": query, "pagination": {"per_page": 150}})).await;
        ids(&answer[key]).into_iter().collect()
    }

    async fn conversations(&self, query: Value) -> HashSet<String> {
        self.found("/conversations/search", "conversations", query).await
    }

    async fn contacts(&self, query: Value) -> HashSet<String> {
        self.found("/contacts/search", "data", query).await
    }
}

fn options() -> Options {
    Options { now: NOW, contacts: 120, conversations: 130, ..Options::default() }
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
}

fn ids(list: &Value) -> Vec<String> {
    let rows = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn test(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"field": field, "operator": operator, "value": value.into()})
}

// ---- The gate ----

#[tokio::test]
async fn a_wrong_token_is_refused_without_rate_limit_headers() {
    let caller = Caller::usual().await;
    let url = format!("{}/me", caller.sandbox.base_url());
    for request in [caller.client.get(&url), caller.client.get(&url).bearer_auth("wrong")] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert!(!response.headers().contains_key("x-ratelimit-limit"));
        assert!(response.headers().contains_key("x-request-id"));
        assert!(response.headers().contains_key("date"));
    }
}

#[tokio::test]
async fn the_rate_limit_counts_down_and_refuses() {
    let caller = Caller::new(Options { rate_limit: 3, ..options() }).await;
    let mut refused = None;
    // Ten calls do not fit into two windows of three, even if a window ends in between.
    for _ in 0..10 {
        let response = caller.request(Method::GET, "/teams").send().await.unwrap();
        assert_eq!(response.headers()["x-ratelimit-limit"], "3");
        if response.status() == 429 {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.expect("the limit was never reached");
    assert_eq!(refused.headers()["x-ratelimit-remaining"], "0");
    let reset: u64 = refused.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
    let date = httpdate::parse_http_date(refused.headers()["date"].to_str().unwrap()).unwrap();
    let now = date.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((now..=now + 11).contains(&reset), "{reset} is no end of a window of ten seconds, it is {now}");
    assert_eq!(read(refused).await.1["errors"][0]["code"], "rate_limit_exceeded");
}

#[tokio::test]
async fn versions_gate_operations() {
    let caller = Caller::usual().await;
    let at = |version: &'static str, path: &'static str| {
        let request = caller.request(Method::GET, path).header("Intercom-Version", version);
        async { read(request.send().await.unwrap()).await }
    };
    assert_eq!(at("2.13", "/internal_articles").await.0, 400);
    assert_eq!(at("2.14", "/internal_articles").await.0, 200);
    let (status, answer) = at("9.9", "/teams").await;
    assert_eq!((status, &answer["errors"][0]["code"]), (400, &json!("intercom_version_invalid")));
    // What exists but is not modelled says so.
    assert_eq!(at("2.14", "/calls").await.0, 501);
}

#[tokio::test]
async fn calls_are_checked_against_the_description() {
    let caller = Caller::usual().await;
    let per_page = "/conversations?per_page=151";
    assert_eq!(caller.refused(Method::GET, per_page, Value::Null).await.0, 400);
    assert_eq!(caller.refused(Method::GET, "/conversations?per_page=many", Value::Null).await.0, 400);
    assert_eq!(caller.refused(Method::POST, "/companies/list?per_page=61", Value::Null).await.0, 400);
    assert_eq!(caller.refused(Method::GET, "/admins/activity_logs", Value::Null).await.0, 400);
    let large = json!({"query": test("role", "=", "user"), "pagination": {"per_page": 151}});
    assert_eq!(caller.refused(Method::POST, "/contacts/search", large).await.0, 400);
    let (status, code) = caller.refused(Method::POST, "/contacts/merge", json!({"from": "a"})).await;
    assert_eq!((status, code.as_str()), (400, "parameter_not_found"));
    let (status, code) = caller.refused(Method::POST, "/contacts", json!({"email": 7})).await;
    assert_eq!((status, code.as_str()), (400, "parameter_invalid"));
    let wrong_state = json!({"title": "A", "author_id": 991_267_000, "state": "shouted"});
    assert_eq!(caller.refused(Method::POST, "/articles", wrong_state).await.0, 400);
    assert_eq!(caller.refused(Method::GET, "/nothing/here", Value::Null).await.0, 404);

    let broken = caller.request(Method::POST, "/contacts").body("{\"email\":").send().await.unwrap();
    assert_eq!(broken.status(), 400);
    let extra = json!({"external_id": "extra-1", "never_heard_of": true});
    caller.post("/contacts", extra).await;
    caller.get("/teams?never_heard_of=1").await;
    let sent = caller.request(Method::GET, "/teams").body("{}").send().await.unwrap();
    assert_eq!(sent.status(), 200);
}

// ---- Paging ----

#[tokio::test]
async fn cursors_lead_through_everything_once() {
    let caller = Caller::usual().await;
    for (path, key, total) in [("/contacts", "data", 120), ("/conversations", "conversations", 130)] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = caller.get(&format!("{path}?per_page=17{after}")).await;
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

/// Ids in the order of a search by `updated_at`, while `disturb` runs before each further page.
async fn searched(caller: &Caller, order: &str, disturb: impl Fn(usize)) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    for number in 0.. {
        let body = json!({
            "query": test("updated_at", ">", 0),
            "sort": {"field": "updated_at", "order": order},
            "pagination": {"per_page": 20, "starting_after": after},
        });
        let page = caller.post("/conversations/search", body).await;
        seen.extend(ids(&page["conversations"]));
        after = page["pages"]["next"]["starting_after"].clone();
        if after.is_null() {
            break;
        }
        disturb(number);
    }
    seen
}

#[tokio::test]
async fn a_record_that_moves_comes_twice_ascending_and_never_descending() {
    let caller = Caller::usual().await;
    let descending = searched(&caller, "descending", |_| {}).await;
    let mut ascending = searched(&caller, "ascending", |_| {}).await;
    ascending.reverse();
    assert_eq!(ascending, descending);

    let touch = |id: &str| {
        caller.sandbox.with_workspace(|workspace| {
            let now = workspace.now();
            workspace.conversations.get_mut(id).unwrap().updated_at = now;
        });
    };
    let (oldest, middle) = (descending.last().unwrap(), &descending[65]);
    let seen = searched(&caller, "ascending", |number| {
        if number == 0 {
            touch(oldest)
        }
    })
    .await;
    assert_eq!(seen.iter().filter(|id| *id == oldest).count(), 2);
    assert_eq!(seen.len(), 131);
    let seen = searched(&caller, "descending", |number| {
        if number == 0 {
            touch(middle)
        }
    })
    .await;
    assert!(!seen.contains(middle));

    let sort = json!({"query": test("open", "=", true), "sort": {"field": "updated_at", "order": "asc"}});
    assert_eq!(caller.refused(Method::POST, "/conversations/search", sort).await.0, 400);
}

#[tokio::test]
async fn numbered_pages_link_to_the_next_one() {
    let caller = Caller::usual().await;
    let (mut seen, mut times) = (Vec::new(), Vec::new());
    let mut path = "/articles?per_page=7".to_owned();
    loop {
        let page = caller.get(&path).await;
        assert_eq!(page["pages"]["total_pages"], 6);
        seen.extend(ids(&page["data"]));
        times.extend(page["data"].as_array().unwrap().iter().map(|row| row["updated_at"].as_i64().unwrap()));
        let Some(next) = page["pages"]["next"].as_str() else { break };
        path = next.strip_prefix(&caller.sandbox.base_url()).unwrap().to_owned();
    }
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 40);
    assert!(times.is_sorted_by(|a, b| a >= b));
}

#[tokio::test]
async fn only_the_scroll_has_every_company_and_there_is_one_at_a_time() {
    let caller = Caller::new(Options { companies: 230, ..options() }).await;
    let listed = caller.post("/companies/list?per_page=60", Value::Null).await;
    let listed = listed["total_count"].as_u64().unwrap();
    assert!((1..230).contains(&listed));

    let scroll = async |token: Value| {
        let query = token.as_str().map(|token| format!("?scroll_param={token}")).unwrap_or_default();
        caller.call(Method::GET, &format!("/companies/scroll{query}"), Value::Null).await
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
    caller.sandbox.advance(Duration::from_secs(61));
    assert_eq!(scroll(started["scroll_param"].clone()).await.0, 404);
    assert_eq!(scroll(Value::Null).await.0, 200);
}

// ---- Searching ----

#[tokio::test]
async fn a_message_body_is_searched_by_word() {
    let caller = Caller::usual().await;
    let support = caller.conversations(test("source.body", "=", "support")).await;
    assert!(!support.is_empty());
    assert!(caller.conversations(test("source.body", "=", "need support")).await.is_empty());
    assert_eq!(caller.conversations(test("source.body", "~", "need support")).await, support);
    assert!(caller.conversations(test("source.body", "=", "suppor")).await.is_empty());
    // Only the first message counts, whatever was said later.
    let id = support.iter().next().unwrap();
    let admin = caller.get("/me").await["id"].clone();
    let reply = json!({"message_type": "comment", "type": "admin", "admin_id": admin, "body": "zebra"});
    caller.post(&format!("/conversations/{id}/reply"), reply).await;
    assert!(caller.conversations(test("source.body", "=", "zebra")).await.is_empty());
}

#[tokio::test]
async fn dates_of_contacts_compare_by_the_workspace_s_day_and_those_of_conversations_by_the_second() {
    let zone = "America/Los_Angeles".to_owned();
    let caller = Caller::new(Options { timezone: zone, ..options() }).await;
    let midnight = NOW - 8 * 3_600; // 2025-11-24T00:00 in Los Angeles
    let id = caller.post("/contacts", json!({"external_id": "late"})).await["id"].clone();
    let place = |at: i64| {
        caller.sandbox.with_workspace(|workspace| {
            workspace.contacts.get_mut(id.as_str().unwrap()).unwrap().updated_at = at;
        });
    };
    let found = |operator: &'static str, value: i64| {
        let both = json!([test("external_id", "=", "late"), test("updated_at", operator, value)]);
        let query = json!({"operator": "AND", "value": both});
        async { !caller.contacts(query).await.is_empty() }
    };
    place(midnight + 10 * 3_600);
    assert!(!found(">", midnight).await);
    assert!(found(">", midnight - 1).await);
    assert!(found("=", midnight + 20).await);
    assert!(!found("<", midnight + DAY - 1).await);
    assert!(found("<", midnight + DAY).await);
    // One second before midnight here is the same day in UTC, and another one there.
    place(midnight - 1);
    assert!(!found("=", midnight).await);

    for operator in [">=", "<=", "!="] {
        let body = json!({"query": test("created_at", operator, NOW)});
        assert_eq!(caller.refused(Method::POST, "/contacts/search", body).await.0, 400);
    }

    let listed = caller.get("/conversations?per_page=1").await;
    let newest = &listed["conversations"][0];
    let (id, at) = (newest["id"].as_str().unwrap(), newest["updated_at"].as_i64().unwrap());
    assert!(caller.conversations(test("updated_at", ">", at - 1)).await.contains(id));
    assert!(caller.conversations(test("updated_at", "=", at)).await.contains(id));
    assert!(!caller.conversations(test("updated_at", ">", at)).await.contains(id));
}

#[tokio::test]
async fn filters_agree_with_the_state() {
    let caller = Caller::usual().await;
    let expected = |keep: fn(&Value) -> bool| {
        caller.sandbox.with_workspace(|workspace| {
            let rows = workspace.conversations.iter().map(|row| workspace.conversation_item(row));
            rows.filter(keep).map(|row| row["id"].as_str().unwrap().to_owned()).collect::<HashSet<_>>()
        })
    };
    let open = expected(|row| row["open"] == true);
    assert!(!open.is_empty());
    assert_eq!(caller.conversations(test("open", "=", true)).await, open);
    let channels = json!({"field": "source.type", "operator": "IN", "value": ["email", "whatsapp"]});
    let written = expected(|row| ["email", "whatsapp"].contains(&row["source"]["type"].as_str().unwrap()));
    assert_eq!(caller.conversations(channels).await, written);
    let unanswered = expected(|row| row["statistics"]["first_admin_reply_at"].is_null());
    let query = test("statistics.first_admin_reply_at", "=", Value::Null);
    assert_eq!(caller.conversations(query).await, unanswered);
    let reopened = expected(|row| row["statistics"]["count_reopens"].as_i64() > Some(0));
    assert_eq!(caller.conversations(test("statistics.count_reopens", ">", 0)).await, reopened);
    let group = json!({"operator": "AND", "value": [
        {"operator": "OR", "value": [test("state", "=", "closed"), test("state", "=", "snoozed")]},
        {"operator": "OR", "value": [test("priority", "!=", "priority")]},
    ]});
    let both = expected(|row| row["state"] != "open" && row["priority"] == "not_priority");
    assert_eq!(caller.conversations(group).await, both);

    let tickets = test("open", "=", false);
    let found = caller.found("/tickets/search", "tickets", tickets).await;
    let resolved = caller.sandbox.with_workspace(|workspace| {
        workspace.tickets.iter().filter(|row| !row.open).map(|row| row.id.clone()).collect::<HashSet<_>>()
    });
    assert_eq!(found, resolved);
}

#[tokio::test]
async fn wrong_queries_are_refused() {
    let caller = Caller::usual().await;
    let single = test("email", "~", "a");
    let mut nested = single.clone();
    for _ in 0..3 {
        nested = json!({"operator": "AND", "value": [nested]});
    }
    let wide = json!({"operator": "OR", "value": vec![single.clone(); 16]});
    for query in [
        nested,
        wide,
        test("shoe_size", "=", "43"),
        test("email", ">", "a"),
        test("created_at", "=", "foobar"),
        test("email", "=", 7),
        test("email", "IN", "a"),
        test("tag_id", "IN", json!(["1"])),
        json!({"operator": "AND", "value": []}),
        json!({"field": "email"}),
    ] {
        let (status, code) =
            caller.refused(Method::POST, "/contacts/search", json!({"query": query.clone()})).await;
        assert_eq!((status, code.as_str()), (400, "parameter_invalid"), "{query}");
    }
}

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

#[tokio::test]
async fn small_lists_have_their_own_names() {
    let caller = Caller::usual().await;
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
        let answer = caller.get(path).await;
        assert_eq!(answer[key].as_array().unwrap().len(), length, "{path}");
    }
    let me = caller.get("/me").await;
    assert_eq!((&me["app"]["region"], &me["app"]["id_code"]), (&json!("US"), &json!("sandbox1")));
    let logs = caller.get("/admins/activity_logs?created_at_after=0").await;
    assert_eq!(logs["activity_logs"].as_array().unwrap().len(), 20);

    caller.post("/contacts", json!({"external_id": "clicks"})).await;
    let event = json!({"event_name": "clicked", "created_at": NOW, "user_id": "clicks"});
    assert_eq!(caller.call(Method::POST, "/events", event).await.0, 202);
    let summary = caller.get("/events?type=user&user_id=clicks&summary=true").await;
    assert_eq!(summary["events"][0]["count"], 1);
}

// ---- The handle ----

#[tokio::test]
async fn calls_are_logged_and_can_be_made_to_fail() {
    let caller = Caller::usual().await;
    let mut failures = 1;
    caller.sandbox.intercept(move |workspace, call| {
        workspace.name = call.path.clone();
        (call.operation == Some("listTeams") && failures > 0).then(|| {
            failures -= 1;
            503
        })
    });
    assert_eq!(caller.refused(Method::GET, "/teams?a=1", Value::Null).await.0, 503);
    caller.get("/teams").await;
    assert_eq!(caller.sandbox.with_workspace(|workspace| workspace.name.clone()), "/teams");
    let calls = caller.sandbox.requests();
    let statuses: Vec<_> = calls.iter().map(|call| (call.operation, call.status)).collect();
    assert_eq!(statuses, [(Some("listTeams"), 503), (Some("listTeams"), 200)]);
    assert_eq!(calls[0].query, "a=1");
    caller.sandbox.forget_requests();
    assert!(caller.sandbox.requests().is_empty());
}

#[tokio::test]
async fn stopping_frees_the_port() {
    let caller = Caller::usual().await;
    let url = format!("{}/teams", caller.sandbox.base_url());
    let port: u16 = url.split([':', '/']).nth(4).unwrap().parse().unwrap();
    caller.sandbox.stop().await;
    assert!(caller.client.get(&url).send().await.is_err());
    let again = Sandbox::start(Options { port, ..options() }).await.unwrap();
    assert!(again.base_url().ends_with(&port.to_string()));
    assert!(Sandbox::start(Options { port, ..options() }).await.is_err());
}
