//! From a filter to the predicate of the API's searches.
//!
//! Names become ids, times become epoch seconds, and whatever the search does not offer is either said in
//! another way that selects the same records, or refused with its column.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::directory::Directory;
use super::fields::{Kind, NameOf, Searched};
use super::spelling::is_close;
use super::{Error, Expression, Literal, Operator, Test};

/// How many groups may stand inside one another.
const DEEPEST: usize = 2;
/// How many members a group may have.
const WIDEST: usize = 15;

/// Reads a time as people write it: epoch seconds, or what is wrong with it.
pub type Moment<'a> = &'a dyn Fn(&str) -> Result<i64, String>;

/// Whose names a filter uses: what the directory has to hold.
pub fn names_needed(expression: &Expression, searched: Searched) -> BTreeSet<NameOf> {
    match expression {
        Expression::All(members) | Expression::Any(members) => {
            members.iter().flat_map(|member| names_needed(member, searched)).collect()
        }
        Expression::Test(test) => {
            searched.field(&test.field).and_then(|(_, kind)| kind.names()).into_iter().collect()
        }
    }
}

/// The predicate that selects what the filter describes.
///
/// # Errors
/// What the search cannot do, or what the workspace does not have, with its column.
pub fn compile(
    expression: &Expression,
    searched: Searched,
    directory: &Directory,
    moment: Moment<'_>,
) -> Result<Value, Error> {
    Compiler { searched, directory, moment }.expression(expression, 1)
}

struct Compiler<'a> {
    searched: Searched,
    directory: &'a Directory,
    moment: Moment<'a>,
}

