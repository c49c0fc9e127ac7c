//! A verb that is connected to its workspace: who acts, the records as they are, the plan, and its requests.
//!
//! Only reads. What changes the workspace is in `carry_out`.

use futures::StreamExt;
use serde_json::{Value, json};

use crate::api::client::Client;
use crate::api::identity::{Identity, identity};
use crate::bulk::directory::{self, DirectoryEntry};
use crate::bulk::planner::Planner;
use crate::bulk::selection::SelectedRecord;
use crate::bulk::{self, BulkPlan, BulkTarget, Change, NotFoundKind, PlannedRecord, read};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};

/// Records in parallel. Verbs change few records, and people wait for them.
pub const CONCURRENCY: usize = 8;

/// A verb that is connected to its workspace.
pub struct VerbSession<'a> {
    pub context: &'a Context,
    pub client: Client,
    /// The owner of the token, or the teammate of `--as`.
    pub identity: Identity,
    pub command: &'static str,
    pub target: BulkTarget,
}

impl<'a> VerbSession<'a> {
    /// Connects and finds out who acts. Refuses changes in read-only mode before any request.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; an unknown teammate; API errors.
    pub async fn connect(
        context: &'a Context,
        command: &'static str,
        target: BulkTarget,
        actor: Option<&str>,
    ) -> Result<Self, Error> {
        if !context.globals.consent.dry_run {
            context.refuse_in_read_only_mode(command)?;
        }
        let client = context.client()?;
        let mut identity = identity(&client).await?;
        if let Some(name) = actor {
            let admins = directory::admins(&client).await?;
            let actor = pick(&admins, NotFoundKind::Teammate, name, "admins list")?;
            identity.admin_id = Some(actor.id.clone());
            identity.admin_name = Some(actor.name.clone());
        }
        Ok(VerbSession { context, client, identity, command, target })
    }

    /// Reads the documents of records. A record that cannot be read keeps none; planning reports why.
    pub async fn documents(&self, records: &mut [SelectedRecord]) {
        let ids = records.iter().map(|record| record.id.clone()).collect();
        let mut documents = std::pin::pin!(read::documents(&self.client, self.target, ids, CONCURRENCY));
        while let Some((id, document)) = documents.next().await {
            if let Some(record) = records.iter_mut().find(|record| record.id == id) {
                record.document = document.ok();
            }
        }
    }

    /// Plans the changes from the current state of the records.
    ///
    /// # Errors
    /// API errors that affect more than one record.
    pub async fn plan(
        &self,
        records: Vec<(SelectedRecord, Change)>,
        about: Value,
    ) -> Result<BulkPlan, Error> {
        let records = self.planner().plan(records).await?;
        let plan = BulkPlan::new(self.command, self.target, &self.identity.workspace, records);
        Ok(BulkPlan { about, ..plan })
    }

    pub fn planner(&self) -> Planner<'_> {
        Planner {
            client: &self.client,
            identity: &self.identity,
            target: self.target,
            concurrency: CONCURRENCY,
        }
    }

    /// The requests that make a change, as method, path and body.
    ///
    /// # Errors
    /// If the operation is missing from the API, or a setting is invalid.
    pub fn requests(&self, record: &PlannedRecord) -> Result<Vec<Value>, Error> {
        let admin_id = self.identity.admin_id.as_deref().unwrap_or_default();
        let version = self.client.api_version();
        let requests = record.change.steps(self.target).into_iter().map(|change| {
            let (operation, arguments) = change.request(self.target, &record.id, admin_id, &version)?;
            let request = self.client.request(operation, &arguments)?;
            let body = arguments.body.as_deref().and_then(|body| serde_json::from_slice::<Value>(body).ok());
            Ok(json!({ "method": operation.method.as_str(), "path": request.url().path(), "body": body }))
        });
        requests.collect()
    }
}

/// The entry with this name or id. `list` is the command that shows all of them.
///
/// # Errors
/// An unknown or ambiguous name.
pub fn pick<'a>(
    entries: &'a [DirectoryEntry],
    what: NotFoundKind,
    name: &str,
    list: &'static str,
) -> Result<&'a DirectoryEntry, Error> {
    directory::pick(entries, what, name).map_err(|error| match error {
        bulk::Error::NotFound { .. } => Error::Failed {
            message: error.to_string(),
            exit: Exit::NotFound,
            hint: Some(Hint::default().run(list).text(" shows the names and ids")),
        },
        other => other.into(),
    })
}
