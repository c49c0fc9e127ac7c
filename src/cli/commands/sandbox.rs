//! `sandbox serve`: serves a simulated workspace on this machine, to try commands without an account.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Output, notice};
use crate::sandbox::{Options, QUIRK_NAMES, Quirk, Sandbox, TOKEN};

pub fn command() -> Command {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        let parser = clap::value_parser!(u32).range(0..=5_000_000);
        Arg::new(name).long(name).value_name("N").value_parser(parser).default_value(default).help(help)
    };
    let serve = Command::new("serve")
        .about("Serve a workspace from memory until interrupted, and print how to connect to it")
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("PORT")
                .value_parser(clap::value_parser!(u16))
                .default_value("0")
                .help("Port on 127.0.0.1; 0 means any free port"),
        )
        .arg(number("seed", "1", "Random seed; equal seeds create equal workspaces"))
        .arg(number("contacts", "200", "Number of contacts"))
        .arg(number("companies", "40", "Number of companies"))
        .arg(number("conversations", "300", "Number of conversations"))
        .arg(number("parts", "5", "Average parts per conversation"))
        .arg(number("tickets", "60", "Number of tickets"))
        .arg(number("articles", "40", "Number of articles"))
        .arg(number("latency", "0", "Minimum response time in milliseconds"))
        .arg(number("calls-per-window", "1667", "Requests allowed per ten seconds"))
        .arg(
            Arg::new("token")
                .long("token")
                .value_name("TOKEN")
                .default_value(TOKEN)
                .help("Access token to accept"),
        )
        .arg(
            Arg::new("quirk")
                .long("quirk")
                .value_name("QUIRK")
                .action(ArgAction::Append)
                .value_parser(|text: &str| text.parse::<Quirk>())
                .help(format!(
                    "Imitate this quirk of real workspaces (repeatable): {}",
                    QUIRK_NAMES.join(", ")
                )),
        );
    Command::new("sandbox")
        .about("Simulate a workspace on this machine, to try and test commands without an account")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(serve)
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    if context.globals.consent.dry_run {
        let port = matches.get_one::<u16>("port");
        let shown = json!({ "dry_run": true, "action": "serve a sandbox on this machine", "port": port });
        return Output::open(&context.globals.output)?.value(&shown).await;
    }
    let sandbox =
        Sandbox::start(options(matches)).await.map_err(|error| Error::Sandbox(error.to_string()))?;
    let token = matches.get_one::<String>("token").map_or(TOKEN, String::as_str);
    let url = sandbox.base_url();
    notice(&format!("export INTERCOM_BASE_URL={url} INTERCOM_ACCESS_TOKEN={token}"));
    let started = json!({ "base_url": url, "token": token });
    Output::open(&context.globals.output)?.value(&started).await?;
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(())
}

fn options(matches: &ArgMatches) -> Options {
    let number = |name: &str| matches.get_one::<u32>(name).map_or(0, |number| *number as usize);
    Options {
        port: matches.get_one::<u16>("port").copied().unwrap_or_default(),
        seed: number("seed") as u64,
        contacts: number("contacts"),
        companies: number("companies"),
        conversations: number("conversations"),
        parts_per_conversation: number("parts"),
        tickets: number("tickets"),
        articles: number("articles"),
        latency: Duration::from_millis(number("latency") as u64),
        rate_limit: matches.get_one::<u32>("calls-per-window").copied().unwrap_or(1667),
        token: matches.get_one::<String>("token").cloned(),
        quirks: matches.get_many::<Quirk>("quirk").unwrap_or_default().cloned().collect(),
        ..Options::default()
    }
}
