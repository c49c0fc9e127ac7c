//! Evaluates a search predicate on one document.
//!
//! In addition to the API's predicates, groups may have any depth and be negated (`NOT`), all numbers and times support
//! `>=` and `<=`, all fields can be compared with null, and contacts have the field `phone_digits`. The mirror evaluates
//! the same predicates in SQL, with the same table of fields.
//!
//! Servers return too many records: their comparisons may include equality, match single words, compare days instead
//! of times, or use an outdated index. The document decides. If it lacks a field, the result is unknown and must
//! never be guessed.

mod comparison;
pub(crate) mod priority;
mod search_fields;

use std::cell::Cell;

use jiff::tz::TimeZone;
use serde_json::Value;

use self::comparison::ValueComparison;
#[cfg(feature = "mirror")]
pub(crate) use self::comparison::collapse_spaces;
pub(crate) use self::priority::with_spellings;
#[cfg(feature = "mirror")]
pub(crate) use self::search_fields::IdList;
pub(crate) use self::search_fields::{FieldLocation, FieldType, locate};
use super::Searchable;
use crate::data::lenient;

/// Whether a predicate selects a document; `None` if the document does not show it. Without the workspace's zone, days
/// are compared only if the result is the same in every zone.
pub fn holds(
    searched: Searchable,
    predicate: &Value,
    document: &Value,
    zone: Option<&TimeZone>,
) -> Option<bool> {
    Evaluator::new(searched, document, zone, true).group(predicate)
}

/// Whether a predicate selects a document that a search returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    Selected,
    Excluded,
    /// The document lacks a field that the full record may have.
    Incomplete,
    /// Neither the document nor the search shows it.
    Undecided,
}

/// Judges a document that the server returned for `query`. The server is trusted only for tests that `query` contains
/// unchanged and that the document must have passed. `is_record`: the document is the full record, so what it lacks
/// does not exist.
pub fn judge(
    searched: Searchable,
    predicate: &Value,
    query: &Value,
    document: &Value,
    zone: Option<&TimeZone>,
    is_record: bool,
) -> Judgement {
    let mut evaluator = Evaluator::new(searched, document, zone, is_record);
    let mut facts = Vec::new();
    evaluator.collect_facts(query, &mut facts);
    // Servers differ on whether comparisons include the bound.
    facts.retain(|fact| is_record || evaluator.is_server_only(fact) || !is_ordered(fact));
    evaluator.facts = facts;
    evaluator.is_field_missing.set(false);
    match evaluator.group(predicate) {
        Some(true) => Judgement::Selected,
        Some(false) => Judgement::Excluded,
        None if evaluator.is_field_missing.get() && !is_record => Judgement::Incomplete,
        None => Judgement::Undecided,
    }
}

fn is_ordered(test: &Value) -> bool {
    matches!(test["operator"].as_str(), Some(">" | ">=" | "<" | "<="))
}

/// Whether a part of a query is or contains an ordering comparison.
fn has_comparison(part: &Value) -> bool {
    let inside = part["value"].as_array().filter(|_| part["field"].is_null());
    match inside {
        Some(members) => members.iter().any(has_comparison),
        None => is_ordered(part),
    }
}

/// Whether a part of a query is or contains "not empty". Servers differ on whether null, 0 and an empty text are equal.
fn excludes_empty(part: &Value) -> bool {
    let is_empty = |value: &Value| value.is_null() || *value == 0 || value == "" || value == "0";
    match (part["operator"].as_str(), part["value"].as_array()) {
        (Some("NIN"), Some(values)) => values.iter().any(is_empty),
        (_, Some(members)) => members.iter().any(excludes_empty),
        (operator, None) => operator == Some("!=") && is_empty(&part["value"]),
    }
}

/// The test that was sent to the server, if it differs from its meaning.
fn sent_test(test: &Value) -> &Value {
    test.get("asked").unwrap_or(test)
}

fn is_same_test(one: &Value, other: &Value) -> bool {
    let (one, other) = (sent_test(one), sent_test(other));
    !one["field"].is_null() && ["field", "operator", "value"].iter().all(|key| one[*key] == other[*key])
}

