//! `conversations sla`: reports how long customers wait, from the mirror.
//!
//! The figures and the HTML page are made in `crate::report::sla`; this module parses flags and prints.

mod arguments;
mod definitions;
mod reconcile;
mod table;

use std::fmt::Write;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files::OutputFile;
use crate::cli::output::palette::Palette;
use crate::cli::output::{
    DocumentList, Extent, Output, limit_for_more, notice, terminal_width, to_json_text, warn,
};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{mirror_paths, open_mirror};
use crate::mirror::Store;
use crate::report::business_hours::zone_name;
use crate::report::sla::{self, MissingData, SlaOptions, SlaReport, html_report};

pub use arguments::{ConversationsSla, OutboundFlag};
use definitions::DEFINITIONS;
use table::Screen;

impl HandwrittenCommand for ConversationsSla {
    const WORDS: &'static str = "conversations sla";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let (options, order) = self.options(context)?;
        if let Some(file) = &self.html {
            check_parent_folder(&file.path()?)?;
        }
        let store = open_mirror::with_timelines(&mirror_paths::for_reading(context, &self.mirror)?)?;
        if let Some(id) = &self.explain {
            return explain(context, &store, &options, id).await;
        }
        let mut report = sla::sla(&store, &options)?;
        warn_about_missing_data(context, &report.missing);
        let limit = self.limit.map_or(usize::MAX, |limit| limit as usize);
        if self.reconcile {
            return reconcile(context, &store, &options, limit, report.missing.synced_until).await;
        }
        if let Some(file) = &self.html {
            write_html_report(context, &store, &options, &report, file)?;
        }
        let groups = report.rows.len();
        if let Some(order) = order {
            order.sort(&mut report.rows);
        }
        report.rows.truncate(limit);
        if is_text(context) {
            let text = table::render(&options, &report, groups, screen(context));
            return Output::open(&context.globals.output)?.text(&text).await;
        }
        let has_more = groups > report.rows.len();
        let extent = Extent::partial("groups", Some(groups as u64), has_more, limit_for_more());
        let meta = meta(&options, &report, groups);
        Output::open(&context.globals.output)?.rows(meta, &report.rows, &extent).await
    }
}

fn screen(context: &Context) -> Screen {
    let flags = &context.globals.output;
    Screen { width: terminal_width().filter(|_| !flags.wide), palette: Palette::of(flags) }
}

/// Whether a person reads the whole report on a terminal.
fn is_text(context: &Context) -> bool {
    context.globals.output.is_for_people()
}

fn meta(options: &SlaOptions, report: &SlaReport, groups: usize) -> Value {
    let definitions: serde_json::Map<String, Value> =
        DEFINITIONS.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
    json!({
        "source": "local", "synced_at": report.missing.synced_until, "as_of": report.as_of,
        "group_by": report.group_by, "by": options.by, "outbound": options.start,
        "since": report.since, "until": report.until, "timezone": zone_name(&options.zone),
        "hours": if options.business_hours.is_some() { "office" } else { "calendar" },
        "without_snoozed": options.without_snoozed, "resolution": options.resolution,
        "targets_seconds": options.targets, "min_samples": options.min_samples,
        "groups": groups, "has_more": groups > report.rows.len(),
        "total": report.total, "missing": report.missing, "definitions": definitions,
    })
}

fn warn_about_missing_data(context: &Context, missing: &MissingData) {
    let age = match missing.synced_until {
        None => "no sync has completed yet".to_owned(),
        Some(at) => format!("the mirror is {}", open_mirror::age_text(Timestamp::now().as_second() - at)),
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
    options: &SlaOptions,
    report: &SlaReport,
    file: &OutputFile,
) -> Result<(), Error> {
    let path = file.path()?;
    let workspace = store.workspace()?.and_then(|workspace| workspace.name);
    let page = html_report::render(options, report, workspace.as_deref());
    if context.globals.consent.dry_run {
        notice(&format!("would write {} ({} bytes)", path.display(), page.len()));
        return Ok(());
    }
    file.write_private(page.as_bytes())?;
    notice(&format!("wrote {}", path.display()));
    Ok(())
}

async fn explain(context: &Context, store: &Store, options: &SlaOptions, id: &str) -> Result<(), Error> {
    // Also fails if nothing was synced.
    let missing = MissingData::read(store, options.since)?;
    let as_of = missing.as_of();
    let Some(explained) = sla::explain(store, id, options, as_of)? else {
        return Err(Error::Failed {
            message: format!("conversation {id:?} not found in the mirror"),
            exit: Exit::NotFound,
            hint: Some(Hint::new("check the id").or("run ").run("sync")),
        });
    };
    if is_text(context) {
        return Output::open(&context.globals.output)?
            .text(&table::explained(options, &explained, screen(context)))
            .await;
    }
    let meta = json!({ "source": "local", "synced_at": missing.synced_until, "as_of": as_of });
    let steps =
        DocumentList { key: "steps", extent: Extent::complete("steps"), shown: explained.steps.len() as u64 };
    // All fields are needed.
    let flags = context.globals.output.clone().without_compact();
    Output::open(&flags)?.document(meta, &to_json_text(&explained)?, Some(steps)).await
}

async fn reconcile(
    context: &Context,
    store: &Store,
    options: &SlaOptions,
    limit: usize,
    synced_until: Option<i64>,
) -> Result<(), Error> {
    let mut reconciliation = sla::reconcile(store, options)?;
    let reasons = reconciliation.reasons();
    let all = reconciliation.differences.len();
    reconciliation.differences.truncate(limit);
    let mut summary = format!(
        "compared {} conversations with Intercom's statistics: {} agree, {} without statistics",
        reconciliation.compared, reconciliation.agreeing, reconciliation.without_statistics
    );
    for (reason, count) in &reasons {
        let _ = write!(summary, "\n{count:>7}  {reason}");
    }
    notice(&summary);
    let has_more = all > reconciliation.differences.len();
    let meta = json!({
        "source": "local", "synced_at": synced_until, "compared": reconciliation.compared,
        "agreeing": reconciliation.agreeing, "without_statistics": reconciliation.without_statistics, "differences": all,
        "has_more": has_more, "reasons": reasons,
        "compared_fields": "timestamps only; time_to_* exclude time outside office hours and cannot be compared",
    });
    let extent = Extent::partial("differences", Some(all as u64), has_more, limit_for_more())
        .when_empty("no differences from Intercom's statistics");
    if is_text(context) {
        let differences = &reconciliation.differences;
        let text = if differences.is_empty() {
            String::new()
        } else {
            reconcile::table(context, options, differences)
        };
        let output = Output::open(&context.globals.output)?;
        return output.of(extent, differences.len() as u64).text(&text).await;
    }
    Output::open(&context.globals.output)?.rows(meta, &reconciliation.differences, &extent).await
}
