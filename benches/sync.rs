//! How fast a sync is, and how much memory it needs, against a sandbox on the same machine.
//!
//! `cargo bench --bench sync` at a tenth of the full size, `-- --full` for all of it; `-- lists latency` for
//! some of the chapters only: lists, latency, limit, memory. Everything is told as a ratio within this one
//! run, or as a rate, with what is aimed at beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use intercom::api::transport::Settings;
use intercom::api::{Client, Token};
use intercom::mirror::{Event, ResourceName, Store, Summary, SyncOptions, sync};
use intercom::sandbox::{Options, Sandbox, TOKEN};
use rusqlite::types::Value;

/// No limit that anybody would notice.
const UNLIMITED: u32 = u32::MAX;

fn client(sandbox: &Sandbox) -> Client {
    let address = sandbox.base_url().parse().unwrap();
    Client::new(Settings::new(address, Some(Token::new(TOKEN).unwrap()))).unwrap()
}

async fn run(client: &Client, path: &Path, resources: &[ResourceName]) -> Summary {
    let mut store = Store::open(path).unwrap();
    let options = SyncOptions { resources: resources.to_vec(), concurrency: 64, ..SyncOptions::default() };
    sync(client, &mut store, &options, &mut |_: &Event| {}).await.unwrap()
}

fn seconds(summary: &Summary, resource: ResourceName) -> f64 {
    summary.resources.iter().find(|it| it.resource == resource).unwrap().seconds
}

fn told(what: &str, figure: String, aim: &str) {
    println!("{what:64} {figure:>16}   (aim: {aim})");
}

/// The tables that a document of a resource ends up in, its own first.
fn tables(resource: ResourceName) -> &'static [&'static str] {
    match resource {
        ResourceName::Contacts => &["contacts", "contact_tags", "contact_companies", "contact_subscriptions"],
        ResourceName::Conversations => &["conversations", "conversation_tags", "conversation_contacts"],
        // A list of tickets shows their parts.
        ResourceName::Tickets => &["tickets", "ticket_contacts", "ticket_parts", "ticket_parts_state"],
        _ => &["companies"],
    }
}

