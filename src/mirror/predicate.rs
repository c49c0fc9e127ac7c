//! The API's search predicates, answered from the mirror.
//!
//! A predicate becomes a condition over the columns and documents of one table. A field or an operator
//! whose meaning cannot be kept is refused by name; none is ever left out. Texts compare without regard
//! to case, times to the second, and those of contacts by the day of the workspace, as in the API.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::types::Value as Cell;
use serde_json::Value;

use super::error::Error;
use super::fields;
use super::read::Choice;
use super::resources::ResourceName;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// Text that the API compares word by word, unless asked whether it contains something.
    Words,
    /// Id of one other record; 0 is nobody.
    Reference,
    Number,
    Moment,
    Flag,
    /// Ids of other records, in a table of pairs: its name, its owner, its other column.
    Ids(&'static str, &'static str, &'static str),
    /// Whatever a custom attribute holds.
    Anything,
}

/// Fields by the resource that has them.
const FIELDS: &[(&str, Kind, &[&str])] = &[
    (
        "contacts",
        Kind::Text,
        &[
            "id",
            "role",
            "name",
            "avatar",
            "email",
            "email_domain",
            "phone",
            "external_id",
            "language_override",
            "browser",
            "browser_language",
            "os",
            "location.country",
            "location.region",
            "location.city",
        ],
    ),
    (
        "contacts",
        Kind::Moment,
        &[
            "created_at",
            "updated_at",
            "signed_up_at",
            "last_seen_at",
            "last_contacted_at",
            "last_replied_at",
            "last_email_opened_at",
            "last_email_clicked_at",
        ],
    ),
    ("contacts", Kind::Reference, &["owner_id"]),
    ("contacts", Kind::Flag, &["unsubscribed_from_emails", "marked_email_as_spam", "has_hard_bounced"]),
    ("contacts", Kind::Ids("contact_tags", "contact_id", "tag_id"), &["tag_id"]),
    ("contacts", Kind::Ids("contact_segments", "contact_id", "segment_id"), &["segment_id"]),
    ("contacts", Kind::Ids("contact_companies", "contact_id", "company_id"), &["company_id"]),
    (
        "conversations",
        Kind::Text,
        &[
            "id",
            "title",
            "state",
            "priority",
            "source.type",
            "source.id",
            "source.delivered_as",
            "source.subject",
            "source.url",
            "source.author.id",
            "source.author.type",
            "source.author.name",
            "source.author.email",
            "conversation_rating.remark",
            "ai_agent.resolution_state",
            "ai_agent.last_answer_type",
            "ai_agent.rating_remark",
            "ai_agent.source_type",
            "ai_agent.source_title",
            "statistics.last_closed_by_id",
        ],
    ),
    ("conversations", Kind::Words, &["source.body"]),
    ("conversations", Kind::Reference, &["admin_assignee_id", "team_assignee_id"]),
    ("conversations", Kind::Flag, &["open", "read", "ai_agent_participated"]),
    (
        "conversations",
        Kind::Moment,
        &[
            "created_at",
            "updated_at",
            "waiting_since",
            "snoozed_until",
            "statistics.first_contact_reply_at",
            "statistics.first_assignment_at",
            "statistics.first_admin_reply_at",
            "statistics.first_close_at",
            "statistics.last_assignment_at",
            "statistics.last_assignment_admin_reply_at",
            "statistics.last_contact_reply_at",
            "statistics.last_admin_reply_at",
            "statistics.last_close_at",
        ],
    ),
    (
        "conversations",
        Kind::Number,
        &[
            "ai_agent.rating",
            "conversation_rating.score",
            "statistics.time_to_assignment",
            "statistics.time_to_admin_reply",
            "statistics.time_to_first_close",
            "statistics.time_to_last_close",
            "statistics.median_time_to_reply",
            "statistics.count_reopens",
            "statistics.count_assignments",
            "statistics.count_conversation_parts",
        ],
    ),
    ("conversations", Kind::Ids("conversation_tags", "conversation_id", "tag_id"), &["tag_ids"]),
    ("conversations", Kind::Ids("conversation_contacts", "conversation_id", "contact_id"), &["contact_ids"]),
    ("tickets", Kind::Text, &["id", "title", "category", "ticket_type_id", "state"]),
    ("tickets", Kind::Moment, &["created_at", "updated_at", "snoozed_until"]),
    ("tickets", Kind::Reference, &["admin_assignee_id", "team_assignee_id"]),
    ("tickets", Kind::Flag, &["open"]),
    ("tickets", Kind::Ids("ticket_contacts", "ticket_id", "contact_id"), &["contact_ids"]),
];

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

