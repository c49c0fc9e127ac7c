//! The fields of `api -f` and `-F`: their keys as paths, and their values with types.
//!
//! `a[b]=c` is a field of an object, `a[]=c` an element of a list, `a[][b]=c` a field of an object in a list. Two fields that
//! contradict each other are refused, never merged by guessing.

use serde_json::{Map, Number, Value, json};

use crate::cli::error::Error;
use crate::cli::files::Content;

/// A key and its value, as typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub key: String,
    pub value: Value,
}

/// One step from an object or a list to a value in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    Name(&'a str),
    /// `[]`: a new element, or the last one if it is an object without the next name.
    Element,
}

impl Field {
    /// A field of `--raw-field`, whose value is text.
    ///
    /// # Errors
    /// [`Error::Usage`] without a key.
    pub fn raw(text: &str) -> Result<Self, Error> {
        let (key, value) = split(text, "--raw-field")?;
        Ok(Field { key: key.to_owned(), value: json!(value) })
    }

    /// A field of `--field`: `true`, `false`, `null` and numbers have their type, `@FILE` and `@-` are replaced by the
    /// content.
    ///
    /// # Errors
    /// [`Error::Usage`] without a key, and those of [`Content::text`].
    pub fn typed(field: &Content) -> Result<Self, Error> {
        let (key, value) = split(field.typed(), "--field")?;
        let value = match value.strip_prefix('@') {
            Some("-") => json!(Content::of_stdin().text()?),
            Some(_) => json!(Content::from(value.to_owned()).text()?),
            None => typed(value),
        };
        Ok(Field { key: key.to_owned(), value })
    }

    /// The field as a query parameter.
    pub fn into_parameter(self) -> (String, String) {
        let text = match self.value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        (self.key, text)
    }
}

/// Builds an object from fields.
///
/// # Errors
/// [`Error::Usage`] for a key with unmatched brackets, and for fields that contradict each other.
pub fn object(fields: Vec<Field>) -> Result<Value, Error> {
    let mut root = Value::Object(Map::new());
    for Field { key, value } in fields {
        let steps = steps(&key)?;
        insert(&mut root, &steps, value)
            .map_err(|reason| Error::usage(format!("field {key:?}: {reason}")))?;
    }
    Ok(root)
}

fn split<'a>(text: &'a str, flag: &str) -> Result<(&'a str, &'a str), Error> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    pair.ok_or_else(|| Error::usage(format!("{flag}: invalid field {text:?}: expected KEY=VALUE")))
}

/// Numbers that would lose digits remain text.
fn typed(text: &str) -> Value {
    let is_whole = text.bytes().all(|letter| letter.is_ascii_digit() || letter == b'-');
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Bool(_) | Value::Null)) => value,
        Ok(Value::Number(number)) if !is_whole || is_exact(&number) => Value::Number(number),
        _ => json!(text),
    }
}

fn is_exact(number: &Number) -> bool {
    number.is_i64() || number.is_u64()
}

fn steps(key: &str) -> Result<Vec<Step<'_>>, Error> {
    let invalid = || Error::usage(format!("invalid field name {key:?}: expected a[b], a[] or a[][b]"));
    let (first, mut rest) = match key.find('[') {
        Some(at) => key.split_at(at),
        None => (key, ""),
    };
    if first.is_empty() || first.contains(']') {
        return Err(invalid());
    }
    let mut steps = vec![Step::Name(first)];
    while !rest.is_empty() {
        let (inner, after) =
            rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or_else(invalid)?;
        if inner.contains('[') {
            return Err(invalid());
        }
        steps.push(if inner.is_empty() { Step::Element } else { Step::Name(inner) });
        rest = after;
    }
    Ok(steps)
}

