//! Decides what to list of a resource, and whether to check it for deletions.
//!
//! Everything here is computed from what was read before: nothing uses the store or the network. A record may be
//! skipped only if the mirror is known to have it. When unsure, fall back to a full sync.
//!
//! Of the lists that cannot be filtered by change, short ones are read in every run. Longer ones wait in proportion to
//! their cost, so that a run every minute does not spend its requests on unchanged records. A skipped list must keep
//! its age, which every result reports.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sync_context::SyncOptions;
use crate::api::paging::Next;
use crate::mirror::resources::{Bound, Resource, Route};
use crate::mirror::store::deletions::Deletions;
use crate::mirror::store::state::{DAILY, Holdings};

/// Changes are requested again from this many seconds before the last listing began, because searches lag by minutes
/// and clocks differ.
const OVERLAP: i64 = 3_600;
/// Lists of at most this many requests are read in every run.
const EVERY_RUN: u64 = 20;
/// Seconds that a list counts as fresh per request that it costs, up to [`DAILY`].
const SECONDS_PER_REQUEST: i64 = 6;
/// Seconds by which the server's clock may appear to go back, because it is derived from whole seconds.
const ROUNDING: i64 = 1;
/// Request budget per run for a check that is due only by age.
const AGE_BUDGET: u64 = 200;
/// Request budget per run if the counts show that records are gone.
const COUNT_BUDGET: u64 = 1_000;

/// What a listing is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// What the options ask for.
    Sync,
    /// What changed since the latest listing began.
    CatchUp,
    /// All records, to remove the others.
    Removal,
}

/// What to list of a resource. Times are epoch seconds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ListPlan {
    /// Nothing: the stored list is recent enough until this time.
    Fresh(i64),
    /// Everything; with `removes`, records that the listing does not return are removed.
    Full { removes: bool },
    /// What changed at or after this time.
    Since(i64),
    /// The rest of an interrupted listing. `skip` is the number of routes before the one that it used.
    Resume { cursor: ListCursor, skip: usize },
}

/// The position of an interrupted listing, stored between runs.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListCursor {
    pub operation: String,
    pub position: Next,
    #[serde(default)]
    pub since: Option<i64>,
    #[serde(default)]
    pub removes: bool,
}

impl ListPlan {
    /// Only changes at or after this time; `None` for everything.
    pub fn since(&self) -> Option<i64> {
        match self {
            ListPlan::Since(since) => Some(*since),
            ListPlan::Resume { cursor, .. } => cursor.since,
            ListPlan::Fresh(_) | ListPlan::Full { .. } => None,
        }
    }

    /// Whether to remove records that the listing does not return.
    pub fn removes(&self) -> bool {
        match self {
            ListPlan::Full { removes } => *removes,
            ListPlan::Resume { cursor, .. } => cursor.removes,
            ListPlan::Fresh(_) | ListPlan::Since(_) => false,
        }
    }

    /// Where to resume the first route.
    pub fn position(&self) -> Option<&Next> {
        match self {
            ListPlan::Resume { cursor, .. } => Some(&cursor.position),
            _ => None,
        }
    }

    /// Alternative routes, best first.
    pub fn routes(&self, resource: &Resource) -> impl Iterator<Item = &'static Route> + use<> {
        let skip = match self {
            ListPlan::Resume { skip, .. } => *skip,
            ListPlan::Since(_) => 0,
            ListPlan::Fresh(_) | ListPlan::Full { .. } => resource.changes.len(),
        };
        resource.all_routes().skip(skip)
    }
}

