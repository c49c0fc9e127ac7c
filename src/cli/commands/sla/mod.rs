//! `conversations sla`: how long customers wait, from the mirror.

mod arguments;
mod chart;
mod page;
mod table;

use std::fmt::Write;
use std::path::Path;

use clap::ArgMatches;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::door::OutputFile;
use crate::cli::error::{Error, Exit};
use crate::cli::globals::Globals;
use crate::cli::output::{Extent, Format, Output, Records, room, tell, warn};
use crate::cli::{mirrored, stores};
use crate::mirror::Store;
use crate::report::sla::{self, By, Missing, Resolution, SlaOptions, SlaReport};

use arguments::{Wanted, wanted};
pub use arguments::{command, outbound};

/// The definitions, as they are printed beside the figures.
const DEFINITIONS: [(&str, &str); 14] = [
    (
        "conversations",
        "conversations of the period in which a contact wrote something; --by says which moment lies in the period",
    ),
    (
        "start",
        "the opening message; of a conversation that the team or a workflow began, the first message of a contact in it \
         (--outbound created: when it was created)",
    ),
    ("excluded", "started by the team or a workflow and never answered by the contact; in no other figure"),
    (
        "first_response",
        "first message of a contact to the first visible message of a human teammate after it: a comment, or an assignment, \
         close, snooze or reopening that carries text; not notes, bots, Operator, AI agents or workflows, however they are typed; in minutes",
    ),
    (
        "resolution",
        "first message of a contact to the last close, of conversations that are closed now (--resolution first-close: to the \
         first close, whatever came after it); in hours",
    ),
    (
        "next_response",
        "each further message of a contact, the oldest unanswered one, to the next visible message of a human teammate; in minutes",
    ),
    (
        "handle",
        "time in which the conversation was open, not snoozed, and in the hands of a teammate (assigned, or after a message of \
         one), of conversations that are closed now; in minutes",
    ),
    ("unanswered", "no first response yet, whether open or closed"),
    ("reopened", "open again after a close, at least once"),
    (
        "breached",
        "not closed, and past a target when the mirror was last complete: no answer yet, or not resolved yet; each metric has \
         its own count as well",
    ),
    (
        "target_met_pct",
        "share within the target, of those that are over and those that are past the target already (breached)",
    ),
    (
        "truncated",
        "the API did not hand out all parts, as of those with over 500; without a first response time",
    ),
    ("percentiles", "nearest rank; null with fewer samples (n) than --min-samples"),
    (
        "hours",
        "calendar: every second counts; office: only those inside [office_hours] of the config file; --without-snoozed takes out \
         the time in which a conversation was snoozed",
    ),
];

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let wanted = wanted(context, matches)?;
    if let Some(file) = &wanted.html {
        must_have_folder(&file.path()?)?;
    }
    let store = mirrored::with_timelines(&stores::for_reading(context, matches)?)?;
    if let Some(id) = &wanted.explain {
        return explain(context, &store, &wanted, id).await;
    }
    let mut report = sla::sla(&store, &wanted.options)?;
    say_what_is_missing(context, &report.missing);
    if wanted.reconcile {
        return reconcile(context, &store, &wanted, &report).await;
    }
    if let Some(file) = &wanted.html {
        write_page(context, &store, &wanted, &report, file)?;
        report.spread = None;
    }
    let groups = report.rows.len();
    wanted.arrange(&mut report.rows);
    let meta = meta(&wanted, &report, groups);
    if Format::of(&context.globals) == Format::Table && context.globals.select.is_none() {
        let text = table::told(&wanted, &report, groups, room());
        return Output::open(&context.globals)?.text(&text).await;
    }
    let rows = serde_json::to_string(&report.rows).unwrap_or_default();
    let globals = figures_stay(context);
    let shown = report.rows.len();
    let extent = Extent::part("groups", Some(groups as u64), groups > shown, "--limit N for more");
    Output::open(&globals)?.of(extent, shown as u64).document(meta, &rows, None).await
}

/// Rows of figures are compact as they are: there is no field to leave out.
fn figures_stay(context: &Context) -> Globals {
    Globals { compact: false, ..context.globals.clone() }
}

fn meta(wanted: &Wanted, report: &SlaReport, groups: usize) -> Value {
    let definitions: serde_json::Map<String, Value> =
        DEFINITIONS.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
    json!({
        "source": "local",
        "synced_at": report.missing.synced_until,
        "as_of": report.as_of,
        "group_by": report.group_by,
        "by": wanted.options.by,
        "outbound": wanted.options.start,
        "since": report.since,
        "until": report.until,
        "timezone": wanted.zone_name(),
        "hours": if wanted.options.office.is_some() { "office" } else { "calendar" },
        "without_snoozed": wanted.options.without_snoozed,
        "resolution": wanted.options.resolution,
        "targets_seconds": wanted.targets(),
        "min_samples": wanted.options.min_samples,
        "groups": groups,
        "has_more": groups > report.rows.len(),
        "total": report.total,
        "missing": report.missing,
        "definitions": definitions,
    })
}

