//! Keeps a local copy, and refreshes single records of it, as a webhook would.
//!
//! `cargo run --example refresh_one_record` runs against a sandbox.

#![allow(clippy::print_stdout, reason = "the example prints its results")]

mod workspace;

use std::path::Path;

use intercom::local::{Refreshed, ResourceName, SyncOptions};
use intercom::{Client, Mirror, types};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = workspace::sandbox().await?;
    let folder = tempfile::tempdir()?;
    let name = run(&workspace.client, &folder.path().join("mirror.db")).await?;
    println!("the copy has the new name: {name:?}");
    Ok(())
}

/// Returns the name in the copy after a contact was renamed.
pub async fn run(client: &Client, path: &Path) -> Result<Option<String>, Box<dyn std::error::Error>> {
    let mut mirror = Mirror::open(path)?;
    let contacts = SyncOptions::new().only([ResourceName::Contacts]);
    let report = mirror.sync(client, contacts).await?;
    println!("synced {} contacts", report.resources.iter().map(|resource| resource.inserted).sum::<u64>());

    // Somebody renames a contact, and Intercom sends a webhook with its id.
    let first = client.contacts().list().limit(1).all().await?;
    let Some(id) = first.into_iter().find_map(|contact| contact.id) else { return Ok(None) };
    let request = types::UpdateContactRequest::default().name("Grace Hopper");
    client.contacts().update(&id, &request).await?;

    // The handler of the webhook.
    match mirror.refresh_contact(client, &id).await? {
        Refreshed::Stored { id } => Ok(mirror.contact(id)?.and_then(|contact| contact.name.clone())),
        _ => Ok(None),
    }
}
