//! The printed HTML report: paper cannot be scrolled, so every column must fit.

use std::path::Path;
use std::process::Command;

use crate::commands::{Mirrored, code};
use crate::support::stderr;

async fn page(more: &[&str]) -> (Mirrored, String) {
    let mirrored = Mirrored::new().await;
    let output = mirrored.run(&[&["conversations", "sla", "--html", "report.html"], more].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let page = std::fs::read_to_string(mirrored.path("report.html")).unwrap();
    (mirrored, page)
}

/// The block in braces that follows a selector.
fn block<'p>(style: &'p str, name: &str) -> &'p str {
    let from = style.find(name).unwrap_or_else(|| panic!("no {name} in {style}"));
    let from = from + style[from..].find('{').unwrap() + 1;
    let mut depth = 1;
    let length = style[from..].find(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        depth == 0
    });
    &style[from..from + length.unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn print_styles_keep_everything_on_the_page() {
    let (_mirrored, page) = page(&[]).await;
    assert!(block(&page, "@page").contains("size:landscape"));
    let print = block(&page, "@media print");
    for rule in ["max-width:none", "overflow:visible", "display:table-header-group", "min-width:0"] {
        assert!(print.contains(rule), "{rule} in {print}");
    }
    let widths: Vec<&str> =
        print.match_indices("min-width:").map(|(at, text)| &print[at + text.len()..]).collect();
    assert!(widths.iter().all(|rest| rest.starts_with("0}") || rest.starts_with("0;")), "{print}");
    // Every minimum width on the screen is reset for print by the same selector.
    let screen = &page[..page.find("@media print").unwrap()];
    for (at, _) in screen.match_indices("{min-width:") {
        let selector = screen[..at].rsplit(['}', '\n']).next().unwrap();
        assert!(print.contains(&format!("{selector}{{min-width:0")), "{selector} in {print}");
    }
}

#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn is_missing(program: &str) -> bool {
    let missing = Command::new(program).arg("--version").output().is_err();
    if missing {
        eprintln!("skipped: {program} is not installed");
    }
    missing
}

/// The text of the printed page.
fn printed(folder: &Path) -> String {
    let mut browser = Command::new("chromium");
    browser.env("HOME", folder).current_dir(folder);
    browser.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-pdf-header-footer",
        "--print-to-pdf=report.pdf",
    ]);
    browser.arg(format!("--user-data-dir={}", folder.join("browser").display()));
    let output = browser.arg(format!("file://{}", folder.join("report.html").display())).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let output =
        Command::new("pdftotext").args(["-layout", "report.pdf", "-"]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The text without white space, which `pdftotext` drops between short words.
fn letters(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The text of each table row.
fn rows(page: &str) -> Vec<String> {
    let rows = page.split("<tr>").skip(1).filter_map(|row| row.split_once("</tr>"));
    let rows = rows.filter(|(row, _)| row.contains("<td>"));
    rows.map(|(row, _)| {
        let cells = row.split("<td>").skip(1).filter_map(|cell| cell.split_once("</td>"));
        letters(&cells.map(|(cell, _)| cell).collect::<String>())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printed_page_shows_every_column() {
    if is_missing("chromium") || is_missing("pdftotext") {
        return;
    }
    for more in [
        &[][..],
        &["--target", "first-response=1h,resolution=24h", "--group-by", "admin"],
        &[
            "--metric",
            "first-response,next-response,resolution,handle",
            "--target",
            "first-response=1h,resolution=24h",
        ],
    ] {
        let (mirrored, page) = page(more).await;
        let rows = rows(&page);
        assert!(rows.len() >= 4, "{more:?}: {} rows", rows.len());
        let printed = printed(mirrored.home.path());
        let lines: Vec<String> = printed.lines().map(letters).collect();
        for row in &rows {
            assert!(lines.iter().any(|line| line.ends_with(row.as_str())), "{more:?}: {row:?} in\n{printed}");
        }
    }
}
