//! Creates a contact, writes a note about it and tags it.
//!
//! `cargo run --example create_and_tag` runs against a sandbox.

#![allow(clippy::print_stdout, reason = "the example prints its results")]

mod workspace;

use intercom::{Client, Error, types};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = workspace::sandbox().await?;
    let contact = run(&workspace.client, "ada@example.com").await?;
    println!("{} {:?}", contact.email.as_deref().unwrap_or("-"), contact.id);
    Ok(())
}

/// Returns the contact as the workspace has it afterwards.
pub async fn run(client: &Client, email: &str) -> Result<types::Contact, Error> {
    let request = types::CreateContactRequest::default()
        .email(email)
        .name("Ada Lovelace")
        .custom_attributes([("plan", "pro")]);
    let contact = client.contacts().create(&request).await?.into_inner();
    let Some(id) = contact.id.clone() else { return Ok(contact) };

    // Creating a tag that exists returns the existing one.
    let tag = client.tags().create(&types::CreateTagRequest::new("vip")).await?;
    if let Some(tag) = &tag.id {
        client.contacts().tags_attach(&id, &types::AttachTagToContactRequest::new(tag.clone())).await?;
    }
    client.contacts().notes_create(&id, &types::CreateNoteRequest::new("Met at the conference.")).await?;
    Ok(client.contacts().get(id).await?.into_inner())
}
