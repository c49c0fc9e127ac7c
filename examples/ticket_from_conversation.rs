//! Turns a conversation into a ticket, and moves the ticket to another state.
//!
//! `cargo run --example ticket_from_conversation` runs against a sandbox.

#![allow(clippy::print_stdout, reason = "the example prints its results")]

mod workspace;

use intercom::{Client, Error, Filter, types};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = workspace::sandbox().await?;
    match run(&workspace.client).await? {
        Some(ticket) => println!("ticket {:?} is {:?}", ticket.ticket_id, ticket.ticket_state),
        None => println!("no open conversation, or no ticket type for customers"),
    }
    Ok(())
}

/// Returns the ticket; `None` if the workspace has nothing to make one from.
pub async fn run(client: &Client) -> Result<Option<types::Ticket>, Error> {
    // Conversations become tickets of a type for customers.
    let kinds = client.ticket_types().list().all().await?;
    let is_for_customers = |kind: &&types::TicketType| kind.category == Some(types::TicketCategory::Customer);
    let Some(kind) = kinds.iter().find(is_for_customers).and_then(|kind| kind.id.clone()) else {
        return Ok(None);
    };
    let open = client.conversations().search(Filter::eq("state", "open")).limit(1).all().await?;
    let Some(conversation) = open.into_iter().find_map(|conversation| conversation.id) else {
        return Ok(None);
    };
    let request = types::ConvertConversationToTicketRequest::new(kind);
    let ticket = client.conversations().convert_to_ticket(conversation, &request).await?;

    // States have ids; each is in one of four categories.
    let states = client.ticket_states().all().await?;
    let waiting = states
        .iter()
        .find(|state| state.category == Some(types::TicketStateCategory::WaitingOnCustomer))
        .and_then(|state| state.id.clone());
    let (Some(id), Some(waiting)) = (ticket.id.clone(), waiting) else {
        return Ok(Some(ticket.into_inner()));
    };
    let request = types::UpdateTicketRequest::default().ticket_state_id(waiting);
    Ok(Some(client.tickets().update(id, &request).await?.into_inner()))
}
