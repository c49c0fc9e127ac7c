//! How running commands report progress on stderr: redrawn lines on a terminal, a few lines of text elsewhere, or
//! JSON events for programs.
//!
//! [`OutputFlags::progress`] is the only place that decides between them. Nothing here writes to stdout.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::json;

use super::extent::grouped;
use super::flags::{OutputFlags, ProgressForm};
use super::{Format, notice, progress_event};
use crate::cli::live_block::LiveBlock;
use crate::cli::streams;
use crate::data::span;

/// Minimum time between two events about the same work.
pub const EVENT_INTERVAL: Duration = Duration::from_secs(1);
/// Minimum time between two lines of text in a log.
pub const TEXT_INTERVAL: Duration = Duration::from_secs(30);

/// How to report progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressDisplay {
    /// Lines that are redrawn in place.
    Live,
    /// Lines of text, few of them.
    Lines,
    /// One JSON object per line.
    Events,
    Silent,
}

impl OutputFlags {
    pub fn progress(&self) -> ProgressDisplay {
        let capture = streams::current();
        // An agent reads the result and never its progress, which a program may want to show.
        let is_program = self.format() == Some(Format::Json) && !self.agent;
        let is_wanted = match &capture {
            Some(capture) => capture.has_listener(),
            None => is_program,
        };
        match self.progress_form() {
            ProgressForm::None => ProgressDisplay::Silent,
            ProgressForm::Json => ProgressDisplay::Events,
            ProgressForm::Auto if is_wanted => ProgressDisplay::Events,
            _ if capture.is_none() && has_live_terminal() => ProgressDisplay::Live,
            _ => ProgressDisplay::Lines,
        }
    }

    /// Whether somebody reads text about progress. An agent does only if it asks for it.
    pub fn has_progress_reader(&self) -> bool {
        !self.agent || self.progress_form() != ProgressForm::Auto
    }
}

/// Whether stderr is a terminal that can move its cursor.
fn has_live_terminal() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|name| name != "dumb")
}

/// What a meter counts.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// The name of its events.
    pub event: &'static str,
    /// What is being done, for example `changing`.
    pub doing: &'static str,
    /// Plural noun for what is counted.
    pub noun: &'static str,
}

/// Progress of work on records, one after the other.
pub struct Meter {
    work: Work,
    display: ProgressDisplay,
    live: Option<(LiveBlock, ProgressBar)>,
    began: Instant,
    last_report: Instant,
}

impl Meter {
    pub fn new(flags: &OutputFlags, work: Work) -> Self {
        let display = match flags.progress() {
            ProgressDisplay::Lines if !flags.has_progress_reader() => ProgressDisplay::Silent,
            display => display,
        };
        let live = (display == ProgressDisplay::Live).then(|| {
            let block = LiveBlock::begin();
            let line = block.line("{spinner} {wide_msg}");
            line.enable_steady_tick(Duration::from_millis(120));
            (block, line)
        });
        let began = Instant::now();
        Meter { work, display, live, began, last_report: began }
    }

    /// Reports that `done` records are done and `failed` ones have failed. `total` is `None` if it is unknown.
    pub fn show(&mut self, done: u64, failed: u64, total: Option<u64>) {
        let Work { event, doing, noun } = self.work;
        let text = || {
            let failures = if failed > 0 { format!(", {} failed", grouped(failed)) } else { String::new() };
            let pace = pace(done + failed, total, None, self.began.elapsed());
            format!("{doing} {noun}: {pace}{failures}")
        };
        match (self.display, &self.live) {
            (ProgressDisplay::Live, Some((_, line))) => line.set_message(text()),
            (ProgressDisplay::Lines, _) if self.last_report.elapsed() >= TEXT_INTERVAL => {
                notice(&text());
                self.last_report = Instant::now();
            }
            (ProgressDisplay::Events, _) if self.last_report.elapsed() >= EVENT_INTERVAL => {
                let event = json!({ "event": event, "done": done, "failed": failed, "total": total });
                progress_event(event.to_string());
                self.last_report = Instant::now();
            }
            _ => {}
        }
    }
}

/// Amount, rate and time left: `12,000 of 20,000, 1,500/s, 5 s left`. The unit follows the amount.
pub fn pace(done: u64, total: Option<u64>, unit: Option<&str>, elapsed: Duration) -> String {
    let of = total.map(|total| format!(" of {}", grouped(total))).unwrap_or_default();
    let unit = unit.map(|unit| format!(" {unit}")).unwrap_or_default();
    let mut text = format!("{}{of}{unit}", grouped(done));
    let seconds = elapsed.as_secs_f64();
    if seconds < 1.0 || done == 0 {
        return text;
    }
    let rate = done as f64 / seconds;
    text += &if rate >= 1.0 {
        format!(", {}/s", grouped(rate.round() as u64))
    } else {
        format!(", {}/min", grouped((rate * 60.0).round() as u64))
    };
    let left = total.map(|total| total.saturating_sub(done) as f64 / rate);
    if let Some(left) = left.filter(|left| *left >= 1.0) {
        text += &format!(", {} left", span::length(left.round()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_shows_amount_rate_and_time_left() {
        let second = Duration::from_secs(1);
        assert_eq!(pace(12_000, Some(20_000), None, 8 * second), "12,000 of 20,000, 1,500/s, 5 s left");
        assert_eq!(pace(20, None, None, Duration::ZERO), "20");
        assert_eq!(pace(5, Some(100), Some("tickets"), 60 * second), "5 of 100 tickets, 5/min, 19 min left");
        assert_eq!(pace(0, Some(9), None, 60 * second), "0 of 9");
    }
}
