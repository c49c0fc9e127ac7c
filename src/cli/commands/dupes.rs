//! `contacts dupes`: contacts that share an address, and merging the leads among them.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use crate::api;
use crate::api::executor::{Arguments, operation};
use crate::cli::context::Context;
use crate::cli::endpoint::confirm;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Output, tell};
use crate::cli::{mirrored, stores};
use crate::mirror::{ResourceName, Store};
use crate::report::duplicates::{By, Cluster, duplicates};

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
             cluster before merging it: an address can belong to several people.\n\nExample: intercom-pp-cli contacts dupes \
             --by email --merge",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let by = match matches.get_one::<String>("by").map(String::as_str) {
        Some("phone") => By::Phone,
        Some("external_id" | "external-id") => By::ExternalId,
        _ => By::Email,
    };
    let store = Store::open_read_only(&stores::for_reading(context, matches)?)?;
    let mut clusters = duplicates(&store, by)?;
    let synced_at = mirrored::say_how_old(context, &store, &[ResourceName::Contacts])?;
    let all = clusters.len();
    clusters.truncate(matches.get_one::<u32>("limit").map_or(usize::MAX, |it| *it as usize));
    let meta = json!({
        "source": "local", "synced_at": synced_at, "by": by, "clusters": all, "has_more": all > clusters.len(),
    });
    if matches.get_flag("apply") {
        return apply(context, &clusters, meta).await;
    }
    let rows: Vec<Value> = match matches.get_flag("merge") {
        true => merges(&clusters).map(|merge| merge.row("planned", None)).collect(),
        false => clusters.iter().map(|it| serde_json::to_value(it).unwrap_or_default()).collect(),
    };
    Output::open(&context.globals)?.table(meta, &rows).await
}

/// One lead into one user.
struct Merge<'a> {
    value: &'a str,
    from: &'a str,
    into: &'a str,
}

impl Merge<'_> {
    fn row(&self, status: &str, error: Option<String>) -> Value {
        json!({ "value": self.value, "from": self.from, "into": self.into, "status": status, "error": error })
    }

    fn arguments(&self) -> Arguments {
        let body = json!({ "from": self.from, "into": self.into }).to_string();
        Arguments { body: Some(body.into_bytes()), ..Arguments::default() }
    }
}

fn merges(clusters: &[Cluster]) -> impl Iterator<Item = Merge<'_>> {
    clusters.iter().flat_map(|cluster| {
        let merge = |from| Merge { value: &cluster.value, from, into: &cluster.survivor };
        cluster.merge.iter().map(move |from| merge(from))
    })
}

async fn apply(context: &Context, clusters: &[Cluster], mut meta: Value) -> Result<(), Error> {
    let planned = merges(clusters).count();
    if context.globals.dry_run {
        let rows: Vec<Value> = merges(clusters).map(|merge| merge.row("planned", None)).collect();
        meta["dry_run"] = json!(true);
        return Output::open(&context.globals)?.table(meta, &rows).await;
    }
    if planned > 0 {
        confirm(context, &format!("merging {planned} leads"))?;
    }
    let client = context.client()?;
    let merge_contact = operation("MergeContact")?;
    let (mut rows, mut last) = (Vec::new(), None);
    for merge in merges(clusters) {
        match client.execute(merge_contact, &merge.arguments()).await {
            Ok(_) => rows.push(merge.row("merged", None)),
            // Somebody else was faster: the lead is gone.
            Err(error) if matches!(error.status(), Some(404 | 410)) => rows.push(merge.row("gone", None)),
            Err(error) => {
                rows.push(merge.row("failed", Some(error.to_string())));
                let hopeless = matches!(error.status(), Some(401 | 403));
                last = Some(error);
                if hopeless {
                    break;
                }
            }
        }
    }
    let merged = rows.iter().filter(|row| row["status"] == "merged").count();
    meta["merged"] = json!(merged);
    Output::open(&context.globals)?.table(meta, &rows).await?;
    if merged > 0 {
        tell("run `intercom-pp-cli sync` to bring the mirror up to date");
    }
    verdict(planned, merged, last)
}

fn verdict(planned: usize, merged: usize, last: Option<api::Error>) -> Result<(), Error> {
    match last {
        None => Ok(()),
        Some(error) if merged == 0 => Err(error.into()),
        Some(_) => Err(Error::Finding {
            message: format!("{merged} of {planned} leads were merged"),
            exit: Exit::Partial,
            hint: Some("sync, and run it again: what was merged is no duplicate any more".to_owned()),
        }),
    }
}
