//! Progress of a sync on stderr: one block of lines that is redrawn on a terminal, a few lines of text elsewhere, or
//! JSON events.
//!
//! Warnings, errors and long waits are always printed, except with `--progress none`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::json;

use super::summary::name;
use crate::cli::live_block::LiveBlock;
use crate::cli::output::progress::{EVENT_INTERVAL, ProgressDisplay, TEXT_INTERVAL, pace};
use crate::cli::output::{grouped, notice, progress_event};
use crate::cli::streams;
use crate::mirror::{Event, Observer, ResourceName};

/// Maximum number of resources with a line, so that the block fits a screen of 24 lines.
const MAX_LINES: usize = 10;

/// Shows the events of a run.
pub struct SyncDisplay {
    form: ProgressDisplay,
    quiet: bool,
    live: Option<LiveSync>,
    /// When the progress of a resource was first and last reported.
    reports: HashMap<ResourceName, (Instant, Instant)>,
    last_text: Instant,
}

impl SyncDisplay {
    /// `quiet` omits everything but warnings and errors.
    pub fn new(form: ProgressDisplay, quiet: bool) -> Self {
        let live = (form == ProgressDisplay::Live && !quiet).then(LiveSync::begin);
        SyncDisplay { form, quiet, live, reports: HashMap::new(), last_text: Instant::now() }
    }

    /// Reports that everything is fetched, and what remains to be done.
    pub fn finish_with(&mut self, work: &str) {
        if let Some(live) = &self.live {
            live.head.set_message(work.to_owned());
        }
    }

    /// Prints the progress of a resource in a log, at long intervals.
    fn log(&mut self, resource: ResourceName, rows: u64, unit: ResourceName, total: Option<u64>) {
        let now = Instant::now();
        let (began, _) = *self.reports.entry(resource).or_insert((now, now));
        if !self.quiet && self.last_text.elapsed() >= TEXT_INTERVAL {
            self.last_text = now;
            notice(&format!("{}: {}", name(resource), message(resource, rows, unit, total, began.elapsed())));
        }
    }

    /// Whether enough time has passed since the last event about the progress of this resource.
    fn is_due(&mut self, event: &Event) -> bool {
        let Event::SyncProgress { resource, .. } = event else { return true };
        let now = Instant::now();
        let reported = self.reports.get(resource);
        let is_due = reported.is_none_or(|(_, last)| now.duration_since(*last) >= EVENT_INTERVAL);
        if is_due {
            let began = reported.map_or(now, |(began, _)| *began);
            self.reports.insert(*resource, (began, now));
        }
        is_due
    }
}

impl Observer for SyncDisplay {
    fn event(&mut self, event: &Event) {
        match self.form {
            ProgressDisplay::Silent => return,
            // Inside this process events are only shown while the command runs; warnings belong to its result.
            ProgressDisplay::Events if warning(event).is_none() || streams::current().is_none() => {
                if self.is_due(event) {
                    progress_event(json_line(event, Timestamp::now()));
                }
                return;
            }
            ProgressDisplay::Events | ProgressDisplay::Live | ProgressDisplay::Lines => {}
        }
        if let Some(line) = warning(event).filter(|_| !(self.quiet && is_wait(event))) {
            notice(&line);
        }
        match (&mut self.live, event) {
            (Some(live), event) => live.show(event),
            (None, Event::SyncProgress { resource, rows, unit, total, .. }) => {
                self.log(*resource, *rows, *unit, *total);
            }
            _ => {}
        }
    }
}

fn is_wait(event: &Event) -> bool {
    matches!(event, Event::SyncWaiting { .. })
}

/// A warning, error or wait as text, with the resource as `--exclude` takes it; `None` for other events.
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

/// Amount, rate and time left of a resource.
fn message(
    resource: ResourceName,
    rows: u64,
    unit: ResourceName,
    total: Option<u64>,
    elapsed: Duration,
) -> String {
    let unit = (unit != resource).then(|| name(unit));
    pace(rows, total, unit.as_deref(), elapsed)
}

/// The block on a terminal: a line about the whole run, and one for each running resource.
struct LiveSync {
    block: LiveBlock,
    head: ProgressBar,
    lines: HashMap<ResourceName, (ProgressBar, Instant)>,
    resources: usize,
    done: usize,
    records: u64,
}

impl LiveSync {
    fn begin() -> Self {
        let block = LiveBlock::begin();
        let head = block.line("{spinner} {wide_msg}");
        head.set_message("Connecting");
        head.enable_steady_tick(Duration::from_millis(120));
        LiveSync { block, head, lines: HashMap::new(), resources: 0, done: 0, records: 0 }
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::SyncStart { resources, .. } => self.resources = resources.len(),
            Event::SyncProgress { resource, rows, unit, total, .. } => {
                if let Some((line, began)) = self.line(*resource) {
                    let text = message(*resource, *rows, *unit, *total, began.elapsed());
                    line.set_message(text);
                }
                return;
            }
            Event::SyncComplete(outcome) => {
                self.done += 1;
                self.records += outcome.written.fetched;
                if let Some((line, _)) = self.lines.remove(&outcome.resource) {
                    self.block.remove(&line);
                }
            }
            _ => return,
        }
        let (done, resources) = (self.done, self.resources);
        let records = match self.records {
            1 => "1 record".to_owned(),
            records => format!("{} records", grouped(records)),
        };
        self.head.set_message(format!("Syncing: {done} of {resources} resources done, {records} fetched"));
    }

    /// The line of a resource; `None` if the block is full.
    fn line(&mut self, resource: ResourceName) -> Option<&(ProgressBar, Instant)> {
        if !self.lines.contains_key(&resource) {
            if self.lines.len() == MAX_LINES {
                return None;
            }
            let line = self.block.line("  {prefix:19} {wide_msg}").with_prefix(name(resource));
            self.lines.insert(resource, (line, Instant::now()));
        }
        self.lines.get(&resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_in_their_owners() {
        use ResourceName::{Contacts, ConversationParts, Conversations};
        let second = Duration::from_secs(1);
        assert_eq!(
            message(ConversationParts, 300, Conversations, Some(1_000), 10 * second),
            "300 of 1,000 conversations, 30/s, 23 s left"
        );
        assert_eq!(message(Contacts, 20, Contacts, None, Duration::ZERO), "20");
    }

    #[test]
    fn programs_get_progress_once_a_second() {
        let mut display = SyncDisplay::new(ProgressDisplay::Events, false);
        let (resource, unit) = (ResourceName::Tags, ResourceName::Tags);
        let progress = Event::SyncProgress { resource, rows: 1, unit, total: None, requests_left: None };
        assert!(display.is_due(&progress));
        assert!(!display.is_due(&progress));
        let warning = Event::SyncWarning { resource: None, message: String::new() };
        assert!(display.is_due(&warning) && display.is_due(&warning));
    }

    #[test]
    fn warnings_name_the_resource_as_it_is_typed() {
        let resource = Some(ResourceName::TicketParts);
        let event = Event::SyncWarning { resource, message: "lost".to_owned() };
        assert_eq!(warning(&event).as_deref(), Some("warning: ticket_parts: lost"));
    }
}
