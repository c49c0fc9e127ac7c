//! Sends the changes of a run, many at a time, each one once.
//!
//! The rule that must hold: a change whose answer was lost is not sent again before the record was
//! asked whether it has arrived. What cannot be asked and must not happen twice stays unknown. The rate
//! limit is the transport's; this only keeps enough calls under way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::change::Change;
use super::error::{Error, told};
use super::journal::{Journal, Status};
use super::plan::{Head, Record};
use super::read;
use crate::api;
use crate::api::client::Client;
use crate::mirror::Stop;

/// For one record; what the transport repeats by itself is not counted.
const ATTEMPTS: u32 = 12;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// So many calls that fail in a row, of whatever records, are no bad luck any more: nobody is helped by
/// trying each record for half a minute.
const OUTAGE: usize = 40;
/// For one record while nothing works.
const ATTEMPTS_IN_OUTAGE: u32 = 3;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: usize,
    pub failed: usize,
    /// Records that something was to be sent for.
    pub total: usize,
}

/// What sends changes.
pub struct Applier<'a> {
    pub client: &'a Client,
    /// When asked, the calls under way are finished and no others begun.
    pub stop: Stop,
    /// Records at the same time.
    pub concurrency: usize,
    /// Calls that have failed since the last one that did not.
    failures: AtomicUsize,
}

impl<'a> Applier<'a> {
    pub fn new(client: &'a Client, stop: Stop, concurrency: usize) -> Self {
        Applier { client, stop, concurrency, failures: AtomicUsize::new(0) }
    }

    /// Sends what the run has left, and notes it. What became of each record is in the journal.
    ///
    /// # Errors
    /// When the journal cannot be written: nothing more is sent then.
    pub async fn apply(
        &self,
        journal: &mut Journal,
        observe: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), Error> {
        let head = journal.run().head.clone();
        let due: Vec<(Record, bool)> = journal
            .run()
            .due()
            .map(|record| (record.clone(), *journal.run().status(&record.id) == Status::Sending))
            .collect();
        let mut progress = Progress { done: 0, failed: 0, total: due.len() };
        observe(progress);
        self.client.transport().expect(due.len());
        let journal = Mutex::new(journal);
        let note = |id: &str, status: Status, safely: bool| {
            journal.lock().unwrap_or_else(PoisonError::into_inner).note(id, status, safely)
        };
        let note = &note;
        let head = &head;
        let mut results = stream::iter(due)
            .map(|(record, was_sent)| async move {
                if self.stop.is_asked() {
                    return Ok(None);
                }
                // Two of a kind must not happen: this line has to survive even the machine.
                note(&record.id, Status::Sending, !record.change.is_repeatable())?;
                let status = self.change(head, &record, was_sent).await;
                if status != Status::Sending {
                    note(&record.id, status.clone(), false)?;
                }
                Ok::<_, Error>(Some(status))
            })
            .buffer_unordered(self.concurrency.max(1));
        let mut failure = None;
        while let Some(result) = results.next().await {
            match result {
                Ok(Some(Status::Done { .. })) => progress.done += 1,
                Ok(Some(_)) => progress.failed += 1,
                Ok(None) => {}
                Err(error) => {
                    self.stop.ask();
                    failure.get_or_insert(error);
                }
            }
            observe(progress);
        }
        drop(results);
        let journal = journal.into_inner().unwrap_or_else(PoisonError::into_inner);
        match failure {
            Some(error) => Err(error),
            None if journal.run().counts().open == 0 => journal.finish(),
            None => Ok(()),
        }
    }

    /// Makes one change, step by step.
    async fn change(&self, head: &Head, record: &Record, was_sent: bool) -> Status {
        let mut after = Value::Null;
        for change in record.change.steps() {
            match self.step(head, &Record { change, ..record.clone() }, was_sent).await {
                Status::Done { after: told } => after = told,
                other => return other,
            }
        }
        Status::Done { after }
    }

    /// Makes one call of a change. [`Status::Sending`] when nobody knows what became of it.
    async fn step(&self, head: &Head, record: &Record, was_sent: bool) -> Status {
        let mut unknown = was_sent;
        let mut last = json!({ "message": "the run was stopped" });
        let mut delay = FIRST_DELAY;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                if self.stop.is_asked() || (attempt >= ATTEMPTS_IN_OUTAGE && self.is_outage()) {
                    break;
                }
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LONGEST_DELAY);
            }
            if unknown {
                match self.look_up(head, record).await {
                    Ok(Some(state)) if record.change.is_done(&record.before, &state) => {
                        return Status::Done { after: state };
                    }
                    Ok(Some(_)) => {}
                    Ok(None) if record.change.is_repeatable() => {}
                    Ok(None) => return Status::Sending,
                    Err(error) if is_worth_another(&error) => {
                        last = told(&error);
                        continue;
                    }
                    Err(error) => return Status::Failed { error: told(&error) },
                }
            }
            match self.send(head, record).await {
                Ok(after) => {
                    self.failures.store(0, Ordering::Relaxed);
                    return Status::Done { after };
                }
                Err(error) if is_worth_another(&error) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    unknown = may_have_arrived(&error);
                    last = told(&error);
                }
                // It may be gone because an earlier attempt has removed it.
                Err(error) if error.is_not_found() && matches!(record.change, Change::Untag { .. }) => {
                    return match self.look_up(head, record).await {
                        Ok(Some(state)) if record.change.is_done(&record.before, &state) => {
                            Status::Done { after: state }
                        }
                        _ => Status::Failed { error: told(&error) },
                    };
                }
                Err(error) => return Status::Failed { error: told(&error) },
            }
        }
        match unknown {
            true => self.at_last(head, record, last).await,
            false => Status::Failed { error: last },
        }
    }

    /// What became of a change whose last answer was lost, once it is given up.
    async fn at_last(&self, head: &Head, record: &Record, last: Value) -> Status {
        match self.look_up(head, record).await {
            Ok(Some(state)) if record.change.is_done(&record.before, &state) => Status::Done { after: state },
            Ok(Some(_)) => Status::Failed { error: last },
            Ok(None) | Err(_) => Status::Sending,
        }
    }

    fn is_outage(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= OUTAGE
    }

    /// Sends it once, as far as the transport does not know better. Returns the state afterwards, where
    /// the answer tells it.
    async fn send(&self, head: &Head, record: &Record) -> Result<Value, api::Error> {
        let (operation, arguments) = record.change.request(head.target, &record.id, &head.admin_id)?;
        let reply = self.client.execute(operation, &arguments).await?;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        Ok(record.change.state(head.target, &head.admin_id, &answer).unwrap_or_default())
    }

    async fn look_up(&self, head: &Head, record: &Record) -> Result<Option<Value>, api::Error> {
        state_of(self.client, head, &record.change, &record.id).await
    }
}

/// The state of a record now; `None` when its document does not tell.
///
/// # Errors
/// As [`read::document`].
pub async fn state_of(
    client: &Client,
    head: &Head,
    change: &Change,
    id: &str,
) -> Result<Option<Value>, api::Error> {
    let mut document = read::document(client, head.target, id).await?;
    read::complete(client, head.target, change, &mut document, id).await?;
    Ok(change.state(head.target, &head.admin_id, &document))
}

/// Whether the same call may succeed later.
pub fn is_worth_another(error: &api::Error) -> bool {
    may_have_arrived(error) || error.is_rate_limited() || error.is_offline()
}

/// Whether the workspace may have carried the call out.
fn may_have_arrived(error: &api::Error) -> bool {
    error.is_outcome_unknown() || matches!(error, api::Error::UnexpectedAnswer(_))
}
