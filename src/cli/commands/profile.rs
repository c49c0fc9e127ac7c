//! `profile save|list|show|use|delete`: settings for several workspaces in the config file.
//!
//! A profile holds the location of its token, its region or server, its mirror, and default global flags. Only flags
//! that the user typed are saved. A token must never be printed.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Map, Value, json};

use crate::cli::consent::{Confirm, Intent};
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::files::OwnerFile;
use crate::cli::globals::{DataSource, Globals};
use crate::cli::output::{Extent, Output, warn};
use crate::cli::{credentials, keyring};
use crate::config::{self, Config, Flag, Settings};

pub fn command() -> Command {
    let name = |required| Arg::new("name").value_name("NAME").required(required).help("Name of the profile");
    Command::new("profile")
        .about("Manage named settings for several workspaces, for --profile")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("save")
                .about("Save the global flags of this command line under a name")
                .arg(name(true))
                .arg(
                    Arg::new("token-env")
                        .long("token-env")
                        .value_name("VARIABLE")
                        .help("Environment variable that holds the token; otherwise save one with `auth set-token --profile NAME`"),
                )
                .arg(Arg::new("store").long("store").value_name("PATH").value_parser(value_parser!(OwnerFile)).help("Path of the mirror file"))
                .after_help("Example: intercom-pp-cli profile save staging --region eu --rate-limit 20 --max-age 1d"),
        )
        .subcommand(Command::new("list").about("List all profiles, and show which one is in use"))
        .subcommand(Command::new("show").about("Show the settings of a profile").arg(name(false)))
        .subcommand(
            Command::new("use").about("Set the default profile").arg(name(false)).arg(
                Arg::new("none").long("none").action(ArgAction::SetTrue).conflicts_with("name").help("Clear the default profile"),
            ),
        )
        .subcommand(Command::new("delete").about("Delete a profile and its token").arg(name(true)))
}

pub async fn run(context: &Context, action: &str, matches: &ArgMatches) -> Result<(), Error> {
    let name = matches.try_get_one::<String>("name").ok().flatten().map(String::as_str);
    match (action, name) {
        ("save", Some(name)) => save(context, name, matches).await,
        ("list", _) => list(context).await,
        ("show", name) => show(context, name).await,
        ("use", name) => set_default(context, name, matches.get_flag("none")).await,
        (_, Some(name)) => delete(context, name).await,
        (_, None) => Err(Error::usage("missing: <NAME>")),
    }
}

/// All profiles without secrets.
///
/// # Errors
/// When the config file is unusable.
pub fn all(context: &Context) -> Result<Vec<Value>, Error> {
    let config = Config::read(&context.config_path()?)?;
    let current = config.current(context.globals.connection.profile.as_deref());
    let profiles =
        config.profiles.iter().map(|(name, settings)| profile_json(name, settings, current == Some(name)));
    Ok(profiles.collect())
}

async fn save(context: &Context, name: &str, matches: &ArgMatches) -> Result<(), Error> {
    if name.is_empty() || !name.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter)) {
        return Err(Error::usage_with_hint(
            format!("invalid profile name {name:?}"),
            Hint::new("use letters, digits, -, _ and ., for example ")
                .run("profile save eu-support --region eu"),
        ));
    }
    let unsaved = [
        ("--select", context.globals.output.select.is_some()),
        ("--jq", context.globals.output.jq.is_some()),
    ];
    if let Some((flag, _)) = unsaved.iter().find(|(_, is_given)| *is_given) {
        return Err(Error::usage_with_hint(
            format!("{flag} cannot be saved: it only fits one kind of output"),
            "leave it out here, and use it with the commands it is for",
        ));
    }
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let mut values = flags(&context.globals);
    values.extend(text("token-env").map(|name| ("token_env".to_owned(), Flag::Text(name))));
    if let Some(file) = matches.get_one::<OwnerFile>("store") {
        let path = std::path::absolute(file.path()?)?;
        values.push(("store".to_owned(), Flag::Text(path.to_string_lossy().into_owned())));
    }
    let path = context.config_path()?;
    if context.globals.consent.dry_run {
        let values: Map<String, Value> =
            values.iter().map(|(key, value)| (key.clone(), flag_json(value))).collect();
        let shown = json!({ "dry_run": true, "action": "save the profile", "profile": name, "path": path, "values": values });
        return Output::open(&context.globals.output)?.value(&shown).await;
    }
    config::write_profile(&path, name, &values)?;
    let config = Config::read(&path)?;
    let saved = config.profiles.get(name).cloned().unwrap_or_default();
    if let Some(variable) = credentials::variable() {
        warn(&format!(
            "{variable} is set: it overrides the default profile, but not one given with --profile"
        ));
    }
    let shown = profile_json(name, &saved, config.current(None) == Some(name));
    Output::open(&context.globals.output)?
        .document(json!({ "source": "local", "path": path }), &shown.to_string(), None)
        .await
}