/// The members of a group, including those of nested groups with the same operator.
fn members<'p>(group: &'p Value, operator: &str, into: &mut Vec<&'p Value>) {
    for member in group["value"].as_array().into_iter().flatten() {
        let inside = member["value"].as_array().filter(|_| member["field"].is_null());
        match inside {
            Some(inside) if member["operator"] == operator || inside.len() == 1 => {
                members(member, operator, into);
            }
            _ => into.push(member),
        }
    }
}

static NULL: Value = Value::Null;

struct Evaluator<'a> {
    searched: Searchable,
    document: &'a Value,
    comparison: ValueComparison<'a>,
    /// Parts of the query that the document must satisfy.
    facts: Vec<&'a Value>,
    /// Whether a field was needed that the document lacks.
    is_field_missing: Cell<bool>,
    /// Whether this is the full record: fields that it lacks are null.
    is_record: bool,
}

/// The result of looking up a field.
enum Lookup<'a> {
    /// The document lacks the field.
    Absent,
    Value(&'a Value),
}

impl<'a> Evaluator<'a> {
    fn new(searched: Searchable, document: &'a Value, zone: Option<&'a TimeZone>, is_record: bool) -> Self {
        Evaluator {
            searched,
            document,
            comparison: ValueComparison { searched, zone },
            facts: Vec::new(),
            is_field_missing: Cell::new(false),
            is_record,
        }
    }

    fn group(&self, predicate: &Value) -> Option<bool> {
        let (operator, Some(inside)) = (&predicate["operator"], predicate["value"].as_array()) else {
            return self.test_or_fact(predicate);
        };
        let mut members = inside.iter().map(|member| self.group(member));
        match operator.as_str() {
            Some("AND") => all(members),
            Some("OR") => all(members.map(negated))
                .map(|none| !none)
                .or_else(|| self.is_implied_by_query(predicate).then_some(true)),
            Some("NOT") => negated(members.next()?),
            _ => self.test_or_fact(predicate),
        }
    }

    fn test_or_fact(&self, test: &Value) -> Option<bool> {
        self.test(test).or_else(|| self.facts.iter().any(|fact| is_same_test(fact, test)).then_some(true))
    }

    /// Whether the document can only have matched an OR group of the query through tests of the OR group `group`.
    fn is_implied_by_query(&self, group: &Value) -> bool {
        let mut tests = Vec::new();
        members(group, "OR", &mut tests);
        self.facts.iter().filter(|fact| fact["operator"] == "OR" && fact["field"].is_null()).any(|fact| {
            let mut candidates = Vec::new();
            members(fact, "OR", &mut candidates);
            // A document that fails all of them was not returned by this query.
            candidates.retain(|member| !self.is_ruled_out(member));
            !candidates.is_empty()
                && candidates.iter().all(|member| {
                    (!is_ordered(member) || self.is_server_only(member))
                        && tests.iter().any(|test| is_same_test(test, member))
                })
        })
    }

    /// Whether the document cannot match this part of a query on any server. Servers differ on whether comparisons
    /// include the bound and on what is empty, so such tests rule nothing out.
    fn is_ruled_out(&self, part: &Value) -> bool {
        !has_comparison(part) && !excludes_empty(part) && self.group(part) == Some(false)
    }

    /// Collects the parts of a query that a document must satisfy to be returned.
    fn collect_facts(&self, query: &'a Value, facts: &mut Vec<&'a Value>) {
        let operator = query["operator"].as_str().filter(|_| query["field"].is_null());
        let inside = query["value"].as_array().filter(|_| operator.is_some());
        match (operator, inside) {
            (Some("AND"), Some(inside)) => inside.iter().for_each(|member| self.collect_facts(member, facts)),
            (Some("OR"), Some(inside)) => {
                let open: Vec<&Value> = inside.iter().filter(|member| !self.is_ruled_out(member)).collect();
                match open[..] {
                    [only] => self.collect_facts(only, facts),
                    _ => facts.push(query),
                }
            }
            _ => facts.push(query),
        }
    }

    /// Whether documents never contain the field of a test.
    fn is_server_only(&self, test: &Value) -> bool {
        locate(self.searched, test).is_none_or(|location| match location.kind {
            FieldType::ServerOnly => true,
            FieldType::Ids(list) => list.keys.is_empty(),
            _ => false,
        })
    }

