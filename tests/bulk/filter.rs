//! The filter language: what it prints, and that a filter selects the same records everywhere.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use intercom::filter::{
    Column, Directory, Expression, Literal, Operator, Searched, Test, compile, parse, round_trip,
};
use intercom::mirror::read::Choice;
use intercom::mirror::{ResourceName, Store, SyncOptions, predicate, sync};
use intercom::sandbox::{Options, Sandbox, TOKEN};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::support::{self, stderr};
use super::{NOW, Scene};

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
        .prop_filter("a keyword is quoted", |word| !["and", "or", "not", "in"].contains(&word.as_str()));
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
        (any::<bool>(), proptest::collection::vec(inner, 1..5)).prop_map(|(all, members)| match all {
            true => Expression::all(members),
            false => Expression::any(members),
        })
    })
}

proptest! {
    #[test]
    fn a_filter_prints_as_what_parses_into_it(filter in any_filter()) {
        let printed = filter.to_string();
        let parsed = parse(&printed);
        prop_assert_eq!(parsed.as_ref(), Ok(&filter), "{}", printed);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".*", tokens in proptest::collection::vec(select(vec![
        "(", ")", ",", "and", "or", "not", "in", "=", "!", "!=", "~", "\"", "'", "\\", "state", "open", "7d", " ",
    ]), 0..30)) {
        drop(round_trip(&text));
        drop(round_trip(&tokens.join(" ")));
        drop(round_trip(&tokens.concat()));
    }
}

#[test]
fn the_column_of_what_is_wrong_is_told() {
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

/// A workspace, and a mirror of it.
struct Both {
    _sandbox: Sandbox,
    client: intercom::Client,
    store: std::sync::Mutex<Store>,
    runtime: tokio::runtime::Runtime,
    directory: Directory,
    _folder: tempfile::TempDir,
}

static BOTH: LazyLock<Both> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("mirror.db")).unwrap();
    let options = Options {
        now: NOW,
        conversations: 60,
        contacts: 60,
        companies: 8,
        tickets: 30,
        rate_limit: u32::MAX,
        ..Options::default()
    };
    let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
    let settings = intercom::Settings::new(
        sandbox.base_url().parse().unwrap(),
        Some(intercom::Token::new(TOKEN).unwrap()),
    );
    let client = intercom::Client::new(settings).unwrap();
    let summary = runtime.block_on(sync(
        &client,
        &mut store,
        &SyncOptions::default(),
        &mut |_: &intercom::mirror::Event| {},
    ));
    assert!(summary.unwrap().resources.iter().all(|it| it.complete || it.skipped));
    let directory = sandbox.with_workspace(|workspace| Directory {
        tags: workspace.tags.iter().map(|it| (it.id.clone(), it.name.clone())).collect(),
        teams: workspace.teams.iter().map(|it| (it.id.to_string(), it.name.clone())).collect(),
        admins: workspace.admins.iter().map(|it| (it.id.to_string(), it.name.clone())).collect(),
        emails: Vec::new(),
    });
    Both {
        _sandbox: sandbox,
        client,
        store: std::sync::Mutex::new(store),
        runtime,
        directory,
        _folder: folder,
    }
});

impl Both {
    /// What the search of the API finds.
    fn searched(&self, searched: Searched, predicate: &Value) -> BTreeSet<String> {
        let body = json!({ "query": predicate, "pagination": { "per_page": 150 } });
        let operation = intercom::api::executor::operation(searched.operation()).unwrap();
        let body = Some(body.to_string().into_bytes());
        let arguments = intercom::api::executor::Arguments { body, ..Default::default() };
        let reply = self.runtime.block_on(self.client.execute(operation, &arguments));
        let reply = reply.unwrap_or_else(|error| panic!("{predicate}: {error}"));
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        let key = if searched == Searched::Contacts { "data" } else { searched.as_str() };
        answer[key].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    }

