//! Phone calls of given conversations, with transcripts.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::whole_list;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

const MAX_CONVERSATIONS: usize = 20;

operations! {
    "listCallsWithTranscripts" => search,
}

fn search(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let ids: Vec<_> =
        request.body["conversation_ids"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if ids.is_empty() || ids.len() > MAX_CONVERSATIONS {
        let message = format!("between 1 and {MAX_CONVERSATIONS} conversation_ids are required");
        return Err(ErrorResponse::new(400, "conversation_id_limit_exceeded", message));
    }
    let calls = workspace.calls.iter().filter(|call| ids.contains(&call.text("conversation_id")));
    Ok(whole_list("list", "data", calls.map(|call| with_transcript(workspace, call))))
}

/// The call with what was said: the contact asks what the conversation starts with.
fn with_transcript(workspace: &Workspace, call: &PlainRecord) -> Value {
    let mut document = call.document.clone();
    let conversation = workspace.conversations.get(call.text("conversation_id"));
    let question = conversation.map(|conversation| crate::html::plain::text(&conversation.source.body));
    let said = question.into_iter().flat_map(|question| {
        [
            json!({"speaker": "contact", "text": question, "start_ms": 0}),
            json!({"speaker": "admin", "text": "Let me have a look.", "start_ms": 9_000}),
        ]
    });
    document["transcript"] = said.collect();
    document["transcript_status"] = json!(if conversation.is_some() { "completed" } else { "unavailable" });
    document
}
