//! `contacts dupes`: finds contacts that share an address, and merges leads into users.
//!
//! A merge cannot be undone, so both contacts must be read again right before it.

use std::collections::HashSet;
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::bulk::execute;
use crate::bulk::change::{CHANGED_SINCE_PLAN, SharedIdentifier};
use crate::bulk::journal::BulkRun;
use crate::bulk::{BulkTarget, Change, Head, PlannedRecord, RecordStatus, RunJournal, directory, journal};
use crate::cli::consent::{Confirm, Intent};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Extent, Output, grouped, limit_for_more, notice, warn};
use crate::cli::{mirror_paths, open_mirror};
use crate::mirror::read::RecordQuery;
use crate::mirror::{ResourceName, Store};
use crate::report::duplicates::{By, Cluster, duplicates};

/// Merges in parallel. Few, because leads of the same person compete for the same user.
const CONCURRENCY: usize = 4;

pub fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("dupes")
        .about("Find contacts that are probably the same person, and merge them")
        .arg(
            Arg::new("by")
                .long("by")
                .value_name("FIELD")
                .value_parser(["email", "phone", "external_id", "external-id"])
                .default_value("email")
                .help("Field whose value they share"),
        )
        .arg(flag("merge").help("Show which leads would be merged into which users"))
        .arg(flag("apply").requires("merge").help("Merge them; this cannot be undone"))
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("Maximum number of clusters"),
        )
        .arg(mirror_paths::argument())
        .after_help(
            "The duplicates are found in the mirror. The API only merges leads into users: other duplicates are listed \
             under unmergeable. Review a cluster before merging it: several people can share an address. Both contacts \
             are read from the workspace right before a merge, which is skipped if they no longer share the value or \
             their roles have changed.\n\nExample: intercom-pp-cli contacts dupes \
             --by email --merge",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let by = match matches.get_one::<String>("by").map(String::as_str) {
        Some("phone") => By::Phone,
        Some("external_id" | "external-id") => By::ExternalId,
        _ => By::Email,
    };
    let mirror = mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::of(matches))?;
    let store = Store::open_read_only(&mirror)?;
    let mut clusters = duplicates(&store, by)?;
    let synced_at = open_mirror::check_freshness(context, &store, &[ResourceName::Contacts])?;
    let all = clusters.len();
    clusters.truncate(matches.get_one::<u32>("limit").map_or(usize::MAX, |limit| *limit as usize));
    let meta = json!({
        "source": "local", "synced_at": synced_at, "by": by, "clusters": all, "has_more": all > clusters.len(),
    });
    let extent = |rows: usize| {
        let (are_clusters, is_cut) = (clusters.len() == rows, all > clusters.len());
        let total = (are_clusters || !is_cut).then_some(if are_clusters { all } else { rows } as u64);
        let contacts =
            grouped(store.count(ResourceName::Contacts, &RecordQuery::default()).unwrap_or_default());
        let note = format!("no duplicates among {contacts} contacts");
        Extent::partial("clusters", total, is_cut, limit_for_more()).when_empty(note)
    };
    if matches.get_flag("apply") {
        let extent = extent(merges(&clusters).len());
        drop(store);
        return apply(context, &clusters, meta, &extent, &mirror).await;
    }
    let rows: Vec<Value> = if matches.get_flag("merge") {
        merges(&clusters).iter().map(|merge| merge.row("planned", None)).collect()
    } else {
        clusters.iter().map(|cluster| serde_json::to_value(cluster).unwrap_or_default()).collect()
    };
    Output::open(&context.globals.output)?.rows(meta, &rows, &extent(rows.len())).await
}

/// One lead into one user.
struct Merge<'a> {
    by: By,
    value: &'a str,
    from: &'a str,
    from_name: Option<&'a str>,
    into: &'a str,
    into_name: Option<&'a str>,
}

impl Merge<'_> {
    fn row(&self, status: &str, error: Option<String>) -> Value {
        json!({
            "value": self.value, "from": self.from, "from_name": self.from_name, "into": self.into,
            "into_name": self.into_name, "status": status, "error": error,
        })
    }

    fn record(&self) -> PlannedRecord {
        let sharing = Some(SharedIdentifier { by: self.by, value: self.value.to_owned() });
        let change = Change::Merge { into: self.into.to_owned(), sharing };
        let before = json!({ "merged": false });
        PlannedRecord {
            shown: json!({ "value": self.value }),
            ..PlannedRecord::new(self.from.to_owned(), change, before)
        }
    }

    /// The row with the result of the merge.
    fn outcome(&self, run: &BulkRun) -> Value {
        match run.status(self.from) {
            RecordStatus::Done { .. } => self.row("merged", None),
            // Somebody else merged or deleted the lead.
            RecordStatus::FoundDone { .. } => self.row("gone", None),
            RecordStatus::Unmatched => self.row("skipped", None),
            RecordStatus::Failed { error } => {
                let message = error["message"].as_str().unwrap_or("the server refused the merge");
                let status = if error["code"] == CHANGED_SINCE_PLAN { "skipped" } else { "failed" };
                self.row(status, Some(message.to_owned()))
            }
            RecordStatus::Sending | RecordStatus::Unconfirmed { .. } => {
                let message =
                    "no response received and the lead cannot be read: check it before merging again";
                self.row("unknown", Some(message.to_owned()))
            }
            RecordStatus::Planned => self.row("failed", Some("interrupted before it was sent".to_owned())),
        }
    }
}