    /// What the mirror finds.
    fn mirrored(&self, searched: Searched, predicate: &Value) -> Result<BTreeSet<String>, String> {
        let store = self.store.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let resource: ResourceName = searched.as_str().parse().unwrap();
        let zone = store.workspace().unwrap().unwrap().timezone.unwrap();
        let zone = TimeZone::get(&zone).unwrap();
        let choice = predicate::narrow(resource, &json!({ "query": predicate }), &zone, Choice::default())
            .unwrap_or_else(|error| panic!("{predicate}: {error}"));
        let mut found = BTreeSet::new();
        store
            .documents(resource, &choice, |raw| {
                let document: Value = serde_json::from_str(raw).unwrap();
                found.insert(document["id"].as_str().unwrap().to_owned());
                Ok::<_, intercom::mirror::Error>(())
            })
            .unwrap();
        Ok(found)
    }
}

/// Tests that select some records and not others, with the values that there are.
fn tests_of(searched: Searched) -> Vec<String> {
    let days = ["2026-09-20", "2026-09-10", "2026-08-30", "2020-01-01"];
    let moments = [NOW - 3_600, NOW - 86_400, NOW - 10 * 86_400].map(|it| it.to_string());
    let mut tests = Vec::new();
    let mut add = |fields: &[&str], operators: &[&str], values: &[&str]| {
        for field in fields {
            for operator in operators {
                tests.extend(values.iter().map(|value| format!("{field} {operator} {value}")));
            }
        }
    };
    let text = ["=", "!=", "~", "!~", "^", "$"];
    let moments: Vec<&str> = moments.iter().map(String::as_str).collect();
    match searched {
        Searched::Conversations => {
            add(&["state"], &text, &["open", "closed", "OPEN", "e"]);
            add(&["source.author.name", "source.subject", "source.author.email"], &text, &["an", "r"]);
            add(&["body"], &["~", "!~"], &["the", "refund", "\"I need\""]);
            add(&["source.subject", "source.url"], &["=", "!="], &["\"\"", "null"]);
            add(&["team", "assignee"], &["=", "!="], &["null"]);
            add(&["team"], &["=", "!="], &["Support", "Billing"]);
            add(&["team"], &["in", "not in"], &["(Support, Billing)"]);
            add(&["tags"], &["=", "!=", "~", "!~"], &["refund"]);
            add(&["tags"], &["~", "!~"], &["e", "nothing"]);
            add(&["open", "read", "ai_agent_participated"], &["=", "!="], &["true", "false"]);
            add(
                &["created_at", "updated_at", "waiting_since", "statistics.first_close_at"],
                &["=", "!=", ">", ">=", "<", "<="],
                &moments,
            );
            add(&["waiting_since", "snoozed_until"], &["=", "!="], &["null"]);
            add(
                &["statistics.count_reopens", "statistics.count_conversation_parts"],
                &["=", "!=", ">", ">=", "<", "<="],
                &["0", "1", "5"],
            );
            add(&["statistics.count_reopens"], &["in", "not in"], &["(0, 2)"]);
            add(&["priority", "source.type"], &["in", "not in"], &["(priority, email)"]);
            add(&["conversation_rating.score"], &["=", "!=", ">", "<"], &["3", "5"]);
        }
        Searched::Contacts => {
            add(&["role", "name", "email", "country", "phone"], &text, &["user", "a", "Germany"]);
            add(&["name", "phone"], &["=", "!="], &["null"]);
            add(&["created_at", "last_seen_at", "signed_up_at"], &["=", ">", "<"], &days);
            add(&["owner"], &["=", "!="], &["null"]);
            add(&["unsubscribed_from_emails", "has_hard_bounced"], &["=", "!="], &["true", "false"]);
            add(&["tags"], &["=", "!=", "~", "!~"], &["vip"]);
            add(&["tags"], &["~", "!~"], &["e"]);
            add(&["custom_attributes.plan", "custom_attributes.seats"], &["=", "!="], &["pro", "5", "null"]);
            add(&["role"], &["in", "not in"], &["(user, lead)", "(lead)"]);
        }
        Searched::Tickets => {
            add(&["title", "state", "category"], &text, &["a", "in_progress", "Customer"]);
            add(&["open"], &["=", "!="], &["true", "false"]);
            add(&["team", "assignee"], &["=", "!="], &["null"]);
            add(&["created_at", "updated_at"], &["=", "!=", ">", ">=", "<", "<="], &moments);
        }
    }
    tests
}

