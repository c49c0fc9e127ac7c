//! How a parameter differs between API versions, for the operation table.
//!
//! Reads the marks that merging the versions left in the schemas. A parameter that is the same in all versions
//! has no history.

use serde_json::Value;

use super::description::{Description, ParameterFacts};
use super::version::ApiVersion;
use super::versions::{LATER, LATER_VALUES, SINCE, UNTIL};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    pub since: Option<String>,
    pub until: Option<String>,
    /// Version and Rust source of the `Retyped`.
    pub retyped: Option<(String, String)>,
    /// Values of a choice, and the version that each needs.
    pub values: Vec<(String, String)>,
}

impl History {
    pub fn of_parameter(description: &Description, parameter: &ParameterFacts) -> Option<History> {
        let history = Self::of_schema(description, &parameter.schema).unwrap_or_default();
        let marks = History { since: parameter.since.clone(), until: parameter.until.clone(), ..history };
        (marks != History::default()).then_some(marks)
    }

    pub fn of_schema(description: &Description, schema: &Value) -> Option<History> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let target = description.resolve(schema);
        let values = target[LATER_VALUES].as_object().into_iter().flatten();
        let history = History {
            since: text(&schema[SINCE]),
            until: text(&schema[UNTIL]),
            retyped: retyped(description, target),
            values: values.filter_map(|(value, version)| Some((value.clone(), text(version)?))).collect(),
        };
        (history != History::default()).then_some(history)
    }

    /// Rust source of the `Option<&History>`.
    pub fn source(&self) -> String {
        let History { since, until, retyped, values } = self;
        let retyped = retyped
            .as_ref()
            .map_or_else(|| "None".to_owned(), |(version, kind)| format!("Some(({version:?}, {kind}))"));
        format!(
            "Some(&History {{ since: {since:?}, until: {until:?}, retyped: {retyped}, values: &{values:?} }})"
        )
    }
}

/// The history of a field inside an object with its own history.
pub trait Within {
    fn within(self, object: Option<History>) -> Option<History>;
}

impl Within for Option<History> {
    fn within(self, object: Option<History>) -> Option<History> {
        let Some(object) = object else { return self };
        let mut history = self.unwrap_or_default();
        history.since = latest(history.since, object.since);
        history.until = history.until.or(object.until);
        (history != History::default()).then_some(history)
    }
}

fn latest(one: Option<String>, other: Option<String>) -> Option<String> {
    let order = |text: &Option<String>| text.as_ref().map(|text| text.parse::<ApiVersion>().ok());
    if order(&one) < order(&other) { other } else { one }
}

/// The conversion of values to their later type, if there is one that loses nothing.
fn retyped(description: &Description, schema: &Value) -> Option<(String, String)> {
    let later = schema.get(LATER).or_else(|| schema["items"].get(LATER))?;
    let (version, later_schema) = (later["version"].as_str()?, description.resolve(&later["schema"]));
    let is_list = schema.get(LATER).is_none();
    let earlier = if is_list { &schema["items"] } else { schema };
    let conversion = match (earlier["type"].as_str()?, later_schema["type"].as_str()?, is_list) {
        ("integer", "string", false) => "Retyped::Text".to_owned(),
        ("string", "integer", false) => "Retyped::Integer".to_owned(),
        ("string", "object", true) => match &later_schema["required"].as_array()?[..] {
            [Value::String(field)] => format!("Retyped::Wrapped({field:?})"),
            _ => return None,
        },
        _ => return None,
    };
    Some((version.to_owned(), conversion))
}
