//! `mcp`: the arguments of the MCP server, which itself is in `crate::mcp`, above the command line.

use clap::{Arg, ArgAction, Command, value_parser};

use crate::cli::files::OwnerFile;
use crate::cli::mirror_paths;

pub fn command() -> Command {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let number = |name: &'static str, least: i64, default: &'static str, help: &'static str| {
        let parser = clap::value_parser!(u32).range(least..);
        Arg::new(name).long(name).value_name("N").value_parser(parser).default_value(default).help(help)
    };
    Command::new("mcp")
        .about("Serve all commands to AI agents over MCP, on stdin and stdout")
        .arg(switch("allow-writes", "Let agents change the workspace; without it, they can only read"))
        .arg(
            switch(
                "allow-destructive",
                "Let agents overwrite and remove records, with a confirmation token for each call",
            )
            .requires("allow-writes"),
        )
        .arg(
            Arg::new("toolsets")
                .long("toolsets")
                .value_name("GROUPS")
                .value_delimiter(',')
                .help("Also list the tools of these groups, for example contacts,conversations"),
        )
        .arg(switch("all-tools", "List a tool for every command"))
        .arg(
            Arg::new("root")
                .long("root")
                .value_name("FOLDER")
                .value_parser(value_parser!(OwnerFile))
                .help("Let agents use files in this folder"),
        )
        .arg(number("max-rows", 1, "100", "Maximum rows per response; a cursor continues"))
        .arg(number(
            "max-bytes",
            1000,
            "25000",
            "Maximum bytes per response, at least 1000; a cursor continues",
        ))
        .arg(mirror_paths::argument())
        .after_help("Client configuration: command intercom-pp-cli, arguments mcp --profile NAME")
}