/// Plans a listing. `now` is epoch seconds by the server's clock.
pub(super) fn plan_list(
    resource: &Resource,
    options: &SyncOptions,
    purpose: Purpose,
    holdings: &Holdings,
    now: i64,
) -> ListPlan {
    let (full, prune, since) = match purpose {
        Purpose::Sync => (options.full, options.prune, options.since),
        Purpose::CatchUp => (false, false, options.since),
        Purpose::Removal => (options.full, true, None),
    };
    let lists_changes = resource.changes.iter().any(|route| route.bound != Bound::NewestFirst);
    if purpose == Purpose::Sync
        && !(lists_changes || full || prune)
        && let Some(until) = fresh_until(holdings, options.refresh, now)
    {
        return ListPlan::Fresh(until);
    }
    let state = holdings.state.as_ref();
    let plan = if resource.changes.is_empty() {
        // Every listing is complete, so it also shows what was deleted.
        ListPlan::Full { removes: resource.detects_deletions && !holdings.is_empty }
    } else {
        // A mirror with a start date is checked only back to that date, so that the check does not extend it.
        let reach = since.or(state.and_then(|state| state.floor).filter(|_| prune));
        let removes = prune && resource.detects_deletions && reach.is_none();
        let since = if removes { None } else { changed_since(holdings, reach, full) };
        since.map_or(ListPlan::Full { removes }, ListPlan::Since)
    };
    let cursor = state.and_then(|state| state.cursor.as_ref());
    cursor.and_then(|cursor| resume(resource, cursor, &plan)).unwrap_or(plan)
}

/// Seconds between two reads of a list that costs this many requests. `refresh` is the user's choice.
pub(super) fn interval(refresh: Option<Duration>, requests: u64) -> i64 {
    match refresh {
        Some(refresh) => i64::try_from(refresh.as_secs()).unwrap_or(i64::MAX),
        None if requests <= EVERY_RUN => 0,
        None => i64::try_from(requests).unwrap_or(i64::MAX).saturating_mul(SECONDS_PER_REQUEST).min(DAILY),
    }
}

/// When a stored list becomes due again; `None` if it is due now. Times are epoch seconds by the server's clock.
fn fresh_until(holdings: &Holdings, refresh: Option<Duration>, now: i64) -> Option<i64> {
    let interval = interval(refresh, holdings.cost);
    // A list that is read in every run is due even if it seems to have been read a moment from now.
    let state = holdings.state.as_ref().filter(|state| state.is_whole() && interval > 0)?;
    // A clock that was ahead must not postpone a list forever.
    let read_at = state.watermark.filter(|at| *at <= now + ROUNDING)?;
    Some(read_at.saturating_add(interval)).filter(|until| *until > now)
}

/// The time from which changes are needed, if the mirror must reach back to `reach`; `None` for everything.
fn changed_since(holdings: &Holdings, reach: Option<i64>, full: bool) -> Option<i64> {
    let state = holdings.state.as_ref().filter(|_| !full);
    let Some(covered) = state.and_then(|state| state.covers(reach)) else { return reach };
    // Records have server times. A local clock that is ahead must not hide changes.
    let from = holdings.newest.map_or(covered, |newest| covered.min(newest)) - OVERLAP;
    Some(reach.filter(|reach| *reach > covered).unwrap_or(from))
}

/// Resumes the interrupted listing if it covers everything in the plan.
fn resume(resource: &Resource, cursor: &str, plan: &ListPlan) -> Option<ListPlan> {
    let cursor: ListCursor = serde_json::from_str(cursor).ok()?;
    let covers_plan = cursor.since.is_none_or(|from| plan.since().is_some_and(|since| from <= since));
    if !covers_plan || cursor.removes != plan.removes() {
        return None;
    }
    let is_route = |route: &Route| route.operation == cursor.operation && route.resumable;
    let skip = resource.all_routes().position(is_route)?;
    Some(ListPlan::Resume { cursor, skip })
}

