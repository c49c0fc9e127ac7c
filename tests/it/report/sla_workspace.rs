//! `sla` against metrics computed independently from the state of the sandbox.

use crate::sandboxed;
use std::collections::{BTreeMap, BTreeSet};

use intercom::mirror::{ResourceName, Store};
use intercom::report::Error;
use intercom::report::sla::{Figures, GroupBy, Metric, NO_GROUP, SlaOptions, SlaReport, sla};
use intercom::sandbox::model::conversation::{
    Author, Conversation, ConversationEvent, ConversationPart, ConversationState,
};
use intercom::sandbox::{Options, Workspace};
use serde_json::{Value, json};

use crate::sandboxed::{Fixture, NOW, some_conversation};

const DAY: i64 = 86_400;

fn medium() -> Options {
    Options { contacts: 60, companies: 5, conversations: 250, teams: 3, admins: 5, ..Options::default() }
}

fn report(store: &Store, options: SlaOptions) -> SlaReport {
    sla(store, &options).unwrap()
}

fn by(group_by: GroupBy) -> SlaOptions {
    SlaOptions { group_by, ..SlaOptions::default() }
}

/// The metrics of one conversation, computed directly from the definitions. Times in seconds.
struct ExpectedMetrics {
    contact_wrote: bool,
    response: Option<i64>,
    resolution: Option<i64>,
    closed: bool,
    snoozed: bool,
    reopened: bool,
}

fn visible(part: &ConversationPart) -> bool {
    match part.part_type {
        "comment" => true,
        "assignment" | "assign_and_reopen" | "close" | "snoozed" | "open" => {
            part.body.as_deref().is_some_and(|body| body != "<p></p>")
        }
        _ => false,
    }
}

fn expected_metrics(conversation: &Conversation) -> ExpectedMetrics {
    let mut messages: Vec<(i64, &Author)> = vec![(conversation.created_at, &conversation.source.author)];
    messages.extend(
        conversation.parts.iter().filter(|part| visible(part)).map(|part| (part.created_at, &part.author)),
    );
    let asked = messages.iter().position(|(_, author)| matches!(author, Author::Contact(_)));
    let asked_at = asked.map(|place| messages[place].0);
    let answered = asked
        .and_then(|place| messages[place..].iter().find(|message| matches!(message.1, Author::Admin(_))));
    let closed = conversation.state == ConversationState::Closed;
    let last_close =
        conversation.parts.iter().rfind(|part| part.part_type == "close").map(|part| part.created_at);
    let states: Vec<ConversationState> = conversation.parts.iter().map(|part| part.state).collect();
    ExpectedMetrics {
        contact_wrote: asked.is_some(),
        response: answered.zip(asked_at).map(|(answer, asked)| answer.0 - asked),
        resolution: last_close.zip(asked_at).filter(|_| closed).map(|(close, asked)| close - asked),
        closed,
        snoozed: conversation.state == ConversationState::Snoozed,
        reopened: states
            .windows(2)
            .any(|pair| pair[0] == ConversationState::Closed && pair[1] != ConversationState::Closed),
    }
}

fn percentile(mut samples: Vec<i64>, percent: f64, unit: f64, digits: i32) -> Value {
    if samples.len() < 5 {
        return Value::Null;
    }
    samples.sort_unstable();
    let rank = (percent / 100.0 * samples.len() as f64).ceil() as usize;
    let scale = 10_f64.powi(digits);
    json!((samples[rank - 1] as f64 / unit * scale).round() / scale)
}

