//! `contacts dupes`: contacts that share an address, and merging the leads among them.

use std::collections::HashSet;
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::bulk::running;
use crate::bulk::change::{CHANGED_SINCE_PLAN, Sharing};
use crate::bulk::journal::Run;
use crate::bulk::{Change, Head, Journal, Record, Status, Target, journal, lists};
use crate::cli::consent::{Confirm, Intent};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Extent, Output, grouped, tell, warn};
use crate::cli::{mirrored, stores};
use crate::mirror::read::Choice;
use crate::mirror::{ResourceName, Store};
use crate::report::duplicates::{By, Cluster, duplicates};

/// Merges at the same time: two of one person's leads must not race each other for long.
const CONCURRENCY: usize = 4;

pub fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("dupes")
        .about("Contacts that are probably the same person, from the mirror; and merging them")
        .arg(
            Arg::new("by")
                .long("by")
                .value_name("FIELD")
                .value_parser(["email", "phone", "external_id", "external-id"])
                .default_value("email")
                .help("What they share"),
        )
        .arg(flag("merge").help("Show the merges that this would take: each lead into the user who should remain"))
        .arg(flag("apply").requires("merge").help("Carry the merges out; they cannot be undone"))
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("Only the first N clusters"),
        )
        .arg(stores::argument())
        .after_help(
            "The API merges leads into users and nothing else: other duplicates are listed under unmergeable. Look at a \
             cluster before merging it: an address can belong to several people. Both contacts are read from the \
             workspace right before a merge, which is skipped when they no longer share the value or their roles \
             have changed.\n\nExample: intercom-pp-cli contacts dupes \
             --by email --merge",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let by = match matches.get_one::<String>("by").map(String::as_str) {
        Some("phone") => By::Phone,
        Some("external_id" | "external-id") => By::ExternalId,
        _ => By::Email,
    };
    let mirror = stores::for_reading(context, matches)?;
    let store = Store::open_read_only(&mirror)?;
    let mut clusters = duplicates(&store, by)?;
    let synced_at = mirrored::say_how_old(context, &store, &[ResourceName::Contacts])?;
    let all = clusters.len();
    clusters.truncate(matches.get_one::<u32>("limit").map_or(usize::MAX, |it| *it as usize));
    let meta = json!({
        "source": "local", "synced_at": synced_at, "by": by, "clusters": all, "has_more": all > clusters.len(),
    });
    let extent = |rows: usize| {
        let (whole, is_cut) = (clusters.len() == rows, all > clusters.len());
        let total = (whole || !is_cut).then_some(if whole { all } else { rows } as u64);
        let contacts = grouped(store.count(ResourceName::Contacts, &Choice::default()).unwrap_or_default());
        let nothing = format!("no duplicates among {contacts} contacts");
        Extent::part("clusters", total, is_cut, "--limit N for more").or(nothing)
    };
    if matches.get_flag("apply") {
        let extent = extent(merges(&clusters).len());
        drop(store);
        return apply(context, &clusters, meta, &extent, &mirror).await;
    }
    let rows: Vec<Value> = match matches.get_flag("merge") {
        true => merges(&clusters).iter().map(|merge| merge.row("planned", None)).collect(),
        false => clusters.iter().map(|it| serde_json::to_value(it).unwrap_or_default()).collect(),
    };
    Output::open(&context.globals)?.table(meta, &rows, &extent(rows.len())).await
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

    fn record(&self) -> Record {
        let sharing = Some(Sharing { by: self.by, value: self.value.to_owned() });
        let change = Change::Merge { into: self.into.to_owned(), sharing };
        let before = json!({ "merged": false });
        Record { shown: json!({ "value": self.value }), ..Record::new(self.from.to_owned(), change, before) }
    }

    /// What became of it.
    fn outcome(&self, run: &Run) -> Value {
        match run.status(self.from) {
            Status::Done { .. } => self.row("merged", None),
            // Somebody else was faster: the lead is gone.
            Status::FoundDone { .. } => self.row("gone", None),
            Status::Unmatched => self.row("skipped", None),
            Status::Failed { error } => {
                let message = error["message"].as_str().unwrap_or("the workspace refused it");
                let status = if error["code"] == CHANGED_SINCE_PLAN { "skipped" } else { "failed" };
                self.row(status, Some(message.to_owned()))
            }
            Status::Sending | Status::Unconfirmed { .. } => {
                let message =
                    "the answer was lost and the lead cannot be read: look before you merge it again";
                self.row("unknown", Some(message.to_owned()))
            }
            Status::Planned => self.row("failed", Some("interrupted before it was sent".to_owned())),
        }
    }
}

