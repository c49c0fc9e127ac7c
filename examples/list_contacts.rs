//! Lists contacts with the typed client: `cargo run --example list_contacts`.
//!
//! Needs `INTERCOM_ACCESS_TOKEN`. Set `INTERCOM_BASE_URL` to use another server, for example a sandbox.

#![allow(clippy::print_stdout, reason = "the example prints its result")]

use std::error::Error;

use futures::TryStreamExt;
use intercom::api::request_builder::{Arguments, operation};
use intercom::{Client, Region, Settings, Token, types};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let token = Token::new(std::env::var("INTERCOM_ACCESS_TOKEN")?)?;
    let base_url = match std::env::var("INTERCOM_BASE_URL") {
        Ok(url) => url.parse()?,
        Err(_) => Region::Us.base_url(),
    };
    let client = Client::new(Settings::new(base_url, Some(token)))?;

    // A typed function. Its models tolerate fields that differ from the description, and the raw
    // document is available beside them.
    let me = client.identify_admin().await?;
    println!("{} ({} bytes)", me.name.as_deref().unwrap_or("?"), me.raw().len());

    // All pages of a list, each fetched when it is polled.
    let contacts = operation("ListContacts")?;
    let mut pages = std::pin::pin!(client.pages(contacts, Arguments::default(), None));
    let mut count = 0;
    while let Some(page) = pages.try_next().await? {
        for contact in page.records::<types::Contact>() {
            let contact = contact?;
            count += 1;
            if count <= 3 {
                println!(
                    "{} {}",
                    contact.id.as_deref().unwrap_or("?"),
                    contact.email.as_deref().unwrap_or("-")
                );
            }
        }
    }
    println!("{count} contacts");

    // Errors carry the status, code, message and request id.
    match client.show_contact("no-such-contact", None).await {
        Ok(contact) => println!("found {:?}", contact.id),
        Err(error) => println!("{:?} {:?}: {error}", error.status(), error.code()),
    }
    Ok(())
}