fn figures(conversations: &[&Conversation]) -> Value {
    let all_metrics: Vec<ExpectedMetrics> =
        conversations.iter().map(|conversation| expected_metrics(conversation)).collect();
    let inside: Vec<&ExpectedMetrics> = all_metrics.iter().filter(|metrics| metrics.contact_wrote).collect();
    let count = |test: fn(&ExpectedMetrics) -> bool| inside.iter().filter(|metrics| test(metrics)).count();
    let responses: Vec<i64> = inside.iter().filter_map(|metrics| metrics.response).collect();
    let resolutions: Vec<i64> = inside.iter().filter_map(|metrics| metrics.resolution).collect();
    json!({
        "conversations": inside.len(),
        "answered": count(|metrics| metrics.response.is_some()),
        "unanswered": count(|metrics| metrics.response.is_none()),
        "closed": count(|metrics| metrics.closed),
        "open": count(|metrics| !metrics.closed),
        "snoozed": count(|metrics| metrics.snoozed),
        "reopened": count(|metrics| metrics.reopened),
        "excluded": all_metrics.len() - inside.len(),
        "truncated": 0,
        "breached": null,
        "first_response_p50_minutes": percentile(responses.clone(), 50.0, 60.0, 2),
        "first_response_p90_minutes": percentile(responses.clone(), 90.0, 60.0, 2),
        "first_response_n": responses.len(),
        "resolution_p50_hours": percentile(resolutions.clone(), 50.0, 3600.0, 3),
        "resolution_p90_hours": percentile(resolutions.clone(), 90.0, 3600.0, 3),
        "resolution_n": resolutions.len(),
        "first_response_target_met_pct": null,
        "first_response_breached": null,
        "resolution_target_met_pct": null,
        "resolution_breached": null,
    })
}

/// The groups of a conversation, as (name, id).
fn groups(
    workspace: &Workspace,
    conversation: &Conversation,
    group_by: GroupBy,
) -> Vec<(String, Option<String>)> {
    let none = || vec![(NO_GROUP.to_owned(), None)];
    match group_by {
        GroupBy::Team => conversation.team_assignee_id.map_or_else(none, |id| {
            vec![(workspace.team(id).unwrap().text("name").to_owned(), Some(id.to_string()))]
        }),
        GroupBy::Admin => conversation
            .admin_assignee_id
            .map_or_else(none, |id| vec![(workspace.admin(id).unwrap().name.clone(), Some(id.to_string()))]),
        GroupBy::Channel => {
            vec![(conversation.source.kind.to_owned(), Some(conversation.source.kind.to_owned()))]
        }
        GroupBy::Tag if conversation.tags.is_empty() => none(),
        GroupBy::Tag => {
            let tags = conversation.tags.iter();
            tags.map(|tag| (workspace.tag_name(&tag.tag_id).to_owned(), Some(tag.tag_id.clone()))).collect()
        }
        GroupBy::Company => {
            let contacts = conversation.contacts.iter().filter_map(|id| workspace.contacts.get(id));
            let ids: BTreeSet<&String> = contacts.flat_map(|contact| &contact.companies).collect();
            let name =
                |id: &String| workspace.companies.get(id).unwrap().name.clone().unwrap_or_else(|| id.clone());
            if ids.is_empty() {
                none()
            } else {
                ids.into_iter().map(|id| (name(id), Some(id.clone()))).collect()
            }
        }
        GroupBy::None => none(),
    }
}

/// The time of the opening message, or of the first contact message when the team started the conversation.
fn started_at(conversation: &Conversation) -> i64 {
    let from_contact = |author: &Author| matches!(author, Author::Contact(_));
    let first = conversation.parts.iter().find(|part| visible(part) && from_contact(&part.author));
    match first {
        Some(part) if !from_contact(&conversation.source.author) => part.created_at,
        _ => conversation.created_at,
    }
}

fn assert_rows(workspace: &Workspace, report: &SlaReport) {
    let within = |conversation: &&Conversation| {
        report.since.is_none_or(|since| started_at(conversation) >= since)
            && report.until.is_none_or(|until| started_at(conversation) < until)
    };
    let mut expected: BTreeMap<(String, Option<String>), Vec<&Conversation>> = BTreeMap::new();
    for conversation in workspace.conversations.iter().filter(within) {
        for group in groups(workspace, conversation, report.group_by) {
            expected.entry(group).or_default().push(conversation);
        }
    }
    assert_eq!(report.rows.len(), expected.len());
    for row in &report.rows {
        let members = &expected[&(row.name.clone(), row.id.clone())];
        assert_eq!(serde_json::to_value(&row.figures).unwrap(), figures(members), "{}", row.name);
    }
    let all: Vec<&Conversation> = workspace.conversations.iter().filter(within).collect();
    assert_eq!(serde_json::to_value(&report.total.figures).unwrap(), figures(&all));
}

