//! Makes plans: reads the current state of records, and decides for each whether its change is still needed.
//!
//! Only reads. A record that cannot be read must be skipped with a reason, never planned by guess.

use std::collections::HashMap;

use futures::StreamExt;
use serde_json::{Value, json};

use super::change::Change;
use super::error::{Error, error_json};
use super::plan::{BulkPlan, PlannedRecord};
use super::read;
use super::selection::SelectedRecord;
use super::state::is_same_state;
use super::target::BulkTarget;
use crate::api;
use crate::api::ErrorBudget;
use crate::api::client::Client;
use crate::api::identity::Identity;
use crate::data::lenient;

/// Skip reason of a record that changed after its plan was shown.
const CHANGED: &str = "changed_since_plan";

pub struct Planner<'a> {
    pub client: &'a Client,
    pub identity: &'a Identity,
    pub target: BulkTarget,
    /// Number of records read in parallel.
    pub concurrency: usize,
}

impl Planner<'_> {
    /// Plans a change of each record, in the given order. Records without a complete document are read.
    ///
    /// # Errors
    /// API errors that affect more than one record.
    pub async fn plan(&self, records: Vec<(SelectedRecord, Change)>) -> Result<Vec<PlannedRecord>, Error> {
        let mut planned: Vec<Option<PlannedRecord>> = Vec::with_capacity(records.len());
        let mut budget = ErrorBudget::default();
        let (mut unread, mut ids) = (HashMap::new(), Vec::new());
        for (place, (SelectedRecord { id, document, .. }, change)) in records.into_iter().enumerate() {
            let shown = document.as_ref().map(shown).unwrap_or_default();
            let complete = document.filter(|document| is_complete(self.target, document));
            match complete.and_then(|document| change.state(self.target, self.admin_id(), &document)) {
                Some(before) => {
                    budget.record_success();
                    planned.push(Some(PlannedRecord { shown, ..PlannedRecord::new(id, change, before) }));
                }
                None => {
                    let record =
                        PlannedRecord { id: id.clone(), change, before: Value::Null, skip: None, shown };
                    ids.push(id.clone());
                    unread.insert(id, (place, record));
                    planned.push(None);
                }
            }
        }
        let mut documents = std::pin::pin!(read::documents(self.client, self.target, ids, self.concurrency));
        while let Some((id, document)) = documents.next().await {
            let Some((place, mut record)) = unread.remove(&id) else { continue };
            if let Ok(document) = &document {
                record.shown = shown(document);
            }
            planned[place] = Some(self.plan_record(record, document, &mut budget).await?);
        }
        budget.finish()?;
        Ok(planned.into_iter().flatten().collect())
    }

    /// Plans the records of a plan again from their current state. With `is_agreed`, somebody has agreed to change the
    /// records in the state that the plan shows, and records in another state are skipped.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub async fn refresh(&self, plan: &mut BulkPlan, is_agreed: bool) -> Result<(), Error> {
        let ids = plan.records.iter().map(|record| record.id.clone()).collect();
        let mut documents = std::pin::pin!(read::documents(self.client, self.target, ids, self.concurrency));
        let mut budget = ErrorBudget::default();
        while let Some((id, document)) = documents.next().await {
            let Some(record) = plan.records.iter_mut().find(|record| record.id == id) else { continue };
            if record.is_excluded() {
                continue;
            }
            let before = record.before.clone();
            *record = self.plan_record(record.clone(), document, &mut budget).await?;
            if is_agreed && record.is_due() && !is_same_state(&record.before, &before) {
                record.skip = Some(CHANGED.to_owned());
            }
        }
        Ok(budget.finish()?)
    }

    fn admin_id(&self) -> &str {
        self.identity.admin_id.as_deref().unwrap_or_default()
    }

    /// Plans a record from its current document. A record that cannot be read is skipped.
    async fn plan_record(
        &self,
        record: PlannedRecord,
        document: Result<Value, api::Error>,
        budget: &mut ErrorBudget,
    ) -> Result<PlannedRecord, Error> {
        let PlannedRecord { id, change, mut shown, .. } = record;
        let mut document = match document {
            Ok(document) => document,
            Err(error) => {
                let reason = if error.is_not_found() { "not_found" } else { "unreadable" };
                if let Some(into) = error.merged_into() {
                    shown["merged_into"] = json!(into);
                    let message = format!("the contact was merged into {into}: use that id");
                    shown["error"] = json!({ "code": "merged", "message": message });
                }
                if error.is_not_found() {
                    budget.record_success();
                } else {
                    shown["error"] = error_json(budget.tolerate(error)?);
                }
                let skip = Some(reason.to_owned());
                return Ok(PlannedRecord { id, change, before: Value::Null, skip, shown });
            }
        };
        budget.record_success();
        read::complete_tags(self.client, self.target, &change, &mut document, &id).await?;
        let before = change.state(self.target, self.admin_id(), &document).unwrap_or_default();
        Ok(PlannedRecord { shown, ..PlannedRecord::new(id, change, before) })
    }
}

/// Whether a search result has all the data that a change needs.
fn is_complete(target: BulkTarget, document: &Value) -> bool {
    target != BulkTarget::Contacts || !lenient::is_cut(&document["tags"])
}

/// The columns of the result that describe a record.
fn shown(document: &Value) -> Value {
    let text = |pointers: &[&str]| {
        pointers
            .iter()
            .find_map(|pointer| document.pointer(pointer)?.as_str().filter(|text| !text.is_empty()))
    };
    json!({ "name": text(&[
        "/name",
        "/title",
        "/ticket_attributes/_default_title_",
        "/source/author/name",
        "/email",
        "/source/author/email",
    ]) })
}
