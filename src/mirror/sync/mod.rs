//! Runs a sync, which brings the mirror up to date.
//!
//! Resources are fetched concurrently, conversations before their parts. One that fails does not stop the others.
//! Everything is stored page by page, so a run can be killed at any time. Writes block the async tasks: under the
//! API's rate limit the disk is far faster than the network.
//!
//! The modules in this folder decide what to fetch, and what a response proves. They build on `mirror::store`, which
//! must never import them.

mod contact_details;
mod conversation_details;
mod deletions;
pub mod events;
mod fetch_each;
mod follow_up;
mod list;
mod plan;
mod presence;
pub mod refresh;
pub mod refresh_contact;
mod resource;
mod route;
mod segments;
mod statistics;
pub mod sync_context;

use std::time::Instant;

use futures::future::try_join_all;

use self::events::{Event, Observer, ResourceOutcome, Summary};
use self::follow_up::follow_up;
use self::resource::sync_resource;
use self::sync_context::{ServerClock, SyncContext, SyncOptions};
use crate::api::client::Client;
use crate::api::identity::{Identity, identity};
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::{Store, Workspace};

/// Brings the selected resources up to date. Dropping the future interrupts the run; the next one continues where it
/// stopped.
///
/// # Errors
/// If the workspace cannot be identified (no connection, a refused token), the store belongs to another workspace,
/// another sync is writing to it, or the database fails. A resource that fails is reported in the summary instead.
pub async fn sync(
    client: &Client,
    store: &mut Store,
    options: &SyncOptions,
    observer: &mut dyn Observer,
) -> Result<Summary, Error> {
    let began = Instant::now();
    let _lock = store.lock()?;
    let owner = identity(client).await?;
    let clock = ServerClock::from_reply(&owner.reply);
    let workspace = workspace(client, &owner)?;
    match &workspace {
        Some(workspace) => store.bind(workspace)?,
        None => observer.event(&Event::SyncWarning {
            resource: None,
            message: "the API did not report which workspace the token belongs to".to_owned(),
        }),
    }
    let workspace = workspace.map(|workspace| workspace.id_code);
    let mut resources = options.resources.clone();
    resources.sort_unstable();
    resources.dedup();
    let started_at = clock.now();
    let start = Event::SyncStart { workspace: workspace.clone(), resources: resources.clone(), started_at };
    observer.event(&start);

    let contacts = store.sync_state(ResourceName::Contacts)?;
    let is_later_sync = options.prune || contacts.as_ref().is_some_and(|state| state.watermark.is_some());
    // The run may find deleted contacts if any are stored.
    let removes_contacts = options.prune || contacts.is_some();
    let run = SyncContext::new(client, store, options, observer, clock);
    let mut outcomes: Vec<ResourceOutcome> =
        try_join_all(lanes(&resources, removes_contacts).into_iter().map(|lane| sync_lane(&run, lane)))
            .await?
            .concat();
    outcomes.sort_by_key(|outcome| outcome.resource);
    if !options.cancel.is_cancelled() {
        follow_up(&run, &mut outcomes, is_later_sync).await?;
    }

    let complete = outcomes.iter().all(|outcome| outcome.complete || outcome.skipped);
    let seconds = began.elapsed().as_secs_f64();
    let interrupted = options.cancel.is_cancelled();
    let summary = Summary { workspace, started_at, seconds, complete, interrupted, resources: outcomes };
    run.emit(Event::SyncSummary(summary.clone()));
    Ok(summary)
}

/// Groups resources that must be synced in order: parts wait for their owners. If the run may find deleted contacts,
/// contacts come first, because everything that they took part in is fetched again.
fn lanes(resources: &[ResourceName], removes_contacts: bool) -> Vec<Vec<ResourceName>> {
    use ResourceName::{Contacts, ConversationParts, Conversations, TicketParts, Tickets};
    let groups: &[&[ResourceName]] = if removes_contacts {
        &[&[Contacts, Conversations, ConversationParts, Tickets, TicketParts]]
    } else {
        &[&[Conversations, ConversationParts], &[Tickets, TicketParts]]
    };
    let is_grouped = |resource: &ResourceName| groups.iter().any(|group| group.contains(resource));
    let alone = resources.iter().filter(|resource| !is_grouped(resource)).map(|resource| vec![*resource]);
    let grouped = groups
        .iter()
        .map(|group| group.iter().copied().filter(|resource| resources.contains(resource)).collect());
    alone.chain(grouped).filter(|lane: &Vec<_>| !lane.is_empty()).collect()
}

/// The workspace of the token; `None` if the API does not report its code.
fn workspace(client: &Client, owner: &Identity) -> Result<Option<Workspace>, Error> {
    let Some(id_code) = owner.reported_workspace() else { return Ok(None) };
    let identify = operation("identifyAdmin")?;
    let address = client.request(identify, &Arguments::default())?;
    Ok(Some(Workspace {
        id_code: id_code.to_owned(),
        name: owner.workspace_name.clone(),
        region: owner.region.clone(),
        base_url: Some(address.url().as_str().trim_end_matches(identify.path).to_owned()),
        timezone: owner.timezone.clone(),
    }))
}

async fn sync_lane<'a>(
    run: &'a SyncContext<'a>,
    lane: Vec<ResourceName>,
) -> Result<Vec<ResourceOutcome>, Error> {
    let mut outcomes = Vec::with_capacity(lane.len());
    for resource in lane {
        outcomes.push(sync_resource(run, resource).await?);
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_their_conversations() {
        use ResourceName::{ConversationParts, Conversations, Tags, Teams};
        let lanes = super::lanes(&[Conversations, ConversationParts, Teams, Tags], false);
        assert_eq!(lanes, [vec![Teams], vec![Tags], vec![Conversations, ConversationParts]]);
        assert_eq!(super::lanes(&[ResourceName::TicketParts], true), [[ResourceName::TicketParts]]);
    }
}
