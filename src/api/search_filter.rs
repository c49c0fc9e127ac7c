//! The conditions of a search, built in code, and the order of its results.
//!
//! A filter is checked against the limits of the API before anything is sent. It says exactly what the server
//! gets: which records match is decided by the server, whose comparisons differ between kinds of records (see
//! [`Filter::gt`]).

use std::ops::{BitAnd, BitOr};
#[cfg(feature = "filter")]
use std::sync::Arc;

use serde_json::{Value, json};

use super::error::Error;
use super::ids::{AdminId, ArticleId, ContactId, ConversationId, TagId, TeamId};
#[cfg(feature = "filter")]
use super::tested_search::UnresolvedFilter;
use super::timestamp::Timestamp;
use super::version::ApiVersion;

/// Maximum nesting of groups in the API's search.
pub const MAX_DEPTH: usize = 2;
/// Maximum number of members of a group in the API's search.
pub const MAX_MEMBERS: usize = 15;

/// Operators of the API's search.
const OPERATORS: [&str; 12] = ["=", "!=", "IN", "NIN", "<", "<=", ">", ">=", "~", "!~", "^", "$"];

/// Conditions on the records of a search.
///
/// Fields have the names that the API's search gives them, for example `updated_at`, `source.author.email` or
/// `custom_attributes.plan`. Values are text, integers, booleans, [`Timestamp`]s, ids or `None`.
///
/// ```
/// use std::time::Duration;
/// use intercom::{Filter, TeamId, Timestamp};
///
/// let week_ago = Timestamp::now() - Duration::from_secs(7 * 86_400);
/// let filter = Filter::eq("state", "open")
///     & Filter::gt("updated_at", week_ago)
///     & (Filter::eq("team_assignee_id", TeamId::from(814865)) | Filter::contains("source.body", "refund"));
/// # assert!(filter.query().is_ok());
/// ```
///
/// The API allows groups in two levels, with at most 15 members each. A filter beyond that is refused by the
/// request that uses it, before anything is sent. [`Filter::is_in`] counts as one member.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Of a filter from text: only the text.
    query: Value,
    #[cfg(feature = "filter")]
    unresolved: Option<Arc<dyn UnresolvedFilter>>,
}

impl Filter {
    /// The field has this value. Message text (`source.body`) has to be one word; use [`Filter::contains`].
    pub fn eq(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Filter::test(field, "=", value)
    }

    /// The field has another value. The search of contacts refuses it for times.
    pub fn not_eq(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Filter::test(field, "!=", value)
    }

    /// The field is greater, or the time is later. Servers differ on whether an equal value matches. Below API
    /// version 2.17, the search of contacts compares times by day, and matches from the next day on.
    pub fn gt(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Filter::test(field, ">", value)
    }

    /// The field is greater or equal. The search of contacts refuses it for times.
    pub fn gte(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Filter::test(field, ">=", value)
    }

    /// The field is less, or the time is earlier. See [`Filter::gt`] for differences between servers.
    pub fn lt(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Filter::test(field, "<", value)
    }

    /// The field is less or equal. The search of contacts refuses it for times.
    pub fn lte(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Filter::test(field, "<=", value)
    }

    /// The text contains this text, in any case.
    pub fn contains(field: impl Into<String>, text: impl Into<String>) -> Self {
        Filter::test(field, "~", text.into())
    }

    /// The text does not contain this text.
    pub fn not_contains(field: impl Into<String>, text: impl Into<String>) -> Self {
        Filter::test(field, "!~", text.into())
    }

    /// The text starts with this text.
    pub fn starts_with(field: impl Into<String>, text: impl Into<String>) -> Self {
        Filter::test(field, "^", text.into())
    }

    /// The text ends with this text.
    pub fn ends_with(field: impl Into<String>, text: impl Into<String>) -> Self {
        Filter::test(field, "$", text.into())
    }

    /// The field has one of these values.
    pub fn is_in<V: Into<Value>>(field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Filter::test(field, "IN", values.into_iter().map(Into::into).collect::<Vec<Value>>())
    }

    /// The field has none of these values.
    pub fn not_in<V: Into<Value>>(field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Filter::test(field, "NIN", values.into_iter().map(Into::into).collect::<Vec<Value>>())
    }

