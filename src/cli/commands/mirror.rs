//! `mirror`: care for the mirror's file: write it again without free space, and forget a person.

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::cli::consent::{Confirm, Intent};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::Output;
use crate::cli::stores;
use crate::mirror::Store;

pub fn command() -> Command {
    Command::new("mirror")
        .about("Care for the mirror's file: forget a person, give free space back")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("forget")
                .about("Erase a person from the mirror, and from the bytes of its file")
                .arg(
                    Arg::new("contact")
                        .value_name("CONTACT")
                        .required(true)
                        .help("Id, e-mail address, external id or telephone number"),
                )
                .arg(stores::argument())
                .after_help(
                    "Removed are the contact (every one with the same e-mail address), its notes, tags, companies, segments, \
                     subscriptions and calls. In conversations and tickets the person's messages, subjects, titles, \
                     attachments and remarks are emptied, and so are the texts of custom attributes; their id and name \
                     are taken out. Their e-mail address, telephone number, external id and id are replaced in every \
                     other record, in any spelling; an id or external id of fewer than 7 characters only where it is \
                     the value of a field for ids. Counts, times and states stay, and so do messages of others, which \
                     may mention the person by name. The search index follows, and the file is written again. A call \
                     that was interrupted is completed by repeating it.\n\n\
                     Not touched are the workspace, exports, and journals of bulk runs and imports. A later sync \
                     fetches again what the workspace still has: delete the person there first. --dry-run counts only.\n\n\
                     Example: intercom-pp-cli sql \"SELECT id FROM contacts LIMIT 1\" --quiet | xargs intercom-pp-cli mirror forget --dry-run",
                ),
        )
        .subcommand(
            Command::new("vacuum")
                .about("Write the mirror's file again, without free space and what was removed from it")
                .arg(stores::argument())
                .after_help(
                    "Needs room for a second copy while it runs.\n\nExample: intercom-pp-cli mirror vacuum",
                ),
        )
}

pub async fn run(context: &Context, action: &str, matches: &ArgMatches) -> Result<(), Error> {
    let path = stores::for_reading(context, matches)?;
    // A mirror that is not there is an error, and none is made.
    drop(Store::open_read_only(&path)?);
    let mut store = Store::open(&path)?;
    let output = Output::open(&context.globals)?;
    if action == "vacuum" {
        if context.globals.dry_run {
            return output.value(&json!({ "dry_run": true, "store": path })).await;
        }
        let (before, after) = store.vacuum()?;
        return output.value(&json!({ "store": path, "bytes_before": before, "bytes": after })).await;
    }
    let person = matches.get_one::<String>("contact").map_or("", String::as_str);
    let dry_run = context.globals.dry_run;
    if !dry_run {
        let forget = Intent::new(format!("Forget {person} in {}", path.display()), Confirm::Explicit);
        context.agree_here(&forget.with_consequence("What the mirror holds of this person is erased."))?;
    }
    let forgotten = store.forget(person, dry_run)?;
    if !dry_run {
        store.vacuum()?;
    }
    output.value(&json!({ "dry_run": dry_run, "store": path, "forgotten": forgotten })).await
}