#[tokio::test]
async fn every_grouping_agrees_with_the_workspace() {
    let fixture = Fixture::new(medium()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    for group_by in
        [GroupBy::Team, GroupBy::Admin, GroupBy::Tag, GroupBy::Channel, GroupBy::Company, GroupBy::None]
    {
        let report = report(&store, by(group_by));
        fixture.sandbox.with_workspace(|workspace| assert_rows(workspace, &report));
        assert!(!report.missing.incomplete && report.missing.synced_until.is_some());
        assert_eq!((report.missing.without_parts, report.missing.stale_parts), (0, 0));
    }
    let total: Figures = report(&store, by(GroupBy::None)).total.figures;
    for (name, count) in [
        ("excluded", total.excluded),
        ("unanswered", total.unanswered),
        ("reopened", total.reopened),
        ("open", total.open),
        ("closed", total.closed),
    ] {
        assert!(count > 0, "the workspace has no {name} conversation");
    }
}

#[tokio::test]
async fn bots_typed_as_people_are_neither_customers_nor_teammates() {
    for (quirk, kind) in [("operator-as-admin", "admin"), ("operator-as-user", "user")] {
        let quirks = vec![quirk.parse().unwrap()];
        let fixture = Fixture::new(Options { quirks, ..medium() }).await;
        let mut store = fixture.store("one.db");
        fixture.sync(&mut store).await;
        let report = report(&store, by(GroupBy::Team));
        fixture.sandbox.with_workspace(|workspace| assert_rows(workspace, &report));
        let typed = "SELECT count(*) FROM conversation_parts WHERE author_type = ?1 AND written_by = 'bot'";
        let count: i64 = store.connection().query_row(typed, [kind], |row| row.get(0)).unwrap();
        assert!(count > 0, "no bot is typed as {kind}");
    }
}

#[tokio::test]
async fn the_period_selects_by_the_start_of_the_conversation() {
    let fixture = Fixture::new(medium()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let edge = fixture.sandbox.with_workspace(|workspace| {
        let mut starts: Vec<i64> =
            workspace.conversations.iter().map(|conversation| conversation.created_at).collect();
        starts.sort_unstable();
        starts[starts.len() / 3]
    });
    for (since, until) in [(Some(edge), None), (None, Some(edge)), (Some(edge), Some(edge + 7 * DAY))] {
        let report = report(&store, SlaOptions { since, until, ..by(GroupBy::Team) });
        fixture.sandbox.with_workspace(|workspace| assert_rows(workspace, &report));
    }
    let nothing = report(&store, SlaOptions { since: Some(NOW + DAY), ..by(GroupBy::Team) });
    assert_eq!((nothing.rows.len(), nothing.total.figures.conversations), (0, 0));
}

#[tokio::test]
async fn few_samples_give_counts_but_no_percentiles() {
    let fixture = Fixture::new(medium()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let with = |min_samples| report(&store, SlaOptions { min_samples, ..by(GroupBy::None) }).total.figures;
    let first = |min_samples| with(min_samples).of(Metric::FirstResponse).unwrap().clone();
    let enough = first(1);
    assert!(enough.p50 <= enough.p90 && enough.p50.is_some());
    assert_eq!(first(enough.n).p50, enough.p50);
    let few = first(enough.n + 1);
    assert_eq!((few.p50, few.p90, few.n), (None, None, enough.n));
}

#[tokio::test]
async fn columns_are_named_after_the_grouping() {
    let fixture = Fixture::new(medium()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let columns = |group_by| {
        let report = serde_json::to_value(report(&store, by(group_by))).unwrap();
        report["rows"][0].as_object().unwrap().keys().take(3).cloned().collect::<Vec<_>>()
    };
    assert_eq!(columns(GroupBy::Team), ["team", "team_id", "conversations"]);
    assert_eq!(columns(GroupBy::Admin), ["admin", "admin_id", "conversations"]);
    assert_eq!(columns(GroupBy::Tag), ["tag", "tag_id", "conversations"]);
    assert_eq!(columns(GroupBy::Channel), ["channel", "conversations", "answered"]);
    assert_eq!(columns(GroupBy::None), ["conversations", "answered", "unanswered"]);
    let teams = report(&store, by(GroupBy::Team));
    let last = teams.rows.last().unwrap();
    assert_eq!((last.name.as_str(), &last.id), (NO_GROUP, &None));
    assert_eq!(serde_json::to_value(last).unwrap()["team_id"], Value::Null);
}

#[tokio::test]
async fn resources_that_were_never_synced_are_reported() {
    let fixture = Fixture::new(medium()).await;
    let mut store = fixture.store("one.db");
    let missing = |store: &Store| match sla(store, &SlaOptions::default()) {
        Err(Error::NothingSynced { resource }) => Some(resource),
        _ => None,
    };
    assert_eq!(missing(&store), Some(ResourceName::Conversations));
    let mut options = sandboxed::options();
    options.resources = vec![ResourceName::Conversations];
    fixture.sync_with(&mut store, &options).await;
    assert_eq!(missing(&store), Some(ResourceName::ConversationParts));
    options.resources = vec![ResourceName::ConversationParts];
    fixture.sync_with(&mut store, &options).await;
    assert_eq!(missing(&store), None);
}

#[tokio::test]
async fn missing_and_outdated_parts_are_counted() {
    let fixture = Fixture::new(medium()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let whole = report(&store, by(GroupBy::None)).total.figures;
    let id = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    store
        .connection()
        .execute("DELETE FROM conversation_parts_state WHERE conversation_id = ?1", [&id])
        .unwrap();
    store.fail(ResourceName::ConversationParts, "interrupted").unwrap();
    fixture.sandbox.with_workspace(|workspace| {
        let other = workspace
            .conversations
            .iter()
            .map(|conversation| conversation.id.clone())
            .find(|conversation| *conversation != id)
            .unwrap();
        let at = workspace.now();
        workspace
            .apply_event(&other, ConversationEvent::new("note", Author::Bot, at).with_body("x"))
            .unwrap();
    });
    let only = intercom::mirror::SyncOptions {
        resources: vec![ResourceName::Conversations],
        ..sandboxed::options()
    };
    fixture.sync_with(&mut store, &only).await;
    let report = report(&store, by(GroupBy::None));
    assert_eq!((report.missing.without_parts, report.missing.stale_parts), (1, 1));
    assert!(report.missing.incomplete);
    let figures = report.total.figures;
    assert_eq!(figures.conversations + figures.excluded + 1, whole.conversations + whole.excluded);
}

#[tokio::test]
async fn a_truncated_conversation_gives_no_first_response() {
    let fixture = Fixture::new(Options { conversations: 40, ..medium() }).await;
    let mut store = fixture.store("one.db");
    let id = fixture.sandbox.with_workspace(|workspace| {
        let long = |conversation: &&Conversation| {
            expected_metrics(conversation).response.is_some()
                && matches!(conversation.source.author, Author::Contact(_))
        };
        let id = workspace.conversations.iter().find(long).unwrap().id.clone();
        for _ in 0..600 {
            let at = workspace.now();
            let admin = Author::Admin(workspace.my_id());
            workspace
                .apply_event(&id, ConversationEvent::new("comment", admin, at).with_body("<p>Still here</p>"))
                .unwrap();
        }
        id
    });
    fixture.sync(&mut store).await;
    let found = report(&store, by(GroupBy::None)).total.figures;
    let answered = fixture.sandbox.with_workspace(|workspace| {
        let all = workspace
            .conversations
            .iter()
            .map(|conversation| (conversation.id.clone(), expected_metrics(conversation)));
        all.filter(|(other, metrics)| *other != id && metrics.contact_wrote && metrics.response.is_some())
            .count()
    });
    assert_eq!((found.truncated, found.of(Metric::FirstResponse).unwrap().n), (1, answered));
    assert_eq!(found.answered as usize, answered + 1);
}
