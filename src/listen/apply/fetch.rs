//! Fetches one record into the mirror, and decides what the answer means.
//!
//! Nothing is removed here: which records are gone is returned.

use serde_json::Value;

use super::pending::Job;
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::mirror::{Error, Fetched, RecordRefresh, ResourceName, Store};

/// One fetch, with the connection that it may use.
pub(super) struct Fetch {
    pub client: Client,
    pub store: Store,
    pub job: Job,
}

/// What became of a fetch.
#[derive(Debug)]
pub(super) enum Outcome {
    Fetched {
        /// Ids of records that the API confirmed to be gone.
        gone: Vec<String>,
        /// Whether only a sync can find out what else changed.
        needs_sync: bool,
    },
    /// Other records would fail for the same reason.
    Unavailable(String),
    /// The record cannot be fetched.
    Failed(String),
}

impl Fetch {
    pub async fn run(mut self) -> (Store, Job, Outcome) {
        let outcome = self.outcome().await.unwrap_or_else(|error| match &error {
            Error::Api(api) if !api.affects_all() || api.status() == Some(403) => {
                Outcome::Failed(error.to_string())
            }
            _ => Outcome::Unavailable(error.to_string()),
        });
        (self.store, self.job, outcome)
    }

    async fn outcome(&mut self) -> Result<Outcome, Error> {
        let (resource, id) = (self.job.target.resource, self.job.target.id.clone());
        if self.store.sync_state(resource)?.is_none_or(|state| state.skipped) {
            // The mirror does not have this resource. If it ever does, a sync lists the record.
            return Ok(Outcome::Fetched { gone: Vec::new(), needs_sync: false });
        }
        let (mut gone, mut needs_sync) = (Vec::new(), false);
        match self.refresh().record(resource, &id).await? {
            Fetched::Stored { .. } => {}
            Fetched::MergedInto { .. } => gone.push(id.clone()),
            Fetched::Gone if self.store.has_record(resource, &id)? => {
                // Without a notification that says so, "not found" is too little to remove a record.
                if self.job.cause.is_deletion { gone.push(id.clone()) } else { needs_sync = true }
            }
            Fetched::Gone => {}
        }
        if self.job.cause.is_merge {
            match self.merged_into(&id).await? {
                Some(mut sources) => gone.append(&mut sources),
                None => needs_sync = true,
            }
        }
        Ok(Outcome::Fetched { gone, needs_sync })
    }

    /// The stored contacts that became a part of this one; `None` if the app cannot say.
    async fn merged_into(&mut self, survivor: &str) -> Result<Option<Vec<String>>, Error> {
        let reply =
            self.client.fetch(operation("ListContactMergeHistory")?, &Arguments::of_record(survivor)).await;
        let history = match reply {
            Ok(reply) => reply,
            Err(error) if error.affects_all() && error.status() != Some(403) => return Err(error.into()),
            // Leads have no history, and neither do apps below 2.16.
            Err(_) => return Ok(None),
        };
        let history = history.json_text().ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
        // Without a readable list it is unknown who was merged.
        let Some(Value::Array(merges)) = history.as_ref().map(|history| &history["data"]) else {
            return Ok(None);
        };
        let sources: Vec<String> =
            merges.iter().filter_map(|merge| lenient::id(&merge["source_contact_id"])).collect();
        let mut gone = Vec::new();
        for source in sources {
            if source != survivor
                && self.store.has_record(ResourceName::Contacts, &source)?
                && self.refresh().record(ResourceName::Contacts, &source).await?
                    != (Fetched::Stored { id: source.clone() })
            {
                gone.push(source);
            }
        }
        // Later pages are of merges that earlier notifications were about.
        Ok(Some(gone))
    }

    fn refresh(&mut self) -> RecordRefresh<'_> {
        RecordRefresh::new(&self.client, &mut self.store)
    }
}
