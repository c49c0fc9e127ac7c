//! What a call does, which can depend on its arguments.
//!
//! A command is declared with the most that it can do; a call of it may do less, and what only reads is
//! open to everybody. In doubt a call does what its command can: nothing here may call a change a read.

use serde_json::Value;

use super::schema::offered;
use crate::cli::capture::Files;
use crate::cli::catalog::Entry;
use crate::cli::effect::Effect;

/// Arguments that carry out what a command would otherwise only show.
const CARRYING_OUT: [&str; 2] = ["apply", "resume"];

/// Arguments that name a file which is written.
const WRITTEN: [&str; 4] = ["html", "out", "output", "save_plan"];

/// What a command does with these arguments: a request of `api` that only reads is a read, and so is a
/// change that is shown and not carried out.
pub fn of_call(entry: &Entry, arguments: &serde_json::Map<String, Value>) -> Effect {
    let value = |name: &str| {
        let named = |key: &String| key.replace('-', "_") == name;
        arguments.iter().find(|(key, value)| named(key) && !value.is_null()).map(|(_, value)| value)
    };
    let on = |name: &&str| value(name).is_some_and(|value| *value != false && *value != "false");
    let gets = value("method").and_then(Value::as_str).is_some_and(|it| it.eq_ignore_ascii_case("get"));
    let shows = previews(entry) && !CARRYING_OUT.iter().any(on);
    let reads = entry.effect == Effect::Read || entry.words == "api" && gets || shows;
    match reads {
        true if WRITTEN.iter().any(|name| value(name).is_some()) => Effect::Local,
        true => Effect::Read,
        false => entry.effect,
    }
}

/// The most that a tool for this command can do, which is what its hints tell.
pub fn of_tool(entry: &Entry, files: &Files) -> Effect {
    let writes = offered(entry, files).any(|it| WRITTEN.contains(&it.name.as_str()));
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
        of_call(catalog().entry(command).unwrap(), arguments.as_object().unwrap())
    }

    #[test]
    fn only_what_carries_nothing_out_is_a_read() {
        for arguments in [json!({}), json!({ "apply": false }), json!({ "apply": "false", "resume": null })] {
            assert_eq!(of("contacts dupes", arguments.clone()), Effect::Read);
            assert_eq!(of("conversations bulk-tag", arguments), Effect::Read);
        }
        for arguments in [json!({ "apply": true }), json!({ "apply": "true" }), json!({ "apply": 1 })] {
            assert_eq!(of("contacts dupes", arguments.clone()), Effect::Destructive);
            assert_eq!(of("conversations bulk-tag", arguments), Effect::Write);
        }
        assert_eq!(of("conversations bulk-tag", json!({ "resume": "latest" })), Effect::Write);
        assert_eq!(of("bulk undo", json!({ "resume": "latest" })), Effect::Destructive);
        assert_eq!(of("api", json!({ "method": "get" })), Effect::Read);
        assert_eq!(of("api", json!({ "method": "DELETE" })), Effect::Destructive);
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

    #[test]
    fn every_file_is_known_as_read_or_written() {
        let read = ["db", "dir", "folder", "from", "input", "journal", "plan", "resume", "to"];
        for entry in catalog().entries().iter().filter(|entry| entry.effect != Effect::Terminal) {
            for parameter in entry.parameters.iter().filter(|parameter| parameter.path) {
                let name = parameter.name.as_str();
                assert!(WRITTEN.contains(&name) || read.contains(&name), "{}: {name}", entry.words);
            }
        }
    }
}
