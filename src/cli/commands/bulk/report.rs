//! Reports what a run did or would do: counts, and one entry per record. Previews and results have the same shape.

use std::io::IsTerminal;

use serde_json::{Map, Value, json};

use crate::bulk::journal::BulkRun;
use crate::bulk::plan::LIMIT;
use crate::bulk::{BulkTarget, PlannedRecord, RecordStatus};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::output::{DocumentList, Extent, Format, Output, grouped, notice};

pub struct RunReport<'a> {
    pub command: &'a str,
    pub target: BulkTarget,
    pub records: &'a [PlannedRecord],
    /// `None` for a plan of which nothing was sent.
    pub run: Option<&'a BulkRun>,
    pub dry_run: bool,
    /// Added to `meta`.
    pub meta: Value,
    /// Printed before the counts.
    pub about: Value,
    /// Number of records that may belong to the plan but could not be read.
    pub unread: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct ReportCounts {
    matched: usize,
    changed: usize,
    would_change: usize,
    unchanged: usize,
    failed: usize,
    skipped: usize,
    limited: usize,
}

struct RecordOutcome<'a> {
    status: String,
    reason: Option<&'a str>,
    error: Option<&'a Value>,
    after: Option<&'a Value>,
}

impl RunReport<'_> {
    /// Prints the report and returns the result of the command.
    ///
    /// # Errors
    /// Exit code 6 if something failed or was skipped, 5 if nothing was done.
    pub async fn print(&self, context: &Context) -> Result<(), Error> {
        let mut counts = ReportCounts { matched: self.records.len(), ..ReportCounts::default() };
        let shows_skipped = !self.dry_run && context.globals.output.format_or_default() != Format::Table;
        let is_cut = self.records.iter().any(|record| record.skip.as_deref() == Some(LIMIT));
        let mut items: Vec<Value> = Vec::new();
        for record in self.records {
            let item = self.item(record, &mut counts);
            // Records beyond --limit are counted, but not listed in a preview.
            let is_selected = record.is_due() || !(is_cut && self.dry_run);
            if shows_skipped || (is_selected && record.skip.as_deref() != Some(LIMIT)) {
                items.push(item);
            }
        }
        let extent = self.extent(counts, items.len());
        let results = self.results(counts, &items);
        let mut meta = json!({
            "source": "live", "command": self.command, "dry_run": self.dry_run,
            "run": self.run.map(|run| run.head.run.as_str()), "complete": counts.failed + counts.skipped + self.unread == 0,
        });
        if let (Value::Object(meta), Value::Object(more)) = (&mut meta, &self.meta) {
            meta.extend(more.clone());
        }
        let key = self.target.as_str();
        match context.globals.output.format_or_default() {
            Format::Json => {
                let records = DocumentList { key, extent, shown: items.len() as u64 };
                Output::open(&context.globals.output)?
                    .document(meta, &results.to_string(), Some(records))
                    .await?;
            }
            _ => {
                let columns = self.columns(&items, context.globals.output.format_or_default());
                let mut list = Output::open(&context.globals.output)?.list_with_columns(key, &columns)?;
                for item in &items {
                    list.record(&cells(item))?;
                }
                list.end(meta, &extent).await?;
            }
        }
        if std::io::stderr().is_terminal() {
            notice(&self.summary(counts));
        }
        self.result(counts)
    }

    /// Number of rows, and of records beyond --limit.
    fn extent(&self, counts: ReportCounts, shown: usize) -> Extent {
        let what = self.target.as_str();
        let unlisted = self.records.len() - shown;
        let extent = Extent::partial(what, Some(self.records.len() as u64), unlisted > 0, "");
        let (selected, more) = (counts.would_change + counts.changed + counts.failed, counts.limited);
        extent
            .when_empty(format!("no {what} match"))
            .when_partial(format!("note: stopped at --limit {selected}; {} more match", grouped(more as u64)))
    }

    fn is_tagging(&self) -> bool {
        self.command.ends_with("incident-tag") || self.command.ends_with("bulk-tag")
    }

    fn is_undo(&self) -> bool {
        self.command == "bulk undo"
    }

    fn results(&self, counts: ReportCounts, items: &[Value]) -> Value {
        let mut results = self.about.as_object().cloned().unwrap_or_default();
        let mut put = |name: &str, value: Value| drop(results.insert(name.to_owned(), value));
        let (unchanged, changed, would) = if self.is_tagging() {
            ("already_tagged", "tagged", "would_tag")
        } else {
            ("unchanged", "changed", "would_change")
        };
        put("matched", json!(counts.matched));
        put(unchanged, json!(counts.unchanged));
        if self.dry_run {
            put(would, json!(counts.would_change));
        }
        put(changed, json!(counts.changed));
        put("failed", json!(counts.failed));
        put("skipped", json!(counts.skipped));
        put("limit_reached", json!(counts.limited > 0));
        put("left_out_by_limit", json!(counts.limited));
        put("run", json!(self.run.map(|run| run.head.run.as_str())));
        put(self.target.as_str(), json!(items));
        Value::Object(results)
    }

    fn item(&self, record: &PlannedRecord, counts: &mut ReportCounts) -> Value {
        let outcome = self.outcome(record, counts);
        let mut item = Map::from_iter([("id".to_owned(), json!(record.id))]);
        item.insert("status".into(), json!(outcome.status));
        if self.is_tagging() {
            item.insert("already_tagged".into(), json!(outcome.status == "already_tagged"));
        }
        if let Value::Object(shown) = &record.shown {
            item.extend(shown.clone());
        }
        if !self.is_tagging() {
            item.insert("change".into(), json!(record.change));
            item.insert("before".into(), self.run.map_or(&record.before, |run| run.before(record)).clone());
        }
        for (name, value) in [
            ("after", outcome.after.cloned()),
            ("reason", outcome.reason.map(|reason| json!(reason))),
            ("error", outcome.error.cloned()),
        ] {
            if let Some(value) = value.filter(|value| !value.is_null()) {
                item.insert(name.into(), value);
            }
        }
        Value::Object(item)
    }

    fn outcome<'s>(&'s self, record: &'s PlannedRecord, counts: &mut ReportCounts) -> RecordOutcome<'s> {
        let plain = |status: &str| RecordOutcome {
            status: status.to_owned(),
            reason: None,
            error: None,
            after: None,
        };
        match record.skip.as_deref() {
            Some(LIMIT) => {
                counts.skipped += 1;
                counts.limited += 1;
                return RecordOutcome { reason: Some(LIMIT), ..plain("skipped") };
            }
            Some(reason) if !self.is_undo() && reason == record.change.no_op_reason() => {
                counts.unchanged += 1;
                return plain(reason);
            }
            Some(reason) => {
                counts.skipped += 1;
                return RecordOutcome { reason: Some(reason), ..plain("skipped") };
            }
            None => {}
        }
        let (changed, would) =
            if self.is_tagging() { ("tagged", "would_tag") } else { ("changed", "would_change") };
        match self.run.map(|run| run.status(&record.id)) {
            None if self.dry_run => {
                counts.would_change += 1;
                plain(would)
            }
            // Somebody else made the change before this run.
            Some(RecordStatus::FoundDone { .. }) => {
                counts.unchanged += 1;
                plain(record.change.no_op_reason())
            }
            Some(RecordStatus::Unmatched) => {
                counts.skipped += 1;
                RecordOutcome { reason: Some("no_longer_matches"), ..plain("skipped") }
            }
            Some(RecordStatus::Done { after, .. }) => {
                counts.changed += 1;
                RecordOutcome { after: Some(after), ..plain(changed) }
            }
            Some(RecordStatus::Failed { error }) => {
                counts.failed += 1;
                RecordOutcome { error: Some(error), ..plain("failed") }
            }
            Some(RecordStatus::Sending) => {
                counts.failed += 1;
                RecordOutcome {
                    reason: Some("the response was lost; --resume checks the record"),
                    ..plain("unknown")
                }
            }
            Some(RecordStatus::Unconfirmed { .. }) => {
                counts.failed += 1;
                let reason = "the request succeeded, but the record does not show whether it changed";
                RecordOutcome { reason: Some(reason), ..plain("unknown") }
            }
            None | Some(RecordStatus::Planned) if self.dry_run => {
                counts.would_change += 1;
                plain(would)
            }
            None | Some(RecordStatus::Planned) => {
                counts.skipped += 1;
                RecordOutcome { reason: Some("interrupted"), ..plain("skipped") }
            }
        }
    }

    /// A fixed set of columns in table format; otherwise, also every other field of the entries.
    fn columns(&self, items: &[Value], format: Format) -> Vec<String> {
        let names: &[&str] = match (self.command, self.is_tagging()) {
            ("conversations incident-tag", _) => {
                &["id", "status", "state", "contact", "matched_at", "matched_in", "match", "error"]
            }
            (_, true) => &["id", "status", "name", "reason", "error"],
            _ => &["id", "status", "name", "before", "change", "reason", "error"],
        };
        let mut columns: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        if format == Format::Table {
            // Without a failure, the other columns get the space.
            let has_value = |name: &str| items.iter().any(|item| !item[name].is_null());
            columns.retain(|name| !matches!(name.as_str(), "reason" | "error") || has_value(name));
        }
        if format != Format::Table {
            for name in items.iter().filter_map(Value::as_object).flat_map(Map::keys) {
                if !columns.contains(name) {
                    columns.push(name.clone());
                }
            }
        }
        columns
    }

    fn summary(&self, counts: ReportCounts) -> String {
        let what = self.target.as_str();
        let rest =
            format!("{} unchanged, {} failed, {} skipped", counts.unchanged, counts.failed, counts.skipped);
        if self.dry_run {
            format!(
                "would change {} of {} {what}, {rest}; add --apply to make the changes",
                counts.would_change, counts.matched
            )
        } else {
            format!("changed {} of {} {what}, {rest}", counts.changed, counts.matched)
        }
    }

    fn result(&self, counts: ReportCounts) -> Result<(), Error> {
        // In a preview, records beyond --limit are not an error.
        let expected = if self.dry_run { counts.limited } else { 0 };
        let unexpected = counts.skipped - expected;
        if counts.failed + unexpected + self.unread == 0 {
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
        if self.unread > 0 {
            parts.push(format!("{} could not be read", self.unread));
        }
        let hint = match self.run {
            Some(run) if run.due().next().is_some() => {
                Hint::new("resume with ").flag("resume").text(format!("={}", run.head.run))
            }
            _ if self.unread > 0 => "try again later".into(),
            _ if counts.limited > expected => Hint::new("raise ").flag("limit").or("leave it out"),
            _ => "see the reason next to each record".into(),
        };
        Err(Error::Failed {
            message: parts.join(", "),
            exit: if none_done { Exit::Failure } else { Exit::Partial },
            hint: Some(hint),
        })
    }
}

/// Flattens nested values into one cell each.
fn cells(item: &Value) -> Value {
    let mut item = item.clone();
    let contact = &item["contact"];
    let name = ["name", "email", "id"].iter().find_map(|field| contact[*field].as_str());
    if let Some(name) = name.map(|name| json!(name)) {
        item["contact"] = name;
    }
    if let Some(message) = item["error"]["message"].as_str().map(|message| json!(message)) {
        item["error"] = message;
    }
    item
}
