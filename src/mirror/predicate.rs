//! The API's search predicates, answered from the mirror.
//!
//! A predicate becomes a condition over the columns and documents of one table, or a verdict on one
//! document. A field or an operator whose meaning cannot be kept is refused by name; none is ever left
//! out. Texts compare without regard to case, times to the second, and those of contacts by the day of the
//! workspace, as in the API.
//!
//! Beside what the API knows, groups may be as deep as they like and be negated (`NOT`), any number or time
//! may be compared with `>=` and `<=`, every field with null, and contacts by `phone_digits`.

mod document;
mod places;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Value as Cell;
use serde_json::Value;

pub use self::document::{Verdict, holds, judge};
use self::places::{Kind, List, Place, place};
use super::error::Error;
use super::fields;
use super::read::Choice;
use super::resources::ResourceName;

/// Narrows a choice to the records that a search body describes, in the order that it asks for. `zone` is
/// the workspace's.
///
/// # Errors
/// [`Error::Question`] with the field or operator that cannot be honoured.
pub fn narrow(
    resource: ResourceName,
    body: &Value,
    zone: &TimeZone,
    choice: Choice,
) -> Result<Choice, Error> {
    let mut search = Search { resource, zone, values: Vec::new() };
    let condition = search.condition(&body["query"])?;
    let order = search.order(&body["sort"])?;
    let mut choice = choice;
    choice.conditions.push(condition);
    choice.values.append(&mut search.values);
    Ok(Choice { order, ..choice })
}

struct Search<'a> {
    resource: ResourceName,
    zone: &'a TimeZone,
    values: Vec<Cell>,
}

/// Where a field is in SQL.
struct At<'p> {
    expression: String,
    place: Place<'p>,
}

