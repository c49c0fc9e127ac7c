//! How teammates handle conversations: figures per team, and when they paused.

use serde_json::json;

use super::operations::operations;
use crate::sandbox::model::conversation::{Conversation, ConversationState};
use crate::sandbox::paging::{parse_integer, whole_list};
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

/// Seconds without a reply after which a conversation is idle, unless the request says otherwise.
const IDLE_AFTER: i64 = 1_800;
const LONGEST_IDLE_THRESHOLD: i64 = 86_400;

operations! {
    "getTeamMetrics" => team_metrics,
    "listHandlingEvents" => list_handling_events,
}

fn team_metrics(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let team = request.path("team_id").parse().ok().and_then(|id| workspace.team(id));
    let missing = || ErrorResponse::new(404, "team_not_found", "Team not found");
    let team = team.ok_or_else(missing)?;
    let threshold = request
        .query("idle_threshold")
        .map_or(Ok(IDLE_AFTER), |text| parse_integer("idle_threshold", text))?;
    let idle_since = workspace.now() - threshold.clamp(1, LONGEST_IDLE_THRESHOLD);
    let members = team.document["admin_ids"].as_array().into_iter().flatten().filter_map(|id| id.as_i64());
    let metrics = members.map(|admin_id| {
        let assigned = || {
            let conversations = workspace.conversations.iter();
            conversations.filter(move |conversation| conversation.admin_assignee_id == Some(admin_id))
        };
        let in_state = |state| assigned().filter(move |conversation| conversation.state == state);
        let is_idle =
            |conversation: &&Conversation| conversation.waiting_since.is_some_and(|at| at < idle_since);
        json!({
            "type": "team_metric",
            "admin_id": admin_id.to_string(),
            "open": in_state(ConversationState::Open).count(),
            "idle": in_state(ConversationState::Open).filter(is_idle).count(),
            "snoozed": in_state(ConversationState::Snoozed).count(),
        })
    });
    Ok(whole_list("list", "data", metrics))
}

fn list_handling_events(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id");
    workspace.conversations.get(id).ok_or_else(|| ErrorResponse::not_found("Conversation not found"))?;
    Ok(json!({"handling_events": workspace.handling_events.get(id).map_or(&[][..], Vec::as_slice)}).into())
}
