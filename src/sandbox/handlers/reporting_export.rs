//! Exports of reporting data: the datasets, and jobs that write a CSV file.
//!
//! A job ends when its status is first asked for. As in versions before 2.16, conversations to which no contact ever
//! wrote are left out.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::calendar::{DAY, time_text};
use crate::sandbox::model::conversation::Conversation;
use crate::sandbox::model::reporting_job::ReportingJob;
use crate::sandbox::model::ticket::TicketRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::{IdSequence, Workspace};

const MAX_PENDING: usize = 5;
/// Seconds for which a file can be downloaded.
const LIFETIME: i64 = 2 * DAY;

operations! {
    "getExportReportingDataGetDatasets" => list_datasets,
    "postExportReportingDataEnqueue" => enqueue,
    "getExportReportingDataJobIdentifier" => status,
    "getDownloadReportingDataJobIdentifier" => download,
}

/// A dataset. None of its values contains a comma or a quote, so that rows need no escapes.
struct Dataset {
    id: &'static str,
    name: &'static str,
    description: &'static str,
    /// Ids and names; the second is the time that selects rows.
    attributes: &'static [(&'static str, &'static str)],
}

const DATASETS: [Dataset; 2] = [
    Dataset {
        id: "conversation",
        name: "Conversation",
        description: "One row per conversation",
        attributes: &[
            ("conversation_id", "Conversation ID"),
            ("conversation_started_at", "Conversation started at"),
            ("state", "State"),
            ("channel", "Channel"),
            ("teammate_assigned_id", "Assigned teammate ID"),
            ("team_assigned_id", "Assigned team ID"),
            ("number_of_parts", "Number of parts"),
        ],
    },
    Dataset {
        id: "ticket",
        name: "Ticket",
        description: "One row per ticket",
        attributes: &[
            ("ticket_id", "Ticket ID"),
            ("ticket_created_at", "Ticket created at"),
            ("ticket_type_id", "Ticket type ID"),
            ("ticket_state_id", "Ticket state ID"),
            ("teammate_assigned_id", "Assigned teammate ID"),
        ],
    },
];

impl Dataset {
    fn time_attribute(&self) -> &'static str {
        self.attributes[1].0
    }

    /// The attribute with this id, with or without the name of the dataset.
    fn attribute(&self, id: &str) -> Option<&'static str> {
        let name = id.strip_prefix(self.id).and_then(|rest| rest.strip_prefix('.')).unwrap_or(id);
        self.attributes.iter().map(|(id, _)| *id).find(|id| *id == name)
    }
}

fn list_datasets(_: &mut Workspace, _: &ApiRequest) -> HandlerResult {
    let datasets = DATASETS.iter().map(|dataset| {
        let attribute = |(id, name): &(&str, &str)| {
            json!({"id": id, "qualified_id": format!("{}.{id}", dataset.id), "name": name})
        };
        json!({
            "id": dataset.id,
            "name": dataset.name,
            "description": dataset.description,
            "default_time_attribute_id": dataset.time_attribute(),
            "attributes": dataset.attributes.iter().map(attribute).collect::<Vec<_>>(),
        })
    });
    Ok(json!({"type": "list", "data": datasets.collect::<Vec<_>>()}).into())
}

fn bad_request(message: impl Into<String>) -> ErrorResponse {
    ErrorResponse::new(400, "bad_request", message)
}

fn enqueue(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let dataset_id = request.text("dataset_id").unwrap_or_default();
    let dataset = DATASETS
        .iter()
        .find(|dataset| dataset.id == dataset_id)
        .ok_or_else(|| bad_request(format!("{dataset_id} is not a valid dataset_id")))?;
    let ids = request.body["attribute_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let attributes = ids.map(|id| {
        let message = || format!("attribute_ids invalid for {dataset_id} dataset: {id}");
        dataset.attribute(id).ok_or_else(|| bad_request(message()))
    });
    let attributes = attributes.collect::<Result<Vec<_>, _>>()?;
    if attributes.is_empty() {
        return Err(bad_request("attribute_ids must contain at least one attribute_id"));
    }
    let period = request.integer("start_time").zip(request.integer("end_time"));
    let (from, until) = period
        .filter(|(from, until)| from <= until)
        .ok_or_else(|| bad_request("start_time must not be later than end_time"))?;
    let pending = workspace.reporting_jobs.values().filter(|job| job.expires_at.is_none()).count();
    if pending >= MAX_PENDING {
        let message = format!("Exceeded the limit of {MAX_PENDING} pending export jobs");
        return Err(ErrorResponse::new(429, "rate_limit_exceeded", message));
    }
    let id = format!("job{}", workspace.next_id(IdSequence::Addition));
    let job = ReportingJob { id: id.clone(), dataset: dataset.id, attributes, from, until, expires_at: None };
    let document = document(&job, request);
    workspace.reporting_jobs.insert(id, job);
    Ok(document.into())
}

