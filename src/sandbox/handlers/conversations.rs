//! Conversations: listing, reading, and what people say and do in them.

use serde_json::{Value, json};

use super::{Outcome, family};
use crate::sandbox::answer::Problem;
use crate::sandbox::html::plain_text;
use crate::sandbox::model::contact::Contact;
use crate::sandbox::model::conversation::{Assignee, Author, Conversation, Happening, Source};
use crate::sandbox::paging::{Wanted, by_cursor, newest_first};
use crate::sandbox::request::Request;
use crate::sandbox::search::{listing, search};
use crate::sandbox::workspace::{Sequence, Workspace};

/// Records of a page when the caller does not say.
const USUAL: usize = 20;

family! {
    "listConversations" => list,
    "searchConversations" => find_many,
    "retrieveConversation" => retrieve,
    "createConversation" => create,
    "updateConversation" => update,
    "deleteConversation" => delete,
    "replyConversation" => reply,
    "manageConversation" => manage,
}

fn list(workspace: &mut Workspace, request: &Request) -> Outcome {
    let wanted = Wanted::in_query(request, USUAL)?;
    let sorted = newest_first(&workspace.conversations, |_| true);
    let page = by_cursor(&sorted, true, &wanted);
    let data = page.records.iter().map(|row| workspace.conversation_item(row)).collect();
    Ok(listing(&page, "conversation.list", "conversations", data).into())
}

fn find_many(workspace: &mut Workspace, request: &Request) -> Outcome {
    let page = search(workspace, &workspace.conversations, request, USUAL)?;
    let data = page.records.iter().map(|row| workspace.conversation_item(row)).collect();
    Ok(listing(&page, "conversation.list", "conversations", data).into())
}

/// The conversation of the path.
fn named<'a>(workspace: &'a Workspace, request: &Request) -> Result<&'a Conversation, Problem> {
    workspace.conversations.get(request.path("id")).ok_or_else(Problem::no_resource)
}

/// One conversation, with plain text instead of HTML where the caller wants that.
pub fn shown(workspace: &Workspace, id: &str, request: &Request) -> Outcome {
    let conversation = workspace.conversations.get(id).ok_or_else(Problem::no_resource)?;
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
        *value = json!(plain_text(html));
    }
}

/// Text as the service keeps it: in paragraphs, unless it is HTML already.
pub fn as_html(text: &str) -> String {
    if text.trim_start().starts_with('<') { text.to_owned() } else { format!("<p>{text}</p>") }
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> Outcome {
    shown(workspace, request.path("id"), request)
}

fn create(workspace: &mut Workspace, request: &Request) -> Outcome {
    let contact_id = request.body["from"]["id"].as_str().unwrap_or_default().to_owned();
    workspace.contact(&contact_id)?;
    let body = request.required("body")?;
    let at = request.integer("created_at").unwrap_or_else(|| workspace.now());
    let source = Source {
        kind: "conversation",
        id: workspace.issue(Sequence::Message),
        delivered_as: "customer_initiated",
        subject: request.text("subject").unwrap_or_default().to_owned(),
        body: as_html(body),
        author: Author::Contact(contact_id.clone()),
        url: None,
        redacted: false,
    };
    let message_id = source.id.clone();
    let mut conversation =
        Conversation::started(workspace.issue(Sequence::Conversation), contact_id, source, at);
    conversation.updated_at = at.max(workspace.now());
    let answer = json!({
        "type": "user_message",
        "id": message_id,
        "created_at": at,
        "body": body,
        "message_type": "inapp",
        "conversation_id": conversation.id,
    });
    workspace.conversations.insert(conversation);
    Ok(answer.into())
}

fn update(workspace: &mut Workspace, request: &Request) -> Outcome {
    let id = request.path("id");
    let now = workspace.now();
    let conversation = workspace.conversations.get_mut(id).ok_or_else(Problem::no_resource)?;
    if let Some(read) = request.flag("read") {
        conversation.read = read;
    }
    if let Some(title) = request.text("title") {
        conversation.title = Some(title.to_owned());
    }
    for (name, value) in request.body["custom_attributes"].as_object().into_iter().flatten() {
        conversation.custom_attributes.insert(name.clone(), value.clone());
    }
    conversation.updated_at = conversation.updated_at.max(now);
    shown(workspace, id, request)
}

fn delete(workspace: &mut Workspace, request: &Request) -> Outcome {
    let conversation = workspace.conversations.remove(request.path("id")).ok_or_else(Problem::no_resource)?;
    Ok(json!({"id": conversation.id, "object": "conversation", "deleted": true}).into())
}

/// The contact that a reply or an invitation names in one of three ways.
pub fn named_contact<'a>(workspace: &'a Workspace, body: &Value) -> Result<&'a Contact, Problem> {
    let text = |name: &str| body[name].as_str();
    let found = if let Some(id) = text("intercom_user_id") {
        workspace.contacts.get(id)
    } else if let Some(external_id) = text("user_id") {
        workspace.contact_by_external_id(external_id)
    } else if let Some(email) = text("email") {
        workspace.contact_by_email(email)
    } else {
        return Err(Problem::missing("intercom_user_id"));
    };
    found.ok_or_else(Problem::no_contact)
}