/// The flags that the user typed, under their keys in the config file.
fn flags(globals: &Globals) -> Vec<(String, Flag)> {
    let mut values = Vec::new();
    let mut add =
        |name: &str, value: Option<Flag>| values.extend(value.map(|value| (name.to_owned(), value)));
    add("region", globals.connection.region.map(|region| Flag::Text(region.to_string())));
    add("base_url", globals.connection.base_url.clone().map(Flag::Text));
    add("read_only", globals.consent.read_only.then_some(Flag::Switch(true)));
    add("api_version", globals.connection.api_version.clone().map(Flag::Text));
    let seconds = |time: std::time::Duration| Flag::Text(format!("{}s", time.as_secs()));
    add("defaults.timeout", globals.connection.timeout.map(seconds));
    add("defaults.max-age", globals.connection.max_age.map(seconds));
    add("defaults.rate-limit", globals.connection.rate_limit.map(Flag::Number));
    let source = match globals.connection.data_source() {
        DataSource::Auto => None,
        DataSource::Live => Some("live"),
        DataSource::Local => Some("local"),
    };
    add("defaults.data-source", source.map(|source| Flag::Text(source.to_owned())));
    let format = globals.output.format().filter(|_| globals.is_typed("format"));
    add("defaults.format", format.map(|format| Flag::Text(format.name().to_owned())));
    for (name, on) in [
        ("compact", globals.output.compact),
        ("csv", globals.is_typed("csv")),
        ("csv-raw", globals.output.csv_raw),
        ("human-friendly", globals.is_typed("human-friendly")),
        ("idempotent", globals.consent.idempotent),
        ("ignore-missing", globals.consent.ignore_missing),
        ("json", globals.is_typed("json")),
        ("ndjson", globals.is_typed("ndjson")),
        ("no-input", globals.consent.no_input),
        ("plain", globals.is_typed("plain")),
        ("quiet", globals.is_typed("quiet")),
        ("verbose", globals.connection.verbose),
    ] {
        add(&format!("defaults.{name}"), on.then_some(Flag::Switch(true)));
    }
    for (name, value) in &globals.connection.headers {
        add(&format!("headers.{name}"), Some(Flag::Text(value.clone())));
    }
    values
}

async fn list(context: &Context) -> Result<(), Error> {
    let columns = ["name", "current", "region", "base_url", "token", "store"].map(str::to_owned);
    let mut list = Output::open(&context.globals.output)?.list_with_columns("profiles", &columns)?;
    for profile in all(context)? {
        list.record(&profile)?;
    }
    list.end(json!({ "source": "local", "path": context.config_path()? }), &Extent::complete("profiles"))
        .await
}

async fn show(context: &Context, name: Option<&str>) -> Result<(), Error> {
    let config = Config::read(&context.config_path()?)?;
    let current = config.current(context.globals.connection.profile.as_deref());
    let Some(name) = name.or(current) else {
        return Err(Error::usage_with_hint(
            "no profile given, and no default profile is set",
            Hint::new("use ")
                .run("profile show NAME")
                .then("")
                .run("profile list")
                .text(" lists all profiles"),
        ));
    };
    // Fails for an unknown name.
    config.profile(Some(name))?;
    let settings = config.profiles.get(name).cloned().unwrap_or_default();
    let shown = profile_json(name, &settings, current == Some(name));
    Output::open(&context.globals.output)?
        .document(json!({ "source": "local" }), &shown.to_string(), None)
        .await
}

async fn set_default(context: &Context, name: Option<&str>, none: bool) -> Result<(), Error> {
    let path = context.config_path()?;
    if name.is_none() && !none {
        return Err(Error::usage_with_hint(
            "missing: <NAME>",
            Hint::default()
                .run("profile list")
                .text(" lists all profiles")
                .then("")
                .flag("none")
                .text(" clears the default"),
        ));
    }
    Config::read(&path)?.profile(name)?;
    let shown = json!({ "profile": name });
    if context.globals.consent.dry_run {
        let shown = json!({ "dry_run": true, "action": "use the profile", "profile": name, "path": path });
        return Output::open(&context.globals.output)?.value(&shown).await;
    }
    config::write_key(&path, None, "profile", name)?;
    Output::open(&context.globals.output)?
        .document(json!({ "source": "local", "path": path }), &shown.to_string(), None)
        .await
}

async fn delete(context: &Context, name: &str) -> Result<(), Error> {
    let path = context.config_path()?;
    let exists = Config::read(&path)?.profiles.contains_key(name);
    if !exists && context.globals.consent.ignore_missing {
        let noop = json!({ "status": "noop", "reason": "already_deleted" });
        return Output::open(&context.globals.output)?
            .document(json!({ "source": "local" }), &noop.to_string(), None)
            .await;
    }
    Config::read(&path)?.profile(Some(name))?;
    if context.globals.consent.dry_run {
        let shown = json!({ "dry_run": true, "action": "delete the profile", "profile": name, "path": path });
        return Output::open(&context.globals.output)?.value(&shown).await;
    }
    context.confirm_local(&Intent::new(format!("Delete profile {name}"), Confirm::Explicit))?;
    config::remove_profile(&path, name)?;
    keyring::remove(Some(name));
    let shown = json!({ "deleted": name });
    Output::open(&context.globals.output)?
        .document(json!({ "source": "local", "path": path }), &shown.to_string(), None)
        .await
}

fn profile_json(name: &str, settings: &Settings, current: bool) -> Value {
    let token = match settings {
        Settings { token_env: Some(name), .. } => format!("environment variable {name}"),
        _ if keyring::read(Some(name)).is_some() => "keyring".to_owned(),
        Settings { access_token: Some(_), .. } => "config file".to_owned(),
        _ => "none".to_owned(),
    };
    let defaults: Map<String, Value> =
        settings.defaults.iter().map(|(name, value)| (name.clone(), flag_json(value))).collect();
    json!({
        "name": name,
        "current": current,
        "region": settings.region,
        "base_url": settings.base_url,
        "api_version": settings.api_version,
        "token": token,
        "store": settings.store,
        "read_only": settings.read_only,
        "headers": settings.headers.keys().collect::<Vec<_>>(),
        "defaults": defaults,
    })
}

fn flag_json(value: &Flag) -> Value {
    match value {
        Flag::Switch(value) => json!(value),
        Flag::Integer(value) => json!(value),
        Flag::Number(value) => json!(value),
        Flag::Text(value) => json!(value),
    }
}
