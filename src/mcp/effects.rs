//! The effect of a call, which can depend on its arguments.
//!
//! A command declares its greatest effect; a call may have a smaller one and then needs fewer permissions. When
//! unsure, assume the declared effect: a change must never be classified as a read.

use serde_json::Value;

use super::arguments::ToolCall;
use super::bound::BoundRequest;
use super::schema::offered;
use crate::api::effect;
use crate::cli::catalog::CatalogEntry;
use crate::cli::consent::UNASKED;
use crate::cli::files::Access;
use crate::cli::registry::Effect;
use crate::cli::streams::FilePolicy;

/// Arguments that turn a preview into a change.
const APPLYING: [&str; 2] = ["apply", "resume"];

/// The smallest effect that any call of this command can have.
pub fn least(entry: &CatalogEntry) -> Effect {
    match entry.operation() {
        Some(operation) => effect::least(operation).into(),
        None if entry.words == "api" || previews(entry) => Effect::Read,
        None => entry.effect,
    }
}

/// The smallest effect of a call that changes something.
pub fn least_change(entry: &CatalogEntry) -> Effect {
    if entry.operation().is_some() { least(entry) } else { entry.effect }
}

/// Whether the arguments request changes, even if they are not a valid call.
pub fn asks_for_changes(entry: &CatalogEntry, arguments: &serde_json::Map<String, Value>) -> bool {
    let is_on = |value: &Value| !value.is_null() && *value != false && *value != "false";
    let applies = |name: &str| APPLYING.contains(&name.replace('-', "_").as_str());
    previews(entry) && arguments.iter().any(|(name, value)| applies(name) && is_on(value))
}

/// The effect of a call. A reading request of `api` is a read, and so is a preview. `bound` is the request that
/// the call would send, if any.
pub fn of_call(entry: &CatalogEntry, call: &ToolCall, bound: Option<&BoundRequest>) -> Effect {
    let given = |name: &str| call.given().contains_key(name);
    let asks =
        entry.words == "api" && bound.is_some_and(|bound| effect::only_reads(&bound.method, &bound.path));
    let shows = previews(entry) && !APPLYING.iter().any(|flag| call.has_flag(flag));
    if entry.effect == Effect::Read || asks || shows {
        let mut output_files =
            entry.parameters.iter().filter(|parameter| parameter.access == Some(Access::Write));
        let writes_file = output_files.any(|parameter| given(&parameter.name));
        return if writes_file { Effect::Local } else { Effect::Read };
    }
    let Some(operation) = entry.operation() else { return entry.effect };
    match bound.filter(|bound| bound.records() <= UNASKED && !contradicts(call, bound)) {
        Some(bound) => effect::of_body(operation, bound.body()).into(),
        None => Effect::Destructive,
    }
}

/// Whether an argument contradicts the request, which therefore cannot be trusted.
fn contradicts(call: &ToolCall, bound: &BoundRequest) -> bool {
    let body_json: Option<Value> = call.given().get("body_json").and_then(|body| match body {
        // A text that is not JSON names a file, whose content only the request has.
        Value::String(text) => serde_json::from_str(text).ok(),
        body => Some(body.clone()),
    });
    effect::DECIDING.iter().any(|name| {
        let given = [call.given().get(*name), body_json.as_ref().and_then(|body| body.get(*name))];
        given.into_iter().flatten().any(|value| value != bound.field(name))
    })
}

/// The greatest effect of a tool for this command, for its annotations.
pub fn of_tool(entry: &CatalogEntry, files: &FilePolicy) -> Effect {
    let writes = offered(entry, files).any(|parameter| parameter.access == Some(Access::Write));
    match entry.effect {
        Effect::Read if writes => Effect::Local,
        effect => effect,
    }
}

/// Whether a command previews its changes unless `apply` is set. The flag of `listen` means something else.
pub fn previews(entry: &CatalogEntry) -> bool {
    entry.effect != Effect::Terminal && entry.parameters.iter().any(|parameter| parameter.name == "apply")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::catalog;
    use serde_json::json;

    #[test]
    fn a_flag_named_apply_makes_no_previews_of_a_command_for_terminals() {
        let listen = catalog().entry("listen").unwrap();
        assert!(listen.parameters.iter().any(|parameter| parameter.name == "apply"));
        assert_eq!(least(listen), Effect::Terminal);
    }

    fn of(command: &str, arguments: Value) -> Effect {
        let entry = catalog().entry(command).unwrap();
        let call =
            ToolCall::bind(entry, arguments.as_object().unwrap(), &FilePolicy::Below("/".into())).unwrap();
        of_call(entry, &call, None)
    }

    #[test]
    fn only_a_call_that_applies_nothing_is_a_read() {
        for arguments in [json!({}), json!({ "apply": false }), json!({ "apply": "false", "resume": null })] {
            assert_eq!(of("contacts dupes", arguments.clone()), Effect::Read);
            assert_eq!(of("conversations bulk-tag", arguments), Effect::Read);
        }
        for arguments in [json!({ "apply": true }), json!({ "apply": "true" })] {
            assert_eq!(of("contacts dupes", arguments.clone()), Effect::Destructive);
            assert_eq!(of("conversations bulk-tag", arguments), Effect::Write);
        }
        assert_eq!(of("conversations bulk-tag", json!({ "resume": "latest" })), Effect::Write);
        assert_eq!(of("bulk undo", json!({ "resume": "latest" })), Effect::Destructive);
        // Without its request, the effect is unknown.
        assert_eq!(of("api", json!({ "method": "GET", "path": "/me" })), Effect::Destructive);
    }

    #[test]
    fn a_call_that_writes_a_file_is_local() {
        assert_eq!(of("export", json!({ "resource": "tags" })), Effect::Read);
        assert_eq!(of("export", json!({ "resource": "tags", "output": "x" })), Effect::Local);
        assert_eq!(of("conversations bulk-tag", json!({ "save-plan": "x" })), Effect::Local);
        let below = FilePolicy::Below("/".into());
        assert_eq!(of_tool(catalog().entry("export").unwrap(), &FilePolicy::None), Effect::Read);
        assert_eq!(of_tool(catalog().entry("export").unwrap(), &below), Effect::Local);
    }
}
