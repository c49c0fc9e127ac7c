//! How records are read, written and printed, on a small record with a field of every kind.

use serde_json::{Value, json};

use super::{Query, QueryValue, in_query, list_model, model, parameters};
use crate::api::open_enum::open_enum;
use crate::api::{AdminId, Timestamp};

open_enum! {
    /// The state of a record.
    pub enum State {
        Open = "open",
        Closed = "closed",
    }
}

model! {
    /// A part of a record, which is useless without an id.
    pub struct Part {
        required { id: String = "id", }
        optional { size: i64 = "size", }
        nullable {}
        spelled {}
    }
}

model! {
    /// A record with a field of every kind.
    pub struct Sample {
        required { name: String = "name", }
        optional {
            type_: String = "type",
            state: State = "state",
            count: i64 = "count",
            score: f64 = "score",
            is_new: bool = "is_new",
            owner: AdminId = "owner",
            created_at: Timestamp = "created_at",
            sent_at: Timestamp = "sent_at",
            numbers: Vec<i64> = "numbers",
            team: Vec<AdminId> = "team",
            part: Box<Part> = "part",
            parts: Vec<Part> = "parts",
            attributes: super::Object = "attributes",
        }
        nullable { phone: String = "phone", due_at: Timestamp = "due_at", }
        spelled { "owner" Integer, "team" Integer, "sent_at" Rfc3339, }
    }
}

model! {
    /// A record that is a list.
    #[derive(Default)]
    pub struct Parts {
        required {}
        optional { parts: Vec<Part> = "parts", }
        nullable {}
        spelled {}
    }
}

list_model!(Parts, parts: Part);

parameters! {
    /// Query parameters of every kind.
    pub struct Parameters {
        /// Text.
        text: String, impl Into<String> = "text",
        /// A number.
        page: i64, impl Into<i64> = "page",
        /// A flag.
        open: bool, impl Into<bool> = "open",
        /// A time.
        since: Timestamp, impl Into<Timestamp> = "since",
        /// A choice.
        state: State, impl Into<State> = "state",
    }
}

/// A sample with a name, and this field.
fn sample(field: &str, value: &Value) -> Sample {
    let mut document = json!({"name": "n"});
    document[field] = value.clone();
    serde_json::from_value(document).unwrap()
}

/// The field as it is written.
fn written(sample: &Sample, field: &str) -> Option<Value> {
    serde_json::to_value(sample).unwrap().get(field).cloned()
}

#[test]
fn a_record_is_read_and_written_field_by_field() {
    let document = json!({
        "name": "n",
        "type": "sample",
        "state": "open",
        "count": 3,
        "score": 0.5,
        "is_new": true,
        "owner": 5,
        "created_at": 60,
        "sent_at": "1970-01-01T00:01:00Z",
        "numbers": [1, 2],
        "team": [7],
        "part": {"id": "p"},
        "parts": [{"id": "q", "size": 1}],
        "attributes": {"plan": "pro", "empty": null},
        "phone": "1",
        "due_at": null,
        "unknown": {"deep": [1]},
    });
    let sample: Sample = serde_json::from_value(document.clone()).unwrap();
    assert_eq!((sample.name.as_str(), sample.count, sample.score), ("n", Some(3), Some(0.5)));
    assert_eq!(sample.state, Some(State::Open));
    assert_eq!(sample.owner, Some(AdminId::from(5)));
    assert_eq!((sample.created_at, sample.sent_at), (Some(Timestamp::from_second(60)), sample.created_at));
    assert_eq!(sample.part.as_ref().unwrap().id, "p");
    assert_eq!((sample.phone.clone(), sample.due_at), (Some(Some("1".to_owned())), Some(None)));
    assert_eq!(sample.extra.keys().collect::<Vec<_>>(), ["unknown"]);
    assert_eq!(serde_json::to_value(&sample).unwrap(), document);
}

#[test]
fn only_an_object_with_its_required_fields_is_a_record() {
    let error = |text: &str| serde_json::from_str::<Sample>(text).unwrap_err().to_string();
    for text in ["{}", r#"{"name": null}"#, r#"{"name": []}"#, r#"{"name": {"a": 1}, "count": 1}"#] {
        assert_eq!(error(text), "field `name` is missing or of another type", "{text}");
    }
    for text in ["[]", "null", "\"n\"", "1"] {
        assert!(error(text).contains("expected a map"), "{text}: {}", error(text));
    }
    assert_eq!(serde_json::from_str::<Parts>("{}").unwrap(), Parts::default());
}