fn document(job: &ReportingJob, request: &ApiRequest) -> Value {
    let url = || format!("{}/download/reporting_data/{}", request.base_url, job.id);
    json!({
        "job_identifier": job.id,
        "status": if job.expires_at.is_some() { "complete" } else { "pending" },
        "download_url": job.expires_at.map(|_| url()).unwrap_or_default(),
        "download_expires_at": job.expires_at.map(time_text).unwrap_or_default(),
    })
}

/// The job in the path, if the request names the workspace that it belongs to.
fn job<'a>(
    workspace: &'a mut Workspace,
    request: &ApiRequest,
) -> Result<&'a mut ReportingJob, ErrorResponse> {
    let id = request.path("job_identifier");
    let missing = || ErrorResponse::not_found(format!("Export job not found for identifier: {id}"));
    if request.query("app_id") != Some(&workspace.id) {
        return Err(missing());
    }
    workspace.reporting_jobs.get_mut(id).ok_or_else(missing)
}

fn status(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let job = job(workspace, request)?;
    job.expires_at.get_or_insert(now + LIFETIME);
    Ok(document(job, request).into())
}

fn download(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let job = job(workspace, request)?.clone();
    if job.expires_at.is_none_or(|at| at < now) {
        return Err(ErrorResponse::not_found(format!("Export job not ready: {}", job.id)));
    }
    Ok(SuccessResponse::file(csv(workspace, &job)))
}

/// The rows of a job below their names.
fn csv(workspace: &Workspace, job: &ReportingJob) -> String {
    let period = job.from..=job.until;
    let row = |value: &dyn Fn(&str) -> String| {
        job.attributes.iter().map(|attribute| value(attribute)).collect::<Vec<_>>().join(",") + "\n"
    };
    let mut text = row(&str::to_owned);
    if job.dataset == "conversation" {
        let conversations = workspace.conversations.iter();
        let is_exported = |conversation: &&Conversation| {
            period.contains(&conversation.created_at) && conversation.first_contact_reply_at().is_some()
        };
        text.extend(
            conversations.filter(is_exported).map(|record| row(&|name| conversation_value(record, name))),
        );
    } else {
        let tickets = workspace.tickets.iter().filter(|ticket| period.contains(&ticket.created_at));
        text.extend(tickets.map(|record| row(&|name| ticket_value(record, name))));
    }
    text
}

fn optional(id: Option<i64>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn conversation_value(conversation: &Conversation, attribute: &str) -> String {
    match attribute {
        "conversation_id" => conversation.id.clone(),
        "conversation_started_at" => time_text(conversation.created_at),
        "state" => conversation.state.as_str().to_owned(),
        "channel" => conversation.source.kind.to_owned(),
        "teammate_assigned_id" => optional(conversation.admin_assignee_id),
        "team_assigned_id" => optional(conversation.team_assignee_id),
        _ => conversation.parts.len().to_string(),
    }
}

fn ticket_value(ticket: &TicketRecord, attribute: &str) -> String {
    match attribute {
        "ticket_id" => ticket.id.clone(),
        "ticket_created_at" => time_text(ticket.created_at),
        "ticket_type_id" => ticket.type_id.clone(),
        "ticket_state_id" => ticket.state_id.clone(),
        _ => optional(ticket.admin_assignee_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_known_with_and_without_their_dataset() {
        let [conversation, _] = &DATASETS;
        assert_eq!(conversation.attribute("state"), Some("state"));
        assert_eq!(conversation.attribute("conversation.state"), Some("state"));
        assert_eq!(conversation.attribute("conversation.conversation_id"), Some("conversation_id"));
        assert_eq!(conversation.attribute("ticket.state"), None);
        assert_eq!(conversation.attribute("nothing"), None);
        assert!(DATASETS.iter().all(|dataset| dataset.attribute(dataset.time_attribute()).is_some()));
    }
}