/// What decides about a check for deletions.
#[derive(Debug, Clone)]
pub(super) struct CheckFacts {
    pub prune: bool,
    /// Stored records that are gone, according to the workspace's count.
    pub missing: u64,
    /// Whether the listing has returned every stored record that still exists.
    pub saw_all: bool,
    pub deletions: Deletions,
    /// Epoch seconds by the server's clock.
    pub now: i64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum CheckPlan {
    /// No check is due.
    Nothing,
    /// The listing was the check.
    Record,
    /// Check the stored ids from a position (the start of the check, and the last id that it has covered), with at
    /// most this many requests.
    Pass { from: (i64, String), budget: u64 },
}

/// Plans the check for deletions. One is due when the workspace counts fewer records than are stored, after an
/// interrupted check, and once a day.
pub(super) fn plan_check(facts: CheckFacts) -> CheckPlan {
    let CheckFacts { prune, missing, saw_all, deletions, now } = facts;
    if saw_all && missing == 0 {
        return CheckPlan::Record;
    }
    let is_old = deletions.checked_at.is_none_or(|at| (now - at).abs() >= DAILY);
    if missing == 0 && !prune && deletions.position.is_none() && !is_old {
        return CheckPlan::Nothing;
    }
    let budget = match (prune, missing) {
        (true, _) => u64::MAX,
        (false, 0) => AGE_BUDGET,
        (false, _) => COUNT_BUDGET,
    };
    let from = deletions.position.filter(|_| !prune).unwrap_or_else(|| (now, String::new()));
    CheckPlan::Pass { from, budget }
}

#[cfg(test)]
mod tests {
    use super::Purpose::{CatchUp, Removal, Sync};
    use super::*;
    use crate::mirror::resources::ResourceName::{self, Articles, Contacts, Tags};
    use crate::mirror::store::state::SyncState;

    const NOW: i64 = 1_000_000;
    const READ: i64 = NOW - 10_000;
    /// The time from which a later sync asks for changes.
    const RECENT: i64 = READ - OVERLAP;

    fn known() -> Holdings {
        let state = SyncState {
            resource: Contacts,
            started_at: READ,
            cursor: None,
            watermark: Some(READ),
            floor: None,
            completed_at: Some(READ),
            pruned_at: None,
            rows: 1,
            complete: true,
            skipped: false,
            reason: None,
        };
        Holdings { state: Some(state), newest: Some(NOW), is_empty: false, cost: 1 }
    }

    fn with_state(change: impl FnOnce(&mut SyncState)) -> Holdings {
        let mut holdings = known();
        if let Some(state) = &mut holdings.state {
            change(state);
        }
        holdings
    }

    fn cursor(operation: &str, since: Option<i64>, removes: bool) -> ListCursor {
        let position = Next::StartingAfter("x".to_owned());
        ListCursor { operation: operation.to_owned(), position, since, removes }
    }

    #[test]
    fn what_to_list_follows_from_options_and_state() {
        use ListPlan::{Fresh, Full, Resume, Since};
        let options = SyncOptions::default;
        let (later, full) = (options(), SyncOptions { full: true, ..options() });
        let prune = SyncOptions { prune: true, ..options() };
        let since = |since: i64| SyncOptions { since: Some(since), ..options() };
        let refresh = SyncOptions { refresh: Some(Duration::from_secs(20_000)), ..options() };
        let nothing = Holdings { state: None, newest: None, is_empty: true, cost: 0 };
        let (known, dated) = (&known(), &with_state(|state| state.floor = Some(500)));
        let older = Holdings { newest: Some(READ - 50), ..with_state(|_| ()) };
        let ahead = &with_state(|state| state.watermark = Some(NOW + 1));
        let plan = |resource: ResourceName, options: &SyncOptions, purpose, holdings: &Holdings| {
            plan_list(resource.resource(), options, purpose, holdings, NOW)
        };
        let sync = |options: &SyncOptions, holdings: &Holdings| plan(Contacts, options, Sync, holdings);
        let resumed = |options: &SyncOptions, operation: &str, since, removes| {
            let text = serde_json::to_string(&cursor(operation, since, removes)).unwrap();
            sync(options, &with_state(|state| state.cursor = Some(text)))
        };
        let search = "SearchContacts";
        let resume = |since, removes| Resume { cursor: cursor(search, since, removes), skip: 0 };
        for (case, planned, expected) in [
            ("the first sync", sync(&later, &nothing), Full { removes: false }),
            ("the first sync with a start date", sync(&since(7), &nothing), Since(7)),
            ("a later sync", sync(&later, known), Since(RECENT)),
            ("a local clock that is ahead", sync(&later, &older), Since(RECENT - 50)),
            ("a start date after the last sync", sync(&since(NOW), known), Since(NOW)),
            ("a start date before the last sync", sync(&since(7), known), Since(RECENT)),
            ("a start date before the mirror's", sync(&since(7), dated), Since(7)),
            ("everything of a mirror with a start date", sync(&later, dated), Full { removes: false }),
            ("full", sync(&full, known), Full { removes: false }),
            ("prune", sync(&prune, known), Full { removes: true }),
            ("prune of a mirror with a start date", sync(&prune, dated), Since(RECENT)),
            ("changes are never fresh", sync(&refresh, known), Since(RECENT)),
            ("catching up after full", plan(Contacts, &full, CatchUp, known), Since(RECENT)),
            ("catching up after prune", plan(Contacts, &prune, CatchUp, known), Since(RECENT)),
            ("removal", plan(Contacts, &since(7), Removal, known), Full { removes: true }),
            ("a list without changes, first", plan(Tags, &later, Sync, &nothing), Full { removes: false }),
            ("a list without changes, later", plan(Tags, &later, Sync, known), Full { removes: true }),
            ("a short list read a moment from now", plan(Tags, &later, Sync, ahead), Full { removes: true }),
            ("a list that was just read", plan(Tags, &refresh, Sync, known), Fresh(READ + 20_000)),
            ("the newest of a list just read", plan(Articles, &refresh, Sync, known), Fresh(READ + 20_000)),
            ("catching up a list just read", plan(Articles, &refresh, CatchUp, known), Since(RECENT)),
            ("interrupted changes", resumed(&later, search, Some(9), false), resume(Some(9), false)),
            ("interrupted, everything", resumed(&full, search, None, false), resume(None, false)),
            ("interrupted prune", resumed(&prune, search, None, true), resume(None, true)),
            ("prune after an interruption", resumed(&prune, search, None, false), Full { removes: true }),
            (
                "full after interrupted changes",
                resumed(&full, search, Some(9), false),
                Full { removes: false },
            ),
            ("a cursor of too few changes", resumed(&later, search, Some(NOW), false), Since(RECENT)),
            ("a cursor of another list", resumed(&later, "listTags", None, false), Since(RECENT)),
            (
                "a broken cursor",
                sync(&later, &with_state(|state| state.cursor = Some("{".into()))),
                Since(RECENT),
            ),
        ] {
            assert_eq!(planned, expected, "{case}");
        }
    }

