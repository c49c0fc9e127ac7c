//! Tests the transport against misbehaving servers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod limits;
mod pages;
mod retries;
mod server;

use std::time::Duration;

use intercom::api::error::Unexpected;
use intercom::api::transport::{Idempotency, Settings, Transport};
use intercom::api::{Error, Reply, Token};
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use server::{RecordedRequest, Server, cut, json, ok, raw};

const TOKEN: &str = "dG9rOnZlcnktc2VjcmV0LXRva2Vu";

fn settings(url: &str) -> Settings {
    let mut settings = Settings::new(url.parse().unwrap(), Some(Token::new(TOKEN).unwrap()));
    settings.first_delay = Duration::from_millis(1);
    settings
}

fn transport(server: &Server) -> Transport {
    Transport::new(settings(&server.url())).unwrap()
}

async fn get(transport: &Transport, path: &str) -> Result<Reply, Error> {
    let request = transport.request(Method::GET, path, &[])?;
    transport.send(request, Idempotency::Idempotent).await
}

async fn post(transport: &Transport, path: &str) -> Result<Reply, Error> {
    let mut request = transport.request(Method::POST, path, &[])?;
    *request.body_mut() = Some("{}".into());
    transport.send(request, Idempotency::of(&Method::POST)).await
}

fn assert_no_secret(text: String) {
    assert!(!text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn every_request_has_the_required_headers() {
    let server = Server::start(|_, _| ok()).await;
    let mut settings = settings(&format!("{}/base/", server.url()));
    settings.headers.insert("x-team", HeaderValue::from_static("support"));
    let transport = Transport::new(settings).unwrap();
    let query = [("q".to_owned(), "a b&c".to_owned())];
    let request = transport.request(Method::GET, "/contacts/5%2F6", &query).unwrap();
    let reply = transport.send(request, Idempotency::Idempotent).await.unwrap();
    assert_eq!(reply.json_text().unwrap(), "{\"ok\": true}");
    post(&transport, "/contacts").await.unwrap();

    let received = server.received();
    assert_eq!(received[0].line, "GET /base/contacts/5%2F6?q=a+b%26c");
    for request in &received {
        assert_eq!(request.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(request.header("accept"), Some("application/json"));
        assert_eq!(request.header("intercom-version"), Some("2.13"));
        assert_eq!(request.header("x-team"), Some("support"));
        assert!(request.header("user-agent").unwrap().starts_with("intercom-pp-cli/"));
        assert!(request.header("accept-encoding").unwrap().contains("gzip"));
        assert_eq!(request.connection, 0, "connections are reused");
    }
    assert_eq!(received[0].header("content-type"), None);
    assert_eq!(
        (received[1].header("content-type"), received[1].body.as_str()),
        (Some("application/json"), "{}")
    );
}

#[tokio::test]
async fn a_request_may_set_another_version_and_settings_override_it() {
    let server = Server::start(|_, _| ok()).await;
    let version = HeaderName::from_static("intercom-version");
    let mut settings = settings(&server.url());
    let versioned = |transport: &Transport| {
        let mut request = transport.request(Method::GET, "/calls", &[]).unwrap();
        request.headers_mut().insert(version.clone(), HeaderValue::from_static("2.14"));
        request
    };
    let transport = Transport::new(settings.clone()).unwrap();
    transport.send(versioned(&transport), Idempotency::Idempotent).await.unwrap();
    settings.headers.insert(version.clone(), HeaderValue::from_static("Unstable"));
    settings.headers.insert("authorization", HeaderValue::from_static("Basic proxy"));
    let transport = Transport::new(settings).unwrap();
    transport.send(versioned(&transport), Idempotency::Idempotent).await.unwrap();

    let received = server.received();
    assert_eq!(received[0].header("intercom-version"), Some("2.14"));
    assert_eq!(received[1].header("intercom-version"), Some("Unstable"));
    assert_eq!(received[1].header("authorization"), Some("Basic proxy"));
}

#[tokio::test]
async fn a_preview_equals_the_request_except_for_the_secret() {
    let server = Server::start(|_, _| ok()).await;
    let mut settings = settings(&server.url());
    settings.headers.insert("x-team", HeaderValue::from_static("support"));
    let transport = Transport::new(settings).unwrap();
    let mut request = transport.request(Method::PUT, "/contacts/1", &[]).unwrap();
    *request.body_mut() = Some("{\"name\":\"A\"}".into());
    let preview = transport.preview(&request);
    assert!(server.received().is_empty());
    assert_no_secret(format!("{preview:?} {transport:?}"));

    transport.send(request, Idempotency::Idempotent).await.unwrap();
    let received = &server.received()[0];
    assert_eq!(received.line, "PUT /contacts/1");
    assert_eq!(preview.body.as_deref(), Some(received.body.as_bytes()));
    assert!(preview.headers.len() >= 6);
    for (name, value) in &preview.headers {
        let sent = received.header(name).unwrap();
        assert_eq!(value, if name == "authorization" { "Bearer ****a2Vu" } else { sent });
    }
}

#[tokio::test]
async fn the_token_does_not_follow_a_redirect_to_another_host() {
    let elsewhere = Server::start(|_, _| raw("200 OK", "content-type: audio/wav\r\n", "RIFF")).await;
    let target = format!("location: {}/file?signature=x\r\n", elsewhere.url());
    let server = Server::start(move |_, request| match request.line.as_str() {
        "GET /moved" => raw("301 Moved Permanently", "location: /calls/1/recording\r\n", ""),
        _ => raw("302 Found", &target, ""),
    })
    .await;
    let mut settings = settings(&server.url());
    settings.headers.insert("x-secret", HeaderValue::from_static("mine"));
    let transport = Transport::new(settings).unwrap();
    let request = transport.request(Method::GET, "/moved", &[]).unwrap();
    let mut download = transport.download(request, Idempotency::Idempotent).await.unwrap();
    assert_eq!(download.length(), Some(4));
    assert_eq!(download.chunk().await.unwrap().unwrap(), "RIFF");
    assert!(download.chunk().await.unwrap().is_none());

    assert_eq!(server.received().len(), 2);
    assert!(server.received().iter().all(|request| request.header("authorization").is_some()));
    let foreign = &elsewhere.received()[0];
    assert_eq!(foreign.line, "GET /file?signature=x");
    for name in ["authorization", "x-secret", "intercom-version"] {
        assert_eq!(foreign.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn a_redirect_back_from_another_host_does_not_get_the_token() {
    let server_url = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let back = server_url.clone();
    let elsewhere = Server::start(move |_, _| {
        raw("302 Found", &format!("location: {}/back\r\n", back.get().unwrap()), "")
    })
    .await;
    let target = format!("location: {}/\r\n", elsewhere.url());
    let server = Server::start(move |number, _| match number {
        0 => raw("307 Temporary Redirect", &target, ""),
        _ => ok(),
    })
    .await;
    server_url.set(server.url()).unwrap();
    get(&transport(&server), "/contacts").await.unwrap();
    assert_eq!(server.received()[1].line, "GET /back");
    assert_eq!(server.received()[1].header("authorization"), None);
}

#[tokio::test]
async fn redirects_are_limited_and_a_post_is_not_redirected() {
    let server = Server::start(|_, _| raw("302 Found", "location: /again\r\n", "")).await;
    let transport = transport(&server);
    assert!(matches!(get(&transport, "/x").await.unwrap_err(), Error::TooManyRedirects { .. }));
    assert_eq!(server.received().len(), 6);
    assert_eq!(post(&transport, "/x").await.unwrap_err().status(), Some(302));
    assert_eq!(server.received().len(), 7);
}

#[tokio::test]
async fn errors_are_parsed_in_any_format() {
    let page = "<html>\r\n<head><title>404 Not Found</title></head>\r\n</html>";
    let list = r#"{"type":"error.list","request_id":"req-1","errors":[{"code":"unauthorized","message":"Access Token Invalid TOKEN","field":"token"}]}"#;
    let list = list.replace("TOKEN", TOKEN);
    let server = Server::start(move |number, _| match number {
        0 => raw("404 Not Found", "content-type: text/html\r\nx-request-id: abc\r\n", page),
        1 => json("401 Unauthorized", "", &list),
        _ => raw("409 Conflict", "", ""),
    })
    .await;
    let transport = transport(&server);
    let missing = get(&transport, "/contacts/1").await.unwrap_err();
    assert!(missing.is_not_found() && !missing.to_string().contains('<'), "{missing}");
    assert_eq!(missing.request_id(), Some("abc"));

    let refused = get(&transport, "/me").await.unwrap_err();
    assert!(refused.is_unauthorized());
    assert_eq!((refused.code(), refused.request_id()), (Some("unauthorized"), Some("req-1")));
    assert_no_secret(format!("{refused} {refused:?}"));

    let conflict = post(&transport, "/contacts").await.unwrap_err();
    assert!(conflict.is_conflict() && conflict.to_string().contains("Conflict"), "{conflict}");
}

#[tokio::test]
async fn bodies_are_complete_and_valid() {
    // {"zipped": true}
    const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV\xaa\xca,(HMQ\xb2R()*M\xad\x05\x00\xcc\xa5\xde\r\x10\x00\x00\x00";
    let server = Server::start(|number, _| match number {
        0 => json("200 OK", "content-encoding: gzip\r\n", GZIP),
        1 => json("200 OK", "", b"\xEF\xBB\xBF{\"body\": \"line\none\x07 \xFF \\ud83d\"}"),
        2 => json("200 OK", "", ""),
        3 => raw("204 No Content", "", ""),
        4 => raw("200 OK", "content-type: text/html\r\n", "<!doctype html><p>Sign in"),
        _ => raw("200 OK", "content-type: text/plain\r\n", "[00:01] \"Hello\nthere\""),
    })
    .await;
    let transport = transport(&server);
    assert_eq!(get(&transport, "/").await.unwrap().body, "{\"zipped\": true}");
    assert_eq!(
        get(&transport, "/").await.unwrap().body,
        "{\"body\": \"line\\none\\u0007 \u{FFFD} \\ufffd\"}"
    );
    assert_eq!(reason(get(&transport, "/").await.unwrap()), Unexpected::Empty);
    assert_eq!(get(&transport, "/").await.unwrap().body, "");
    assert_eq!(reason(get(&transport, "/").await.unwrap()), Unexpected::Html);
    assert_eq!(get(&transport, "/").await.unwrap().body, "[00:01] \"Hello\nthere\"");
}

fn reason(reply: Reply) -> Unexpected {
    match reply.json_text().unwrap_err() {
        Error::UnexpectedResponse(response) => response.reason,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_truncated_download_is_an_error() {
    let server = Server::start(|number, _| match number {
        0 => raw("503 Service Unavailable", "", ""),
        _ => cut(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec()),
    })
    .await;
    let transport = transport(&server);
    let request = transport.request(Method::GET, "/download", &[]).unwrap();
    let mut download = transport.download(request, Idempotency::Idempotent).await.unwrap();
    let mut result = download.chunk().await;
    while let Ok(Some(_)) = result {
        result = download.chunk().await;
    }
    assert!(matches!(result, Err(Error::Network { .. })), "{result:?}");
    assert_eq!(server.received()[0].header("accept"), Some("*/*"));
}

#[test]
fn invalid_settings_and_paths_are_rejected_before_sending() {
    let invalid = |settings: Settings| matches!(Transport::new(settings), Err(Error::InvalidRequest(_)));
    assert!(invalid(settings("ftp://example.com")));
    assert!(invalid(settings("https://user:password@example.com")));
    assert!(invalid(Settings { rate_limit: Some(0.0), ..settings("https://example.com") }));
    assert!(invalid(Settings { rate_limit: Some(f64::NAN), ..settings("https://example.com") }));
    assert!(invalid(Settings { api_version: "2\n13".into(), ..settings("https://example.com") }));
    let mut framed = settings("https://example.com");
    framed.headers.insert("content-length", HeaderValue::from_static("1"));
    assert!(invalid(framed));

    let transport = Transport::new(settings("https://example.com/base")).unwrap();
    for path in ["contacts", "/../admin", "/contacts/%2e%2e/x", "/a?b", "/a#b", "/a b", "/a\\b"] {
        let result = transport.request(Method::GET, path, &[]);
        assert!(matches!(result, Err(Error::InvalidRequest(_))), "{path}: {result:?}");
    }
    assert_no_secret(format!("{:?}", settings("https://example.com")));
}
