//! Tests what filters compile to, and which errors they produce.

use super::*;
use crate::filter::{Attribute, StateLabel, compares_days, parse};

fn directory() -> Directory {
    let named = |list: &[(&str, &str)]| {
        list.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect()
    };
    let state = |id: &str, category: &str, labels: [&str; 2]| StateLabel {
        id: id.to_owned(),
        category: category.to_owned(),
        labels: labels.map(str::to_owned).to_vec(),
    };
    Directory {
        tags: named(&[("7", "vip"), ("8", "VIP"), ("9", "7")]),
        teams: named(&[("31", "Billing")]),
        admins: named(&[("5", "Ann")]),
        emails: named(&[("5", "ann@example.com")]),
        segments: named(&[("s1", "Active"), ("s2", "New")]),
        ticket_types: named(&[("40", "Bug report")]),
        ticket_states: vec![
            state("60", "submitted", ["Submitted", "Received"]),
            state("61", "in_progress", ["With Dev Team", "In work"]),
        ],
        ticket_attributes: named(&[("70", "Severity"), ("71", "Severity"), ("72", "Plan")]),
        attribute_types: named(&[("70", "40"), ("71", "41"), ("72", "40")]),
        contact_attributes: Some(
            [
                ("plan", "string"),
                ("Seats left", "float"),
                ("a.b", "string"),
                ("renewed_at", "date"),
                ("beta", "boolean"),
            ]
            .map(|(name, kind)| Attribute { name: name.to_owned(), data_type: Some(kind.to_owned()) })
            .to_vec(),
        ),
        contacts: [("ann@example.com".to_owned(), vec!["c1".to_owned(), "c2".to_owned()])].into(),
        ..Directory::default()
    }
}

/// The directory for this API version.
fn at(version: &str) -> Directory {
    Directory { version: Some(version.parse().unwrap()), ..directory() }
}

fn parse_time(text: &str) -> Result<i64, String> {
    match text {
        "7d" => Ok(1_000),
        "2026-05-24" => Ok(2_000),
        _ => text.parse().map_err(|_| format!("{text:?} is not a time")),
    }
}

fn both(text: &str, searchable: Searchable) -> Result<CompiledFilter, Error> {
    compile(&parse(text)?, searchable, &directory(), &parse_time)
}

/// The search query of a filter.
fn compiled(text: &str, searchable: Searchable) -> Result<Value, Error> {
    both(text, searchable).map(|compiled| compiled.query)
}

fn test(field: &str, operator: &str, value: Value) -> Value {
    json!({ "field": field, "operator": operator, "value": value })
}

#[test]
fn names_times_and_bounds_are_compiled() {
    let predicate = compiled(
        "state = open and team = \"Billing\" and updated_at > 7d and tags !~ vip",
        Searchable::Conversations,
    );
    let expected = json!({ "operator": "AND", "value": [
        test("state", "=", json!("open")), test("team_assignee_id", "=", json!(31)),
        test("updated_at", ">", json!(1000)), test("tag_ids", "NIN", json!(["7", "8"])),
    ]});
    assert_eq!(predicate.unwrap(), expected);
    let one = |text: &str| compiled(text, Searchable::Conversations).unwrap();
    assert_eq!(one("tags = vip"), test("tag_ids", "=", json!("7")));
    assert_eq!(one("tags = 7"), test("tag_ids", "=", json!("9")), "a name takes precedence over an id");
    assert_eq!(one("team = billing"), one("team = Billing"));
    assert_eq!(one("tags ~ nothing"), test("tag_ids", "=", json!("0")));
    assert_eq!(one("created_at >= 2026-05-24"), test("created_at", ">", json!(1999)));
    assert_eq!(one("statistics.count_reopens <= 3"), test("statistics.count_reopens", "<", json!(4)));
    assert_eq!(one("assignee = \"Ann@example.com\""), test("admin_assignee_id", "=", json!(5)));
    assert_eq!(one("state not in (open, snoozed)"), test("state", "NIN", json!(["open", "snoozed"])));
    let ticket = compiled("assignee != null and team = Billing", Searchable::Tickets).unwrap();
    assert_eq!(ticket["value"][0]["value"], json!("0"));
    assert_eq!(ticket["value"][1]["value"], json!("31"));
    let contacts = compiled("tags ~ vip", Searchable::Contacts).unwrap();
    assert_eq!(contacts["operator"], "OR");
    let custom = |text: &str| compiled(text, Searchable::Contacts).unwrap();
    for text in ["\"custom_attributes.Seats left\" = 5", "custom_attributes.\"Seats left\" = 5"] {
        assert_eq!(custom(text), test("custom_attributes.Seats left", "=", json!(5)));
    }
    assert_eq!(custom("custom_attributes.plan = \"5\"")["value"], json!("5"));
    assert_eq!(custom("custom_attributes.a.b = x")["field"], "custom_attributes.a.b");
    let milliseconds = both("created_at > 1795883405000", Searchable::Conversations).unwrap_err();
    assert!(milliseconds.message.contains("1795883405 if it is in milliseconds"), "{milliseconds}");
}

