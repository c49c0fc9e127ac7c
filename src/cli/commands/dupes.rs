//! `contacts dupes`: finds contacts that share an address, and merges leads into users.
//!
//! A merge cannot be undone, so both contacts must be read again right before it.

use std::collections::HashSet;
use std::path::Path;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use serde_json::{Value, json};

use super::bulk::execute;
use crate::api::identity::identity;
use crate::bulk::journal::BulkRun;
use crate::bulk::merge::{self, MergeStatus};
use crate::bulk::shared_identifier::SharedIdentifier;
use crate::bulk::{BulkPlan, BulkTarget, PlannedRecord, run};
use crate::cli::consent::{Confirm, Intent};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::open_mirror;
use crate::cli::output::grid::{Grid, Shape};
use crate::cli::output::{Extent, Output, grouped, limit_for_more, notice, to_json, warn};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::mirror::read::RecordQuery;
use crate::mirror::{ResourceName, Store};
use crate::report::duplicates::{By, Cluster, duplicates};

/// Merges in parallel. Few, because leads of the same person compete for the same user.
const CONCURRENCY: usize = 4;

/// Find contacts that are probably the same person, and merge them
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "The duplicates are found in the mirror. The API only merges leads into users: other duplicates are \
                  listed under unmergeable. Review a cluster before merging it: several people can share an address. \
                  Both contacts are read from the workspace right before a merge, which is skipped if they no longer \
                  share the value or their roles have changed.\n\nExample: intercom-pp-cli contacts dupes --by email \
                  --merge"
)]
pub struct FindDuplicates {
    /// Field whose value they share
    #[arg(
        long,
        value_name = "FIELD",
        value_parser = PossibleValuesParser::new(["email", "phone", "external_id", "external-id"]).map(by),
        default_value = "email"
    )]
    by: By,
    /// Show which leads would be merged into which users
    #[arg(long)]
    merge: bool,
    /// Merge them; this cannot be undone
    #[arg(long, requires = "merge")]
    apply: bool,
    /// Maximum number of clusters
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    #[command(flatten)]
    mirror: MirrorFlag,
}

fn by(name: String) -> By {
    match name.as_str() {
        "phone" => By::Phone,
        "external_id" | "external-id" => By::ExternalId,
        _ => By::Email,
    }
}

impl HandwrittenCommand for FindDuplicates {
    const WORDS: &'static str = "contacts dupes";
    const EFFECT: Effect = Effect::Destructive;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let mirror = mirror_paths::for_reading(context, &self.mirror)?;
        let store = Store::open_read_only(&mirror)?;
        let mut clusters = duplicates(&store, self.by)?;
        let synced_at = open_mirror::check_freshness(context, &store, &[ResourceName::Contacts])?;
        let all = clusters.len();
        clusters.truncate(self.limit.map_or(usize::MAX, |limit| limit as usize));
        let meta = json!({
            "source": "local", "synced_at": synced_at, "by": self.by, "clusters": all,
            "has_more": all > clusters.len(),
        });
        let merges = merges(&clusters);
        let rows = if self.merge { merges.len() } else { clusters.len() };
        let (are_clusters, is_cut) = (clusters.len() == rows, all > clusters.len());
        let total = (are_clusters || !is_cut).then_some(if are_clusters { all } else { rows } as u64);
        let contacts =
            grouped(store.count(ResourceName::Contacts, &RecordQuery::default()).unwrap_or_default());
        let extent = Extent::partial("clusters", total, is_cut, limit_for_more())
            .when_empty(format!("no duplicates among {contacts} contacts"));
        if self.apply {
            drop(store);
            return apply(context, merges, meta, &extent, &mirror).await;
        }
        if self.merge {
            return print_merges(context, meta, &merges, &extent).await;
        }
        let output = Output::open(&context.globals.output)?;
        if context.globals.output.is_for_people() {
            let text = if clusters.is_empty() { String::new() } else { cluster_table(context, &clusters) };
            return output.of(extent, clusters.len() as u64).text(&text).await;
        }
        output.rows(meta, &clusters, &extent).await
    }
}

fn cluster_table(context: &Context, clusters: &[Cluster]) -> String {
    let mut grid = Grid::new(&[
        ("shared value", Shape::Flexible(24)),
        ("contacts", Shape::Number),
        ("leads to merge", Shape::Number),
        ("cannot be merged", Shape::Number),
        ("into", Shape::Flexible(12)),
        ("id", Shape::Text),
    ]);
    for cluster in clusters {
        grid.row([
            cluster.value.clone(),
            cluster.contacts.len().to_string(),
            cluster.merge.len().to_string(),
            cluster.unmergeable.len().to_string(),
            name_of(cluster, &cluster.survivor).unwrap_or_default().to_owned(),
            cluster.survivor.clone(),
        ]);
    }
    grid.print(&context.globals.output, |_, _, cell| cell.to_owned())
}

