//! Derives the search query from the exact predicate.
//!
//! Servers differ: `>` may include equality, unassigned is 0 or null, phone numbers are stored in any
//! spelling, and contact times are compared by day. So the query selects everything that may match, with
//! operators that all servers support, and the documents in the response are tested against the predicate. It
//! must never select less.

use serde_json::{Value, json};

use super::directory::Directory;
use super::fields::{FieldType, Searchable};
use super::person::Phone;

/// Maximum nesting of groups in the API's search.
pub(super) const MAX_DEPTH: usize = 2;
/// Maximum number of members of a group in the API's search.
pub(super) const MAX_MEMBERS: usize = 15;

/// Fields that documents do not contain, so that only the server can test them.
const SERVER_ONLY: [&str; 5] = [
    "segment_id",
    "channel_initiated",
    "conversation_rating.requested_at",
    "conversation_rating.replied_at",
    "ios_app_device",
];

/// A field of the predicate that only the server can test but that the query omits, so that it would not be
/// tested at all.
pub(super) fn untested_field<'e>(exact: &'e Value, query: &Value, searchable: Searchable) -> Option<&'e str> {
    let is_server_only = |field: &str| {
        SERVER_ONLY.contains(&field) || (searchable == Searchable::Tickets && field == "teammate_ids")
    };
    let queried = fields_of(query);
    fields_of(exact).into_iter().find(|field| is_server_only(field) && !queried.contains(field))
}

fn fields_of(predicate: &Value) -> Vec<&str> {
    match (predicate["field"].as_str(), predicate["value"].as_array()) {
        (Some(field), _) => vec![field],
        (None, members) => members.into_iter().flatten().flat_map(fields_of).collect(),
    }
}

/// Adds to each test of a server-only field the test that the server gets, because only there its result counts.
pub(super) fn mark_server_only(exact: &mut Value, searchable: Searchable, directory: &Directory) {
    if let (true, Some(members)) = (exact["field"].is_null(), exact["value"].as_array_mut()) {
        members.iter_mut().for_each(|member| mark_server_only(member, searchable, directory));
        return;
    }
    if !SERVER_ONLY.contains(&exact["field"].as_str().unwrap_or_default()) {
        return;
    }
    let builder = QueryBuilder { searchable, directory, has_nulls: true };
    let BroadCondition::Test(queried) = builder.broadened(exact) else { return };
    if ["operator", "value"].iter().any(|key| queried[*key] != exact[*key]) {
        exact["asked"] = queried;
    }
}

/// The query for a predicate. Some servers reject null as a value: without `has_nulls` the query selects more.
pub(super) fn query(exact: &Value, searchable: Searchable, directory: &Directory, has_nulls: bool) -> Value {
    let builder = QueryBuilder { searchable, directory, has_nulls };
    builder.broadened(exact).into_query(1).unwrap_or_else(|| test("created_at", ">", json!(0)))
}

fn test(field: &str, operator: &str, value: Value) -> Value {
    json!({ "field": field, "operator": operator, "value": value })
}

/// A condition that selects at least the records that match the predicate.
enum BroadCondition {
    Everything,
    Test(Value),
    All(Vec<BroadCondition>),
    Any(Vec<BroadCondition>),
}

impl BroadCondition {
    fn all(members: Vec<BroadCondition>) -> Self {
        let mut kept = Vec::new();
        for member in members {
            match member {
                BroadCondition::Everything => {}
                BroadCondition::All(nested) => kept.extend(nested),
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => BroadCondition::Everything,
            1 => kept.remove(0),
            _ => BroadCondition::All(kept),
        }
    }

    fn any(members: Vec<BroadCondition>) -> Self {
        let (mut kept, mut seen) = (Vec::new(), Vec::new());
        let flat = members.into_iter().flat_map(|member| match member {
            BroadCondition::Any(nested) => nested,
            other => vec![other],
        });
        for member in flat {
            match member {
                BroadCondition::Everything => return BroadCondition::Everything,
                BroadCondition::Test(test) if seen.contains(&test) => {}
                BroadCondition::Test(test) => {
                    seen.push(test.clone());
                    kept.push(BroadCondition::Test(test));
                }
                other => kept.push(other),
            }
        }
        if kept.len() == 1 { kept.remove(0) } else { BroadCondition::Any(kept) }
    }

    /// The query within the API's limits. Groups that are too deep or too large are omitted and left to the
    /// test of the documents. `None` if nothing remains.
    fn into_query(self, depth: usize) -> Option<Value> {
        let (operator, members) = match self {
            BroadCondition::Everything => return None,
            BroadCondition::Test(test) => return Some(test),
            BroadCondition::All(members) => ("AND", members),
            BroadCondition::Any(members) => ("OR", members),
        };
        if depth > MAX_DEPTH {
            return None;
        }
        let is_all = operator == "AND";
        let mut queries = Vec::new();
        for member in members {
            match member.into_query(depth + 1) {
                Some(query) => queries.push(query),
                None if is_all => {}
                None => return None,
            }
        }
        if is_all {
            queries.truncate(MAX_MEMBERS);
        } else if queries.len() > MAX_MEMBERS {
            return None;
        }
        match queries.len() {
            0 => None,
            1 => queries.pop(),
            _ => Some(json!({ "operator": operator, "value": unmixed(operator, queries) })),
        }
    }
}

/// A group contains either tests or groups. Tests beside groups become a group as well.
fn unmixed(operator: &str, members: Vec<Value>) -> Vec<Value> {
    let (tests, groups): (Vec<Value>, Vec<Value>) =
        members.into_iter().partition(|member| !member["field"].is_null());
    match (&tests[..], &groups[..]) {
        (_, []) => tests,
        ([], _) => groups,
        (several, _) => {
            let operator = if several.len() == 1 { "AND" } else { operator };
            std::iter::once(json!({ "operator": operator, "value": tests })).chain(groups).collect()
        }
    }
}

struct QueryBuilder<'a> {
    searchable: Searchable,
    directory: &'a Directory,
    has_nulls: bool,
}

