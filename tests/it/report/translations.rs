//! `articles translations`.

use std::collections::BTreeMap;

use intercom::mirror::ResourceName;
use serde_json::{Value, json};

use super::{Golden, at, put};

#[test]
fn missing_and_outdated_translations_are_listed() {
    let golden = Golden::new();
    let mut store = golden.open();
    let words = |title: &str, updated_at: i64| json!({"title": title, "body": "<p>x</p>", "updated_at": updated_at, "state": "published"});
    let article = |id: &str, content: Value| json!({"id": id, "title": "A", "state": "published", "default_locale": "en", "updated_at": at(9), "translated_content": content});
    put(
        &mut store,
        ResourceName::Articles,
        &[
            article(
                "1",
                json!({"type": "x", "en": words("A", at(5)), "de": words("B", at(6)), "fr": words("C", at(4))}),
            ),
            article("2", Value::Null),
            article("3", json!("")),
            article("4", json!({"en": words("A", at(5)), "de": null, "fr": words("", at(9))})),
        ],
    );
    let found = golden.json(&["articles", "translations"]);
    let mut counts = BTreeMap::new();
    for row in found["results"].as_array().unwrap() {
        *counts.entry((row["locale"].as_str().unwrap(), row["status"].as_str().unwrap())).or_insert(0) += 1;
    }
    // German: missing for 2, 3 and 4. French: outdated for 1; 4 has a body but no title.
    let expected = [(("de", "missing"), 3), (("fr", "missing"), 2), (("fr", "outdated"), 1)];
    assert_eq!(counts, BTreeMap::from(expected));
    assert_eq!(
        found["meta"]["locales"][0],
        json!({"locale": "de", "articles": 4, "current": 1, "missing": 3, "outdated": 0, "draft": 0})
    );
    // All four exist in English.
    assert_eq!(
        found["meta"]["locales"][1],
        json!({"locale": "en", "articles": 4, "current": 4, "missing": 0, "outdated": 0, "draft": 0})
    );
    let only = golden.json(&["articles", "translations", "--locale", "es", "--status", "missing"]);
    assert_eq!(only["results"].as_array().unwrap().len(), 4);
}
