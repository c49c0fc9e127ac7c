//! Following a list page by page, with the cursor of the previous page.

use std::collections::BTreeSet;

use intercom::sandbox::model::conversation::ConversationState;
use serde_json::Value;

use crate::commands::{Mirrored, code};
use crate::support::{document, stderr, stdout};

/// The ids of one page, and the flag for the next page.
type Page = (Vec<String>, Option<String>);

fn next(meta: &Value) -> Option<String> {
    let text = |name: &str| meta[name].as_str().map(str::to_owned);
    let next = text("next_flag").map(|flag| format!("{flag}={}", text("next_cursor").unwrap()));
    assert_eq!(meta["has_more"], next.is_some(), "{meta}");
    next
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// Fetches one page in one of the output formats.
fn page(mirrored: &Mirrored, form: &str, key: &str, words: &[&str]) -> Page {
    let program = format!("{{meta, ids: [.results.{key}[].id]}}");
    let flags = match form {
        "--select" => vec!["--json", "--select", "id"],
        "--jq" => vec!["--jq", &program],
        form => vec![form],
    };
    let output = mirrored.run(&[words, &flags].concat());
    assert_eq!(code(&output), 0, "{words:?} {form}: {}", stderr(&output));
    let answer = document(&output);
    match form {
        "--jq" => (ids_of_texts(&answer["ids"]), next(&answer["meta"])),
        _ => (ids(&answer["results"][key]), next(&answer["meta"])),
    }
}

fn ids_of_texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn following_the_cursors_returns_every_record_once() {
    let mirrored = Mirrored::new().await;
    let (contacts, articles, open) = mirrored.sandbox.with_workspace(|workspace| {
        let contacts: BTreeSet<String> =
            workspace.contacts.iter().map(|contact| contact.id.clone()).collect();
        let articles: BTreeSet<String> =
            workspace.articles.iter().map(|article| article.id.to_string()).collect();
        let open = workspace
            .conversations
            .iter()
            .filter(|conversation| conversation.state == ConversationState::Open);
        (contacts, articles, open.map(|conversation| conversation.id.clone()).collect::<BTreeSet<_>>())
    });
    let open_ones = r#"{"field":"state","operator":"=","value":"open"}"#;
    let lists: [(&[&str], &str, &BTreeSet<String>, usize); 4] = [
        (&["contacts", "list"], "data", &contacts, 7),
        (&["articles", "list"], "data", &articles, 4),
        (&["conversations", "search", "--query", open_ones], "conversations", &open, 5),
        (&["conversations", "search", "--where", "state = open"], "conversations", &open, 5),
    ];
    for (words, key, all, size) in lists {
        assert!(all.len() > 2 * size, "{words:?}: too few records for a walk: {}", all.len());
        let size_flag = format!("--per-page={size}");
        for form in ["--json", "--compact", "--agent", "--select", "--jq"] {
            let mut found: Vec<String> = Vec::new();
            let (mut pages, mut more) = (0, None);
            loop {
                let flags: Vec<&str> = [size_flag.as_str()].into_iter().chain(more.as_deref()).collect();
                let (ids, next) = page(&mirrored, form, key, &[words, &flags].concat());
                assert!(!ids.is_empty() && ids.len() <= size, "{words:?} {form}: {} on a page", ids.len());
                found.extend(ids);
                pages += 1;
                more = next;
                if more.is_none() || pages > all.len() {
                    break;
                }
            }
            let distinct: BTreeSet<String> = found.iter().cloned().collect();
            assert_eq!(distinct.len(), found.len(), "{words:?} {form}: a record came twice");
            assert_eq!(&distinct, all, "{words:?} {form}");
            assert_eq!(pages, all.len().div_ceil(size), "{words:?} {form}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_filtered_search_reports_further_pages() {
    let mirrored = Mirrored::new().await;
    let words = ["conversations", "search", "--where", "state = open", "--per-page", "5"];
    let meta = document(&mirrored.run(&[&words[..], &["--json"]].concat()))["meta"].take();
    assert_eq!(meta["has_more"], true, "{meta}");
    let total = meta["total_count"].as_u64().unwrap();
    let csv = mirrored.run(&[&words[..], &["--csv", "--select", "id"]].concat());
    assert_eq!(stdout(&csv).lines().count(), 6);
    assert_eq!(stderr(&csv), format!("showing 5 of {total}; --all or --limit N for more\n"));
}
