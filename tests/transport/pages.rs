//! Tests pagination of lists that end too early, never end, or are not lists.

use std::time::Duration;

use futures::StreamExt;
use intercom::api::Error;
use intercom::api::client::Client;
use intercom::api::operation::Method;
use intercom::api::paging::{Coverage, RawPage};
use intercom::api::request_builder::{Arguments, operation};

use super::{RecordedRequest, Server, json, settings};

/// Fetches all pages of a list. Returns the received ids, the coverage or error at the end, and the request
/// lines.
async fn fetch_all(
    id: &str,
    respond: impl Fn(usize, &RecordedRequest) -> Vec<u8> + Send + Sync + 'static,
) -> (Vec<String>, Result<Coverage, Error>, Vec<String>) {
    let server = Server::start(respond).await;
    let client = Client::new(settings(&server.url())).unwrap();
    let list = operation(id).unwrap();
    let body = (list.method == Method::Post).then(|| b"{}".to_vec());
    let mut pages = std::pin::pin!(client.pages(list, Arguments { body, ..Arguments::default() }, None));
    let mut ids = Vec::new();
    let result = loop {
        assert!(ids.len() < 5_000, "pagination does not end");
        let page: RawPage = match pages.next().await.unwrap() {
            Ok(page) => page,
            Err(error) => break Err(error),
        };
        for item in &page.items {
            ids.push(serde_json::from_str::<serde_json::Value>(item.get()).unwrap()["id"].to_string());
        }
        match page.end {
            Some(coverage) => break Ok(coverage),
            None => assert!(page.next.is_some()),
        }
    };
    (ids, result, server.received().into_iter().map(|request| request.line).collect())
}

