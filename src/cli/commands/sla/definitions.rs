//! Definitions of the report's figures, which name its flags.

/// Printed in the help and the JSON output. Readers of the HTML page get others, which name no flags.
pub const DEFINITIONS: [(&str, &str); 14] = [
    (
        "conversations",
        "conversations in the period with at least one message of a contact; --by selects the moment that must be in the period",
    ),
    (
        "start",
        "the opening message; for conversations that the team or a workflow began, the first message of a contact \
         (--outbound created: the creation of the conversation)",
    ),
    (
        "excluded",
        "started by the team or a workflow and never answered by the contact; not counted anywhere else",
    ),
    (
        "first_response",
        "from the first message of a contact to the next visible message of a human teammate: a comment, or an assignment, \
         close, snooze or reopening with text; not notes, bots, Operator, AI agents or workflows, whatever their author type; \
         in minutes",
    ),
    (
        "resolution",
        "from the first message of a contact to the last close, for conversations that are closed now (--resolution first-close: \
         to the first close, even if reopened later); in hours",
    ),
    (
        "next_response",
        "from each later message of a contact (the oldest unanswered one) to the next visible message of a human teammate; in minutes",
    ),
    (
        "handle",
        "time in which the conversation was open, not snoozed, and handled by a teammate (assigned, or after a message from \
         one), for conversations that are closed now; in minutes",
    ),
    ("unanswered", "no first response yet, open or closed"),
    ("reopened", "reopened after a close at least once"),
    (
        "breached",
        "still open and past a target as of the last complete sync: not answered or not resolved yet; also counted per metric",
    ),
    (
        "target_met_pct",
        "share within the target, among measured conversations and those already past it (breached)",
    ),
    ("truncated", "the API did not return all parts (it returns at most 500); without a first response time"),
    ("percentiles", "nearest rank; null for fewer samples (n) than --min-samples"),
    (
        "hours",
        "calendar: all time counts; office: only time within [office_hours] of the config file; --without-snoozed excludes \
         snoozed time",
    ),
];