    /// The field has no value.
    pub fn is_null(field: impl Into<String>) -> Self {
        Filter::test(field, "=", Value::Null)
    }

    /// The field has a value.
    pub fn is_not_null(field: impl Into<String>) -> Self {
        Filter::test(field, "!=", Value::Null)
    }

    /// All of these match; like `&`.
    pub fn all(filters: impl IntoIterator<Item = Filter>) -> Self {
        Filter::group("AND", filters)
    }

    /// At least one of these matches; like `|`.
    pub fn any(filters: impl IntoIterator<Item = Filter>) -> Self {
        Filter::group("OR", filters)
    }

    /// A query as the API reads it: `{"field", "operator", "value"}`, or a group
    /// `{"operator": "AND", "value": [...]}`. For operators that this type does not know.
    pub fn raw(query: Value) -> Self {
        Filter::of(query)
    }

    /// The name that the search of contacts gives to a custom attribute.
    ///
    /// ```
    /// # use intercom::Filter;
    /// let paying = Filter::eq(Filter::custom_attribute("plan"), "pro");
    /// # assert!(paying.query().is_ok());
    /// ```
    pub fn custom_attribute(name: &str) -> String {
        format!("custom_attributes.{name}")
    }

    fn test(field: impl Into<String>, operator: &str, value: impl Into<Value>) -> Self {
        Filter::of(json!({ "field": field.into(), "operator": operator, "value": value.into() }))
    }

    fn of(query: Value) -> Self {
        Filter {
            query,
            #[cfg(feature = "filter")]
            unresolved: None,
        }
    }

    /// A filter from text, which the search resolves.
    #[cfg(feature = "filter")]
    pub(crate) fn unresolved(text: &str, filter: Arc<dyn UnresolvedFilter>) -> Self {
        Filter { query: json!({ "text": text }), unresolved: Some(filter) }
    }

    /// The filter to resolve, if it is from text.
    #[cfg(feature = "filter")]
    pub(super) fn to_resolve(&self) -> Option<Arc<dyn UnresolvedFilter>> {
        self.unresolved.clone()
    }

    /// Members that are groups of the same kind become members of this one.
    fn group(operator: &str, filters: impl IntoIterator<Item = Filter>) -> Self {
        let mut members = Vec::new();
        for filter in filters {
            match filter.query {
                Value::Object(mut group)
                    if is_group(&group) && group.get("operator").is_some_and(|other| other == operator) =>
                {
                    match group.get_mut("value").map(Value::take) {
                        Some(Value::Array(nested)) => members.extend(nested),
                        _ => members.push(Value::Object(group)),
                    }
                }
                query => members.push(query),
            }
        }
        let query = match members.len() {
            1 => members.remove(0),
            _ => json!({ "operator": operator, "value": members }),
        };
        Filter::of(query)
    }

    /// The query as sent, checked against the limits of the API.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if groups are empty, too large or nested too deeply, if a field has no name, or
    /// if a value does not fit its operator. A filter from text has a query only in the search that uses it.
    pub fn query(&self) -> Result<&Value, Error> {
        check(&self.query, 1).map_err(|reason| Error::InvalidRequest(format!("invalid filter: {reason}")))?;
        Ok(&self.query)
    }

    /// The query for the search at a path. Ids are integers or text, depending on the field and the API version.
    pub(super) fn query_at(&self, path: &str, version: &str) -> Result<Value, Error> {
        let mut query = self.query()?.clone();
        let version = version.parse::<ApiVersion>();
        let has_text_owners = version.is_ok_and(|version| version.has(&ApiVersion::OWNER_IS_TEXT));
        fit_ids(&mut query, &|field| id_form(path, field, has_text_owners));
        Ok(query)
    }
}

/// Filters are equal if they were built in the same way.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.query == other.query
    }
}

impl BitAnd for Filter {
    type Output = Filter;

    fn bitand(self, other: Filter) -> Filter {
        Filter::all([self, other])
    }
}

impl BitOr for Filter {
    type Output = Filter;

    fn bitor(self, other: Filter) -> Filter {
        Filter::any([self, other])
    }
}

fn is_group(query: &serde_json::Map<String, Value>) -> bool {
    !query.contains_key("field") && query.get("value").is_some_and(Value::is_array)
}

