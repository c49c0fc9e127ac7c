//! The sandbox, driven over HTTP: it has to be as awkward as the service it stands for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod lists;
mod people;
mod talk;

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
