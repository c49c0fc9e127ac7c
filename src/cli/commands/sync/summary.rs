//! What a sync did, for people: one sentence, or a table of its resources.
//!
//! The counts are those of the mirror, because a later run fetches only what changed. A resource that is incomplete is
//! never counted: the error that follows names it.

use crate::cli::output::grid::{Grid, Shape};
use crate::cli::output::{OutputFlags, grouped};
use crate::data::span;
use crate::mirror::{ResourceName, ResourceOutcome, Summary, WriteCounts};

/// Resources that are named whether or not they changed.
const ALWAYS_NAMED: [ResourceName; 2] = [ResourceName::Contacts, ResourceName::Conversations];
/// Resources that are named if they changed.
const NAMED_IF_CHANGED: [ResourceName; 2] = [ResourceName::Tickets, ResourceName::Articles];

/// The sentence; `None` if nothing is complete. `stored` is the number of mirrored records of a resource.
pub fn sentence(summary: &Summary, stored: impl Fn(ResourceName) -> u64) -> Option<String> {
    let complete: Vec<&ResourceOutcome> =
        summary.resources.iter().filter(|outcome| outcome.complete && !outcome.skipped).collect();
    if complete.is_empty() {
        return None;
    }
    let is_named = |outcome: &ResourceOutcome| {
        ALWAYS_NAMED.contains(&outcome.resource)
            || (NAMED_IF_CHANGED.contains(&outcome.resource) && has_changes(outcome.written))
    };
    let (mut named, mut others): (Vec<&ResourceOutcome>, Vec<&ResourceOutcome>) =
        complete.iter().copied().partition(|outcome| is_named(outcome));
    if named.is_empty() || others.len() == 1 {
        // Few enough to name them.
        let names = others.len().min(2);
        named.extend(others.drain(..names));
    }
    let mut parts: Vec<String> = named
        .iter()
        .map(|outcome| {
            let count = stored(outcome.resource);
            format!("{}{}", counted(count, outcome.resource), changes(outcome.written, count))
        })
        .collect();
    if !others.is_empty() {
        let mut written = WriteCounts::default();
        others.iter().for_each(|outcome| written.add(outcome.written));
        let count = others.iter().map(|outcome| stored(outcome.resource)).sum();
        let noun = if others.len() == 1 { "other resource" } else { "other resources" };
        parts.push(format!("{} {noun}{}", others.len(), changes(written, count)));
    }
    let verb = match summary {
        Summary { interrupted: true, .. } => "Interrupted, complete so far:",
        Summary { complete: false, .. } => "Partly synced:",
        _ if complete.iter().any(|outcome| has_changes(outcome.written)) => "Synced",
        _ => "Up to date:",
    };
    let time = match summary.seconds {
        0.0..0.1 => "under 0.1 s".to_owned(),
        seconds => span::length(seconds),
    };
    Some(format!("{verb} {} in {time}", joined(&parts)))
}

/// One line per resource.
pub fn table(flags: &OutputFlags, summary: &Summary) -> String {
    let mut grid = Grid::new(&[
        ("resource", Shape::Text),
        ("fetched", Shape::Number),
        ("new", Shape::Number),
        ("changed", Shape::Number),
        ("removed", Shape::Number),
        ("note", Shape::Flexible(20)),
        ("requests", Shape::Number),
        ("time", Shape::Number),
    ]);
    for outcome in &summary.resources {
        let WriteCounts { fetched, inserted, updated, deleted, .. } = outcome.written;
        let state = match (outcome.skipped, outcome.complete) {
            (true, _) => "skipped: ",
            (false, false) => "incomplete: ",
            (false, true) => "",
        };
        let [fetched, inserted, updated, deleted] = [fetched, inserted, updated, deleted].map(grouped);
        let note = format!("{state}{}", outcome.reason.as_deref().unwrap_or_default());
        let (requests, time) = (grouped(outcome.requests), span::length(outcome.seconds));
        grid.row([
            outcome.resource.as_str().to_owned(),
            fetched,
            inserted,
            updated,
            deleted,
            note,
            requests,
            time,
        ]);
    }
    grid.print(flags, |palette, column, cell| match column {
        "note" if cell.starts_with("incomplete") => palette.yellow(cell),
        "note" => palette.dim(cell),
        _ => cell.to_owned(),
    })
}

