//! Measures the speed and memory use of a sync from a sandbox on the same machine.
//!
//! `cargo bench --bench sync` runs at a tenth of the full size, `-- --full` at full size. `-- lists latency` runs
//! only some of the sections: lists, latency, limit, memory. Results are ratios within the same run, or rates,
//! printed with their targets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use intercom::api::transport::Settings;
use intercom::api::{Client, Token};
use intercom::mirror::{Event, ResourceName, Store, Summary, SyncOptions, sync};
use intercom::sandbox::{Options, Sandbox, TOKEN};
use rusqlite::types::Value;

/// A rate limit that is never reached.
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
    summary.resources.iter().find(|entry| entry.resource == resource).unwrap().seconds
}

fn report(name: &str, result: String, target: &str) {
    println!("{name:64} {result:>16}   (target: {target})");
}

/// The tables that store a resource, its main table first.
fn tables(resource: ResourceName) -> &'static [&'static str] {
    match resource {
        ResourceName::Contacts => &["contacts", "contact_tags", "contact_companies", "contact_subscriptions"],
        ResourceName::Conversations => &["conversations", "conversation_tags", "conversation_contacts"],
        // The list of tickets includes their parts.
        ResourceName::Tickets => &["tickets", "ticket_contacts", "ticket_parts", "ticket_parts_state"],
        _ => &["companies"],
    }
}

/// Inserts the same rows, including links and parts, into the same schema, one transaction per page. Returns the
/// number of rows of the main table, and the seconds taken. This is the baseline for storing.
fn bare_insert(from: &Path, folder: &Path, resource: ResourceName) -> (usize, f64) {
    let source = Store::open(from).unwrap();
    let read = |table: &&str| {
        let mut statement = source.connection().prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|index| row.get(index)).collect()).unwrap();
        let rows: Vec<Vec<Value>> = rows.map(Result::unwrap).collect();
        let placeholders = vec!["?"; columns].join(", ");
        (format!("INSERT INTO {table} VALUES ({placeholders})"), rows)
    };
    let tables: Vec<(String, Vec<Vec<Value>>)> = tables(resource).iter().map(read).collect();
    let count = tables[0].1.len();
    let pages = count.div_ceil(150).max(1);
    let path = folder.join(format!("bare-{resource}.db"));
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "synchronous", "NORMAL").unwrap();
    // Links are spread evenly over the pages, so some are inserted before their record.
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    let started = Instant::now();
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
    (count, started.elapsed().as_secs_f64())
}

/// Seconds taken to store the same documents page by page, as a sync does, without a server.
fn store_pages(from: &Path, folder: &Path, resource: ResourceName) -> f64 {
    let source = Store::open(from).unwrap();
    let mut statement = source.connection().prepare(&format!("SELECT raw FROM {resource}")).unwrap();
    let documents: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut store = Store::open(&folder.join(format!("stored-{resource}.db"))).unwrap();
    let started = Instant::now();
    for page in documents.chunks(150) {
        store.store_page(resource.resource(), page.iter().map(String::as_str), None, 1).unwrap();
    }
    started.elapsed().as_secs_f64()
}

async fn lists(options: &Options, folder: &Path) {
    let sandbox = Sandbox::start(options.clone()).await.unwrap();
    let path = folder.join("lists.db");
    use ResourceName::{Companies, Contacts, Conversations, Tickets};
    for resource in [Contacts, Companies, Conversations, Tickets] {
        let summary = run(&client(&sandbox), &path, &[resource]).await;
        assert!(summary.complete, "{summary:?}");
        let (rows, bare) = bare_insert(&path, folder, resource);
        let taken = seconds(&summary, resource);
        let share = format!("{:.0} %", bare / store_pages(&path, folder, resource) * 100.0);
        report(&format!("{resource}: speed of storing pages, relative to bare inserts"), share, "60 %");
        let rates = format!("{:.0} of {:.0}/s", rows as f64 / taken, rows as f64 / bare);
        report(&format!("{resource}: rows of a sync (includes the sandbox), of bare inserts"), rates, "-");
    }
    let started = Instant::now();
    let summary = run(&client(&sandbox), &path, &[ResourceName::ConversationParts]).await;
    assert!(summary.complete, "{summary:?}");
    let rate = options.conversations as f64 / started.elapsed().as_secs_f64();
    report("conversations with parts, no latency", format!("{rate:.0}/s"), "3,000/s");

    sandbox.forget_requests();
    let summary = run(&client(&sandbox), &path, ResourceName::ALL).await;
    assert!(summary.complete, "{summary:?}");
    run(&client(&sandbox), &path, ResourceName::ALL).await;
    sandbox.forget_requests();
    run(&client(&sandbox), &path, ResourceName::ALL).await;
    report("requests of a sync without changes", sandbox.requests().len().to_string(), "a handful");
}

