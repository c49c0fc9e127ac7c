//! `conversations sla`: reports how long customers wait, from the mirror.
//!
//! The figures are computed in `crate::report::sla`; this module only parses flags and presents them.

mod arguments;
mod chart;
mod html_report;
mod table;

use std::fmt::Write;
use std::path::Path;

use clap::ArgMatches;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files::OutputFile;
use crate::cli::output::OutputFlags;
use crate::cli::output::{
    DocumentList, Extent, Format, Output, limit_for_more, notice, terminal_width, warn,
};
use crate::cli::{mirror_paths, open_mirror};
use crate::mirror::Store;
use crate::report::sla::{self, MissingData, PeriodAnchor, Resolution, SlaOptions, SlaReport};

use arguments::SlaRequest;
pub use arguments::{command, outbound};

/// Printed in the help, the JSON output and the HTML page.
const DEFINITIONS: [(&str, &str); 14] = [
    (
        "conversations",
        "conversations in the period with at least one message of a contact; --by selects the moment that must be in the period",
    ),
    (
        "start",
        "the opening message; for conversations that the team or a workflow began, the first message of a contact \
         (--outbound created: the creation of the conversation)",
    ),
    (
        "excluded",
        "started by the team or a workflow and never answered by the contact; not counted anywhere else",
    ),
    (
        "first_response",
        "from the first message of a contact to the next visible message of a human teammate: a comment, or an assignment, \
         close, snooze or reopening with text; not notes, bots, Operator, AI agents or workflows, whatever their author type; \
         in minutes",
    ),
    (
        "resolution",
        "from the first message of a contact to the last close, for conversations that are closed now (--resolution first-close: \
         to the first close, even if reopened later); in hours",
    ),
    (
        "next_response",
        "from each later message of a contact (the oldest unanswered one) to the next visible message of a human teammate; in minutes",
    ),
    (
        "handle",
        "time in which the conversation was open, not snoozed, and handled by a teammate (assigned, or after a message from \
         one), for conversations that are closed now; in minutes",
    ),
    ("unanswered", "no first response yet, open or closed"),
    ("reopened", "reopened after a close at least once"),
    (
        "breached",
        "still open and past a target as of the last complete sync: not answered or not resolved yet; also counted per metric",
    ),
    (
        "target_met_pct",
        "share within the target, among measured conversations and those already past it (breached)",
    ),
    ("truncated", "the API did not return all parts (it returns at most 500); without a first response time"),
    ("percentiles", "nearest rank; null for fewer samples (n) than --min-samples"),
    (
        "hours",
        "calendar: all time counts; office: only time within [office_hours] of the config file; --without-snoozed excludes \
         snoozed time",
    ),
];

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let request = arguments::request(context, matches)?;
    if let Some(file) = &request.html {
        check_parent_folder(&file.path()?)?;
    }
    let store = open_mirror::with_timelines(&mirror_paths::for_reading(
        context,
        &mirror_paths::MirrorFlag::of(matches),
    )?)?;
    if let Some(id) = &request.explain {
        return explain(context, &store, &request, id).await;
    }
    let mut report = sla::sla(&store, &request.options)?;
    warn_about_missing_data(context, &report.missing);
    if request.reconcile {
        return reconcile(context, &store, &request, &report).await;
    }
    if let Some(file) = &request.html {
        write_html_report(context, &store, &request, &report, file)?;
        report.distribution = None;
    }
    let groups = report.rows.len();
    request.arrange(&mut report.rows);
    let meta = meta(&request, &report, groups);
    if context.globals.output.format_or_default() == Format::Table && context.globals.output.select.is_none()
    {
        let text = table::render(&request, &report, groups, terminal_width());
        return Output::open(&context.globals.output)?.text(&text).await;
    }
    let rows = serde_json::to_string(&report.rows).unwrap_or_default();
    let globals = without_compact(context);
    let shown = report.rows.len();
    let extent = Extent::partial("groups", Some(groups as u64), groups > shown, limit_for_more());
    Output::open(&globals)?.of(extent, shown as u64).document(meta, &rows, None).await
}

/// Rows of figures are already compact: --compact must not remove any.
fn without_compact(context: &Context) -> OutputFlags {
    context.globals.output.clone().without_compact()
}

fn meta(request: &SlaRequest, report: &SlaReport, groups: usize) -> Value {
    let definitions: serde_json::Map<String, Value> =
        DEFINITIONS.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
    json!({
        "source": "local",
        "synced_at": report.missing.synced_until,
        "as_of": report.as_of,
        "group_by": report.group_by,
        "by": request.options.by,
        "outbound": request.options.start,
        "since": report.since,
        "until": report.until,
        "timezone": request.zone_name(),
        "hours": if request.options.business_hours.is_some() { "office" } else { "calendar" },
        "without_snoozed": request.options.without_snoozed,
        "resolution": request.options.resolution,
        "targets_seconds": request.targets(),
        "min_samples": request.options.min_samples,
        "groups": groups,
        "has_more": groups > report.rows.len(),
        "total": report.total,
        "missing": report.missing,
        "definitions": definitions,
    })
}

