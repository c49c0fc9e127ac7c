//! Progress of a run on stderr: a bar on a terminal, otherwise one JSON event per second.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::bulk::ApplyProgress;
use crate::cli::output::progress_event;

const EVENT_INTERVAL: Duration = Duration::from_secs(1);

pub fn observer() -> impl FnMut(ApplyProgress) + Send {
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len}, {per_sec}, {eta} left{msg}");
        ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    let mut last_event = Instant::now();
    move |progress: ApplyProgress| {
        let finished = progress.done + progress.failed;
        match &bar {
            Some(bar) => {
                bar.set_length(progress.total as u64);
                bar.set_position(finished as u64);
                if progress.failed > 0 {
                    bar.set_message(format!(", {} failed", progress.failed));
                }
                if finished == progress.total {
                    bar.finish_and_clear();
                }
            }
            None if last_event.elapsed() >= EVENT_INTERVAL => {
                last_event = Instant::now();
                let event = json!({
                    "event": "bulk_progress", "done": progress.done, "failed": progress.failed,
                    "total": progress.total,
                });
                progress_event(event.to_string());
            }
            None => {}
        }
    }
}
