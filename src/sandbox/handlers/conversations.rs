//! Conversations: lists, searches, replies, management actions, and messages that start them.

use serde_json::{Value, json};

use super::operations::operations;
use crate::html::plain;
use crate::sandbox::model::contact::ContactRecord;
use crate::sandbox::model::conversation::{
    AssigneeChange, Author, Conversation, ConversationEvent, SourceMessage,
};
use crate::sandbox::paging::{RecordPage, newest_first};
use crate::sandbox::quirk::Quirk;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::search::run_search;
use crate::sandbox::workspace::{IdSequence, Workspace};

const DEFAULT_PAGE_SIZE: usize = 20;

operations! {
    "listConversations" => list,
    "searchConversations" => search,
    "retrieveConversation" => |workspace, request| respond_with(workspace, request.path("id"), request),
    "createConversation" => create,
    "updateConversation" => update,
    "replyConversation" => reply,
    "manageConversation" => manage,
    "createMessage" => create_message,
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let page = newest_first(request, &workspace.conversations, DEFAULT_PAGE_SIZE, |_| true)?;
    Ok(respond_with_page(workspace, page))
}

fn respond_with_page(workspace: &Workspace, page: RecordPage<'_, Conversation>) -> SuccessResponse {
    let keys = &["pages", "total_count", "conversations"];
    page.list("conversation.list", keys, |conversation| workspace.conversation_item(conversation))
}

fn search(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let page = run_search(workspace, &workspace.conversations, request, DEFAULT_PAGE_SIZE)?;
    Ok(respond_with_page(workspace, page))
}

/// The conversation document, with plain text instead of HTML if the request asks for it.
pub fn respond_with(workspace: &Workspace, id: &str, request: &ApiRequest) -> HandlerResult {
    let conversation = workspace.conversations.find(id)?;
    let mut document = workspace.conversation_document(conversation);
    if request.query("display_as") == Some("plaintext") {
        make_plain(&mut document["source"]["body"]);
        make_plain(&mut document["source"]["subject"]);
        let parts = document["conversation_parts"]["conversation_parts"].as_array_mut();
        for part in parts.into_iter().flatten() {
            make_plain(&mut part["body"]);
        }
    }
    Ok(document.into())
}

fn make_plain(value: &mut Value) {
    if let Some(html) = value.as_str() {
        *value = json!(plain::text(html));
    }
}

/// Message text as the API stores it: wrapped in a paragraph, unless it is HTML already.
pub fn as_html(text: &str) -> String {
    if text.trim_start().starts_with('<') { text.to_owned() } else { format!("<p>{text}</p>") }
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let contact_id = request.body["from"]["id"].as_str().unwrap_or_default().to_owned();
    workspace.contact(&contact_id)?;
    let body = request.required("body")?;
    let at = request.integer("created_at").unwrap_or_else(|| workspace.now());
    let source = SourceMessage {
        kind: "conversation",
        id: workspace.next_id(IdSequence::Message),
        delivered_as: "customer_initiated",
        subject: request.text("subject").unwrap_or_default().to_owned(),
        body: as_html(body),
        author: Author::Contact(contact_id.clone()),
        ..SourceMessage::default()
    };
    let message_id = source.id.clone();
    let mut conversation =
        Conversation::new(workspace.next_id(IdSequence::Conversation), contact_id, source, at);
    conversation.updated_at = at.max(workspace.now());
    let response = json!({
        "type": "user_message",
        "id": message_id,
        "created_at": at,
        "body": body,
        "message_type": "inapp",
        "conversation_id": conversation.id,
    });
    workspace.conversations.insert(conversation);
    Ok(response.into())
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id");
    let now = workspace.now();
    let conversation = workspace.conversations.find_mut(id)?;
    if let Some(read) = request.flag("read") {
        conversation.read = read;
    }
    if let Some(title) = request.text("title") {
        conversation.title = Some(title.to_owned());
    }
    for (name, value) in request.body["custom_attributes"].as_object().into_iter().flatten() {
        conversation.custom_attributes.insert(name.clone(), value.clone());
    }
    conversation.touch(now);
    respond_with(workspace, id, request)
}

/// Finds a contact by `intercom_user_id`, `user_id` or `email`.
pub fn find_contact<'a>(workspace: &'a Workspace, body: &Value) -> Result<&'a ContactRecord, ErrorResponse> {
    let text = |name: &str| body[name].as_str();
    let contact = if let Some(id) = text("intercom_user_id") {
        workspace.contacts.get(id)
    } else if let Some(external_id) = text("user_id") {
        workspace.contact_by_external_id(external_id)
    } else if let Some(email) = text("email") {
        workspace.contact_by_email(email)
    } else {
        return Err(ErrorResponse::missing("intercom_user_id"));
    };
    contact.ok_or_else(ErrorResponse::contact_not_found)
}

fn reply(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let at = request.integer("created_at").unwrap_or_else(|| workspace.now());
    let author = match request.text("type") {
        Some("admin") => Author::Admin(workspace.acting_admin(request.required("admin_id")?)?),
        _ => Author::Contact(find_contact(workspace, &request.body)?.id.clone()),
    };
    let id = conversation_to_reply_to(workspace, request, &author)?;
    let kind = if request.text("message_type") == Some("note") { "note" } else { "comment" };
    let body = request.text("body").filter(|body| !body.is_empty());
    if body.is_none() && !has_attachments(request) {
        return Err(ErrorResponse::invalid("body", "body must not be empty"));
    }
    let body = body.map(as_html).unwrap_or_default();
    update_contact_times(workspace, &id, &author, kind, at)?;
    workspace.apply_event(&id, ConversationEvent::new(kind, author, at).with_body(body))?;
    respond_with(workspace, &id, request)
}

