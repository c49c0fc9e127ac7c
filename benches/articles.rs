//! Articles as files: how fast bodies become Markdown, and how long and in how much memory 2,000 articles
//! in four languages are pulled from a sandbox.
//!
//!     cargo bench --bench articles

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints and may fail")]

use std::time::Instant;

use intercom::articles::body::Body;
use intercom::sandbox::{Options, Sandbox, TOKEN};

/// One of each construct; bodies repeat them.
const PIECES: &str = concat!(
    "<h2 id=\"h_0a1b2c3d4e\">Before you begin</h2><p class=\"no-margin\">Most people need <b>two minutes</b> for this. You find it under <i>Settings</i>, next to the list of <a href=\"https://app.test/roles?a=1&amp;b=2\" target=\"_blank\">roles</a>.</p>",
    "<ol><li><p class=\"no-margin\">Open the menu.</p></li><li><p class=\"no-margin\">Choose <b>Export</b>.</p><ul><li><p class=\"no-margin\">As CSV</p></li></ul></li></ol>",
    "<div class=\"intercom-container\"><img src=\"https://downloads.test/i/o/1/screen.png?expires=1700000000&amp;signature=ab12\" alt=\"The settings page\"></div>",
    "<div class=\"intercom-interblocks-callout\" style=\"background-color: #feedaf80; border-color: #fbc91633;\"><p class=\"no-margin\">This cannot be undone.</p></div>",
    "<pre><code>curl -H \"Authorization: Bearer $TOKEN\" https://api.test/me</code></pre>",
    "<div class=\"intercom-interblocks-table-container\"><table role=\"presentation\"><tbody><tr><td><p class=\"no-margin\">Plan</p></td><td><p class=\"no-margin\">Rows</p></td></tr><tr><td><p class=\"no-margin\">Free</p></td><td><p class=\"no-margin\">10,000</p></td></tr></tbody></table></div>",
    "<details><summary>What if it fails?</summary><p class=\"no-margin\">Start again &amp; write to us.</p></details><p class=\"intercom-align-center\">Centred</p>",
);

fn conversion() {
    let body = PIECES.repeat(8);
    let rounds = 400;
    let begun = Instant::now();
    let mut bytes = 0;
    for _ in 0..rounds {
        bytes += body.len();
        assert!(!Body::read(&body).markdown().is_empty());
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "conversion: {:.1} MB/s of HTML ({bytes} bytes in {seconds:.2} s)",
        bytes as f64 / 1e6 / seconds
    );
}

/// The largest resident size of the finished child processes, in MB; Linux only.
fn peak_of(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

async fn pull() {
    let locales = ["en", "fr", "de", "ar"].map(str::to_owned).to_vec();
    let options = Options {
        articles: 2_000,
        locales,
        contacts: 1,
        companies: 1,
        conversations: 1,
        tickets: 1,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let bytes: usize = sandbox.with_workspace(|workspace| {
        let mut bytes = 0;
        for article in workspace.articles.iter_mut() {
            article.body = PIECES.repeat(4);
            bytes += 4 * article.body.len();
            for content in article.translations.iter_mut().flat_map(|all| all.values_mut()) {
                content["body"] = article.body.clone().into();
            }
        }
        bytes
    });
    let home = tempfile::tempdir().unwrap();
    for round in ["first pull", "pull without changes"] {
        let begun = Instant::now();
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_intercom-pp-cli"))
            .args(["articles", "pull", "--to", "help", "--json"])
            .envs([("INTERCOM_ACCESS_TOKEN", TOKEN), ("INTERCOM_BASE_URL", &sandbox.base_url())])
            .env("HOME", home.path())
            .current_dir(home.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut peak = 0.0_f64;
        while child.try_wait().unwrap().is_none() {
            peak = peak.max(peak_of(child.id()).unwrap_or_default());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{round}: {:.1} MB of HTML in {seconds:.1} s, at most {peak:.0} MB resident",
            bytes as f64 / 1e6
        );
    }
}

#[tokio::main]
async fn main() {
    conversion();
    pull().await;
}
