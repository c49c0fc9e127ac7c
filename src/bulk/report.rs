//! What a run did or would do: counts, and one entry per record. Previews and results have the same shape.
//!
//! Every record of the plan must be in exactly one count besides `matched`; records beyond the limit are also skipped.

use serde_json::{Map, Value, json};

use super::journal::{BulkRun, RecordStatus};
use super::plan::{BulkPlan, LIMIT, PlannedRecord};
use super::target::BulkTarget;

pub struct RunReport<'a> {
    pub command: &'a str,
    pub target: BulkTarget,
    pub records: &'a [PlannedRecord],
    /// `None` for a plan of which nothing was sent.
    pub run: Option<&'a BulkRun>,
    pub dry_run: bool,
    /// Printed before the counts.
    about: &'a Value,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ReportCounts {
    pub matched: usize,
    pub changed: usize,
    pub would_change: usize,
    pub unchanged: usize,
    pub failed: usize,
    pub skipped: usize,
    /// Skipped because of the limit.
    pub limited: usize,
}

struct RecordOutcome<'a> {
    status: &'a str,
    reason: Option<&'a str>,
    error: Option<&'a Value>,
    after: Option<&'a Value>,
}

impl<'a> RecordOutcome<'a> {
    fn new(status: &'a str) -> Self {
        RecordOutcome { status, reason: None, error: None, after: None }
    }

    fn because(self, reason: &'a str) -> Self {
        RecordOutcome { reason: Some(reason), ..self }
    }
}

impl<'a> RunReport<'a> {
    pub fn of_plan(plan: &'a BulkPlan, dry_run: bool) -> Self {
        RunReport {
            command: &plan.command,
            target: plan.target,
            records: &plan.records,
            run: None,
            dry_run,
            about: &plan.about,
        }
    }

    pub fn of_run(run: &'a BulkRun, dry_run: bool) -> Self {
        RunReport {
            command: &run.head.command,
            target: run.head.target,
            records: &run.records,
            run: Some(run),
            dry_run,
            about: &run.head.about,
        }
    }

    pub fn is_tagging(&self) -> bool {
        self.command.ends_with("incident-tag") || self.command.ends_with("bulk-tag")
    }

    /// The name of the run.
    pub fn name(&self) -> Option<&str> {
        self.run.map(|run| run.head.run.as_str())
    }

    /// The counts, and the entries of the records. Records beyond the limit are counted, but only listed with
    /// `shows_skipped` and after a run.
    pub fn entries(&self, shows_skipped: bool) -> (ReportCounts, Vec<Value>) {
        let mut counts = ReportCounts { matched: self.records.len(), ..ReportCounts::default() };
        let is_beyond_limit = |record: &PlannedRecord| record.skip.as_deref() == Some(LIMIT);
        let is_cut = self.records.iter().any(is_beyond_limit);
        let mut entries = Vec::new();
        for record in self.records {
            let entry = self.entry(record, &mut counts);
            let is_selected = record.is_due() || !(is_cut && self.dry_run);
            if (shows_skipped && !self.dry_run) || (is_selected && !is_beyond_limit(record)) {
                entries.push(entry);
            }
        }
        (counts, entries)
    }

    /// The whole result as one document.
    pub fn document(&self, counts: ReportCounts, entries: &[Value]) -> Value {
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
        put("run", json!(self.name()));
        put(self.target.as_str(), json!(entries));
        Value::Object(results)
    }

    fn entry(&self, record: &PlannedRecord, counts: &mut ReportCounts) -> Value {
        let outcome = self.outcome(record, counts);
        let mut entry = Map::from_iter([("id".to_owned(), json!(record.id))]);
        entry.insert("status".into(), json!(outcome.status));
        if self.is_tagging() {
            entry.insert("already_tagged".into(), json!(outcome.status == "already_tagged"));
        }
        if let Value::Object(shown) = &record.shown {
            entry.extend(shown.clone());
        }
        if !self.is_tagging() {
            entry.insert("change".into(), json!(record.change));
            entry.insert("before".into(), self.run.map_or(&record.before, |run| run.before(record)).clone());
        }
        for (name, value) in [
            ("after", outcome.after.cloned()),
            ("reason", outcome.reason.map(|reason| json!(reason))),
            ("error", outcome.error.cloned()),
        ] {
            if let Some(value) = value.filter(|value| !value.is_null()) {
                entry.insert(name.into(), value);
            }
        }
        Value::Object(entry)
    }

