//! Which tools a client is told of.
//!
//! Every tool costs the client tokens, used or not: by default there are the few that lead to all
//! commands, and those that are used most. A tool's hints come from its command's declared effect.

use std::sync::Arc;

use rmcp::model::{MetaObject, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::effects;
use super::options::{Listed, Options};
use super::schema::{self, Detail};
use crate::cli::catalog;
use crate::cli::catalog::Entry;
use crate::cli::effect::Effect;

/// Commands that are tools of their own in every mode.
const HEADLINES: [&str; 7] =
    ["contact 360", "conversations sla", "conversations incident-tag", "search", "sql", "sync", "status"];

/// The tools for a server with these options, in a fixed order.
pub fn listed(options: &Options) -> Vec<Tool> {
    let mut tools = general(options);
    let entries = match options.listed {
        Listed::Few => catalog().handwritten().iter().collect(),
        _ => catalog().entries(),
    };
    let wanted = |entry: &Entry| match &options.listed {
        Listed::Few => HEADLINES.contains(&entry.words.as_str()),
        Listed::Groups(groups) => {
            HEADLINES.contains(&entry.words.as_str()) || groups.iter().any(|group| group == entry.group())
        }
        Listed::All => true,
    };
    let files = options.files();
    let shown = entries.iter().filter(|entry| {
        wanted(entry) && permitted(effects::least_change(entry), options) && schema::is_usable(entry, &files)
    });
    tools.extend(shown.map(|entry| of(entry, options)));
    tools
}

/// Whether commands of this effect may run at all.
pub fn permitted(effect: Effect, options: &Options) -> bool {
    match effect {
        Effect::Read | Effect::Local => true,
        Effect::Write => options.allow_writes,
        Effect::Destructive => options.allow_writes && options.allow_destructive,
        Effect::Terminal => false,
    }
}

/// The tool that runs commands of this effect by name.
pub fn runner(effect: Effect) -> &'static str {
    match effect {
        Effect::Write => "run_write",
        Effect::Destructive => "run_destructive",
        Effect::Local => "run_local",
        _ => "run_read",
    }
}

/// Whether the tool may run a call of this effect: the one for it, or for changes one that promises less.
pub fn runs(tool: &str, effect: Effect) -> bool {
    runner(effect) == tool || (effect == Effect::Write && tool == "run_destructive")
}

fn of(entry: &Entry, options: &Options) -> Tool {
    let detail = match options.listed == Listed::Few {
        true => Detail::Brief,
        false => Detail::Full,
    };
    let files = options.files();
    let input = schema::input(entry, &files, detail);
    let names_files = schema::offered(entry, &files).any(|parameter| parameter.access.is_some());
    let tool = Tool::new(entry.tool_name(), entry.about.clone(), Arc::new(input));
    let tool = tool.with_annotations(hints(
        effects::of_tool(entry, &files),
        entry.is_additive,
        names_files,
        entry.idempotent,
    ));
    let tool = sized(tool, options);
    match (entry.operation(), detail) {
        // The API's answers differ from their description; promising their shape would break clients.
        (Some(_), _) | (None, Detail::Brief) => tool,
        (None, Detail::Full) => tool.with_raw_output_schema(Arc::new(envelope())),
    }
}

/// Tells clients that put large results aside how large results of this server get.
fn sized(tool: Tool, options: &Options) -> Tool {
    let says_little = [
        "search_commands",
        "describe_command",
        "run_local",
        "run_write",
        "run_destructive",
        "status",
        "sync",
        "conversations_incident-tag",
    ]
    .contains(&&*tool.name);
    if says_little {
        return tool;
    }
    let size = Map::from_iter([("anthropic/maxResultSizeChars".to_owned(), json!(options.max_bytes))]);
    tool.with_meta(MetaObject(size))
}

/// What a client may assume of a command of this effect: only what merely adds is not destructive. Files that can be named can be overwritten; a
/// mirror can always be fetched again.
fn hints(effect: Effect, is_additive: bool, names_files: bool, idempotent: bool) -> ToolAnnotations {
    let hints = ToolAnnotations::new().read_only(effect == Effect::Read);
    match effect {
        Effect::Read => hints,
        Effect::Local => hints.destructive(names_files).idempotent(idempotent),
        Effect::Write | Effect::Destructive | Effect::Terminal => {
            hints.destructive(!is_additive).idempotent(idempotent)
        }
    }
}

/// The shape of an answer of ours.
fn envelope() -> Map<String, Value> {
    let schema = json!({ "type": "object", "properties": { "meta": { "type": "object" }, "cursor": { "type": "string" } } });
    schema.as_object().cloned().unwrap_or_default()
}

