//! Nothing that was not edited is written, anywhere.

use crate::help_center::{HelpCenter, LOCALES, statuses, steady};
use crate::support::stderr;

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_articles_in_four_languages() {
    let center = HelpCenter::new(300).await;
    let before = center.texts();
    let pulled = center.pull(&[]);
    assert_eq!(pulled.status.code(), Some(0), "{}", stderr(&pulled));
    let files = center.files();
    assert_eq!(files.keys().filter(|it| it.ends_with(".md")).count(), 1_200);

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
        let wanted = match is_edited && key.2 == "body" {
            true => before[&key].replacen(" word</p>", " EDITED</p>", 1),
            false => before[&key].clone(),
        };
        // The server rewrites what it is sent: headings get new ids, bare paragraphs a class.
        let wanted = steady(&wanted).replace("<p>", "<p class=\"no-margin\">");
        assert_eq!(steady(&text).replace("<p>", "<p class=\"no-margin\">"), wanted, "{key:?}");
    }

    center.sandbox.forget_requests();
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert_eq!(center.writes(), Vec::<String>::new());
    let last = center.pull(&[]);
    assert!(statuses(&last).iter().all(|(_, status)| status == "unchanged"), "{:?}", statuses(&last));
}