impl Compiler<'_> {
    fn expression(&self, expression: &Expression, depth: usize) -> Result<Value, Error> {
        let (members, operator) = match expression {
            Expression::Test(test) => return self.test(test, depth),
            Expression::All(members) => (members, "AND"),
            Expression::Any(members) => (members, "OR"),
        };
        let compiled: Vec<Value> =
            members.iter().map(|member| self.expression(member, depth + 1)).collect::<Result<_, _>>()?;
        self.group(operator, compiled, depth, expression.first().at)
    }

    fn group(
        &self,
        operator: &str,
        members: Vec<Value>,
        depth: usize,
        at: super::Column,
    ) -> Result<Value, Error> {
        if depth > DEEPEST {
            return Err(Error::new(
                at,
                format!("the search takes groups inside groups {DEEPEST} deep, no deeper"),
            ));
        }
        if members.len() > WIDEST {
            let count = members.len();
            return Err(Error::new(at, format!("a group of {count}: the search takes up to {WIDEST}")));
        }
        Ok(json!({ "operator": operator, "value": members }))
    }

    fn test(&self, test: &Test, depth: usize) -> Result<Value, Error> {
        let Some((field, kind)) = self.searched.field(&test.field) else {
            return Err(Error::new(test.at, self.unknown(&test.field)));
        };
        if !kind.operators().contains(&test.operator) {
            let known: Vec<&str> = kind.operators().iter().map(|it| it.written()).collect();
            let reason = match kind {
                Kind::Day => " (times of contacts are compared by whole days)",
                _ => "",
            };
            return Err(Error::new(
                test.at,
                format!(
                    "{} cannot be compared with {}{reason}; use one of {}",
                    test.field,
                    test.operator.written(),
                    known.join(" ")
                ),
            ));
        }
        let in_part = matches!(
            test.operator,
            Operator::Contains | Operator::ContainsNot | Operator::StartsWith | Operator::EndsWith
        );
        if let Some(empty) = test.values.iter().find(|value| in_part && value.text.trim().is_empty()) {
            return Err(Error::new(empty.at, "there is nothing in it to look for"));
        }
        match kind {
            Kind::Tags | Kind::FewTags => self.tags(test, &field, kind, depth),
            _ => {
                let values: Vec<Value> = test
                    .values
                    .iter()
                    .map(|value| self.value(kind, test.operator, value))
                    .collect::<Result<_, _>>()?;
                Ok(self.comparison(&field, kind, test.operator, values))
            }
        }
    }

    /// Bounds that belong to what is selected are said as bounds that do not, where the search has only
    /// those.
    fn comparison(&self, field: &str, kind: Kind, operator: Operator, mut values: Vec<Value>) -> Value {
        let whole = matches!(kind, Kind::Integer | Kind::Moment);
        let (operator, shift) = match operator {
            Operator::GreaterOrEqual if whole => (Operator::Greater, -1),
            Operator::LessOrEqual if whole => (Operator::Less, 1),
            other => (other, 0),
        };
        let value = match operator {
            Operator::In | Operator::NotIn => Value::Array(values),
            _ => match values.remove(0) {
                Value::Number(number) if shift != 0 => {
                    json!(number.as_i64().map(|it| it.saturating_add(shift)))
                }
                value => value,
            },
        };
        json!({ "field": field, "operator": operator.wire(), "value": value })
    }

    fn value(&self, kind: Kind, operator: Operator, literal: &Literal) -> Result<Value, Error> {
        let wrong = |what: &str| Error::new(literal.at, format!("{:?} is no {what}", literal.text));
        let text = literal.text.trim();
        if !literal.quoted && text == "null" {
            return match (operator, kind) {
                (Operator::Equal | Operator::NotEqual, Kind::TextOf(_)) => Ok(json!("0")),
                (
                    Operator::Equal | Operator::NotEqual,
                    Kind::Text | Kind::Integer | Kind::NumberOf(_) | Kind::Custom,
                ) => Ok(Value::Null),
                (Operator::Equal | Operator::NotEqual, Kind::Moment) => Ok(Value::Null),
                _ => Err(Error::new(literal.at, "null cannot be looked for here")),
            };
        }
        match kind {
            Kind::Text | Kind::Message | Kind::Ids | Kind::Tags | Kind::FewTags => Ok(json!(literal.text)),
            Kind::Integer => text.parse::<i64>().map(Value::from).map_err(|_| wrong("whole number")),
            Kind::Moment => {
                (self.moment)(text).map(Value::from).map_err(|reason| Error::new(literal.at, reason))
            }
            Kind::Day if !is_of_days(text) => Err(Error::new(
                literal.at,
                "times of contacts are compared by whole days: use a date such as 2026-05-24, or days such as 7d",
            )),
            Kind::Day => {
                (self.moment)(text).map(Value::from).map_err(|reason| Error::new(literal.at, reason))
            }
            Kind::Flag => text.parse::<bool>().map(Value::from).map_err(|_| wrong("true or false")),
            Kind::NumberOf(of) => {
                let id = self.directory.id(of, literal)?;
                id.parse::<i64>().map(Value::from).map_err(|_| wrong("id"))
            }
            Kind::TextOf(of) => self.directory.id(of, literal).map(Value::from),
            Kind::Custom if literal.quoted => Ok(json!(literal.text)),
            Kind::Custom => Ok(match (text.parse::<i64>(), text.parse::<bool>()) {
                (Ok(number), _) => json!(number),
                (_, Ok(flag)) => json!(flag),
                _ => json!(literal.text),
            }),
        }
    }

    /// Tags by name. `~` means any tag whose name contains the text.
    fn tags(&self, test: &Test, field: &str, kind: Kind, depth: usize) -> Result<Value, Error> {
        let mut ids = Vec::new();
        for literal in &test.values {
            match test.operator {
                Operator::Contains | Operator::ContainsNot => {
                    let part = literal.text.to_lowercase();
                    let found =
                        self.directory.tags.iter().filter(|(_, name)| name.to_lowercase().contains(&part));
                    ids.extend(found.map(|(id, _)| id.clone()));
                }
                _ => ids.push(self.directory.id(NameOf::Tag, literal)?),
            }
        }
        let negated = matches!(test.operator, Operator::NotEqual | Operator::ContainsNot | Operator::NotIn);
        if ids.is_empty() {
            // No tag is called so: no record has one. No tag has this id.
            ids.push("0".to_owned());
        }
        let one = if negated { Operator::NotEqual } else { Operator::Equal };
        let test_of = |id: &String| json!({ "field": field, "operator": one.wire(), "value": id });
        match (&ids[..], kind) {
            ([id], _) => Ok(test_of(id)),
            (ids, Kind::Tags) => {
                let operator = if negated { Operator::NotIn } else { Operator::In };
                Ok(json!({ "field": field, "operator": operator.wire(), "value": ids }))
            }
            (ids, _) => {
                let members = ids.iter().map(test_of).collect();
                self.group(if negated { "AND" } else { "OR" }, members, depth, test.at)
            }
        }
    }

    fn unknown(&self, field: &str) -> String {
        let names = self.searched.names();
        let alike = names
            .iter()
            .filter(|name| name.contains(field) || field.contains(**name) || is_close(name, field));
        let alike: Vec<&str> = alike.take(6).copied().collect();
        let (what, list) = match alike.is_empty() {
            true => ("there are", names),
            false => ("is it", alike),
        };
        format!("{} have no field {field:?}; {what} {}", self.searched, list.join(", "))
    }
}

impl Expression {
    /// The test that stands first in it.
    fn first(&self) -> &Test {
        let mut expression = self;
        loop {
            match expression {
                Expression::Test(test) => return test,
                Expression::All(members) | Expression::Any(members) => expression = &members[0],
            }
        }
    }
}

