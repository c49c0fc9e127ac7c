//! Lists contacts: a page, then everyone who matches a filter, then everyone.
//!
//! `cargo run --example list_contacts` runs against a sandbox. Set `INTERCOM_ACCESS_TOKEN` for a real workspace.

#![allow(clippy::print_stdout, reason = "the example prints its results")]

mod workspace;

use std::time::Duration;

use intercom::{Client, Error, Filter, Timestamp};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = workspace::connect().await?;
    run(&workspace.client).await?;
    Ok(())
}

/// Returns the numbers of users who signed up in the last year, and of all contacts.
pub async fn run(client: &Client) -> Result<(usize, usize), Error> {
    // One page. It derefs to a slice of contacts.
    let page = client.contacts().list().per_page(5).page().await?;
    println!("{} of {} contacts:", page.len(), page.total_count().unwrap_or_default());
    for contact in &page {
        println!("  {} {}", contact.name.as_deref().unwrap_or("-"), contact.email.as_deref().unwrap_or("-"));
    }

    // A filter built in code. The API compares the times of contacts by day.
    let year_ago = Timestamp::now() - Duration::from_secs(365 * 24 * 3_600);
    let recent_users = Filter::eq("role", "user") & Filter::gt("signed_up_at", year_ago);
    let recent = client.contacts().search(recent_users).all().await?;
    println!("{} users signed up in the last year", recent.len());

    // All contacts, with one page in memory.
    let mut all = 0;
    let mut contacts = client.contacts().list().stream();
    while let Some(contact) = contacts.try_next().await? {
        assert!(contact.id.is_some());
        all += 1;
    }
    println!("{all} contacts in all");
    Ok((recent.len(), all))
}
