//! The filter language: parsing, printing, and the positions of errors.

use intercom::filter::{Column, Expression, Literal, Operator, Test, parse, round_trip};
use proptest::prelude::*;
use proptest::sample::select;

fn literal(text: String, quoted: bool) -> Literal {
    Literal { text, quoted, at: Column(0) }
}

fn any_test() -> impl Strategy<Value = Expression> {
    let operators = select(vec![
        Operator::Equal,
        Operator::NotEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Contains,
        Operator::ContainsNot,
        Operator::StartsWith,
        Operator::EndsWith,
        Operator::In,
        Operator::NotIn,
    ]);
    let bare = "[a-z0-9_.@:+*/-]{1,9}"
        .prop_filter("keywords must be quoted", |word| !["and", "or", "not", "in"].contains(&word.as_str()));
    let value =
        prop_oneof![bare.prop_map(|text| literal(text, false)), ".*".prop_map(|text| literal(text, true))];
    (".*", operators, proptest::collection::vec(value, 1..4)).prop_map(|(field, operator, mut values)| {
        if !matches!(operator, Operator::In | Operator::NotIn) {
            values.truncate(1);
        }
        Expression::Test(Test { field, operator, values, at: Column(0) })
    })
}

fn any_filter() -> impl Strategy<Value = Expression> {
    any_test().prop_recursive(4, 24, 4, |inner| {
        (any::<bool>(), proptest::collection::vec(inner, 1..5))
            .prop_map(|(all, members)| if all { Expression::all(members) } else { Expression::any(members) })
    })
}

proptest! {
    #[test]
    fn a_printed_filter_parses_into_the_same_filter(filter in any_filter()) {
        let printed = filter.to_string();
        let parsed = parse(&printed);
        prop_assert_eq!(parsed.as_ref(), Ok(&filter), "{}", printed);
    }

    #[test]
    fn no_text_causes_a_panic(text in ".*", tokens in proptest::collection::vec(select(vec![
        "(", ")", ",", "and", "or", "not", "in", "=", "!", "!=", "~", "\"", "'", "\\", "state", "open", "7d", " ",
    ]), 0..30)) {
        drop(round_trip(&text));
        drop(round_trip(&tokens.join(" ")));
        drop(round_trip(&tokens.concat()));
    }
}

#[test]
fn an_error_has_the_column_of_its_cause() {
    for (text, column) in [
        ("", 0),
        ("state", 5),
        ("state = ", 8),
        ("state = open and", 16),
        ("state = open team = x", 13),
        ("(state = open", 0),
        ("state = open)", 12),
        ("state = \"open", 8),
        ("state ! open", 6),
        ("not state = open", 0),
        ("state in open", 9),
        ("état = a and b", 14),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.column, column, "{text:?}: {error}");
    }
}
