//! Conversations that Fin answers in a channel outside Intercom.
//!
//! Fin's answers go to a webhook, which the sandbox does not call. After the first reply of the customer, it counts
//! as having asked for a rating.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::operations::operations;
use crate::sandbox::model::fin::FinConversation;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

const MAX_ATTRIBUTES: usize = 10;

operations! {
    "startFinConversation" => start,
    "replyToFin" => reply,
    "submitFinCsat" => rate,
}

fn start(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.required("conversation_id")?;
    check_message(request)?;
    let user_id = user_id(request)?.to_owned();
    let attributes = &request.body["conversation_metadata"]["attributes"];
    let errors = [
        ("user", attribute_errors(workspace, "contact", &request.body["user"]["attributes"])?),
        ("conversation", attribute_errors(workspace, "conversation", attributes)?),
    ];
    let conversation = FinConversation { user_id, ..FinConversation::default() };
    let mut document = document(workspace, id, &conversation);
    for (name, errors) in errors.into_iter().filter(|(_, errors)| !errors.is_empty()) {
        document["errors"][name] = json!({"attributes": errors});
    }
    workspace.fin_conversations.insert(id.to_owned(), conversation);
    Ok(document.into())
}

fn document(workspace: &Workspace, id: &str, conversation: &FinConversation) -> Value {
    let now = Timestamp::from_second(workspace.now()).map(|now| format!("{now:.3}"));
    json!({
        "conversation_id": id,
        "user_id": conversation.user_id,
        "status": "thinking",
        "created_at_ms": now.ok(),
    })
}

fn user_id(request: &ApiRequest) -> Result<&str, ErrorResponse> {
    let id = request.body["user"]["id"].as_str().filter(|id| !id.is_empty());
    id.ok_or_else(|| ErrorResponse::missing("user.id"))
}

/// A message must have a text and a time.
fn check_message(request: &ApiRequest) -> Result<(), ErrorResponse> {
    let message = &request.body["message"];
    if message["body"].as_str().is_none_or(|body| body.trim().is_empty()) {
        return Err(ErrorResponse::invalid("message.body", "message.body must not be empty"));
    }
    let time = message["timestamp"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let invalid =
        || ErrorResponse::invalid("message.timestamp", "message.timestamp must be an ISO 8601 time");
    time.map(|_| ()).ok_or_else(invalid)
}

/// The attributes that a model does not have, each with a reason.
fn attribute_errors(
    workspace: &Workspace,
    model: &str,
    attributes: &Value,
) -> Result<Map<String, Value>, ErrorResponse> {
    let attributes = attributes.as_object();
    if attributes.is_some_and(|attributes| attributes.len() > MAX_ATTRIBUTES) {
        let message = format!("at most {MAX_ATTRIBUTES} attributes are accepted");
        return Err(ErrorResponse::invalid("attributes", message));
    }
    let names = attributes.into_iter().flat_map(Map::keys);
    let unknown = names.filter(|name| workspace.data_attribute(model, name).is_none());
    Ok(unknown.map(|name| (name.clone(), json!("Attribute does not exist"))).collect())
}

fn reply(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.required("conversation_id")?;
    check_message(request)?;
    let user_id = user_id(request)?;
    let unknown = || {
        ErrorResponse::invalid("conversation_id", "conversation_id does not match any conversation with Fin")
    };
    let conversation = workspace.fin_conversations.get_mut(id).ok_or_else(unknown)?;
    if conversation.user_id != user_id {
        return Err(ErrorResponse::invalid("user.id", "user.id is not the user of this conversation"));
    }
    conversation.is_rating_requested = true;
    let conversation = conversation.clone();
    Ok(document(workspace, id, &conversation).into())
}

/// A rating may change until a remark comes with it.
fn rate(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let (id, rating) = (request.required("conversation_id")?, request.required("rating")?);
    let refused = ErrorResponse::unprocessable;
    let conversation = workspace
        .fin_conversations
        .get_mut(id)
        .ok_or_else(|| refused("conversation_id", "Conversation not found"))?;
    if !conversation.is_rating_requested {
        return Err(refused("conversation_id", "No rating was requested for this conversation"));
    }
    let remark = request.text("remark").filter(|remark| !remark.is_empty());
    let is_repeated = conversation.rating.as_deref() == Some(rating) && remark.is_none();
    if conversation.remark.is_some() && !is_repeated {
        return Err(refused("rating", "The rating can no longer be changed, because it has a remark"));
    }
    conversation.rating = Some(rating.to_owned());
    conversation.remark = remark.map(str::to_owned).or(conversation.remark.take());
    Ok(json!({"conversation_id": id, "rating": rating, "status": "rated"}).into())
}
