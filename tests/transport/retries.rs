//! Tests which requests are retried and, above all, which are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use intercom::Client;
use intercom::api::request_builder::{Arguments, operation};
use tokio::net::TcpListener;

use crate::server::{Server, cut, json, ok, raw};
use crate::*;

const BUSY: &str =
    r#"{"type":"error.list","errors":[{"code":"export_job_running","message":"One at a time"}]}"#;
const LIMITED: &str =
    r#"{"type":"error.list","errors":[{"code":"rate_limit_exceeded","message":"Slow down"}]}"#;

/// The first `failures` requests get the response `bad`, the others a success.
async fn failing(failures: usize, bad: Vec<u8>) -> Server {
    Server::start(move |number, _| if number < failures { bad.clone() } else { ok() }).await
}

#[tokio::test]
async fn a_read_is_retried_after_any_temporary_failure() {
    let truncated =
        cut(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{\"a\"".to_vec());
    let chunked = cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n".to_vec());
    let failures = [
        raw("408 Request Timeout", "", ""),
        raw("500 Internal Server Error", "", ""),
        raw("502 Bad Gateway", "content-type: text/html\r\n", "<html>"),
        raw("503 Service Unavailable", "", ""),
        raw("504 Gateway Timeout", "", ""),
        json("429 Too Many Requests", "", LIMITED),
        Vec::new(),
        truncated,
        chunked,
        json("200 OK", "", "{\"unfinished\": "),
    ];
    for failure in failures {
        let text = String::from_utf8_lossy(&failure).into_owned();
        let server = failing(2, failure).await;
        let transport = transport(&server);
        let reply = get(&transport, "/contacts").await;
        assert_eq!(reply.expect(&text).body, "{\"ok\": true}");
        assert_eq!(server.received().len(), 3, "{text}");
        assert_eq!((transport.usage().requests, transport.usage().retries), (3, 2));
    }
}

#[tokio::test]
async fn permanent_errors_are_not_retried() {
    for status in
        ["400 Bad Request", "401 Unauthorized", "404 Not Found", "409 Conflict", "422 Unprocessable"]
    {
        let server = failing(1, raw(status, "", "")).await;
        assert!(get(&transport(&server), "/").await.is_err());
        assert_eq!(server.received().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_change_with_an_unknown_outcome_is_not_retried() {
    let truncated =
        cut(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{\"a\"".to_vec());
    for failure in [
        raw("500 Internal Server Error", "", ""),
        raw("503 Service Unavailable", "", ""),
        Vec::new(),
        truncated,
    ] {
        let server = failing(1, failure).await;
        let error = post(&transport(&server), "/contacts").await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{error}");
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn a_rate_limited_change_is_retried() {
    let server = failing(2, json("429 Too Many Requests", "", LIMITED)).await;
    let transport = transport(&server);
    post(&transport, "/contacts").await.unwrap();
    assert_eq!(server.received().len(), 3);
    assert_eq!(transport.usage().refused, 2);
}

#[tokio::test]
async fn a_search_can_be_marked_as_idempotent() {
    let server = failing(1, raw("502 Bad Gateway", "", "")).await;
    let transport = transport(&server);
    let request = transport.request(Method::POST, "/contacts/search", &[]).unwrap();
    transport.send(request, Idempotency::Idempotent).await.unwrap();
    assert_eq!(server.received().len(), 2);
}

/// The port refuses connections until the second attempt is about to be made.
#[tokio::test]
async fn a_change_that_was_never_sent_is_retried() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut settings = settings(&format!("http://{address}"));
    let offline = Transport::new(settings.clone()).unwrap();
    let error = post(&offline, "/contacts").await.unwrap_err();
    assert!(error.is_offline(), "{error:?}");
    assert!(!error.is_outcome_unknown());
    assert_eq!(offline.usage().requests, 4);
    assert!(
        error.to_string().contains(&address.to_string()) && error.to_string().contains("refused"),
        "{error}"
    );

    settings.first_delay = Duration::from_millis(500);
    let served = Arc::new(AtomicUsize::new(0));
    let count = served.clone();
    let late = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let listener = TcpListener::bind(address).await.unwrap();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut buffer).await;
            count.fetch_add(1, Ordering::SeqCst);
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &ok()).await;
        }
    });
    post(&Transport::new(settings).unwrap(), "/contacts").await.unwrap();
    assert_eq!(served.load(Ordering::SeqCst), 1);
    late.abort();
}

#[tokio::test]
async fn the_requested_wait_is_honored() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let server = failing(1, json(status, "retry-after: 1\r\n", "{}")).await;
        let start = Instant::now();
        get(&transport(&server), "/").await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(1), "{status}");
    }
    let date = "date: Fri, 15 Jan 2027 08:00:00 GMT\r\nretry-after: Fri, 15 Jan 2027 08:00:01 GMT\r\n";
    let server = failing(1, json("429 Too Many Requests", date, LIMITED)).await;
    let start = Instant::now();
    get(&transport(&server), "/").await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn the_number_of_attempts_is_limited() {
    let server = failing(usize::MAX, raw("503 Service Unavailable", "", "")).await;
    let mut few = settings(&server.url());
    few.retries = 2;
    let error = get(&Transport::new(few).unwrap(), "/").await.unwrap_err();
    assert_eq!((error.status(), server.received().len()), (Some(503), 3));
    assert!(error.is_overload());

    let server = failing(usize::MAX, json("429 Too Many Requests", "", LIMITED)).await;
    let error = post(&transport(&server), "/").await.unwrap_err();
    assert!(matches!(error, Error::RateLimited { attempts: 6, .. }), "{error:?}");
    assert_eq!((error.status(), server.received().len()), (Some(429), 6));
}