fn page(ids: std::ops::Range<usize>, rest: &str) -> Vec<u8> {
    let items: Vec<String> = ids.map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    json("200 OK", "", format!(r#"{{"type":"list","data":[{}]{rest}}}"#, items.join(",")))
}

fn cursor(name: usize, total: usize) -> String {
    format!(r#","total_count":{total},"pages":{{"next":{{"page":2,"starting_after":"c{name}"}}}}"#)
}

#[tokio::test]
async fn records_received_twice_count_once() {
    let moving = |number: usize, _: &RecordedRequest| match number {
        0 => page(0..5, &cursor(1, 9)),
        _ => page(3..8, r#","total_count":9,"pages":{"next":null}"#),
    };
    let (ids, coverage, _) = fetch_all("ListContacts", moving).await;
    let coverage = coverage.unwrap();
    assert_eq!((ids.len(), coverage.distinct, coverage.total, coverage.complete), (10, 8, Some(9), false));
    assert_eq!(coverage.reason.as_deref(), Some("the list counts 9 records, but 8 were received"));
}

#[tokio::test]
async fn a_list_that_shrinks_or_grows_meanwhile_is_complete() {
    for (first, last, received) in [(10, 8, 8), (8, 9, 8), (10, 9, 9)] {
        let respond = move |number: usize, _: &RecordedRequest| match number {
            0 => page(0..5, &cursor(1, first)),
            _ => page(5..received, &format!(r#","total_count":{last},"pages":{{"next":null}}"#)),
        };
        let coverage = fetch_all("ListContacts", respond).await.1.unwrap();
        assert!(coverage.complete, "{first} {last} {received}: {coverage:?}");
    }
    // An empty page that counts only itself does not prove a deletion.
    let empty = |number: usize, _: &RecordedRequest| match number {
        0 => page(0..5, &cursor(1, 400)),
        _ => page(0..0, r#","total_count":0,"pages":{"next":null}"#),
    };
    assert!(!fetch_all("ListContacts", empty).await.1.unwrap().complete);
}

#[tokio::test]
async fn a_null_cursor_ends_the_list() {
    let null =
        r#","total_count":3,"pages":{"page":1,"total_pages":1,"next":{"page":2,"starting_after":null}}"#;
    for list in ["ListContacts", "SearchContacts", "listArticles"] {
        let (ids, coverage, requests) = fetch_all(list, |_, _| page(0..3, null)).await;
        assert_eq!((ids.len(), requests.len(), coverage.unwrap().complete), (3, 1, true), "{list}");
    }
    let conversations = format!(r#"{{"conversations":[{{"id":"1"}}]{}}}"#, null.replace(":3,", ":1,"));
    let (ids, coverage, _) =
        fetch_all("listConversations", move |_, _| json("200 OK", "", &conversations)).await;
    assert_eq!((ids.len(), coverage.unwrap().complete), (1, true));
}

#[tokio::test]
async fn a_list_that_repeats_ends_with_an_error() {
    let changing = |number: usize, _: &RecordedRequest| page(0..5, &cursor(number, 400));
    let (ids, coverage, requests) = fetch_all("ListContacts", changing).await;
    assert!(matches!(coverage, Err(Error::PagingLoop { .. })), "{coverage:?}");
    assert_eq!((ids.len(), requests.len()), (5, 2));
    // The same records on pages that differ.
    let changing_records = |number: usize, _: &RecordedRequest| {
        let body = format!(r#"{{"data":[{{"id":"1","seen":{number}}}]{}}}"#, cursor(number, 400));
        json("200 OK", "", body)
    };
    assert!(matches!(fetch_all("ListContacts", changing_records).await.1, Err(Error::PagingLoop { .. })));
    let scrolling = |_: usize, _: &RecordedRequest| page(0..100, r#","scroll_param":"s""#);
    let (ids, coverage, _) = fetch_all("scrollOverAllCompanies", scrolling).await;
    assert!(matches!(coverage, Err(Error::PagingLoop { .. })) && ids.len() == 100, "{coverage:?}");
}

/// Fetches a scroll with pages of these sizes and a 404 at the end, in a workspace with `counted` companies.
async fn scroll(pages: &'static [usize], token: &'static str, counted: usize) -> Result<Coverage, Error> {
    let respond = move |number: usize, request: &RecordedRequest| {
        if request.line.starts_with("POST") {
            return page(0..1, &format!(r#","total_count":{counted}"#));
        }
        let start: usize = pages.iter().take(number).sum();
        match pages.get(number) {
            Some(size) => page(start..start + size, token),
            None => json(
                "404 Not Found",
                "",
                r#"{"errors":[{"code":"not_found","message":"scroll parameter not found"}]}"#,
            ),
        }
    };
    fetch_all("scrollOverAllCompanies", respond).await.1
}

#[tokio::test]
async fn a_lost_scroll_is_not_taken_for_its_end() {
    let token = r#","scroll_param":"s""#;
    assert!(matches!(scroll(&[100], token, 250).await, Err(Error::LostScroll { came: 100, .. })));
    assert!(matches!(scroll(&[100, 40], token, 250).await, Err(Error::LostScroll { came: 140, .. })));
    assert!(scroll(&[100, 40], token, 120).await.unwrap().complete);
    assert!(scroll(&[100, 0], token, 90).await.unwrap().complete, "an empty page ends the scroll");
    for none in [r#","scroll_param":"""#, r#","scroll_param":null"#, ""] {
        assert!(scroll(&[3], none, 3).await.unwrap().complete, "{none}");
        assert!(matches!(scroll(&[100], none, 250).await, Err(Error::LostScroll { .. })), "{none}");
    }
}

#[tokio::test]
async fn a_list_without_page_parameters_is_paged_if_the_response_says_so() {
    let respond = |_: usize, request: &RecordedRequest| {
        if request.line.contains("page=2") {
            return json("200 OK", "", r#"{"segments":[{"id":"3"}],"pages":{"page":2,"total_pages":2}}"#);
        }
        json("200 OK", "", r#"{"segments":[{"id":"1"},{"id":"2"}],"pages":{"page":1,"total_pages":2}}"#)
    };
    let (ids, coverage, _) = fetch_all("listSegments", respond).await;
    assert_eq!((ids.len(), coverage.unwrap().complete), (3, true));
    let more = |_: usize, _: &RecordedRequest| json("200 OK", "", r#"{"data":[{"id":"1"}],"has_more":true}"#);
    assert!(!fetch_all("listTags", more).await.1.unwrap().complete);
    let fewer = |_: usize, _: &RecordedRequest| page(0..3, r#","total_count":5"#);
    assert!(!fetch_all("listTags", fewer).await.1.unwrap().complete);
}

#[tokio::test]
async fn only_the_described_array_is_taken_for_the_list() {
    let other =
        |_: usize, _: &RecordedRequest| json("200 OK", "", r#"{"type":"list","warnings":[{"id":"1"}]}"#);
    let (ids, coverage, _) = fetch_all("ListContacts", other).await;
    assert!(ids.is_empty() && !coverage.unwrap().complete);
}

#[tokio::test]
async fn an_error_list_with_a_success_status_is_an_error() {
    for body in [
        r#"{"type":"error.list","errors":[{"code":"server_error","message":"Later"}]}"#,
        r#"{"errors":[{"code":"server_error","message":"Later"}],"data":[]}"#,
        r#"{"type": "error.list"}"#,
    ] {
        let (_, coverage, requests) = fetch_all("ListContacts", move |_, _| json("200 OK", "", body)).await;
        let error = coverage.unwrap_err();
        assert_eq!(error.api_error().map(|error| error.status), Some(200), "{error}");
        assert!(!error.is_gone() && error.is_outcome_unknown());
        assert_eq!(requests.len(), 3, "it is retried");
    }
    let valid = |_: usize, _: &RecordedRequest| page(0..1, r#","errors":[],"note":"\"errors\"""#);
    assert!(fetch_all("ListContacts", valid).await.1.unwrap().complete);
}

#[tokio::test]
async fn the_page_size_is_reduced_if_pages_are_too_large() {
    let per_page = |line: &str| -> usize {
        let (_, rest) = line.split_once("per_page=").unwrap();
        rest.split('&').next().unwrap().parse().unwrap()
    };
    for refusal in [
        json(
            "400 Bad Request",
            "",
            r#"{"errors":[{"code":"parameter_invalid","message":"Per Page is too big"}]}"#,
        ),
        json("504 Gateway Timeout", "", "{}"),
    ] {
        // Two hundred articles; from the second page on, at most forty are returned at a time.
        let respond = move |_: usize, request: &RecordedRequest| {
            let size = per_page(&request.line);
            let number = request.line.split_once("?page=").or_else(|| request.line.split_once("&page="));
            let number: usize =
                number.map_or(1, |(_, rest)| rest.split('&').next().unwrap().parse().unwrap());
            if number > 1 && size > 40 {
                return refusal.clone();
            }
            let start = ((number - 1) * size).min(200);
            let total_pages = 200_usize.div_ceil(size);
            page(
                start..(start + size).min(200),
                &format!(r#","total_count":200,"pages":{{"page":{number},"total_pages":{total_pages}}}"#),
            )
        };
        let (_, coverage, requests) =
            tokio::time::timeout(Duration::from_secs(30), fetch_all("listArticles", respond)).await.unwrap();
        let coverage = coverage.unwrap();
        assert_eq!((coverage.distinct, coverage.complete), (200, true), "{requests:#?}");
    }
}