/// The name of a resource in words.
pub fn name(resource: ResourceName) -> String {
    resource.as_str().replace('_', " ")
}

/// A number with the noun that agrees.
fn counted(count: u64, resource: ResourceName) -> String {
    let name = name(resource);
    match (count, name.strip_suffix("ies"), name.strip_suffix('s')) {
        (1, Some(stem), _) => format!("1 {stem}y"),
        (1, None, Some(singular)) => format!("1 {singular}"),
        _ => format!("{} {name}", grouped(count)),
    }
}

fn has_changes(written: WriteCounts) -> bool {
    written.inserted + written.updated + written.deleted > 0
}

/// The changes in parentheses; empty without changes, or if everything is new.
fn changes(written: WriteCounts, stored: u64) -> String {
    let WriteCounts { inserted, updated, deleted, .. } = written;
    if inserted == stored && updated + deleted == 0 {
        return String::new();
    }
    let counts = [(inserted, "new"), (updated, "changed"), (deleted, "removed")];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let texts: Vec<String> = counts.map(|(count, word)| format!("{} {word}", grouped(*count))).collect();
    if texts.is_empty() { String::new() } else { format!(" ({})", texts.join(", ")) }
}

fn joined(parts: &[String]) -> String {
    match parts {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        parts => parts.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ResourceName::{Companies, Contacts, Conversations, Tags, Teams, Tickets};

    fn outcome(resource: ResourceName, inserted: u64, updated: u64) -> ResourceOutcome {
        ResourceOutcome {
            resource,
            written: WriteCounts { fetched: inserted + updated, inserted, updated, ..WriteCounts::default() },
            requests: 1,
            seconds: 0.1,
            resumed: false,
            complete: true,
            skipped: false,
            gone: 0,
            deletions_checked_at: None,
            fresh_until: None,
            reason: None,
            cause: None,
            quarantined: Vec::new(),
        }
    }

    fn shown(resources: Vec<ResourceOutcome>) -> Option<String> {
        let complete = resources.iter().all(|outcome| outcome.complete);
        let summary = Summary {
            workspace: None,
            started_at: 0,
            seconds: 0.31,
            complete,
            interrupted: false,
            resources,
        };
        sentence(&summary, |resource| if resource == Companies { 1 } else { 1_002 })
    }

    #[test]
    fn a_sync_is_one_sentence() {
        let all = |contacts, changed| {
            vec![
                outcome(Contacts, contacts, 0),
                outcome(Conversations, 0, changed),
                outcome(Tags, 0, 0),
                outcome(Teams, 0, 0),
            ]
        };
        assert_eq!(
            shown(all(1_002, 2)).unwrap(),
            "Synced 1,002 contacts, 1,002 conversations (2 changed) and 2 other resources in 0.3 s"
        );
        assert_eq!(
            shown(all(0, 0)).unwrap(),
            "Up to date: 1,002 contacts, 1,002 conversations and 2 other resources in 0.3 s"
        );
        let mut partial = all(0, 0);
        partial[3].complete = false;
        assert_eq!(
            shown(partial).unwrap(),
            "Partly synced: 1,002 contacts, 1,002 conversations and 1,002 tags in 0.3 s"
        );
    }

    #[test]
    fn few_resources_are_all_named() {
        assert_eq!(
            shown(vec![outcome(Companies, 0, 1), outcome(Tickets, 2, 0)]).unwrap(),
            "Synced 1,002 tickets (2 new) and 1 company (1 changed) in 0.3 s"
        );
        assert_eq!(shown(vec![outcome(Teams, 0, 0)]).unwrap(), "Up to date: 1,002 teams in 0.3 s");
        let failed = ResourceOutcome { complete: false, ..outcome(Tags, 0, 0) };
        assert_eq!(shown(vec![failed]), None);
    }
}
