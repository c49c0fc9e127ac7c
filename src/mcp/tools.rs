//! The tool list. Every listed tool costs the client tokens, so the default list holds only the tools that reach
//! all commands, and the most used commands. A tool's annotations come from its command's declared effect.

use std::sync::Arc;

use rmcp::model::{MetaObject, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::effects;
use super::options::{ServerOptions, ToolSet};
use super::schema::{self, SchemaDetail};
use crate::cli::catalog::{Catalog, CatalogEntry};
use crate::cli::registry::Effect;

/// Commands that are listed in every mode.
const HEADLINES: [&str; 7] =
    ["contact 360", "conversations sla", "conversations incident-tag", "search", "sql", "sync", "status"];

/// The tools for a server with these options, in a fixed order.
pub fn list(catalog: &Catalog, options: &ServerOptions) -> Vec<Tool> {
    let mut tools = general(options);
    let entries = match options.tool_set {
        ToolSet::Few => catalog.handwritten().iter().collect(),
        _ => catalog.entries(),
    };
    let is_listed = |entry: &CatalogEntry| match &options.tool_set {
        ToolSet::Few => HEADLINES.contains(&entry.words.as_str()),
        ToolSet::Groups(groups) => {
            HEADLINES.contains(&entry.words.as_str()) || groups.iter().any(|group| group == entry.group())
        }
        ToolSet::All => true,
    };
    let files = options.files();
    let shown = entries.iter().filter(|entry| {
        is_listed(entry)
            && permitted(effects::least_change(entry), options)
            && schema::is_usable(entry, &files)
    });
    tools.extend(shown.map(|entry| of(entry, options)));
    tools
}

/// Whether commands of this effect may run at all.
pub fn permitted(effect: Effect, options: &ServerOptions) -> bool {
    match effect {
        Effect::Read | Effect::Local => true,
        Effect::Write => options.allow_writes,
        Effect::Destructive => options.allow_writes && options.allow_destructive,
        Effect::Terminal => false,
    }
}

/// The tool that runs commands of this effect.
pub fn runner(effect: Effect) -> &'static str {
    match effect {
        Effect::Write => "run_write",
        Effect::Destructive => "run_destructive",
        Effect::Local => "run_local",
        _ => "run_read",
    }
}

/// Whether the tool may run a call of this effect. `run_destructive` may run mere writes as well.
pub fn runs(tool: &str, effect: Effect) -> bool {
    runner(effect) == tool || (effect == Effect::Write && tool == "run_destructive")
}

fn of(entry: &CatalogEntry, options: &ServerOptions) -> Tool {
    let detail = if options.tool_set == ToolSet::Few { SchemaDetail::Brief } else { SchemaDetail::Full };
    let files = options.files();
    let input = schema::input(entry, &files, detail);
    let names_files = schema::offered(entry, &files).any(|parameter| parameter.access.is_some());
    let tool = Tool::new(entry.tool_name(), entry.about.clone(), Arc::new(input));
    let tool = tool.with_annotations(annotations(
        effects::of_tool(entry, &files),
        entry.is_additive,
        names_files,
        entry.idempotent,
    ));
    let tool = with_max_result_size(tool, options);
    match (entry.operation(), detail) {
        // API responses deviate from the spec, so an output schema for them would break clients.
        (Some(_), _) | (None, SchemaDetail::Brief) => tool,
        (None, SchemaDetail::Full) => tool.with_raw_output_schema(Arc::new(envelope())),
    }
}

