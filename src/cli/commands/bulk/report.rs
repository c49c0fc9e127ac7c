//! What a run did, or would do: counts and one entry for each record, in the same shape before and
//! after.

use std::io::IsTerminal;

use serde_json::{Map, Value, json};

use crate::bulk::journal::Run;
use crate::bulk::plan::LIMIT;
use crate::bulk::{Record, Status, Target};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Extent, Format, Output, Records, grouped, tell};

/// A plan, or a run, to be told about.
pub struct Report<'a> {
    pub command: &'a str,
    pub target: Target,
    pub records: &'a [Record],
    /// `None` for a plan that nothing was sent of.
    pub run: Option<&'a Run>,
    pub dry_run: bool,
    /// What the command wants to add to `meta`.
    pub meta: Value,
    /// What the command wants to stand before the counts.
    pub about: Value,
    /// Records that may belong here and could not be read.
    pub unread: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    matched: usize,
    changed: usize,
    would_change: usize,
    unchanged: usize,
    failed: usize,
    skipped: usize,
    limited: usize,
}

/// Where a record stands, in a word, and why.
struct Standing<'a> {
    status: String,
    reason: Option<&'a str>,
    error: Option<&'a Value>,
    after: Option<&'a Value>,
}

impl Report<'_> {
    /// Writes it, and says how the command ends.
    ///
    /// # Errors
    /// Partly done when something failed or was left out, a failure when nothing at all was done.
    pub async fn tell(&self, context: &Context) -> Result<(), Error> {
        let mut counts = Counts { matched: self.records.len(), ..Counts::default() };
        let shows_skipped = !self.dry_run && Format::of(&context.globals) != Format::Table;
        let is_cut = self.records.iter().any(|record| record.skip.as_deref() == Some(LIMIT));
        let mut items: Vec<Value> = Vec::new();
        for record in self.records {
            let item = self.item(record, &mut counts);
            // What the user's own limit leaves out is counted: the rows are those that were chosen.
            let is_chosen = record.is_due() || !(is_cut && self.dry_run);
            if shows_skipped || (is_chosen && record.skip.as_deref() != Some(LIMIT)) {
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
        match Format::of(&context.globals) {
            Format::Json => {
                let records = Records { key, extent, shown: items.len() as u64 };
                Output::open(&context.globals)?.document(meta, &results.to_string(), Some(records)).await?;
            }
            _ => {
                let columns = self.columns(&items, Format::of(&context.globals));
                let mut list = Output::open(&context.globals)?.rows(key, &columns)?;
                for item in &items {
                    list.record(&cells(item))?;
                }
                list.end(meta, &extent).await?;
            }
        }
        if std::io::stderr().is_terminal() {
            tell(&self.sentence(counts));
        }
        self.verdict(counts)
    }

    /// The rows, and the records that the user's limit left out.
    fn extent(&self, counts: Counts, shown: usize) -> Extent {
        let what = self.target.as_str();
        let left_out = self.records.len() - shown;
        let extent = Extent::part(what, Some(self.records.len() as u64), left_out > 0, "");
        let (chosen, more) = (counts.would_change + counts.changed + counts.failed, counts.limited);
        extent
            .or(format!("no {what} match"))
            .or_part(format!("note: stopped at --limit {chosen}; {} more match", grouped(more as u64)))
    }

    fn is_tagging(&self) -> bool {
        self.command.ends_with("incident-tag") || self.command.ends_with("bulk-tag")
    }

    fn is_undo(&self) -> bool {
        self.command == "bulk undo"
    }

    fn results(&self, counts: Counts, items: &[Value]) -> Value {
        let mut results = self.about.as_object().cloned().unwrap_or_default();
        let mut put = |name: &str, value: Value| drop(results.insert(name.to_owned(), value));
        let (unchanged, changed, would) = match self.is_tagging() {
            true => ("already_tagged", "tagged", "would_tag"),
            false => ("unchanged", "changed", "would_change"),
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

    fn item(&self, record: &Record, counts: &mut Counts) -> Value {
        let standing = self.standing(record, counts);
        let mut item = Map::from_iter([("id".to_owned(), json!(record.id))]);
        item.insert("status".into(), json!(standing.status));
        if self.is_tagging() {
            item.insert("already_tagged".into(), json!(standing.status == "already_tagged"));
        }
        if let Value::Object(shown) = &record.shown {
            item.extend(shown.clone());
        }
        if !self.is_tagging() {
            item.insert("change".into(), json!(record.change));
            item.insert("before".into(), self.run.map_or(&record.before, |run| run.before(record)).clone());
        }
        for (name, value) in [
            ("after", standing.after.cloned()),
            ("reason", standing.reason.map(|it| json!(it))),
            ("error", standing.error.cloned()),
        ] {
            if let Some(value) = value.filter(|value| !value.is_null()) {
                item.insert(name.into(), value);
            }
        }
        Value::Object(item)
    }

    fn standing<'s>(&'s self, record: &'s Record, counts: &mut Counts) -> Standing<'s> {
        let plain =
            |status: &str| Standing { status: status.to_owned(), reason: None, error: None, after: None };
        match record.skip.as_deref() {
            Some(LIMIT) => {
                counts.skipped += 1;
                counts.limited += 1;
                return Standing { reason: Some(LIMIT), ..plain("skipped") };
            }
            Some(reason) if !self.is_undo() && reason == record.change.needless() => {
                counts.unchanged += 1;
                return plain(reason);
            }
            Some(reason) => {
                counts.skipped += 1;
                return Standing { reason: Some(reason), ..plain("skipped") };
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
            // Somebody else was faster: it is as wanted, and not this run's doing.
            Some(Status::FoundDone { .. }) => {
                counts.unchanged += 1;
                plain(record.change.needless())
            }
            Some(Status::Unmatched) => {
                counts.skipped += 1;
                Standing { reason: Some("no_longer_matches"), ..plain("skipped") }
            }
            Some(Status::Done { after, .. }) => {
                counts.changed += 1;
                Standing { after: Some(after), ..plain(changed) }
            }
            Some(Status::Failed { error }) => {
                counts.failed += 1;
                Standing { error: Some(error), ..plain("failed") }
            }
            Some(Status::Sending) => {
                counts.failed += 1;
                Standing { reason: Some("the answer was lost; --resume finds out"), ..plain("unknown") }
            }
            Some(Status::Unconfirmed { .. }) => {
                counts.failed += 1;
                let reason = "the workspace answered with success, but the record does not show whether it has changed";
                Standing { reason: Some(reason), ..plain("unknown") }
            }
            None | Some(Status::Planned) if self.dry_run => {
                counts.would_change += 1;
                plain(would)
            }
            None | Some(Status::Planned) => {
                counts.skipped += 1;
                Standing { reason: Some("interrupted"), ..plain("skipped") }
            }
        }
    }

    /// What people see, and for programs everything that any of the entries has.
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
            // Where nothing went wrong, the room is for the rest.
            let is_told = |name: &str| items.iter().any(|item| !item[name].is_null());
            columns.retain(|name| !matches!(name.as_str(), "reason" | "error") || is_told(name));
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

    fn sentence(&self, counts: Counts) -> String {
        let what = self.target.as_str();
        let rest =
            format!("{} already so, {} failed, {} skipped", counts.unchanged, counts.failed, counts.skipped);
        match self.dry_run {
            true => format!(
                "{} of {} {what} would be changed, {rest}. Nothing was changed: --apply does it.",
                counts.would_change, counts.matched
            ),
            false => format!("{} of {} {what} changed, {rest}.", counts.changed, counts.matched),
        }
    }

    fn verdict(&self, counts: Counts) -> Result<(), Error> {
        // A preview within the user's own limit shows what it was asked for.
        let asked_for = if self.dry_run { counts.limited } else { 0 };
        let left_out = counts.skipped - asked_for;
        if counts.failed + left_out + self.unread == 0 {
            return Ok(());
        }
        // What was left out was not done either, whatever the reason.
        let none_done = counts.changed + counts.would_change + counts.unchanged == 0 && counts.matched > 0;
        let mut said = Vec::new();
        if counts.failed > 0 {
            said.push(format!("{} of {} failed", counts.failed, counts.matched));
        }
        if counts.limited > asked_for {
            said.push(format!("{} skipped by --limit", grouped(counts.limited as u64)));
        }
        if counts.skipped > counts.limited {
            said.push(format!("{} skipped", grouped((counts.skipped - counts.limited) as u64)));
        }
        if self.unread > 0 {
            said.push(format!("{} could not be read and were not searched", self.unread));
        }
        let hint = match self.run {
            Some(run) if run.due().next().is_some() => format!("continue with --resume={}", run.head.run),
            _ if self.unread > 0 => "run it again when the workspace can hand them out".to_owned(),
            _ if counts.limited > asked_for => "raise --limit, or leave it out".to_owned(),
            _ => "see the reason beside each of them".to_owned(),
        };
        Err(Error::Finding {
            message: said.join(", "),
            exit: if none_done { Exit::Failure } else { Exit::Partial },
            hint: Some(hint),
        })
    }
}

/// The entry with its nested values in one cell each.
fn cells(item: &Value) -> Value {
    let mut item = item.clone();
    let contact = &item["contact"];
    let named = ["name", "email", "id"].iter().find_map(|field| contact[*field].as_str());
    if let Some(named) = named.map(|it| json!(it)) {
        item["contact"] = named;
    }
    if let Some(message) = item["error"]["message"].as_str().map(|it| json!(it)) {
        item["error"] = message;
    }
    item
}
