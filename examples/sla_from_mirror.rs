//! Reports response times by team, and asks further questions of the same local copy.
//!
//! `cargo run --example sla_from_mirror` runs against a sandbox. Set `INTERCOM_ACCESS_TOKEN` for a real workspace.

#![allow(clippy::print_stdout, reason = "the example prints its results")]

mod workspace;

use std::path::Path;
use std::time::Duration;

use intercom::local::{GroupBy, Metric, ResourceName, SlaOptions, SlaReport, SyncOptions};
use intercom::{Client, Mirror};
use serde::Deserialize;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = workspace::connect().await?;
    let folder = tempfile::tempdir()?;
    run(&workspace.client, &folder.path().join("mirror.db")).await?;
    Ok(())
}

#[derive(Deserialize)]
struct OpenByTeam {
    team: Option<String>,
    open: u64,
}

pub async fn run(client: &Client, path: &Path) -> Result<SlaReport, Box<dyn std::error::Error>> {
    let mut mirror = Mirror::open(path)?;
    let resources = [
        ResourceName::Conversations,
        ResourceName::ConversationParts,
        ResourceName::Teams,
        ResourceName::Admins,
    ];
    let synced = mirror.sync(client, SyncOptions::new().only(resources)).await?;
    if !synced.is_complete() {
        println!("some records are missing: {:?}", synced.resources);
    }

    let options = SlaOptions::new()
        .group_by(GroupBy::Team)
        .metrics([Metric::FirstResponse, Metric::Resolution])
        .target(Metric::FirstResponse, Duration::from_secs(3_600));
    let report = mirror.sla(options)?;
    for row in &report.rows {
        let Some(first_response) = row.figures.of(Metric::FirstResponse) else { continue };
        println!(
            "{:20} {:>4} conversations, median {:?}, within an hour: {:?} %",
            row.name,
            row.figures.conversations,
            first_response.median(),
            first_response.target_met_pct
        );
    }

    // Anything else is SQL: the tables are in docs/mirror-schema.md.
    let open = mirror.query("SELECT team, count(*) AS open FROM inbox WHERE state = 'open' GROUP BY team")?;
    for OpenByTeam { team, open } in open.read()? {
        println!("{:20} {open} open", team.as_deref().unwrap_or("(no team)"));
    }
    Ok(report)
}
