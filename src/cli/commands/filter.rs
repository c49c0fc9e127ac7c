//! `filter explain` shows a filter as an API search and as SQL for the mirror.

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::globals::DataSource;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::open_mirror;
use crate::cli::output::clock::Clock;
use crate::cli::output::{Output, warn};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::where_flag::TypedFilter;
use crate::data::printable;
use crate::filter::{Directory, Searchable};
use crate::mirror::search_sql;
use crate::selection::{StoredNames, stored_zone};

/// The language of `--where`.
pub const AFTER_HELP: &str = "A filter compares fields with values and joins comparisons with `and`, `or` and parentheses:\n\n\
             \u{20}  state = open and team = \"Billing\" and updated_at > 7d and tags !~ vip\n\
             \u{20}  source.body ~ refund or (priority = priority and assignee = null)\n\
             \u{20}  state in (open, snoozed)\n\n\
             Operators: = != > >= < <= ~ (contains) !~ ^ (starts with) $ (ends with) in, not in. Operators that a field \
             does not support are errors, as are filters beyond the limits of the search: groups two deep, 15 members each.\n\n\
             Quote values with spaces or operators (\"...\" or '...'). null means no value: `team = null` (or 0) \
             is unassigned, `tags = null` untagged, `last_seen_at = null` never seen. Times are epoch \
             seconds, dates, or spans before now: `updated_at > 7d` means in the last seven days, and = with a date means any \
             time of that day. Times and date attributes of contacts are compared by whole days in the workspace's time \
             zone: > means after that day, < before it. From API version 2.17, times of contacts are exact and date attributes \
             are days in UTC. Priorities are priority and not_priority; from API version 2.16 they are none, low, medium, \
             high and urgent, where priority means high or urgent.\n\n\
             Use the name or id of teams, teammates, tags, segments, companies and ticket types (for teammates also the email \
             address); the email address, external id, telephone number or id of contacts; and the category or label \
             of ticket states. Email addresses and telephone numbers match in any spelling. For tags, = and in match \
             the exact name, ~ any part of it. Attributes are custom_attributes.NAME for contacts and \
             ticket_attribute.NAME for tickets; quote names with spaces: custom_attributes.\"Seats left\".\n\n\
             Servers differ in what they compare, so every record found is tested again before it is shown or changed. Fields \
             missing from the search result are read from the record. For fields that no record shows (for example \
             segments), the server decides if the search compared exactly that; otherwise the record is skipped with a \
             warning. A bulk change tests each record once more right before it is changed.\n\n\
             Grammar:\n\
             \u{20}  filter   = all { \"or\" all }\n\
             \u{20}  all      = one { \"and\" one }\n\
             \u{20}  one      = \"(\" filter \")\" | test\n\
             \u{20}  test     = field operator value | field [ \"not\" ] \"in\" \"(\" value { \",\" value } \")\"\n\
             \u{20}  field    = word | quoted text | word. directly before quoted text\n\
             \u{20}  value    = word | quoted text (\\ before a quotation mark or another \\)";

/// Show a filter as an API search and as SQL for the mirror
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Run the SQL with `intercom-pp-cli sql`. It uses functions of this program (Unicode lower, phone_digits), so \
                  results in other SQLite clients may differ.\n\n\
                  Example: intercom-pp-cli filter explain 'state = open and team = Support and updated_at > 7d'"
)]
pub struct FilterExplanation {
    /// Filter to explain
    #[arg(value_name = "FILTER")]
    filter: String,
    /// Resource that the filter applies to
    #[arg(long, value_name = "RESOURCE", default_value = "conversations")]
    resource: Searchable,
    #[command(flatten)]
    mirror: MirrorFlag,
}