fn has_attachments(request: &ApiRequest) -> bool {
    ["attachment_urls", "attachment_files"]
        .iter()
        .any(|name| request.body[*name].as_array().is_some_and(|files| !files.is_empty()))
}

/// The id of the conversation in the path. `last` is the newest conversation of the replying contact.
fn conversation_to_reply_to(
    workspace: &Workspace,
    request: &ApiRequest,
    author: &Author,
) -> Result<String, ErrorResponse> {
    if let (Author::Contact(contact_id), "last") = (author, request.path("id")) {
        let newest = workspace.conversations.newest_first().find(|row| row.contacts.contains(contact_id));
        return newest.map(|row| row.id.clone()).ok_or_else(ErrorResponse::record_not_found);
    }
    Ok(workspace.conversations.find(request.path("id"))?.id.clone())
}

/// Updates `last_replied_at` or `last_contacted_at` of the contacts.
fn update_contact_times(
    workspace: &mut Workspace,
    conversation_id: &str,
    author: &Author,
    kind: &str,
    at: i64,
) -> Result<(), ErrorResponse> {
    match author {
        Author::Contact(id) => {
            let contact = workspace.touch_contact(id)?;
            contact.last_replied_at = contact.last_replied_at.max(Some(at));
        }
        Author::Admin(_) if kind == "comment" => {
            let ids = workspace.conversations.get(conversation_id).map(|row| row.contacts.clone());
            for id in ids.unwrap_or_default() {
                if let Ok(contact) = workspace.touch_contact(&id) {
                    contact.last_contacted_at = contact.last_contacted_at.max(Some(at));
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn manage(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = workspace.conversations.find(request.path("id"))?.id.clone();
    let author = Author::Admin(workspace.acting_admin(request.required("admin_id")?)?);
    let now = workspace.now();
    let event = match request.required("message_type")? {
        "close" => ConversationEvent::new("close", author, now),
        "open" => ConversationEvent::new("open", author, now),
        "snoozed" => {
            let until = request.integer("snoozed_until").filter(|until| *until > now);
            let until = until.ok_or_else(|| {
                ErrorResponse::invalid("snoozed_until", "snoozed_until must be in the future")
            })?;
            ConversationEvent { snoozed_until: Some(until), ..ConversationEvent::new("snoozed", author, now) }
        }
        _ => ConversationEvent::new("assignment", author, now).with_assignee(assignee(workspace, request)?),
    };
    let body = request.text("body").filter(|body| !body.is_empty()).map(as_html);
    let is_nobody = matches!(event.assigned_to, Some(AssigneeChange::Admin(None)));
    workspace.apply_event(&id, ConversationEvent { body, ..event })?;
    if is_nobody
        && workspace.quirks.contains(&Quirk::UnassignClearsTeam)
        && let Some(conversation) = workspace.conversations.get_mut(&id)
    {
        conversation.team_assignee_id = None;
    }
    respond_with(workspace, &id, request)
}

/// The assignee in the request; `0` unassigns.
fn assignee(workspace: &Workspace, request: &ApiRequest) -> Result<AssigneeChange, ErrorResponse> {
    let missing =
        || ErrorResponse::new(404, "assignee_not_found", "assignee_id does not match any teammate or team");
    let id: i64 = request.required("assignee_id")?.parse().map_err(|_| missing())?;
    let assignee_id = (id != 0).then_some(id);
    let clears_teammate = id == 0 && workspace.quirks.contains(&Quirk::UnassignClearsTeammate);
    let is_team = request.text("type") == Some("team") && !clears_teammate;
    let exists = if is_team { workspace.team(id).is_some() } else { workspace.admin(id).is_some() };
    match assignee_id {
        Some(_) if !exists => Err(missing()),
        id if is_team => Ok(AssigneeChange::Team(id)),
        id => Ok(AssigneeChange::Admin(id)),
    }
}

/// Without `create_conversation_without_contact_reply`, a message becomes a conversation only when the contact
/// replies, which never happens in the sandbox.
fn create_message(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let message_type = request.required("message_type")?;
    let body = request.text("body").filter(|body| !body.is_empty());
    let body = body.ok_or_else(|| ErrorResponse::new(400, "parameter_invalid", "body must not be empty"))?;
    let subject = request.text("subject").unwrap_or_default();
    if message_type == "email" && subject.is_empty() {
        return Err(ErrorResponse::new(422, "parameter_not_found", "An email requires a subject"));
    }
    let admin_id = request.body["from"]["id"].as_i64().unwrap_or_default();
    let owner = workspace.acting_admin(&admin_id.to_string())?;
    let contact_id = request.body["to"]["id"].as_str().unwrap_or_default().to_owned();
    let now = request.integer("created_at").unwrap_or_else(|| workspace.now());
    let contact = workspace.touch_contact(&contact_id)?;
    contact.last_contacted_at = contact.last_contacted_at.max(Some(now));

    let message_id = workspace.next_id(IdSequence::Message);
    let mut response = json!({
        "type": "admin_message",
        "id": message_id,
        "created_at": now,
        "subject": subject,
        "body": body,
        "message_type": if message_type == "email" { "email" } else { "inapp" },
        "owner": workspace.admin(owner).map(|admin| admin.author()),
    });
    if request.flag("create_conversation_without_contact_reply") == Some(true) {
        let source = SourceMessage {
            kind: if message_type == "email" { "email" } else { "conversation" },
            id: message_id,
            delivered_as: "admin_initiated",
            subject: subject.to_owned(),
            body: as_html(body),
            author: Author::Admin(owner),
            ..SourceMessage::default()
        };
        let id = workspace.next_id(IdSequence::Conversation);
        response["conversation_id"] = json!(id);
        workspace.conversations.insert(Conversation::new(id, contact_id, source, now));
    }
    Ok(response.into())
}
