//! Whether one document is what a search predicate describes.
//!
//! Servers find too much: comparisons that include equality, texts cut into words, days for moments, an
//! index that is behind. The document is in hand, so it has the last word. Where it does not show what a
//! test is about, the answer is unknown, never a guess.

use std::cell::Cell;
use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::places::{Kind, Place, place};
use crate::filter::person::phone_digits;
use crate::mirror::resources::ResourceName;
use crate::mirror::{fields, plain};

/// Custom attributes that are at least this may be moments, in epoch seconds.
const EARLIEST_MOMENT: i64 = 100_000_000;
/// No two places on earth are further apart than this, in seconds of their clocks.
const WIDEST_ZONES: i64 = 2 * 86_400;

/// Whether the document is selected; `None` when it does not show that. Without the workspace's zone, days
/// are only told apart where every zone agrees.
pub fn holds(
    resource: ResourceName,
    predicate: &Value,
    document: &Value,
    zone: Option<&TimeZone>,
) -> Option<bool> {
    Reader::new(resource, document, zone, true).group(predicate)
}

/// What a document that a search found says of a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Selected,
    Refused,
    /// The document lacks a field that the record itself may show.
    Incomplete,
    /// Neither the document nor the search decides.
    Unknown,
}

/// Judges a document that a server found for `query`. The server's word counts only for a test that `query`
/// asks as it is, at a place where the document must have passed it. `is_record` says that the document is the
/// record itself, so that nothing can show more.
pub fn judge(
    resource: ResourceName,
    predicate: &Value,
    query: &Value,
    document: &Value,
    zone: Option<&TimeZone>,
    is_record: bool,
) -> Verdict {
    let mut reader = Reader::new(resource, document, zone, is_record);
    let mut facts = Vec::new();
    reader.learn(query, &mut facts);
    // Whether a bound itself belongs to what is found differs between servers.
    facts.retain(|fact| is_record || reader.is_hidden(fact) || !is_ordered(fact));
    reader.facts = facts;
    reader.lacks.set(false);
    match reader.group(predicate) {
        Some(true) => Verdict::Selected,
        Some(false) => Verdict::Refused,
        None if reader.lacks.get() && !is_record => Verdict::Incomplete,
        None => Verdict::Unknown,
    }
}

fn is_ordered(test: &Value) -> bool {
    matches!(test["operator"].as_str(), Some(">" | ">=" | "<" | "<="))
}

/// Whether a part of a query is a comparison of order, or holds one.
fn holds_comparison(part: &Value) -> bool {
    let inside = part["value"].as_array().filter(|_| part["field"].is_null());
    match inside {
        Some(members) => members.iter().any(holds_comparison),
        None => is_ordered(part),
    }
}

/// A test as the server was asked it, where that differs from what it means.
fn as_asked(test: &Value) -> &Value {
    test.get("asked").unwrap_or(test)
}

fn is_same_test(one: &Value, other: &Value) -> bool {
    let (one, other) = (as_asked(one), as_asked(other));
    !one["field"].is_null() && ["field", "operator", "value"].iter().all(|key| one[*key] == other[*key])
}

/// The members of a group, with those of groups of the same kind inside it.
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

struct Reader<'a> {
    resource: ResourceName,
    document: &'a Value,
    zone: Option<&'a TimeZone>,
    /// Parts of the query that the document must have passed.
    facts: Vec<&'a Value>,
    /// Whether a field was looked for that the document lacks.
    lacks: Cell<bool>,
    /// Whether this is the record itself: what it lacks, it does not have.
    is_record: bool,
}

/// What lies at a place.
enum Found<'a> {
    /// The document does not have the field at all.
    Absent,
    Value(&'a Value),
}

impl<'a> Reader<'a> {
    fn new(resource: ResourceName, document: &'a Value, zone: Option<&'a TimeZone>, is_record: bool) -> Self {
        Reader { resource, document, zone, facts: Vec::new(), lacks: Cell::new(false), is_record }
    }

