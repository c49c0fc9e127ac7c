//! `profile save|list|show|use|delete`: settings for several workspaces in the config file.
//!
//! A profile holds the location of its token, its region or server, its mirror, and default global flags. Only flags
//! that the user typed are saved. A token must never be printed.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::consent::{Confirm, Intent};
use crate::cli::context::Context;
use crate::cli::credentials;
use crate::cli::error::{Error, Hint};
use crate::cli::files::OwnerFile;
use crate::cli::globals::{DataSource, Globals};
use crate::cli::keyring::{self, Secret};
use crate::cli::output::{Extent, Output, warn};
use crate::cli::profiles::{self, ProfileSummary};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::config::{self, Config, Flag};

/// Save the global flags of this command line under a name
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Example: intercom-pp-cli profile save staging --region eu --rate-limit 20 --max-age 1d"
)]
pub struct SaveProfile {
    /// Name of the profile
    #[arg(value_name = "NAME")]
    name: String,
    /// Environment variable that holds the token; otherwise save one with `auth login --profile NAME`
    #[arg(long, value_name = "VARIABLE")]
    token_env: Option<String>,
    /// Path of the mirror file
    #[arg(long, value_name = "PATH")]
    store: Option<OwnerFile>,
}

impl HandwrittenCommand for SaveProfile {
    const WORDS: &'static str = "profile save";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let name = self.name.as_str();
        profiles::check_name(name)?;
        let globals = &context.globals;
        let unsaved = [("--select", globals.output.select.is_some()), ("--jq", globals.output.jq.is_some())];
        if let Some((flag, _)) = unsaved.iter().find(|(_, is_given)| *is_given) {
            return Err(Error::usage_with_hint(
                format!("{flag} cannot be saved: it only fits one kind of output"),
                "leave it out here, and use it with the commands it is for",
            ));
        }
        let mut values = flags(globals);
        values.extend(self.token_env.map(|name| ("token_env".to_owned(), Flag::Text(name))));
        if let Some(file) = self.store {
            let path = std::path::absolute(file.path()?)?;
            values.push(("store".to_owned(), Flag::Text(path.to_string_lossy().into_owned())));
        }
        let path = context.config_path()?;
        if globals.consent.dry_run {
            let values: Map<String, Value> =
                values.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            let shown = json!({
                "dry_run": true, "action": "save the profile", "profile": name, "path": path, "values": values,
            });
            return Output::open(&globals.output)?.value(&shown).await;
        }
        config::write_profile(&path, name, &values)?;
        let config = Config::read(&path)?;
        if let Some(variable) = credentials::variable() {
            warn(&format!(
                "{variable} is set: it overrides the default profile, but not one given with --profile"
            ));
        }
        let saved = ProfileSummary::new(name, config.named(name)?, config.current(None) == Some(name));
        Output::open(&globals.output)?.report(json!({ "source": "local", "path": path }), &saved).await
    }
}

/// The flags that the user typed, under their keys in the config file.
fn flags(globals: &Globals) -> Vec<(String, Flag)> {
    let mut values = Vec::new();
    let mut add =
        |name: &str, value: Option<Flag>| values.extend(value.map(|value| (name.to_owned(), value)));
    add("region", globals.connection.region.map(|region| Flag::Text(region.to_string())));
    add("base_url", globals.connection.base_url.clone().map(Flag::Text));
    add("read_only", globals.consent.read_only.then_some(Flag::Switch(true)));
    add(
        "api_version",
        globals.connection.api_version.as_ref().map(|version| Flag::Text(version.to_string())),
    );
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
        ("csv", globals.output.is_csv()),
        ("csv-raw", globals.output.csv_raw),
        ("human-friendly", globals.is_typed("human-friendly")),
        ("idempotent", globals.consent.idempotent),
        ("ignore-missing", globals.consent.ignore_missing),
        ("json", globals.is_typed("json") || globals.output.agent),
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

/// List all profiles, and show which one is in use
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli profile list")]
pub struct ListProfiles {}

impl HandwrittenCommand for ListProfiles {
    const WORDS: &'static str = "profile list";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let columns = ["name", "current", "region", "base_url", "token", "store"].map(str::to_owned);
        let mut list = Output::open(&context.globals.output)?.list_with_columns("profiles", &columns)?;
        for profile in profiles::all(context)? {
            list.row(&profile)?;
        }
        let meta = json!({ "source": "local", "path": context.config_path()? });
        list.end(meta, &Extent::complete("profiles")).await
    }
}

/// Show the settings of a profile
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli profile show staging")]
pub struct ShowProfile {
    /// Name of the profile
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl HandwrittenCommand for ShowProfile {
    const WORDS: &'static str = "profile show";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let config = Config::read(&context.config_path()?)?;
        let current = config.current(context.globals.connection.profile.as_deref());
        let Some(name) = self.name.as_deref().or(current) else {
            return Err(Error::usage_with_hint(
                "no profile given, and no default profile is set",
                Hint::new("use ")
                    .run("profile show NAME")
                    .then("")
                    .run("profile list")
                    .text(" lists all profiles"),
            ));
        };
        let shown = ProfileSummary::new(name, config.named(name)?, current == Some(name));
        Output::open(&context.globals.output)?.report(json!({ "source": "local" }), &shown).await
    }
}

/// Set the default profile
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli profile use staging")]
pub struct UseProfile {
    /// Name of the profile
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Clear the default profile
    #[arg(long, conflicts_with = "name")]
    none: bool,
}

impl HandwrittenCommand for UseProfile {
    const WORDS: &'static str = "profile use";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let name = self.name.as_deref();
        if name.is_none() && !self.none {
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
        profiles::switch(context, name).await
    }
}

/// Delete a profile and its token
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli profile delete staging")]
pub struct DeleteProfile {
    /// Name of the profile
    #[arg(value_name = "NAME")]
    name: String,
}

impl HandwrittenCommand for DeleteProfile {
    const WORDS: &'static str = "profile delete";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let path = context.config_path()?;
        let name = self.name.as_str();
        match Config::read(&path)?.named(name) {
            Err(config::Error::NoProfile { .. }) if context.globals.consent.ignore_missing => {
                let noop = json!({ "status": "noop", "reason": "already_deleted" });
                return Output::open(&context.globals.output)?
                    .report(json!({ "source": "local" }), &noop)
                    .await;
            }
            found => found.map(drop)?,
        }
        if context.globals.consent.dry_run {
            let shown =
                json!({ "dry_run": true, "action": "delete the profile", "profile": name, "path": path });
            return Output::open(&context.globals.output)?.value(&shown).await;
        }
        context.confirm_local(
            &Intent::new(format!("Delete profile {name}"), Confirm::Explicit).or_else("not deleted"),
        )?;
        config::remove_profile(&path, name)?;
        for secret in [Secret::Token, Secret::Client] {
            keyring::remove(secret, Some(name));
        }
        let meta = json!({ "source": "local", "path": path });
        Output::open(&context.globals.output)?.report(meta, &json!({ "deleted": name })).await
    }
}