async fn latency(options: &Options, folder: &Path) {
    let conversations = options.conversations.min(4_000);
    let options = Options { conversations, latency: Duration::from_millis(50), ..options.clone() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let path = folder.join("latency.db");
    run(&client(&sandbox), &path, &[ResourceName::Conversations]).await;
    let started = Instant::now();
    run(&client(&sandbox), &path, &[ResourceName::ConversationParts]).await;
    let rate = conversations as f64 / started.elapsed().as_secs_f64();
    report("conversations with parts, 50 ms latency", format!("{rate:.0}/s"), "400/s");
}

/// Measures the share of the rate limit that a sync uses, in the windows completely within the sync.
async fn limit(limit: u32, windows: usize, folder: &Path, target: &str) {
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
    let mut counts: Vec<(u64, u64)> = Vec::new();
    let observed = client.clone();
    let mut observer = |_: &Event| {
        let window = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 10;
        counts.push((window, observed.transport().usage().requests));
    };
    sync(&client, &mut store, &options, &mut observer).await.unwrap();
    let (first, last) = (counts.first().unwrap().0, counts.last().unwrap().0);
    let requests_until_end_of = |window: u64| {
        counts.iter().filter(|(other, _)| *other == window).map(|(_, requests)| *requests).max()
    };
    let complete: Vec<u64> = (first + 1..last)
        .filter_map(|window| Some(requests_until_end_of(window)? - requests_until_end_of(window - 1)?))
        .collect();
    let used = complete.iter().sum::<u64>() as f64 / (complete.len() as f64 * f64::from(limit)) * 100.0;
    let usage = client.transport().usage();
    let refused = usage.refused as f64 / usage.requests as f64 * 100.0;
    let result = format!("{used:.1} %, {refused:.2} % 429");
    report(&format!("requests used of {limit} per window ({} windows)", complete.len()), result, target);
}

/// Measures the peak memory of the binary during a full sync. Reports 0 on systems without `/proc`.
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
    let started = Instant::now();
    let mut peak_kilobytes = 0_u64;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak_kilobytes = peak_kilobytes.max(kilobytes.unwrap_or(0));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let taken = started.elapsed().as_secs_f64();
    report("full sync by the binary", format!("{taken:.1} s"), "-");
    report("peak memory of that sync", format!("{:.0} MB", peak_kilobytes as f64 / 1024.0), "150 MB");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let full = arguments.iter().any(|argument| argument == "--full");
    let names_sections = arguments.iter().any(|argument| !argument.starts_with('-'));
    let is_selected = |section: &str| !names_sections || arguments.iter().any(|argument| argument == section);
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
    if is_selected("lists") {
        lists(&options, folder.path()).await;
    }
    if is_selected("latency") {
        latency(&options, folder.path()).await;
    }
    if is_selected("limit") {
        limit(167, 4, folder.path(), "90 %").await;
        limit(1_667, if full { 5 } else { 3 }, folder.path(), "95 %, under 0.1 % 429").await;
    }
    if is_selected("memory") {
        let many = Options { conversations: size * if full { 10 } else { 1 }, ..options };
        memory(&many, folder.path()).await;
    }
}
