//! Tests of the sandbox over HTTP. It must be as awkward to work with as the real API.

mod conversations;
mod knowledge;
mod lists;
mod merges;
mod operation;
mod people;
mod quirks;
mod settings;
mod versions;
mod webhook_delivery;
mod webhook_topics;

use std::collections::HashSet;
use std::time::Duration;

use intercom::api::ApiVersion;
use intercom::sandbox::{Options, Sandbox, TOKEN};
use reqwest::{Method, Response};
use serde_json::{Value, json};

const NOW: i64 = 1_764_000_000; // 2025-11-24T16:00Z
const DAY: i64 = 86_400;

/// A sandbox and an HTTP client for it.
struct TestClient {
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl TestClient {
    async fn new(options: Options) -> Self {
        // Fails when another test has installed it, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        TestClient { sandbox: Sandbox::start(options).await.unwrap(), http: reqwest::Client::new() }
    }

    async fn with_defaults() -> Self {
        TestClient::new(options()).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.sandbox.base_url())).bearer_auth(TOKEN)
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        read(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, response) = self.call(Method::POST, path, body).await;
        assert_eq!(status, 200, "POST {path}: {response}");
        response
    }

    /// Status and error code of a request that must fail.
    async fn error(&self, method: Method, path: &str, body: Value) -> (u16, String) {
        let (status, response) = self.call(method, path, body).await;
        assert_eq!(response["type"], "error.list", "{path}: {response}");
        assert_eq!(response["request_id"].as_str().unwrap().len(), 36);
        (status, response["errors"][0]["code"].as_str().unwrap().to_owned())
    }

    /// Ids of the search results, on one large page.
    async fn search_ids(&self, path: &str, key: &str, query: Value) -> HashSet<String> {
        let response = self.post(path, json!({"query": query, "pagination": {"per_page": 150}})).await;
        ids(&response[key]).into_iter().collect()
    }

    async fn search_conversations(&self, query: Value) -> HashSet<String> {
        self.search_ids("/conversations/search", "conversations", query).await
    }

    async fn search_contacts(&self, query: Value) -> HashSet<String> {
        self.search_ids("/contacts/search", "data", query).await
    }
}

fn options() -> Options {
    let api_version = ApiVersion::oldest();
    Options { now: NOW, contacts: 120, conversations: 130, api_version, ..Options::default() }
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
}

fn ids(list: &Value) -> Vec<String> {
    let rows = list.as_array().unwrap_or_else(|| panic!("not a list: {list}"));
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn filter(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"field": field, "operator": operator, "value": value.into()})
}

// ---- Admission ----

#[tokio::test]
async fn a_wrong_token_is_refused_without_rate_limit_headers() {
    let client = TestClient::with_defaults().await;
    let url = format!("{}/me", client.sandbox.base_url());
    for request in [client.http.get(&url), client.http.get(&url).bearer_auth("wrong")] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert!(!response.headers().contains_key("x-ratelimit-limit"));
        assert!(response.headers().contains_key("x-request-id"));
        assert!(response.headers().contains_key("date"));
    }
}

