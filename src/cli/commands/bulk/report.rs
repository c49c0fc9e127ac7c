//! Prints what a run did or would do. Previews and results have the same shape.

use std::io::IsTerminal;

use serde_json::{Map, Value, json};

use crate::bulk::report::{ReportCounts, RunReport};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::output::{DocumentList, Extent, Format, Output, grouped, notice};

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
        for entry in &entries {
            list.record(&cells(entry))?;
        }
        list.end(meta, &extent).await?;
    }
    if std::io::stderr().is_terminal() {
        notice(&summary(report, counts));
    }
    result(report, counts, unread)
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

/// A fixed set of columns in table format; otherwise, also every other field of the entries.
fn columns(report: &RunReport, entries: &[Value], format: Format) -> Vec<String> {
    let names: &[&str] = match (report.command, report.is_tagging()) {
        ("conversations incident-tag", _) => {
            &["id", "status", "state", "contact", "matched_at", "matched_in", "match", "error"]
        }
        (_, true) => &["id", "status", "name", "reason", "error"],
        _ => &["id", "status", "name", "before", "change", "reason", "error"],
    };
    let mut columns: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    if format == Format::Table {
        // Without a failure, the other columns get the space.
        let has_value = |name: &str| entries.iter().any(|entry| !entry[name].is_null());
        columns.retain(|name| !matches!(name.as_str(), "reason" | "error") || has_value(name));
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
    let rest =
        format!("{} unchanged, {} failed, {} skipped", counts.unchanged, counts.failed, counts.skipped);
    if report.dry_run {
        format!(
            "would change {} of {} {what}, {rest}; add --apply to make the changes",
            counts.would_change, counts.matched
        )
    } else {
        format!("changed {} of {} {what}, {rest}", counts.changed, counts.matched)
    }
}

/// The result of the command.
fn result(report: &RunReport, counts: ReportCounts, unread: usize) -> Result<(), Error> {
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
