//! `mirror`: maintains the mirror file: erases a person, and reclaims free space.
//!
//! An erased person must not be recoverable from the bytes of the file, so it is rewritten afterwards.

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::cli::consent::{Confirm, Intent};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::mirror_paths;
use crate::cli::output::Output;
use crate::mirror::Store;

pub fn command() -> Command {
    Command::new("mirror")
        .about("Maintain the mirror file: erase a person, reclaim free space")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("forget")
                .about("Erase a person from the mirror, including the bytes of its file")
                .arg(
                    Arg::new("contact")
                        .value_name("CONTACT")
                        .required(true)
                        .help("Id, e-mail address, external id or telephone number"),
                )
                .arg(mirror_paths::argument())
                .after_help(
                    "Removes the contact (and all others with the same e-mail address), its notes, tags, companies, segments, \
                     subscriptions and calls. In conversations and tickets, the person's messages, subjects, titles, \
                     attachments and remarks are emptied, as are the texts of custom attributes; their id and name \
                     are removed. Their e-mail address, telephone number, external id and id are replaced in every \
                     other record, in any spelling; an id or external id of fewer than 7 characters only where it is \
                     the value of an id field. Counts, times and states stay, as do messages of others, which \
                     may mention the person by name. The search index is updated, and the file rewritten. If the command is \
                     interrupted, run it again to complete it.\n\n\
                     The workspace, exports, and journals of bulk runs and imports are not changed. A later sync \
                     fetches whatever the workspace still has, so delete the person there first. --dry-run only counts.\n\n\
                     Example: intercom-pp-cli sql \"SELECT id FROM contacts LIMIT 1\" --quiet | xargs intercom-pp-cli mirror forget --dry-run",
                ),
        )
        .subcommand(
            Command::new("vacuum")
                .about("Rewrite the mirror file without free space and removed data")
                .arg(mirror_paths::argument())
                .after_help(
                    "Needs disk space for a second copy of the file while it runs.\n\nExample: intercom-pp-cli mirror vacuum",
                ),
        )
}

pub async fn run(context: &Context, action: &str, matches: &ArgMatches) -> Result<(), Error> {
    let path = mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::of(matches))?;
    // A missing mirror is an error and must not be created.
    drop(Store::open_read_only(&path)?);
    let mut store = Store::open(&path)?;
    let output = Output::open(&context.globals.output)?;
    if action == "vacuum" {
        if context.globals.consent.dry_run {
            return output.value(&json!({ "dry_run": true, "store": path })).await;
        }
        let (before, after) = store.vacuum()?;
        return output.value(&json!({ "store": path, "bytes_before": before, "bytes": after })).await;
    }
    let person = matches.get_one::<String>("contact").map_or("", String::as_str);
    let dry_run = context.globals.consent.dry_run;
    if !dry_run {
        let forget = Intent::new(format!("Erase {person} from {}", path.display()), Confirm::Explicit);
        context
            .confirm_local(&forget.with_consequence("All data of this person in the mirror is erased."))?;
    }
    let forgotten = store.forget(person, dry_run)?;
    if !dry_run {
        store.vacuum()?;
    }
    output.value(&json!({ "dry_run": dry_run, "store": path, "forgotten": forgotten })).await
}