    #[test]
    fn a_plan_of_changes_falls_back_to_the_routes_to_everything() {
        let contacts = Contacts.resource();
        let operations =
            |plan: &ListPlan| plan.routes(contacts).map(|route| route.operation).collect::<Vec<_>>();
        let all = operations(&ListPlan::Since(1));
        let everything = operations(&ListPlan::Full { removes: false });
        assert_eq!(all.len(), contacts.changes.len() + everything.len());
        assert!(all.ends_with(&everything));
        let resumed = ListPlan::Resume { cursor: cursor("x", Some(1), false), skip: 1 };
        assert_eq!(operations(&resumed), all[1..]);
    }

    #[test]
    fn a_check_is_due_by_count_by_position_and_once_a_day() {
        use CheckPlan::{Nothing, Pass, Record};
        let recent = || Deletions { gone: 0, checked_at: Some(NOW - 5), position: None };
        let old = Deletions { checked_at: Some(NOW - DAILY), ..recent() };
        let started = || Deletions { position: Some((7, "b".to_owned())), ..recent() };
        let check = |prune, missing, saw_all, deletions| {
            plan_check(CheckFacts { prune, missing, saw_all, deletions, now: NOW })
        };
        let pass = |budget| Pass { from: (NOW, String::new()), budget };
        let rest = Pass { from: (7, "b".to_owned()), budget: AGE_BUDGET };
        for (case, planned, expected) in [
            ("a recent check", check(false, 0, false, recent()), Nothing),
            ("a listing of everything", check(false, 0, true, recent()), Record),
            ("a lower count", check(false, 1, true, recent()), pass(COUNT_BUDGET)),
            ("no check yet", check(false, 0, false, Deletions::default()), pass(AGE_BUDGET)),
            ("a check a day ago", check(false, 0, false, old), pass(AGE_BUDGET)),
            ("an unfinished check", check(false, 0, false, started()), rest),
            ("prune", check(true, 0, false, started()), pass(u64::MAX)),
        ] {
            assert_eq!(planned, expected, "{case}");
        }
    }
}