    fn outcome<'s>(&'s self, record: &'s PlannedRecord, counts: &mut ReportCounts) -> RecordOutcome<'s> {
        let skipped = RecordOutcome::new("skipped");
        match record.skip.as_deref() {
            Some(LIMIT) => {
                counts.skipped += 1;
                counts.limited += 1;
                return skipped.because(LIMIT);
            }
            Some(reason) if self.command != "bulk undo" && reason == record.change.no_op_reason() => {
                counts.unchanged += 1;
                return RecordOutcome::new(reason);
            }
            Some(reason) => {
                counts.skipped += 1;
                return skipped.because(reason);
            }
            None => {}
        }
        let (changed, would) =
            if self.is_tagging() { ("tagged", "would_tag") } else { ("changed", "would_change") };
        match self.run.map(|run| run.status(&record.id)) {
            // Somebody else made the change before this run.
            Some(RecordStatus::FoundDone { .. }) => {
                counts.unchanged += 1;
                RecordOutcome::new(record.change.no_op_reason())
            }
            Some(RecordStatus::Unmatched) => {
                counts.skipped += 1;
                skipped.because("no_longer_matches")
            }
            Some(RecordStatus::Done { after, .. }) => {
                counts.changed += 1;
                RecordOutcome { after: Some(after), ..RecordOutcome::new(changed) }
            }
            Some(RecordStatus::Failed { error }) => {
                counts.failed += 1;
                RecordOutcome { error: Some(error), ..RecordOutcome::new("failed") }
            }
            Some(RecordStatus::Sending) => {
                counts.failed += 1;
                RecordOutcome::new("unknown").because("the response was lost; --resume checks the record")
            }
            Some(RecordStatus::Unconfirmed { .. }) => {
                counts.failed += 1;
                let reason = "the request succeeded, but the record does not show whether it changed";
                RecordOutcome::new("unknown").because(reason)
            }
            None | Some(RecordStatus::Planned) if self.dry_run => {
                counts.would_change += 1;
                RecordOutcome::new(would)
            }
            None | Some(RecordStatus::Planned) => {
                counts.skipped += 1;
                skipped.because("interrupted")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::change::Change;

    #[test]
    fn every_record_of_a_plan_is_counted_once() {
        let archive = |id: &str, before: Value| PlannedRecord::new(id.to_owned(), Change::Archive, before);
        let active = json!({ "archived": false });
        let records = vec![
            archive("1", active.clone()),
            archive("2", json!({ "archived": true })),
            PlannedRecord { skip: Some("not_found".to_owned()), ..archive("3", Value::Null) },
            archive("4", active),
        ];
        let mut plan = BulkPlan::new("contacts bulk-archive", BulkTarget::Contacts, "abc", records);
        plan.apply_limit(1);
        let report = RunReport::of_plan(&plan, true);
        let (counts, entries) = report.entries(true);
        let expected = ReportCounts {
            matched: 4,
            would_change: 1,
            unchanged: 1,
            skipped: 2,
            limited: 1,
            ..ReportCounts::default()
        };
        assert_eq!(counts, expected);
        let listed: Vec<_> = entries.iter().map(|entry| (&entry["id"], &entry["status"])).collect();
        assert_eq!(listed, [(&json!("1"), &json!("would_change"))]);
        let document = report.document(counts, &entries);
        assert_eq!((&document["left_out_by_limit"], &document["run"]), (&json!(1), &Value::Null));
    }
}
