//! Prints what a run did or would do. Previews and results have the same shape.

use std::io::IsTerminal;

use serde_json::{Map, Value, json};

use super::words::Words;
use crate::bulk::Change;
use crate::bulk::report::{ReportCounts, RunReport};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::output::{DocumentList, Extent, Format, Output, grouped, notice, terminal_width};

/// Prints the report and returns the result of the command. `more` is added to `meta`; `unread` is the number of records
/// that may belong to the plan but could not be read.
///
/// # Errors
/// Exit code 6 if something failed or was skipped, 5 if nothing was done.
pub async fn print(
    context: &Context,
    report: &RunReport<'_>,
    more: Value,
    unread: usize,
) -> Result<(), Error> {
    let format = context.globals.output.format_or_default();
    let (counts, entries) = report.entries(format != Format::Table);
    let extent = extent(report, counts, entries.len());
    let mut meta = json!({
        "source": "live", "command": report.command, "dry_run": report.dry_run, "run": report.name(),
        "complete": counts.failed + counts.skipped + unread == 0,
    });
    if let (Value::Object(meta), Value::Object(more)) = (&mut meta, more) {
        meta.extend(more);
    }
    let key = report.target.as_str();
    if format == Format::Json {
        let document = report.document(counts, &entries).to_string();
        let records = DocumentList { key, extent, shown: entries.len() as u64 };
        Output::open(&context.globals.output)?.document(meta, &document, Some(records)).await?;
    } else {
        let columns = columns(report, &entries, format);
        let mut list = Output::open(&context.globals.output)?.list_with_columns(key, &columns)?;
        let mut words = Words::new(&context.globals.output);
        for entry in &entries {
            let mut cells = cells(entry);
            if format == Format::Table {
                cells["before"] = words.state(&cells["before"]).into();
                cells["change"] = words.change(&cells["change"]).into();
            }
            list.record(&cells)?;
        }
        list.end(meta, &extent).await?;
    }
    let is_read = format == Format::Table || std::io::stderr().is_terminal();
    if is_read && counts.matched > 0 {
        notice(&summary(report, counts));
    }
    let undo = undo_command(report, counts);
    let result = result(report, counts, unread, undo.as_deref());
    if let Some(undo) = undo.filter(|_| is_read && result.is_ok()) {
        notice(&format!("To undo: intercom-pp-cli {undo} --apply"));
    }
    result
}

/// Number of rows, and of records beyond --limit.
fn extent(report: &RunReport, counts: ReportCounts, shown: usize) -> Extent {
    let what = report.target.as_str();
    let total = report.records.len();
    let extent = Extent::partial(what, Some(total as u64), total > shown, "");
    let (selected, more) = (counts.would_change + counts.changed + counts.failed, counts.limited);
    extent
        .when_empty(format!("no {what} match"))
        .when_partial(format!("note: stopped at --limit {selected}; {} more match", grouped(more as u64)))
}

/// Terminal columns for the whole table of an incident.
const INCIDENT_WIDTH: usize = 120;

/// A fixed set of columns in table format; otherwise, also every other field of the entries.
fn columns(report: &RunReport, entries: &[Value], format: Format) -> Vec<String> {
    let names: &[&str] = match (report.command, report.is_tagging()) {
        ("conversations incident-tag", _) => {
            // On a narrow terminal, the evidence matters more than where it was found.
            let is_narrow = terminal_width().is_some_and(|width| width < INCIDENT_WIDTH);
            if format == Format::Table && is_narrow {
                &["id", "status", "contact", "matched_at", "match", "error"]
            } else {
                &["id", "status", "state", "contact", "matched_at", "matched_in", "match", "error"]
            }
        }
        (_, true) => &["id", "status", "name", "reason", "error"],
        _ => &["id", "status", "name", "before", "change", "reason", "error"],
    };
    let mut columns: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    if format == Format::Table {
        // Without a value, the other columns get the space.
        let has_value = |name: &str| entries.iter().any(|entry| !entry[name].is_null() && entry[name] != "");
        columns.retain(|name| !matches!(name.as_str(), "name" | "reason" | "error") || has_value(name));
    }
    if format != Format::Table {
        for name in entries.iter().filter_map(Value::as_object).flat_map(Map::keys) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
    }
    columns
}

