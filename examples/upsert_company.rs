//! Creates a company or updates it, and attaches a contact to it.
//!
//! `cargo run --example upsert_company` runs against a sandbox.

#![allow(clippy::print_stdout, reason = "the example prints its results")]

mod workspace;

use intercom::{Client, Error, types};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = workspace::sandbox().await?;
    let company = run(&workspace.client, "acme-1", "Acme").await?;
    println!("{} {:?}", company.name.as_deref().unwrap_or("-"), company.id);
    Ok(())
}

/// `company_id` is your own id of the company. Sending the same id again updates the company.
pub async fn run(client: &Client, company_id: &str, name: &str) -> Result<types::Company, Error> {
    let request = types::CreateOrUpdateCompanyRequest::default()
        .company_id(company_id)
        .name(name)
        .monthly_spend(499)
        .custom_attributes([("region", "emea")]);
    let company = client.companies().upsert(&request).await?.into_inner();

    // A company without contacts is hidden in the inbox.
    let first = client.contacts().list().limit(1).all().await?;
    let contact = first.into_iter().find_map(|contact| contact.id);
    if let (Some(contact), Some(company)) = (contact, company.id.clone()) {
        let request = types::AttachContactToACompanyRequest::new(company);
        client.contacts().companies_attach(contact, &request).await?;
    }
    Ok(company)
}