#[test]
fn unassigned_is_queried_as_zero_and_null_and_other_nulls_are_left_to_the_documents() {
    let conversations = |text: &str| both(text, Searchable::Conversations).unwrap();
    let unassigned = json!({ "operator": "OR", "value": [
        test("team_assignee_id", "=", json!(0)), test("team_assignee_id", "=", Value::Null),
    ]});
    for text in ["team = null", "team = 0", "team = \"0\""] {
        assert_eq!(conversations(text).query, unassigned, "{text}");
        assert_eq!(conversations(text).exact, test("team_assignee_id", "=", Value::Null), "{text}");
    }
    let within = conversations("state = open and team = null").query;
    let open = json!({ "operator": "AND", "value": [test("state", "=", json!("open"))] });
    assert_eq!(within["value"], json!([open, unassigned]), "a group holds tests or groups, never both");
    assert_eq!(conversations("state = open or team = null").query["value"].as_array().unwrap().len(), 3);
    assert_eq!(conversations("team != null").query, test("team_assignee_id", "!=", json!(0)));
    // Too deep for the API's search, so this is left to the documents.
    let deep = conversations("read = true or (state = open and team = null)");
    assert_eq!(
        deep.query["value"],
        json!([test("read", "=", json!(true)), test("state", "=", json!("open"))])
    );
    assert_eq!(deep.exact["value"][1]["value"][1], test("team_assignee_id", "=", Value::Null));
    let mixed = conversations("team in (null, Billing)");
    assert_eq!(mixed.query["value"].as_array().unwrap().len(), 3);
    let everything = test("created_at", ">", json!(0));
    assert_eq!(conversations("tags = null").query, everything);
    assert_eq!(conversations("state = open and tags = null").query, test("state", "=", json!("open")));
    let contacts = |text: &str| both(text, Searchable::Contacts).unwrap();
    assert_eq!(contacts("last_seen_at = null").query, everything);
    assert_eq!(contacts("last_seen_at != null").query, test("last_seen_at", ">", json!(0)));
    assert_eq!(contacts("segment = null").query, test("segment_id", "NIN", json!(["s1", "s2"])));
    let error = both("open = null", Searchable::Conversations).unwrap_err();
    assert_eq!((error.column, error.message.contains("null")), (7, true));
    let error = both("tags = null or segment = Active", Searchable::Contacts).unwrap_err();
    assert!(error.message.contains("segment_id"), "{error}");
}