fn summary(report: &RunReport, counts: ReportCounts) -> String {
    let what = report.target.as_str();
    let number = |count: usize| grouped(count as u64);
    let rest = [
        (counts.unchanged, if report.is_tagging() { "already tagged" } else { "unchanged" }),
        (counts.failed, "failed"),
        // A preview reports those beyond --limit by itself.
        (counts.skipped - if report.dry_run { counts.limited } else { 0 }, "skipped"),
    ];
    let rest = rest.iter().filter(|(count, _)| *count > 0);
    let rest: String = rest.map(|(count, word)| format!(", {} {word}", number(*count))).collect();
    let (verb, would) =
        if report.is_tagging() { ("tagged", "would tag") } else { ("changed", "would change") };
    let matched = number(counts.matched);
    if report.dry_run {
        let advice = if counts.would_change > 0 { "; add --apply to do it" } else { "" };
        format!("{would} {} of {matched} {what}{rest}{advice}", number(counts.would_change))
    } else {
        format!("{verb} {} of {matched} {what}{rest}", number(counts.changed))
    }
}

/// The command that takes the run back, if it changed anything that can be undone.
fn undo_command(report: &RunReport, counts: ReportCounts) -> Option<String> {
    let is_final = |change: &Change| matches!(change, Change::Note { .. } | Change::Merge { .. });
    let can_undo = report.records.iter().any(|record| !is_final(&record.change));
    let run = report.name().filter(|_| !report.dry_run && counts.changed > 0 && can_undo)?;
    Some(format!("bulk undo {run}"))
}

/// The result of the command.
fn result(report: &RunReport, counts: ReportCounts, unread: usize, undo: Option<&str>) -> Result<(), Error> {
    // In a preview, records beyond --limit are not an error.
    let expected = if report.dry_run { counts.limited } else { 0 };
    let unexpected = counts.skipped - expected;
    if counts.failed + unexpected + unread == 0 {
        return Ok(());
    }
    let none_done = counts.changed + counts.would_change + counts.unchanged == 0 && counts.matched > 0;
    let mut parts = Vec::new();
    if counts.failed > 0 {
        parts.push(format!("{} of {} failed", counts.failed, counts.matched));
    }
    if counts.limited > expected {
        parts.push(format!("{} skipped by --limit", grouped(counts.limited as u64)));
    }
    if counts.skipped > counts.limited {
        parts.push(format!("{} skipped", grouped((counts.skipped - counts.limited) as u64)));
    }
    if unread > 0 {
        parts.push(format!("{unread} could not be read"));
    }
    let hint = match report.run {
        Some(run) if run.due().next().is_some() => {
            Hint::new("resume with ").flag("resume").text(format!("={}", run.head.run))
        }
        _ if unread > 0 => "try again later".into(),
        _ if counts.limited > expected => Hint::new("raise ").flag("limit").or("leave it out"),
        _ => "see the reason next to each record".into(),
    };
    let hint = match undo {
        Some(undo) => hint.then("to undo: ").run(undo.to_owned()),
        None => hint,
    };
    Err(Error::Failed {
        message: parts.join(", "),
        exit: if none_done { Exit::Failure } else { Exit::Partial },
        hint: Some(hint),
    })
}

/// Flattens nested values into one cell each.
fn cells(entry: &Value) -> Value {
    let mut entry = entry.clone();
    let contact = &entry["contact"];
    let name = ["name", "email", "id"].iter().find_map(|field| contact[*field].as_str());
    if let Some(name) = name.map(|name| json!(name)) {
        entry["contact"] = name;
    }
    if let Some(message) = entry["error"]["message"].as_str().map(|message| json!(message)) {
        entry["error"] = message;
    }
    entry
}
