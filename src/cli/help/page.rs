//! The content of a help page, read from the declaration of a command.

use clap::{Arg, Command};

use super::layout::{self, Row};
use super::{Detail, Section};
use crate::cli::catalog::split_examples;
use crate::cli::globals;

/// Arguments that clap adds to every command.
const BUILT_IN: [&str; 2] = ["help", "version"];

/// Further indentation of lines that continue an indented line of the notes, for example a definition.
const HANGING: usize = 4;

/// The last line of each page.
const GLOBAL_FLAGS: &str = "Global options such as --json, --select, --profile: intercom-pp-cli help flags";

pub struct Page {
    about: String,
    /// With the paragraphs that only the full page shows.
    description: String,
    usage: String,
    examples: Vec<String>,
    sections: Vec<Section>,
    /// Headings and their rows.
    arguments: Vec<(String, Vec<Row>)>,
    notes: String,
}

impl Page {
    /// The page of a command that these words call. Further examples are read from its declaration.
    pub fn of(command: &Command, path: &str, mut examples: Vec<String>) -> Self {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let (declared, notes) = split_examples(&after);
        examples.extend(declared);
        Page {
            description: command.get_long_about().map_or_else(|| about.clone(), ToString::to_string),
            about,
            usage: usage(command, path),
            examples,
            sections: Vec::new(),
            arguments: arguments(command),
            notes,
        }
    }

    pub fn with_sections(self, sections: Vec<Section>) -> Self {
        Page { sections, ..self }
    }

    pub fn text(&self, detail: Detail, width: usize) -> String {
        let is_full = detail == Detail::Full;
        let mut parts = vec![
            layout::wrap(if is_full { &self.description } else { &self.about }, width, 0),
            format!("{} {}", layout::heading("Usage:"), self.usage),
        ];
        if is_full && !self.examples.is_empty() {
            let title = if self.examples.len() == 1 { "Example:" } else { "Examples:" };
            // Not wrapped, so that they can be copied.
            let lines: String = self.examples.iter().map(|line| format!("\n  {line}")).collect();
            parts.push(format!("{}{lines}", layout::heading(title)));
        }
        for section in &self.sections {
            parts.push(layout::block(&section.title, &section.rows, width, is_full));
        }
        for (heading, rows) in &self.arguments {
            parts.push(layout::block(heading, rows, width, is_full));
        }
        if is_full && !self.notes.is_empty() {
            parts.push(layout::wrap(&self.notes, width, HANGING));
        }
        parts.push(if is_full { GLOBAL_FLAGS.to_owned() } else { "More, with examples: --help".to_owned() });
        parts.join("\n\n")
    }
}

/// How the command is called. A group that runs its only command is shown as that command.
fn usage(command: &Command, path: &str) -> String {
    let name = format!("intercom-pp-cli {path}");
    let mut command = command.clone().bin_name(name.trim_end());
    let usage = command.render_usage().to_string();
    let first = usage.trim_start_matches("Usage:").trim().lines().next().unwrap_or_default();
    first.trim_end().to_owned()
}

/// The arguments that the command declares itself, positional ones first.
fn arguments(command: &Command) -> Vec<(String, Vec<Row>)> {
    let is_own = |argument: &&Arg| {
        !argument.is_hide_set()
            && !BUILT_IN.contains(&argument.get_id().as_str())
            && argument.get_help_heading() != Some(globals::HEADING)
    };
    let mut blocks: Vec<(String, Vec<Row>)> = Vec::new();
    let mut arguments: Vec<&Arg> = command.get_arguments().filter(is_own).collect();
    arguments.sort_by_key(|argument| !argument.is_positional());
    for argument in arguments {
        let default = if argument.is_positional() { "Arguments" } else { "Options" };
        let heading = format!("{}:", argument.get_help_heading().unwrap_or(default));
        let row = argument_row(argument);
        match blocks.iter_mut().find(|(known, _)| *known == heading) {
            Some((_, rows)) => rows.push(row),
            None => blocks.push((heading, vec![row])),
        }
    }
    blocks
}

/// The argument as it is typed.
fn name(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let takes_value = argument.get_action().takes_values();
    let value = match values.first() {
        Some(value) if takes_value => format!("<{value}>"),
        _ => String::new(),
    };
    let is_repeated = argument.get_num_args().is_some_and(|range| range.max_values() > 1);
    let is_optional = argument.get_num_args().is_some_and(|range| range.min_values() == 0);
    if argument.is_positional() {
        let value =
            if argument.is_required_set() { value } else { value.replace('<', "[").replace('>', "]") };
        return if is_repeated { format!("{value}...") } else { value };
    }
    let short = argument.get_short().map(|letter| format!("-{letter}, ")).unwrap_or_default();
    let long = argument.get_long().map(|long| format!("--{long}")).unwrap_or_default();
    match (value.is_empty(), is_optional && takes_value) {
        (true, _) => format!("{short}{long}"),
        (false, false) => format!("{short}{long} {value}"),
        (false, true) => format!("{short}{long}[={value}]", value = value.trim_matches(['<', '>'])),
    }
}

/// The help of an argument, with what clap knows about its values.
fn text(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default();
    if argument.is_required_set() && !argument.is_positional() && !text.contains("required") {
        text.push_str(" (required)");
    }
    let mut add = |note: String| text.push_str(&format!(" [{note}]"));
    let aliases = argument.get_visible_aliases().unwrap_or_default();
    if !aliases.is_empty() {
        let names: Vec<String> = aliases.iter().map(|alias| format!("--{alias}")).collect();
        add(format!("or {}", names.join(", ")));
    }
    if !argument.get_action().takes_values() {
        return text;
    }
    let values: Vec<String> =
        argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let is_boolean = values == ["true", "false"];
    if !values.is_empty() && !argument.is_hide_possible_values_set() && !is_boolean {
        add(format!("values: {}", values.join(", ")));
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !defaults.is_empty() && !argument.is_hide_default_value_set() {
        add(format!("default: {}", defaults.join(",")));
    }
    text
}

/// A command in a list.
pub fn command_row(command: &Command) -> Row {
    let text = command.get_about().map(ToString::to_string).unwrap_or_default();
    Row { name: command.get_name().to_owned(), text }
}

/// An argument in a list.
pub fn argument_row(argument: &Arg) -> Row {
    Row { name: name(argument), text: text(argument) }
}
