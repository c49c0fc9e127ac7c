//! `agent-context`: everything an agent needs to know to use this program, in one document.
//!
//! `--compact` prints a form that costs fewer tokens. The command never sends a request: what it says about the
//! workspace comes from the config file and the mirror.

mod skill;

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::command_document;
use crate::cli::catalog::{Catalog, CatalogEntry};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::Output;
use crate::cli::registry::{Effect, MetaCommand, Registry};
use crate::cli::{globals, mirror_paths, profiles};
use crate::mirror::{Store, status};

pub(super) const EXIT_CODES: [(u8, &str); 9] = [
    (0, "success"),
    (2, "usage error, nothing was sent"),
    (3, "not found"),
    (4, "no usable token, or 401/403"),
    (5, "API or network error"),
    (6, "partial success"),
    (7, "still rate limited after retries"),
    (8, "busy: another process uses the same mirror or folder"),
    (10, "configuration error"),
];

/// Describe commands, flags, output, exit codes, profiles and the mirror for agents
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli agent-context --compact")]
pub struct AgentContext {
    /// Print a SKILL.md for agents instead
    #[arg(long)]
    skill: bool,
}

impl MetaCommand for AgentContext {
    const WORDS: &'static str = "agent-context";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context, registry: &'static Registry) -> Result<(), Error> {
        let catalog = Catalog::new(registry);
        let entries = catalog.entries();
        if self.skill {
            return Output::open(&context.globals.output)?.text(&skill::text(&entries)).await;
        }
        let results =
            if context.globals.output.compact { compact(context, &entries) } else { full(context, &entries) };
        let meta = json!({ "source": "local", "version": env!("CARGO_PKG_VERSION") });
        Output::open(&context.globals.output)?.report(meta, &results).await
    }
}

fn full(context: &Context, entries: &[&CatalogEntry]) -> Value {
    let exit_codes: Map<String, Value> =
        EXIT_CODES.iter().map(|(code, meaning)| (code.to_string(), json!(meaning))).collect();
    json!({
        "about": "Work with an Intercom workspace: every endpoint, a local mirror, reports, bulk changes",
        "conventions": conventions(),
        "exit_codes": exit_codes,
        "envelopes": {
            "read": { "meta": { "source": "live|local", "synced_at": "epoch seconds" }, "results": "the API response, or computed rows" },
            "lists": "always meta.has_more and meta.total_count; with --all or --limit also meta.count and meta.complete",
            "compact": "meta.omitted lists the fields that --compact dropped",
            "error": { "error": { "kind": "text", "message": "text", "exit_code": "number", "http_status": "number",
                "code": "Intercom's", "request_id": "text", "hint": "the next command" } },
            "dry_run": { "dry_run": true, "method": "text", "url": "text", "query": {}, "headers": {}, "body": {} },
        },
        "environment": ["INTERCOM_ACCESS_TOKEN", "INTERCOM_TOKEN", "INTERCOM_REGION", "INTERCOM_BASE_URL", "INTERCOM_API_VERSION", "INTERCOM_CONFIG", "INTERCOM_READ_ONLY",
            "INTERCOM_JQ_SECONDS", "NO_COLOR"],
        "global_flags": flags(),
        "profiles": profiles::all(context).unwrap_or_default(),
        "mirror": mirror(context, true),
        "commands": entries.iter().map(|entry| command_document::of(entry)).collect::<Vec<_>>(),
    })
}

/// General usage rules.
fn conventions() -> Value {
    json!([
        "--agent means --json --compact --no-input --no-color, and --yes for changes that can be undone",
        "--select a,b.c,*_at,name:d.e and --jq (on .meta and .results) shorten the output; --format toon costs fewer tokens",
        "--all and --limit N fetch more pages; --dry-run shows the request without sending it",
        "without a terminal, PUT and DELETE need --agent or --yes; deleting, merging, redacting, `reply ID TEXT`, bulk archiving and changing more than 100 records need --yes even with --agent: ask a person first. `reply` with the fields of the API sends at once",
        "--read-only, INTERCOM_READ_ONLY=1 or `read_only = true` in the config file prevent every change of the workspace",
        "which \"NEED\" finds a command; describe COMMAND shows its arguments, output and an example",
        "sync mirrors the workspace; search, sql, analytics and the reports read the mirror",
    ])
}

