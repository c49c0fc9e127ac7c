//! Text that was not edited is never written, neither to the folder nor to the server.

use crate::articles::help_center::{HelpCenter, LOCALES, statuses, strip_volatile};
use crate::support::stderr;

#[tokio::test(flavor = "multi_thread")]
async fn only_edited_texts_change_among_three_hundred_articles() {
    let center = HelpCenter::new(300).await;
    let before = center.texts();
    let pulled = center.pull(&[]);
    assert_eq!(pulled.status.code(), Some(0), "{}", stderr(&pulled));
    let files = center.files();
    assert_eq!(files.keys().filter(|name| name.ends_with(".md")).count(), 1_200);

    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert_eq!(center.writes(), Vec::<String>::new());
    assert_eq!(center.texts(), before);

    let again = center.pull(&[]);
    assert!(statuses(&again).iter().all(|(_, status)| status == "unchanged"));
    assert_eq!(center.files(), files);

    let ids = center.ids();
    let edited: Vec<(String, &str)> =
        (0..20).map(|at| (ids[at * 14].clone(), LOCALES[at % LOCALES.len()])).collect();
    for (id, locale) in &edited {
        center.edit(&center.file(id, locale), " word\n", " EDITED\n");
    }
    assert_eq!(center.push(&["--dry-run"]).status.code(), Some(0));
    assert_eq!(center.push(&["--dry-run-only"]).status.code(), Some(0));
    assert_eq!(center.writes(), Vec::<String>::new());
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    let mut expected: Vec<String> = edited.iter().map(|(id, _)| format!("PUT /articles/{id}")).collect();
    let mut writes = center.writes();
    expected.sort();
    writes.sort();
    assert_eq!(writes, expected);
    for (key, text) in center.texts() {
        let is_edited = edited.iter().any(|(id, locale)| *id == key.0 && *locale == key.1);
        let expected = if is_edited && key.2 == "body" {
            before[&key].replacen(" word</p>", " EDITED</p>", 1)
        } else {
            before[&key].clone()
        };
        // The server rewrites bodies: headings get new ids, and paragraphs without a class get one.
        let expected = strip_volatile(&expected).replace("<p>", "<p class=\"no-margin\">");
        assert_eq!(strip_volatile(&text).replace("<p>", "<p class=\"no-margin\">"), expected, "{key:?}");
    }

    center.sandbox.forget_requests();
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert_eq!(center.writes(), Vec::<String>::new());
    let last = center.pull(&[]);
    assert!(statuses(&last).iter().all(|(_, status)| status == "unchanged"), "{:?}", statuses(&last));
}
