//! Merges of conversations.

use super::conversations::respond_with;
use super::operations::operations;
use crate::sandbox::model::conversation::{Author, ConversationEvent};
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "mergeConversation" => merge,
}

fn refused(message: &str) -> ErrorResponse {
    ErrorResponse::new(422, "merge_failed", message)
}

/// Moves the messages of the conversation in the path to the one in the body, and closes it.
fn merge(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let secondary_id = request.path("id");
    let primary_id = request.integer("merge_into_conversation_id").unwrap_or_default().to_string();
    let secondary = workspace.conversations.get(secondary_id);
    let mut secondary = secondary.ok_or_else(|| refused("Secondary conversation not found"))?.clone();
    if primary_id == secondary_id {
        return Err(refused("Cannot merge a conversation into itself"));
    }
    let primary = workspace.conversations.get(&primary_id);
    let mut primary = primary.ok_or_else(|| refused("Primary conversation not found"))?.clone();
    if secondary.merged_into.is_some() {
        return Err(refused("Secondary conversation has already been merged"));
    }
    if primary.merged_into.is_some() {
        return Err(refused("Primary conversation has already been merged"));
    }
    let source_part_id = workspace.next_id(IdSequence::Part);
    primary.absorb(&mut secondary, source_part_id);
    workspace.conversations.insert(primary);
    workspace.conversations.insert(secondary);
    let now = workspace.now();
    let event = |kind| ConversationEvent::new(kind, Author::Bot, now);
    workspace.apply_event(secondary_id, event("close"))?;
    workspace.apply_event(&primary_id, event("merged_primary_conversation"))?;
    respond_with(workspace, &primary_id, request)
}
