//! The requests of changes.

use serde_json::{Value, json};

use super::{Change, NOBODY};
use crate::api::operation::Operation;
use crate::api::request_builder::{Arguments, operation};
use crate::api::{self, ApiVersion};
use crate::bulk::contact_fields;
use crate::bulk::target::BulkTarget;
use crate::filter::By;

impl Change {
    /// The request that makes the change, in the form of an API version. `admin_id` is the acting teammate.
    ///
    /// # Errors
    /// If the operation is missing from the API.
    pub fn request(
        &self,
        target: BulkTarget,
        id: &str,
        admin_id: &str,
        version: &ApiVersion,
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
                ("updateTicket", path(), Some(ticket_assignment(admin_id, to.type_and_id().1, version)))
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
            (Change::Update { fields }, _) => {
                ("UpdateContact", path(), Some(contact_fields::body(fields, version)))
            }
            (Change::Merge { into, sharing }, _) => {
                let mut body = json!({ "from": id, "into": into });
                // The server compares email addresses and phone numbers as stored. What this merge relies on was read
                // from both contacts right before.
                let is_compared = sharing.as_ref().is_none_or(|sharing| sharing.by == By::Email);
                if !is_compared && version.has(&ApiVersion::MERGE_REQUIRES_DUPLICATES) {
                    body["skip_duplicate_validation"] = json!(true);
                }
                ("MergeContact", Vec::new(), Some(body))
            }
            // The step that removes both assignees.
            (Change::Reassign { .. }, BulkTarget::Tickets) => {
                ("updateTicket", path(), Some(ticket_assignment(admin_id, NOBODY, version)))
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

/// The body that assigns a ticket.
fn ticket_assignment(admin_id: &str, assignee_id: &str, version: &ApiVersion) -> Value {
    if !version.has(&ApiVersion::FLAT_TICKET_ASSIGNMENT) {
        return json!({ "assignment": { "admin_id": admin_id, "assignee_id": assignee_id } });
    }
    let mut body = json!({ "assignee_id": assignee_id });
    if let Ok(admin_id) = admin_id.parse::<i64>() {
        body["admin_id"] = json!(admin_id);
    }
    body
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn body(change: &Change, target: BulkTarget, version: &str) -> Value {
        let (_, arguments) = change.request(target, "7", "9", &version.parse().unwrap()).unwrap();
        serde_json::from_slice(&arguments.body.unwrap()).unwrap()
    }

    #[test]
    fn the_assignee_of_a_ticket_is_sent_in_the_form_of_the_version() {
        let nobody = Change::Reassign { admin: None, team: None, close: false, snooze: None };
        let team = Change::Assign { to: super::super::Assignee::Team("31".to_owned()), close: false };
        for (change, id) in [(team, "31"), (nobody, "0")] {
            let nested = json!({ "assignment": { "admin_id": "9", "assignee_id": id } });
            assert_eq!(body(&change, BulkTarget::Tickets, "2.13"), nested);
            for version in ["2.14", "2.16", "Preview"] {
                let flat = json!({ "admin_id": 9, "assignee_id": id });
                assert_eq!(body(&change, BulkTarget::Tickets, version), flat, "{version}");
            }
        }
    }

    #[test]
    fn the_owner_of_a_contact_has_the_type_of_the_version() {
        for (owner, older, newer) in [
            (json!(5), json!(5), json!("5")),
            (json!("5"), json!(5), json!("5")),
            (json!(null), json!(null), json!(null)),
        ] {
            let fields = Map::from_iter([("owner_id".to_owned(), owner), ("name".to_owned(), json!("5"))]);
            let change = Change::Update { fields };
            for (version, expected) in
                [("2.13", &older), ("2.15", &older), ("2.16", &newer), ("2.17", &newer)]
            {
                let sent = body(&change, BulkTarget::Contacts, version);
                assert_eq!(sent, json!({ "owner_id": expected, "name": "5" }), "{version}");
            }
        }
    }

    #[test]
    fn only_a_merge_that_the_server_cannot_check_skips_its_check() {
        let merge = |by: By| Change::Merge {
            into: "u".to_owned(),
            sharing: Some(crate::bulk::shared_identifier::SharedIdentifier { by, value: "x".to_owned() }),
        };
        let skips = |by: By, version: &str| {
            body(&merge(by), BulkTarget::Contacts, version).get("skip_duplicate_validation").is_some()
        };
        assert!(skips(By::ExternalId, "2.16") && skips(By::Phone, "2.17"));
        assert!(!skips(By::Email, "2.16") && !skips(By::ExternalId, "2.15"));
    }
}
