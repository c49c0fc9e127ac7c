//! A compiled query: groups of tests on fields.

use serde_json::Value;

use super::fields::{Cell, Field, Kind, Searchable};
use crate::sandbox::answer::Problem;
use crate::sandbox::hours;
use crate::sandbox::workspace::Workspace;

/// How many groups may stand inside one another.
const DEEPEST: usize = 2;
/// How many filters one group may hold.
const WIDEST: usize = 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    In,
    NotIn,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    ContainsNot,
    StartsWith,
    EndsWith,
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "=" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "IN" => Operator::In,
            "NIN" => Operator::NotIn,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "~" => Operator::Contains,
            "!~" => Operator::ContainsNot,
            "^" => Operator::StartsWith,
            "$" => Operator::EndsWith,
            _ => return None,
        })
    }

    fn is_allowed(self, kind: Kind, by_day: bool, name: &str) -> bool {
        use Operator::*;
        match kind {
            Kind::Text | Kind::Words => !matches!(self, Less | LessOrEqual | Greater | GreaterOrEqual),
            Kind::Number => !matches!(self, Contains | ContainsNot | StartsWith | EndsWith),
            Kind::Moment if by_day => matches!(self, Equal | Less | Greater),
            Kind::Moment => match self {
                Equal | NotEqual | In | NotIn | Less | Greater => true,
                LessOrEqual | GreaterOrEqual => name == "created_at",
                _ => false,
            },
            Kind::Ids => matches!(self, Equal | NotEqual | In | NotIn),
            Kind::Flag | Kind::FewIds => matches!(self, Equal | NotEqual),
            Kind::Anything => true,
        }
    }
}

/// What the tests need besides the record.
pub struct Scope<'a> {
    workspace: &'a Workspace,
}

impl<'a> Scope<'a> {
    pub fn new(workspace: &'a Workspace) -> Self {
        Scope { workspace }
    }

    fn day(&self, at: i64) -> i64 {
        hours::day(&self.workspace.timezone, at)
    }
}

/// A query over records of one kind.
pub enum Filter<T> {
    All(Vec<Filter<T>>),
    Any(Vec<Filter<T>>),
    Test(Test<T>),
}

/// One comparison. `values` holds one value, or several for `IN` and `NIN`.
pub struct Test<T> {
    source: Source<T>,
    operator: Operator,
    values: Vec<Value>,
}

enum Source<T> {
    Field(Field<T>),
    Custom(String),
}

impl<T: Searchable> Filter<T> {
    pub fn compile(query: &Value) -> Result<Self, Problem> {
        Filter::group(query, 1)
    }

    fn group(query: &Value, depth: usize) -> Result<Self, Problem> {
        let operator = query["operator"].as_str().unwrap_or_default();
        if !matches!(operator, "AND" | "OR") {
            return Test::compile(query).map(Filter::Test);
        }
        if depth > DEEPEST {
            return Err(Problem::invalid("query", format!("groups may nest {DEEPEST} deep")));
        }
        let Some(filters) = query["value"].as_array().filter(|filters| !filters.is_empty()) else {
            return Err(Problem::invalid("query.value", "a group needs a list of filters"));
        };
        if filters.len() > WIDEST {
            return Err(Problem::invalid("query.value", format!("a group holds up to {WIDEST} filters")));
        }
        let filters =
            filters.iter().map(|filter| Filter::group(filter, depth + 1)).collect::<Result<Vec<_>, _>>()?;
        Ok(if operator == "AND" { Filter::All(filters) } else { Filter::Any(filters) })
    }

    pub fn matches(&self, record: &T, scope: &Scope) -> bool {
        match self {
            Filter::All(filters) => filters.iter().all(|filter| filter.matches(record, scope)),
            Filter::Any(filters) => filters.iter().any(|filter| filter.matches(record, scope)),
            Filter::Test(test) => test.matches(record, scope),
        }
    }
}

impl<T: Searchable> Test<T> {
    fn compile(query: &Value) -> Result<Self, Problem> {
        let Some(name) = query["field"].as_str() else {
            return Err(Problem::invalid("query.field", "a filter needs a field"));
        };
        let (source, kind) = match name.strip_prefix(T::CUSTOM) {
            Some(attribute) => (Source::Custom(attribute.to_owned()), Kind::Anything),
            None => {
                let field = T::field(name)
                    .ok_or_else(|| Problem::invalid(name, format!("{name} is no field to search by")))?;
                let kind = field.kind;
                (Source::Field(field), kind)
            }
        };
        let operator = query["operator"]
            .as_str()
            .and_then(Operator::parse)
            .ok_or_else(|| Problem::invalid("query.operator", "operator is unknown"))?;
        if !operator.is_allowed(kind, T::BY_DAY, name) {
            let written = &query["operator"];
            return Err(Problem::invalid(name, format!("operator {written} does not fit {name}")));
        }
        let values = operands(query.get("value").unwrap_or(&Value::Null), operator, kind, name)?;
        Ok(Test { source, operator, values })
    }

