//! Snippets: short texts that the AI agent and Copilot answer from.

use serde_json::{Value, json};

use super::audiences::audience_ids;
use super::operations::operations;
use crate::sandbox::model::knowledge::{Availability, SNIPPET};
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::numbered_page;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::Workspace;

/// Languages of snippets.
const LOCALES: [&str; 37] = [
    "ar", "bg", "bs", "ca", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "he", "hr", "hu", "id",
    "it", "ja", "ko", "lt", "lv", "mn", "nb", "nl", "pl", "pt", "ro", "ru", "sl", "sr", "sv", "tr", "vi",
    "pt-BR", "zh-CN", "zh-TW",
];

operations! {
    "listContentSnippets" => list,
    "createContentSnippet" => create,
    "getContentSnippet" => |workspace, request| Ok(document(workspace, find(workspace, request)?).into()),
    "updateContentSnippet" => update,
    "deleteContentSnippet" => delete,
}

fn not_found() -> ErrorResponse {
    ErrorResponse::not_found("Content snippet not found")
}

fn find<'a>(workspace: &'a Workspace, request: &ApiRequest) -> Result<&'a PlainRecord, ErrorResponse> {
    workspace.knowledge.snippets.get(request.path("id")).ok_or_else(not_found)
}

fn document(workspace: &Workspace, snippet: &PlainRecord) -> Value {
    let settings = workspace.knowledge.settings(SNIPPET, &snippet.id);
    let mut document = snippet.document.clone();
    document["chatbot_availability"] = json!(i64::from(settings.availability.ai_agent));
    document["copilot_availability"] = json!(i64::from(settings.availability.copilot));
    settings.availability.write_to(&mut document);
    document["audience_ids"] = json!(settings.audience_ids);
    document
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let snippets: Vec<_> = workspace.knowledge.snippets.newest_first().collect();
    Ok(numbered_page(request, &snippets, (50, 50))?.flat_list(|snippet| document(workspace, snippet)))
}

fn refused(message: &str) -> ErrorResponse {
    ErrorResponse::new(422, "validation_error", message)
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let title = request.required("title")?;
    if request.body.get("json_blocks").is_none() && request.body.get("body_markdown").is_none() {
        return Err(refused("json_blocks or body_markdown is required"));
    }
    let snippet = workspace.new_snippet(title, workspace.now());
    save(workspace, snippet, request).map(|response| SuccessResponse { status: 201, ..response })
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut snippet = find(workspace, request)?.clone();
    if let Some(title) = request.text("title") {
        snippet.document["title"] = json!(title);
    }
    snippet.touch(workspace.now());
    save(workspace, snippet, request)
}

/// Applies the fields of the body, and stores the snippet. Nothing is stored if one of them is invalid.
fn save(workspace: &mut Workspace, mut snippet: PlainRecord, request: &ApiRequest) -> HandlerResult {
    let body = &request.body;
    if let Some(locale) = request.text("locale") {
        if !LOCALES.contains(&locale) {
            return Err(refused("The language is not currently supported for Fin"));
        }
        snippet.document["locale"] = json!(locale);
    }
    let audiences = audience_ids(workspace, &body["audience_ids"])?;
    match (body["json_blocks"].as_array(), request.text("body_markdown")) {
        (Some(_), Some(_)) => return Err(refused("json_blocks and body_markdown exclude each other")),
        (Some(blocks), None) => {
            let texts: Vec<_> = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
            set_text(&mut snippet, json!(blocks), &texts.join("\n\n"));
        }
        (None, Some(markdown)) => set_text(&mut snippet, blocks_of(markdown), markdown),
        (None, None) => {}
    }
    let id = snippet.id.clone();
    let settings = workspace.knowledge.settings_mut(SNIPPET, &id);
    settings.audience_ids = audiences.unwrap_or_else(|| std::mem::take(&mut settings.audience_ids));
    let Availability { ai_agent, copilot, sales_agent } = settings.availability;
    let flag = |name: &str, current: bool| request.flag(name).unwrap_or(current);
    settings.availability = Availability {
        ai_agent: flag("ai_chatbot_availability", ai_agent),
        copilot: flag("ai_copilot_availability", copilot),
        sales_agent: flag("ai_sales_agent_availability", sales_agent),
    };
    workspace.knowledge.snippets.insert(snippet.clone());
    Ok(document(workspace, &snippet).into())
}

fn set_text(snippet: &mut PlainRecord, blocks: Value, markdown: &str) {
    snippet.document["json_blocks"] = blocks;
    snippet.document["body_markdown"] = json!(markdown);
}

/// A block per paragraph.
pub fn blocks_of(markdown: &str) -> Value {
    let paragraphs = markdown.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| json!({"type": "paragraph", "text": paragraph})).collect()
}

fn delete(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id");
    workspace.knowledge.snippets.remove(id).ok_or_else(not_found)?;
    workspace.knowledge.forget_settings(SNIPPET, id);
    Ok(SuccessResponse::empty(204))
}
