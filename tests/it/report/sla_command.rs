//! `conversations sla`: its config, table, HTML page and explanation.

use serde_json::json;

use super::Golden;
use crate::support::{document, stderr, stdout};

#[test]
fn business_hours_come_from_the_config_file() {
    let golden = Golden::new();
    let config = golden.folder.path().join("config.toml");
    let write = |text: &str| std::fs::write(&config, text).unwrap();
    let ask = || {
        golden.ask(&[
            "conversations",
            "sla",
            "--group-by",
            "none",
            "--hours",
            "office",
            "--since",
            "2026-05-15",
            "--until",
            "2026-05-16",
            "--min-samples",
            "1",
            "--json",
            "--config",
            config.to_str().unwrap(),
        ])
    };
    write(
        "[office_hours]\ntimezone = \"Europe/Berlin\"\nhours = \"09:00-17:00\"\nholidays = [\"2026-05-18\"]\n",
    );
    let found = document(&ask());
    // 205: half an hour on Friday; Monday is a holiday.
    assert_eq!(found["results"][0]["first_response_p50_minutes"], 30.0);
    assert_eq!(
        (&found["meta"]["hours"], &found["meta"]["timezone"]),
        (&json!("office"), &json!("Europe/Berlin"))
    );
    for (text, expected) in [
        ("[office_hours]\nhours = \"9 to 5\"\n", "09:00-17:30"),
        ("[office_hours]\ntimezone = \"Mars/Base\"\nhours = \"09:00-17:00\"\n", "Mars/Base"),
        ("[office_hours]\nhour = \"09:00-17:00\"\n", "line 2"),
    ] {
        write(text);
        let output = ask();
        assert_eq!(output.status.code(), Some(10), "{text}");
        assert!(stderr(&output).contains(expected), "{text}");
    }
}

#[test]
fn a_conversation_is_explained_step_by_step() {
    let golden = Golden::new();
    let found = golden.json(&["conversations", "sla", "--explain", "102"]);
    let steps = found["results"]["steps"].as_array().unwrap();
    assert_eq!(steps[0]["counted_as"], json!(["opening message", "first contact message"]));
    assert_eq!(steps[3]["counted_as"], json!(["no response: not written by a person"]));
    assert_eq!(steps[4]["counted_as"], json!(["first response"]));
    assert_eq!(found["results"]["samples"]["first_response_seconds"], json!([2700]));
    assert_eq!(golden.fails(&["conversations", "sla", "--explain", "nope"]).0, 3);
    let text = stdout(&golden.ask(&["conversations", "sla", "--explain", "102", "--human-friendly"]));
    assert!(text.contains("first response") && text.contains("45 min"), "{text}");
}

#[test]
fn the_table_fits_the_terminal() {
    let golden = Golden::new();
    let all = [
        "--metric",
        "first-response,next-response,resolution",
        "--target",
        "first-response=1h,resolution=24h",
    ];
    for more in [&[][..], &["--group-by", "admin"], &["--target", "resolution=24h"], &all] {
        for (columns, most) in [("80", 80), ("100", 100), ("130", 130)] {
            let shown = golden.shown(columns, &[&["conversations", "sla"], more].concat());
            let (_, table) = shown.split_once("\n\n").unwrap();
            let widest = table.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= most, "{columns} {more:?}: {shown}");
            for expected in ["(all)", "median", "p90"] {
                assert!(table.contains(expected), "{columns} {more:?}: {shown}");
            }
        }
    }
    let narrow = golden.shown("80", &[&["conversations", "sla"][..], &all].concat());
    assert_eq!(narrow.matches("in time").count(), 2, "every figure is there: {narrow}");
    assert!(!narrow.contains('█'), "bars give way first: {narrow}");
}

#[test]
fn durations_are_in_words_and_the_legend_fits_the_table() {
    let golden = Golden::new();
    let wide = golden.shown("160", &["conversations", "sla", "--min-samples", "2"]);
    for expected in ["█ median  ▒ 90th percentile  – fewer than 2 conversations", " min ", " h "] {
        assert!(wide.contains(expected), "{expected}: {wide}");
    }
    assert!(wide.contains(" not counted: the customer never wrote\n"), "{wide}");
    let narrow = golden.shown("80", &["conversations", "sla"]);
    assert!(narrow.contains("\np90: 90th percentile  – fewer than 5 conversations\n"), "{narrow}");
    let period =
        golden.shown("80", &["conversations", "sla", "--since", "2026-05-01", "--until", "2026-06-01"]);
    assert!(period.starts_with("Conversations started from 2026-05-01 through 2026-05-31 (UTC)"), "{period}");
    assert!(period.lines().all(|line| line.chars().count() <= 80), "{period}");
}

#[test]
fn the_page_speaks_to_readers() {
    let golden = Golden::new();
    let path = golden.folder.path().join("report.html");
    let words = ["conversations", "sla", "--html", path.to_str().unwrap(), "--target", "first-response=1m"];
    golden.json(&[&words[..], &["--min-samples", "1"]].concat());
    let page = std::fs::read_to_string(&path).unwrap();
    for expected in ["Slowest teams (90th percentile)", "over target", "Distribution of first response times"]
    {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let (_, slowest) = page.split_once("Slowest teams").unwrap();
    let (slowest, _) = slowest.split_once("</svg>").unwrap();
    assert!(slowest.contains("Support") && !slowest.contains("Unassigned"), "{slowest}");
    let (_, definitions) = page.split_once("<h2>Definitions</h2>").unwrap();
    assert!(!definitions.contains("--"), "no flags: {definitions}");
    golden.json(&[&words[..4], &["--since", "2020-01-01", "--until", "2020-02-01"]].concat());
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.contains("No conversations in this period.") && !page.contains("<svg"), "{page}");
}

#[test]
fn the_table_has_bars_and_the_html_report_no_external_resources() {
    let golden = Golden::new();
    let table =
        stdout(&golden.ask(&["conversations", "sla", "--human-friendly", "--target", "resolution=24h"]));
    for expected in ["Support", "█", "(all)", "in time", "calendar hours"] {
        assert!(table.contains(expected), "{expected}: {table}");
    }
    let path = golden.folder.path().join("report.html");
    golden.json(&[
        "conversations",
        "sla",
        "--html",
        path.to_str().unwrap(),
        "--target",
        "first-response=1h",
        "--min-samples",
        "1",
    ]);
    let missing = golden.folder.path().join("missing/report.html");
    let (code, message) = golden.fails(&["conversations", "sla", "--html", missing.to_str().unwrap()]);
    assert!(code == 2 && message.contains("not found"), "{code}: {message}");
    assert!(!missing.parent().unwrap().exists());
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.contains("&lt;script&gt;"), "team names are escaped");
    for forbidden in ["<script", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for expected in ["2026-W20", "prefers-color-scheme", "@media print", "<svg", "nearest rank", "<table"] {
        assert!(page.contains(expected), "{expected}");
    }
}
