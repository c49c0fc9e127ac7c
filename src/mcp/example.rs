//! Converts the example of a command, which is a command line, to the arguments of a call.

use serde_json::{Map, Value, json};

use crate::cli::catalog::{CatalogEntry, CommandParameter, Shape};

/// The arguments of a command's example; `None` if it has none, or one that arguments cannot express.
pub fn arguments(entry: &CatalogEntry) -> Option<Value> {
    let line = entry.example.as_deref()?.lines().next()?;
    let words = shlex::split(line)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let start = words.iter().position(|word| *word == "intercom-pp-cli")? + 1;
    let spelling = entry.spellings().find(|spelling| words[start..].join(" ").starts_with(*spelling))?;
    let mut rest = words[start + spelling.split(' ').count()..].iter();
    let mut positional = entry.parameters.iter().filter(|parameter| parameter.flag.is_none());
    let mut arguments = Map::new();
    while let Some(word) = rest.next() {
        let Some(flag) = word.strip_prefix("--").filter(|flag| !flag.is_empty()) else {
            insert(&mut arguments, positional.next()?, word)?;
            continue;
        };
        let (flag, value) = flag.split_once('=').map_or((flag, None), |(flag, value)| (flag, Some(value)));
        // Consent and output formats are not arguments.
        if ["yes", "json", "csv", "no-input"].contains(&flag) {
            continue;
        }
        let Some(parameter) =
            entry.parameters.iter().find(|parameter| parameter.flag.as_deref() == Some(flag))
        else {
            let value = value.or_else(|| rest.next().copied())?;
            ["select", "jq"].contains(&flag).then(|| arguments.insert(flag.to_owned(), json!(value)))?;
            continue;
        };
        let value = match (value, parameter.is_switch) {
            (Some(value), _) => value,
            (None, true) => "true",
            (None, false) => rest.next()?,
        };
        insert(&mut arguments, parameter, value)?;
    }
    Some(arguments.into())
}

fn insert(arguments: &mut Map<String, Value>, parameter: &CommandParameter, text: &str) -> Option<()> {
    let value = match &parameter.shape {
        Shape::Integer | Shape::Number => serde_json::from_str(text).ok()?,
        Shape::Boolean => json!(text == "true"),
        Shape::Json => serde_json::from_str(text).ok()?,
        Shape::List => {
            let previous = arguments.remove(&parameter.name);
            let mut elements = previous.and_then(|list| list.as_array().cloned()).unwrap_or_default();
            let more = if parameter.is_comma_separated { text.split(',').collect() } else { vec![text] };
            elements.extend(more.into_iter().map(|element| json!(element)));
            json!(elements)
        }
        Shape::Text | Shape::Time | Shape::Choice(_) => json!(text),
    };
    arguments.insert(parameter.name.clone(), value);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::streams::FilePolicy;
    use crate::mcp::arguments::ToolCall;
    use crate::program::catalog;

    #[test]
    fn a_line_becomes_the_arguments_of_a_call() {
        let example = |command: &str| arguments(catalog().entry(command).unwrap()).unwrap();
        let tag = example("conversations bulk-tag");
        assert_eq!((&tag["tag"], tag["where"].is_string()), (&json!("follow-up"), true), "{tag}");
        assert_eq!(example("conversations incident-tag")["mentions"], json!(["checkout fails"]));
        assert!(example("contacts get")["id"].is_string());
    }

    #[test]
    fn examples_can_be_called() {
        for entry in catalog().entries() {
            let Some(example) = arguments(entry) else { continue };
            let call = ToolCall::bind(entry, example.as_object().unwrap(), &FilePolicy::All);
            assert!(call.is_ok(), "{}: {example}: {}", entry.words, call.unwrap_err());
        }
    }
}
