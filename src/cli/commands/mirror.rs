//! `mirror`: maintains the mirror file: erases a person, and reclaims free space.
//!
//! An erased person must not be recoverable from the bytes of the file, so it is rewritten afterwards.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::consent::{Confirm, Intent};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::Output;
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::mirror::Store;

/// Erase a person from the mirror, including the bytes of its file
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Removes the contact (and all others with the same email address), its notes, tags, companies, \
        segments, subscriptions and calls. In conversations and tickets, the person's messages, subjects, titles, \
        attachments and remarks are emptied, as are the texts of custom attributes; their id and name \
        are removed. Their email address, telephone number, external id and id are replaced in every \
        other record, in any spelling; an id or external id of fewer than 7 characters only where it is \
        the value of an id field. Counts, times and states stay, as do messages of others, which \
        may mention the person by name. The search index is updated, and the file rewritten. If the command is \
        interrupted, run it again to complete it.\n\n\
        The workspace, exports, and journals of bulk runs and imports are not changed. A later sync \
        fetches whatever the workspace still has, so delete the person there first. --dry-run only counts.\n\n\
        Example: intercom-pp-cli mirror forget person1@company1.example --dry-run"
)]
pub struct ForgetPerson {
    /// Id, email address, external id or phone number
    #[arg(value_name = "CONTACT")]
    contact: String,
    #[command(flatten)]
    mirror: MirrorFlag,
}

/// Rewrite the mirror file without free space and removed data
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Needs disk space for a second copy of the file while it runs.\n\nExample: intercom-pp-cli mirror vacuum"
)]
pub struct VacuumMirror {
    #[command(flatten)]
    mirror: MirrorFlag,
}

impl HandwrittenCommand for ForgetPerson {
    const WORDS: &'static str = "mirror forget";
    const EFFECT: Effect = Effect::Destructive;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let (path, mut store) = open(context, &self.mirror)?;
        let output = Output::open(&context.globals.output)?;
        let dry_run = context.globals.consent.dry_run;
        if !dry_run {
            let action = format!("Erase {} from {}", self.contact, path.display());
            let forget = Intent::new(action, Confirm::Explicit).or_else("not erased");
            context.confirm_local(&forget.with_consequence(
                "All data of this person in the mirror is erased. This cannot be undone.",
            ))?;
        }
        let forgotten = store.forget(&self.contact, dry_run)?;
        if !dry_run {
            store.vacuum()?;
        }
        output.value(&json!({ "dry_run": dry_run, "store": path, "forgotten": forgotten })).await
    }
}

impl HandwrittenCommand for VacuumMirror {
    const WORDS: &'static str = "mirror vacuum";
    const EFFECT: Effect = Effect::Local;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let (path, mut store) = open(context, &self.mirror)?;
        let output = Output::open(&context.globals.output)?;
        if context.globals.consent.dry_run {
            return output.value(&json!({ "dry_run": true, "store": path })).await;
        }
        let (before, after) = store.vacuum()?;
        output.value(&json!({ "store": path, "bytes_before": before, "bytes": after })).await
    }
}

/// Opens an existing mirror for writing.
fn open(context: &Context, flag: &MirrorFlag) -> Result<(PathBuf, Store), Error> {
    let path = mirror_paths::for_reading(context, flag)?;
    // A missing mirror is an error and must not be created.
    drop(Store::open_read_only(&path)?);
    let store = Store::open(&path)?;
    Ok((path, store))
}
