//! Evaluates the API's search predicates on the mirror.
//!
//! A predicate is compiled to an SQL condition on one table. A field or operator that cannot be supported is an error
//! that names it: no part of a predicate may ever be ignored. As in the API, texts are not case-sensitive, and times
//! compare to the second, or for contacts by the workspace's day. [`crate::filter::judge`] evaluates the same predicates
//! on single documents.
//!
//! In addition to the API's predicates, groups may have any depth and be negated (`NOT`), all numbers and times
//! support `>=` and `<=`, all fields can be compared with null, and contacts have the field `phone_digits`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use super::read::RecordQuery;
use crate::data::lenient;
use crate::filter::Searchable;
use crate::filter::judge::{FieldLocation, FieldType, IdList, collapse_spaces, locate, with_spellings};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// Fields with other names in the tables.
const COLUMN_NAMES: &[(&str, &str)] =
    &[("conversation_rating.score", "rating"), ("email_domain", "email"), ("phone_digits", "phone")];

impl From<Searchable> for ResourceName {
    fn from(searched: Searchable) -> Self {
        match searched {
            Searchable::Conversations => ResourceName::Conversations,
            Searchable::Contacts => ResourceName::Contacts,
            Searchable::Tickets => ResourceName::Tickets,
        }
    }
}

/// Restricts a query to the records that a search body selects, in its order. `zone` is the workspace's.
///
/// # Errors
/// [`Error::InvalidQuery`] with the field or operator that is not supported.
pub fn narrow(
    resource: ResourceName,
    body: &Value,
    zone: &TimeZone,
    query: RecordQuery,
) -> Result<RecordQuery, Error> {
    let mut search = Search { resource, zone, values: Vec::new() };
    let condition = search.condition(&body["query"])?;
    let order = search.order(&body["sort"])?;
    let mut query = query;
    query.conditions.push(condition);
    query.values.append(&mut search.values);
    Ok(RecordQuery { order, ..query })
}

/// A statement that selects the ids of the records that match a predicate, for people to run.
///
/// # Errors
/// As [`narrow`].
pub fn statement(resource: ResourceName, predicate: &Value, zone: &TimeZone) -> Result<String, Error> {
    let query = narrow(resource, &json!({ "query": predicate }), zone, RecordQuery::default())?;
    let mut values = query.values.iter();
    let (mut condition, mut is_quoted) = (String::new(), false);
    for letter in query.conditions.join(" AND ").chars() {
        is_quoted ^= letter == '\'';
        let is_placeholder = letter == '?' && !is_quoted;
        match is_placeholder.then(|| values.next()).flatten() {
            Some(value) => condition.push_str(&literal(value)),
            None => condition.push(letter),
        }
    }
    Ok(format!("SELECT id FROM {resource} WHERE {condition}"))
}

fn literal(cell: &Cell) -> String {
    match cell {
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Cell::Null | Cell::Blob(_) => "NULL".to_owned(),
    }
}

struct Search<'a> {
    resource: ResourceName,
    zone: &'a TimeZone,
    values: Vec<Cell>,
}

/// A field as an SQL expression.
struct SqlField<'p> {
    expression: String,
    location: FieldLocation<'p>,
}

/// Locates the field of a test; `None` if the API cannot search the resource by it.
fn locate_in(resource: ResourceName, test: &Value) -> Option<FieldLocation<'_>> {
    locate(searched_of(resource)?, test)
}

fn searched_of(resource: ResourceName) -> Option<Searchable> {
    Searchable::ALL.into_iter().find(|searched| ResourceName::from(*searched) == resource)
}

/// The column of a field, if it has one.
fn column<'p>(resource: ResourceName, location: &FieldLocation<'_>, field: &'p str) -> Option<&'p str> {
    let column = COLUMN_NAMES.iter().find(|(name, _)| *name == field).map_or(field, |(_, column)| column);
    (location.is_standard && resource.has_column(column)).then_some(column)
}

