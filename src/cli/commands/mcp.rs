//! `mcp`: what the MCP server is started with. Serving itself stands above the command line, in
//! `crate::mcp`.

use clap::{Arg, ArgAction, Command, value_parser};

use crate::cli::door::OwnerFile;
use crate::cli::stores;

pub fn command() -> Command {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let number = |name: &'static str, least: i64, default: &'static str, help: &'static str| {
        let parser = clap::value_parser!(u32).range(least..);
        Arg::new(name).long(name).value_name("N").value_parser(parser).default_value(default).help(help)
    };
    Command::new("mcp")
        .about("Serve all commands to an AI agent over MCP, on stdin and stdout")
        .arg(switch(
            "allow-writes",
            "Let the agent add to and change the workspace; without it, it can only read",
        ))
        .arg(
            switch(
                "allow-destructive",
                "Let the agent overwrite and remove, each time with a confirmation token",
            )
            .requires("allow-writes"),
        )
        .arg(
            Arg::new("toolsets")
                .long("toolsets")
                .value_name("GROUPS")
                .value_delimiter(',')
                .help("List the tools of these groups too, such as contacts,conversations"),
        )
        .arg(switch("all-tools", "List a tool for every command"))
        .arg(
            Arg::new("root")
                .long("root")
                .value_name("FOLDER")
                .value_parser(value_parser!(OwnerFile))
                .help("Let the agent name files, but only below this folder"),
        )
        .arg(number("max-rows", 1, "100", "Most rows of one answer; the rest follows with a cursor"))
        .arg(number(
            "max-bytes",
            1000,
            "25000",
            "Most bytes of one answer, at least 1000; the rest follows with a cursor",
        ))
        .arg(stores::argument())
        .after_help("In a client's configuration: command intercom-pp-cli, arguments mcp --profile NAME")
}
