//! Progress of a run on stderr: a bar on a terminal, a JSON event a second for everything else.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::bulk::Progress;
use crate::cli::output::tell;

const PAUSE: Duration = Duration::from_secs(1);

/// What receives the progress of a run.
pub fn observer() -> impl FnMut(Progress) + Send {
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len}, {per_sec}, {eta} left{msg}");
        ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    let mut told = Instant::now();
    move |progress: Progress| {
        let dealt = progress.done + progress.failed;
        match &bar {
            Some(bar) => {
                bar.set_length(progress.total as u64);
                bar.set_position(dealt as u64);
                if progress.failed > 0 {
                    bar.set_message(format!(", {} failed", progress.failed));
                }
                if dealt == progress.total {
                    bar.finish_and_clear();
                }
            }
            None if told.elapsed() >= PAUSE => {
                told = Instant::now();
                let event = json!({
                    "event": "bulk_progress", "done": progress.done, "failed": progress.failed,
                    "total": progress.total,
                });
                tell(&event.to_string());
            }
            None => {}
        }
    }
}