impl HandwrittenCommand for FilterExplanation {
    const WORDS: &'static str = "filter explain";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let typed = TypedFilter::parse(&self.filter, self.resource)?;
        let store = match mirror_paths::for_reading(context, &self.mirror)
            .and_then(|path| open_mirror::indexed(&path))
        {
            Ok(store) => Some(store),
            Err(_) if mirror_paths::explicit(context, &self.mirror)?.is_none() => None,
            Err(error) => return Err(error),
        };
        // Names come from the mirror with --data-source local, else from the workspace.
        let local = context.globals.connection.data_source() == DataSource::Local;
        let directory = match &store {
            _ if !typed.needs_names(context)? => Directory::default(),
            Some(store) if local => typed.directory(context, &StoredNames(store)).await?,
            _ => typed.directory(context, &context.client()?).await?,
        };
        let compiled = typed.compile(context, &directory)?;
        let zone = match directory.zone {
            Some(zone) => zone,
            None => store.as_ref().map(stored_zone).transpose()?.unwrap_or(TimeZone::UTC),
        };
        let sql = match search_sql::statement(self.resource.into(), &compiled.exact, &zone) {
            Ok(sql) => json!(sql),
            Err(error) => {
                warn(&error.to_string());
                Value::Null
            }
        };
        if context.globals.output.is_for_people() {
            let clock = Clock::of(&context.globals.output).absolute();
            let resource = self.resource.as_str();
            let mut text = format!("{resource} where {}\n", typed.expression);
            if compiled.query == compiled.exact {
                text.push_str("\nSearch in the workspace, and test of every record found:\n");
            } else {
                text.push_str("\nSearch in the workspace, which may find more records:\n");
                text.push_str(&predicate_lines(&compiled.query, "", 0, &clock));
                text.push_str("\nTest of every record found:\n");
            }
            text.push_str(&predicate_lines(&compiled.exact, "", 0, &clock));
            if let Some(sql) = sql.as_str() {
                let sql: Vec<&str> = sql.split_whitespace().collect();
                text.push_str(&format!("\nSQL for the mirror:\n  {}\n", sql.join(" ")));
            }
            return Output::open(&context.globals.output)?.text(&printable::lines(&text)).await;
        }
        let explanation = json!({
            "resource": self.resource.as_str(), "filter": typed.expression.to_string(), "predicate": compiled.query,
            "exact": compiled.exact, "sql": sql,
        });
        let meta = json!({ "source": if local { "local" } else { "live" } });
        Output::open(&context.globals.output)?.report(meta, &explanation).await
    }
}

/// A predicate of the API as lines, with `joined` (`and `, `or `) before the first. Groups have parentheses, except the
/// outermost at depth 0.
fn predicate_lines(predicate: &Value, joined: &str, depth: usize, clock: &Clock) -> String {
    let indent = "  ".repeat(depth.max(1));
    let operator = predicate["operator"].as_str().unwrap_or_default();
    match &predicate["value"] {
        Value::Array(members) if predicate["field"].is_null() => {
            let word = format!("{} ", operator.to_lowercase());
            let lines: String = members
                .iter()
                .enumerate()
                .map(|(at, member)| {
                    predicate_lines(member, if at == 0 { "" } else { &word }, depth + 1, clock)
                })
                .collect();
            if depth == 0 { lines } else { format!("{indent}{joined}(\n{lines}{indent})\n") }
        }
        value => {
            let field = predicate["field"].as_str().unwrap_or_default();
            let time = value.as_i64().filter(|_| field.ends_with("_at") || field.ends_with("_until"));
            let time = time.map(|at| format!(" ({})", clock.date_and_time(at))).unwrap_or_default();
            format!("{indent}{joined}{field} {operator} {value}{time}\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::OutputFlags;

    #[test]
    fn a_predicate_reads_as_lines() {
        let predicate = json!({"operator": "AND", "value": [
            {"field": "state", "operator": "=", "value": "open"},
            {"operator": "OR", "value": [
                {"field": "updated_at", "operator": ">", "value": 1_760_000_000},
                {"field": "source.body", "operator": "~", "value": "refund"}]}]});
        let mut flags = OutputFlags::default();
        flags.utc = true;
        let clock = Clock::of(&flags).absolute();
        assert_eq!(
            predicate_lines(&predicate, "", 0, &clock),
            "  state = \"open\"\n  and (\n    updated_at > 1760000000 (2025-10-09 08:53)\n    or source.body ~ \"refund\"\n  )\n"
        );
        assert_eq!(predicate_lines(&predicate["value"][0], "", 0, &clock), "  state = \"open\"\n");
    }
}