#[test]
fn scalars_of_another_json_type_are_read_if_nothing_is_lost() {
    for (field, received, expected) in [
        ("type", json!(12), json!("12")),
        ("type", json!(true), json!("true")),
        ("type", json!(1.5), json!("1.5")),
        ("state", json!(1), json!("1")),
        ("count", json!("12"), json!(12)),
        ("count", json!(12.0), json!(12)),
        ("score", json!(12), json!(12)),
        ("is_new", json!("false"), json!(false)),
        ("owner", json!("12"), json!(12)),
        ("created_at", json!("60"), json!(60)),
        ("created_at", json!("1970-01-01T00:01:00Z"), json!(60)),
        ("sent_at", json!(60), json!("1970-01-01T00:01:00Z")),
        ("numbers", json!(["1", 2.0]), json!([1, 2])),
    ] {
        let sample = sample(field, &received);
        assert!(sample.extra.is_empty(), "{field}: {received}");
        assert_eq!(written(&sample, field), Some(expected), "{field}: {received}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_kept_and_written_back() {
    for (field, received) in [
        ("type", json!(["a"])),
        ("state", json!({"name": "open"})),
        ("count", json!(1.5)),
        ("count", json!("many")),
        ("count", json!(18_446_744_073_709_551_615_u64)),
        ("count", json!(1e300)),
        ("score", json!("high")),
        ("score", json!("inf")),
        ("is_new", json!(1)),
        ("owner", json!({"id": 5})),
        ("owner", json!(5.5)),
        ("created_at", json!("yesterday")),
        ("created_at", json!({})),
        ("numbers", json!({"0": 1})),
        ("part", json!({"size": 1})),
        ("part", json!("p")),
        ("parts", json!({"data": []})),
        ("attributes", json!([])),
        ("phone", json!({})),
        ("due_at", json!("soon")),
    ] {
        let sample = sample(field, &received);
        assert_eq!(sample.extra.get(field), Some(&received), "{field}: {received}");
        assert_eq!(written(&sample, field), Some(received.clone()), "{field}: {received}");
        let fields = [sample.type_.is_none(), sample.count.is_none(), sample.score.is_none()];
        assert_eq!(fields, [true; 3], "{field}: {received}");
    }
}

#[test]
fn a_value_that_says_more_than_its_field_is_read_and_written_back() {
    for (field, received) in [
        ("count", json!(" 12 ")),
        ("count", json!("012")),
        ("is_new", json!(" true")),
        ("score", json!("12.50")),
        ("score", json!(9_007_199_254_740_993_i64)),
        ("created_at", json!(60.25)),
        ("created_at", json!("1970-01-01T01:01:00+01:00")),
        ("sent_at", json!("1970-01-01T00:01:00.250Z")),
        ("numbers", json!([1, "many", 3])),
        ("team", json!([1, {"id": 2}, 3])),
        ("parts", json!([{"size": 1}, {"id": "p"}])),
        ("due_at", json!(60.25)),
    ] {
        let mut sample = sample(field, &received);
        assert_eq!(written(&sample, field), Some(received.clone()), "{field}: {received}");
        let is_read = [
            sample.count == Some(12),
            sample.is_new == Some(true),
            sample.score.is_some(),
            sample.created_at == Some(Timestamp::from_second(60)),
            sample.sent_at == Some(Timestamp::from_second(60)),
            sample.numbers == Some(vec![1, 3]),
            sample.team == Some(vec![AdminId::from(1), AdminId::from(3)]),
            sample.parts.as_ref().is_some_and(|parts| parts.len() == 1 && parts[0].id == "p"),
            sample.due_at == Some(Some(Timestamp::from_second(60))),
        ];
        assert_eq!(is_read.iter().filter(|is_read| **is_read).count(), 1, "{field}: {received}");
        clear(&mut sample);
        assert_eq!(written(&sample, field), None, "removed {field}: {received}");
    }
}

/// Sets every optional field to nothing.
fn clear(sample: &mut Sample) {
    let (name, extra) = (sample.name.clone(), std::mem::take(&mut sample.extra));
    *sample = Sample { extra, ..serde_json::from_value(json!({ "name": name })).unwrap() };
}

#[test]
fn a_changed_field_replaces_the_value_that_it_was_read_from() {
    let mut time = sample("created_at", &json!(60.25));
    time.created_at = Some(Timestamp::from_second(61));
    assert_eq!(written(&time, "created_at"), Some(json!(61)));

    let mut numbers = sample("numbers", &json!([1, "many"]));
    numbers.numbers.as_mut().unwrap().push(2);
    assert_eq!(written(&numbers, "numbers"), Some(json!([1, 2])));

    let mut count = sample("count", &json!({"of": 3}));
    count.count = Some(3);
    assert_eq!(written(&count, "count"), Some(json!(3)));

    let mut team = sample("team", &json!([1, {}]));
    team.team = Some(vec!["2".into(), "x2".into()]);
    assert_eq!(written(&team, "team"), Some(json!([2, "x2"])), "only integers are spelled as such");

    let mut name: Sample = serde_json::from_value(json!({"name": 7})).unwrap();
    assert_eq!(written(&name, "name"), Some(json!("7")));
    name.name = "n".to_owned();
    assert_eq!(written(&name, "name"), Some(json!("n")));
}

#[test]
fn null_is_nothing_in_an_optional_field_and_kept_in_a_nullable_one() {
    let sample: Sample =
        serde_json::from_value(json!({"name": "n", "count": null, "phone": null, "unknown": null})).unwrap();
    assert_eq!((sample.count, sample.phone.clone(), sample.due_at), (None, Some(None), None));
    let expected = json!({"name": "n", "phone": null, "unknown": null});
    assert_eq!(serde_json::to_value(&sample).unwrap(), expected);

    let mut due = self::sample("due_at", &json!(60.25));
    due.due_at = Some(None);
    assert_eq!(written(&due, "due_at"), Some(Value::Null));
}

#[test]
fn a_float_is_written_as_an_integer_if_it_is_one() {
    let mut sample = sample("score", &json!(0));
    for (score, expected) in [
        (3.0, json!(3)),
        (-3.0, json!(-3)),
        (0.1, json!(0.1)),
        (1e300, json!(1e300)),
        (9_007_199_254_740_992.0, json!(9_007_199_254_740_992.0)),
    ] {
        sample.score = Some(score);
        assert_eq!(written(&sample, "score"), Some(expected));
    }
}

#[test]
fn debug_output_has_the_fields_that_are_set_as_json() {
    let sample: Sample =
        serde_json::from_value(json!({"name": "n \"1\"", "count": 3, "phone": null, "unknown": [1]}))
            .unwrap();
    let expected = r#"Sample { name: "n \"1\"", count: 3, phone: null, unknown: [1] }"#;
    assert_eq!(format!("{sample:?}"), expected);
}

#[test]
fn a_record_that_is_a_list_is_a_slice_of_its_items() {
    let parts: Parts = serde_json::from_value(json!({"parts": [{"id": "a"}, {"id": "b"}]})).unwrap();
    assert_eq!((parts.len(), parts[1].id.as_str()), (2, "b"));
    let borrowed: Vec<&str> = (&parts).into_iter().map(|part| part.id.as_str()).collect();
    assert_eq!(borrowed, ["a", "b"]);
    assert_eq!(parts.into_iter().map(|part| part.id).collect::<Vec<_>>(), ["a", "b"]);
    assert!(Parts::default().is_empty());
}

#[test]
fn an_enum_keeps_values_that_it_does_not_have() {
    for (text, state) in [("open", State::Open), ("OPEN", State::Other("OPEN".into())), ("", "".into())] {
        let read: State = serde_json::from_value(json!(text)).unwrap();
        assert_eq!(read, state);
        assert_eq!(read, text);
        assert_eq!((read.as_str(), serde_json::to_value(&read).unwrap()), (text, json!(text)));
        assert_eq!(State::from(text.to_owned()), state);
    }
    assert_eq!(format!("[{:>6}]", State::Open), "[  open]");
    assert_eq!(format!("{:?}", State::from("new")), r#"Other("new")"#);
    let snoozed = sample("state", &json!("snoozed"));
    assert_eq!(snoozed.state, Some(State::Other("snoozed".to_owned())));
    assert_eq!(written(&snoozed, "state"), Some(json!("snoozed")));
}

#[test]
fn query_parameters_are_sent_if_they_are_set() {
    let values = |parameters: &Parameters| -> Vec<QueryValue> {
        parameters.values().into_iter().filter(|(_, value)| value.is_some()).collect()
    };
    assert_eq!(values(&Parameters::new()), []);
    let parameters =
        Parameters::new().text("a b&c").page(2).open(false).since(Timestamp::from_second(60)).state("closed");
    let expected =
        [("text", "a b&c"), ("page", "2"), ("open", "false"), ("since", "60"), ("state", "closed")];
    assert_eq!(values(&parameters), expected.map(|(name, value)| (name, Some(value.to_owned()))));
    assert_eq!(in_query(&AdminId::from(5)), "5");
    assert_eq!(in_query(&vec![1_i64, 2]), "[1,2]");
}
