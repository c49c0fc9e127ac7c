//! Forwards the progress of a command to the client.
//!
//! Commands report progress as JSON events. Clients show it to people, so each event becomes a sentence here,
//! with the total if it is known.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RoleServer};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::cli::streams::Notice;

/// How often a silent command is reported to be still running.
const PULSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct ProgressCounter {
    /// Done and total, by resource or under one name.
    done: BTreeMap<String, (f64, Option<f64>)>,
    /// The protocol requires that progress grows.
    last_reported: f64,
}

/// Forwards the messages of a command, or that it is still running.
pub async fn forward(peer: Peer<RoleServer>, token: ProgressToken, mut received: UnboundedReceiver<Notice>) {
    let began = Instant::now();
    let mut counter = ProgressCounter::default();
    loop {
        let message = match tokio::time::timeout(PULSE, received.recv()).await {
            Ok(Some(Notice::Event(event))) => {
                let sentence = serde_json::from_str(&event).ok().and_then(|event| counter.sentence(&event));
                match sentence {
                    Some(sentence) => sentence,
                    None => continue,
                }
            }
            Ok(Some(notice)) => notice.to_string(),
            Ok(None) => return,
            Err(_) => format!("running for {} s", began.elapsed().as_secs()),
        };
        let progress = ProgressNotificationParam::new(token.clone(), counter.next()).with_message(message);
        let progress = match counter.total() {
            Some(total) => progress.with_total(total),
            None => progress,
        };
        if peer.notify_progress(progress).await.is_err() {
            return;
        }
    }
}

impl ProgressCounter {
    /// An event as a sentence; `None` if it does not concern people.
    fn sentence(&mut self, event: &Value) -> Option<String> {
        let text = |name: &str| event[name].as_str();
        let number = |name: &str| event[name].as_u64();
        match text("event")? {
            "sync_progress" => {
                let resource = text("resource")?;
                let (rows, total) = (number("rows")?, number("total"));
                self.done.insert(resource.to_owned(), (rows as f64, total.map(|total| total as f64)));
                let unit = text("unit").filter(|unit| *unit != resource).map(|unit| format!(" {unit}"));
                let unit = unit.unwrap_or_default();
                Some(match total {
                    Some(total) => format!("{resource}: {rows} of {total}{unit}"),
                    None => format!("{resource}: {rows}{unit}"),
                })
            }
            event @ ("bulk_progress" | "import_progress") => {
                let (done, failed) = (number("done")?, number("failed").unwrap_or_default());
                let total = number("total")?;
                self.done.insert("records".to_owned(), ((done + failed) as f64, Some(total as f64)));
                let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
                let verb = if event == "import_progress" { "created" } else { "changed" };
                Some(format!("{done} of {total} records {verb}{failed}"))
            }
            "articles_progress" => {
                let done = number("done")?;
                self.done.insert("articles".to_owned(), (done as f64, None));
                Some(if done == 1 { "1 article".to_owned() } else { format!("{done} articles") })
            }
            "sync_start" => {
                let resources = event["resources"].as_array().map_or(0, Vec::len);
                Some(format!("fetching {resources} resources"))
            }
            "sync_complete" if event["skipped"] == true => {
                Some(format!("{}: not offered by this workspace", text("resource")?))
            }
            "sync_complete" if event["complete"] == true => {
                let fetched = number("fetched").unwrap_or_default();
                Some(format!("{}: done, {fetched} fetched", text("resource")?))
            }
            "sync_complete" => Some(format!("{}: stopped before the end", text("resource")?)),
            "sync_warning" | "sync_error" => {
                let resource = text("resource").map(|resource| format!("{resource}: ")).unwrap_or_default();
                Some(format!("{resource}{}", text("message")?))
            }
            _ => None,
        }
    }

    /// The progress to report now; always more than last time.
    fn next(&mut self) -> f64 {
        let done: f64 = self.done.values().map(|(done, _)| done).sum();
        self.last_reported = done.max(self.last_reported + 0.01);
        self.last_reported
    }

    /// The overall total, if the total of everything in progress is known.
    fn total(&self) -> Option<f64> {
        let totals: Option<Vec<f64>> = self.done.values().map(|(_, total)| *total).collect();
        totals
            .filter(|totals| !totals.is_empty())
            .map(|totals| totals.iter().sum::<f64>().max(self.last_reported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_become_sentences_with_their_total() {
        let mut counter = ProgressCounter::default();
        let event = json!({ "event": "sync_progress", "resource": "contacts", "rows": 150, "total": 400, "requests_left": 9 });
        assert_eq!(counter.sentence(&event).unwrap(), "contacts: 150 of 400");
        assert_eq!((counter.next(), counter.total()), (150.0, Some(400.0)));
        let event = json!({ "event": "bulk_progress", "done": 3, "failed": 1, "total": 9 });
        assert_eq!(ProgressCounter::default().sentence(&event).unwrap(), "3 of 9 records changed, 1 failed");
        let parts = json!({ "event": "sync_progress", "resource": "ticket_parts", "unit": "tickets", "rows": 3, "total": 9 });
        assert_eq!(ProgressCounter::default().sentence(&parts).unwrap(), "ticket_parts: 3 of 9 tickets");
        let event = json!({ "event": "import_progress", "done": 3, "failed": 0, "total": 9 });
        assert_eq!(ProgressCounter::default().sentence(&event).unwrap(), "3 of 9 records created");
        let event = json!({ "event": "sync_progress", "resource": "tags", "rows": 2, "total": null });
        assert_eq!(counter.sentence(&event).unwrap(), "tags: 2");
        assert!(counter.next() > 150.0 && counter.total().is_none());
        assert!(counter.next() > 152.0, "progress must always grow");
        assert!(counter.sentence(&json!({ "event": "sync_summary" })).is_none());
    }
}
