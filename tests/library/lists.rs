//! Lists, pages, streams and searches.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};
use intercom::api::paging::Next;
use intercom::{Error, Filter, Order, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::*;

fn search<T>(client: &Client, id: &str, filter: &Filter) -> List<T> {
    client.search(operation(id).unwrap(), filter.clone())
}

fn pages_requested(sandbox: &Sandbox) -> usize {
    let count = sandbox.requests().len();
    sandbox.forget_requests();
    count
}

#[tokio::test]
async fn a_stream_requests_a_page_when_it_is_needed() {
    let sandbox = workspace().await;
    let client = client(&sandbox);
    let mut stream = contacts(&client).per_page(20).stream();
    assert_eq!(pages_requested(&sandbox), 0);
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        ids.insert(stream.next().await.unwrap().unwrap().id);
    }
    assert_eq!(pages_requested(&sandbox), 1);
    while let Some(contact) = stream.try_next().await.unwrap() {
        ids.insert(contact.id);
    }
    assert_eq!((ids.len(), pages_requested(&sandbox)), (57, 2));
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_limit_requests_no_more_than_it_needs() {
    let sandbox = workspace().await;
    let client = client(&sandbox);
    for (limit, per_page, pages) in
        [(0, 20, 0), (5, 20, 1), (40, 20, 2), (41, 20, 3), (57, 20, 3), (900, 150, 1)]
    {
        let found = contacts(&client).per_page(per_page).limit(limit).all().await.unwrap();
        assert_eq!((found.len(), pages_requested(&sandbox)), (limit.min(57), pages), "{limit}");
        let mut walk = contacts(&client).per_page(per_page).limit(limit).pages();
        let mut count = 0;
        while let Some(page) = walk.try_next().await.unwrap() {
            count += page.len();
        }
        assert_eq!((count, pages_requested(&sandbox)), (limit.min(57), pages), "{limit}");
    }
    assert!(contacts(&client).first().await.unwrap().is_some());
    assert!(sandbox.requests()[0].query.contains("per_page=1"), "{:?}", sandbox.requests());
}

#[tokio::test]
async fn a_page_is_a_slice_that_leads_to_the_next_one() {
    let sandbox = workspace().await;
    let client = client(&sandbox);
    let first = contacts(&client).per_page(50).page().await.unwrap();
    assert_eq!((first.len(), first.total_count(), first.has_next()), (50, Some(57), true));
    assert!(first.request_id().is_some());
    let raw: Value = serde_json::from_slice(first.raw()).unwrap();
    assert_eq!(raw["data"].as_array().unwrap().len(), first.len());

    let second = first.next().await.unwrap().unwrap();
    assert_eq!((second.len(), second.has_next()), (7, false));
    assert!(second.next().await.unwrap().is_none());
    let ids: BTreeSet<_> = (&first).into_iter().chain(&second).map(|contact| contact.id.clone()).collect();
    assert_eq!(ids.len(), 57);

    // A position survives a restart of the program.
    let stored = serde_json::to_string(first.next_position().unwrap()).unwrap();
    let position: Next = serde_json::from_str(&stored).unwrap();
    let rest = contacts(&client).start_at(position).all().await.unwrap();
    assert_eq!(rest.len(), 7);
    assert_eq!(rest[0].id, second.into_items()[0].id);
}

#[tokio::test]
async fn every_kind_of_list_can_be_walked_page_by_page() {
    let sandbox = workspace().await;
    let client = client(&sandbox);
    for (id, count) in [
        ("ListContacts", 57),
        ("listConversations", 34),
        // Companies without people are missing from the list, but not from the scroll.
        ("listAllCompanies", 19),
        ("scrollOverAllCompanies", 23),
        ("listArticles", 40),
        ("listTeams", 4),
        ("listAdmins", 8),
    ] {
        let list = || client.list::<Value>(operation(id).unwrap(), Arguments::default()).per_page(10);
        let mut page = list().page().await.unwrap();
        let mut ids = BTreeSet::new();
        loop {
            ids.extend(page.iter().map(|record| record["id"].to_string()));
            match page.next().await.unwrap() {
                Some(next) => page = next,
                None => break,
            }
        }
        let by_stream: Vec<Value> = list().stream().try_collect().await.unwrap();
        assert_eq!(ids, by_stream.iter().map(|record| record["id"].to_string()).collect(), "{id}");
        assert_eq!(ids.len(), count, "{id}");
    }
}

#[tokio::test]
async fn searches_filter_and_sort() {
    let sandbox = workspace().await;
    let client = client(&sandbox);
    let everything = Filter::gt("created_at", Timestamp::UNIX_EPOCH);
    let all: Vec<Value> = search(&client, "searchConversations", &everything).all().await.unwrap();
    assert_eq!(all.len(), 34);
    let open = all.iter().filter(|conversation| conversation["state"] == "open").count();
    let filter = everything & (Filter::eq("state", "open") | Filter::eq("state", "nothing"));
    let times: Vec<i64> = search::<Value>(&client, "searchConversations", &filter)
        .sort("updated_at", Order::Ascending)
        .per_page(5)
        .stream()
        .map(|conversation| conversation.unwrap()["updated_at"].as_i64().unwrap())
        .collect()
        .await;
    assert!(open > 5 && times.len() == open && times.is_sorted(), "{open} {times:?}");
}

#[tokio::test]
async fn a_record_can_be_read_as_another_type() {
    #[derive(Deserialize)]
    struct Address {
        email: String,
    }
    let sandbox = workspace().await;
    let client = client(&sandbox);
    let filter = Filter::contains("email", "@");
    let found: Vec<Address> =
        search::<Value>(&client, "SearchContacts", &filter).read_as().all().await.unwrap();
    assert!(!found.is_empty() && found.iter().all(|address| address.email.contains('@')));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_an_error() {
    #[derive(Debug, Deserialize)]
    struct Impossible {
        #[serde(rename = "no_such_field")]
        _field: String,
    }
    let sandbox = workspace().await;
    let client = client(&sandbox);
    let list = || contacts(&client).read_as::<Impossible>();
    assert!(matches!(list().all().await, Err(Error::UnexpectedResponse(_))));
    assert!(matches!(list().page().await, Err(Error::UnexpectedResponse(_))));
    let results: Vec<_> = list().stream().collect().await;
    assert!(results.len() == 57 && results.iter().all(Result::is_err));
}

#[tokio::test]
async fn a_list_that_ends_early_is_an_error_unless_it_is_allowed() {
    let server = super::settings::answer(
        r#"{"type":"list","data":[{"id":"1"}],"total_count":3,"pages":{"next":null}}"#,
    )
    .await;
    let client = Client::builder().base_url(server).unwrap().token(Token::new("t").unwrap()).build().unwrap();
    let error = contacts(&client).all().await.unwrap_err();
    assert!(
        matches!(&error, Error::IncompleteList { received: 1, total: Some(3), .. })
            && error.status().is_none(),
        "{error:?}"
    );
    let mut pages = contacts(&client).pages();
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 1);
    assert!(matches!(pages.next().await, Some(Err(Error::IncompleteList { .. }))));
    assert_eq!(contacts(&client).allow_incomplete().all().await.unwrap().len(), 1);
    assert!(contacts(&client).first().await.unwrap().is_some());
}

#[tokio::test]
async fn misuse_is_reported_before_anything_is_sent() {
    let sandbox = workspace().await;
    let client = client(&sandbox);
    let by_number = || client.list::<Value>(operation("listArticles").unwrap(), Arguments::default());
    for (result, reason) in [
        (contacts(&client).sort("name", Order::Ascending).all().await.map(drop), "cannot be sorted"),
        (contacts(&client).from_page(2).page().await.map(drop), "use starting_after"),
        (by_number().starting_after("x").first().await.map(drop), "use from_page"),
    ] {
        match result {
            Err(Error::InvalidRequest(message)) => assert!(message.contains(reason), "{message}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(sandbox.requests().is_empty());
    assert_eq!(by_number().per_page(30).from_page(2).page().await.unwrap().len(), 10);
}