/// Declares the maximum result size, for clients that store large results outside the context.
fn with_max_result_size(tool: Tool, options: &ServerOptions) -> Tool {
    let has_small_results = [
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
    if has_small_results {
        return tool;
    }
    let size = Map::from_iter([("anthropic/maxResultSizeChars".to_owned(), json!(options.max_bytes))]);
    tool.with_meta(MetaObject(size))
}

/// The annotations for a command of this effect. A change is destructive unless it only adds. A local command is
/// destructive if it can name files, which it may overwrite; the mirror can always be fetched again.
fn annotations(effect: Effect, is_additive: bool, names_files: bool, idempotent: bool) -> ToolAnnotations {
    let annotations = ToolAnnotations::new().read_only(effect == Effect::Read);
    match effect {
        Effect::Read => annotations,
        Effect::Local => annotations.destructive(names_files).idempotent(idempotent),
        Effect::Write | Effect::Destructive | Effect::Terminal => {
            annotations.destructive(!is_additive).idempotent(idempotent)
        }
    }
}

/// The output schema of hand-written commands.
fn envelope() -> Map<String, Value> {
    let schema = json!({ "type": "object", "properties": { "meta": { "type": "object" }, "cursor": { "type": "string" } } });
    schema.as_object().cloned().unwrap_or_default()
}

/// The tools that find, describe and run commands.
fn general(options: &ServerOptions) -> Vec<Tool> {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let read = |name, about, properties, required| {
        tool(name, about, properties, required, annotations(Effect::Read, false, false, true))
    };
    let run = |effect, about| {
        let mut properties = json!({
            "command": text("For example: contacts search"),
            "arguments": { "type": "object", "description": "See describe_command; also select, jq, full" },
        });
        let changes = matches!(effect, Effect::Write | Effect::Destructive);
        if changes {
            properties["dry_run"] = json!({ "type": "boolean", "description": "Show what would be done" });
        }
        if effect == Effect::Destructive {
            properties["confirmation"] = text("From this call's plan");
        } else if changes && permitted(Effect::Destructive, options) {
            properties["confirmation"] = text("For more than 100 records: from this call's plan");
        }
        let names_files = effect == Effect::Local && options.root.is_some();
        tool(runner(effect), about, properties, "command", annotations(effect, false, names_files, !changes))
    };
    let limit = json!({ "type": "integer", "description": "Maximum number" });
    let mut tools = vec![
        read(
            "search_commands",
            "Find a command by describing what you want to do",
            json!({ "need": text("For example: tag conversations in bulk"), "limit": limit }),
            "need",
        ),
        read(
            "describe_command",
            "Show what a command does, its argument schema and an example",
            json!({ "command": text("For example: contacts search") }),
            "command",
        ),
        run(Effect::Read, "Run a command that only reads the workspace"),
        read(
            "read_more",
            "Read the next part of an answer that had a cursor",
            json!({ "cursor": text("From that answer, or an entry of its `cut`") }),
            "cursor",
        ),
        run(Effect::Local, "Run a command that changes only local files, for example the mirror"),
    ];
    if permitted(Effect::Write, options) {
        let about =
            "Run a command that adds to the workspace, or makes reversible changes to up to 100 records";
        tools.push(run(Effect::Write, about));
    }
    if permitted(Effect::Destructive, options) {
        let about = "Run a command that overwrites, removes, reaches customers or changes many records; get a plan with dry_run first";
        tools.push(run(Effect::Destructive, about));
    }
    tools.into_iter().map(|tool| with_max_result_size(tool, options)).collect()
}

fn tool(
    name: &'static str,
    about: &'static str,
    properties: Value,
    required: &str,
    annotations: ToolAnnotations,
) -> Tool {
    let properties = properties.as_object().cloned().unwrap_or_default();
    let mut schema = schema::object(properties);
    schema.shift_remove("additionalProperties");
    schema.insert("required".to_owned(), json!([required]));
    Tool::new(name, about, Arc::new(schema)).with_annotations(annotations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::catalog;

    fn options(tool_set: ToolSet, allow_writes: bool, allow_destructive: bool) -> ServerOptions {
        ServerOptions {
            allow_writes,
            allow_destructive,
            read_only: false,
            tool_set,
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
            let tools = list(catalog(), &options(ToolSet::Few, writes, destructive));
            assert!(bytes(&tools) <= 9 * 1024, "{}", bytes(&tools));
            assert!(tools.len() <= 14);
        }
    }

    #[test]
    fn every_permitted_command_can_be_listed() {
        let all = list(catalog(), &options(ToolSet::All, true, true));
        let names: Vec<&str> = all.iter().map(|tool| &*tool.name).collect();
        let usable =
            |entry: &&&CatalogEntry| schema::is_usable(entry, &crate::cli::streams::FilePolicy::None);
        for entry in
            catalog().entries().iter().filter(|entry| entry.effect != Effect::Terminal).filter(usable)
        {
            assert!(names.contains(&entry.tool_name().as_str()), "{}", entry.words);
        }
        let read_only = list(catalog(), &options(ToolSet::All, false, false));
        let hint = |tool: &Tool| tool.annotations.as_ref().and_then(|annotations| annotations.read_only_hint);
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
        for tool in list(catalog(), &options(ToolSet::All, true, true)) {
            let properties = tool.input_schema["properties"].as_object().unwrap().clone();
            let found: Vec<&&str> = forbidden.iter().filter(|name| properties.contains_key(**name)).collect();
            assert!(found.is_empty(), "{}: {found:?}", tool.name);
            // No browser is started for an agent.
            let shows_one = tool.name.ends_with("_view") || tool.name == "contact_360";
            assert!(
                !shows_one || properties.contains_key("web") && !properties.contains_key("open"),
                "{}",
                tool.name
            );
        }
    }

    #[test]
    fn groups_add_their_tools() {
        let tools = list(catalog(), &options(ToolSet::Groups(vec!["tags".to_owned()]), true, true));
        let names: Vec<&str> = tools.iter().map(|tool| &*tool.name).collect();
        assert!(names.contains(&"tags_list") && names.contains(&"sql") && !names.contains(&"contacts_list"));
    }
}
