//! Filters in the language of `--where`.

use std::collections::BTreeSet;

use intercom::{Error, Filter};
use serde_json::Value;

use super::*;

fn conversations(client: &Client, filter: Filter) -> List<Value> {
    client.search(operation("searchConversations").unwrap(), filter)
}

async fn all(client: &Client) -> Vec<Value> {
    client.list(operation("listConversations").unwrap(), Arguments::default()).all().await.unwrap()
}

fn ids<'v>(records: impl IntoIterator<Item = &'v Value>) -> BTreeSet<String> {
    records.into_iter().map(|record| record["id"].to_string()).collect()
}

#[tokio::test]
async fn names_are_looked_up_and_only_matching_records_come() {
    let sandbox = workspace().await;
    let client = client(&sandbox);
    let teams: Vec<Value> =
        client.list(operation("listTeams").unwrap(), Arguments::default()).all().await.unwrap();
    let all = all(&client).await;
    let mut found_any = false;
    for team in &teams {
        let text = format!("team = {} and state != closed", team["name"]);
        let filter: Filter = text.parse().unwrap();
        sandbox.forget_requests();
        let found = conversations(&client, filter.clone()).per_page(7).all().await.unwrap();
        let lookups = sandbox.requests().iter().filter(|request| request.path == "/teams").count();
        assert_eq!(lookups, 1, "the names are looked up once");
        let is_match = |conversation: &&Value| {
            conversation["team_assignee_id"].as_i64() == team["id"].as_str().unwrap().parse().ok()
                && conversation["state"] != "closed"
        };
        assert_eq!(ids(&found), ids(all.iter().filter(is_match)), "{text}");
        found_any |= !found.is_empty();

        let mut page = conversations(&client, filter).per_page(7).page().await.unwrap();
        let mut by_page = BTreeSet::new();
        loop {
            assert_eq!(page.total_count(), None);
            by_page.extend(ids(&page));
            match page.next().await.unwrap() {
                Some(next) => page = next,
                None => break,
            }
        }
        assert_eq!(by_page, ids(&found));
    }
    assert!(found_any);
}

#[tokio::test]
async fn a_time_is_exact_whatever_the_server_compares() {
    let options =
        Options { quirks: vec![intercom::sandbox::Quirk::InclusiveComparison], ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let client = client(&sandbox);
    let all = all(&client).await;
    let bound = all[all.len() / 2]["updated_at"].as_i64().unwrap();
    let found = conversations(&client, Filter::parse(&format!("updated_at > {bound}")).unwrap());
    let later = all.iter().filter(|conversation| conversation["updated_at"].as_i64().unwrap() > bound);
    assert_eq!(ids(&found.all().await.unwrap()), ids(later));
}

#[tokio::test]
async fn mistakes_in_the_text_are_reported_with_their_position() {
    let sandbox = workspace().await;
    let client = client(&sandbox);
    let refusal = |result: Result<(), Error>| match result {
        Err(Error::InvalidRequest(message)) => message,
        other => panic!("{other:?}"),
    };
    let message = refusal(Filter::parse("state = ").map(drop));
    assert!(
        message.starts_with("invalid filter, column 9") && message.contains("\n          ^"),
        "{message}"
    );
    for (text, expected) in [("team = Nothing", "unknown team \"Nothing\""), ("colour = red", "colour")] {
        let list = conversations(&client, Filter::parse(text).unwrap());
        let message = refusal(list.all().await.map(drop));
        assert!(message.contains(expected), "{message}");
    }
    sandbox.forget_requests();
    let combined = Filter::parse("state = open").unwrap() & Filter::eq("read", true);
    let message = refusal(conversations(&client, combined).all().await.map(drop));
    assert!(message.contains("cannot be combined") && sandbox.requests().is_empty(), "{message}");
}
