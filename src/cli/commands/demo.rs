//! `demo`: shows the main features from end to end without an account.
//!
//! Serves a sandbox workspace, mirrors it over HTTP into a temporary store, and prints two reports from that store. It
//! uses the same client, sync and reports as the other commands, and must never touch the user's mirror.

use std::fmt::Write;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::api::client::Client;
use crate::api::secret::Token;
use crate::api::transport::Settings;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Format, Output, cut, notice, terminal_width};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::mirror::{Event, Store, Summary, SyncOptions, sync};
use crate::report::contact_360::{self, Contact360, ConversationSummary, contact_360};
use crate::report::sla::{Metric, SlaOptions, SlaReport, sla};
use crate::sandbox::{Options, Sandbox, TOKEN};

const NEXT_STEPS: &str = "\
To continue with your own workspace (create an access token in Intercom's Developer Hub):
  intercom-pp-cli auth set-token        enter and save the token
  intercom-pp-cli --region eu doctor    check the connection (region us, eu or au)
  intercom-pp-cli sync                  mirror the workspace
  intercom-pp-cli conversations sla     the table above, from your data
";

/// Try it without an account: mirror a sandbox workspace and print reports from the mirror
#[derive(Args)]
#[group(skip)]
pub struct Demo {}

impl HandwrittenCommand for Demo {
    const WORDS: &'static str = "demo";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        if context.globals.consent.dry_run {
            let shown = json!({ "dry_run": true, "action": "serve a sandbox on this machine, mirror it, report from the mirror" });
            return Output::open(&context.globals.output)?.value(&shown).await;
        }
        let failed = |error: crate::sandbox::Error| Error::Sandbox(error.to_string());
        let sandbox = Sandbox::start(Options::default()).await.map_err(failed)?;
        notice(&format!("mirroring a sandbox workspace from {}", sandbox.base_url()));
        let folder = tempfile::tempdir()?;
        let mut store = Store::open(&folder.path().join("demo.db"))?;
        let base_url =
            sandbox.base_url().parse().map_err(|_| Error::Sandbox("its address is invalid".into()))?;
        let token = Token::new(TOKEN).map_err(crate::api::Error::from)?;
        let client = Client::new(Settings::new(base_url, Some(token)))?;
        let summary = sync(&client, &mut store, &SyncOptions::default(), &mut |_: &Event| {}).await?;
        let report = sla(&store, &SlaOptions::default())?;
        let options = contact_360::ContactOptions { limit: 5, messages: false };
        let person = contact_360(&store, &busiest_contact(&store)?, &options)?;
        sandbox.stop().await;
        if matches!(context.globals.output.format(), Some(Format::Json | Format::Ndjson)) {
            let shown = json!({ "sync": summary, "sla": report, "contact": person });
            return Output::open(&context.globals.output)?.report(json!({ "source": "local" }), &shown).await;
        }
        Output::open(&context.globals.output)?.text(&summary_text(&summary, &report, &person)).await
    }
}

/// The contact with the most conversations.
fn busiest_contact(store: &Store) -> Result<String, Error> {
    let sql = "SELECT contact_id FROM conversation_contacts GROUP BY contact_id ORDER BY count(*) DESC, contact_id LIMIT 1";
    let busiest = store.connection().query_row(sql, [], |row| row.get(0));
    busiest.map_err(|error| crate::mirror::Error::Database(error).into())
}

fn first_line(conversation: &ConversationSummary) -> String {
    let text = conversation.last_message.as_ref().map_or("", |message| message.text.as_str());
    // The other columns of the row take 37 terminal columns.
    let width = terminal_width().map_or(72, |width| width.saturating_sub(37).clamp(20, 72));
    cut(text.lines().next().unwrap_or_default(), width)
}

fn summary_text(summary: &Summary, report: &SlaReport, person: &Contact360) -> String {
    let mut text = String::new();
    let counts: Vec<String> = summary
        .resources
        .iter()
        .map(|outcome| format!("{} {}", outcome.written.fetched, outcome.resource))
        .collect();
    let _ = writeln!(text, "Mirrored in {:.1} s: {}.\n", summary.seconds, counts.join(", "));
    let _ = writeln!(text, "Response times by team (conversations sla --group-by team):\n");
    let _ = writeln!(
        text,
        "  {:<16} {:>5} {:>8} {:>10} {:>10} {:>10} {:>10}",
        "team", "convs", "answered", "first p50", "first p90", "solved p50", "solved p90"
    );
    let number =
        |value: Option<f64>, unit: &str| value.map_or("-".to_owned(), |value| format!("{value:.1} {unit}"));
    for row in report.rows.iter().chain([&report.total]) {
        let figures = &row.figures;
        let (first, solved) = (figures.of(Metric::FirstResponse), figures.of(Metric::Resolution));
        let _ = writeln!(
            text,
            "  {:<16} {:>5} {:>8} {:>10} {:>10} {:>10} {:>10}",
            cut(&row.name, 16),
            figures.conversations,
            figures.answered,
            number(first.and_then(|times| times.p50), "min"),
            number(first.and_then(|times| times.p90), "min"),
            number(solved.and_then(|times| times.p50), "h"),
            number(solved.and_then(|times| times.p90), "h"),
        );
    }
    let name = ["name", "email", "id"].iter().find_map(|key| person.contact[key].as_str()).unwrap_or("?");
    let _ = writeln!(text, "\nLatest conversations of {name}, with the last message:\n");
    for conversation in &person.recent_conversations {
        let day = conversation.created_at.and_then(|at| Timestamp::from_second(at).ok());
        let _ = writeln!(
            text,
            "  {:<10} {:<8} {:<14} {}",
            day.map_or("?".to_owned(), |day| day.strftime("%Y-%m-%d").to_string()),
            conversation.state,
            cut(conversation.team.as_deref().unwrap_or("-"), 14),
            first_line(conversation),
        );
    }
    let _ = write!(text, "\n{NEXT_STEPS}");
    text
}
