//! What the owner of a receiver should know while it runs.
//!
//! Somebody who sends many forged requests must not fill the log: reports of a kind that others can cause are passed on
//! once a minute, with the number of those in between. A report never quotes a request.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::mirror::ResourceName;

/// How long reports of the same kind are held back.
const QUIET: Duration = Duration::from_secs(60);

/// Something to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// A request that was answered with 400, 401 or 413.
    Refused(String),
    /// A notification that could not be stored, and was answered with 503.
    NotStored(String),
    /// The address to forward to does not accept notifications at the moment.
    Delayed(String),
    /// A notification that the address to forward to has refused: it is not sent again.
    GivenUp {
        id: String,
        topic: String,
        reason: String,
    },
    /// The address to forward to accepts notifications again.
    Resumed,
    /// Nothing can be fetched into the mirror at the moment.
    NotApplied(String),
    /// Records are fetched into the mirror again.
    Applying,
    /// A record that could not be fetched. A sync tries it again.
    RecordGivenUp {
        resource: ResourceName,
        id: String,
        reason: String,
    },
    /// A notification about another workspace than the mirror's.
    OtherWorkspace,
    /// A sync has ended, with this number of added, changed and removed records.
    Synced {
        changes: u64,
    },
    SyncFailed(String),
}

impl Report {
    /// Whether the owner may have to do something.
    pub fn is_problem(&self) -> bool {
        !matches!(self, Report::Resumed | Report::Applying | Report::Synced { .. })
    }

    /// Whether it is passed on every time. Others can cause the rest as often as they like.
    fn is_rare(&self) -> bool {
        match self {
            Report::GivenUp { .. } | Report::Resumed | Report::Applying | Report::RecordGivenUp { .. } => {
                true
            }
            Report::Synced { .. } | Report::SyncFailed(_) => true,
            Report::Refused(_) | Report::NotStored(_) | Report::Delayed(_) => false,
            Report::NotApplied(_) | Report::OtherWorkspace => false,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Refused(reason) => write!(out, "refused a request: {reason}"),
            Report::NotStored(reason) => write!(out, "cannot store a notification: {reason}"),
            Report::Delayed(reason) => write!(out, "cannot forward: {reason}; trying again"),
            Report::GivenUp { id, topic, reason } => {
                write!(out, "not forwarded: {topic} {id}: {reason}; it is not sent again")
            }
            Report::Resumed => out.write_str("forwarding again"),
            Report::NotApplied(reason) => write!(out, "cannot update the mirror: {reason}; trying again"),
            Report::Applying => out.write_str("updating the mirror again"),
            Report::RecordGivenUp { resource, id, reason } => {
                write!(out, "not fetched: {resource} {id}: {reason}; the next sync tries again")
            }
            Report::OtherWorkspace => {
                out.write_str("a notification is about another workspace, and does not change this mirror")
            }
            Report::Synced { changes: 1 } => out.write_str("synced the mirror: 1 change"),
            Report::Synced { changes } => write!(out, "synced the mirror: {changes} changes"),
            Report::SyncFailed(reason) => write!(out, "the sync is incomplete: {reason}; trying again"),
        }
    }
}

/// Gets a text, and whether it is about a problem.
type PassOn = Box<dyn Fn(bool, &str) + Send + Sync>;

/// Passes reports on as text.
pub struct Reporter {
    pass_on: PassOn,
    held: Mutex<HashMap<std::mem::Discriminant<Report>, Held>>,
}

/// The reports of a kind.
struct Held {
    passed_on: Instant,
    since: u64,
}

impl Reporter {
    /// `pass_on` gets each text, and whether it is about a problem.
    pub fn new(pass_on: impl Fn(bool, &str) + Send + Sync + 'static) -> Self {
        Reporter { pass_on: Box::new(pass_on), held: Mutex::default() }
    }

    pub fn report(&self, report: &Report) {
        self.report_at(report, Instant::now());
    }

    fn report_at(&self, report: &Report, now: Instant) {
        let pass_on = |text: &str| (self.pass_on)(report.is_problem(), text);
        if report.is_rare() {
            return pass_on(&report.to_string());
        }
        let between = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let kind = std::mem::discriminant(report);
            match held.get_mut(&kind) {
                Some(held) if now.saturating_duration_since(held.passed_on) < QUIET => {
                    held.since += 1;
                    return;
                }
                Some(held) => {
                    held.passed_on = now;
                    std::mem::take(&mut held.since)
                }
                None => {
                    held.insert(kind, Held { passed_on: now, since: 0 });
                    0
                }
            }
        };
        match between {
            0 => pass_on(&report.to_string()),
            between => pass_on(&format!("{report} ({between} more since the last report)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_others_can_cause_is_reported_once_a_minute() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let reporter = Reporter::new(move |_, line| sink.lock().unwrap().push(line.to_owned()));
        let (start, refused) = (Instant::now(), Report::Refused("forged".to_owned()));
        for seconds in [0, 1, 2, 61] {
            reporter.report_at(&refused, start + Duration::from_secs(seconds));
        }
        reporter.report_at(&Report::NotStored("full".to_owned()), start);
        assert_eq!(
            *lines.lock().unwrap(),
            [
                "refused a request: forged",
                "refused a request: forged (2 more since the last report)",
                "cannot store a notification: full",
            ]
        );
    }
}
