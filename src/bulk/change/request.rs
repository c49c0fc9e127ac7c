//! The requests of changes.

use serde_json::{Value, json};

use super::{Change, NOBODY};
use crate::api;
use crate::api::operation::Operation;
use crate::api::request_builder::{Arguments, operation};
use crate::bulk::target::BulkTarget;

impl Change {
    /// The request that makes the change. `admin_id` is the acting teammate.
    ///
    /// # Errors
    /// If the operation is missing from the API.
    pub fn request(
        &self,
        target: BulkTarget,
        id: &str,
        admin_id: &str,
    ) -> Result<(&'static Operation, Arguments), api::Error> {
        let path = || vec![id.to_owned()];
        let manage = |mut body: Value| {
            body["admin_id"] = json!(admin_id);
            ("manageConversation", path(), Some(body))
        };
        let (name, path, body) = match (self, target) {
            (Change::Tag { tag_id, .. }, BulkTarget::Conversations) => {
                let body = json!({ "id": tag_id, "admin_id": admin_id });
                ("attachTagToConversation", path(), Some(body))
            }
            (Change::Tag { tag_id, .. }, BulkTarget::Contacts) => {
                ("attachTagToContact", path(), Some(json!({ "id": tag_id })))
            }
            (Change::Tag { tag, .. }, BulkTarget::Companies) => {
                ("createTag", Vec::new(), Some(json!({ "name": tag, "companies": [{ "id": id }] })))
            }
            (Change::Untag { tag_id, .. }, BulkTarget::Conversations) => {
                let path = vec![id.to_owned(), tag_id.clone()];
                ("detachTagFromConversation", path, Some(json!({ "admin_id": admin_id })))
            }
            (Change::Untag { tag_id, .. }, BulkTarget::Contacts) => {
                ("detachTagFromContact", vec![id.to_owned(), tag_id.clone()], None)
            }
            (Change::Untag { tag, .. }, BulkTarget::Companies) => {
                let companies = json!([{ "id": id, "untag": true }]);
                ("createTag", Vec::new(), Some(json!({ "name": tag, "companies": companies })))
            }
            (Change::Tag { tag_id, .. }, BulkTarget::Tickets) => {
                ("attachTagToTicket", path(), Some(json!({ "id": tag_id, "admin_id": admin_id })))
            }
            (Change::Untag { tag_id, .. }, BulkTarget::Tickets) => {
                let path = vec![id.to_owned(), tag_id.clone()];
                ("detachTagFromTicket", path, Some(json!({ "admin_id": admin_id })))
            }
            (Change::Assign { to, .. }, BulkTarget::Tickets) => {
                let assignment = json!({ "admin_id": admin_id, "assignee_id": to.type_and_id().1 });
                ("updateTicket", path(), Some(json!({ "assignment": assignment })))
            }
            (Change::Assign { to, .. }, _) => {
                let (kind, assignee) = to.type_and_id();
                manage(json!({ "message_type": "assignment", "type": kind, "assignee_id": assignee }))
            }
            (Change::Close, _) => manage(json!({ "message_type": "close", "type": "admin" })),
            (Change::Open, _) => manage(json!({ "message_type": "open" })),
            (Change::Snooze { until }, _) => {
                manage(json!({ "message_type": "snoozed", "snoozed_until": until }))
            }
            (Change::Note { body }, target) => {
                let body = json!({
                    "message_type": "note", "type": "admin", "admin_id": admin_id, "body": body,
                });
                (reply_operation(target), path(), Some(body))
            }
            (Change::Reply { body, attachments, .. }, target) => {
                let mut body = json!({
                    "message_type": "comment", "type": "admin", "admin_id": admin_id, "body": body,
                });
                if !attachments.is_empty() {
                    body["attachment_urls"] = json!(attachments);
                }
                (reply_operation(target), path(), Some(body))
            }
            (Change::MoveTicket { state_id, .. }, _) => {
                ("updateTicket", path(), Some(json!({ "ticket_state_id": state_id })))
            }
            (Change::Update { fields }, _) => ("UpdateContact", path(), Some(json!(fields))),
            (Change::Merge { into, .. }, _) => {
                ("MergeContact", Vec::new(), Some(json!({ "from": id, "into": into })))
            }
            // The step that removes both assignees.
            (Change::Reassign { .. }, BulkTarget::Tickets) => {
                let assignment = json!({ "admin_id": admin_id, "assignee_id": NOBODY });
                ("updateTicket", path(), Some(json!({ "assignment": assignment })))
            }
            // Sent in several steps.
            (Change::Reassign { admin, .. }, _) => {
                let admin = admin.as_deref().unwrap_or(NOBODY);
                manage(json!({ "message_type": "assignment", "type": "admin", "assignee_id": admin }))
            }
            (Change::Archive, _) => ("ArchiveContact", path(), None),
            (Change::Unarchive, _) => ("UnarchiveContact", path(), None),
        };
        let body = body.map(|body| body.to_string().into_bytes());
        Ok((operation(name)?, Arguments { path, body, ..Arguments::default() }))
    }
}

fn reply_operation(target: BulkTarget) -> &'static str {
    if target == BulkTarget::Tickets { "replyTicket" } else { "replyConversation" }
}
