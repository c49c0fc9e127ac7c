//! Examples: one command line for each operation, and those in the help of hand-written commands.
//!
//! An operation without an example in the table gets one with its required arguments, in which words in capitals are
//! placeholders. Lines must be valid in a shell.

use super::body_schema::BodySchema;
use crate::api::operation::{Kind, Operation, Parameter, Place};
use crate::cli::flags::search_argument;

/// Begins a paragraph with an example.
const MARK: &str = "Example: ";

/// The example for an operation, called by these words.
///
/// # Errors
/// As [`BodySchema::of`].
pub fn of(words: &str, operation: &Operation) -> Result<String, String> {
    match operation.example {
        Some(arguments) => Ok(format!("intercom-pp-cli {words} {arguments}").trim_end().to_owned()),
        None => derived(words, operation),
    }
}

/// Separates a text after a command's help into its examples and the rest.
pub fn split_examples(after_help: &str) -> (Vec<String>, String) {
    let is_example = |paragraph: &&str| paragraph.trim_start().starts_with(MARK);
    let (examples, notes): (Vec<&str>, Vec<&str>) = after_help.split("\n\n").partition(is_example);
    // A paragraph may contain several.
    let examples = examples.into_iter().flat_map(|paragraph| paragraph.split(MARK)).map(str::trim);
    let examples = examples.filter(|example| !example.is_empty()).map(str::to_owned).collect();
    (examples, notes.join("\n\n").trim_end().to_owned())
}

/// A line with the required arguments.
fn derived(words: &str, operation: &Operation) -> Result<String, String> {
    let mut line = format!("intercom-pp-cli {words}");
    let searches = search_argument(operation).is_some();
    if searches {
        line.push_str(" --where 'created_at > 7d'");
    }
    let required =
        operation.parameters.iter().filter(|parameter| parameter.required && parameter.default.is_none());
    for parameter in required.filter(|parameter| !(searches && parameter.name == "query")) {
        match field_flags(operation, parameter) {
            None => line.push_str(&argument(operation, parameter)?),
            Some(fields) => {
                for field in fields {
                    line.push_str(&argument(operation, field)?);
                }
            }
        }
    }
    Ok(line)
}

/// For an object whose fields have flags, the flags to use: none if some are required (and added anyway), else the
/// first.
fn field_flags<'a>(operation: &'a Operation, object: &Parameter) -> Option<Vec<&'a Parameter>> {
    let is_field = |parameter: &&Parameter| {
        parameter.place == object.place
            && parameter.name.strip_prefix(object.name).is_some_and(|rest| rest.starts_with('.'))
    };
    let mut fields = operation.parameters.iter().filter(is_field);
    if fields.clone().any(|field| field.required) {
        return Some(Vec::new());
    }
    fields.next().map(|first| vec![first])
}

/// A parameter with a value, as typed.
fn argument(operation: &Operation, parameter: &Parameter) -> Result<String, String> {
    let name = || parameter.flag.replace('-', "_").to_uppercase();
    let value = match parameter.kind {
        Kind::Choice(values) => values.first().map_or_else(name, |value| (*value).to_owned()),
        Kind::Boolean => "true".to_owned(),
        Kind::Integer | Kind::Number => "1".to_owned(),
        Kind::Time if parameter.flag.ends_with("before") => "1d".to_owned(),
        Kind::Time => "7d".to_owned(),
        Kind::Json => {
            let smallest = BodySchema::of(operation)?.map(|body| body.smallest(parameter.name));
            format!("'{}'", smallest.unwrap_or_else(|| serde_json::json!({})))
        }
        Kind::String | Kind::List(_) => name(),
    };
    Ok(match (parameter.place, parameter.kind) {
        (Place::Path, _) => format!(" {value}"),
        (_, Kind::Boolean) => format!(" --{}={value}", parameter.flag),
        _ => format!(" --{} {value}", parameter.flag),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::catalog;

    #[test]
    fn a_derived_example_contains_the_required_arguments() {
        for (command, example) in [
            ("contacts show", "contacts show ID"),
            ("contacts search", "contacts search --where 'created_at > 7d'"),
            ("conversations create", "conversations create --from-type lead --from-id FROM_ID --body BODY"),
            (
                "tickets create",
                "tickets create --ticket-type-id TICKET_TYPE_ID --contacts '[{\"id\":\"ID\"}]'",
            ),
            ("events list-data", "events list-data --filter-user-id FILTER_USER_ID --type TYPE"),
            ("visitors convert", "visitors convert --type TYPE --user-id USER_ID --visitor-id VISITOR_ID"),
        ] {
            let operation = catalog().entry(command).unwrap().operation().unwrap();
            assert_eq!(derived(command, operation), Ok(format!("intercom-pp-cli {example}")));
        }
    }

    #[test]
    fn every_command_has_an_example_without_placeholders() {
        let placeholder = regex::Regex::new(r"(^| )[A-Z][A-Z_]+( |$)").unwrap();
        for entry in catalog().entries() {
            let example =
                entry.example.as_deref().unwrap_or_else(|| panic!("{} has no example", entry.words));
            assert!(entry.operation().is_none() || !placeholder.is_match(example), "{example}");
            assert!(shlex::split(example).is_some(), "{example}");
        }
    }

    #[test]
    fn examples_are_separated_from_notes() {
        let (examples, notes) = split_examples("A note.\n\nExample: a b\nExample: b\n\nMore.\n\nExample: c");
        assert_eq!(examples, ["a b", "b", "c"]);
        assert_eq!(notes, "A note.\n\nMore.");
        assert_eq!(split_examples(""), (Vec::new(), String::new()));
    }
}