/// How many records a filter selects, or how the two answers differ.
fn compared(searched: Searched, text: &str) -> Result<usize, String> {
    let both = &*BOTH;
    let moment = |text: &str| {
        let date = text.parse::<jiff::civil::Date>().ok().and_then(|it| it.to_zoned(TimeZone::UTC).ok());
        date.map(|it| it.timestamp().as_second()).or_else(|| text.parse().ok()).ok_or_else(|| text.to_owned())
    };
    let predicate = compile(&parse(text).unwrap(), searched, &both.directory, &moment)
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let (live, local) = (both.searched(searched, &predicate), both.mirrored(searched, &predicate)?);
    match live == local {
        true => Ok(live.len()),
        false => Err(format!(
            "{searched} where {text}, as {predicate}: {} in the workspace, {} in the mirror",
            live.len(),
            local.len()
        )),
    }
}

#[test]
fn every_kind_of_test_selects_the_same_in_the_workspace_and_in_the_mirror() {
    for searched in Searched::ALL {
        let tests = tests_of(searched);
        let compared: Vec<_> = tests.iter().map(|test| compared(searched, test)).collect();
        let different: Vec<_> = compared.iter().filter_map(|it| it.as_ref().err()).collect();
        assert!(different.is_empty(), "{different:#?}");
        let selected: Vec<usize> = compared.into_iter().flatten().collect();
        assert!(
            selected.iter().filter(|it| **it > 0).count() > tests.len() / 3,
            "{searched}: most select nothing"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn random_groups_select_the_same_in_the_workspace_and_in_the_mirror(
        searched in select(Searched::ALL.to_vec()),
        places in proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 1..4), 1..4),
        outer in any::<bool>(),
    ) {
        let tests = tests_of(searched);
        let (inside, outside) = if outer { (" or ", " and ") } else { (" and ", " or ") };
        let groups: Vec<String> = places
            .iter()
            .map(|group| {
                let members: Vec<&str> = group.iter().map(|place| place.get(&tests).as_str()).collect();
                format!("({})", members.join(inside))
            })
            .collect();
        let text = groups.join(outside);
        // Tags by a part of their name are a group of their own, which may be one too deep.
        prop_assume!(!text.contains("tags ~") && !text.contains("tags !~"));
        prop_assert!(compared(searched, &text).is_ok(), "{:?}", compared(searched, &text));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_take_a_filter() {
    let scene = Scene::new(40).await;
    let results = scene.results(
        &["conversations", "search", "--where", "state = open and team != null", "--all", "--json"],
        0,
    );
    let found = results["conversations"].as_array().unwrap();
    assert!(
        !found.is_empty()
            && found.iter().all(|it| it["state"] == "open" && !it["team_assignee_id"].is_null())
    );
    let output = scene.run(&["contacts", "search", "--where", "created_at >= 24h", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(scene.run(&["sync", "--resources", "conversations,teams,tags,admins"]).status.success());
    let words = [
        "conversations",
        "search",
        "--where",
        "state = open and team != null",
        "--data-source",
        "local",
        "--json",
    ];
    assert_eq!(scene.results(&words, 0)["conversations"].as_array().unwrap().len(), found.len());
    let dry = support::document(&scene.run(&["contacts", "search", "--where", "role = lead", "--dry-run"]));
    assert_eq!(dry["body"]["query"], json!({ "field": "role", "operator": "=", "value": "lead" }));
    let both = ["contacts", "search", "--where", "role = lead", "--query", "{}"];
    assert_eq!(scene.run(&both).status.code(), Some(2));

    let explained = scene.results(
        &["filter", "explain", "state = open and (read = true or priority = priority)", "--json"],
        0,
    );
    let sql = explained["sql"].as_str().unwrap();
    let rows = scene.results(&["sql", sql, "--json"], 0);
    let found = scene.results(
        &["conversations", "search", "--query", &explained["predicate"].to_string(), "--all", "--json"],
        0,
    );
    assert_eq!(rows["rows"].as_array().unwrap().len(), found["conversations"].as_array().unwrap().len());
}