#[test]
fn words_and_names_are_resolved_or_rejected() {
    let error = |text: &str, searchable: Searchable| both(text, searchable).unwrap_err().to_string();
    for (text, searchable, words) in [
        ("state = opened", Searchable::Conversations, "did you mean \"open\"? expected one of"),
        ("priority = high", Searchable::Conversations, "expected one of \"priority\", \"not_priority\""),
        ("channel = e-mail", Searchable::Conversations, "did you mean \"email\"?"),
        ("state ~ zz", Searchable::Conversations, "unknown state \"zz\""),
        ("state in (open, shut)", Searchable::Conversations, "unknown state \"shut\""),
        ("contact = bo@example.com", Searchable::Conversations, "unknown contact \"bo@example.com\""),
        ("role = users", Searchable::Contacts, "did you mean \"user\"?"),
        ("segment = Activ", Searchable::Contacts, "did you mean \"Active\"?"),
        ("plan = pro", Searchable::Contacts, "use custom_attributes.plan"),
        ("\"seats left\" = 5", Searchable::Contacts, "use custom_attributes.\"Seats left\""),
        ("custom_attributes.plann = pro", Searchable::Contacts, "use custom_attributes.plan"),
        ("state = opn", Searchable::Tickets, "unknown ticket state \"opn\""),
        ("type = Bug", Searchable::Tickets, "unknown ticket type \"Bug\""),
        ("ticket_attribute.Seferity = 1", Searchable::Tickets, "did you mean \"Severity\"?"),
    ] {
        let error = error(text, searchable);
        assert!(error.contains(words), "{text}: {error}");
    }
    let tickets = |text: &str| both(text, Searchable::Tickets).unwrap();
    assert_eq!(tickets("type = \"bug report\"").query, test("ticket_type_id", "=", json!("40")));
    assert_eq!(tickets("category = customer").query, test("category", "IN", json!(["Customer", "request"])));
    assert_eq!(tickets("category = customer").exact, test("category", "=", json!("Customer")));
    assert_eq!(tickets("state = \"In progress\"").query, test("state", "=", json!("in_progress")));
    assert_eq!(tickets("state = \"with dev team\"").query, test("state", "=", json!("in_progress")));
    let exact = tickets("state = \"with dev team\"").exact;
    assert_eq!(exact["value"][1], test("ticket_state_id", "=", json!("61")));
    let attributes = tickets("ticket_attribute.Severity = high");
    assert_eq!(attributes.query["value"][1], test("ticket_attribute.71", "=", json!("high")));
    assert_eq!(attributes.exact["value"][1]["attribute"], "Severity");
    let people = both("contact = ann@example.com", Searchable::Conversations).unwrap().query;
    assert_eq!(people, test("contact_ids", "IN", json!(["c1", "c2"])));
    let phone = both("phone = \"+353 86 123 4567\"", Searchable::Contacts).unwrap();
    assert_eq!(phone.query["value"][0], test("phone", "$", json!("7")));
    let numbers = json!(["353861234567", "053861234567", "03861234567", "0861234567"]);
    assert_eq!(phone.exact, test("phone_digits", "IN", numbers));
}

/// Every part of a query that the description of the search forbids.
fn broken_rules(query: &Value, depth: usize) -> Vec<String> {
    let Some(members) = query["value"].as_array().filter(|_| query["field"].is_null()) else {
        let is_listed = |value: &Value| value.is_string() || value.is_i64();
        let is_broken = query["value"].as_array().is_some_and(|list| !list.iter().all(is_listed))
            || query["value"].is_f64()
            || query.as_object().is_some_and(|keys| keys.len() != 3);
        return is_broken.then(|| query.to_string()).into_iter().collect();
    };
    let groups = members.iter().filter(|member| member["field"].is_null()).count();
    let mut broken: Vec<String> = members.iter().flat_map(|member| broken_rules(member, depth + 1)).collect();
    if depth > MAX_DEPTH
        || members.len() > MAX_MEMBERS
        || members.is_empty()
        || (groups > 0 && groups < members.len())
    {
        broken.push(query.to_string());
    }
    broken
}