    fn group(&self, predicate: &Value) -> Option<bool> {
        let (operator, Some(inside)) = (&predicate["operator"], predicate["value"].as_array()) else {
            return self.test_or_fact(predicate);
        };
        let mut members = inside.iter().map(|member| self.group(member));
        match operator.as_str() {
            Some("AND") => all(members),
            Some("OR") => all(members.map(not))
                .map(|none| !none)
                .or_else(|| self.is_one_asked(predicate).then_some(true)),
            Some("NOT") => not(members.next()?),
            _ => self.test_or_fact(predicate),
        }
    }

    fn test_or_fact(&self, test: &Value) -> Option<bool> {
        self.test(test).or_else(|| self.facts.iter().any(|fact| is_same_test(fact, test)).then_some(true))
    }

    /// Whether the server was asked for one of these, and the document shows that nothing else let it pass.
    fn is_one_asked(&self, any: &Value) -> bool {
        let mut own = Vec::new();
        members(any, "OR", &mut own);
        self.facts.iter().filter(|fact| fact["operator"] == "OR" && fact["field"].is_null()).any(|fact| {
            let mut asked = Vec::new();
            members(fact, "OR", &mut asked);
            // A document that fails all of them was not found by this query.
            asked.retain(|member| !self.is_ruled_out(member));
            !asked.is_empty()
                && asked.iter().all(|member| {
                    (!is_ordered(member) || self.is_hidden(member))
                        && own.iter().any(|one| is_same_test(one, member))
                })
        })
    }

    /// Whether the document cannot have been found by this part of a query. Servers differ on whether a bound belongs
    /// to what is found, so a comparison rules nothing out.
    fn is_ruled_out(&self, part: &Value) -> bool {
        !holds_comparison(part) && self.group(part) == Some(false)
    }

    /// The parts of a query that a document must have passed to be found by it.
    fn learn(&self, query: &'a Value, facts: &mut Vec<&'a Value>) {
        let operator = query["operator"].as_str().filter(|_| query["field"].is_null());
        let inside = query["value"].as_array().filter(|_| operator.is_some());
        match (operator, inside) {
            (Some("AND"), Some(inside)) => inside.iter().for_each(|member| self.learn(member, facts)),
            (Some("OR"), Some(inside)) => {
                let open: Vec<&Value> = inside.iter().filter(|member| !self.is_ruled_out(member)).collect();
                match open[..] {
                    [only] => self.learn(only, facts),
                    _ => facts.push(query),
                }
            }
            _ => facts.push(query),
        }
    }

    /// Whether no document shows the field of a test.
    fn is_hidden(&self, test: &Value) -> bool {
        place(self.resource, test).is_none_or(|place| match place.kind {
            Kind::Hidden => true,
            Kind::Ids(list) => list.keys.is_empty(),
            _ => false,
        })
    }

    fn absent(&self) -> Option<bool> {
        self.lacks.set(true);
        None
    }

    /// Whether the document is more than a reference to its record.
    fn is_shown(&self) -> bool {
        self.document.as_object().is_some_and(|keys| keys.keys().any(|key| key != "id" && key != "type"))
    }

    fn test(&self, test: &Value) -> Option<bool> {
        let place = place(self.resource, test)?;
        let value = &test["value"];
        match test["operator"].as_str().unwrap_or("=") {
            "IN" => self.any(&place, value),
            "NIN" => not(self.any(&place, value)),
            "!=" => not(self.one(&place, "=", value)),
            "!~" => not(self.one(&place, "~", value)),
            operator => self.one(&place, operator, value),
        }
    }

    fn any(&self, place: &Place<'_>, values: &Value) -> Option<bool> {
        let members = values.as_array()?.iter().map(|value| not(self.one(place, "=", value)));
        all(members).map(|none| !none)
    }

    fn one(&self, place: &Place<'_>, operator: &str, value: &Value) -> Option<bool> {
        match place.kind {
            Kind::Hidden => return None,
            Kind::Ids(list) => return self.id(list.keys, operator, value),
            Kind::Teammates => {
                let listed =
                    self.document["teammates"]["teammates"].as_array().is_some_and(|it| !it.is_empty());
                return if listed { self.id(&["teammates", "teammates"], operator, value) } else { None };
            }
            _ => {}
        }
        match (self.find(place), operator) {
            // Nobody is assigned where the key is left out.
            (Found::Absent, _) if !(self.is_record || place.kind == Kind::Reference && self.is_shown()) => {
                self.absent()
            }
            (Found::Absent, _) => self.value(place, &NULL, operator, value),
            (Found::Value(found), _) => self.value(place, found, operator, value),
        }
    }

