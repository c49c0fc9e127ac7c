//! Verbs for single tickets: `tickets resolve|assign`. `note` and `reply` are in [`super::verb`].
//!
//! A ticket moves only to a state of its type.

use clap::Args;
use serde_json::{Value, json};

use super::verb::{AssigneeFlags, RecordFlags, Verb, VerbSession, after_help};
use crate::api::paging::RawPage;
use crate::api::request_builder::{Arguments, operation};
use crate::bulk::selection::SelectedRecord;
use crate::bulk::{BulkPlan, BulkTarget, Change};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::data::lenient;

#[derive(Args)]
#[group(skip)]
pub struct Assign {
    #[command(flatten)]
    assignee: AssigneeFlags,
}

impl Verb for Assign {
    const WORDS: &'static str = "tickets assign";
    const TARGET: BulkTarget = BulkTarget::Tickets;
    const ABOUT: &'static str = "Assign tickets to a teammate or a team";
    const NOTES: &'static str = "";
    const EXAMPLE: &'static str = "tickets assign 7300001 --team Support";

    async fn resolve(&self, session: &VerbSession<'_>) -> Result<(Change, Value), Error> {
        let (to, about) = self.assignee.resolve(session).await?;
        Ok((Change::Assign { to, close: false }, about))
    }
}

/// Resolve tickets, or move them to another state
#[derive(Args)]
#[group(skip)]
#[command(after_help = after_help("", "tickets resolve 7300001"))]
pub struct Resolve {
    /// State to move the tickets to instead, by name or id
    #[arg(long, value_name = "NAME|ID")]
    state: Option<String>,
    #[command(flatten)]
    records: RecordFlags,
}

impl HandwrittenCommand for Resolve {
    const WORDS: &'static str = "tickets resolve";
    const EFFECT: Effect = Effect::Write;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let records = self.records.records()?;
        let actor = self.records.actor.name.as_deref();
        let session = VerbSession::connect(context, Self::WORDS, BulkTarget::Tickets, actor).await?;
        session.run(plan(&session, records, self.state.as_deref())).await
    }
}

async fn plan(
    session: &VerbSession<'_>,
    mut records: Vec<SelectedRecord>,
    wanted: Option<&str>,
) -> Result<BulkPlan, Error> {
    let states = states(session).await?;
    session.documents(&mut records).await;
    let moves = records.into_iter().map(|record| {
        let state = match &record.document {
            Some(ticket) => choose(&states, ticket, wanted)?.clone(),
            // Planning reports why the ticket cannot be read.
            None => TicketState::default(),
        };
        Ok((record, Change::MoveTicket { state_id: state.id, state: state.label }))
    });
    let moves = moves.collect::<Result<Vec<_>, Error>>()?;
    session.plan(moves, json!({ "state": wanted })).await
}

/// A state of tickets in this workspace.
#[derive(Debug, Clone, Default, PartialEq)]
struct TicketState {
    id: String,
    label: String,
    category: String,
    /// Ids of the ticket types that have it; none if the API does not say.
    types: Vec<String>,
}

impl TicketState {
    fn read(document: &Value) -> Option<Self> {
        if document["archived"] == true {
            return None;
        }
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let types = document["ticket_types"]["data"].as_array().into_iter().flatten();
        Some(TicketState {
            id: lenient::id(&document["id"])?,
            label: text("internal_label"),
            category: text("category"),
            types: types.filter_map(|kind| lenient::id(&kind["id"])).collect(),
        })
    }

    fn has_type(&self, kind: Option<&str>) -> bool {
        kind.is_none_or(|kind| self.types.is_empty() || self.types.iter().any(|own| own == kind))
    }

    /// Whether it has this name or id; categories are names too.
    fn is_called(&self, wanted: &str) -> bool {
        let folded = |text: &str| text.trim().to_lowercase().replace(['_', '-'], " ");
        self.id == wanted.trim()
            || [&self.label, &self.category].iter().any(|name| folded(name) == folded(wanted))
    }
}

async fn states(session: &VerbSession<'_>) -> Result<Vec<TicketState>, Error> {
    let (list, arguments) = (operation("listTicketStates")?, Arguments::default());
    let page = RawPage::read(list, &arguments, session.client.fetch(list, &arguments).await?)?;
    page.require_list()?;
    let documents = page.items.iter().filter_map(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    Ok(documents.filter_map(|document| TicketState::read(&document)).collect())
}

/// The state that a ticket moves to: the one named, or the resolved state of its type.
fn choose<'s>(
    states: &'s [TicketState],
    ticket: &Value,
    wanted: Option<&str>,
) -> Result<&'s TicketState, Error> {
    let kind = lenient::id(&ticket["ticket_type"]["id"]);
    let own: Vec<&TicketState> = states.iter().filter(|state| state.has_type(kind.as_deref())).collect();
    let is_wanted = |state: &TicketState| match wanted {
        Some(wanted) => state.is_called(wanted),
        None => state.category == "resolved",
    };
    let found: Vec<&TicketState> = own.iter().copied().filter(|state| is_wanted(state)).collect();
    // A workspace can have several states of a category; the one named after it is the default.
    let named = found.iter().find(|state| state.label.eq_ignore_ascii_case(wanted.unwrap_or("resolved")));
    if let Some(state) = named.or(found.first().filter(|_| found.len() == 1)) {
        return Ok(state);
    }
    let labels = |states: &[&TicketState]| {
        let labels: Vec<String> = states.iter().map(|state| format!("{:?}", state.label)).collect();
        labels.join(", ")
    };
    let wanted = wanted.unwrap_or("resolved");
    let list = || Hint::default().run("ticket-states").text(" lists the states with their ids");
    Err(if found.is_empty() {
        Error::Failed {
            message: format!(
                "unknown state {wanted:?} of ticket {}: expected one of {}",
                lenient::id(&ticket["id"]).unwrap_or_default(),
                labels(&own)
            ),
            exit: Exit::NotFound,
            hint: Some(list()),
        }
    } else {
        Error::usage_with_hint(
            format!("several states are {wanted:?}: {}", labels(&found)),
            Hint::new("choose one with ").flag("state"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> Vec<TicketState> {
        let state = |id: &str, label: &str, category: &str, kind: &str| TicketState {
            id: id.to_owned(),
            label: label.to_owned(),
            category: category.to_owned(),
            types: vec![kind.to_owned()],
        };
        vec![
            state("1", "Submitted", "submitted", "bug"),
            state("2", "Resolved", "resolved", "bug"),
            state("3", "Won't fix", "resolved", "bug"),
            state("4", "Done", "resolved", "order"),
            state("5", "Shipped", "resolved", "parcel"),
            state("6", "Lost", "resolved", "parcel"),
        ]
    }

    #[test]
    fn a_ticket_moves_to_a_state_of_its_type() {
        let ticket = |kind: &str| json!({ "id": "9", "ticket_type": { "id": kind } });
        let chosen = |kind: &str, wanted: Option<&str>| {
            choose(&states(), &ticket(kind), wanted)
                .map(|state| state.id.clone())
                .map_err(|error| error.to_string())
        };
        assert_eq!(chosen("bug", None).unwrap(), "2");
        assert_eq!(chosen("order", None).unwrap(), "4");
        assert_eq!(chosen("bug", Some("won't fix")).unwrap(), "3");
        assert_eq!(chosen("bug", Some("1")).unwrap(), "1");
        assert!(chosen("parcel", None).unwrap_err().contains("\"Shipped\", \"Lost\""));
        assert!(chosen("order", Some("Won't fix")).unwrap_err().contains("expected one of \"Done\""));
    }
}
