//! A limit that was met, reported in one way whichever command met it.
//!
//! Lists, queries and changes each have their own words for it on the command line. To an agent a limit it set
//! is no failure: the answer is complete as far as it was asked for, and `meta.has_more` says that there is more.

use serde_json::{Value, json};

use super::answer::Answer;
use super::raw::fields;

/// The answer with a met limit told in the one way.
pub fn told_alike(mut answer: Answer) -> Answer {
    if stopped_at_limit(&answer) {
        answer.forgive();
        answer.note("has_more", json!(true));
    }
    let meta = answer.field("meta");
    if meta["has_more"] == true && !answer.is_error() && meta["complete"] == false {
        answer.note("complete", json!(true));
    }
    answer
}

/// Whether nothing was left out but what a limit left out.
fn stopped_at_limit(answer: &Answer) -> bool {
    if answer.field("meta")["limit_reached"] == true {
        return true;
    }
    let Some(results) = answer.text("results") else { return false };
    let Some(results) = fields(results) else { return false };
    let number = |name: &str| {
        let found = results.iter().find(|(other, _)| other == name)?;
        serde_json::from_str::<Value>(found.1.get()).ok()?.as_u64()
    };
    let unread = answer.field("meta")["unread"].as_array().is_some_and(|unread| !unread.is_empty());
    let left_out = number("left_out_by_limit").unwrap_or_default();
    left_out > 0 && number("failed") == Some(0) && number("skipped") == Some(left_out) && !unread
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::marks::Origin;

    fn told(results: &Value, meta: &Value) -> (bool, Value) {
        let output = json!({ "results": results, "meta": meta }).to_string();
        let error = json!({ "kind": "partial", "message": "5 were left out by --limit" });
        let answer = Answer::new(Origin::Own).with_output(&output).with_error(Some(error));
        let answer = told_alike(answer);
        (answer.is_error(), answer.field("meta"))
    }

    #[test]
    fn a_met_limit_is_no_error_and_says_that_there_is_more() {
        let limited = json!({ "failed": 0, "skipped": 5, "left_out_by_limit": 5 });
        assert_eq!(
            told(&limited, &json!({ "complete": false })),
            (false, json!({ "complete": true, "has_more": true }))
        );
        for other in [
            json!({ "failed": 1, "skipped": 5, "left_out_by_limit": 5 }),
            json!({ "failed": 0, "skipped": 6, "left_out_by_limit": 5 }),
            json!({ "failed": 0, "skipped": 5 }),
        ] {
            assert!(told(&other, &json!({ "complete": false })).0, "{other}");
        }
        assert!(!told(&json!({ "rows": [] }), &json!({ "complete": false, "limit_reached": true })).0);
    }
}
