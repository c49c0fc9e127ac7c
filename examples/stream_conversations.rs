//! Reads all conversations with their parts, whatever their number, with flat memory.
//!
//! `cargo run --example stream_conversations` runs against a sandbox. Set `INTERCOM_ACCESS_TOKEN` for a real workspace.

#![allow(clippy::print_stdout, reason = "the example prints its results")]

mod workspace;

use futures::{StreamExt, TryStreamExt};
use intercom::{Client, Error};

/// Conversations fetched at the same time. The client keeps to the rate limit in any case.
const CONCURRENCY: usize = 8;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = workspace::connect().await?;
    let (conversations, parts) = run(&workspace.client).await?;
    println!("{conversations} conversations with {parts} parts");
    Ok(())
}

/// Returns the numbers of conversations and parts.
pub async fn run(client: &Client) -> Result<(usize, usize), Error> {
    // Lists omit the parts, so each conversation takes one more request. At most one page and `CONCURRENCY`
    // conversations are in memory.
    let complete = client
        .conversations()
        .list()
        .stream()
        .try_filter_map(|conversation| async move { Ok(conversation.id) })
        .map(|id| async move { client.conversations().get(id?).await })
        .buffer_unordered(CONCURRENCY);
    complete
        .try_fold((0, 0), |(conversations, parts), conversation| async move {
            let own = conversation.conversation_parts.as_ref().map_or(0, |parts| parts.len());
            Ok((conversations + 1, parts + own))
        })
        .await
}