/// Calls are left, so waiting for the reset (50 s away) would be pointless.
#[tokio::test]
async fn one_job_at_a_time_is_not_a_rate_limit() {
    let reset = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 50;
    let rate =
        format!("x-ratelimit-limit: 167\r\nx-ratelimit-remaining: 100\r\nx-ratelimit-reset: {reset}\r\n");
    let server = failing(usize::MAX, json("429 Too Many Requests", &rate, BUSY)).await;
    let start = Instant::now();
    let error = post(&transport(&server), "/export/content/data").await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(
        (error.code(), error.status(), error.is_rate_limited()),
        (Some("export_job_running"), Some(429), false)
    );
    assert_eq!(server.received().len(), 3);
}

#[tokio::test]
async fn a_missing_response_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(&format!("http://{}", listener.local_addr().unwrap()));
    settings.timeout = Duration::from_millis(300);
    settings.retries = 1;
    let transport = Transport::new(settings).unwrap();
    let error = get(&transport, "/slow").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(transport.usage().requests, 2);
    let error = post(&transport, "/slow").await.unwrap_err();
    assert!(error.is_outcome_unknown() && error.to_string().contains("POST /slow"), "{error}");
    assert_eq!(transport.usage().requests, 3);
}

/// Every attempt takes the full timeout, so the number of attempts and of page sizes is small.
#[tokio::test]
async fn a_server_that_never_responds_gets_few_attempts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(&format!("http://{}", listener.local_addr().unwrap()));
    settings.timeout = Duration::from_millis(50);
    let client = Client::new(settings).unwrap();
    assert!(matches!(get(client.transport(), "/slow").await, Err(Error::Timeout { .. })));
    assert_eq!(client.transport().usage().requests, 3);
    let list = operation("ListContacts").unwrap();
    let page = std::pin::pin!(client.pages(list, Arguments::default(), None)).next().await.unwrap();
    assert!(matches!(page, Err(Error::Timeout { .. })), "{page:?}");
    assert_eq!(client.transport().usage().requests, 3 + 9, "150, 75 and 37 records");
}

#[tokio::test]
async fn a_response_that_is_too_long_is_an_error() {
    let server = Server::start(|_, _| json("200 OK", "", format!("[{}1]", " ".repeat(5_000)))).await;
    let mut settings = settings(&server.url());
    settings.max_body_bytes = 4_000;
    let error = get(&Transport::new(settings.clone()).unwrap(), "/").await.unwrap_err();
    assert!(
        matches!(&error, Error::UnexpectedResponse(response) if response.reason == Unexpected::TooLong),
        "{error:?}"
    );
    assert!(error.is_overload() && server.received().len() == 1, "smaller pages may help, a retry does not");
    settings.max_body_bytes = 6_000;
    assert_eq!(get(&Transport::new(settings).unwrap(), "/").await.unwrap().body.len(), 5_003);
}

#[tokio::test]
async fn a_body_that_stalls_is_a_timeout() {
    let stalled = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\"".to_vec();
    let server = failing(1, stalled).await;
    let mut settings = settings(&server.url());
    settings.timeout = Duration::from_millis(200);
    assert_eq!(get(&Transport::new(settings).unwrap(), "/").await.unwrap().body, "{\"ok\": true}");
}