fn check(query: &Value, depth: usize) -> Result<(), String> {
    let Value::Object(fields) = query else { return Err(format!("expected an object, not {query}")) };
    if is_group(fields) {
        return check_group(fields, depth);
    }
    if !fields.contains_key("field") && fields.contains_key("text") {
        return Err("a filter from text cannot be combined with others: write all of it as text".to_owned());
    }
    let name = match fields.get("field") {
        Some(Value::String(name)) if !name.trim().is_empty() => name,
        _ => return Err("a condition has no field".to_owned()),
    };
    let operator = fields.get("operator").and_then(Value::as_str).unwrap_or_default();
    if !OPERATORS.contains(&operator) {
        return Err(format!(
            "unknown operator {operator:?} for {name}: expected one of {}",
            OPERATORS.join(" ")
        ));
    }
    let is_scalar = |value: &Value| !value.is_array() && !value.is_object();
    match (operator, fields.get("value")) {
        (_, None) => Err(format!("{name} has no value")),
        ("IN" | "NIN", Some(Value::Array(values))) => match values.iter().find(|value| !is_scalar(value)) {
            _ if values.is_empty() => Err(format!("the list of values for {name} is empty")),
            Some(value) => {
                Err(format!("invalid value {value} for {name}: expected text, a number or a boolean"))
            }
            None => Ok(()),
        },
        ("IN" | "NIN", Some(_)) => Err(format!("{name} needs a list of values for {operator}")),
        (_, Some(value)) if !is_scalar(value) => Err(format!(
            "invalid value {value} for {name}: expected text, a number or a boolean; use is_in for lists"
        )),
        _ => Ok(()),
    }
}

fn check_group(group: &serde_json::Map<String, Value>, depth: usize) -> Result<(), String> {
    let operator = group.get("operator").unwrap_or(&Value::Null);
    if operator != "AND" && operator != "OR" {
        return Err(format!("unknown operator {operator} of a group: expected AND or OR"));
    }
    if depth > MAX_DEPTH {
        return Err(format!("groups are nested too deeply: the API's search allows {MAX_DEPTH} levels"));
    }
    let members = group.get("value").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match members.len() {
        0 => Err("a group is empty".to_owned()),
        1..=MAX_MEMBERS => members.iter().try_for_each(|member| check(member, depth + 1)),
        count => Err(format!(
            "a group has {count} members: the API's search allows at most {MAX_MEMBERS}; use is_in"
        )),
    }
}

/// The JSON type of an id field in searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IdForm {
    Integer,
    Text,
}

/// The type that the search at this path expects; `None` for fields that are not ids.
fn id_form(path: &str, field: &str, has_text_owners: bool) -> Option<IdForm> {
    match (path, field) {
        ("/conversations/search", "admin_assignee_id" | "team_assignee_id") => Some(IdForm::Integer),
        ("/contacts/search", "owner_id") if !has_text_owners => Some(IdForm::Integer),
        // Custom attributes have dots in their names, and any type.
        (_, field) if field == "id" || field.ends_with("_id") || field.ends_with("_ids") => {
            (!field.contains('.')).then_some(IdForm::Text)
        }
        _ => None,
    }
}

fn fit_ids(query: &mut Value, form_of: &impl Fn(&str) -> Option<IdForm>) {
    let form = query["field"].as_str().map(form_of);
    match (form, query.get_mut("value")) {
        (Some(Some(form)), Some(Value::Array(values))) => {
            values.iter_mut().for_each(|value| fit(value, form));
        }
        (Some(Some(form)), Some(value)) => fit(value, form),
        (None, Some(Value::Array(members))) => {
            members.iter_mut().for_each(|member| fit_ids(member, form_of));
        }
        _ => {}
    }
}

fn fit(value: &mut Value, form: IdForm) {
    let fitting = match (form, &*value) {
        (IdForm::Integer, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        (IdForm::Text, Value::Number(number)) => Some(Value::from(number.to_string())),
        _ => None,
    };
    if let Some(fitting) = fitting {
        *value = fitting;
    }
}

/// The order of the results of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest, earliest or first in the alphabet first.
    Ascending,
    /// Largest, latest or last in the alphabet first.
    Descending,
}

