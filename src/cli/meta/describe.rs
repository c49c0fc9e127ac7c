//! `describe`: one command in full, small enough for an agent's context and readable for people.
//!
//! Everything comes from the catalog, so it must never say more than the command's own declaration.

use clap::Args;
use serde_json::{Value, json};

use super::command_document;
use crate::cli::catalog::{Catalog, CatalogEntry, CommandParameter};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Output, terminal_width};
use crate::cli::registry::{Effect, MetaCommand, Registry};
use crate::cli::{aliases, suggestions};

/// Maximum width of lines, and of the column with names.
const MAX_WIDTH: usize = 100;
const MAX_NAME: usize = 28;

/// Show what a command does, its arguments, its output and an example
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Prints JSON unless stdout is a terminal. Global options such as --json are not listed.\n\n\
                  Example: intercom-pp-cli describe contacts search"
)]
pub struct Describe {
    /// Words of the command, for example contacts search
    #[arg(value_name = "COMMAND", required = true, num_args = 1..)]
    command: Vec<String>,
}

impl MetaCommand for Describe {
    const WORDS: &'static str = "describe";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context, registry: &'static Registry) -> Result<(), Error> {
        let catalog = Catalog::new(registry);
        let words = self.command.join(" ");
        let words = words.trim().trim_start_matches("intercom-pp-cli ");
        let Some(entry) = catalog.entry(aliases::target(words)) else {
            return Err(suggestions::unknown_command(registry, words));
        };
        let flags = &context.globals.output;
        let output = Output::open(flags)?;
        if flags.is_for_people() {
            return output.text(&text(entry, terminal_width().unwrap_or(MAX_WIDTH).min(MAX_WIDTH))).await;
        }
        output.report(json!({ "source": "local" }), &document(entry)).await
    }
}

fn document(entry: &CatalogEntry) -> Value {
    let mut document = command_document::of(entry);
    if let Some(fields) = document.as_object_mut() {
        if fields["name"] == fields["command"] {
            fields.shift_remove("name");
        }
        fields.insert("output".to_owned(), json!(command_document::output(entry)));
        fields.retain(|_, value| !value.is_null());
    }
    document
}

/// The command as text for people.
fn text(entry: &CatalogEntry, width: usize) -> String {
    let mut text = format!("{}\n", entry.shown);
    let mut line =
        |label: &str, content: &str| text.push_str(&folded(&format!("{label:<9}"), content, width));
    line("", &entry.about);
    line("effect", command_document::effect(entry.effect));
    if let Some(operation) = entry.operation() {
        line("request", &format!("{} {}", operation.method.as_str(), operation.path));
    }
    line("output", &command_document::output(entry));
    if let Some(example) = &entry.example {
        line("example", example);
    }
    if !entry.parameters.is_empty() {
        let names = || entry.parameters.iter().map(command_document::shown);
        let column = names().map(|name| name.chars().count()).max().unwrap_or(0).min(MAX_NAME);
        text.push_str("\narguments\n");
        for (name, parameter) in names().zip(&entry.parameters) {
            text.push_str(&folded(&format!("  {name:<column$}"), &explanation(parameter), width));
        }
    }
    text
}

/// The type of an argument, whether it is required, its values and its help.
fn explanation(parameter: &CommandParameter) -> String {
    let (kind, choices) = command_document::kind(&parameter.shape);
    let kind = match choices {
        Some(choices) => choices.join("|"),
        None if parameter.is_switch => String::new(),
        None => kind.to_owned(),
    };
    let required = if parameter.required { "required" } else { "" };
    let default = parameter.default.as_ref().filter(|_| !parameter.is_switch);
    let default = default.map(|value| format!("default {value}")).unwrap_or_default();
    let facts: Vec<&str> =
        [kind.as_str(), required, &default].into_iter().filter(|fact| !fact.is_empty()).collect();
    match (facts.is_empty(), parameter.help.as_str()) {
        (true, help) => help.to_owned(),
        (false, "") => facts.join(", "),
        (false, help) => format!("{}: {help}", facts.join(", ")),
    }
}

/// A label and its content, whose further lines are indented below its first.
fn folded(label: &str, content: &str, width: usize) -> String {
    let indent = label.chars().count() + 2;
    let room = width.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = vec![String::new()];
    for word in content.split_whitespace() {
        let last = lines.len() - 1;
        let length = lines[last].chars().count();
        if length > 0 && length + 1 + word.chars().count() > room {
            lines.push(word.to_owned());
        } else {
            let separator = if length == 0 { "" } else { " " };
            lines[last] = format!("{}{separator}{word}", lines[last]);
        }
    }
    let joined = lines.join(&format!("\n{}", " ".repeat(indent)));
    format!("{label}  {joined}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::catalog;

    #[test]
    fn descriptions_are_small() {
        let sizes: Vec<(usize, String)> = catalog()
            .entries()
            .iter()
            .map(|entry| (document(entry).to_string().len(), entry.shown.clone()))
            .collect();
        let mut sorted = sizes.clone();
        sorted.sort();
        let median = sorted[sorted.len() / 2].0;
        assert!(median <= 1_500, "{median}");
        assert!(sorted.last().is_some_and(|(size, _)| *size <= 6_000), "{:?}", sorted.last());
    }

    #[test]
    fn a_description_names_effect_arguments_output_and_example() {
        let search = document(catalog().entry("contacts search").unwrap());
        assert_eq!(
            (&search["effect"], &search["request"]),
            (&json!("read"), &json!("POST /contacts/search"))
        );
        assert!(search["output"].as_str().unwrap().starts_with("results.data[]"), "{search}");
        let names: Vec<&str> =
            search["arguments"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
        assert!(names.contains(&"--where"), "{names:?}");
        let close = text(catalog().entry("conversations bulk-close").unwrap(), 80);
        assert!(close.contains("\neffect") && close.contains("\n  --where"), "{close}");
        assert!(close.lines().all(|line| line.chars().count() <= 100), "{close}");
    }
}
