//! Prints what a verb did or would do: a sentence per record for people, a small row per record for programs.
//!
//! A record that is not in the wanted state afterwards is never reported as success.

use std::io::IsTerminal;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::session::VerbSession;
use crate::bulk::journal::RecordStatus;
use crate::bulk::report::RunReport;
use crate::bulk::{Assignee, BulkTarget, Change, PlannedRecord};
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::output::{Extent, Format, Output, notice};
use crate::data::printable;

/// Prints the result, and how to undo it.
///
/// # Errors
/// If a record was not changed: exit code 6 if others were.
pub async fn print(session: &VerbSession<'_>, report: &RunReport<'_>, about: &Value) -> Result<(), Error> {
    let (counts, entries) = report.entries(true);
    if let ([record], [entry]) = (report.records, entries.as_slice())
        && let Some(error) = failure(report.target, &record.id, entry)
    {
        return Err(error);
    }
    let undo = report.run.filter(|run| can_be_undone(run)).map(|run| format!("bulk undo {}", run.head.run));
    let flags = &session.context.globals.output;
    if flags.is_for_people() {
        let mut lines = Vec::new();
        for (record, entry) in report.records.iter().zip(&entries) {
            lines.push(sentence(session, report, record, (entry, about))?);
            if report.dry_run && record.is_due() {
                for request in session.requests(record)? {
                    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
                    lines.push(format!("  {} {} {}", text("method"), text("path"), request["body"]));
                }
            }
        }
        let lines: String = lines.iter().map(|line| format!("{}\n", printable::one_line(line))).collect();
        Output::open(flags)?.text(&lines).await?;
    } else {
        let mut meta = json!({
            "source": "live", "command": report.command, "dry_run": report.dry_run, "run": report.name(),
            "undo": undo.as_ref().map(|undo| format!("{undo} --apply")),
        });
        if let (Some(meta), Value::Object(about)) = (meta.as_object_mut(), about) {
            meta.extend(about.clone());
        }
        let rows =
            report.records.iter().zip(&entries).map(|(record, entry)| row(session, report, record, entry));
        let rows = rows.collect::<Result<Vec<Value>, Error>>()?;
        Output::open(flags)?.rows(meta, &rows, &Extent::complete(report.target.as_str())).await?;
    }
    if let Some(undo) = undo
        && (flags.format_or_default() == Format::Table || std::io::stderr().is_terminal())
    {
        notice(&format!("To undo: intercom-pp-cli {undo} --apply"));
    }
    let missed = counts.failed + counts.skipped;
    if missed == 0 {
        return Ok(());
    }
    let none_done = counts.changed + counts.would_change + counts.unchanged == 0;
    Err(Error::Failed {
        message: format!("{missed} of {} {} were not changed", counts.matched, report.target.as_str()),
        exit: if none_done { Exit::Failure } else { Exit::Partial },
        hint: Some("see the reason next to each record".into()),
    })
}

/// Whether the run changed a record in a way that can be reverted.
fn can_be_undone(run: &crate::bulk::journal::BulkRun) -> bool {
    let is_undoable = |record: &PlannedRecord| {
        matches!(run.status(&record.id), RecordStatus::Done { .. })
            && record.change.inverse(run.before(record)).is_ok()
    };
    run.records.iter().any(is_undoable)
}

fn row(
    session: &VerbSession<'_>,
    report: &RunReport<'_>,
    record: &PlannedRecord,
    entry: &Value,
) -> Result<Value, Error> {
    let status = match entry["status"].as_str() {
        Some("changed") => json!("done"),
        _ => entry["status"].clone(),
    };
    let has_state = !matches!(record.change, Change::Note { .. } | Change::Reply { .. });
    let state = |name: &str| if has_state { entry[name].clone() } else { Value::Null };
    let action = report.command.rsplit(' ').next().unwrap_or(report.command);
    let mut row = Map::from_iter([
        ("id".to_owned(), json!(record.id)),
        ("name".to_owned(), entry["name"].clone()),
        ("action".to_owned(), json!(action)),
        ("status".to_owned(), status),
        ("state_before".to_owned(), state("before")),
        ("state_after".to_owned(), state("after")),
        ("run".to_owned(), json!(report.name())),
    ]);
    for name in ["to", "reason", "error"] {
        if !entry[name].is_null() {
            row.insert(name.to_owned(), entry[name].clone());
        }
    }
    if report.dry_run && record.is_due() {
        row.insert("requests".to_owned(), json!(session.requests(record)?));
    }
    Ok(Value::Object(row))
}

