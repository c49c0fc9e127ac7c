//! Errors by status, retries, and changes whose outcome is unknown.

use std::sync::atomic::{AtomicU16, Ordering};

use intercom::api::secret::TokenError;
use intercom::sandbox::Fault;
use intercom::{Error, Response};
use serde_json::Value;

use super::*;

async fn get(client: &Client, id: &str) -> Result<Response<Value>, Error> {
    client.call_as(operation("ShowContact").unwrap(), &Arguments::of_record(id)).await
}

async fn create(client: &Client) -> Result<Response<Value>, Error> {
    let body = Some(br#"{"role":"user","email":"new@example.com"}"#.to_vec());
    client.call_as(operation("CreateContact").unwrap(), &Arguments { body, ..Arguments::default() }).await
}

#[tokio::test]
async fn the_status_selects_the_variant() {
    let sandbox = workspace().await;
    let client = builder(&sandbox).no_retries().build().unwrap();
    let missing = get(&client, "6657add46abd0167d9419cd2").await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { status: 404, .. }), "{missing:?}");
    assert!(missing.request_id().is_some() && missing.code() == Some("not_found"));

    let status = Arc::new(AtomicU16::new(0));
    let injected = status.clone();
    sandbox.intercept(move |_, _| Some(injected.load(Ordering::Relaxed)));
    let error = async |code: u16| {
        status.store(code, Ordering::Relaxed);
        let error = get(&client, "1").await.unwrap_err();
        assert_eq!(error.status(), Some(code));
        error
    };
    for code in [401, 403] {
        assert!(matches!(error(code).await, Error::Unauthorized { .. }));
    }
    // A 429 with another code than the rate limit's is about something else, such as a running export.
    for code in [400, 409, 422, 429, 500, 503] {
        assert!(matches!(error(code).await, Error::Api { status, .. } if status == code));
    }
}

#[tokio::test]
async fn a_read_is_repeated_and_a_change_is_not() {
    let sandbox = workspace().await;
    let client = builder(&sandbox).max_attempts(3).build().unwrap();
    sandbox.intercept(|_, _| Some(503));
    assert!(matches!(get(&client, "1").await, Err(Error::Api { status: 503, .. })));
    assert_eq!(sandbox.requests().len(), 3);

    sandbox.forget_requests();
    let error = create(&client).await.unwrap_err();
    assert!(matches!(&error, Error::OutcomeUnknown { path, .. } if path == "/contacts"), "{error:?}");
    assert!(matches!(error.failure(), Error::Api { status: 503, .. }));
    assert_eq!((error.status(), sandbox.requests().len()), (Some(503), 1));
}

#[tokio::test]
async fn a_change_whose_response_was_lost_may_have_been_made() {
    let sandbox = workspace().await;
    let client = client(&sandbox);
    sandbox.inject_faults(|_, request| (request.method == "POST").then_some(Fault::Drop));
    let error = create(&client).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
    assert_eq!(sandbox.requests().len(), 1);
    assert_eq!(sandbox.with_workspace(|workspace| workspace.contacts.iter().count()), 58);
}

#[tokio::test]
async fn a_slow_read_is_a_timeout() {
    let options = Options { latency: Duration::from_millis(400), ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let client = builder(&sandbox).timeout(Duration::from_millis(60)).no_retries().build().unwrap();
    let error = get(&client, "1").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }) && error.is_timeout(), "{error:?}");
    let patient = builder(&sandbox).total_timeout(Duration::from_millis(60)).build().unwrap();
    assert!(get(&patient, "1").await.unwrap_err().is_timeout());
    assert!(matches!(create(&patient).await, Err(Error::OutcomeUnknown { .. })));
}

#[tokio::test]
async fn a_read_only_client_changes_nothing() {
    let sandbox = workspace().await;
    let client = builder(&sandbox).read_only().build().unwrap();
    assert!(matches!(create(&client).await, Err(Error::ReadOnly { .. })));
    assert!(sandbox.requests().is_empty());
    assert!(contacts(&client).first().await.unwrap().is_some());
}

#[test]
fn a_client_needs_a_token() {
    assert!(matches!(Client::builder().build(), Err(Error::Token(TokenError::Missing))));
}
