//! Phone calls that Fin takes: their registration by the telephone system, and what became of them.
//!
//! A registered call reaches Intercom before it is first looked up. Only calls that did are ever answered.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "registerFinVoiceCall" => register,
    "collectFinVoiceCallById" =>
        |workspace, request| find(workspace, |call| call.id == request.path("id")),
    "collectFinVoiceCallByExternalId" =>
        |workspace, request| find(workspace, |call| call.text("external_call_id") == request.path("external_id")),
    "collectFinVoiceCallByPhoneNumber" => |workspace, request| {
        find(workspace, |call| call.text("user_phone_number") == request.path("phone_number"))
    },
    "collectFinVoiceCallsByConversationId" => list,
}

impl Workspace {
    /// A call that has not reached Intercom yet.
    pub fn new_fin_voice_call(&self, id: u64, phone_number: &str, external_id: &str) -> PlainRecord {
        let document = json!({
            "id": id,
            "app_id": 1,
            "user_phone_number": phone_number,
            "status": "registered",
            "intercom_call_id": null,
            "external_call_id": external_id,
            "intercom_conversation_id": null,
            "call_transcript": [],
            "call_summary": "",
            "intent": [],
        });
        PlainRecord { id: id.to_string(), document }
    }
}

fn register(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (phone_number, call_id) = (request.required("phone_number")?, request.required("call_id")?);
    if !is_e164(phone_number) {
        let message = "phone_number must start with + and the country code, and have digits only";
        return Err(ErrorResponse::invalid("phone_number", message));
    }
    if workspace.fin_voice_calls.iter().any(|call| call.text("external_call_id") == call_id) {
        let message = "A call with this call_id is already registered";
        return Err(ErrorResponse::new(409, "conflict", message));
    }
    let id = workspace.next_number(IdSequence::Addition);
    let call = workspace.new_fin_voice_call(id, phone_number, call_id);
    let document = call.document.clone();
    workspace.fin_voice_calls.insert(call);
    Ok(document.into())
}

fn is_e164(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The latest call that matches.
fn find(workspace: &mut Workspace, is_wanted: impl Fn(&PlainRecord) -> bool) -> HandlerResult {
    let id = workspace.fin_voice_calls.iter().rfind(|call| is_wanted(call)).map(|call| call.id.clone());
    let missing = || ErrorResponse::not_found("Call not found, or not matched yet");
    let id = id.ok_or_else(missing)?;
    let intercom_id = workspace.next_id(IdSequence::Addition);
    let call = workspace.fin_voice_calls.find_mut(&id)?;
    if call.document["intercom_call_id"].is_null() {
        call.document["intercom_call_id"] = json!(intercom_id);
        call.document["status"] = json!("in-progress");
    }
    Ok(call.document.clone().into())
}

/// The calls as a bare list, as the API answers them.
fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("conversation_id");
    let calls = workspace.fin_voice_calls.iter();
    let calls = calls.filter(|call| call.text("intercom_conversation_id") == id);
    Ok(calls.map(|call| call.document.clone()).collect::<Value>().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_have_a_country_code() {
        assert!(is_e164("+353215550199") && is_e164("+1555010"));
        for number in ["353215550199", "+35 321", "+", "+1234567890123456", "+35321555019a", ""] {
            assert!(!is_e164(number), "{number}");
        }
    }
}