impl QueryBuilder<'_> {
    fn contains_text(&self, field: &str) -> bool {
        let name = field.strip_prefix("custom_attributes.");
        name.and_then(|name| self.directory.data_type(name)) == Some("string")
    }

    fn broadened(&self, exact: &Value) -> BroadCondition {
        let members =
            || exact["value"].as_array().into_iter().flatten().map(|member| self.broadened(member)).collect();
        match exact["operator"].as_str().unwrap_or_default() {
            "AND" => BroadCondition::all(members()),
            "OR" => BroadCondition::any(members()),
            "NOT" => BroadCondition::Everything,
            operator if exact["type"] == "date" => {
                dates(exact["field"].as_str().unwrap_or_default(), operator, &exact["value"])
            }
            operator => {
                self.broadened_test(exact["field"].as_str().unwrap_or_default(), operator, &exact["value"])
            }
        }
    }

    fn broadened_test(&self, field: &str, operator: &str, value: &Value) -> BroadCondition {
        let query = |operator: &str, value: Value| {
            if value.is_null() && !self.has_nulls {
                BroadCondition::Everything
            } else {
                BroadCondition::Test(test(field, operator, value))
            }
        };
        let field_type = match self.directory.field(self.searchable, field) {
            Some((_, field_type)) => field_type,
            None if field == "phone_digits" => return phone_endings(value),
            // Only the documents contain it.
            None => return BroadCondition::Everything,
        };
        // Markup and entities can be anywhere in a message, and some servers compare the stored HTML.
        if field == "company_id" || field_type == FieldType::Message {
            return BroadCondition::Everything;
        }
        match (field_type, operator, value) {
            (FieldType::NumericId(_) | FieldType::TextId(_), "=", Value::Null) => {
                let zero = if matches!(field_type, FieldType::TextId(_)) { json!("0") } else { json!(0) };
                BroadCondition::any(vec![query("=", zero), query("=", Value::Null)])
            }
            (FieldType::NumericId(_), "!=", Value::Null) => query("!=", json!(0)),
            (FieldType::TextId(_), "!=", Value::Null) => query("!=", json!("0")),
            // A contact without a segment is not in any of the known ones.
            (FieldType::Ids(_), "=" | "!=", Value::Null) if field == "segment_id" => {
                let mut ids: Vec<&str> = self.directory.segments.iter().map(|(id, _)| id.as_str()).collect();
                if ids.is_empty() {
                    // An id that does not exist.
                    ids.push("0");
                }
                query(if operator == "=" { "NIN" } else { "IN" }, json!(ids))
            }
            (FieldType::Time | FieldType::Day, "!=", Value::Null) => query(">", json!(0)),
            (
                FieldType::Ids(_)
                | FieldType::Tags
                | FieldType::TagsWithoutIn
                | FieldType::Time
                | FieldType::Day
                | FieldType::TicketState,
                "=" | "!=",
                Value::Null,
            ) => BroadCondition::Everything,
            // An empty text counts as no value, and servers differ in whether null matches it.
            (FieldType::Text | FieldType::Email | FieldType::Phone, "=", Value::Null)
                if !SERVER_ONLY.contains(&field) =>
            {
                BroadCondition::any(vec![query("=", Value::Null), query("=", json!(""))])
            }
            (FieldType::Custom, "=", Value::Null) if self.contains_text(field) => {
                BroadCondition::any(vec![query("=", Value::Null), query("=", json!(""))])
            }
            // The description allows only texts and integers in lists, and no fractions anywhere.
            (FieldType::Custom, "IN" | "NIN", Value::Array(values)) if !values.iter().all(is_list_item) => {
                self.one_by_one(field, operator, values)
            }
            (FieldType::TagsWithoutIn, "IN" | "NIN", Value::Array(ids)) => {
                self.one_by_one(field, operator, ids)
            }
            (FieldType::Custom, "=", value) if value.is_f64() => {
                BroadCondition::all(vec![query(">", below(value)), query("<", above(value))])
            }
            (FieldType::Custom, "!=", value) if value.is_f64() => BroadCondition::Everything,
            // A date attribute may be compared by day.
            (FieldType::Custom, ">" | ">=", value) if may_be_time(value) => {
                query(">", shifted(value, -TWO_DAYS))
            }
            (FieldType::Custom, "<" | "<=", value) if may_be_time(value) => {
                query("<", shifted(value, TWO_DAYS))
            }
            (FieldType::Integer | FieldType::Time | FieldType::Custom, ">=", value) => {
                query(">", below(value))
            }
            (FieldType::Integer | FieldType::Time | FieldType::Custom, "<=", value) => {
                query("<", above(value))
            }
            (FieldType::Custom, ">", value) if value.is_f64() => query(">", below(value)),
            (FieldType::Custom, "<", value) if value.is_f64() => query("<", above(value)),
            // The search for contacts refuses it for times.
            (FieldType::Time, "!=", _) if self.searchable == Searchable::Contacts => {
                BroadCondition::Everything
            }
            // Newer servers use other names for the ticket categories.
            (FieldType::Choice(_), "=" | "IN", value) if field == "category" => {
                let names = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                let newer = names.iter().filter_map(|name| {
                    CATEGORIES.iter().find(|(old, _)| name == old).map(|(_, new)| json!(new))
                });
                let both: Vec<Value> = names.iter().cloned().chain(newer).collect();
                query("IN", json!(both))
            }
            _ => query(operator, value.clone()),
        }
    }

    /// A test of several values as one test for each.
    fn one_by_one(&self, field: &str, operator: &str, values: &[Value]) -> BroadCondition {
        let each =
            |operator| values.iter().map(|value| self.broadened_test(field, operator, value)).collect();
        if operator == "IN" { BroadCondition::any(each("=")) } else { BroadCondition::all(each("!=")) }
    }
}

