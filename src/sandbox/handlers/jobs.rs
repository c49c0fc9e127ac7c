//! Work done in the background: its progress, and tickets created by it.
//!
//! The sandbox does the work at once, but answers as the API does: the job is pending when it is enqueued, and
//! finished when its status is asked for.

use serde_json::{Value, json};

use super::operations::operations;
use super::tickets::requested_ticket;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "jobsStatus" => status,
    "enqueueCreateTicket" => enqueue_ticket,
}

impl Workspace {
    /// The job that creates a record. `resource_type` names the kind of record in the singular.
    pub fn new_job(&mut self, resource_type: &str, resource_id: &str) -> PlainRecord {
        PlainRecord::new(json!({
            "type": "job",
            "id": self.next_id(IdSequence::Addition),
            "status": "success",
            "resource_type": resource_type,
            "resource_id": resource_id,
        }))
    }
}

/// The document of a finished job, with the addresses that this server has.
fn document(job: &PlainRecord, base_url: &str) -> Value {
    json!({
        "type": "job",
        "id": job.id,
        "url": format!("{base_url}/jobs/status/{}", job.id),
        "status": job.text("status"),
        "resource_type": job.text("resource_type"),
        "resource_id": job.text("resource_id"),
        "resource_url": format!("{base_url}/{}s/{}", job.text("resource_type"), job.text("resource_id")),
    })
}

fn status(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let job = workspace.jobs.get(request.path("job_id"));
    let missing = || ErrorResponse::new(404, "job_not_found", "Job not found");
    Ok(document(job.ok_or_else(missing)?, &request.base_url).into())
}

fn enqueue_ticket(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut ticket = requested_ticket(workspace, request)?;
    let assignment = &request.body["assignment"];
    let assignee = |name: &str| match assignment[name].as_str() {
        None | Some("0") => Ok(None),
        Some(id) => {
            let message = format!("{name} does not match any teammate or team");
            id.parse().map(Some).map_err(|_| ErrorResponse::invalid(format!("assignment.{name}"), message))
        }
    };
    let admin_id: Option<i64> = assignee("admin_assignee_id")?;
    let team_id: Option<i64> = assignee("team_assignee_id")?;
    let is_known = admin_id.is_none_or(|id| workspace.admin(id).is_some())
        && team_id.is_none_or(|id| workspace.team(id).is_some());
    if !is_known {
        let message = "the assignee does not match any teammate or team";
        return Err(ErrorResponse::invalid("assignment", message));
    }
    if let Some(id) = request.text("conversation_to_link_id") {
        workspace
            .conversations
            .get(id)
            .ok_or_else(|| ErrorResponse::invalid("conversation_to_link_id", "Conversation not found"))?;
        ticket.conversation_id = Some(id.to_owned());
    }
    (ticket.admin_assignee_id, ticket.team_assignee_id) = (admin_id, team_id);
    let job = workspace.new_job("ticket", &ticket.id);
    let mut document = document(&job, &request.base_url);
    document["status"] = json!("pending");
    document["resource_id"] = Value::Null;
    document["resource_url"] = Value::Null;
    if let Some(id) = &ticket.conversation_id
        && let Some(conversation) = workspace.conversations.get_mut(id)
    {
        conversation.tickets.push(ticket.id.clone());
    }
    workspace.tickets.insert(ticket);
    workspace.jobs.insert(job);
    Ok(document.into())
}