#[tokio::test]
async fn the_rate_limit_counts_down_and_refuses() {
    let client = TestClient::new(Options { rate_limit: 3, ..options() }).await;
    let mut refused = None;
    // Ten requests exceed two windows of three, even if a window ends in between.
    for _ in 0..10 {
        let response = client.request(Method::GET, "/teams").send().await.unwrap();
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
    assert!((now..=now + 11).contains(&reset), "reset {reset} is not within one window of {now}");
    assert_eq!(read(refused).await.1["errors"][0]["code"], "rate_limit_exceeded");
}

#[tokio::test]
async fn operations_require_a_minimum_api_version() {
    let client = TestClient::with_defaults().await;
    let at = |version: &'static str, path: &'static str| {
        let request = client.request(Method::GET, path).header("Intercom-Version", version);
        async { read(request.send().await.unwrap()).await }
    };
    assert_eq!(at("2.13", "/internal_articles").await.0, 400);
    assert_eq!(at("2.14", "/internal_articles").await.0, 200);
    let (status, response) = at("9.9", "/teams").await;
    assert_eq!((status, &response["errors"][0]["code"]), (400, &json!("intercom_version_invalid")));
    // An operation that exists but is not implemented.
    assert_eq!(at("2.14", "/calls").await.0, 501);
}

#[tokio::test]
async fn requests_are_validated_against_the_api_description() {
    let client = TestClient::with_defaults().await;
    let per_page = "/conversations?per_page=151";
    assert_eq!(client.error(Method::GET, per_page, Value::Null).await.0, 400);
    assert_eq!(client.error(Method::GET, "/conversations?per_page=many", Value::Null).await.0, 400);
    assert_eq!(client.error(Method::POST, "/companies/list?per_page=61", Value::Null).await.0, 400);
    assert_eq!(client.error(Method::GET, "/admins/activity_logs", Value::Null).await.0, 400);
    let large = json!({"query": filter("role", "=", "user"), "pagination": {"per_page": 151}});
    assert_eq!(client.error(Method::POST, "/contacts/search", large).await.0, 400);
    let (status, code) = client.error(Method::POST, "/contacts/merge", json!({"from": "a"})).await;
    assert_eq!((status, code.as_str()), (400, "parameter_not_found"));
    let (status, code) = client.error(Method::POST, "/contacts", json!({"email": 7})).await;
    assert_eq!((status, code.as_str()), (400, "parameter_invalid"));
    let wrong_state = json!({"title": "A", "author_id": 991_267_000, "state": "invalid"});
    assert_eq!(client.error(Method::POST, "/articles", wrong_state).await.0, 400);
    assert_eq!(client.error(Method::GET, "/nothing/here", Value::Null).await.0, 404);

    let invalid_json = client.request(Method::POST, "/contacts").body("{\"email\":").send().await.unwrap();
    assert_eq!(invalid_json.status(), 400);
    let unknown_field = json!({"external_id": "extra-1", "unknown": true});
    client.post("/contacts", unknown_field).await;
    client.get("/teams?unknown=1").await;
    let empty_body = client.request(Method::GET, "/teams").body("{}").send().await.unwrap();
    assert_eq!(empty_body.status(), 200);
}

// ---- The Sandbox type ----

#[tokio::test]
async fn requests_are_logged_and_faults_can_be_injected() {
    let client = TestClient::with_defaults().await;
    let mut remaining_failures = 1;
    client.sandbox.intercept(move |workspace, request| {
        workspace.name = request.path.clone();
        (request.operation == Some("listTeams") && remaining_failures > 0).then(|| {
            remaining_failures -= 1;
            503
        })
    });
    assert_eq!(client.error(Method::GET, "/teams?a=1", Value::Null).await.0, 503);
    client.get("/teams").await;
    assert_eq!(client.sandbox.with_workspace(|workspace| workspace.name.clone()), "/teams");
    let requests = client.sandbox.requests();
    let statuses: Vec<_> = requests.iter().map(|request| (request.operation, request.status)).collect();
    assert_eq!(statuses, [(Some("listTeams"), 503), (Some("listTeams"), 200)]);
    assert_eq!(requests[0].query, "a=1");
    client.sandbox.forget_requests();
    assert!(client.sandbox.requests().is_empty());
}

#[tokio::test]
async fn stopping_releases_the_port() {
    let client = TestClient::with_defaults().await;
    let url = format!("{}/teams", client.sandbox.base_url());
    let port: u16 = url.split([':', '/']).nth(4).unwrap().parse().unwrap();
    client.sandbox.stop().await;
    assert!(client.http.get(&url).send().await.is_err());
    let restarted = Sandbox::start(Options { port, ..options() }).await.unwrap();
    assert!(restarted.base_url().ends_with(&port.to_string()));
    assert!(Sandbox::start(Options { port, ..options() }).await.is_err());
}
