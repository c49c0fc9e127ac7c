//! Nothing found is one sentence on stderr, never an empty screen: every list and report, on an empty workspace.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_or_report_is_one_sentence() {
    let none = Options {
        contacts: 0,
        companies: 0,
        conversations: 0,
        tickets: 0,
        articles: 0,
        ..Options::default()
    };
    let sandbox = Sandbox::start(none).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let synced = run(home.path(), &sandbox, &["sync", "--quiet"]);
    assert_eq!(code(&synced), 0, "{}", stderr(&synced));
    for line in [
        "analytics conversations --by state",
        "articles translations",
        "bulk runs",
        "contacts dupes",
        "contacts list --data-source local",
        "contacts search --where 'role = user'",
        "contacts search --where 'role = user' --all",
        "contacts search --where 'role = user' --data-source local",
        "conversations bulk-close --where 'state = open'",
        "conversations incident-tag --mentions x --tag y",
        "conversations list",
        "conversations stale --idle 1d",
        "conversations volume",
        "profile list",
        "search refund",
        "sql 'SELECT 1 WHERE 0'",
        "tail conversations --polls 1",
    ] {
        let mut words = shlex::split(line).unwrap();
        words.extend(["--format", "table"].map(str::to_owned));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = run(home.path(), &sandbox, &words);
        let notice = stderr(&output);
        assert_eq!((code(&output), stdout(&output).as_str()), (0, ""), "{line}: {notice}");
        let is_sentence = notice.starts_with("no") && notice.trim_end().contains(' ');
        assert!(is_sentence && notice.lines().count() == 1, "{line}: {notice:?}");
    }
}
