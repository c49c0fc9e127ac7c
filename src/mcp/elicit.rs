//! Asking the person behind the client before something is carried out.
//!
//! A client that declares elicitation shows the question itself, so that a model cannot answer it. Clients
//! since 2026-07-28 are asked in the answer to their call, which they repeat; older ones with a request of
//! ours. Anything but a clear yes is a no.

use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationSchema, InputRequest, InputRequests, InputRequiredResult, ProtocolVersion,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;

/// The one field of the form, and the name of the question.
const CONFIRM: &str = "confirm";

/// How a client lets people be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// With a request to the client.
    Request,
    /// With the answer to the call, which is repeated.
    Answer,
}

/// How people can be asked over this connection; `None` when they cannot.
pub fn way(context: &RequestContext<RoleServer>) -> Option<Way> {
    let declared = context.client_capabilities()?.elicitation?;
    // A link to open is not a form to fill in.
    if declared.form.is_none() && declared.url.is_some() {
        return None;
    }
    let is_new = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    Some(if is_new { Way::Answer } else { Way::Request })
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

/// Asks now, and waits for the answer.
pub async fn ask(context: &RequestContext<RoleServer>, text: &str, patience: Duration) -> bool {
    let Some(question) = question(text) else { return false };
    let asked = context.peer.create_elicitation_with_timeout(question, Some(patience));
    tokio::select! {
        answered = asked => answered.is_ok_and(|answer| agrees(&answer)),
        () = context.ct.cancelled() => false,
    }
}

/// The answer that asks; `token` comes back with the call.
pub fn required(text: &str, token: &str) -> Option<InputRequiredResult> {
    let request = InputRequest::Elicitation(ElicitRequest::new(question(text)?));
    let requests = InputRequests::from([(CONFIRM.to_owned(), request)]);
    Some(InputRequiredResult::new(Some(requests), Some(token.to_owned())))
}

/// The token of a call that was repeated, and whether somebody agreed to it.
pub fn answered(request: &CallToolRequestParams) -> Option<(String, bool)> {
    let token = request.request_state.clone()?;
    let answer = request.input_responses.as_ref().and_then(|answers| answers.get(CONFIRM)).cloned();
    let answer = answer.and_then(|answer| serde_json::from_value::<ElicitResult>(answer).ok());
    Some((token, answer.is_some_and(|answer| agrees(&answer))))
}

fn agrees(answer: &ElicitResult) -> bool {
    let said = answer.content.as_ref().map(|content| &content[CONFIRM]);
    answer.action == ElicitationAction::Accept && said == Some(&Value::Bool(true))
}
