//! Syncs one resource: plans a listing, follows it, fetches what it omits, and checks for deletions.

use std::time::Instant;

use super::deletions::CheckEnd;
use super::events::{Cause, Event, ResourceOutcome};
use super::plan::{ListPlan, Purpose, plan_list};
use super::sync_context::{Ending, ResourceSync, SyncContext};
use super::{contact_details, conversation_details, deletions, list, segments, statistics};
use crate::mirror::conversation::{OF_CONVERSATIONS, OF_TICKETS};
use crate::mirror::error::Error;
use crate::mirror::resources::{ResourceName, Route};

/// Syncs one resource, and records how that ended. Only database failures are errors.
pub(super) async fn sync_resource<'a>(
    run: &'a SyncContext<'a>,
    name: ResourceName,
) -> Result<ResourceOutcome, Error> {
    let began = Instant::now();
    let mut sync = ResourceSync::new(run, name);
    let cancel = &run.options.cancel;
    let is_untouched = cancel.is_cancelled();
    let was_skipped = sync.state()?.is_some_and(|state| state.skipped);
    // No write spans an `await`, so the work can end at any of them.
    let result = tokio::select! {
        biased;
        () = cancel.cancelled() => Ok(Ending::Incomplete("interrupted".to_owned())),
        result = fetch(&mut sync) => result,
    };
    let ending = match result {
        Ok(Ending::Skipped(reason)) if is_expected(&sync)? => Ending::Incomplete(reason),
        Ok(ending) => ending,
        Err(Error::Api(error)) => {
            sync.progress.add_cause(Cause::of(&error));
            Ending::Incomplete(error.to_string())
        }
        Err(error) => return Err(error),
    };
    match &ending {
        Ending::Complete => {}
        Ending::Incomplete(_) if is_untouched => {}
        Ending::Incomplete(reason) => {
            sync.with_store(|store| store.fail(name, reason))?;
            if !cancel.is_cancelled() {
                run.emit(Event::SyncError { resource: name, message: reason.clone() });
            }
        }
        Ending::Skipped(reason) => {
            sync.with_store(|store| store.skip(name, reason))?;
            // Warn only once.
            if !was_skipped {
                sync.warn(format!("skipped: {reason}"));
            }
        }
    }
    let (deletions, quarantined) =
        sync.with_store(|store| Ok((store.deletions(name)?, store.quarantined(name)?)))?;
    let progress = sync.progress;
    let outcome = ResourceOutcome {
        resource: name,
        gone: deletions.gone,
        deletions_checked_at: deletions.checked_at,
        fresh_until: progress.fresh_until,
        written: progress.written,
        requests: progress.requests,
        seconds: began.elapsed().as_secs_f64(),
        resumed: progress.resumed,
        complete: ending == Ending::Complete,
        skipped: matches!(ending, Ending::Skipped(_)),
        reason: match ending {
            Ending::Complete => None,
            Ending::Incomplete(reason) | Ending::Skipped(reason) => Some(reason),
        },
        cause: progress.cause,
        quarantined,
    };
    run.emit(Event::SyncComplete(outcome.clone()));
    Ok(outcome)
}

/// Whether a refused resource counts as missing rather than as not offered: the user named it, or it was
/// available before.
fn is_expected(sync: &ResourceSync<'_>) -> Result<bool, Error> {
    let reached = sync.state()?.is_some_and(|state| state.watermark.is_some());
    Ok(sync.run.options.named || reached || !sync.with_store(|store| store.is_empty(sync.name()))?)
}

async fn fetch(sync: &mut ResourceSync<'_>) -> Result<Ending, Error> {
    match sync.name() {
        ResourceName::ConversationParts => return conversation_details::fetch(sync, &OF_CONVERSATIONS).await,
        ResourceName::TicketParts => return conversation_details::fetch(sync, &OF_TICKETS).await,
        _ => {}
    }
    let listed = fetch_list(sync).await?;
    if sync.progress.fresh_until.is_some() {
        return Ok(listed);
    }
    if listed == Ending::Complete && sync.name() != ResourceName::Contacts {
        sync.with_store(|store| store.note_cost(sync.name(), sync.progress.requests))?;
    }
    match listed {
        Ending::Skipped(_) => Ok(listed),
        // With a page limit, fetch nothing more.
        Ending::Incomplete(_) if sync.run.options.max_pages.is_some() => Ok(listed),
        listed => fetch_details(sync, listed).await,
    }
}

/// Lists what changed, then what changed meanwhile, and then checks for deletions.
async fn fetch_list(sync: &mut ResourceSync<'_>) -> Result<Ending, Error> {
    let resource = sync.resource;
    let is_first = sync.state()?.is_none_or(|state| state.watermark.is_none());
    let (plan, mut ending) = list_for(sync, Purpose::Sync).await?;
    let is_newest_first = || resource.all_routes().any(Route::is_newest_first);
    if sync.progress.pages > 1 && ending == Ending::Complete && is_newest_first() {
        // Records that changed during the listing moved to the first page, after it was read.
        (_, ending) = list_for(sync, Purpose::CatchUp).await?;
    }
    let can_check = !resource.changes.is_empty() && resource.detects_deletions;
    if ending != Ending::Complete
        || matches!(plan, ListPlan::Fresh(_))
        || !can_check
        || sync.run.options.max_pages.is_some()
    {
        return Ok(ending);
    }
    let mut counted = None;
    if !plan.removes() {
        match deletions::check(sync, is_first || plan.since().is_none()).await? {
            CheckEnd::Complete => return Ok(Ending::Complete),
            CheckEnd::NeedsListing(count) => counted = count,
        }
        (_, ending) = list_for(sync, Purpose::Removal).await?;
    }
    if ending == Ending::Complete {
        deletions::record_surplus(sync, counted).await?;
    }
    Ok(ending)
}

/// Plans a listing from what is stored, and follows the plan.
async fn list_for(sync: &mut ResourceSync<'_>, purpose: Purpose) -> Result<(ListPlan, Ending), Error> {
    let holdings = sync.with_store(|store| store.holdings(sync.name()))?;
    let plan = plan_list(sync.resource, sync.run.options, purpose, &holdings, sync.run.clock.now());
    let ending = match plan {
        ListPlan::Fresh(until) => {
            sync.progress.fresh_until = Some(until);
            Ending::Complete
        }
        _ => list::follow(sync, &plan).await?,
    };
    Ok((plan, ending))
}

/// Fetches what the list of a resource omits, even after an incomplete listing. `listed` is how the listing ended.
async fn fetch_details(sync: &mut ResourceSync<'_>, listed: Ending) -> Result<Ending, Error> {
    match sync.name() {
        ResourceName::Contacts => {
            // Lists first: segments may be refused.
            let ending = listed.and(contact_details::fetch(sync).await?);
            if sync.run.options.members { Ok(ending.and(segments::fetch(sync).await?)) } else { Ok(ending) }
        }
        ResourceName::Articles => Ok(listed.and(statistics::fetch(sync).await?)),
        _ => Ok(listed),
    }
}