/// The names of the ticket categories in documents and in newer searches.
pub(super) const CATEGORIES: [(&str, &str); 3] =
    [("Customer", "request"), ("Back-office", "task"), ("Tracker", "tracker")];

/// Two days in seconds: more than the difference between the same day in any two time zones.
const TWO_DAYS: i64 = 2 * 86_400;
/// Numbers from here on may be times in epoch seconds.
const EARLIEST_TIME: i64 = 100_000_000;

fn may_be_time(value: &Value) -> bool {
    value.as_i64().is_some_and(|number| number >= EARLIEST_TIME)
}

fn shifted(value: &Value, by: i64) -> Value {
    json!(value.as_i64().unwrap_or(0).saturating_add(by))
}

/// The largest integer below a number.
fn below(value: &Value) -> Value {
    match value.as_i64() {
        Some(number) => json!(number.saturating_sub(1)),
        None => json!(value.as_f64().unwrap_or(0.0).ceil() as i64 - 1),
    }
}

/// The smallest integer above a number.
fn above(value: &Value) -> Value {
    match value.as_i64() {
        Some(number) => json!(number.saturating_add(1)),
        None => json!(value.as_f64().unwrap_or(0.0).floor() as i64 + 1),
    }
}

/// Servers compare date attributes by day or by second, in any time zone.
fn dates(field: &str, operator: &str, value: &Value) -> BroadCondition {
    let after = |value: &Value| BroadCondition::Test(test(field, ">", shifted(value, -TWO_DAYS)));
    let before = |value: &Value| BroadCondition::Test(test(field, "<", shifted(value, TWO_DAYS)));
    match (operator, value) {
        (_, Value::Null) => BroadCondition::Everything,
        ("=", value) => BroadCondition::all(vec![after(value), before(value)]),
        (">" | ">=", value) => after(value),
        ("<" | "<=", value) => before(value),
        ("IN", Value::Array(values)) => {
            BroadCondition::any(values.iter().map(|value| dates(field, "=", value)).collect())
        }
        _ => BroadCondition::Everything,
    }
}

/// Whether the search accepts a value in a list.
fn is_list_item(value: &Value) -> bool {
    value.is_string() || value.is_i64() || value.is_u64()
}

/// Tests for the end of a phone number, because its digits may be grouped in any way.
fn phone_endings(value: &Value) -> BroadCondition {
    let numbers = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let endings = numbers.iter().filter_map(Value::as_str).flat_map(Phone::endings);
    let tests = endings.map(|(operator, end)| BroadCondition::Test(test("phone", operator, json!(end))));
    BroadCondition::any(tests.collect())
}