fn say_what_is_missing(context: &Context, missing: &Missing) {
    let age = missing.synced_until.map(|at| (Timestamp::now().as_second() - at).max(0));
    let age = match age {
        None => "the mirror was never complete".to_owned(),
        Some(seconds @ ..7_200) => format!("the mirror is {}", mirrored::old(seconds)),
        Some(seconds @ ..172_800) => format!("the mirror is {} hours old", seconds / 3_600),
        Some(seconds) => format!("the mirror is {} days old", seconds / 86_400),
    };
    if missing.incomplete {
        warn(&format!("the last sync did not reach its end; {age}; run `intercom-pp-cli sync`"));
    }
    if let Some(floor) = missing.reaches_back_to.and_then(|floor| Timestamp::from_second(floor).ok()) {
        warn(&format!(
            "the mirror holds only what changed since {floor}; run `intercom-pp-cli sync --full`, or report on a later period"
        ));
    }
    if missing.without_parts + missing.stale_parts > 0 {
        warn(&format!(
            "{} conversations have no parts yet and {} have changed since theirs were fetched; {age}; run \
             `intercom-pp-cli sync`",
            missing.without_parts, missing.stale_parts
        ));
    }
    mirrored::warn_of_age(context, missing.synced_until);
}

/// A file is not put into a folder that is not there: the path may have been mistyped.
fn must_have_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(Error::usage_with_hint(
            format!("--html: there is no folder {}", folder.display()),
            "make it first, or name a place that exists",
        )),
        _ => Ok(()),
    }
}

fn write_page(
    context: &Context,
    store: &Store,
    wanted: &Wanted,
    report: &SlaReport,
    file: &OutputFile,
) -> Result<(), Error> {
    let path = file.path()?;
    let workspace = store.workspace()?.and_then(|it| it.name);
    let page = page::page(wanted, report, workspace.as_deref(), &DEFINITIONS);
    if context.globals.dry_run {
        tell(&format!("would write {} ({} bytes)", path.display(), page.len()));
        return Ok(());
    }
    file.write_private(page.as_bytes())?;
    tell(&format!("wrote {}", path.display()));
    Ok(())
}

async fn explain(context: &Context, store: &Store, wanted: &Wanted, id: &str) -> Result<(), Error> {
    // Also says whether there is anything to explain with.
    let report =
        sla::sla(store, &SlaOptions { since: Some(i64::MAX - 1), until: None, ..SlaOptions::default() })?;
    let Some(explained) = sla::explain(store, id, &wanted.options, report.as_of)? else {
        return Err(Error::Finding {
            message: format!("the mirror has no conversation {id:?}"),
            exit: Exit::NotFound,
            hint: Some("check the id, or run `intercom-pp-cli sync`".to_owned()),
        });
    };
    if Format::of(&context.globals) == Format::Table && context.globals.select.is_none() {
        return Output::open(&context.globals)?.text(&table::explained(wanted, &explained)).await;
    }
    let samples: serde_json::Map<String, Value> = explained
        .samples
        .iter()
        .map(|(metric, seconds)| (format!("{metric}_seconds"), json!(seconds)))
        .collect();
    let mut shown = serde_json::to_value(&explained).unwrap_or_default();
    shown["samples"] = samples.into();
    let meta = json!({ "source": "local", "synced_at": report.missing.synced_until, "as_of": report.as_of });
    let records =
        Records { key: "steps", extent: Extent::whole("steps"), shown: explained.steps.len() as u64 };
    Output::open(&figures_stay(context))?.document(meta, &shown.to_string(), Some(records)).await
}

async fn reconcile(
    context: &Context,
    store: &Store,
    wanted: &Wanted,
    report: &SlaReport,
) -> Result<(), Error> {
    let mut found = sla::reconcile(store, &wanted.options)?;
    let mut reasons = std::collections::BTreeMap::<&str, u64>::new();
    for difference in &found.differences {
        *reasons.entry(difference.reason).or_default() += 1;
    }
    let all = found.differences.len();
    found.differences.truncate(wanted.limit.unwrap_or(usize::MAX));
    let mut summary = format!(
        "{} conversations compared with the statistics of Intercom: {} agree in every moment, {} have no statistics.",
        found.compared, found.agreeing, found.without_statistics
    );
    for (reason, count) in &reasons {
        let _ = write!(summary, "\n{count:>7}  {reason}");
    }
    tell(&summary);
    let meta = json!({
        "source": "local", "synced_at": report.missing.synced_until, "compared": found.compared,
        "agreeing": found.agreeing, "without_statistics": found.without_statistics, "differences": all,
        "has_more": all > found.differences.len(), "reasons": reasons,
        "compared_fields": "plain moments only; time_to_* leave out the time outside office hours and cannot be compared",
    });
    let rows = serde_json::to_string(&found.differences).unwrap_or_default();
    let shown = found.differences.len();
    let extent = Extent::part("differences", Some(all as u64), all > shown, "--limit N for more");
    Output::open(&figures_stay(context))?.of(extent, shown as u64).document(meta, &rows, None).await
}

/// What a period is by, in words.
fn by_words(by: By, resolution: Resolution) -> &'static str {
    match (by, resolution) {
        (By::Start, _) => "started",
        (By::Reply, _) => "first answered",
        (By::Close, Resolution::LastClose) => "last closed",
        (By::Close, Resolution::FirstClose) => "first closed",
    }
}