fn general(options: &Options) -> Vec<Tool> {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let read = || hints(Effect::Read, false, false, true);
    let mut tools = vec![
        tool(
            "search_commands",
            "Find the command for a need, told in words",
            json!({
                "need": text("Such as: tag conversations in bulk"), "limit": { "type": "integer", "description": "At most so many" },
            }),
            &["need"],
            read(),
        ),
        tool(
            "describe_command",
            "What a command does and takes, with its schema and an example",
            json!({
                "command": text("Such as: contacts search"),
            }),
            &["command"],
            read(),
        ),
        tool("run_read", "Run a command that only reads the workspace", run(false), &["command"], read()),
        tool(
            "read_more",
            "The next part of an answer that had a cursor",
            json!({ "cursor": text("From that answer, or from one of its `cut`") }),
            &["cursor"],
            read(),
        ),
    ];
    let about = "Run a command that changes files of this machine only, such as the mirror";
    tools.push(tool(
        "run_local",
        about,
        run(false),
        &["command"],
        hints(Effect::Local, false, options.root.is_some(), true),
    ));
    if permitted(Effect::Write, options) {
        let about =
            "Run a command that adds to the workspace, or changes a record so that it can be changed back";
        let mut properties = run(true);
        if permitted(Effect::Destructive, options) {
            properties["confirmation"] = text("For more than 100 records: from the plan of this call");
        }
        tools.push(tool(
            "run_write",
            about,
            properties,
            &["command"],
            hints(Effect::Write, false, false, false),
        ));
    }
    if permitted(Effect::Destructive, options) {
        let about = "Run a command that overwrites, removes, reaches customers or changes many; dry_run first, for its plan";
        let mut properties = run(true);
        properties["confirmation"] = text("From the plan of this call");
        tools.push(tool(
            "run_destructive",
            about,
            properties,
            &["command"],
            hints(Effect::Destructive, false, false, false),
        ));
    }
    tools.into_iter().map(|tool| sized(tool, options)).collect()
}

/// The arguments of the tools that run a command by name.
fn run(writes: bool) -> Value {
    let mut properties = json!({
        "command": { "type": "string", "description": "Its words, such as: contacts search" },
        "arguments": { "type": "object", "description": "As describe_command shows; also select, jq, full" },
    });
    if writes {
        properties["dry_run"] = json!({ "type": "boolean", "description": "Show what would be done" });
    }
    properties
}

fn tool(
    name: &'static str,
    about: &'static str,
    properties: Value,
    required: &[&str],
    hints: ToolAnnotations,
) -> Tool {
    let properties = properties.as_object().cloned().unwrap_or_default();
    let mut schema = schema::object(properties);
    schema.shift_remove("additionalProperties");
    schema.insert("required".to_owned(), json!(required));
    Tool::new(name, about, Arc::new(schema)).with_annotations(hints)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(listed: Listed, allow_writes: bool, allow_destructive: bool) -> Options {
        Options {
            allow_writes,
            allow_destructive,
            read_only: false,
            listed,
            root: None,
            max_rows: 100,
            max_bytes: 25_000,
            db: None,
        }
    }

    fn bytes(tools: &[Tool]) -> usize {
        json!({ "tools": tools }).to_string().len()
    }

    #[test]
    fn the_default_list_is_small() {
        for (writes, destructive) in [(false, false), (true, false), (true, true)] {
            let tools = listed(&options(Listed::Few, writes, destructive));
            assert!(bytes(&tools) <= 9 * 1024, "{}", bytes(&tools));
            assert!(tools.len() <= 14);
        }
    }

    #[test]
    fn every_permitted_command_can_be_listed() {
        let all = listed(&options(Listed::All, true, true));
        let names: Vec<&str> = all.iter().map(|tool| &*tool.name).collect();
        let usable = |entry: &&&Entry| schema::is_usable(entry, &crate::cli::capture::Files::None);
        for entry in catalog().entries().iter().filter(|it| it.effect != Effect::Terminal).filter(usable) {
            assert!(names.contains(&entry.tool_name().as_str()), "{}", entry.words);
        }
        let read_only = listed(&options(Listed::All, false, false));
        let hint = |tool: &Tool| tool.annotations.as_ref().and_then(|it| it.read_only_hint);
        for tool in &read_only {
            let local = &*tool.name == "run_local"
                || catalog().entry(&tool.name).is_some_and(|entry| entry.effect == Effect::Local);
            assert!(hint(tool) == Some(true) || local, "{}", tool.name);
        }
        assert!(
            names.contains(&"contacts_delete")
                && !read_only.iter().any(|tool| tool.name == "contacts_delete")
        );
    }

    #[test]
    fn no_tool_takes_secrets_addresses_or_files() {
        let forbidden = [
            "token", "base_url", "region", "config", "db", "deliver", "header", "output", "input", "out",
            "root", "profile",
        ];
        for tool in listed(&options(Listed::All, true, true)) {
            let properties = tool.input_schema["properties"].as_object().unwrap().clone();
            let found: Vec<&&str> = forbidden.iter().filter(|name| properties.contains_key(**name)).collect();
            assert!(found.is_empty(), "{}: {found:?}", tool.name);
        }
    }

    #[test]
    fn groups_add_their_tools() {
        let tools = listed(&options(Listed::Groups(vec!["tags".to_owned()]), true, true));
        let names: Vec<&str> = tools.iter().map(|tool| &*tool.name).collect();
        assert!(names.contains(&"tags_list") && names.contains(&"sql") && !names.contains(&"contacts_list"));
    }
}