/// The merges of all clusters. A lead in several clusters is merged once, by the first.
fn merges(clusters: &[Cluster]) -> Vec<Merge<'_>> {
    let all = clusters.iter().flat_map(|cluster| {
        let name = |id: &str| {
            let contact = cluster.contacts.iter().find(|contact| contact.id == id)?;
            contact.name.as_deref().filter(|name| !name.is_empty())
        };
        cluster.merge.iter().map(move |from| Merge {
            by: cluster.by,
            value: &cluster.value,
            from,
            from_name: name(from),
            into: &cluster.survivor,
            into_name: name(&cluster.survivor),
        })
    });
    let mut seen = HashSet::new();
    all.filter(|merge| seen.insert(merge.from)).collect()
}

/// Removes merged leads from the mirror, so that reports do not show them until the next sync. A failure is only a
/// warning, because the merges are done and that sync removes the leads.
fn remove_merged(mirror: &Path, leads: &[String]) {
    let removed = Store::open(mirror).and_then(|mut store| store.remove_contacts(leads));
    if let Err(error) = removed {
        warn(&format!("the merged leads remain in the mirror until the next sync: {error}"));
    }
}

async fn apply(
    context: &Context,
    clusters: &[Cluster],
    mut meta: Value,
    extent: &Extent,
    mirror: &Path,
) -> Result<(), Error> {
    let planned = merges(clusters);
    if context.globals.consent.dry_run || planned.is_empty() {
        let rows: Vec<Value> = planned.iter().map(|merge| merge.row("planned", None)).collect();
        meta["dry_run"] = json!(context.globals.consent.dry_run);
        return Output::open(&context.globals.output)?.rows(meta, &rows, extent).await;
    }
    let count = planned.len();
    let leads = if count == 1 { "1 lead into a user" } else { &format!("{count} leads into users") };
    let merge = Intent::new(format!("Merge {leads}"), Confirm::Explicit).with_records(count);
    context.confirm(&merge.with_consequence("Merged leads are deleted. This cannot be undone."))?;
    let client = context.client()?;
    let me = directory::identity(&client).await?;
    let head = Head {
        run: journal::new_name(),
        command: "contacts dupes".to_owned(),
        target: BulkTarget::Contacts,
        workspace: me.workspace,
        admin_id: me.admin_id.unwrap_or_default(),
        started_at: Timestamp::now().as_second(),
        undoes: None,
        selection: None,
        about: json!({ "action": "merge" }),
    };
    let mut journal = RunJournal::begin(head, planned.iter().map(Merge::record).collect())?;
    execute::send(&client, &mut journal, CONCURRENCY).await?;
    let run = journal.run();
    let rows: Vec<Value> = planned.iter().map(|merge| merge.outcome(run)).collect();
    let count = |status: &str| rows.iter().filter(|row| row["status"] == status).count();
    let (merged, gone) = (count("merged"), count("gone"));
    meta["merged"] = json!(merged);
    meta["run"] = json!(run.head.run);
    Output::open(&context.globals.output)?.rows(meta, &rows, extent).await?;
    let leads: Vec<String> = planned
        .iter()
        .filter(|merge| {
            matches!(run.status(merge.from), RecordStatus::Done { .. } | RecordStatus::FoundDone { .. })
        })
        .map(|merge| merge.from.to_owned())
        .collect();
    remove_merged(mirror, &leads);
    if merged > 0 {
        notice("run `intercom-pp-cli sync` to update the users in the mirror");
    }
    if merged + gone == rows.len() {
        return Ok(());
    }
    let is_refused = |merge: &Merge| match run.status(merge.from) {
        RecordStatus::Failed { error } => matches!(error["http_status"].as_u64(), Some(401 | 403)),
        _ => false,
    };
    Err(Error::Failed {
        message: format!("merged {merged} of {} leads", rows.len()),
        exit: match merged + gone {
            0 if planned.iter().all(is_refused) => Exit::Authentication,
            0 => Exit::Failure,
            _ => Exit::Partial,
        },
        hint: Some("run it again: merged leads are skipped".into()),
    })
}