fn insert(place: &mut Value, steps: &[Step<'_>], value: Value) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        *place = value;
        return Ok(());
    };
    match step {
        Step::Name(name) => {
            if place.is_null() {
                *place = json!({});
            }
            let Value::Object(fields) = place else {
                return Err(format!("{name:?} cannot be a field of {}", kind(place)));
            };
            if rest.is_empty() && fields.contains_key(*name) {
                return Err("the field is given twice; write NAME[]= for a list".to_owned());
            }
            insert(fields.entry(*name).or_insert(Value::Null), rest, value)
        }
        Step::Element => {
            if place.is_null() {
                *place = json!([]);
            }
            let kind = kind(place);
            let Value::Array(elements) = place else { return Err(format!("[] cannot be part of {kind}")) };
            let continues = match (rest.first(), elements.last()) {
                (Some(Step::Name(name)), Some(Value::Object(last))) => {
                    rest.len() > 1 || !last.contains_key(*name)
                }
                _ => false,
            };
            if !continues {
                elements.push(Value::Null);
            }
            match elements.last_mut() {
                Some(last) => insert(last, rest, value),
                None => Ok(()),
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        _ => "a single value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(raw: &[&str], magic: &[&str]) -> Result<Value, Error> {
        let raw = raw.iter().map(|text| Field::raw(text));
        let magic = magic.iter().map(|text| Field::typed(&Content::from((*text).to_owned())));
        object(raw.chain(magic).collect::<Result<_, _>>()?)
    }

    #[test]
    fn raw_fields_are_text_and_typed_fields_have_types() {
        assert_eq!(built(&["a=1", "b=@x", "c="], &[]).unwrap(), json!({ "a": "1", "b": "@x", "c": "" }));
        let typed =
            built(&[], &["n=1", "f=-1.5", "t=true", "z=null", "s=12 apples", "q=a=b", "d=-"]).unwrap();
        let expected =
            json!({ "n": 1, "f": -1.5, "t": true, "z": null, "s": "12 apples", "q": "a=b", "d": "-" });
        assert_eq!(typed, expected);
        let exact = built(&[], &["id=123456789012345678901234567890", "version=2.13", "zip=01"]).unwrap();
        assert_eq!(exact, json!({ "id": "123456789012345678901234567890", "version": 2.13, "zip": "01" }));
        assert!(matches!(built(&["novalue"], &[]), Err(Error::Usage { .. })));
        assert!(matches!(built(&[], &["body=@/no/such/file"]), Err(Error::Usage { .. })));
    }

    #[test]
    fn keys_in_brackets_build_objects_and_lists() {
        let contact = built(&["custom_attributes[plan]=Pro", "custom_attributes[seats]=9"], &[]).unwrap();
        assert_eq!(contact, json!({ "custom_attributes": { "plan": "Pro", "seats": "9" } }));
        assert_eq!(built(&["ids[]=1", "ids[]=2"], &[]).unwrap(), json!({ "ids": ["1", "2"] }));
        let query = [
            "query[operator]=AND",
            "query[value][][field]=role",
            "query[value][][value]=user",
            "query[value][][field]=name",
        ];
        assert_eq!(
            built(&query, &[]).unwrap(),
            json!({ "query": { "operator": "AND", "value": [{ "field": "role", "value": "user" }, { "field": "name" }] } })
        );
    }

    #[test]
    fn contradictions_and_unmatched_brackets_are_refused() {
        for fields in [
            &["a=1", "a=2"][..],
            &["a=1", "a[b]=2"],
            &["a[]=1", "a[b]=2"],
            &["a[b]=1", "a[]=2"],
            &["a[b=1"],
            &["a]=1"],
            &["[a]=1"],
            &["a[b]c=1"],
        ] {
            assert!(matches!(built(fields, &[]), Err(Error::Usage { .. })), "{fields:?}");
        }
    }

    #[test]
    fn a_parameter_of_a_query_is_text() {
        let parameter = |text: &str| Field::typed(&Content::from(text.to_owned())).unwrap().into_parameter();
        assert_eq!(parameter("per_page=5"), ("per_page".to_owned(), "5".to_owned()));
        assert_eq!(parameter("x=null").1, "");
    }
}
