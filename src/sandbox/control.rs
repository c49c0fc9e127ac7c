//! Routes that control a running sandbox. The API has none of them.
//!
//! They require the access token, count as no request of the API, and must never change the workspace.

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::admission::authorize;
use super::notifications::{Prepared, Trigger, TriggerError};
use super::response::ErrorResponse;
use super::server::{ServerState, lock};

/// Sends a notification: the route of `sandbox trigger`.
pub const TRIGGER_PATH: &str = "/_sandbox/trigger";

/// Answers a request to a control route; `None` for any other request.
pub async fn respond(
    state: &ServerState,
    head: &Parts,
    body: &Result<Bytes, axum::Error>,
) -> Option<Response<Body>> {
    if head.uri.path() != TRIGGER_PATH || head.method != Method::POST {
        return None;
    }
    let header = head.headers.get("authorization").and_then(|value| value.to_str().ok());
    let prepared = authorize(header, state.options.token()).and_then(|()| prepare(state, body));
    Some(match prepared {
        Ok(prepared) => document(200, &json!(prepared.send().await)),
        Err(error) => document(error.status, &error.document("")),
    })
}

fn prepare(state: &ServerState, body: &Result<Bytes, axum::Error>) -> Result<Prepared, ErrorResponse> {
    let Some(sender) = &state.webhooks else {
        let message = "This sandbox sends no webhooks: it was started without --webhooks";
        return Err(ErrorResponse::new(409, "webhooks_disabled", message));
    };
    let trigger = body.as_ref().ok().and_then(|body| Trigger::read(body));
    let trigger = trigger.ok_or_else(|| ErrorResponse::missing("topic"))?;
    let envelope = trigger.envelope(&lock(&state.workspace), sender).map_err(|error| match error {
        TriggerError::NoRecord(_) => ErrorResponse::not_found(error.to_string()),
        _ => ErrorResponse::invalid("topic", error.to_string()),
    })?;
    Ok(Prepared::new(envelope, sender.post().clone()))
}

fn document(status: u16, document: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(document.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}