/// The error for a single record that could not be changed.
fn failure(target: BulkTarget, id: &str, entry: &Value) -> Option<Error> {
    let (kind, error) = (target.singular(), &entry["error"]);
    let message = error["message"].as_str();
    let failed = |message: String, exit: Exit, hint: Option<Hint>| Error::Failed { message, exit, hint };
    match (entry["status"].as_str()?, entry["reason"].as_str()) {
        ("skipped", Some("not_found")) => {
            let hint = match target {
                BulkTarget::Tickets => Hint::new("use the id, not the number shown in the inbox: ")
                    .run("tickets search")
                    .text(" shows it"),
                _ => Hint::new("check the id: ").run(format!("{} search", target.as_str())).text(" finds it"),
            };
            Some(failed(format!("{kind} {id} not found"), Exit::NotFound, Some(hint)))
        }
        ("skipped" | "failed", reason) => {
            let exit = match error["http_status"].as_u64() {
                Some(401 | 403) => Exit::Authentication,
                Some(404 | 410) => Exit::NotFound,
                Some(429) => Exit::RateLimited,
                _ => Exit::Failure,
            };
            let why = message.or(reason).unwrap_or("refused").replace('_', " ");
            let hint = Hint::default().run("doctor").text(" checks settings, token, server and mirror");
            Some(failed(format!("{kind} {id} was not changed: {why}"), exit, Some(hint)))
        }
        ("unknown", reason) => {
            let why = reason.unwrap_or_default().split(';').next().unwrap_or_default();
            let hint = Hint::new("look at the record before you send this again: ")
                .run(format!("{} get {id}", target.as_str()));
            Some(failed(format!("{kind} {id} may have been changed: {why}"), Exit::Failure, Some(hint)))
        }
        _ => None,
    }
}

/// What happened to a record, or would happen.
fn sentence(
    session: &VerbSession<'_>,
    report: &RunReport<'_>,
    record: &PlannedRecord,
    (entry, about): (&Value, &Value),
) -> Result<String, Error> {
    // A reply names the receiver.
    let name = entry["name"].as_str().filter(|_| !matches!(record.change, Change::Reply { .. }));
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    let subject = format!("{} {}{name}", report.target.singular(), record.id);
    let why = || entry["error"]["message"].as_str().or(entry["reason"].as_str()).unwrap_or_default();
    let phrase = Phrase::of(session, record, about)?;
    Ok(match entry["status"].as_str().unwrap_or_default() {
        "would_change" => format!("would {} {subject}{}", phrase.bare, phrase.rest),
        "changed" => format!("{} {subject}{}", phrase.past, phrase.rest),
        "skipped" | "failed" | "unknown" => format!("{subject} was not changed: {}", why().replace('_', " ")),
        no_op => match &record.change {
            Change::Assign { to, .. } if *to == Assignee::nobody() => {
                format!("{subject} has no assigned teammate")
            }
            Change::Assign { .. } | Change::Tag { .. } | Change::Snooze { .. } => {
                format!("{subject} is {}{}", no_op.replace('_', " "), phrase.rest)
            }
            Change::MoveTicket { state, .. } => format!("{subject} is already {state}"),
            _ => format!("{subject} is {}", no_op.replace('_', " ")),
        },
    })
}

/// A change in words: "close", "closed", and what follows the record.
struct Phrase {
    bare: String,
    past: String,
    rest: String,
}

impl Phrase {
    fn of(session: &VerbSession<'_>, record: &PlannedRecord, about: &Value) -> Result<Self, Error> {
        let (bare, past, rest) = match &record.change {
            Change::Close => ("close", "closed", String::new()),
            Change::Open => ("reopen", "reopened", String::new()),
            Change::Snooze { until } => {
                let zone = session.context.zone()?;
                let at = match Timestamp::from_second(*until) {
                    Ok(at) => at.to_zoned(zone).strftime("%a %Y-%m-%d %H:%M %Z").to_string(),
                    Err(_) => until.to_string(),
                };
                ("snooze", "snoozed", format!(" until {at}"))
            }
            Change::Assign { to, .. } if *to == Assignee::nobody() => {
                ("unassign", "unassigned", String::new())
            }
            Change::Assign { .. } => {
                let to = about["assignee"].as_str().unwrap_or("the assignee");
                ("assign", "assigned", format!(" to {to}"))
            }
            Change::Tag { tag, .. } => ("tag", "tagged", format!(" with {tag:?}")),
            Change::Untag { tag, .. } => ("untag", "untagged", format!(", removing {tag:?}")),
            Change::Note { .. } => ("add a note to", "added a note to", String::new()),
            Change::Reply { close, .. } => {
                let receiver = receiver(record, session.target);
                let rest = if *close { ", closing it" } else { "" };
                return Ok(Phrase {
                    bare: format!("reply to {receiver} in"),
                    past: format!("replied to {receiver} in"),
                    rest: rest.to_owned(),
                });
            }
            Change::MoveTicket { state, .. } => ("move", "moved", format!(" to {state}")),
            _ => ("change", "changed", String::new()),
        };
        Ok(Phrase { bare: bare.to_owned(), past: past.to_owned(), rest })
    }
}

/// Who gets a reply: the people of the record, or the record if they are unknown.
pub fn receiver(record: &PlannedRecord, target: BulkTarget) -> String {
    let known = record.shown["to"].as_str().map(str::to_owned);
    known.unwrap_or_else(|| format!("{} {}", target.singular(), record.id))
}