/// Seconds for putting the same rows, links and parts included, into the same schema, a page to a transaction, and
/// nothing else. Returns the rows of the resource's own table with them.
fn bare_loop(from: &Path, folder: &Path, resource: ResourceName) -> (usize, f64) {
    let source = Store::open(from).unwrap();
    let read = |table: &&str| {
        let mut statement = source.connection().prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).unwrap();
        let rows: Vec<Vec<Value>> = rows.map(Result::unwrap).collect();
        let marks = vec!["?"; columns].join(", ");
        (format!("INSERT INTO {table} VALUES ({marks})"), rows)
    };
    let tables: Vec<(String, Vec<Vec<Value>>)> = tables(resource).iter().map(read).collect();
    let count = tables[0].1.len();
    let pages = count.div_ceil(150).max(1);
    let path = folder.join(format!("bare-{resource}.db"));
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "synchronous", "NORMAL").unwrap();
    // Links are spread evenly over the pages, so some come before their record.
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    let began = Instant::now();
    for page in 0..pages {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for (sql, rows) in &tables {
            let mut insert = connection.prepare_cached(sql).unwrap();
            for row in &rows[page * rows.len() / pages..(page + 1) * rows.len() / pages] {
                insert.execute(rusqlite::params_from_iter(row)).unwrap();
            }
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    (count, began.elapsed().as_secs_f64())
}

/// Seconds for storing the same documents page by page as a sync does, without a server.
fn stored(from: &Path, folder: &Path, resource: ResourceName) -> f64 {
    let source = Store::open(from).unwrap();
    let mut statement = source.connection().prepare(&format!("SELECT raw FROM {resource}")).unwrap();
    let documents: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut store = Store::open(&folder.join(format!("stored-{resource}.db"))).unwrap();
    let began = Instant::now();
    for page in documents.chunks(150) {
        store.store_page(resource.resource(), page.iter().map(String::as_str), None, 1).unwrap();
    }
    began.elapsed().as_secs_f64()
}

async fn lists(options: &Options, folder: &Path) {
    let sandbox = Sandbox::start(options.clone()).await.unwrap();
    let path = folder.join("lists.db");
    use ResourceName::{Companies, Contacts, Conversations, Tickets};
    for resource in [Contacts, Companies, Conversations, Tickets] {
        let summary = run(&client(&sandbox), &path, &[resource]).await;
        assert!(summary.complete, "{summary:?}");
        let (rows, bare) = bare_loop(&path, folder, resource);
        let taken = seconds(&summary, resource);
        let share = format!("{:.0} %", bare / stored(&path, folder, resource) * 100.0);
        told(&format!("{resource}: storing pages, of a bare loop"), share, "60 %");
        let rates = format!("{:.0} of {:.0}/s", rows as f64 / taken, rows as f64 / bare);
        told(&format!("{resource}: rows with the sandbox's own work, of a bare loop"), rates, "-");
    }
    let began = Instant::now();
    let summary = run(&client(&sandbox), &path, &[ResourceName::ConversationParts]).await;
    assert!(summary.complete, "{summary:?}");
    let rate = options.conversations as f64 / began.elapsed().as_secs_f64();
    told("conversations with parts, no latency", format!("{rate:.0}/s"), "3,000/s");

    sandbox.forget_requests();
    let summary = run(&client(&sandbox), &path, ResourceName::ALL).await;
    assert!(summary.complete, "{summary:?}");
    run(&client(&sandbox), &path, ResourceName::ALL).await;
    sandbox.forget_requests();
    run(&client(&sandbox), &path, ResourceName::ALL).await;
    told("requests of a run without changes", sandbox.requests().len().to_string(), "a handful");
}

async fn latency(options: &Options, folder: &Path) {
    let conversations = options.conversations.min(4_000);
    let options = Options { conversations, latency: Duration::from_millis(50), ..options.clone() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let path = folder.join("latency.db");
    run(&client(&sandbox), &path, &[ResourceName::Conversations]).await;
    let began = Instant::now();
    run(&client(&sandbox), &path, &[ResourceName::ConversationParts]).await;
    let rate = conversations as f64 / began.elapsed().as_secs_f64();
    told("conversations with parts, 50 ms latency", format!("{rate:.0}/s"), "400/s");
}

/// How much of the allowed calls is used in the windows that are wholly within the run.
async fn limit(limit: u32, windows: usize, folder: &Path, aim: &str) {
    let conversations = limit as usize * windows;
    let options = Options { contacts: 50, conversations, rate_limit: UNLIMITED, ..Options::default() };
    let sandbox = Sandbox::start(Options { rate_limit: limit, ..options }).await.unwrap();
    let path = folder.join(format!("limit-{limit}.db"));
    let client = client(&sandbox);
    run(&client, &path, &[ResourceName::Conversations]).await;
    let mut store = Store::open(&path).unwrap();
    let options = SyncOptions {
        resources: vec![ResourceName::ConversationParts],
        concurrency: 64,
        ..SyncOptions::default()
    };
    let mut seen: Vec<(u64, u64)> = Vec::new();
    let watched = client.clone();
    let mut observer = |_: &Event| {
        let window = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 10;
        seen.push((window, watched.transport().usage().requests));
    };
    sync(&client, &mut store, &options, &mut observer).await.unwrap();
    let (first, last) = (seen.first().unwrap().0, seen.last().unwrap().0);
    let calls = |window: u64| seen.iter().filter(|it| it.0 == window).map(|it| it.1).max();
    let whole: Vec<u64> = (first + 1..last).filter_map(|it| Some(calls(it)? - calls(it - 1)?)).collect();
    let used = whole.iter().sum::<u64>() as f64 / (whole.len() as f64 * f64::from(limit)) * 100.0;
    let usage = client.transport().usage();
    let refused = usage.refused as f64 / usage.requests as f64 * 100.0;
    let figures = format!("{used:.1} %, {refused:.2} % 429");
    told(&format!("calls used at {limit} per window ({} windows)", whole.len()), figures, aim);
}

/// The most memory that the binary has held, in MB. Where `/proc` is not, nothing is told.
async fn memory(options: &Options, folder: &Path) {
    let sandbox = Sandbox::start(options.clone()).await.unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_intercom-pp-cli"))
        .args(["sync", "--db", "memory.db"])
        .env("HOME", folder)
        .env("INTERCOM_ACCESS_TOKEN", TOKEN)
        .env("INTERCOM_BASE_URL", sandbox.base_url())
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let mut most = 0_u64;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|it| it.split_whitespace().next()?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let taken = began.elapsed().as_secs_f64();
    told("whole sync of the binary", format!("{taken:.1} s"), "-");
    told("its peak memory", format!("{:.0} MB", most as f64 / 1024.0), "150 MB");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let full = arguments.iter().any(|argument| argument == "--full");
    let some = arguments.iter().any(|argument| !argument.starts_with('-'));
    let asked = |chapter: &str| !some || arguments.iter().any(|argument| argument == chapter);
    let size = if full { 20_000 } else { 2_000 };
    let options = Options {
        contacts: size,
        companies: size / 10,
        conversations: size,
        tickets: size / 10,
        rate_limit: UNLIMITED,
        ..Options::default()
    };
    let folder = tempfile::tempdir().unwrap();
    println!("{size} contacts and conversations");
    if asked("lists") {
        lists(&options, folder.path()).await;
    }
    if asked("latency") {
        latency(&options, folder.path()).await;
    }
    if asked("limit") {
        limit(167, 4, folder.path(), "90 %").await;
        limit(1_667, if full { 5 } else { 3 }, folder.path(), "95 %, under 0.1 % 429").await;
    }
    if asked("memory") {
        let many = Options { conversations: size * if full { 10 } else { 1 }, ..options };
        memory(&many, folder.path()).await;
    }
}
