//! Progress of a sync on stderr: bars for people on a terminal, one JSON event per line for programs that ask
//! for it. Without a terminal only warnings, errors and long waits are said: a run that went well says nothing.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use clap::ArgMatches;
use indicatif::{HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::output::tell;
use crate::mirror::{Event, ResourceName};

/// No more progress of one resource than this is told to programs.
const PAUSE: Duration = Duration::from_secs(1);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Bars,
    /// Warnings, errors and waits alone, as text.
    Trouble,
    Json,
    Nothing,
}

impl Form {
    /// What `--progress` asks for.
    pub fn of(matches: &ArgMatches) -> Self {
        match matches.get_one::<String>("progress").map(String::as_str) {
            Some("json") => Form::Json,
            Some("none") => Form::Nothing,
            _ if std::io::stderr().is_terminal() => Form::Bars,
            _ => Form::Trouble,
        }
    }
}

/// What receives the events of a run.
/// Waits are left out when it is `quiet`: nothing is wrong with them.
pub fn observer(form: Form, quiet: bool) -> impl FnMut(&Event) + Send {
    let mut bars = Bars::default();
    let mut told = HashMap::new();
    let is_left_out = move |event: &Event| quiet && matches!(event, Event::SyncWaiting { .. });
    move |event: &Event| match form {
        Form::Bars | Form::Trouble if is_left_out(event) => {}
        Form::Bars => bars.show(event),
        Form::Trouble => trouble(event).iter().for_each(|line| tell(line)),
        Form::Json if is_due(event, &mut told) => tell(&dated(event, Timestamp::now())),
        Form::Json | Form::Nothing => {}
    }
}

/// A warning, an error or a wait in words.
fn trouble(event: &Event) -> Option<String> {
    match event {
        Event::SyncWarning { resource, message } => {
            let resource = resource.map(|it| format!("{it}: ")).unwrap_or_default();
            Some(format!("warning: {resource}{message}"))
        }
        Event::SyncWaiting { resource, seconds, message } => {
            Some(format!("{resource}: {message}: waiting up to {seconds} s for its end"))
        }
        Event::SyncError { resource, message } => Some(format!("error: {resource}: {message}")),
        _ => None,
    }
}

/// An event as one line of JSON, with the moment it happened.
fn dated(event: &Event, at: Timestamp) -> String {
    let mut line = json!(event);
    if let Some(fields) = line.as_object_mut() {
        fields.insert("time".to_owned(), json!(at.to_string()));
    }
    line.to_string()
}

fn is_due(event: &Event, told: &mut HashMap<ResourceName, Instant>) -> bool {
    let Event::SyncProgress { resource, .. } = event else { return true };
    let is_due = told.get(resource).is_none_or(|last| last.elapsed() >= PAUSE);
    if is_due {
        told.insert(*resource, Instant::now());
    }
    is_due
}

/// One line for each resource under way.
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
                trouble(event).iter().for_each(|line| self.say(line));
            }
            Event::SyncComplete(outcome) => {
                if let Some((bar, _)) = self.bars.remove(&outcome.resource) {
                    bar.finish_and_clear();
                }
                if outcome.complete {
                    let written = outcome.written;
                    self.say(&format!(
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

    fn say(&self, text: &str) {
        // A terminal that is gone has nobody to tell.
        let _ = self.all.println(text);
    }
}

/// Rows, rate, requests left in the window of the rate limit, and time left.
fn message(rows: u64, total: Option<u64>, requests_left: Option<u64>, taken: Duration) -> String {
    let mut message = HumanCount(rows).to_string();
    if let Some(total) = total {
        message.push_str(&format!(" of {}", HumanCount(total)));
    }
    let rate = rows as f64 / taken.as_secs_f64();
    if taken.as_secs_f64() >= 0.5 && rate > 0.0 {
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
    fn a_line_tells_rows_rate_and_what_is_left() {
        let line = message(12_000, Some(20_000), Some(1_204), Duration::from_secs(8));
        assert_eq!(line, "12,000 of 20,000, 1500/s, 5 seconds left, 1,204 requests left in this window");
        assert_eq!(message(20, None, None, Duration::ZERO), "20");
    }

    #[test]
    fn programs_are_told_of_progress_once_a_second() {
        let mut told = HashMap::new();
        let progress =
            Event::SyncProgress { resource: ResourceName::Tags, rows: 1, total: None, requests_left: None };
        assert!(is_due(&progress, &mut told));
        assert!(!is_due(&progress, &mut told));
        let warning = Event::SyncWarning { resource: None, message: String::new() };
        assert!(is_due(&warning, &mut told) && is_due(&warning, &mut told));
    }
}