    fn missing(&self) -> Option<bool> {
        self.is_field_missing.set(true);
        None
    }

    /// Whether the document has more than a record's id and type.
    fn has_content(&self) -> bool {
        self.document.as_object().is_some_and(|keys| keys.keys().any(|key| key != "id" && key != "type"))
    }

    fn test(&self, test: &Value) -> Option<bool> {
        let test = &*with_spellings(Some(self.searched), test);
        let location = locate(self.searched, test)?;
        let value = &test["value"];
        match test["operator"].as_str().unwrap_or("=") {
            "IN" => self.any(&location, value),
            "NIN" => negated(self.any(&location, value)),
            "!=" => negated(self.one(&location, "=", value)),
            "!~" => negated(self.one(&location, "~", value)),
            operator => self.one(&location, operator, value),
        }
    }

    fn any(&self, location: &FieldLocation<'_>, values: &Value) -> Option<bool> {
        let members = values.as_array()?.iter().map(|value| negated(self.one(location, "=", value)));
        all(members).map(|none| !none)
    }

    fn one(&self, location: &FieldLocation<'_>, operator: &str, value: &Value) -> Option<bool> {
        match location.kind {
            FieldType::ServerOnly => return None,
            FieldType::Ids(list) => return self.id(list.keys, operator, value),
            FieldType::Teammates => {
                let listed = self.document["teammates"]["teammates"]
                    .as_array()
                    .is_some_and(|teammates| !teammates.is_empty());
                return if listed { self.id(&["teammates", "teammates"], operator, value) } else { None };
            }
            _ => {}
        }
        match (self.lookup(location), operator) {
            // A missing assignee means that nobody is assigned.
            (Lookup::Absent, _)
                if !(self.is_record || location.kind == FieldType::Reference && self.has_content()) =>
            {
                self.missing()
            }
            (Lookup::Absent, _) => self.comparison.compare(location.kind, &NULL, operator, value),
            (Lookup::Value(actual), _) => self.comparison.compare(location.kind, actual, operator, value),
        }
    }

    fn lookup(&self, location: &FieldLocation<'_>) -> Lookup<'_> {
        let mut at = self.document;
        for (depth, key) in location.keys.iter().enumerate() {
            at = match (at.get(key), at) {
                (Some(inside), _) => inside,
                // Attributes that were never set may be omitted, and so may members of null.
                (None, Value::Object(_)) if location.kind != FieldType::Untyped || depth == 0 => {
                    return Lookup::Absent;
                }
                // In some responses, a ticket's state is just its category.
                (None, Value::String(_)) if *key == "category" => at,
                (None, Value::String(_) | Value::Number(_) | Value::Bool(_)) => return Lookup::Absent,
                (None, _) => return Lookup::Value(&NULL),
            };
        }
        Lookup::Value(at)
    }

    fn id(&self, keys: &[&str], operator: &str, value: &Value) -> Option<bool> {
        let (last, outer) = keys.split_last()?;
        let holder = outer.iter().try_fold(self.document, |at, key| at.get(key));
        let list = holder.and_then(|holder| Some((holder, holder.get(last)?.as_array()?)));
        let Some((holder, ids)) = list else { return self.missing() };
        let total = lenient::integer(&holder["total_count"]).unwrap_or(0);
        let is_cut = lenient::flag(&holder["has_more"]) == Some(true) || total > ids.len() as i64;
        match (operator, lenient::id(value)) {
            ("=", None) if value.is_null() => Some(ids.is_empty() && !is_cut),
            ("=", Some(expected)) => {
                let is_listed =
                    ids.iter().any(|one| lenient::id(&one["id"]).is_some_and(|id| id == expected));
                if is_cut && !is_listed { None } else { Some(is_listed) }
            }
            _ => None,
        }
    }
}

/// Three-valued AND: false if any member is false, else unknown if any is unknown.
fn all(mut members: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    members
        .try_fold(Some(true), |so_far, member| match member {
            Some(false) => Err(()),
            None => Ok(None),
            Some(true) => Ok(so_far),
        })
        .unwrap_or(Some(false))
}

fn negated(value: Option<bool>) -> Option<bool> {
    value.map(|value| !value)
}
