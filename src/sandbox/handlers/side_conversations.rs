//! Side conversations: threads between teammates about a conversation.

use serde_json::json;

use super::operations::operations;
use crate::sandbox::paging::numbered_page;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::HandlerResult;
use crate::sandbox::workspace::Workspace;

operations! {
    "listSideConversations" => list,
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let conversation = workspace.conversations.find(request.path("id"))?;
    let threads = workspace.side_conversations.get(&conversation.id).map_or(&[][..], Vec::as_slice);
    let page = numbered_page(request, threads, (25, 50))?.without_link();
    let keys = &["side_conversations", "total_count", "pages"];
    Ok(page.list("side_conversation.list", keys, |thread| {
        let parts: Vec<_> = thread.parts.iter().map(|part| workspace.part_document(part)).collect();
        json!({
            "side_conversation_id": thread.id,
            "total_count": parts.len(),
            "conversation_parts": parts,
        })
    }))
}