fn flags() -> Vec<Value> {
    let flags = globals::arguments().into_iter().filter_map(|flag| {
        let value = flag.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
        let takes = flag.get_action().takes_values();
        Some(json!({ "flag": format!("--{}", flag.get_long()?), "value": value.filter(|_| takes), "help": flag.get_help()?.to_string() }))
    });
    flags.collect()
}

fn mirror(context: &Context, is_full: bool) -> Value {
    let opened = mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::default())
        .and_then(|path| Ok(Store::open_read_only(&path)?));
    let Ok(store) = opened else {
        return json!({ "state": "none", "hint": "run `intercom-pp-cli sync`" });
    };
    let now = Timestamp::now().as_second();
    let resources = status(&store, now).unwrap_or_default();
    let synced = || resources.iter().filter(|status| !matches!(status.state, "never" | "skipped"));
    let mut mirror = json!({
        "state": if synced().count() > 0 && synced().all(|status| status.state == "complete") { "complete" } else { "incomplete" },
        "path": store.path(),
        "workspace": store.workspace().ok().flatten().and_then(|workspace| workspace.name.or(Some(workspace.id_code))),
        "age_seconds": synced().filter_map(|status| status.age).max(),
        "rows": synced().map(|status| status.rows).sum::<u64>(),
    });
    if is_full {
        let resources = resources.iter().map(|status| {
            json!({ "resource": status.resource, "rows": status.rows, "state": status.state, "age_seconds": status.age })
        });
        mirror["resources"] = resources.collect();
    }
    mirror
}

/// Commands by group; a sign after a command shows its effect.
fn grouped<'a>(entries: &[&'a CatalogEntry]) -> BTreeMap<&'a str, Vec<String>> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in entries {
        let sign = match entry.effect {
            Effect::Read => "",
            Effect::Local => "~",
            Effect::Write => "+",
            Effect::Destructive => "!",
            Effect::Terminal => "#",
        };
        let (group, rest) = entry.shown.split_once(' ').unwrap_or(("", &entry.shown));
        let operands =
            entry.parameters.iter().filter(|parameter| parameter.required && parameter.flag.is_none());
        let operands: String = operands.map(|operand| format!(" <{}>", operand.name)).collect();
        groups.entry(group).or_default().push(format!("{rest}{operands}{sign}"));
    }
    groups
}

/// The form for `--compact`.
fn compact(context: &Context, entries: &[&CatalogEntry]) -> Value {
    let groups = grouped(entries).into_iter();
    let groups: Map<String, Value> =
        groups.map(|(group, commands)| (group.to_owned(), json!(commands.join(", ")))).collect();
    let exit_codes: Vec<String> =
        EXIT_CODES.iter().map(|(code, meaning)| format!("{code} {meaning}")).collect();
    let names: Vec<String> =
        globals::arguments().iter().filter_map(|flag| Some(format!("--{}", flag.get_long()?))).collect();
    let profiles: Vec<String> =
        profiles::all(context).unwrap_or_default().into_iter().map(|profile| profile.name).collect();
    json!({
        "conventions": conventions(),
        "envelope": "{meta:{source,synced_at,..},results}; errors on stderr: {error:{kind,message,exit_code,http_status,code,request_id,hint}}",
        "exit_codes": exit_codes.join("; "),
        "global_flags": names.join(" "),
        "signs": "~ changes local files, + writes, ! overwrites, removes or reaches customers, # needs a terminal; no sign: reads",
        "commands": groups,
        "profiles": profiles,
        "mirror": mirror(context, false),
    })
}