impl Search<'_> {
    fn condition(&mut self, predicate: &Value) -> Result<String, Error> {
        let operator = predicate["operator"].as_str().unwrap_or("=");
        if let ("AND" | "OR" | "NOT", Value::Array(inside)) = (operator, &predicate["value"]) {
            let conditions =
                inside.iter().map(|member| self.condition(member)).collect::<Result<Vec<_>, _>>()?;
            return match (operator, &conditions[..]) {
                (_, []) => Err(Error::InvalidQuery(format!("invalid search: {operator} has no conditions"))),
                ("NOT", [one]) => Ok(format!("NOT coalesce(({one}), 0)")),
                ("NOT", _) => {
                    Err(Error::InvalidQuery("invalid search: NOT takes exactly one condition".to_owned()))
                }
                _ => Ok(format!("({})", conditions.join(&format!(" {operator} ")))),
            };
        }
        let predicate = &*with_spellings(searched_of(self.resource), predicate);
        let operator = predicate["operator"].as_str().unwrap_or("=");
        let Some(field) = predicate["field"].as_str() else {
            return Err(Error::InvalidQuery(format!("invalid search predicate {predicate}")));
        };
        let sql_field = self.sql_field(predicate, field)?;
        self.test(&sql_field, operator, &predicate["value"])
            .ok_or_else(|| unsupported(field, operator, &predicate["value"]))
    }

    /// The location and type of the field of a test.
    fn sql_field<'p>(&self, test: &'p Value, field: &str) -> Result<SqlField<'p>, Error> {
        let resource = self.resource.as_str();
        let found = locate_in(self.resource, test).filter(|location| {
            let can_be_key = |key: &&str| !key.contains('\0');
            !matches!(location.kind, FieldType::ServerOnly | FieldType::Teammates)
                && location.keys.iter().all(can_be_key)
        });
        let location = found.ok_or_else(|| {
            Error::InvalidQuery(format!("cannot search {resource} by {field} in the mirror"))
        })?;
        let column = column(self.resource, &location, field);
        let stored = column.map_or_else(|| path(&location.keys), str::to_owned);
        let expression = match location.kind {
            FieldType::Ids(_) => format!("{resource}.id"),
            FieldType::Html => format!(
                "(SELECT replace(body, char(10), ' ') FROM texts
                  WHERE texts.resource = '{resource}' AND texts.record_id = {resource}.id)"
            ),
            FieldType::Domain => {
                format!(
                    "CASE WHEN instr({stored}, '@') > 0 THEN substr({stored}, instr({stored}, '@') + 1) END"
                )
            }
            FieldType::Digits => format!("phone_digits({stored})"),
            // Documents may contain numbers as text; columns contain numbers.
            FieldType::Number | FieldType::Time | FieldType::ExactTime if column.is_none() => {
                format!("CAST({stored} AS NUMERIC)")
            }
            _ => stored,
        };
        Ok(SqlField { expression, location })
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
                return Err(Error::InvalidQuery(format!(
                    "unknown sort order {other:?}: expected ascending or descending"
                )));
            }
        };
        let sql_field = self.sql_field(sort, field)?;
        match sql_field.location.kind {
            FieldType::Ids(..) => Err(Error::InvalidQuery(format!("cannot sort by {field} in the mirror"))),
            _ => Ok(Some(format!("{} {direction}, rowid", sql_field.expression))),
        }
    }

    /// `None` if the operator or the value does not suit the field's type.
    fn test(&mut self, field: &SqlField<'_>, operator: &str, value: &Value) -> Option<String> {
        if let ("IN" | "NIN", Value::Array(elements)) = (operator, value) {
            let (one, join) = if operator == "IN" { ("=", " OR ") } else { ("!=", " AND ") };
            let tests: Option<Vec<String>> =
                elements.iter().map(|element| self.test(field, one, element)).collect();
            return tests.filter(|tests| !tests.is_empty()).map(|tests| format!("({})", tests.join(join)));
        }
        let (kind, expression) = (field.location.kind, field.expression.as_str());
        if value.is_null() {
            let is_list = matches!(kind, FieldType::Ids(_));
            return match operator {
                "=" if is_list => Some(format!("NOT {}", linked(kind, expression, ""))),
                "!=" if is_list => Some(linked(kind, expression, "")),
                "=" | "!=" => {
                    // An empty text and a time of zero count as null.
                    let is_null = match kind {
                        FieldType::Text
                        | FieldType::Html
                        | FieldType::Domain
                        | FieldType::Digits
                        | FieldType::Untyped => {
                            format!("({expression} IS NULL OR {expression} = '')")
                        }
                        FieldType::Time | FieldType::ExactTime => format!("coalesce({expression}, 0) = 0"),
                        _ => format!("{expression} IS NULL"),
                    };
                    Some(if operator == "=" { is_null } else { format!("NOT {is_null}") })
                }
                _ => None,
            };
        }
        match kind {
            FieldType::Html if matches!(operator, "~" | "!~") => {
                self.text(expression, operator, collapse_spaces(value.as_str()?))
            }
            FieldType::Html | FieldType::ServerOnly | FieldType::Teammates => None,
            FieldType::Text | FieldType::Domain | FieldType::Digits => {
                self.text(expression, operator, lenient::text(value)?)
            }
            FieldType::Reference => {
                let compare = match operator {
                    "=" => "IS",
                    "!=" => "IS NOT",
                    _ => return None,
                };
                // No reference is null in the columns, and 0 or null in the API.
                self.values.push(lenient::reference(value).into());
                Some(format!("{expression} {compare} ?"))
            }
            FieldType::Number => self.number(expression, operator, value),
            FieldType::Time => self.time(expression, operator, lenient::time(value)?),
            FieldType::ExactTime => self.exact_time(expression, operator, lenient::time(value)?),
            FieldType::Flag => {
                let compare = if operator == "!=" { "<>" } else { "=" };
                self.values.push(lenient::flag(value)?.into());
                matches!(operator, "=" | "!=").then(|| format!("coalesce({expression}, 0) {compare} ?"))
            }
            FieldType::Ids(IdList { other, .. }) => {
                let not = match operator {
                    "=" => "",
                    "!=" => "NOT ",
                    _ => return None,
                };
                self.values.push(lenient::id(value)?.into());
                Some(format!("{not}{}", linked(kind, expression, &format!(" AND link.{other} = ?"))))
            }
            FieldType::Untyped => self.untyped(expression, operator, &lenient::text(value)?),
        }
    }

    fn text(&mut self, at: &str, operator: &str, text: String) -> Option<String> {
        let length = text.chars().count();
        // NOCASE only covers ASCII letters, but can use an index.
        let is_ascii = text.is_ascii();
        self.values.push(text.into());
        Some(match operator {
            "=" if is_ascii => format!("{at} = ? COLLATE NOCASE"),
            "!=" if is_ascii => format!("coalesce({at} <> ? COLLATE NOCASE, 1)"),
            "=" => format!("lower({at}) = lower(?)"),
            "!=" => format!("coalesce(lower({at}) <> lower(?), 1)"),
            "~" => format!("instr(lower({at}), lower(?)) > 0"),
            "!~" => format!("coalesce(instr(lower({at}), lower(?)), 0) = 0"),
            "^" => format!("instr(lower({at}), lower(?)) = 1"),
            "$" if length > 0 => format!("lower(substr({at}, -{length})) = lower(?)"),
            _ => return None,
        })
    }

    /// A comparison with a custom attribute. Numbers and booleans may be texts in the search and in the record.
    fn untyped(&mut self, at: &str, operator: &str, text: &str) -> Option<String> {
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
            ("=" | "!=", Some(number)) => {
                let as_text = self.text(at, operator, text.to_owned())?;
                let as_number = self.number(at, operator, number)?;
                let join = if operator == "=" { "OR" } else { "AND" };
                Some(format!("({as_text} {join} {as_number})"))
            }
            _ => self.text(at, operator, text.to_owned()),
        }
    }

    fn number(&mut self, at: &str, operator: &str, value: &Value) -> Option<String> {
        let number = match lenient::integer(value).filter(|_| !value.is_f64()) {
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

    fn time(&mut self, at: &str, operator: &str, moment: i64) -> Option<String> {
        if self.resource != ResourceName::Contacts {
            return self.exact_time(at, operator, moment);
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

    fn exact_time(&mut self, at: &str, operator: &str, moment: i64) -> Option<String> {
        let test = self.number(at, operator, &Value::from(moment))?;
        // A time of zero means that the event has not happened.
        Some(if operator.starts_with('<') { format!("({at} <> 0 AND {test})") } else { test })
    }

    /// The start and end of the workspace's day that includes a time, in epoch seconds.
    fn day(&self, moment: i64) -> Option<(i64, i64)> {
        let date = Timestamp::from_second(moment).ok()?.to_zoned(self.zone.clone()).date();
        let start = |date: jiff::civil::Date| {
            date.to_zoned(self.zone.clone()).ok().map(|midnight| midnight.timestamp().as_second())
        };
        Some((start(date)?, start(date.tomorrow().ok()?)?))
    }
}

/// The condition that a record is linked to a record that meets `condition`.
fn linked(kind: FieldType, record: &str, condition: &str) -> String {
    let FieldType::Ids(IdList { table, owner, .. }) = kind else { return "0".to_owned() };
    format!("EXISTS (SELECT 1 FROM {table} AS link WHERE link.{owner} = {record}{condition})")
}

/// The expression for keys in the document. An SQLite path cannot contain keys with quotation marks, so those are
/// selected with `json_each`.
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

fn unsupported(field: &str, operator: &str, value: &Value) -> Error {
    Error::InvalidQuery(format!("cannot search for {field} {operator} {value} in the mirror"))
}