fn warn_about_missing_data(context: &Context, missing: &MissingData) {
    let age = missing.synced_until.map(|at| (Timestamp::now().as_second() - at).max(0));
    let age = match age {
        None => "no sync has completed yet".to_owned(),
        Some(seconds @ ..7_200) => format!("the mirror is {}", open_mirror::age_text(seconds)),
        Some(seconds @ ..172_800) => format!("the mirror is {} hours old", seconds / 3_600),
        Some(seconds) => format!("the mirror is {} days old", seconds / 86_400),
    };
    if missing.incomplete {
        warn(&format!("the last sync did not finish; {age}; run `intercom-pp-cli sync`"));
    }
    if let Some(floor) = missing.reaches_back_to.and_then(|floor| Timestamp::from_second(floor).ok()) {
        warn(&format!(
            "the mirror has only records changed since {floor}; run `intercom-pp-cli sync --full`, or report on a later period"
        ));
    }
    if missing.without_parts + missing.stale_parts > 0 {
        warn(&format!(
            "conversations without parts: {}, with outdated parts: {}; {age}; run `intercom-pp-cli sync`",
            missing.without_parts, missing.stale_parts
        ));
    }
    open_mirror::warn_of_age(context, missing.synced_until);
}

/// Checks that the folder of the file exists, since the path may be mistyped.
fn check_parent_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(Error::usage_with_hint(
            format!("--html: folder {} not found", folder.display()),
            "create it first, or use an existing folder",
        )),
        _ => Ok(()),
    }
}

fn write_html_report(
    context: &Context,
    store: &Store,
    request: &SlaRequest,
    report: &SlaReport,
    file: &OutputFile,
) -> Result<(), Error> {
    let path = file.path()?;
    let workspace = store.workspace()?.and_then(|workspace| workspace.name);
    let page = html_report::render(request, report, workspace.as_deref(), &DEFINITIONS);
    if context.globals.consent.dry_run {
        notice(&format!("would write {} ({} bytes)", path.display(), page.len()));
        return Ok(());
    }
    file.write_private(page.as_bytes())?;
    notice(&format!("wrote {}", path.display()));
    Ok(())
}

async fn explain(context: &Context, store: &Store, request: &SlaRequest, id: &str) -> Result<(), Error> {
    // Also fails if the mirror has no timelines.
    let report =
        sla::sla(store, &SlaOptions { since: Some(i64::MAX - 1), until: None, ..SlaOptions::default() })?;
    let Some(explained) = sla::explain(store, id, &request.options, report.as_of)? else {
        return Err(Error::Failed {
            message: format!("conversation {id:?} not found in the mirror"),
            exit: Exit::NotFound,
            hint: Some(Hint::new("check the id").or("run ").run("sync")),
        });
    };
    if context.globals.output.format_or_default() == Format::Table && context.globals.output.select.is_none()
    {
        return Output::open(&context.globals.output)?.text(&table::explained(request, &explained)).await;
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
        DocumentList { key: "steps", extent: Extent::complete("steps"), shown: explained.steps.len() as u64 };
    Output::open(&without_compact(context))?.document(meta, &shown.to_string(), Some(records)).await
}

async fn reconcile(
    context: &Context,
    store: &Store,
    request: &SlaRequest,
    report: &SlaReport,
) -> Result<(), Error> {
    let mut reconciliation = sla::reconcile(store, &request.options)?;
    let mut reasons = std::collections::BTreeMap::<&str, u64>::new();
    for difference in &reconciliation.differences {
        *reasons.entry(difference.reason).or_default() += 1;
    }
    let all = reconciliation.differences.len();
    reconciliation.differences.truncate(request.limit.unwrap_or(usize::MAX));
    let mut summary = format!(
        "compared {} conversations with Intercom's statistics: {} agree, {} without statistics",
        reconciliation.compared, reconciliation.agreeing, reconciliation.without_statistics
    );
    for (reason, count) in &reasons {
        let _ = write!(summary, "\n{count:>7}  {reason}");
    }
    notice(&summary);
    let meta = json!({
        "source": "local", "synced_at": report.missing.synced_until, "compared": reconciliation.compared,
        "agreeing": reconciliation.agreeing, "without_statistics": reconciliation.without_statistics, "differences": all,
        "has_more": all > reconciliation.differences.len(), "reasons": reasons,
        "compared_fields": "timestamps only; time_to_* exclude time outside office hours and cannot be compared",
    });
    let rows = serde_json::to_string(&reconciliation.differences).unwrap_or_default();
    let shown = reconciliation.differences.len();
    let extent = Extent::partial("differences", Some(all as u64), all > shown, limit_for_more());
    Output::open(&without_compact(context))?.of(extent, shown as u64).document(meta, &rows, None).await
}

/// Describes `--by`.
fn by_words(by: PeriodAnchor, resolution: Resolution) -> &'static str {
    match (by, resolution) {
        (PeriodAnchor::Start, _) => "started",
        (PeriodAnchor::Reply, _) => "first answered",
        (PeriodAnchor::Close, Resolution::LastClose) => "last closed",
        (PeriodAnchor::Close, Resolution::FirstClose) => "first closed",
    }
}
