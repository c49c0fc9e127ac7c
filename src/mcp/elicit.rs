//! Elicitation: asks the user of the client to confirm a call.
//!
//! A client that supports elicitation shows the question itself, so that a model cannot answer it. From protocol
//! version 2026-07-28 on, the question is in the result of the call, which the client then repeats; older
//! clients get a request. Anything but an explicit yes is a no.

use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationSchema, InputRequest, InputRequests, InputRequiredResult, ProtocolVersion,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;

/// The only field of the form, and the name of the question.
const CONFIRM: &str = "confirm";

/// How the client is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElicitationMethod {
    /// With a request to the client.
    Request,
    /// In the result of the call, which the client repeats with the answer.
    InResult,
}

/// `None` if the client does not support elicitation.
pub fn method(context: &RequestContext<RoleServer>) -> Option<ElicitationMethod> {
    let declared = context.client_capabilities()?.elicitation?;
    // Some clients support links but not forms.
    if declared.form.is_none() && declared.url.is_some() {
        return None;
    }
    let is_new = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    Some(if is_new { ElicitationMethod::InResult } else { ElicitationMethod::Request })
}

fn question(text: &str) -> Option<ElicitRequestParams> {
    let form = ElicitationSchema::builder()
        .required_bool_with(CONFIRM, |field| field.title("Carry it out").description("Carry this out now"));
    let requested_schema = form.build().ok()?;
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: text.to_owned(),
        requested_schema,
    })
}

/// Asks with a request, and waits for the answer.
pub async fn ask(context: &RequestContext<RoleServer>, text: &str, timeout: Duration) -> bool {
    let Some(question) = question(text) else { return false };
    let request = context.peer.create_elicitation_with_timeout(question, Some(timeout));
    tokio::select! {
        answer = request => answer.is_ok_and(|answer| is_yes(&answer)),
        () = context.ct.cancelled() => false,
    }
}

/// A result that asks; the client returns `token` with the repeated call.
pub fn input_required(text: &str, token: &str) -> Option<InputRequiredResult> {
    let request = InputRequest::Elicitation(ElicitRequest::new(question(text)?));
    let requests = InputRequests::from([(CONFIRM.to_owned(), request)]);
    Some(InputRequiredResult::new(Some(requests), Some(token.to_owned())))
}

/// The token of a repeated call, and whether the user agreed.
pub fn answer(request: &CallToolRequestParams) -> Option<(String, bool)> {
    let token = request.request_state.clone()?;
    let answer = request.input_responses.as_ref().and_then(|answers| answers.get(CONFIRM)).cloned();
    let answer = answer.and_then(|answer| serde_json::from_value::<ElicitResult>(answer).ok());
    Some((token, answer.is_some_and(|answer| is_yes(&answer))))
}

fn is_yes(answer: &ElicitResult) -> bool {
    let confirm = answer.content.as_ref().map(|content| &content[CONFIRM]);
    answer.action == ElicitationAction::Accept && confirm == Some(&Value::Bool(true))
}
