//! What a call does, which can depend on its arguments.
//!
//! A command is declared with the most that it can do; a call of it may do less, and what only reads is
//! open to everybody. In doubt a call does what its command can: nothing here may call a change a read.

use serde_json::Value;

use super::bound::Bound;
use super::call::Call;
use super::schema::offered;
use crate::api::{effect, operation};
use crate::cli::capture::Files;
use crate::cli::catalog::Entry;
use crate::cli::consent::UNASKED;
use crate::cli::door::Access;
use crate::cli::effect::Effect;

/// Arguments that carry out what a command would otherwise only show.
const CARRYING_OUT: [&str; 2] = ["apply", "resume"];

/// The least that a call of this command can do, whatever its arguments.
pub fn least(entry: &Entry) -> Effect {
    match entry.operation() {
        Some(operation) => of_operation(effect::least(operation)),
        None if entry.words == "api" || previews(entry) => Effect::Read,
        None => entry.effect,
    }
}

/// The least that a call of this command changes, where it changes something.
pub fn least_change(entry: &Entry) -> Effect {
    if entry.operation().is_some() { least(entry) } else { entry.effect }
}

/// Whether the arguments ask for changes to be carried out, though they may not be a call.
pub fn asks_for_changes(entry: &Entry, arguments: &serde_json::Map<String, Value>) -> bool {
    let is_on = |value: &Value| !value.is_null() && *value != false && *value != "false";
    let carries_out = |name: &str| CARRYING_OUT.contains(&name.replace('-', "_").as_str());
    previews(entry) && arguments.iter().any(|(name, value)| carries_out(name) && is_on(value))
}

/// What a bound call does: a request of `api` that only reads is a read, and so is a change that is shown and
/// not carried out. `bound` is the request that it makes, where it makes one.
pub fn of_call(entry: &Entry, call: &Call, bound: Option<&Bound>) -> Effect {
    let given = |name: &str| call.given().contains_key(name);
    let asks =
        entry.words == "api" && bound.is_some_and(|bound| effect::only_reads(&bound.method, &bound.path));
    let shows = previews(entry) && !CARRYING_OUT.iter().any(|flag| call.has_flag(flag));
    if entry.effect == Effect::Read || asks || shows {
        let mut written = entry.parameters.iter().filter(|it| it.access == Some(Access::Write));
        let writes_file = written.any(|parameter| given(&parameter.name));
        return if writes_file { Effect::Local } else { Effect::Read };
    }
    let Some(operation) = entry.operation() else { return entry.effect };
    match bound.filter(|bound| bound.records() <= UNASKED && !contradicts(call, bound)) {
        Some(bound) => of_operation(effect::of_body(operation, bound.body())),
        None => Effect::Destructive,
    }
}

/// Whether the call says elsewhere what its request does not say: then nothing is taken on trust.
fn contradicts(call: &Call, bound: &Bound) -> bool {
    let whole = call.given().get("body_json").map(|body| match body {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        body => body.clone(),
    });
    effect::DECIDING.iter().any(|name| {
        let given = [call.given().get(*name), whole.as_ref().and_then(|body| body.get(*name))];
        given.into_iter().flatten().any(|value| value != bound.field(name))
    })
}

fn of_operation(effect: operation::Effect) -> Effect {
    match effect {
        operation::Effect::Read => Effect::Read,
        operation::Effect::Write => Effect::Write,
        operation::Effect::Destructive => Effect::Destructive,
    }
}

/// The most that a tool for this command can do, which is what its hints tell.
pub fn of_tool(entry: &Entry, files: &Files) -> Effect {
    let writes = offered(entry, files).any(|parameter| parameter.access == Some(Access::Write));
    match entry.effect {
        Effect::Read if writes => Effect::Local,
        effect => effect,
    }
}

/// Whether a command shows what it would do until it is told to do it.
pub fn previews(entry: &Entry) -> bool {
    entry.parameters.iter().any(|parameter| parameter.name == "apply")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::catalog;
    use serde_json::json;

    fn of(command: &str, arguments: Value) -> Effect {
        let entry = catalog().entry(command).unwrap();
        let call = Call::bind(entry, arguments.as_object().unwrap(), &Files::Below("/".into())).unwrap();
        of_call(entry, &call, None)
    }

    #[test]
    fn only_what_carries_nothing_out_is_a_read() {
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
        // Without its request nothing is known of it.
        assert_eq!(of("api", json!({ "method": "GET", "path": "/me" })), Effect::Destructive);
    }

    #[test]
    fn a_file_that_is_written_is_a_change_of_this_machine() {
        assert_eq!(of("export", json!({ "resource": "tags" })), Effect::Read);
        assert_eq!(of("export", json!({ "resource": "tags", "output": "x" })), Effect::Local);
        assert_eq!(of("conversations bulk-tag", json!({ "save-plan": "x" })), Effect::Local);
        let below = Files::Below("/".into());
        assert_eq!(of_tool(catalog().entry("export").unwrap(), &Files::None), Effect::Read);
        assert_eq!(of_tool(catalog().entry("export").unwrap(), &below), Effect::Local);
    }
}
