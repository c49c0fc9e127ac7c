//! Definitions of the figures for readers of the page, who have neither its flags nor the command line.
//!
//! The definitions of `conversations sla --help` say the same about flags; a change of one needs a change of the other.

use crate::report::sla::options::{Metric, PeriodAnchor, Resolution, SlaOptions};
use crate::report::timeline_cache::Start;

/// Names and texts of the figures that the page shows.
pub fn definitions(options: &SlaOptions) -> Vec<(&'static str, String)> {
    let mut list = vec![("Conversations", conversations(options)), ("Start", start(options).to_owned())];
    list.extend(options.metrics.iter().map(|metric| measured(*metric, options)));
    list.extend(
        [
            ("Answered", "A human teammate has replied at least once."),
            ("Unanswered", "No human teammate has replied yet, whether the conversation is open or closed."),
            ("Reopened", "Opened again after a close, at least once."),
            (
                "Not counted",
                "Started by the team or a workflow, and the customer never wrote. These are in no other figure.",
            ),
            (
                "Incomplete",
                "So long that Intercom returns only the newest 500 parts. They have no first response time.",
            ),
        ]
        .map(|(name, text)| (name, text.to_owned())),
    );
    if options.metrics.iter().any(|metric| options.targets.of(*metric).is_some()) {
        list.push((
            "In time",
            "Share of the times within the target, among those that are over and those already over target."
                .to_owned(),
        ));
        list.push((
            "Over target",
            "Conversations still open and past the target at the time of the report.".to_owned(),
        ));
    }
    list.push(("Percentiles", percentiles(options)));
    list.push(("Hours", hours(options)));
    list
}

fn conversations(options: &SlaOptions) -> String {
    let anchor = match options.by {
        PeriodAnchor::Start => "started",
        PeriodAnchor::Reply => "got their first response",
        PeriodAnchor::Close => "were closed",
    };
    format!("Those that {anchor} in the period, with at least one message from the customer.")
}

const fn start(options: &SlaOptions) -> &'static str {
    match options.start {
        Start::FirstContact => {
            "The opening message. If the team or a workflow opened the conversation: the customer's first message."
        }
        Start::Created => "The creation of the conversation, whoever opened it.",
    }
}

fn measured(metric: Metric, options: &SlaOptions) -> (&'static str, String) {
    match metric {
        Metric::FirstResponse => (
            "First response",
            "From the customer's first message to the first visible message by a human teammate. Notes, bots, AI \
             agents and automatic replies do not count."
                .to_owned(),
        ),
        Metric::Resolution => (
            "Resolution",
            match options.resolution {
                Resolution::LastClose => {
                    "From the customer's first message to the last close, for conversations that are closed now."
                }
                Resolution::FirstClose => {
                    "From the customer's first message to the first close, even if the conversation was reopened."
                }
            }
            .to_owned(),
        ),
        Metric::NextResponse => (
            "Next response",
            "From each later message of the customer, or the oldest unanswered one of several, to the next visible \
             message by a human teammate."
                .to_owned(),
        ),
        Metric::Handle => (
            "Handling",
            "Time in which a closed conversation was open, not snoozed, and with a teammate.".to_owned(),
        ),
    }
}

fn percentiles(options: &SlaOptions) -> String {
    format!(
        "Half of the times are at most the median, nine out of ten at most the 90th percentile (nearest rank). With \
         fewer than {} times there is neither, and a dash is shown.",
        options.min_samples
    )
}

fn hours(options: &SlaOptions) -> String {
    let counted = match options.business_hours {
        Some(_) => "Only office hours count.",
        None => "All hours count, including nights and weekends.",
    };
    let snoozed = if options.without_snoozed { " Snoozed time does not count." } else { "" };
    format!("{counted}{snoozed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_name_no_flags() {
        let mut options = SlaOptions { metrics: Metric::ALL.to_vec(), ..SlaOptions::default() };
        options.targets.set(Metric::Resolution, 60);
        let list = definitions(&options);
        for name in ["Resolution", "Next response", "Handling", "In time", "Over target"] {
            assert!(list.iter().any(|(known, _)| *known == name), "{name}");
        }
        for (name, text) in list {
            assert!(!text.contains("--") && text.ends_with('.'), "{name}: {text}");
        }
    }
}
