//! Reports how far a command is to the client's user while it runs.
//!
//! Commands tell programs of their progress as events in JSON. Clients show what they get to people, so
//! that an event becomes a sentence here, with what there is to do in all where that is known.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RoleServer};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

/// How often a caller who wants progress hears of a command that says nothing.
const PULSE: Duration = Duration::from_secs(1);

/// How much is done of how much.
#[derive(Debug, Default)]
struct Steps {
    /// By resource, or under one name.
    done: BTreeMap<String, (f64, Option<f64>)>,
    /// What was reported last: progress must grow.
    told: f64,
}

/// Passes on what a command says, and that it still runs.
pub async fn tell(peer: Peer<RoleServer>, token: ProgressToken, mut heard: UnboundedReceiver<String>) {
    let began = Instant::now();
    let mut steps = Steps::default();
    loop {
        let message = match tokio::time::timeout(PULSE, heard.recv()).await {
            Ok(Some(message)) => match serde_json::from_str::<Value>(&message) {
                Ok(event) if event.is_object() => match steps.sentence(&event) {
                    Some(sentence) => sentence,
                    None => continue,
                },
                _ => message,
            },
            Ok(None) => return,
            Err(_) => format!("running for {} s", began.elapsed().as_secs()),
        };
        let progress = ProgressNotificationParam::new(token.clone(), steps.next()).with_message(message);
        let progress = match steps.total() {
            Some(total) => progress.with_total(total),
            None => progress,
        };
        if peer.notify_progress(progress).await.is_err() {
            return;
        }
    }
}

impl Steps {
    /// An event in words; `None` for what people need not know.
    fn sentence(&mut self, event: &Value) -> Option<String> {
        let text = |name: &str| event[name].as_str();
        let number = |name: &str| event[name].as_u64();
        match text("event")? {
            "sync_progress" => {
                let resource = text("resource")?;
                let (rows, total) = (number("rows")?, number("total"));
                self.done.insert(resource.to_owned(), (rows as f64, total.map(|total| total as f64)));
                Some(match total {
                    Some(total) => format!("{resource}: {rows} of {total}"),
                    None => format!("{resource}: {rows}"),
                })
            }
            "bulk_progress" => {
                let (done, failed) = (number("done")?, number("failed").unwrap_or_default());
                let total = number("total")?;
                self.done.insert("records".to_owned(), ((done + failed) as f64, Some(total as f64)));
                let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
                Some(format!("{done} of {total} records changed{failed}"))
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
            "sync_complete" => Some(format!("{}: stopped before its end", text("resource")?)),
            "sync_warning" | "sync_error" => {
                let resource = text("resource").map(|resource| format!("{resource}: ")).unwrap_or_default();
                Some(format!("{resource}{}", text("message")?))
            }
            _ => None,
        }
    }

    /// The progress to report now, which is more than before.
    fn next(&mut self) -> f64 {
        let done: f64 = self.done.values().map(|(done, _)| done).sum();
        self.told = done.max(self.told + 0.01);
        self.told
    }

    /// What there is to do in all, when that is known of everything under way.
    fn total(&self) -> Option<f64> {
        let totals: Option<Vec<f64>> = self.done.values().map(|(_, total)| *total).collect();
        totals.filter(|totals| !totals.is_empty()).map(|totals| totals.iter().sum::<f64>().max(self.told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_are_told_in_words_with_their_total() {
        let mut steps = Steps::default();
        let event = json!({ "event": "sync_progress", "resource": "contacts", "rows": 150, "total": 400, "requests_left": 9 });
        assert_eq!(steps.sentence(&event).unwrap(), "contacts: 150 of 400");
        assert_eq!((steps.next(), steps.total()), (150.0, Some(400.0)));
        let event = json!({ "event": "bulk_progress", "done": 3, "failed": 1, "total": 9 });
        assert_eq!(Steps::default().sentence(&event).unwrap(), "3 of 9 records changed, 1 failed");
        let event = json!({ "event": "sync_progress", "resource": "tags", "rows": 2, "total": null });
        assert_eq!(steps.sentence(&event).unwrap(), "tags: 2");
        assert!(steps.next() > 150.0 && steps.total().is_none());
        assert!(steps.next() > 152.0, "a step must always be more than the last");
        assert!(steps.sentence(&json!({ "event": "sync_summary" })).is_none());
    }
}
