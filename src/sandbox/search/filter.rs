//! A compiled query: groups of comparisons.

use std::cmp::Ordering;

use serde_json::Value;

use super::fields::{FieldKind, FieldValue, SearchField, SearchScope, SearchableRecord};
use crate::api::ApiVersion;
use crate::html::plain;
use crate::sandbox::calendar;
use crate::sandbox::quirk::Quirk;
use crate::sandbox::response::ErrorResponse;

/// Maximum nesting depth of groups.
const MAX_DEPTH: usize = 2;
/// Maximum number of filters in a group.
const MAX_FILTERS: usize = 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SearchOperator {
    Equal,
    NotEqual,
    In,
    NotIn,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    NotContains,
    StartsWith,
    EndsWith,
}

impl SearchOperator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "=" => SearchOperator::Equal,
            "!=" => SearchOperator::NotEqual,
            "IN" => SearchOperator::In,
            "NIN" => SearchOperator::NotIn,
            "<" => SearchOperator::Less,
            "<=" => SearchOperator::LessOrEqual,
            ">" => SearchOperator::Greater,
            ">=" => SearchOperator::GreaterOrEqual,
            "~" => SearchOperator::Contains,
            "!~" => SearchOperator::NotContains,
            "^" => SearchOperator::StartsWith,
            "$" => SearchOperator::EndsWith,
            _ => return None,
        })
    }

    fn is_allowed(self, kind: FieldKind, dates_by_day: bool, name: &str) -> bool {
        use SearchOperator::*;
        match kind {
            FieldKind::Text | FieldKind::Words => {
                !matches!(self, Less | LessOrEqual | Greater | GreaterOrEqual)
            }
            FieldKind::Number => !matches!(self, Contains | NotContains | StartsWith | EndsWith),
            FieldKind::Time if dates_by_day => matches!(self, Equal | Less | Greater),
            FieldKind::Time => match self {
                Equal | NotEqual | In | NotIn | Less | Greater => true,
                LessOrEqual | GreaterOrEqual => name == "created_at",
                _ => false,
            },
            FieldKind::Ids => matches!(self, Equal | NotEqual | In | NotIn),
            FieldKind::Boolean | FieldKind::IdsByEquality => matches!(self, Equal | NotEqual),
            FieldKind::Any => true,
        }
    }
}

/// What comparisons need besides the record.
pub struct FilterContext<'a> {
    scope: SearchScope<'a>,
    /// Whether times of contacts are compared to the second.
    has_exact_times: bool,
    /// Whether `>` and `<` include equality.
    is_inclusive: bool,
    /// Whether messages are compared with their markup.
    has_markup: bool,
}

impl<'a> FilterContext<'a> {
    pub fn new(scope: SearchScope<'a>) -> Self {
        let has = |quirk| scope.workspace.quirks.contains(&quirk);
        FilterContext {
            scope,
            has_exact_times: scope.version.has(&ApiVersion::EXACT_CONTACT_TIMES),
            is_inclusive: has(Quirk::InclusiveComparison),
            has_markup: has(Quirk::MarkupSearch),
        }
    }

    /// What is compared of a time: the day of the workspace's calendar, or the time itself.
    fn comparable<T: SearchableRecord>(&self, at: i64) -> i64 {
        if T::DATES_BY_DAY && !self.has_exact_times {
            calendar::day(&self.scope.workspace.timezone, at)
        } else {
            at
        }
    }
}

/// A query over records of one type.
pub enum SearchFilter<T> {
    All(Vec<SearchFilter<T>>),
    Any(Vec<SearchFilter<T>>),
    Comparison(Comparison<T>),
}

/// One comparison. `values` has one element, except for `IN` and `NIN`.
pub struct Comparison<T> {
    field: ComparedField<T>,
    operator: SearchOperator,
    values: Vec<Value>,
}

enum ComparedField<T> {
    Standard(SearchField<T>),
    Custom(String),
}

impl<T: SearchableRecord> SearchFilter<T> {
    pub fn compile(query: &Value) -> Result<Self, ErrorResponse> {
        SearchFilter::group(query, 1)
    }