impl Order {
    /// The name that the API uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Order::Ascending => "ascending",
            Order::Descending => "descending",
        }
    }
}

macro_rules! values {
    ($($id:ty)+) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Value {
                Value::String(id.into_string())
            }
        }

        impl From<&$id> for Value {
            fn from(id: &$id) -> Value {
                Value::String(id.as_str().to_owned())
            }
        }
    )+};
}

values! { AdminId ArticleId ContactId ConversationId TagId TeamId }

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Value {
        time.as_second().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Filter {
        Filter::eq("state", "open")
    }

    fn refusal(filter: Filter) -> String {
        match filter.query() {
            Err(Error::InvalidRequest(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn groups_of_the_same_kind_become_one() {
        let filter = open() & Filter::gt("updated_at", Timestamp::from_second(5)) & open();
        let expected = json!({"operator": "AND", "value": [
            {"field": "state", "operator": "=", "value": "open"},
            {"field": "updated_at", "operator": ">", "value": 5},
            {"field": "state", "operator": "=", "value": "open"},
        ]});
        assert_eq!(filter.query().unwrap(), &expected);
        let mixed = (open() & open()) | open();
        assert_eq!(mixed.query().unwrap()["value"].as_array().unwrap().len(), 2);
        assert_eq!(Filter::all([open()]), open());
        assert_eq!(Filter::raw(expected.clone()) & Filter::all([]), Filter::raw(expected));
    }

    #[test]
    fn the_limits_of_the_search_are_checked() {
        let group = |members: usize| Filter::any((0..members).map(|_| open()));
        assert!(group(15).query().is_ok());
        assert!((group(15) & open()).query().is_ok());
        assert!(refusal(group(16)).contains("16 members"));
        assert!(refusal((group(2) & open()) | open()).contains("nested too deeply"));
        assert!(refusal(Filter::all([])).contains("empty"));
        assert!(Filter::is_in("id", 0..100).query().is_ok());
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        for (filter, reason) in [
            (Filter::eq(" ", 1), "no field"),
            (Filter::eq("id", vec![1, 2]), "use is_in"),
            (Filter::is_in("id", Vec::<String>::new()), "empty"),
            (Filter::is_in("id", [json!([])]), "invalid value []"),
            (Filter::raw(json!({"field": "id", "operator": "LIKE", "value": 1})), "\"LIKE\""),
            (Filter::raw(json!({"field": "id", "operator": "="})), "no value"),
            (Filter::raw(json!({"operator": "NOT", "value": []})), "\"NOT\""),
            (Filter::raw(json!({"value": []})), "null of a group"),
            (Filter::raw(json!("open")), "expected an object"),
        ] {
            let message = refusal(filter);
            assert!(message.starts_with("invalid filter: ") && message.contains(reason), "{message}");
        }
    }

    #[test]
    fn ids_are_sent_in_the_type_of_their_field() {
        let (admin, tag) = (AdminId::from(5), TagId::from(7));
        let filter =
            Filter::eq("admin_assignee_id", &admin) & Filter::is_in("tag_ids", [json!(7), tag.into()]);
        let value = |path: &str| {
            let query = filter.query_at(path, "2.13").unwrap();
            (query["value"][0]["value"].clone(), query["value"][1]["value"].clone())
        };
        assert_eq!(value("/conversations/search"), (json!(5), json!(["7", "7"])));
        assert_eq!(value("/tickets/search"), (json!("5"), json!(["7", "7"])));
        let custom = Filter::eq("custom_attributes.legacy_id", 5);
        assert_eq!(custom.query_at("/contacts/search", "2.13").unwrap()["value"], 5);
        let owner = Filter::eq("owner_id", AdminId::from(5));
        for (version, value) in [("2.13", json!(5)), ("2.16", json!("5")), ("Preview", json!("5"))] {
            assert_eq!(owner.query_at("/contacts/search", version).unwrap()["value"], value, "{version}");
        }
    }

    #[test]
    fn missing_values_are_null() {
        for (filter, operator) in [
            (Filter::is_null("email"), "="),
            (Filter::eq("email", None::<String>), "="),
            (Filter::is_not_null("email"), "!="),
        ] {
            assert_eq!(
                filter.query().unwrap(),
                &json!({"field": "email", "operator": operator, "value": null})
            );
        }
    }
}