fn merge_table(context: &Context, merges: &[MergeRow<'_>]) -> Result<String, Error> {
    let mut grid = Grid::new(&[
        ("shared value", Shape::Flexible(24)),
        ("status", Shape::Text),
        ("lead", Shape::Flexible(12)),
        ("into user", Shape::Flexible(12)),
        ("error", Shape::Flexible(20)),
        ("lead id", Shape::Text),
        ("user id", Shape::Text),
    ]);
    for row in merges {
        grid.row([
            row.value.to_owned(),
            to_json(&row.status)?.as_str().unwrap_or_default().replace('_', " "),
            row.from_name.unwrap_or_default().to_owned(),
            row.into_name.unwrap_or_default().to_owned(),
            row.error.clone().unwrap_or_default(),
            row.from.to_owned(),
            row.into.to_owned(),
        ]);
    }
    Ok(grid.print(&context.globals.output, |palette, column, cell| match (column, cell) {
        ("status", "merged") => palette.green(cell),
        ("status", _) => palette.state(cell),
        _ => cell.to_owned(),
    }))
}

async fn print_merges(
    context: &Context,
    meta: Value,
    merges: &[MergeRow<'_>],
    extent: &Extent,
) -> Result<(), Error> {
    let output = Output::open(&context.globals.output)?;
    if context.globals.output.is_for_people() {
        let text = if merges.is_empty() { String::new() } else { merge_table(context, merges)? };
        return output.of(extent.clone(), merges.len() as u64).text(&text).await;
    }
    output.rows(meta, merges, extent).await
}

/// The name of a contact of the cluster.
fn name_of<'a>(cluster: &'a Cluster, id: &str) -> Option<&'a str> {
    let contact = cluster.contacts.iter().find(|contact| contact.id == id)?;
    contact.name.as_deref().filter(|name| !name.is_empty())
}

/// One lead into one user, as a row of the result.
#[derive(Serialize)]
struct MergeRow<'a> {
    #[serde(skip)]
    by: By,
    value: &'a str,
    from: &'a str,
    from_name: Option<&'a str>,
    into: &'a str,
    into_name: Option<&'a str>,
    status: MergeStatus,
    error: Option<String>,
}

impl MergeRow<'_> {
    fn record(&self) -> PlannedRecord {
        merge::plan(self.from, self.into, SharedIdentifier { by: self.by, value: self.value.to_owned() })
    }

    /// For a prompt: `lead Ann into Ann Lee`.
    fn in_words(&self) -> String {
        let (lead, user) = (self.from_name.unwrap_or(self.from), self.into_name.unwrap_or(self.into));
        format!("lead {lead} into {user}")
    }

    /// Sets the result of the merge.
    fn settle(&mut self, run: &BulkRun) {
        let (status, error) = merge::outcome(run.status(self.from));
        (self.status, self.error) = (status, error.map(str::to_owned));
    }

    /// Whether the lead no longer exists.
    fn is_gone(&self) -> bool {
        matches!(self.status, MergeStatus::Merged | MergeStatus::Gone)
    }
}

/// The merges of all clusters. A lead in several clusters is merged once, by the first.
fn merges(clusters: &[Cluster]) -> Vec<MergeRow<'_>> {
    let all = clusters.iter().flat_map(|cluster| {
        cluster.merge.iter().map(move |from| MergeRow {
            by: cluster.by,
            value: &cluster.value,
            from,
            from_name: name_of(cluster, from),
            into: &cluster.survivor,
            into_name: name_of(cluster, &cluster.survivor),
            status: MergeStatus::Planned,
            error: None,
        })
    });
    let mut seen = HashSet::new();
    all.filter(|merge| seen.insert(merge.from)).collect()
}

/// Removes merged leads from the mirror, so that reports do not show them until the next sync. A failure is only a
/// warning, because the merges are done and that sync removes the leads.
fn remove_merged(mirror: &Path, leads: &[String]) {
    let removed =
        Store::open(mirror).and_then(|mut store| store.remove_records(ResourceName::Contacts, leads));
    if let Err(error) = removed {
        warn(&format!("the merged leads remain in the mirror until the next sync: {error}"));
    }
}

async fn apply(
    context: &Context,
    mut merges: Vec<MergeRow<'_>>,
    mut meta: Value,
    extent: &Extent,
    mirror: &Path,
) -> Result<(), Error> {
    if context.globals.consent.dry_run || merges.is_empty() {
        meta["dry_run"] = json!(context.globals.consent.dry_run);
        return print_merges(context, meta, &merges, extent).await;
    }
    let count = merges.len();
    let leads = match merges.as_slice() {
        [one] => one.in_words(),
        _ => format!("{count} leads into users"),
    };
    let intent = Intent::new(format!("Merge {leads}"), Confirm::Explicit).with_records(count);
    let intent = intent.with_consequence("Merged leads are deleted. This cannot be undone.");
    context.confirm(&intent.or_else("not merged"))?;
    let client = context.client()?;
    let identity = identity(&client).await?;
    let records = merges.iter().map(MergeRow::record).collect();
    let plan = BulkPlan::new(FindDuplicates::WORDS, BulkTarget::Contacts, &identity.workspace, records);
    let plan = BulkPlan { about: json!({ "action": "merge" }), ..plan };
    let mut journal = run::start(&client, &identity, plan).await?;
    execute::send(&context.globals.output, &client, &mut journal, CONCURRENCY, execute::ON_STOP).await?;
    let run = journal.run();
    for merge in &mut merges {
        merge.settle(run);
    }
    let merged = merges.iter().filter(|merge| merge.status == MergeStatus::Merged).count();
    meta["merged"] = json!(merged);
    meta["run"] = json!(run.head.run);
    print_merges(context, meta, &merges, extent).await?;
    let gone: Vec<String> =
        merges.iter().filter(|merge| merge.is_gone()).map(|merge| merge.from.to_owned()).collect();
    remove_merged(mirror, &gone);
    if merged > 0 {
        notice("run `intercom-pp-cli sync` to update the users in the mirror");
    }
    if gone.len() == merges.len() {
        return Ok(());
    }
    Err(Error::Failed {
        message: format!("merged {merged} of {} leads", merges.len()),
        exit: match gone.len() {
            0 if merges.iter().all(|merge| merge::is_refused(run.status(merge.from))) => Exit::Authentication,
            0 => Exit::Failure,
            _ => Exit::Partial,
        },
        hint: Some("run it again: merged leads are skipped".into()),
    })
}
