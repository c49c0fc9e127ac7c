//! The plan of a bulk command: its records, and the file of `--save-plan` and `--plan`.
//!
//! A plan from a file must never make changes that its command cannot make.

use clap::ArgMatches;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::execute;
use crate::api::client::Client;
use crate::bulk::directory::Identity;
use crate::bulk::read::{self, ReadErrorBudget};
use crate::bulk::{BulkTarget, Change, PlannedRecord, SelectionFilter};
use crate::cli::error::{Error, Hint};
use crate::cli::files::InputFile;
use crate::cli::streams;

/// Skip reason of a record that changed after its plan was shown.
const CHANGED: &str = "changed_since_plan";

/// A plan, and the file that `--save-plan` writes.
#[derive(Debug, Serialize, Deserialize)]
pub struct BulkPlan {
    pub command: String,
    pub target: BulkTarget,
    pub workspace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// Filter that selected the records; each must still match it when it is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<SelectionFilter>,
    /// Printed before the counts of the result.
    pub about: Value,
    pub records: Vec<PlannedRecord>,
    /// Added to the `meta` of the result.
    #[serde(skip)]
    pub meta: Value,
    /// Number of records that may belong to the plan but could not be read.
    #[serde(skip)]
    pub unread: usize,
}

impl BulkPlan {
    /// What happens to the records, in the imperative.
    pub fn verb(&self) -> &'static str {
        if self.undoes.is_some() {
            return "Undo the changes to";
        }
        match self.records.first().map(|record| &record.change) {
            Some(Change::Tag { .. }) => "Tag",
            Some(Change::Untag { .. }) => "Untag",
            Some(Change::Assign { .. }) => "Assign",
            Some(Change::Close) => "Close",
            Some(Change::Snooze { .. }) => "Snooze",
            Some(Change::Note { .. }) => "Add a note to",
            Some(Change::Archive) => "Archive",
            _ => "Change",
        }
    }
}

/// Whether a record is skipped regardless of its current state.
fn is_excluded(record: &PlannedRecord) -> bool {
    record.skip.as_ref().is_some_and(|reason| reason != record.change.no_op_reason())
}

/// Whether the command can make this change to this kind of record.
fn can_make(command: &str, target: BulkTarget, change: &Change) -> bool {
    let Some((group, action)) = command.split_once(' ') else { return false };
    if (group, action) == ("bulk", "undo") {
        // An undo never adds notes or merges.
        return !matches!(change, Change::Note { .. } | Change::Merge { .. });
    }
    let is_allowed = match change {
        Change::Tag { .. } => ["bulk-tag", "incident-tag"].contains(&action),
        Change::Untag { .. } => action == "bulk-untag",
        Change::Assign { .. } => action == "bulk-assign",
        Change::Close => action == "bulk-close",
        Change::Snooze { .. } => action == "bulk-snooze",
        Change::Note { .. } => action == "bulk-reply-note",
        Change::Update { .. } => action == "bulk-update",
        Change::Archive => action == "bulk-archive",
        Change::Merge { .. } => action == "dupes",
        Change::Open | Change::Unarchive | Change::Reassign { .. } => false,
    };
    is_allowed && target.as_str() == group
}

/// Loads the plan of `--plan FILE`, or the plan that an agent confirmed, with the current state of its records.
///
/// # Errors
/// If the file is not a plan, or belongs to another command or workspace.
pub async fn from_file(
    client: &Client,
    identity: &Identity,
    matches: &ArgMatches,
    command: &str,
) -> Result<Option<BulkPlan>, Error> {
    let confirmed = streams::current();
    let confirmed = confirmed.as_ref().and_then(|capture| capture.plan());
    let (name, content) = match (confirmed, matches.get_one::<InputFile>("plan")) {
        (Some(plan), _) => ("the plan".to_owned(), plan.to_owned()),
        (None, Some(file)) => (file.name().to_owned(), file.text()?),
        (None, None) => return Ok(None),
    };
    let invalid =
        || crate::bulk::Error::InvalidFile { path: name.clone().into(), what: "a plan of this program" };
    let mut plan: BulkPlan = serde_json::from_str(&content).map_err(|_| invalid())?;
    if plan.command != command {
        return Err(Error::usage(format!("{name} is a plan for `{}`, not for `{command}`", plan.command)));
    }
    // Permission to run one command must not extend to another command's changes through a file.
    let foreign =
        |record: &&PlannedRecord| !is_excluded(record) && !can_make(command, plan.target, &record.change);
    if let Some(record) = plan.records.iter().find(foreign) {
        return Err(Error::usage_with_hint(
            format!(
                "{name}: `{command}` cannot make the change that is planned for {} {}",
                plan.target.singular(),
                record.id
            ),
            Hint::new("create a new plan with ").run(format!("{command} --save-plan FILE")),
        ));
    }
    if plan.workspace != identity.workspace {
        let (found, given) = (plan.workspace, identity.workspace.clone());
        return Err(crate::bulk::Error::OtherWorkspace { found, given }.into());
    }
    let admin_id = identity.admin_id.clone().unwrap_or_default();
    let ids = plan.records.iter().map(|record| record.id.clone()).collect();
    let mut documents =
        std::pin::pin!(read::documents(client, plan.target, ids, execute::concurrency(matches)));
    let mut budget = ReadErrorBudget::default();
    while let Some((id, document)) = documents.next().await {
        let Some(record) = plan.records.iter_mut().find(|record| record.id == id) else { continue };
        if is_excluded(record) {
            continue;
        }
        let before = record.before.clone();
        *record = planned(client, plan.target, &admin_id, record.clone(), document, &mut budget).await?;
        // The user agreed to change the record in the state that was shown.
        if confirmed.is_some() && record.is_due() && record.before != before {
            record.skip = Some(CHANGED.to_owned());
        }
    }
    budget.finish()?;
    Ok(Some(plan))
}

/// Plans a record from its current document. A record that cannot be read is skipped.
///
/// # Errors
/// If the failure concerns more than this record.
pub async fn planned(
    client: &Client,
    target: BulkTarget,
    admin_id: &str,
    record: PlannedRecord,
    document: Result<Value, crate::api::Error>,
    budget: &mut ReadErrorBudget,
) -> Result<PlannedRecord, Error> {
    let PlannedRecord { id, change, mut shown, .. } = record;
    let mut document = match document {
        Ok(document) => document,
        Err(error) => {
            let reason = if error.is_not_found() { "not_found" } else { "unreadable" };
            if let Some(into) = error.merged_into() {
                shown["merged_into"] = json!(into);
                shown["error"] = json!({ "code": "merged", "message": format!("the contact was merged into {into}: use that id") });
            }
            if error.is_not_found() {
                budget.record_success();
            } else {
                shown["error"] = budget.record_failure(error)?;
            }
            return Ok(PlannedRecord {
                id,
                change,
                before: Value::Null,
                skip: Some(reason.to_owned()),
                shown,
            });
        }
    };
    budget.record_success();
    read::complete_tags(client, target, &change, &mut document, &id).await?;
    let before = change.state(target, admin_id, &document).unwrap_or_default();
    Ok(PlannedRecord { shown, ..PlannedRecord::new(id, change, before) })
}