    fn matches(&self, record: &T, scope: &Scope) -> bool {
        let (cell, words) = match &self.source {
            Source::Field(field) => ((field.read)(record, scope.workspace), field.kind == Kind::Words),
            Source::Custom(name) => (Cell::Anything(record.custom(name)), false),
        };
        let equals = || self.values.iter().any(|value| is_equal::<T>(&cell, value, words, scope));
        let text = |test: fn(&str, &str) -> bool| {
            let content = content(&cell, words);
            self.values.iter().filter_map(Value::as_str).any(|value| test(&content, &value.to_lowercase()))
        };
        match self.operator {
            Operator::Equal | Operator::In => equals(),
            Operator::NotEqual | Operator::NotIn => !equals(),
            Operator::Less => self.compares(&cell, scope, |cell, value| cell < value),
            Operator::LessOrEqual => self.compares(&cell, scope, |cell, value| cell <= value),
            Operator::Greater => self.compares(&cell, scope, |cell, value| cell > value),
            Operator::GreaterOrEqual => self.compares(&cell, scope, |cell, value| cell >= value),
            Operator::Contains => text(|content, value| content.contains(value)),
            Operator::ContainsNot => !text(|content, value| content.contains(value)),
            Operator::StartsWith => text(|content, value| content.starts_with(value)),
            Operator::EndsWith => text(|content, value| content.ends_with(value)),
        }
    }

    fn compares(&self, cell: &Cell, scope: &Scope, test: fn(i64, i64) -> bool) -> bool {
        let Some(value) = self.values.first().and_then(Value::as_i64) else { return false };
        match cell {
            Cell::Number(Some(number)) => test(*number, value),
            Cell::Moment(Some(at)) if T::BY_DAY => test(scope.day(*at), scope.day(value)),
            Cell::Moment(Some(at)) => test(*at, value),
            Cell::Anything(Some(found)) => found.as_i64().is_some_and(|number| test(number, value)),
            _ => false,
        }
    }
}

/// The values of a filter, checked against what the field holds.
fn operands(value: &Value, operator: Operator, kind: Kind, name: &str) -> Result<Vec<Value>, Problem> {
    let values = match (operator, value) {
        (Operator::In | Operator::NotIn, Value::Array(values)) => values.clone(),
        (Operator::In | Operator::NotIn, _) => {
            return Err(Problem::invalid(name, "IN and NIN need a list of values"));
        }
        (_, Value::Array(_) | Value::Object(_)) => {
            return Err(Problem::invalid(name, "a list of values goes with IN and NIN only"));
        }
        (_, value) => vec![value.clone()],
    };
    values
        .into_iter()
        .map(|value| {
            operand(&value, kind)
                .ok_or_else(|| Problem::invalid(name, format!("{value} does not fit {name}")))
        })
        .collect()
}

fn operand(value: &Value, kind: Kind) -> Option<Value> {
    match (kind, value) {
        (_, Value::Null) | (Kind::Anything, _) => Some(value.clone()),
        (Kind::Text | Kind::Words | Kind::Ids | Kind::FewIds, Value::String(_)) => Some(value.clone()),
        (Kind::Number | Kind::Moment, Value::Number(number)) => number.as_i64().map(Value::from),
        (Kind::Number | Kind::Moment, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        (Kind::Flag, Value::Bool(_)) => Some(value.clone()),
        _ => None,
    }
}

fn is_equal<T: Searchable>(cell: &Cell, value: &Value, words: bool, scope: &Scope) -> bool {
    match (cell, value) {
        (Cell::Text(None) | Cell::Number(None) | Cell::Moment(None) | Cell::Anything(None), Value::Null) => {
            true
        }
        (Cell::Ids(ids), Value::Null) => ids.is_empty(),
        (Cell::Text(Some(text)), Value::String(value)) if words => has_word(text, value),
        (Cell::Text(Some(text)), Value::String(value)) => text.to_lowercase() == value.to_lowercase(),
        (Cell::Number(Some(number)), value) => value.as_i64() == Some(*number),
        (Cell::Moment(Some(at)), value) if T::BY_DAY => {
            value.as_i64().is_some_and(|value| scope.day(value) == scope.day(*at))
        }
        (Cell::Moment(Some(at)), value) => value.as_i64() == Some(*at),
        (Cell::Flag(flag), value) => value.as_bool() == Some(*flag),
        (Cell::Ids(ids), Value::String(value)) => ids.iter().any(|id| id == value),
        (Cell::Anything(Some(found)), value) => *found == value,
        _ => false,
    }
}

/// Whether one of the words of `html` is `word`; a value of two words is none.
fn has_word(html: &str, word: &str) -> bool {
    let word = word.to_lowercase();
    crate::sandbox::html::plain_text(html)
        .to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .any(|token| !token.is_empty() && token == word)
}

/// The text of a field in lower case, without markup where it is a message.
fn content(cell: &Cell, words: bool) -> String {
    match cell {
        Cell::Text(Some(html)) if words => crate::sandbox::html::plain_text(html).to_lowercase(),
        Cell::Text(Some(text)) => text.to_lowercase(),
        Cell::Anything(Some(Value::String(text))) => text.to_lowercase(),
        _ => String::new(),
    }
}