impl Search<'_> {
    fn condition(&mut self, predicate: &Value) -> Result<String, Error> {
        let operator = predicate["operator"].as_str().unwrap_or("=");
        if let ("AND" | "OR" | "NOT", Value::Array(inside)) = (operator, &predicate["value"]) {
            let conditions = inside.iter().map(|it| self.condition(it)).collect::<Result<Vec<_>, _>>()?;
            return match (operator, &conditions[..]) {
                (_, []) => Err(Error::Question(format!("the search has an empty {operator}"))),
                ("NOT", [one]) => Ok(format!("NOT coalesce(({one}), 0)")),
                ("NOT", _) => Err(Error::Question("NOT takes one condition".to_owned())),
                _ => Ok(format!("({})", conditions.join(&format!(" {operator} ")))),
            };
        }
        let Some(field) = predicate["field"].as_str() else {
            return Err(Error::Question(format!("{predicate} is not a search predicate")));
        };
        let at = self.at(predicate, field)?;
        self.test(&at, operator, &predicate["value"])
            .ok_or_else(|| refused(field, operator, &predicate["value"]))
    }

    /// Where the field of a test is found, and what it holds.
    fn at<'p>(&self, test: &'p Value, field: &str) -> Result<At<'p>, Error> {
        let resource = self.resource.as_str();
        let found = place(self.resource, test).filter(|place| {
            let can_be_key = |key: &&str| !key.contains('\0');
            !matches!(place.kind, Kind::Hidden | Kind::Teammates) && place.keys.iter().all(can_be_key)
        });
        let place = found
            .ok_or_else(|| Error::Question(format!("the mirror cannot search {resource} by {field}")))?;
        let stored = place.column.map_or_else(|| path(&place.keys), str::to_owned);
        let expression = match place.kind {
            Kind::Ids(_) => format!("{resource}.id"),
            Kind::Message => format!(
                "(SELECT replace(body, char(10), ' ') FROM texts
                  WHERE texts.resource = '{resource}' AND texts.record_id = {resource}.id)"
            ),
            Kind::Domain => {
                format!(
                    "CASE WHEN instr({stored}, '@') > 0 THEN substr({stored}, instr({stored}, '@') + 1) END"
                )
            }
            Kind::Digits => format!("phone_digits({stored})"),
            // Numbers come as text from some servers; columns hold them as numbers.
            Kind::Number | Kind::Moment if place.column.is_none() => format!("CAST({stored} AS NUMERIC)"),
            _ => stored,
        };
        Ok(At { expression, place })
    }

    fn order(&self, sort: &Value) -> Result<Option<String>, Error> {
        if sort.is_null() {
            return Ok(None);
        }
        let field = sort["field"].as_str().unwrap_or_default();
        let direction = match sort["order"].as_str() {
            None | Some("descending" | "desc") => "DESC",
            Some("ascending" | "asc") => "ASC",
            Some(other) => {
                return Err(Error::Question(format!(
                    "unknown sort order {other:?}: expected ascending or descending"
                )));
            }
        };
        let at = self.at(sort, field)?;
        match at.place.kind {
            Kind::Ids(..) => Err(Error::Question(format!("the mirror cannot sort by {field}"))),
            _ => Ok(Some(format!("{} {direction}, rowid", at.expression))),
        }
    }

    /// `None` when the operator does not go with the kind, or the value with either.
    fn test(&mut self, at: &At<'_>, operator: &str, value: &Value) -> Option<String> {
        if let ("IN" | "NIN", Value::Array(elements)) = (operator, value) {
            let (one, join) = if operator == "IN" { ("=", " OR ") } else { ("!=", " AND ") };
            let tests: Option<Vec<String>> =
                elements.iter().map(|element| self.test(at, one, element)).collect();
            return tests.filter(|tests| !tests.is_empty()).map(|tests| format!("({})", tests.join(join)));
        }
        let (kind, expression) = (at.place.kind, at.expression.as_str());
        if value.is_null() {
            let list = matches!(kind, Kind::Ids(_));
            return match operator {
                "=" if list => Some(format!("NOT {}", linked(kind, expression, ""))),
                "!=" if list => Some(linked(kind, expression, "")),
                "=" | "!=" => {
                    // An empty text is nothing, and so is a moment that is zero.
                    let nothing = match kind {
                        Kind::Text | Kind::Message | Kind::Domain | Kind::Digits | Kind::Anything => {
                            format!("({expression} IS NULL OR {expression} = '')")
                        }
                        Kind::Moment => format!("coalesce({expression}, 0) = 0"),
                        _ => format!("{expression} IS NULL"),
                    };
                    Some(if operator == "=" { nothing } else { format!("NOT {nothing}") })
                }
                _ => None,
            };
        }
        match kind {
            Kind::Message if matches!(operator, "~" | "!~") => {
                self.text(expression, operator, document::folded_spaces(value.as_str()?))
            }
            Kind::Message | Kind::Hidden | Kind::Teammates => None,
            Kind::Text | Kind::Domain | Kind::Digits => self.text(expression, operator, fields::text(value)?),
            Kind::Reference => {
                let compare = match operator {
                    "=" => "IS",
                    "!=" => "IS NOT",
                    _ => return None,
                };
                // Nobody is null in the columns, and 0 or null in the API.
                self.values.push(fields::reference(value).into());
                Some(format!("{expression} {compare} ?"))
            }
            Kind::Number => self.number(expression, operator, value),
            Kind::Moment => self.moment(expression, operator, fields::time(value)?),
            Kind::Flag => {
                let compare = if operator == "!=" { "<>" } else { "=" };
                self.values.push(fields::flag(value)?.into());
                matches!(operator, "=" | "!=").then(|| format!("coalesce({expression}, 0) {compare} ?"))
            }
            Kind::Ids(List { other, .. }) => {
                let not = match operator {
                    "=" => "",
                    "!=" => "NOT ",
                    _ => return None,
                };
                self.values.push(fields::id(value)?.into());
                Some(format!("{not}{}", linked(kind, expression, &format!(" AND link.{other} = ?"))))
            }
            Kind::Anything => self.anything(expression, operator, &fields::text(value)?),
        }
    }

    fn text(&mut self, at: &str, operator: &str, text: String) -> Option<String> {
        let length = text.chars().count();
        // Only of plain letters does SQLite itself know both cases; for those it can use an index.
        let is_plain = text.is_ascii();
        self.values.push(text.into());
        Some(match operator {
            "=" if is_plain => format!("{at} = ? COLLATE NOCASE"),
            "!=" if is_plain => format!("coalesce({at} <> ? COLLATE NOCASE, 1)"),
            "=" => format!("lower({at}) = lower(?)"),
            "!=" => format!("coalesce(lower({at}) <> lower(?), 1)"),
            "~" => format!("instr(lower({at}), lower(?)) > 0"),
            "!~" => format!("coalesce(instr(lower({at}), lower(?)), 0) = 0"),
            "^" => format!("instr(lower({at}), lower(?)) = 1"),
            "$" if length > 0 => format!("lower(substr({at}, -{length})) = lower(?)"),
            _ => return None,
        })
    }

    /// What is compared with whatever a custom attribute holds: numbers and truth values may be written as
    /// texts, in the search as in the record.
    fn anything(&mut self, at: &str, operator: &str, text: &str) -> Option<String> {
        let number = match text.trim() {
            "true" => Some(Value::from(1)),
            "false" => Some(Value::from(0)),
            number => serde_json::from_str(number).ok().filter(Value::is_number),
        };
        let is_number = format!("typeof({at}) IN ('integer', 'real')");
        match (operator, &number) {
            ("<" | ">" | "<=" | ">=", Some(number)) => {
                let compared = self.number(at, operator, number)?;
                Some(format!("({is_number} AND {compared})"))
            }
            ("=", Some(number)) => {
                let as_text = self.text(at, "=", text.to_owned())?;
                let as_number = self.number(at, "=", number)?;
                Some(format!("({as_text} OR {as_number})"))
            }
            ("!=", Some(number)) => {
                let as_text = self.text(at, "!=", text.to_owned())?;
                let as_number = self.number(at, "!=", number)?;
                Some(format!("({as_text} AND {as_number})"))
            }
            _ => self.text(at, operator, text.to_owned()),
        }
    }

    fn number(&mut self, at: &str, operator: &str, value: &Value) -> Option<String> {
        let number = match fields::integer(value).filter(|_| !value.is_f64()) {
            Some(number) => Cell::from(number),
            None => Cell::from(value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?),
        };
        self.values.push(number);
        match operator {
            "=" | "<" | ">" | "<=" | ">=" => Some(format!("{at} {operator} ?")),
            "!=" => Some(format!("{at} IS NOT ?")),
            _ => None,
        }
    }

    fn moment(&mut self, at: &str, operator: &str, moment: i64) -> Option<String> {
        if self.resource != ResourceName::Contacts {
            let test = self.number(at, operator, &Value::from(moment))?;
            // A moment that is zero has not come.
            return Some(if operator.starts_with('<') { format!("({at} <> 0 AND {test})") } else { test });
        }
        let (begin, end) = self.day(moment)?;
        let (test, values) = match operator {
            "=" => (format!("({at} >= ? AND {at} < ?)"), vec![begin, end]),
            "!=" => (format!("NOT coalesce({at} >= ? AND {at} < ?, 0)"), vec![begin, end]),
            ">" => (format!("{at} >= ?"), vec![end]),
            ">=" => (format!("{at} >= ?"), vec![begin]),
            "<" => (format!("({at} <> 0 AND {at} < ?)"), vec![begin]),
            "<=" => (format!("({at} <> 0 AND {at} < ?)"), vec![end]),
            _ => return None,
        };
        self.values.extend(values.into_iter().map(Cell::from));
        Some(test)
    }

    /// When the workspace's day of a moment begins and ends, in epoch seconds.
    fn day(&self, moment: i64) -> Option<(i64, i64)> {
        let date = Timestamp::from_second(moment).ok()?.to_zoned(self.zone.clone()).date();
        let start = |date: jiff::civil::Date| {
            date.to_zoned(self.zone.clone()).ok().map(|it| it.timestamp().as_second())
        };
        Some((start(date)?, start(date.tomorrow().ok()?)?))
    }
}

/// Whether a record is linked with another one, or with any.
fn linked(kind: Kind, record: &str, condition: &str) -> String {
    let Kind::Ids(List { table, owner, .. }) = kind else { return "0".to_owned() };
    format!("EXISTS (SELECT 1 FROM {table} AS link WHERE link.{owner} = {record}{condition})")
}

/// The place of keys in the document. A path cannot name a key with a quotation mark, but such a key can be found.
fn path(keys: &[&str]) -> String {
    if let [outer, key] = keys
        && key.contains(['"', '\\'])
    {
        let key = key.replace('\'', "''");
        return format!("(SELECT value FROM json_each(raw, '$.\"{outer}\"') WHERE key = '{key}')");
    }
    let keys: String = keys.iter().map(|key| format!(".\"{key}\"")).collect();
    format!("raw ->> '${}'", keys.replace('\'', "''"))
}

fn refused(field: &str, operator: &str, value: &Value) -> Error {
    Error::Question(format!("the mirror cannot search for {field} {operator} {value}"))
}