/// A lead can be in several clusters; it is merged once, into the first.
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

/// Takes merged leads out of the mirror, so that nobody finds them there until the next sync. The merges are
/// done in any case: a mirror that cannot be written now follows with that sync.
fn take_out(mirror: &Path, leads: &[String]) {
    let removed = Store::open(mirror).and_then(|mut store| store.remove_contacts(leads));
    if let Err(error) = removed {
        warn(&format!("the merged leads are still in the mirror: {error}"));
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
    if context.globals.dry_run || planned.is_empty() {
        let rows: Vec<Value> = planned.iter().map(|merge| merge.row("planned", None)).collect();
        meta["dry_run"] = json!(context.globals.dry_run);
        return Output::open(&context.globals)?.table(meta, &rows, extent).await;
    }
    let count = planned.len();
    let leads = if count == 1 { "1 lead into a user" } else { &format!("{count} leads into users") };
    let merge = Intent::new(format!("Merge {leads}"), Confirm::Explicit).of_many(count);
    context.agree(&merge.with_consequence("A merged lead is gone; this cannot be undone."))?;
    let client = context.client()?;
    let me = lists::me(&client).await?;
    let head = Head {
        run: journal::new_name(),
        command: "contacts dupes".to_owned(),
        target: Target::Contacts,
        workspace: me.workspace,
        admin_id: me.admin_id.unwrap_or_default(),
        started_at: Timestamp::now().as_second(),
        undoes: None,
        selection: None,
        about: json!({ "action": "merge" }),
    };
    let mut journal = Journal::begin(head, planned.iter().map(Merge::record).collect())?;
    running::send(&client, &mut journal, CONCURRENCY).await?;
    let run = journal.run();
    let rows: Vec<Value> = planned.iter().map(|merge| merge.outcome(run)).collect();
    let count = |status: &str| rows.iter().filter(|row| row["status"] == status).count();
    let (merged, gone) = (count("merged"), count("gone"));
    meta["merged"] = json!(merged);
    meta["run"] = json!(run.head.run);
    Output::open(&context.globals)?.table(meta, &rows, extent).await?;
    let leads: Vec<String> = planned
        .iter()
        .filter(|merge| matches!(run.status(merge.from), Status::Done { .. } | Status::FoundDone { .. }))
        .map(|merge| merge.from.to_owned())
        .collect();
    take_out(mirror, &leads);
    if merged > 0 {
        tell("run `intercom-pp-cli sync` to bring the users they were merged into up to date");
    }
    if merged + gone == rows.len() {
        return Ok(());
    }
    let is_refused = |merge: &Merge| match run.status(merge.from) {
        Status::Failed { error } => matches!(error["http_status"].as_u64(), Some(401 | 403)),
        _ => false,
    };
    Err(Error::Finding {
        message: format!("{merged} of {} leads were merged", rows.len()),
        exit: match merged + gone {
            0 if planned.iter().all(is_refused) => Exit::Authentication,
            0 => Exit::Failure,
            _ => Exit::Partial,
        },
        hint: Some("run it again: leads that are merged already are left alone".to_owned()),
    })
}
