//! Progress of a sync on stderr: bars on a terminal, or one JSON event per line for programs.
//!
//! By default, output without a terminal is limited to warnings, errors and long waits: a successful run prints
//! nothing.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::output::{notice, progress_event};
use crate::mirror::{Event, ResourceName};

/// Minimum time between two progress events of one resource.
const EVENT_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressForm {
    // Bars on a terminal; elsewhere only warnings, errors and waits, as text.
    Auto,
    Json,
    None,
}

/// Prints the events of a run. `quiet` omits waits, which are not a problem.
pub fn observer(form: ProgressForm, quiet: bool) -> impl FnMut(&Event) + Send {
    let mut bars = Bars::default();
    let mut last_events = HashMap::new();
    let has_bars = std::io::stderr().is_terminal();
    let is_omitted = move |event: &Event| quiet && matches!(event, Event::SyncWaiting { .. });
    move |event: &Event| match form {
        ProgressForm::Auto if is_omitted(event) => {}
        ProgressForm::Auto if has_bars => bars.show(event),
        ProgressForm::Auto => warning(event).iter().for_each(|line| notice(line)),
        ProgressForm::Json if is_due(event, &mut last_events) => {
            progress_event(json_line(event, Timestamp::now()))
        }
        ProgressForm::Json | ProgressForm::None => {}
    }
}

/// A warning, error or wait as text; `None` for other events.
fn warning(event: &Event) -> Option<String> {
    match event {
        Event::SyncWarning { resource, message } => {
            let resource = resource.map(|resource| format!("{resource}: ")).unwrap_or_default();
            Some(format!("warning: {resource}{message}"))
        }
        Event::SyncWaiting { resource, seconds, message } => {
            Some(format!("{resource}: {message}: waiting up to {seconds} s for it to end"))
        }
        Event::SyncError { resource, message } => Some(format!("error: {resource}: {message}")),
        _ => None,
    }
}

/// An event as one line of JSON, with its time.
fn json_line(event: &Event, at: Timestamp) -> String {
    let mut line = json!(event);
    if let Some(fields) = line.as_object_mut() {
        fields.insert("time".to_owned(), json!(at.to_string()));
    }
    line.to_string()
}

fn is_due(event: &Event, last_events: &mut HashMap<ResourceName, Instant>) -> bool {
    let Event::SyncProgress { resource, .. } = event else { return true };
    let is_due = last_events.get(resource).is_none_or(|last| last.elapsed() >= EVENT_INTERVAL);
    if is_due {
        last_events.insert(*resource, Instant::now());
    }
    is_due
}

/// One line per resource in progress.
#[derive(Default)]
struct Bars {
    all: MultiProgress,
    bars: HashMap<ResourceName, (ProgressBar, Instant)>,
}

impl Bars {
    fn show(&mut self, event: &Event) {
        match event {
            Event::SyncProgress { resource, rows, total, requests_left } => {
                self.progress(*resource, *rows, *total, *requests_left);
            }
            Event::SyncWarning { .. } | Event::SyncWaiting { .. } | Event::SyncError { .. } => {
                warning(event).iter().for_each(|line| self.print(line));
            }
            Event::SyncComplete(outcome) => {
                if let Some((bar, _)) = self.bars.remove(&outcome.resource) {
                    bar.finish_and_clear();
                }
                if outcome.complete {
                    let written = outcome.written;
                    self.print(&format!(
                        "{}: done, {} fetched, {} new, {} changed, {} removed, {:.1} s",
                        outcome.resource,
                        HumanCount(written.fetched),
                        HumanCount(written.inserted),
                        HumanCount(written.updated),
                        HumanCount(written.deleted),
                        outcome.seconds
                    ));
                }
            }
            _ => {}
        }
    }

    fn progress(&mut self, resource: ResourceName, rows: u64, total: Option<u64>, left: Option<u64>) {
        let (bar, began) = self.bars.entry(resource).or_insert_with(|| {
            let style = ProgressStyle::with_template("{spinner} {prefix:20} {msg}");
            let bar = ProgressBar::new_spinner()
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
                .with_prefix(resource.as_str());
            (self.all.add(bar), Instant::now())
        });
        bar.set_message(message(rows, total, left, began.elapsed()));
        bar.tick();
    }

    fn print(&self, text: &str) {
        // The terminal may have been closed.
        let _ = self.all.println(text);
    }
}

/// Rows, rate, time left, and requests left in the rate limit window.
fn message(rows: u64, total: Option<u64>, requests_left: Option<u64>, elapsed: Duration) -> String {
    let mut message = HumanCount(rows).to_string();
    if let Some(total) = total {
        message.push_str(&format!(" of {}", HumanCount(total)));
    }
    let rate = rows as f64 / elapsed.as_secs_f64();
    if elapsed.as_secs_f64() >= 0.5 && rate > 0.0 {
        message.push_str(&format!(", {rate:.0}/s"));
        let rest = total.map(|total| total.saturating_sub(rows) as f64 / rate);
        if let Some(rest) = rest.filter(|rest| *rest >= 1.0) {
            message.push_str(&format!(", {} left", HumanDuration(Duration::from_secs_f64(rest))));
        }
    }
    if let Some(left) = requests_left {
        message.push_str(&format!(", {} requests left in this window", HumanCount(left)));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_rows_rate_and_remaining_time() {
        let line = message(12_000, Some(20_000), Some(1_204), Duration::from_secs(8));
        assert_eq!(line, "12,000 of 20,000, 1500/s, 5 seconds left, 1,204 requests left in this window");
        assert_eq!(message(20, None, None, Duration::ZERO), "20");
    }

    #[test]
    fn programs_get_progress_once_a_second() {
        let mut last_events = HashMap::new();
        let progress =
            Event::SyncProgress { resource: ResourceName::Tags, rows: 1, total: None, requests_left: None };
        assert!(is_due(&progress, &mut last_events));
        assert!(!is_due(&progress, &mut last_events));
        let warning = Event::SyncWarning { resource: None, message: String::new() };
        assert!(is_due(&warning, &mut last_events) && is_due(&warning, &mut last_events));
    }
}
