//! Lists contacts with the typed client: `cargo run --example list_contacts`.
//!
//! Needs `INTERCOM_ACCESS_TOKEN`. Set `INTERCOM_BASE_URL` to use another server, for example a sandbox.

#![allow(clippy::print_stdout, reason = "the example prints its result")]

use std::error::Error;

use intercom::{Client, Region, Settings, Token};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let token = Token::new(std::env::var("INTERCOM_ACCESS_TOKEN")?)?;
    let base_url = match std::env::var("INTERCOM_BASE_URL") {
        Ok(url) => url.parse()?,
        Err(_) => Region::Us.base_url(),
    };
    let client = Client::new(Settings::new(base_url, Some(token)))?;

    // One record. Its types tolerate fields that differ from the description, and the raw document is available
    // beside them.
    let me = client.me().await?;
    println!("{} ({} bytes)", me.name.as_deref().unwrap_or("?"), me.raw().len());

    // All contacts, with one page in memory.
    let mut contacts = client.contacts().list().stream();
    let mut count = 0;
    while let Some(contact) = contacts.try_next().await? {
        count += 1;
        if count <= 3 {
            println!("{} {}", contact.id.as_deref().unwrap_or("?"), contact.email.as_deref().unwrap_or("-"));
        }
    }
    println!("{count} contacts");

    // Errors have the status, code, message and request id.
    match client.contacts().get("no-such-contact").await {
        Ok(contact) => println!("found {:?}", contact.id),
        Err(error) => println!("{:?} {:?}: {error}", error.status(), error.code()),
    }
    Ok(())
}