    fn group(query: &Value, depth: usize) -> Result<Self, ErrorResponse> {
        let operator = query["operator"].as_str().unwrap_or_default();
        if !matches!(operator, "AND" | "OR") {
            return Comparison::compile(query).map(SearchFilter::Comparison);
        }
        if depth > MAX_DEPTH {
            return Err(ErrorResponse::invalid(
                "query",
                format!("groups must not be nested more than {MAX_DEPTH} levels deep"),
            ));
        }
        let Some(filters) = query["value"].as_array().filter(|filters| !filters.is_empty()) else {
            return Err(ErrorResponse::invalid("query.value", "a group requires a list of filters"));
        };
        if filters.len() > MAX_FILTERS {
            return Err(ErrorResponse::invalid(
                "query.value",
                format!("a group must not have more than {MAX_FILTERS} filters"),
            ));
        }
        let filters = filters
            .iter()
            .map(|filter| SearchFilter::group(filter, depth + 1))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(if operator == "AND" { SearchFilter::All(filters) } else { SearchFilter::Any(filters) })
    }

    pub fn matches(&self, record: &T, context: &FilterContext) -> bool {
        match self {
            SearchFilter::All(filters) => filters.iter().all(|filter| filter.matches(record, context)),
            SearchFilter::Any(filters) => filters.iter().any(|filter| filter.matches(record, context)),
            SearchFilter::Comparison(comparison) => comparison.matches(record, context),
        }
    }
}

impl<T: SearchableRecord> Comparison<T> {
    fn compile(query: &Value) -> Result<Self, ErrorResponse> {
        let Some(name) = query["field"].as_str() else {
            return Err(ErrorResponse::invalid("query.field", "a filter requires a field"));
        };
        let (field, kind) = match name.strip_prefix(T::CUSTOM_PREFIX) {
            Some(attribute) => (ComparedField::Custom(attribute.to_owned()), FieldKind::Any),
            None => {
                let field = T::field(name).ok_or_else(|| {
                    ErrorResponse::invalid(name, format!("{name} is not a searchable field"))
                })?;
                let kind = field.kind;
                (ComparedField::Standard(field), kind)
            }
        };
        let operator = query["operator"]
            .as_str()
            .and_then(SearchOperator::parse)
            .ok_or_else(|| ErrorResponse::invalid("query.operator", "unknown operator"))?;
        if !operator.is_allowed(kind, T::DATES_BY_DAY, name) {
            let operator = &query["operator"];
            let message = format!("operator {operator} is not supported for {name}");
            return Err(ErrorResponse::invalid(name, message));
        }
        let values = operands(query.get("value").unwrap_or(&Value::Null), operator, kind, name)?;
        Ok(Comparison { field, operator, values })
    }

    fn matches(&self, record: &T, context: &FilterContext) -> bool {
        let (field_value, is_words) = match &self.field {
            ComparedField::Standard(field) => {
                ((field.read)(record, &context.scope), field.kind == FieldKind::Words)
            }
            ComparedField::Custom(name) => {
                (FieldValue::Any(record.custom_attribute(name, context.scope.workspace)), false)
            }
        };
        let equals = || self.values.iter().any(|value| is_equal::<T>(&field_value, value, is_words, context));
        let text_matches = |test: fn(&str, &str) -> bool| {
            let content = text_content(&field_value, is_words && !context.has_markup);
            self.values.iter().filter_map(Value::as_str).any(|value| test(&content, &value.to_lowercase()))
        };
        let ordering = || self.ordering(&field_value, context);
        let is_allowed_equal = |order: Ordering| context.is_inclusive && order.is_eq();
        match self.operator {
            SearchOperator::Equal | SearchOperator::In => equals(),
            SearchOperator::NotEqual | SearchOperator::NotIn => !equals(),
            SearchOperator::Less => ordering().is_some_and(|order| order.is_lt() || is_allowed_equal(order)),
            SearchOperator::Greater => {
                ordering().is_some_and(|order| order.is_gt() || is_allowed_equal(order))
            }
            SearchOperator::LessOrEqual => ordering().is_some_and(Ordering::is_le),
            SearchOperator::GreaterOrEqual => ordering().is_some_and(Ordering::is_ge),
            SearchOperator::Contains => text_matches(|content, value| content.contains(value)),
            SearchOperator::NotContains => !text_matches(|content, value| content.contains(value)),
            SearchOperator::StartsWith => text_matches(|content, value| content.starts_with(value)),
            SearchOperator::EndsWith => text_matches(|content, value| content.ends_with(value)),
        }
    }

