//! Creates records from JSON lines, each exactly once.
//!
//! The journal has each line before it is sent and after the response. Running an interrupted or partly failed import
//! again resumes it: created records must never be created twice. Lines with an unknown outcome are reported, and only
//! sent again on request.

use std::sync::{Mutex, PoisonError};

use futures::{Stream, StreamExt, stream};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::contact_fields;
use super::error::{Error, error_json};
use super::import_journal::{ImportJournal, ImportLine, ImportState};
use crate::api::client::Client;
use crate::api::conflict::Conflict;
use crate::api::operation::Operation;
use crate::api::request_builder::Arguments;
use crate::data::lenient;

/// A resource whose records can be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatableResource {
    pub name: &'static str,
    /// Id of the operation that creates a record.
    pub operation: &'static str,
}

impl CreatableResource {
    pub const ALL: [CreatableResource; 11] = [
        CreatableResource { name: "contacts", operation: "CreateContact" },
        CreatableResource { name: "companies", operation: "createOrUpdateCompany" },
        CreatableResource { name: "tickets", operation: "createTicket" },
        CreatableResource { name: "conversations", operation: "createConversation" },
        CreatableResource { name: "articles", operation: "createArticle" },
        CreatableResource { name: "internal_articles", operation: "createInternalArticle" },
        CreatableResource { name: "collections", operation: "createCollection" },
        CreatableResource { name: "news_items", operation: "createNewsItem" },
        CreatableResource { name: "tags", operation: "createTag" },
        CreatableResource { name: "data_attributes", operation: "createDataAttribute" },
        CreatableResource { name: "events", operation: "createDataEvent" },
    ];

    pub fn named(name: &str) -> Option<Self> {
        CreatableResource::ALL.into_iter().find(|resource| resource.name == name)
    }
}

/// The result of importing one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportResult {
    /// Number of the line.
    pub line: u64,
    pub status: ImportStatus,
    /// Id of the record, if the response had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why the record was not created. `None` for an unknown outcome of an earlier run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    Created,
    /// The workspace had the record before.
    Exists,
    /// An earlier run created it.
    Skipped,
    /// The server did not create it.
    Failed,
    /// The server may have created it.
    Unknown,
}

/// What to do with each line, in the order of the input.
pub struct ImportPlan<'a>(Vec<ImportStep<'a>>);

enum ImportStep<'a> {
    Send(&'a ImportLine, &'a Map<String, Value>),
    /// Report this result without sending the line.
    Report(ImportResult),
}

impl<'a> ImportPlan<'a> {
    /// `retry_unknown` sends lines again whose outcome in an earlier run is unknown.
    pub fn of(journal: &ImportJournal, lines: &'a [ImportLine], retry_unknown: bool) -> Self {
        ImportPlan(lines.iter().map(|line| ImportStep::of(journal, line, retry_unknown)).collect())
    }

    /// Number of lines to send.
    pub fn sends(&self) -> usize {
        self.0.iter().filter(|step| matches!(step, ImportStep::Send(..))).count()
    }
}

impl<'a> ImportStep<'a> {
    fn of(journal: &ImportJournal, line: &'a ImportLine, retry_unknown: bool) -> Self {
        let report =
            |status, id, error| ImportStep::Report(ImportResult { line: line.number, status, id, error });
        match (journal.state(&line.key), &line.body) {
            (_, Err(reason)) => report(ImportStatus::Failed, None, Some(json!(reason))),
            (ImportState::Created(id), _) => report(ImportStatus::Skipped, id, None),
            (ImportState::Sent, _) if !retry_unknown => report(ImportStatus::Unknown, None, None),
            (ImportState::New | ImportState::Sent, Ok(body)) => ImportStep::Send(line, body),
        }
    }
}

/// One run of an import.
pub struct Import<'a> {
    client: &'a Client,
    operation: &'a Operation,
    /// Never locked across an `await`.
    journal: Mutex<ImportJournal>,
    accepts_existing: bool,
    concurrency: usize,
}

impl<'a> Import<'a> {
    /// `accepts_existing` treats records that exist before as imported. `concurrency` is the number of requests in
    /// parallel.
    pub fn new(
        client: &'a Client,
        operation: &'a Operation,
        journal: ImportJournal,
        accepts_existing: bool,
        concurrency: usize,
    ) -> Self {
        Import { client, operation, journal: Mutex::new(journal), accepts_existing, concurrency }
    }

    /// Sends the lines, several in parallel. The results are in the order of the input.
    pub fn run<'i>(&'i self, plan: ImportPlan<'i>) -> impl Stream<Item = Result<ImportResult, Error>> {
        let results = stream::iter(plan.0).map(move |step| async move {
            match step {
                ImportStep::Report(result) => Ok(result),
                ImportStep::Send(line, body) => self.line(line, body).await,
            }
        });
        results.buffered(self.concurrency)
    }

    async fn line(&self, line: &ImportLine, body: &Map<String, Value>) -> Result<ImportResult, Error> {
        self.record(|journal| journal.sending(&line.key))?;
        let (status, id, error) = self.send(body).await;
        match status {
            ImportStatus::Created | ImportStatus::Exists => {
                self.record(|journal| journal.created(&line.key, id.as_deref()))?;
            }
            ImportStatus::Failed => self.record(|journal| journal.failed(&line.key))?,
            ImportStatus::Skipped | ImportStatus::Unknown => {}
        }
        Ok(ImportResult { line: line.number, status, id, error })
    }

    fn record(&self, act: impl FnOnce(&mut ImportJournal) -> Result<(), Error>) -> Result<(), Error> {
        act(&mut self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn send(&self, body: &Map<String, Value>) -> (ImportStatus, Option<String>, Option<Value>) {
        let body = match self.operation.id {
            "CreateContact" => contact_fields::body(body, &self.client.api_version()),
            _ => json!(body),
        };
        let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
        match self.client.execute(self.operation, &arguments).await {
            Ok(reply) => {
                // The record exists, even if the response cannot be read.
                let created =
                    reply.json_text().ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
                (ImportStatus::Created, created.and_then(|record| lenient::id(&record["id"])), None)
            }
            Err(error) => {
                if let Some(Conflict::Exists { id }) = error.conflict()
                    && self.accepts_existing
                {
                    return (ImportStatus::Exists, id, None);
                }
                let status = match error.status() {
                    Some(400..=407 | 409..=499) => ImportStatus::Failed,
                    None if error.is_offline() => ImportStatus::Failed,
                    _ => ImportStatus::Unknown,
                };
                (status, None, Some(error_json(&error)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_may_be_created_are_sent() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = ImportJournal::open(&folder.path().join("journal"), "w contacts").unwrap();
        let input = ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}", "[]"].join("\n");
        let lines = ImportLine::read_all(input.as_bytes()).unwrap();
        journal.sending(&lines[1].key).unwrap();
        journal.created(&lines[2].key, Some("7")).unwrap();
        journal.failed(&lines[3].key).unwrap();
        let statuses = |retry_unknown: bool| {
            let plan = ImportPlan::of(&journal, &lines, retry_unknown);
            let of = |step: &ImportStep| match step {
                ImportStep::Send(..) => None,
                ImportStep::Report(result) => Some(result.status),
            };
            (plan.sends(), plan.0.iter().map(of).collect::<Vec<_>>())
        };
        use ImportStatus::{Failed, Skipped, Unknown};
        assert_eq!(statuses(false), (2, vec![None, Some(Unknown), Some(Skipped), None, Some(Failed)]));
        assert_eq!(statuses(true), (3, vec![None, None, Some(Skipped), None, Some(Failed)]));
    }
}