    fn value(&self, place: &Place<'_>, found: &Value, operator: &str, value: &Value) -> Option<bool> {
        match operator {
            "=" if value.is_null() => Some(match place.kind {
                Kind::Reference => fields::reference(found).is_none(),
                Kind::Text | Kind::Message | Kind::Domain | Kind::Digits | Kind::Anything => {
                    found.is_null() || found == ""
                }
                Kind::Moment => fields::moment(found).is_none(),
                _ => found.is_null(),
            }),
            _ => self.compare(place.kind, found, operator, value),
        }
    }

    fn find(&self, place: &Place<'_>) -> Found<'_> {
        let mut at = self.document;
        for (depth, key) in place.keys.iter().enumerate() {
            at = match (at.get(key), at) {
                (Some(inside), _) => inside,
                // Attributes that were never filled in may be left out, and so may what is in nothing.
                (None, Value::Object(_)) if place.kind != Kind::Anything || depth == 0 => {
                    return Found::Absent;
                }
                // The state of a ticket is its category itself in some answers.
                (None, Value::String(_)) if *key == "category" => at,
                (None, Value::String(_) | Value::Number(_) | Value::Bool(_)) => return Found::Absent,
                (None, _) => return Found::Value(&NULL),
            };
        }
        Found::Value(at)
    }

    fn id(&self, keys: &[&str], operator: &str, value: &Value) -> Option<bool> {
        let (last, outer) = keys.split_last()?;
        let holder = outer.iter().try_fold(self.document, |at, key| at.get(key));
        let list = holder.and_then(|holder| Some((holder, holder.get(last)?.as_array()?)));
        let Some((holder, ids)) = list else { return self.absent() };
        let total = fields::integer(&holder["total_count"]).unwrap_or(0);
        let is_cut = fields::flag(&holder["has_more"]) == Some(true) || total > ids.len() as i64;
        match (operator, fields::id(value)) {
            ("=", None) if value.is_null() => Some(ids.is_empty() && !is_cut),
            ("=", Some(wanted)) => {
                let found = ids.iter().any(|one| fields::id(&one["id"]).is_some_and(|id| id == wanted));
                if is_cut && !found { None } else { Some(found) }
            }
            _ => None,
        }
    }

    fn compare(&self, kind: Kind, found: &Value, operator: &str, value: &Value) -> Option<bool> {
        match kind {
            Kind::Text if found.is_object() || found.is_array() => None,
            Kind::Text => text(&fields::text(found), operator, &fields::text(value)?),
            Kind::Message if operator == "=" => None,
            Kind::Message => {
                let body = found.as_str().map(|html| plain::text(html).replace('\n', " "));
                text(&body, operator, &folded_spaces(value.as_str()?))
            }
            Kind::Domain => {
                let domain =
                    found.as_str().and_then(|email| email.split_once('@')).map(|(_, at)| at.to_owned());
                text(&domain, operator, &fields::text(value)?)
            }
            Kind::Digits => text(&found.as_str().map(phone_digits), operator, value.as_str()?),
            Kind::Reference if operator == "=" => Some(fields::reference(found) == fields::reference(value)),
            Kind::Reference => None,
            Kind::Flag => (operator == "=")
                .then(|| Some(fields::flag(found).unwrap_or(false) == fields::flag(value)?))
                .flatten(),
            Kind::Number => number(found, operator, value),
            Kind::Moment => match fields::moment(found) {
                None => Some(false),
                Some(at) => self.moment_of(at, operator, fields::time(value)?),
            },
            Kind::Anything => self.anything(found, operator, value),
            Kind::Ids(_) | Kind::Teammates | Kind::Hidden => None,
        }
    }

    /// Times of contacts compare by the day of the workspace, others to the second.
    fn moment_of(&self, found: i64, operator: &str, wanted: i64) -> Option<bool> {
        if self.resource != ResourceName::Contacts {
            return ordered(found.cmp(&wanted), operator);
        }
        let Some(zone) = self.zone else {
            let is_apart = (found - wanted).abs() > WIDEST_ZONES;
            return is_apart.then(|| ordered(found.cmp(&wanted), operator)).flatten();
        };
        let day = |at: i64| Some(Timestamp::from_second(at).ok()?.to_zoned(zone.clone()).date());
        ordered(day(found)?.cmp(&day(wanted)?), operator)
    }

    fn anything(&self, found: &Value, operator: &str, value: &Value) -> Option<bool> {
        if found.is_object() || found.is_array() {
            return None;
        }
        let written = fields::text(value)?;
        let wanted = match written.trim() {
            "true" => Some(1.0),
            "false" => Some(0.0),
            number => number.parse::<f64>().ok().filter(|number| number.is_finite()),
        };
        let (number, found_text) = match found {
            Value::Number(number) => (number.as_f64(), Some(number.to_string())),
            Value::Bool(flag) => (Some(f64::from(u8::from(*flag))), Some(u8::from(*flag).to_string())),
            other => (None, other.as_str().map(str::to_owned)),
        };
        match (operator, number, wanted) {
            ("=", Some(number), Some(wanted)) if number == wanted => Some(true),
            ("=", Some(number), Some(wanted)) => {
                // A date among the attributes is compared by its day, and does not say that it is one.
                let may_be_date = self.resource == ResourceName::Contacts
                    && wanted >= EARLIEST_MOMENT as f64
                    && (number - wanted).abs() <= WIDEST_ZONES as f64;
                if may_be_date { None } else { Some(false) }
            }
            ("=" | "~" | "^" | "$", ..) => text(&found_text, operator, &written),
            (_, Some(number), Some(wanted)) => ordered(number.partial_cmp(&wanted)?, operator),
            _ => Some(false),
        }
    }
}

/// All of them, where unknown ones count only as long as none is false.
fn all(mut members: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    members
        .try_fold(Some(true), |so_far, member| match member {
            Some(false) => Err(()),
            None => Ok(None),
            Some(true) => Ok(so_far),
        })
        .unwrap_or(Some(false))
}

fn not(value: Option<bool>) -> Option<bool> {
    value.map(|value| !value)
}

/// Without regard to case, as the search does it. Null is no text, so it has none in it.
fn text(found: &Option<String>, operator: &str, wanted: &str) -> Option<bool> {
    let Some(found) = found.as_ref().map(|found| found.to_lowercase()) else { return Some(false) };
    let wanted = wanted.to_lowercase();
    match operator {
        "=" => Some(found == wanted),
        "~" => Some(found.contains(&wanted)),
        "^" => Some(found.starts_with(&wanted)),
        "$" => Some(found.ends_with(&wanted)),
        _ => None,
    }
}

fn number(found: &Value, operator: &str, wanted: &Value) -> Option<bool> {
    let exactly = |value: &Value| value.as_i64();
    if let (Some(found), Some(wanted)) = (exactly(found), exactly(wanted)) {
        return ordered(found.cmp(&wanted), operator);
    }
    let wanted = fields::number(wanted)?;
    match fields::number(found) {
        None => Some(false),
        Some(found) => ordered(found.partial_cmp(&wanted)?, operator),
    }
}

fn ordered(order: Ordering, operator: &str) -> Option<bool> {
    match operator {
        "=" => Some(order.is_eq()),
        ">" => Some(order.is_gt()),
        ">=" => Some(order.is_ge()),
        "<" => Some(order.is_lt()),
        "<=" => Some(order.is_le()),
        _ => None,
    }
}

/// White space as it is in the plain text of messages.
pub(super) fn folded_spaces(text: &str) -> String {
    let inside = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let before = if text.starts_with(char::is_whitespace) { " " } else { "" };
    let after = if text.ends_with(char::is_whitespace) && !inside.is_empty() { " " } else { "" };
    format!("{before}{inside}{after}")
}
