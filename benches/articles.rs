//! Measures the speed of converting articles to Markdown, and the memory use of a large pull.
//!
//! `cargo bench --bench articles` converts 24 MB of HTML. Then the release binary pulls 2,000 articles in four
//! languages from a sandbox, twice; its peak memory is read from /proc.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::process::Command;
use std::time::Instant;

use intercom::articles::convert::addresses::AddressMap;
use intercom::articles::convert::blocks::Document;
use intercom::sandbox::{Options, Sandbox, TOKEN};

const PIECES: [&str; 8] = [
    "<p class=\"no-margin\">Most people need <b>two minutes</b> for this &amp; find it under <i>Settings</i>, next to the other options of the account.</p>",
    "<h2 id=\"h_0123456789\">Before you begin</h2>",
    "<ul><li><p class=\"no-margin\">An account with <a href=\"https://app.test/roles\" target=\"_blank\">admin rights</a></p><ul><li><p class=\"no-margin\">Nested</p></li></ul></li><li><p class=\"no-margin\">The CSV file</p></li></ul>",
    "<div class=\"intercom-container\"><img src=\"https://downloads.test/i/o/1/screen.png?expires=1700000000&amp;signature=ab12\" alt=\"The settings page\"></div>",
    "<div class=\"intercom-interblocks-callout\" style=\"background-color: #feedaf80; border-color: #fbc91633;\"><p class=\"no-margin\">This cannot be undone.</p></div>",
    "<pre><code>curl -H \"Authorization: Bearer $TOKEN\" https://api.test/me</code></pre>",
    "<div class=\"intercom-interblocks-table-container\"><table role=\"presentation\"><tbody><tr><td style=\"background-color: #e8e8e880\"><p class=\"no-margin\">Plan</p></td><td><p class=\"no-margin\">Rows</p></td></tr><tr><td><p class=\"no-margin\">Free</p></td><td><p class=\"no-margin\">10,000</p></td></tr></tbody></table></div>",
    "<details><summary>What if it fails?</summary><p class=\"no-margin\">Start again from the first step &amp; write to us.</p></details>",
];

fn body(length: usize) -> String {
    let mut body = String::with_capacity(length + 512);
    let mut index = 0;
    while body.len() < length {
        body.push_str(PIECES[index % PIECES.len()]);
        index += if index % 3 == 0 { 3 } else { 1 };
    }
    body
}

fn conversion() {
    let bodies: Vec<String> = (0..1_200).map(|number| body(16_000 + number * 7)).collect();
    let bytes: usize = bodies.iter().map(String::len).sum();
    let addresses = AddressMap::default();
    let start = Instant::now();
    let mut markdown_bytes = 0;
    for body in &bodies {
        markdown_bytes += Document::read(body, &addresses).markdown().len();
    }
    let seconds = start.elapsed().as_secs_f64();
    let rate = bytes as f64 / 1e6 / seconds;
    println!(
        "conversion: {:.1} MB of HTML to {:.1} MB of Markdown, {rate:.1} MB/s",
        bytes as f64 / 1e6,
        markdown_bytes as f64 / 1e6
    );
}

/// Peak resident memory of a process in MB.
fn peak_memory(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}

async fn pulls() {
    let locales = ["en", "de", "fr", "es"].map(str::to_owned).to_vec();
    let sandbox = Sandbox::start(Options {
        articles: 2_000,
        contacts: 1,
        conversations: 1,
        tickets: 1,
        locales,
        ..Options::default()
    });
    let sandbox = sandbox.await.unwrap();
    sandbox.with_workspace(|workspace| {
        for article in workspace.articles.iter_mut() {
            article.body = body(8_000);
            for content in article.translations.iter_mut().flat_map(|translations| translations.values_mut())
            {
                content["body"] = body(8_000).into();
            }
        }
    });
    let folder = tempfile::tempdir().unwrap();
    for round in ["pull", "pull again"] {
        let start = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_intercom-pp-cli"))
            .args(["articles", "pull", "--json", "--to", "articles"])
            .current_dir(folder.path())
            .envs([("INTERCOM_BASE_URL", sandbox.base_url()), ("INTERCOM_ACCESS_TOKEN", TOKEN.to_owned())])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut max_memory = 0.0_f64;
        let status = loop {
            max_memory = max_memory.max(peak_memory(child.id()).unwrap_or(0.0));
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        };
        assert!(status.success());
        println!(
            "{round}: 2,000 articles in 4 languages, {:.1} s, peak memory {max_memory:.0} MB",
            start.elapsed().as_secs_f64()
        );
    }
}

fn main() {
    conversion();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(pulls());
}
