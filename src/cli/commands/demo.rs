//! `demo`: shows the main features from end to end without an account.
//!
//! Serves a sandbox workspace, mirrors it over HTTP into a temporary store, and prints two reports from that store. It
//! uses the same client, sync and reports as the other commands, and must never touch the user's mirror.

use std::fmt::Write;
use std::io::{IsTerminal, Write as _};

use clap::Args;
use serde_json::json;

use crate::api::client::Client;
use crate::api::secret::Token;
use crate::api::transport::Settings;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::files::stdin;
use crate::cli::output::clock::Clock;
use crate::cli::output::{Format, Output, cut, notice, terminal_width};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::streams;
use crate::data::span;
use crate::mirror::{Event, Store, Summary, SyncOptions, sync};
use crate::report::contact_360::{self, Contact360, ConversationSummary, contact_360};
use crate::report::sla::{Metric, SlaOptions, SlaReport, sla};
use crate::sandbox::{Options, Sandbox, TOKEN, story};

/// Commands that find something in the sandbox, and what each shows.
const TO_TRY: [[&str; 2]; 3] = [
    ["conversations sla --week last", "response times of the last full week"],
    ["conversations incident-tag --mentions checkout --tag down", "preview of a bulk change"],
    ["contacts dupes", "leads that are the same person as a user"],
];

const OWN_WORKSPACE: &str = "\
With your own workspace (create an access token in Intercom's Developer Hub):
  intercom-pp-cli auth login    enter the token; its region is found and saved
  intercom-pp-cli sync          mirror the workspace
";

/// Try it without an account: mirror a sandbox workspace and print reports from the mirror
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli demo")]
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
        let sandbox = Sandbox::start(Options::default().with_story()).await.map_err(failed)?;
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
        let person = contact_360(&store, story::CUSTOMER, &options)?;
        let flags = &context.globals.output;
        if flags.ask_for_data() && flags.format() != Some(Format::Table) {
            let shown = json!({ "sync": summary, "sla": report, "contact": person });
            return Output::open(&context.globals.output)?.report(json!({ "source": "local" }), &shown).await;
        }
        let mut text = summary_text(&summary, &report, &person, &Clock::of(&context.globals.output));
        let asks = is_interactive(context);
        if !asks {
            let _ = write!(text, "\n{}", how_to_serve());
        }
        let _ = write!(text, "\n{OWN_WORKSPACE}");
        Output::open(&context.globals.output)?.text(&text).await?;
        if asks && wants_to_continue()? {
            notice(&connection(&sandbox.base_url()));
            tokio::signal::ctrl_c().await?;
        }
        sandbox.stop().await;
        Ok(())
    }
}

/// Whether somebody can read a question and answer it.
fn is_interactive(context: &Context) -> bool {
    let to_terminal = streams::current().is_none() && std::io::stdout().is_terminal();
    to_terminal && stdin::is_terminal() && !context.globals.consent.no_input
}

fn wants_to_continue() -> Result<bool, Error> {
    let mut stderr = std::io::stderr();
    stderr.write_all(b"\nKeep the sandbox running, to try more commands? [y/N] ")?;
    stderr.flush()?;
    Ok(matches!(stdin::line()?.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// How to use the sandbox while it runs.
fn connection(base_url: &str) -> String {
    let mut text = format!(
        "The sandbox runs until you press Ctrl-C. In another terminal:\n\n  \
         export INTERCOM_BASE_URL={base_url}\n  export INTERCOM_ACCESS_TOKEN={TOKEN}\n  intercom-pp-cli sync"
    );
    TO_TRY.iter().for_each(|[command, _]| {
        let _ = write!(text, "\n  intercom-pp-cli {command}");
    });
    text
}

fn how_to_serve() -> String {
    let mut text = "To try more on a workspace like this one:\n  \
         intercom-pp-cli sandbox serve     prints the two exports for another terminal\n  \
         intercom-pp-cli sync\n"
        .to_owned();
    for [command, shows] in TO_TRY {
        let _ = writeln!(text, "  intercom-pp-cli {command}\n      {shows}");
    }
    text
}

fn first_line(conversation: &ConversationSummary) -> String {
    let text = conversation.last_message.as_ref().map_or("", |message| message.text.as_str());
    // The other columns of the row take 44 terminal columns.
    let width = terminal_width().unwrap_or(80).saturating_sub(44).clamp(20, 72);
    cut(text.lines().next().unwrap_or_default(), width)
}

fn summary_text(summary: &Summary, report: &SlaReport, person: &Contact360, clock: &Clock) -> String {
    let mut text = String::new();
    let fetched: u64 = summary.resources.iter().map(|outcome| outcome.written.fetched).sum();
    let count = |name: &str| {
        let outcome = summary.resources.iter().find(|outcome| outcome.resource.to_string() == name);
        outcome.map_or(0, |outcome| outcome.written.fetched)
    };
    let _ = writeln!(
        text,
        "Mirrored {fetched} records in {}, among them {} contacts and {} conversations.\n",
        span::length(summary.seconds),
        count("contacts"),
        count("conversations"),
    );
    let _ = writeln!(text, "Response times by team; half of all conversations are faster than p50:\n");
    write_response_times(&mut text, report);
    let name = ["name", "email", "id"].iter().find_map(|key| person.contact[key].as_str()).unwrap_or("?");
    let _ = writeln!(text, "\nLatest conversations of {name}, with the last message:\n");
    for conversation in &person.recent_conversations {
        let _ = writeln!(
            text,
            "  {:<16} {:<8} {:<14} {}",
            conversation.created_at.map_or("?".to_owned(), |at| clock.short(at)),
            conversation.state,
            cut(conversation.team.as_deref().unwrap_or("-"), 14),
            first_line(conversation),
        );
    }
    text
}

/// A table of at most 80 columns.
fn write_response_times(text: &mut String, report: &SlaReport) {
    let mut row = |cells: [&str; 7]| {
        let [team, conversations, answered, times @ ..] = cells;
        let [first, first_90, solved, solved_90] = times;
        let _ = writeln!(
            text,
            "  {team:<14} {conversations:>5} {answered:>8} {first:>11} {first_90:>11} {solved:>11} {solved_90:>11}"
        );
    };
    row(["team", "convs", "answered", "first p50", "first p90", "solved p50", "solved p90"]);
    for group in report.rows.iter().chain([&report.total]) {
        let figures = &group.figures;
        let (first, solved) = (figures.of(Metric::FirstResponse), figures.of(Metric::Resolution));
        let minutes = |minutes: Option<f64>| length(minutes, 60.0);
        let hours = |hours: Option<f64>| length(hours, 3_600.0);
        row([
            &cut(if group.name == "(none)" { "unassigned" } else { &group.name }, 14),
            &figures.conversations.to_string(),
            &figures.answered.to_string(),
            &minutes(first.and_then(|times| times.p50)),
            &minutes(first.and_then(|times| times.p90)),
            &hours(solved.and_then(|times| times.p50)),
            &hours(solved.and_then(|times| times.p90)),
        ]);
    }
}

fn length(value: Option<f64>, seconds: f64) -> String {
    value.map_or("-".to_owned(), |value| span::length(value * seconds))
}