impl Search<'_> {
    fn condition(&mut self, predicate: &Value) -> Result<String, Error> {
        let operator = predicate["operator"].as_str().unwrap_or("=");
        if let ("AND" | "OR", Value::Array(inside)) = (operator, &predicate["value"]) {
            let conditions = inside.iter().map(|it| self.condition(it)).collect::<Result<Vec<_>, _>>()?;
            return match conditions.is_empty() {
                true => Err(Error::Question(format!("the search has an empty {operator}"))),
                false => Ok(format!("({})", conditions.join(&format!(" {operator} ")))),
            };
        }
        let Some(field) = predicate["field"].as_str() else {
            return Err(Error::Question(format!("{predicate} is no search predicate")));
        };
        let (expression, kind) = self.place(field)?;
        self.test(&expression, kind, operator, &predicate["value"])
            .ok_or_else(|| refused(field, operator, &predicate["value"]))
    }

    /// Where a field is found, and what it holds.
    fn place(&self, field: &str) -> Result<(String, Kind), Error> {
        let resource = self.resource.as_str();
        let known = FIELDS.iter().find(|(of, _, names)| *of == resource && names.contains(&field));
        match (known, field.strip_prefix("custom_attributes.")) {
            (Some((_, Kind::Ids(..), _)), _) => {
                Ok((format!("{resource}.id"), known.map_or(Kind::Text, |it| it.1)))
            }
            // The search and the documents call it differently.
            (Some((_, kind, _)), _) if field == "conversation_rating.score" => Ok(("rating".into(), *kind)),
            (Some((_, kind, _)), _) if self.resource.has_column(field) => Ok((field.to_owned(), *kind)),
            (Some((_, kind, _)), _) => Ok((path(&field.split('.').collect::<Vec<_>>()), *kind)),
            (None, Some(name)) if resource != "tickets" && !name.contains(['"', '\\', '\0']) => {
                Ok((path(&["custom_attributes", name]), Kind::Anything))
            }
            _ => Err(Error::Question(format!("the mirror cannot search {resource} by {field}"))),
        }
    }

    fn order(&self, sort: &Value) -> Result<Option<String>, Error> {
        if sort.is_null() {
            return Ok(None);
        }
        let field = sort["field"].as_str().unwrap_or_default();
        let direction = match sort["order"].as_str() {
            None | Some("descending" | "desc") => "DESC",
            Some("ascending" | "asc") => "ASC",
            Some(other) => return Err(Error::Question(format!("sort: {other:?} is no order"))),
        };
        match self.place(field)? {
            (_, Kind::Ids(..)) => Err(Error::Question(format!("the mirror cannot sort by {field}"))),
            (expression, _) => Ok(Some(format!("{expression} {direction}, rowid"))),
        }
    }

    /// `None` when the operator does not go with the kind, or the value with either.
    fn test(&mut self, at: &str, kind: Kind, operator: &str, value: &Value) -> Option<String> {
        match (operator, value) {
            ("IN" | "NIN", Value::Array(elements)) if !elements.is_empty() => {
                let (one, join) = if operator == "IN" { ("=", " OR ") } else { ("!=", " AND ") };
                let tests: Option<Vec<String>> =
                    elements.iter().map(|element| self.test(at, kind, one, element)).collect();
                return Some(format!("({})", tests?.join(join)));
            }
            ("=", Value::Null) if !matches!(kind, Kind::Ids(..) | Kind::Words) => {
                return Some(format!("{at} IS NULL"));
            }
            ("!=", Value::Null) if !matches!(kind, Kind::Ids(..) | Kind::Words) => {
                return Some(format!("{at} IS NOT NULL"));
            }
            _ => {}
        }
        match kind {
            Kind::Words if matches!(operator, "~" | "!~") => self.text(at, operator, fields::text(value)?),
            Kind::Words => None,
            Kind::Text => self.text(at, operator, fields::text(value)?),
            Kind::Reference => {
                let id = fields::reference(value);
                // Only of tickets it is known that 0 finds those of nobody; elsewhere null does.
                if id.is_none() && self.resource != ResourceName::Tickets {
                    return None;
                }
                let compare = match operator {
                    "=" => "IS",
                    "!=" => "IS NOT",
                    _ => return None,
                };
                self.values.push(id.into());
                Some(format!("{at} {compare} ?"))
            }
            Kind::Number => self.number(at, operator, value),
            Kind::Moment => self.moment(at, operator, fields::time(value)?),
            Kind::Flag => {
                let compare = if operator == "!=" { "<>" } else { "=" };
                self.values.push(fields::flag(value)?.into());
                matches!(operator, "=" | "!=").then(|| format!("coalesce({at}, 0) {compare} ?"))
            }
            Kind::Ids(table, owner, other) => {
                let not = match operator {
                    "=" => "",
                    "!=" => "NOT ",
                    _ => return None,
                };
                self.values.push(fields::id(value)?.into());
                Some(format!(
                    "{not}EXISTS (SELECT 1 FROM {table} AS link WHERE link.{owner} = {at} AND link.{other} = ?)"
                ))
            }
            Kind::Anything => match value {
                Value::Number(_) => self.number(at, operator, value),
                Value::Bool(_) if matches!(operator, "=" | "!=") => {
                    self.number(at, operator, &Value::from(i64::from(fields::flag(value)?)))
                }
                Value::String(text) => self.anything(at, operator, text),
                _ => None,
            },
        }
    }

    fn text(&mut self, at: &str, operator: &str, text: String) -> Option<String> {
        let length = text.chars().count();
        self.values.push(text.into());
        Some(match operator {
            "=" => format!("{at} = ? COLLATE NOCASE"),
            "!=" => format!("coalesce({at} <> ? COLLATE NOCASE, 1)"),
            "~" => format!("instr(lower({at}), lower(?)) > 0"),
            "!~" => format!("coalesce(instr(lower({at}), lower(?)), 0) = 0"),
            "^" => format!("instr(lower({at}), lower(?)) = 1"),
            "$" if length > 0 => format!("lower(substr({at}, -{length})) = lower(?)"),
            _ => return None,
        })
    }

    /// A text that is compared with whatever a custom attribute holds: searches write numbers and truth
    /// values as texts, too.
    fn anything(&mut self, at: &str, operator: &str, text: &str) -> Option<String> {
        let number = match text.trim() {
            "true" => Some(Value::from(1)),
            "false" => Some(Value::from(0)),
            number => serde_json::from_str(number).ok().filter(Value::is_number),
        };
        let join = match (operator, &number) {
            ("<" | ">", Some(number)) => return self.number(at, operator, number),
            ("=", Some(_)) => "OR",
            ("!=", Some(_)) => "AND",
            _ => return self.text(at, operator, text.to_owned()),
        };
        let as_text = self.text(at, operator, text.to_owned())?;
        let as_number = self.number(at, operator, &number?)?;
        Some(format!("({as_text} {join} {as_number})"))
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
            return self.number(at, operator, &Value::from(moment));
        }
        let (begin, end) = self.day(moment)?;
        let (test, values) = match operator {
            "=" => (format!("({at} >= ? AND {at} < ?)"), vec![begin, end]),
            ">" => (format!("{at} >= ?"), vec![end]),
            "<" => (format!("{at} < ?"), vec![begin]),
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

/// The place of keys in the document. No key holds a quotation mark.
fn path(keys: &[&str]) -> String {
    let keys: String = keys.iter().map(|key| format!(".\"{key}\"")).collect();
    format!("raw ->> '${}'", keys.replace('\'', "''"))
}

fn refused(field: &str, operator: &str, value: &Value) -> Error {
    Error::Question(format!("the mirror cannot search for {field} {operator} {value}"))
}
