//! `api versions`: which API versions the commands were made from, and what changes between two of them.
//!
//! Everything comes from the operation table and from `cli/version_changes.rs`. Must never send a request.

mod known;
mod parameters;
mod range;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use self::known::KnownVersion;
use self::parameters::ParameterChange;
use self::range::VersionRange;
use crate::api::commands::OPERATIONS;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::grid::{Grid, Shape};
use crate::cli::output::wrap::wrapped;
use crate::cli::output::{Extent, Output, terminal_width};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::version_changes::{self, VersionChange};

/// Longest line of a text, because wide paragraphs are hard to read.
const READABLE: usize = 100;

/// List the API versions, what each adds, and what changes between them
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Commands send the pinned version. One that needs a later version sends the lowest that has it, and \
                  --api-version sends another one.\n\n\
                  Example: intercom-pp-cli api versions --changes 2.13..2.16"
)]
pub struct ListVersions {
    /// Show what changes for commands between two versions, for example 2.13..2.16
    #[arg(long, value_name = "FROM..TO")]
    changes: Option<VersionRange>,
}

impl HandwrittenCommand for ListVersions {
    const WORDS: &'static str = "api versions";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        match self.changes {
            None => list(context).await,
            Some(range) => compare(context, &range).await,
        }
    }
}

async fn list(context: &Context) -> Result<(), Error> {
    let versions = known::versions();
    let extent = Extent::complete("versions");
    let (output, meta) = (Output::open(&context.globals.output)?, json!({ "source": "local" }));
    if !context.globals.output.is_for_people() {
        return output.rows(meta, &versions, &extent).await;
    }
    let mut grid = Grid::new(&[
        ("version", Shape::Text),
        ("operations", Shape::Number),
        ("new", Shape::Number),
        ("adds", Shape::Flexible(24)),
    ]);
    for (at, version) in versions.iter().enumerate() {
        let is_first = at == 0;
        let name =
            if version.pinned { format!("{} (pinned)", version.version) } else { version.version.to_owned() };
        // Everything is new in the first version.
        let (new, adds) = if is_first {
            (String::new(), String::new())
        } else {
            (version.additions.len().to_string(), groups(version).join(", "))
        };
        grid.row([name, version.operations.to_string(), new, adds]);
    }
    let text = grid.print(&context.globals.output, |_, _, cell| cell.to_owned());
    output.of(extent, versions.len() as u64).text(&text).await
}

/// The groups that have new commands, in the order of the table.
fn groups(version: &KnownVersion) -> Vec<&'static str> {
    let mut groups: Vec<&str> = Vec::new();
    for addition in &version.additions {
        let group = addition.command.split(' ').next().unwrap_or(addition.command);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

/// What changes between two versions.
#[derive(Serialize)]
struct Comparison {
    from: String,
    to: String,
    /// What a description cannot say.
    behavior: Vec<BehaviorChange>,
    /// What the descriptions say about commands that both versions have.
    parameters: Vec<ParameterChange>,
}

#[derive(Serialize)]
struct BehaviorChange {
    version: String,
    change: &'static str,
    commands: &'static [&'static str],
    handling: &'static str,
}

impl BehaviorChange {
    fn of(change: &'static VersionChange) -> Self {
        let VersionChange { version, change, commands, handling, .. } = change;
        BehaviorChange { version: version.to_string(), change, commands, handling }
    }
}

async fn compare(context: &Context, range: &VersionRange) -> Result<(), Error> {
    let comparison = Comparison {
        from: range.from.to_string(),
        to: range.to.to_string(),
        behavior: version_changes::between(&range.from, &range.to).map(BehaviorChange::of).collect(),
        parameters: parameters::between(OPERATIONS, range),
    };
    let (output, meta) = (Output::open(&context.globals.output)?, json!({ "source": "local" }));
    if context.globals.output.is_for_people() {
        return output.text(&text(&comparison, terminal_width())).await;
    }
    output.report(meta, &comparison).await
}

/// The changes as paragraphs, and the parameters as lines.
fn text(comparison: &Comparison, width: Option<usize>) -> String {
    let width = width.unwrap_or(READABLE).min(READABLE);
    let Comparison { from, to, behavior, parameters } = comparison;
    if behavior.is_empty() && parameters.is_empty() {
        return format!("No command notices a change from {from} to {to}.\n");
    }
    let mut lines = Vec::new();
    for BehaviorChange { version, change, commands, handling } in behavior {
        let indented = |text: &str, lines: &mut Vec<String>| {
            lines.extend(wrapped(text, width - 6).into_iter().map(|line| format!("      {line}")));
        };
        let mut head = wrapped(change, width - 6).into_iter();
        lines.push(format!("{version:<6}{}", head.next().unwrap_or_default()));
        lines.extend(head.map(|line| format!("      {line}")));
        indented(&format!("{}.", handling), &mut lines);
        indented(&format!("Commands: {}", commands.join(", ")), &mut lines);
        lines.push(String::new());
    }
    if !parameters.is_empty() {
        lines.push("Parameters and body fields:".to_owned());
        for ParameterChange { version, command, parameter, change, .. } in parameters {
            lines.push(format!("{version:<6}{command}: {parameter} {}", change.phrase()));
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_wraps_a_change_and_what_is_done_about_it() {
        let behavior = vec![BehaviorChange {
            version: "2.16".to_owned(),
            change: "Unassigned is 0 instead of null",
            commands: &["conversations list", "sync"],
            handling: "Both mean unassigned",
        }];
        let comparison =
            Comparison { from: "2.13".into(), to: "2.16".into(), behavior, parameters: Vec::new() };
        let expected = "2.16  Unassigned is 0\n      instead of null\n      Both mean\n      unassigned.\n      \
                        Commands:\n      conversations\n      list, sync\n";
        assert_eq!(text(&comparison, Some(24)), expected);
        let nothing = Comparison { behavior: Vec::new(), ..comparison };
        assert_eq!(text(&nothing, None), "No command notices a change from 2.13 to 2.16.\n");
    }
}