fn reply(workspace: &mut Workspace, request: &Request) -> Outcome {
    let at = request.integer("created_at").unwrap_or_else(|| workspace.now());
    let author = match request.text("type") {
        Some("admin") => Author::Admin(workspace.acting_admin(request.required("admin_id")?)?),
        _ => Author::Contact(named_contact(workspace, &request.body)?.id.clone()),
    };
    let id = replied_to(workspace, request, &author)?;
    let kind = match request.text("message_type") {
        Some("note") => "note",
        _ => "comment",
    };
    let body = request.text("body").filter(|body| !body.is_empty());
    if body.is_none() && !has_attachments(request) {
        return Err(Problem::invalid("body", "body must not be empty"));
    }
    let body = body.map(as_html).unwrap_or_default();
    remember_contact(workspace, &id, &author, kind, at)?;
    workspace.happen(&id, Happening::new(kind, author, at).saying(body))?;
    shown(workspace, &id, request)
}

fn has_attachments(request: &Request) -> bool {
    ["attachment_urls", "attachment_files"]
        .iter()
        .any(|name| request.body[*name].as_array().is_some_and(|files| !files.is_empty()))
}

/// The conversation of the path; `last` is the newest one of the contact who replies.
fn replied_to(workspace: &Workspace, request: &Request, author: &Author) -> Result<String, Problem> {
    if let (Author::Contact(contact_id), "last") = (author, request.path("id")) {
        let mut own = workspace.conversations.newest_first().filter(|row| row.contacts.contains(contact_id));
        return own.next().map(|row| row.id.clone()).ok_or_else(Problem::no_resource);
    }
    named(workspace, request).map(|conversation| conversation.id.clone())
}

/// Keeps `last_replied_at` and `last_contacted_at` of the contacts true.
fn remember_contact(
    workspace: &mut Workspace,
    conversation_id: &str,
    author: &Author,
    kind: &str,
    at: i64,
) -> Result<(), Problem> {
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

fn manage(workspace: &mut Workspace, request: &Request) -> Outcome {
    let id = named(workspace, request)?.id.clone();
    let author = Author::Admin(workspace.acting_admin(request.required("admin_id")?)?);
    let now = workspace.now();
    let happening = match request.required("message_type")? {
        "close" => Happening::new("close", author, now),
        "open" => Happening::new("open", author, now),
        "snoozed" => {
            let until = request.integer("snoozed_until").filter(|until| *until > now);
            let until =
                until.ok_or_else(|| Problem::invalid("snoozed_until", "snoozed_until must lie ahead"))?;
            Happening { snoozed_until: Some(until), ..Happening::new("snoozed", author, now) }
        }
        _ => Happening::new("assignment", author, now).assigning(assignee(workspace, request)?),
    };
    let body = request.text("body").filter(|body| !body.is_empty()).map(as_html);
    workspace.happen(&id, Happening { body, ..happening })?;
    shown(workspace, &id, request)
}

/// Whom an assignment names; `0` is nobody.
fn assignee(workspace: &Workspace, request: &Request) -> Result<Assignee, Problem> {
    let missing =
        || Problem::new(404, "assignee_not_found", "assignee_id names neither a teammate nor a team");
    let id: i64 = request.required("assignee_id")?.parse().map_err(|_| missing())?;
    let someone = (id != 0).then_some(id);
    let is_team = request.text("type") == Some("team");
    let exists = if is_team { workspace.team(id).is_some() } else { workspace.admin(id).is_some() };
    match someone {
        Some(_) if !exists => Err(missing()),
        someone if is_team => Ok(Assignee::Team(someone)),
        someone => Ok(Assignee::Admin(someone)),
    }
}