    /// How the record's value compares with that of the filter; `None` if either is not a number.
    fn ordering(&self, field_value: &FieldValue, context: &FilterContext) -> Option<Ordering> {
        let value = self.values.first()?.as_i64()?;
        match field_value {
            FieldValue::Time(at) => {
                Some(context.comparable::<T>((*at)?).cmp(&context.comparable::<T>(value)))
            }
            FieldValue::Number(number) => Some((*number)?.cmp(&value)),
            FieldValue::Any(attribute) => Some((*attribute)?.as_i64()?.cmp(&value)),
            _ => None,
        }
    }
}

/// The values of a filter, validated against the type of the field.
fn operands(
    value: &Value,
    operator: SearchOperator,
    kind: FieldKind,
    name: &str,
) -> Result<Vec<Value>, ErrorResponse> {
    let values = match (operator, value) {
        (SearchOperator::In | SearchOperator::NotIn, Value::Array(values)) => values.clone(),
        (SearchOperator::In | SearchOperator::NotIn, _) => {
            return Err(ErrorResponse::invalid(name, "IN and NIN require a list of values"));
        }
        (_, Value::Array(_) | Value::Object(_)) => {
            return Err(ErrorResponse::invalid(name, "only IN and NIN accept a list of values"));
        }
        (_, value) => vec![value.clone()],
    };
    values
        .into_iter()
        .map(|value| {
            operand(&value, kind).ok_or_else(|| {
                ErrorResponse::invalid(name, format!("{value} is not a valid value for {name}"))
            })
        })
        .collect()
}

fn operand(value: &Value, kind: FieldKind) -> Option<Value> {
    match (kind, value) {
        (_, Value::Null) | (FieldKind::Any, _) => Some(value.clone()),
        (
            FieldKind::Text | FieldKind::Words | FieldKind::Ids | FieldKind::IdsByEquality,
            Value::String(_),
        ) => Some(value.clone()),
        (FieldKind::Number | FieldKind::Time, Value::Number(number)) => number.as_i64().map(Value::from),
        (FieldKind::Number | FieldKind::Time, Value::String(text)) => {
            text.parse::<i64>().ok().map(Value::from)
        }
        (FieldKind::Boolean, Value::Bool(_)) => Some(value.clone()),
        _ => None,
    }
}

fn is_equal<T: SearchableRecord>(
    field_value: &FieldValue,
    value: &Value,
    is_words: bool,
    context: &FilterContext,
) -> bool {
    match (field_value, value) {
        (
            FieldValue::Text(None)
            | FieldValue::Number(None)
            | FieldValue::Time(None)
            | FieldValue::Any(None),
            Value::Null,
        ) => true,
        (FieldValue::Ids(ids), Value::Null) => ids.is_empty(),
        (FieldValue::Text(Some(text)), Value::String(value)) if is_words => has_word(text, value),
        (FieldValue::Text(Some(text)), Value::String(value)) => text.to_lowercase() == value.to_lowercase(),
        (FieldValue::Number(Some(number)), value) => value.as_i64() == Some(*number),
        (FieldValue::Time(Some(at)), value) => {
            value.as_i64().is_some_and(|value| context.comparable::<T>(value) == context.comparable::<T>(*at))
        }
        (FieldValue::Boolean(flag), value) => value.as_bool() == Some(*flag),
        (FieldValue::Ids(ids), Value::String(value)) => ids.iter().any(|id| id == value),
        (FieldValue::Any(Some(attribute)), value) => *attribute == value,
        _ => false,
    }
}

/// Whether `html` contains `word` as a whole word. Never true for more than one word.
fn has_word(html: &str, word: &str) -> bool {
    let word = word.to_lowercase();
    plain::text(html)
        .to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .any(|token| !token.is_empty() && token == word)
}

/// The text of a field in lower case, without HTML markup for message bodies.
fn text_content(field_value: &FieldValue, is_words: bool) -> String {
    match field_value {
        FieldValue::Text(Some(html)) if is_words => plain::text(html).to_lowercase(),
        FieldValue::Text(Some(text)) => text.to_lowercase(),
        FieldValue::Any(Some(Value::String(text))) => text.to_lowercase(),
        _ => String::new(),
    }
}
