//! Sends the changes of a run, many at a time, each one once.
//!
//! The rule that must hold: a change whose answer was lost is not sent again before the record was
//! asked whether it has arrived. What cannot be asked and must not happen twice stays unknown. The rate
//! limit is the transport's; this only keeps enough calls under way.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::change::{CHANGED_SINCE_PLAN, Change, Target};
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
/// How often the steps of a change are gone through: a later step can undo what an earlier one did.
const ROUNDS: u32 = 2;
/// For reading one record.
const ATTEMPTS_TO_LOOK: u32 = 6;
/// The waits before a record is looked at again that does not show its change yet.
const SECOND_LOOKS: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(2)];

/// Conversations that one search checks after their changes were sent.
const CHECKED_AT_ONCE: usize = 50;
/// Searches and single checks that run while further changes are sent.
const CONCURRENT_CHECKS: usize = 64;

/// A record whose change was sent.
enum Sent {
    Settled(Status),
    /// The call succeeded, and its answer does not show the record.
    Unchecked(Box<Unchecked>),
}

struct Unchecked {
    record: Record,
    before: Value,
    after: Value,
}

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
        let mut due: Vec<(Record, bool)> = journal
            .run()
            .due()
            .map(|record| (record.clone(), journal.run().status(&record.id).was_sent()))
            .collect();
        // Runs on other machines that change the same records begin elsewhere, so that each finds the other's work.
        due.sort_by_cached_key(|(record, _)| {
            let mut hasher = std::hash::DefaultHasher::new();
            (&head.run, &record.id).hash(&mut hasher);
            hasher.finish()
        });
        let mut progress = Progress { done: 0, failed: 0, total: due.len() };
        observe(progress);
        // Checks of conversations share a search, so that a record costs two calls and not three.
        let (per_record, at_once) =
            if head.target == Target::Conversations { (2, CHECKED_AT_ONCE) } else { (3, 1) };
        self.client.transport().expect(due.len() * per_record);
        let journal = Mutex::new(journal);
        let note = |id: &str, status: Status, safely: bool| {
            journal.lock().unwrap_or_else(PoisonError::into_inner).note(id, status, safely)
        };
        let note = &note;
        let settle = |id: &str, status: &Status| match status {
            Status::Sending => Ok(()),
            status => note(id, status.clone(), false),
        };
        let settle = &settle;
        let head = &head;
        let mut results = stream::iter(due)
            .map(|(record, was_sent)| async move {
                if self.stop.is_asked() {
                    return Ok(None);
                }
                // Two of a kind must not happen: this line has to survive even the machine.
                note(&record.id, Status::Sending, !record.change.is_repeatable())?;
                let sent = self.change(head, &record, was_sent).await;
                if let Sent::Settled(status) = &sent {
                    settle(&record.id, status)?;
                }
                Ok::<_, Error>(Some(sent))
            })
            .buffer_unordered(self.concurrency.max(1))
            .chunks(at_once)
            .map(|chunk| self.check(head, chunk, settle))
            .buffer_unordered(CONCURRENT_CHECKS);
        let mut failure = None;
        while let Some(checked) = results.next().await {
            for result in checked {
                match result {
                    Ok(Some(Status::Done { .. } | Status::FoundDone { .. } | Status::Unmatched)) => {
                        progress.done += 1
                    }
                    Ok(Some(_)) => progress.failed += 1,
                    Ok(None) => {}
                    Err(error) => {
                        self.stop.ask();
                        failure.get_or_insert(error);
                    }
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

    /// Checks what the answers to a chunk of changes did not show: conversations by one search, and each that does
    /// not show its change there by reading it. Search can lag behind, so it proves changes and no failures.
    async fn check(
        &self,
        head: &Head,
        chunk: Vec<Result<Option<Sent>, Error>>,
        settle: &(impl Fn(&str, &Status) -> Result<(), Error> + Sync),
    ) -> Vec<Result<Option<Status>, Error>> {
        let (mut results, mut unchecked) = (Vec::new(), Vec::new());
        for sent in chunk {
            match sent {
                Ok(Some(Sent::Unchecked(one))) => unchecked.push(one),
                Ok(Some(Sent::Settled(status))) => results.push(Ok(Some(status))),
                Ok(None) => results.push(Ok(None)),
                Err(error) => results.push(Err(error)),
            }
        }
        let found = match unchecked.as_slice() {
            [] | [_] => HashMap::new(),
            several => {
                read::search_by_ids(self.client, several.iter().map(|one| one.record.id.as_str())).await
            }
        };
        let checks = unchecked.into_iter().map(|unchecked| {
            let Unchecked { record, before, after } = *unchecked;
            let shown = found
                .get(&record.id)
                .and_then(|document| record.change.state(head.target, &head.admin_id, document))
                .filter(|state| record.change.is_shown(&before, state));
            async move {
                let status = match shown {
                    Some(after) => Status::Done { before, after },
                    None => self.confirmed(head, &record, before, after).await,
                };
                settle(&record.id, &status).map(|()| Some(status))
            }
        });
        results.extend(futures::future::join_all(checks).await);
        results
    }

    /// Makes one change, step by step.
    async fn change(&self, head: &Head, record: &Record, was_sent: bool) -> Sent {
        let mut before = record.before.clone();
        // An earlier process may have sent the change: then what the record shows may be its work.
        if !was_sent && (record.change.can_be_found_done() || head.selection.is_some()) {
            match self.look_patiently(head, record).await {
                Ok(Look { state: Some(state), .. }) if record.change.is_needless(&state) => {
                    return Sent::Settled(Status::FoundDone { state });
                }
                Ok(Look { is_refused: true, .. }) => return Sent::Settled(Status::Unmatched),
                Ok(Look { state: Some(state), .. }) => before = state,
                Ok(_) => {}
                Err(error) => return Sent::Settled(Status::Failed { error: told(&error) }),
            }
        }
        if let Some(status) = self.misfit(head, record, was_sent).await {
            return Sent::Settled(status);
        }
        let record = &Record { before: before.clone(), ..record.clone() };
        let steps = record.change.steps();
        let (several, mut now) = (steps.len() > 1, before.clone());
        for round in 0..ROUNDS {
            if round > 0 && (!several || now.is_null() || record.change.is_done(&before, &now)) {
                break;
            }
            for change in &steps {
                if several && change.is_needless(&now) {
                    continue;
                }
                match self.step(head, &Record { change: change.clone(), ..record.clone() }, was_sent).await {
                    Ok(state) => now = self.state_of_whole(head, record, state, several).await,
                    Err(status) => return Sent::Settled(status),
                }
            }
        }
        if record.change.is_shown(&before, &now) {
            return Sent::Settled(Status::Done { before, after: now });
        }
        Sent::Unchecked(Box::new(Unchecked { record: record.clone(), before, after: now }))
    }

    /// Why a merge must not be sent: the two contacts have changed since the plan. A
    /// merge cannot be taken back, so both are read right before it.
    async fn misfit(&self, head: &Head, record: &Record, was_sent: bool) -> Option<Status> {
        let Change::Merge { into, sharing: Some(sharing) } = &record.change else { return None };
        if was_sent {
            return None;
        }
        let (lead, user) = futures::join!(
            self.patiently(|| read::document(self.client, head.target, &record.id)),
            self.patiently(|| read::document(self.client, head.target, into))
        );
        match (lead, user) {
            (Ok(lead), Ok(user)) => sharing.misfit(&lead, &user).map(|message| Status::Failed {
                error: json!({ "code": CHANGED_SINCE_PLAN, "message": message }),
            }),
            (Err(error), _) | (_, Err(error)) => Some(Status::Failed { error: told(&error) }),
        }
    }

    /// The state that the whole change is about, between two of its steps. Each step sees only its part.
    async fn state_of_whole(&self, head: &Head, record: &Record, state: Value, several: bool) -> Value {
        if !several || state.get("admin_assignee_id").is_some() {
            return state;
        }
        // Without an answer the next step is sent in any case, which does no harm.
        self.look_patiently(head, record).await.ok().and_then(|look| look.state).unwrap_or(Value::Null)
    }

    /// Looks whether the record shows the change: that the call succeeded proves nothing. Services can take a
    /// moment to show what was written.
    async fn confirmed(&self, head: &Head, record: &Record, before: Value, mut after: Value) -> Status {
        for wait in SECOND_LOOKS.into_iter().map(Some).chain([None]) {
            if record.change.is_shown(&before, &after) {
                return Status::Done { before, after };
            }
            match self.look_patiently(head, record).await.map(|look| look.state) {
                Ok(Some(state)) => after = state,
                // The success alone proves nothing.
                Ok(None) => return Status::Unconfirmed { before },
                Err(error) if record.change.has_removed(&error) => after = json!({ "archived": true }),
                Err(error) if error.is_not_found() => return Status::Failed { error: told(&error) },
                Err(_) => return Status::Sending,
            }
            if record.change.is_shown(&before, &after) {
                return Status::Done { before, after };
            }
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
            }
        }
        Status::Failed {
            error: json!({
                "code": "not_applied",
                "message": "the workspace answered with success, but the record does not show the change",
                "now": after,
            }),
        }
    }

    /// The state of the record, asked again where that may help.
    async fn look_patiently(&self, head: &Head, record: &Record) -> Result<Look, api::Error> {
        self.patiently(|| look(self.client, head, &record.change, &record.id)).await
    }

    /// Reads something, again where that may help.
    async fn patiently<T, F: Future<Output = Result<T, api::Error>>>(
        &self,
        read: impl Fn() -> F,
    ) -> Result<T, api::Error> {
        let mut delay = FIRST_DELAY;
        for _ in 1..ATTEMPTS_TO_LOOK {
            match read().await {
                Err(error) if is_worth_another(&error) && !self.stop.is_asked() && !self.is_outage() => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                }
                answer => return answer,
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(LONGEST_DELAY);
        }
        read().await
    }

    /// Makes one call of a change. Returns the state that the answer shows, null if it shows none; otherwise what
    /// became of the record, [`Status::Sending`] when that is unknown.
    async fn step(&self, head: &Head, record: &Record, was_sent: bool) -> Result<Value, Status> {
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
                match self.look_up_sent(head, record).await {
                    Ok(Some(state)) if record.change.is_done(&record.before, &state) => {
                        return Ok(state);
                    }
                    Ok(Some(_)) => {}
                    Ok(None) if record.change.is_repeatable() => {}
                    Ok(None) => return Err(Status::Sending),
                    Err(error) if is_worth_another(&error) => {
                        last = told(&error);
                        continue;
                    }
                    Err(error) => return Err(Status::Failed { error: told(&error) }),
                }
            }
            match self.send(head, record).await {
                Ok(after) => {
                    self.failures.store(0, Ordering::Relaxed);
                    return Ok(after);
                }
                Err(error) if is_worth_another(&error) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    unknown = may_have_arrived(&error);
                    last = told(&error);
                }
                // It may be gone because an earlier attempt has removed it.
                Err(error) if error.is_not_found() && matches!(record.change, Change::Untag { .. }) => {
                    return match self.look_up(head, record).await {
                        Ok(Some(state)) if record.change.is_done(&record.before, &state) => Ok(state),
                        _ => Err(Status::Failed { error: told(&error) }),
                    };
                }
                Err(error) => return Err(Status::Failed { error: told(&error) }),
            }
        }
        if unknown { self.at_last(head, record, last).await } else { Err(Status::Failed { error: last }) }
    }

    /// What became of a change whose last answer was lost, once it is given up.
    async fn at_last(&self, head: &Head, record: &Record, last: Value) -> Result<Value, Status> {
        match self.look_up_sent(head, record).await {
            Ok(Some(state)) if record.change.is_done(&record.before, &state) => Ok(state),
            Ok(Some(_)) => Err(Status::Failed { error: last }),
            Ok(None) | Err(_) => Err(Status::Sending),
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
        // The answer to a merge is the user's document, which does not show that the lead is gone.
        if matches!(record.change, Change::Merge { .. }) {
            return Ok(Value::Null);
        }
        let Ok(answer) = serde_json::from_slice(&reply.body) else { return Ok(Value::Null) };
        Ok(record.change.state(head.target, &head.admin_id, &answer).unwrap_or(Value::Null))
    }

    /// The same once a change was sent: some records can no longer be read afterwards.
    async fn look_up_sent(&self, head: &Head, record: &Record) -> Result<Option<Value>, api::Error> {
        match self.look_up(head, record).await {
            Err(error) if record.change.has_removed(&error) => Ok(Some(json!({ "archived": true }))),
            answer => answer,
        }
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
    Ok(look(client, head, change, id).await?.state)
}

/// What a record shows now.
struct Look {
    /// `None` if the document does not show it.
    state: Option<Value>,
    /// Whether the record does not pass the filter of the run.
    is_refused: bool,
}

async fn look(client: &Client, head: &Head, change: &Change, id: &str) -> Result<Look, api::Error> {
    let mut document = match read::document(client, head.target, id).await {
        Err(error) if error.is_gone() && matches!(change, Change::Merge { .. }) => {
            return Ok(Look { state: Some(json!({ "merged": true })), is_refused: false });
        }
        document => document?,
    };
    read::complete(client, head.target, change, &mut document, id).await?;
    let is_refused =
        head.selection.as_ref().is_some_and(|selection| selection.refuses(head.target, &document));
    Ok(Look { state: change.state(head.target, &head.admin_id, &document), is_refused })
}

/// Whether the same call may succeed later.
pub fn is_worth_another(error: &api::Error) -> bool {
    may_have_arrived(error) || error.is_rate_limited() || error.is_offline()
}

/// Whether the workspace may have carried the call out.
fn may_have_arrived(error: &api::Error) -> bool {
    error.is_outcome_unknown() || matches!(error, api::Error::UnexpectedResponse(_))
}
