//! Reports a reached limit in the same way for every command.
//!
//! On the command line, lists, queries and changes each report it differently. For an agent, reaching a limit that
//! it set is not an error: the result is complete as requested, and `meta.has_more` says that there is more.

use serde_json::{Value, json};

use super::raw::fields;
use super::tool_result::ToolResult;

/// Turns the error for a reached limit into `meta.has_more`.
pub fn normalize(mut answer: ToolResult) -> ToolResult {
    if stopped_at_limit(&answer) {
        answer.clear_error();
        answer.note("has_more", json!(true));
    }
    let has = |name, value: bool| answer.meta(name) == Some(value.into());
    if has("has_more", true) && !answer.is_error() && has("complete", false) {
        answer.note("complete", json!(true));
    }
    answer
}

/// Whether the result is incomplete only because of a limit.
fn stopped_at_limit(answer: &ToolResult) -> bool {
    if answer.meta("limit_reached") == Some(true.into()) {
        return true;
    }
    let Some(results) = answer.text("results") else { return false };
    let Some(results) = fields(results) else { return false };
    let number = |name: &str| {
        let field = results.iter().find(|(other, _)| other == name)?;
        serde_json::from_str::<Value>(field.1.get()).ok()?.as_u64()
    };
    let unread = answer.meta("unread").and_then(|unread| Some(!unread.as_array()?.is_empty()));
    let left_out = number("left_out_by_limit").unwrap_or_default();
    left_out > 0 && number("failed") == Some(0) && number("skipped") == Some(left_out) && unread != Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::untrusted::TextOrigin;

    fn normalized(results: &Value, meta: &Value) -> (bool, [Option<Value>; 2]) {
        let output = json!({ "results": results, "meta": meta }).to_string();
        let error = json!({ "kind": "partial", "message": "5 were left out by --limit" });
        let answer = ToolResult::new(TextOrigin::Own).with_output(&output).with_error(Some(error));
        let answer = normalize(answer);
        let meta = ["complete", "has_more"].map(|name| answer.meta(name));
        (answer.is_error(), meta)
    }

    #[test]
    fn a_reached_limit_is_not_an_error_but_sets_has_more() {
        let limited = json!({ "failed": 0, "skipped": 5, "left_out_by_limit": 5 });
        assert_eq!(
            normalized(&limited, &json!({ "complete": false })),
            (false, [Some(json!(true)), Some(json!(true))])
        );
        for other in [
            json!({ "failed": 1, "skipped": 5, "left_out_by_limit": 5 }),
            json!({ "failed": 0, "skipped": 6, "left_out_by_limit": 5 }),
            json!({ "failed": 0, "skipped": 5 }),
        ] {
            assert!(normalized(&other, &json!({ "complete": false })).0, "{other}");
        }
        assert!(!normalized(&json!({ "rows": [] }), &json!({ "complete": false, "limit_reached": true })).0);
    }
}