/// Whether a time names a day, not a moment in it.
fn is_of_days(text: &str) -> bool {
    let span = text.trim_end_matches("ago").trim_end().trim_start_matches(['-', '+']);
    let number = span.trim_start_matches(|it: char| it.is_ascii_digit());
    let counted =
        span.len() > number.len() && matches!(number.trim(), "d" | "day" | "days" | "w" | "week" | "weeks");
    // Epoch seconds are taken for the day they lie in.
    counted
        || text.parse::<jiff::civil::Date>().is_ok() && !text.contains([':', 'T', ' '])
        || text.parse::<i64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::parse;

    fn directory() -> Directory {
        let named = |list: &[(&str, &str)]| {
            list.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect()
        };
        Directory {
            tags: named(&[("7", "vip"), ("8", "VIP"), ("9", "7")]),
            teams: named(&[("31", "Billing")]),
            admins: named(&[("5", "Ann")]),
            emails: named(&[("5", "ann@example.com")]),
        }
    }

    fn moment(text: &str) -> Result<i64, String> {
        match text {
            "7d" => Ok(1_000),
            "2026-05-24" => Ok(2_000),
            _ => text.parse().map_err(|_| format!("{text:?} is no time")),
        }
    }

    fn compiled(text: &str, searched: Searched) -> Result<Value, Error> {
        compile(&parse(text)?, searched, &directory(), &moment)
    }

    fn test(field: &str, operator: &str, value: Value) -> Value {
        json!({ "field": field, "operator": operator, "value": value })
    }

    #[test]
    fn names_times_and_bounds() {
        let predicate = compiled(
            "state = open and team = \"Billing\" and updated_at > 7d and tags !~ vip",
            Searched::Conversations,
        );
        let expected = json!({ "operator": "AND", "value": [
            test("state", "=", json!("open")), test("team_assignee_id", "=", json!(31)),
            test("updated_at", ">", json!(1000)), test("tag_ids", "NIN", json!(["7", "8"])),
        ]});
        assert_eq!(predicate.unwrap(), expected);
        let one = |text: &str| compiled(text, Searched::Conversations).unwrap();
        assert_eq!(one("tags = vip"), test("tag_ids", "=", json!("7")));
        assert_eq!(one("tags = 7"), test("tag_ids", "=", json!("9")), "a name before an id");
        assert_eq!(one("team = billing"), one("team = Billing"));
        assert_eq!(one("tags ~ nothing"), test("tag_ids", "=", json!("0")));
        assert_eq!(one("created_at >= 2026-05-24"), test("created_at", ">", json!(1999)));
        assert_eq!(one("statistics.count_reopens <= 3"), test("statistics.count_reopens", "<", json!(4)));
        assert_eq!(one("assignee = \"Ann@example.com\""), test("admin_assignee_id", "=", json!(5)));
        assert_eq!(one("assignee = null"), test("admin_assignee_id", "=", Value::Null));
        assert_eq!(one("state not in (open, snoozed)"), test("state", "NIN", json!(["open", "snoozed"])));
        let ticket = compiled("assignee = null and team = Billing", Searched::Tickets).unwrap();
        assert_eq!(ticket["value"][0]["value"], json!("0"));
        assert_eq!(ticket["value"][1]["value"], json!("31"));
        let contacts = compiled("tags ~ vip", Searched::Contacts).unwrap();
        assert_eq!(contacts["operator"], "OR");
        let custom = |text: &str| compiled(text, Searched::Contacts).unwrap()["value"].clone();
        assert_eq!(custom("\"custom_attributes.Seats left\" = 5"), json!(5));
        assert_eq!(custom("custom_attributes.plan = \"5\""), json!("5"));
    }

    #[test]
    fn what_the_search_would_refuse_is_refused_with_its_column() {
        let column = |text: &str, searched| compiled(text, searched).unwrap_err().column;
        let conversations = |text: &str| column(text, Searched::Conversations);
        assert_eq!(conversations("state = open and tem = Billing"), 17);
        assert_eq!(conversations("state > open"), 0);
        assert_eq!(conversations("team = Biling"), 7);
        assert_eq!(conversations("updated_at > soon"), 13);
        assert_eq!(conversations("tags = Vip"), 7, "two are called so but for the case");
        assert_eq!(conversations("open = maybe"), 7);
        assert_eq!(conversations("title = x"), 0);
        assert_eq!(conversations("source.subject ~ ''"), 17);
        assert_eq!(
            conversations("read = true or (state = open and (read = true or priority = priority))"),
            34
        );
        let wide = vec!["state = open"; 16].join(" or ");
        assert!(compiled(&wide, Searched::Conversations).unwrap_err().message.contains("15"));
        let contacts = |text: &str| column(text, Searched::Contacts);
        assert_eq!(contacts("last_seen_at >= 7d"), 0);
        assert_eq!(contacts("last_seen_at > 24h"), 15);
        assert_eq!(contacts("last_seen_at > 2026-05-24T10:00"), 15);
        assert!(compiled("last_seen_at > 7d and created_at = 2026-05-24", Searched::Contacts).is_ok());
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        let told = |text: &str| compiled(text, Searched::Conversations).unwrap_err().to_string();
        assert!(told("staet = open").contains("is it state"), "{}", told("staet = open"));
        assert!(told("tem = x").contains("team"));
        let error = compiled("a = b", Searched::Tickets).unwrap_err();
        assert_eq!(error.pointing("a = b").lines().nth(2), Some("  ^"));
    }
}