#[test]
fn queries_keep_to_the_description() {
    use Searchable::{Contacts, Conversations, Tickets};
    let many = (0..17).map(|index| format!("\"area {index}\"")).collect::<Vec<_>>();
    let names: Vec<(String, String)> = many
        .iter()
        .enumerate()
        .map(|(index, name)| (index.to_string(), name.trim_matches('"').to_owned()))
        .collect();
    let wide = Directory { tags: [directory().tags, names].concat(), ..directory() };
    let list = format!("tags in ({})", many.join(", "));
    for (text, searched) in [
        ("state = open and team = null", Conversations),
        ("state = open or team != null and read = true", Conversations),
        ("state = open and (team = null or read = true)", Conversations),
        ("role = user and owner = null", Contacts),
        ("role = user and tags in (vip, VIP)", Contacts),
        ("role = user and email = null and custom_attributes.plan = null", Contacts),
        ("open = true and assignee = null", Tickets),
        ("custom_attributes.beta in (true, false)", Contacts),
        ("custom_attributes.\"Seats left\" = 8.5", Contacts),
        ("custom_attributes.\"Seats left\" in (8.5, 9)", Contacts),
        ("custom_attributes.renewed_at in (1000, 2000) or role = lead", Contacts),
        ("phone in (\"+353861234567\", \"+353861234568\") and role = user", Contacts),
        ("tags ~ area", Contacts),
        (&list, Contacts),
    ] {
        let compiled = compile(&parse(text).unwrap(), searched, &wide, &parse_time);
        let query = compiled.unwrap_or_else(|error| panic!("{text}: {error}")).query;
        assert_eq!(broken_rules(&query, 1), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_date_attribute_is_compared_by_the_day() {
    let custom = |text: &str| both(text, Searchable::Contacts);
    let equal = custom("custom_attributes.renewed_at = 2026-05-24").unwrap();
    assert_eq!((&equal.exact["value"], &equal.exact["type"]), (&json!(2_000), &json!("date")));
    let around = json!([
        test("custom_attributes.renewed_at", ">", json!(2_000 - 172_800)),
        test("custom_attributes.renewed_at", "<", json!(2_000 + 172_800)),
    ]);
    assert_eq!(equal.query["value"], around);
    let everything = test("created_at", ">", json!(0));
    for text in ["custom_attributes.renewed_at != 2026-05-24", "custom_attributes.renewed_at != null"] {
        assert_eq!(custom(text).unwrap().query, everything, "{text}");
    }
    for text in ["custom_attributes.renewed_at = soon", "custom_attributes.renewed_at ~ 2026"] {
        assert!(custom(text).is_err(), "{text}");
    }
}

#[test]
fn an_attribute_that_the_workspace_does_not_have_is_refused() {
    let refused = |directory: &Directory, text: &str| {
        compile(&parse(text).unwrap(), Searchable::Contacts, directory, &parse_time)
            .err()
            .map(|error| error.message)
    };
    for text in [
        "custom_attributes.churn_risk != high",
        "custom_attributes.nope = 1",
        "custom_attributes.nope = null",
    ] {
        let message = refused(&directory(), text).unwrap();
        assert!(message.starts_with("unknown attribute"), "{text}: {message}");
        let unread = Directory { contact_attributes: None, ..directory() };
        assert_eq!(refused(&unread, text), None, "{text}: without a list nothing is known");
    }
}

#[test]
fn the_id_of_an_attribute_means_that_of_its_ticket_type() {
    let exact = |text: &str| both(text, Searchable::Tickets).unwrap().exact;
    let of_type = exact("ticket_attribute.70 = high");
    assert_eq!(of_type["operator"], "AND");
    assert_eq!(of_type["value"][0], test("ticket_type_id", "=", json!("40")));
    let others = exact("ticket_attribute.70 != high");
    assert_eq!(others["operator"], "OR");
    assert_eq!(others["value"][0], test("ticket_type_id", "!=", json!("40")));
    assert_eq!(
        exact("ticket_attribute.72 = x")["field"],
        "ticket_attribute.72",
        "no other type has its name"
    );
}

#[test]
fn a_teammate_or_team_that_has_left_is_named_by_its_id() {
    let value = |text: &str, searched| both(text, searched).unwrap().exact["value"].clone();
    assert_eq!(value("assignee = 99999", Searchable::Conversations), json!(99999));
    assert_eq!(value("team != 8888", Searchable::Tickets), json!("8888"));
    assert_eq!(value("owner = 99999", Searchable::Contacts), json!(99999));
    assert!(both("team = Biling", Searchable::Conversations).is_err());
}

#[test]
fn priorities_are_those_of_the_api_version() {
    let newer = at("2.16");
    let with = |directory: &Directory, text: &str| {
        compile(&parse(text).unwrap(), Searchable::Conversations, directory, &parse_time)
            .map(|compiled| compiled.query)
    };
    assert_eq!(with(&newer, "priority = urgent").unwrap(), test("priority", "=", json!("urgent")));
    for (older, grades) in [
        ("priority = priority", "priority in (high, urgent)"),
        ("priority = not_priority", "priority in (none, low, medium)"),
        ("priority != priority", "priority not in (high, urgent)"),
        ("priority in (priority, low)", "priority in (high, urgent, low)"),
    ] {
        assert_eq!(with(&newer, older).unwrap(), with(&newer, grades).unwrap(), "{older}");
    }
    let error = with(&newer, "priority = hihg").unwrap_err();
    assert!(error.message.contains("expected one of \"none\", \"low\""), "{error}");
    for directory in [directory(), at("2.15")] {
        assert!(with(&directory, "priority = not_priority").is_ok());
        assert!(with(&directory, "priority = high").is_err());
    }
}

#[test]
fn contact_times_are_exact_from_a_version() {
    let compiled = |version: &str, text: &str| {
        compile(&parse(text).unwrap(), Searchable::Contacts, &at(version), &|text| {
            Ok(text.trim_end_matches('h').parse().unwrap_or(90_000))
        })
    };
    let exact =
        |operator: &str| json!({"field": "last_seen_at", "operator": operator, "value": 24, "type": "time"});
    assert!(
        compiled("2.16", "last_seen_at >= 24h").is_err() && compiled("2.16", "last_seen_at > 24h").is_err()
    );
    for (operator, sent) in
        [(">", test("last_seen_at", ">", json!(24))), (">=", test("last_seen_at", ">", json!(23)))]
    {
        let compiled = compiled("2.17", &format!("last_seen_at {operator} 24h")).unwrap();
        assert_eq!((compiled.exact, compiled.query), (exact(operator), sent));
    }
    let unequal = compiled("2.17", "last_seen_at != 24h").unwrap();
    assert_eq!((unequal.exact, unequal.query), (exact("!="), test("created_at", ">", json!(0))));
    let day = compiled("2.17", "created_at = 2026-05-24").unwrap();
    assert_eq!(day.exact["operator"], "AND", "{}", day.exact);
    assert!(compares_days(&parse("last_seen_at > 7d").unwrap(), Searchable::Contacts, &at("2.16")));
    assert!(!compares_days(&parse("last_seen_at > 7d").unwrap(), Searchable::Contacts, &at("2.17")));
}

#[test]
fn the_owner_of_a_contact_is_text_from_a_version() {
    let query = |version: &str| {
        let compiled =
            compile(&parse("owner = 99999").unwrap(), Searchable::Contacts, &at(version), &parse_time);
        compiled.unwrap().query["value"].clone()
    };
    assert_eq!([query("2.15"), query("2.16")], [json!(99999), json!("99999")]);
}

#[test]
fn white_space_around_a_name_does_not_hide_it() {
    let directory = Directory {
        tags: vec![
            ("1".to_owned(), " vip ".to_owned()),
            ("2".to_owned(), "vip".to_owned()),
            ("3".to_owned(), "key ".to_owned()),
        ],
        ..Directory::default()
    };
    let id = |text: &str| {
        let compiled = compile(&parse(text).unwrap(), Searchable::Conversations, &directory, &parse_time);
        compiled.unwrap().exact["value"].clone()
    };
    assert_eq!(id("tags = \" vip \""), json!("1"));
    assert_eq!(id("tags = vip"), json!("2"));
    assert_eq!(
        [id("tags = key"), id("tags = \" key\""), id("tags = KEY")],
        [json!("3"), json!("3"), json!("3")]
    );
}

#[test]
fn a_date_means_any_moment_of_its_day() {
    let compiled = compile(
        &parse("created_at = 2026-05-24").unwrap(),
        Searchable::Conversations,
        &directory(),
        &|text| Ok(if text == "2026-05-25" { 88_400 } else { 2_000 }),
    );
    let exact = json!([test("created_at", ">=", json!(2_000)), test("created_at", "<", json!(88_400))]);
    assert_eq!(compiled.unwrap().exact["value"], exact);
}

#[test]
fn unsupported_filters_are_rejected_with_their_column() {
    let column = |text: &str, searchable| compiled(text, searchable).unwrap_err().column;
    let conversations = |text: &str| column(text, Searchable::Conversations);
    assert_eq!(conversations("state = open and tem = Billing"), 17);
    assert_eq!(conversations("state > open"), 0);
    assert_eq!(conversations("team = Biling"), 7);
    assert_eq!(conversations("updated_at > soon"), 13);
    assert_eq!(conversations("tags = Vip"), 7, "two tags have this name in another case");
    assert_eq!(conversations("open = maybe"), 7);
    assert_eq!(conversations("title = x"), 0);
    assert_eq!(conversations("source.subject ~ ''"), 17);
    assert_eq!(conversations("read = true or (state = open and (read = true or priority = priority))"), 34);
    let wide = vec!["state = open"; 16].join(" or ");
    assert!(compiled(&wide, Searchable::Conversations).unwrap_err().message.contains("15"));
    let contacts = |text: &str| column(text, Searchable::Contacts);
    assert_eq!(contacts("last_seen_at >= 7d"), 0);
    assert_eq!(contacts("last_seen_at > 24h"), 15);
    assert_eq!(contacts("last_seen_at > 2026-05-24T10:00"), 15);
    assert!(compiled("last_seen_at > 7d and created_at = 2026-05-24", Searchable::Contacts).is_ok());
}

#[test]
fn a_typo_gets_a_suggestion() {
    let error = |text: &str| compiled(text, Searchable::Conversations).unwrap_err().to_string();
    assert!(error("staet = open").contains("use state"), "{}", error("staet = open"));
    assert!(error("tem = x").contains("team"));
    let error = compiled("a = b", Searchable::Tickets).unwrap_err();
    assert_eq!(error.pointing("a = b").lines().nth(2), Some("  ^"));
}
