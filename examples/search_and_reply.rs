//! Finds the open conversations that mention a word, oldest first, and replies to each.
//!
//! `cargo run --example search_and_reply` runs against a sandbox.

#![allow(clippy::print_stdout, reason = "the example prints its results")]

mod workspace;

use intercom::{Client, ConversationId, Error, Filter, Order, types};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = workspace::sandbox().await?;
    for id in run(&workspace.client, "invoice").await? {
        println!("replied to {id}");
    }
    Ok(())
}

/// Returns the ids of the conversations.
pub async fn run(client: &Client, word: &str) -> Result<Vec<ConversationId>, Error> {
    // The teammate that the token belongs to writes the reply.
    let me = client.me().await?;
    let Some(author) = me.id.clone() else { return Ok(Vec::new()) };

    let mentions = Filter::eq("state", "open") & Filter::contains("source.body", word);
    let search = client.conversations().search(mentions).sort("created_at", Order::Ascending).limit(3);
    let mut answered = Vec::new();
    for conversation in search.all().await? {
        let Some(id) = conversation.id else { continue };
        let reply = types::ReplyConversationRequest::new("comment", "admin")
            .admin_id(author.clone())
            .body("<p>Thank you, we are looking into it.</p>");
        client.conversations().reply(&id, &reply).await?;
        answered.push(id);
    }
    Ok(answered)
}
