//! `auth login`: asks for a token, checks it, finds its region, and saves both in a profile.
//!
//! Nothing is saved before the server has accepted the token, unless `--no-check` is given. The token of another workspace
//! must never be replaced without consent.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use super::target::{Server, Servers, Target};
use super::{ask_for_token, token, warn_of_variable};
use crate::api::access::{ReadAccess, try_reads};
use crate::api::identity::{Identity, identity};
use crate::api::region::Region;
use crate::api::secret::Token;
use crate::cli::consent::{Confirm, Intent};
use crate::cli::context::Context;
use crate::cli::credentials::{self, Credential, Profile, TokenSource};
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::files::stdin;
use crate::cli::output::{Output, warn};
use crate::cli::regions::{self, RegionSearch};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::token_store::{self, TokenStore};
use crate::config::{self, env_var};
use crate::data::printable::one_line;

/// How the permissions were determined.
const METHOD: &str = "one record of each kind was read; permissions to change something were not tried";

/// Check an access token, find its region, and save both
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Asks for the token on a terminal. A token is created in Intercom's Developer Hub, under Authentication of an app.\n\n\
                  Example: printf %s \"$TOKEN\" | intercom-pp-cli auth login --profile acme --with-token"
)]
pub struct Login {
    /// - reads the token from stdin, like --with-token
    #[arg(value_name = "-", hide = true)]
    from: Option<String>,
    /// Read the token from stdin
    #[arg(long)]
    with_token: bool,
    /// Where to save the token; auto is the keyring, or the config file without a keyring
    #[arg(long, value_name = "WHERE", default_value = "auto")]
    store: TokenStore,
    /// Save the token without sending a request
    #[arg(long)]
    no_check: bool,
}

/// What the server said about the token.
struct Account {
    me: Identity,
    server: Server,
    access: ReadAccess,
}

impl HandwrittenCommand for Login {
    const WORDS: &'static str = "auth login";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let target = Target::of(context)?;
        let servers = target.servers()?;
        if context.globals.consent.dry_run {
            let shown = json!({
                "dry_run": true,
                "action": "check the token and save it",
                "servers": servers.addresses(),
                "profile": target.profile,
                "store": self.store,
                "path": target.path,
            });
            return Output::open(&context.globals.output)?.value(&shown).await;
        }
        let token = self.token(context)?;
        let (server, account) = if self.no_check {
            (servers.chosen(), None)
        } else {
            let account = check(&target, servers, &token).await?;
            (None, Some(account))
        };
        confirm_replacement(context, &target, &token, account.as_ref()).await?;
        let server = account.as_ref().map(|account| &account.server).or(server.as_ref());
        let source = save(&target, &token, self.store, server, account.as_ref())?;
        warn_of_variable(target.profile.as_deref());
        let output = Output::open(&context.globals.output)?;
        if context.globals.output.is_for_people() {
            return output.text(&text(&target, account.as_ref(), source)).await;
        }
        let result = document(&target, server, account.as_ref(), source);
        output.report(json!({ "source": if account.is_some() { "live" } else { "local" } }), &result).await
    }
}

impl Login {
    fn token(&self, context: &Context) -> Result<Token, Error> {
        match self.from.as_deref() {
            None if !self.with_token => ask_for_token(context, "auth login --with-token < FILE"),
            None | Some("-") => token(&stdin::text().map_err(Error::usage)?),
            // The text may be a token, so it is not repeated.
            Some(_) => Err(Error::usage_with_hint(
                "a token on the command line is visible to other programs",
                Hint::new("type it when asked")
                    .or("pass it on stdin: ")
                    .run("auth login --with-token < FILE")
                    .for_owner(),
            )),
        }
    }
}

impl Servers {
    fn addresses(&self) -> Vec<String> {
        match self {
            Servers::Regions(regions) => regions.iter().map(|region| region.base_url().to_string()).collect(),
            Servers::Only(server) => vec![server.url.to_string()],
        }
    }

    /// The server that was named, if any.
    fn chosen(self) -> Option<Server> {
        match self {
            Servers::Regions(_) => None,
            Servers::Only(server) => Some(server),
        }
    }
}

/// Asks the servers who the token belongs to, and what it may read.
async fn check(target: &Target, servers: Servers, token: &Token) -> Result<Account, Error> {
    let credential = typed_credential(token);
    let (context, settings) = (&target.context, &target.merged);
    let (me, server) = match servers {
        Servers::Only(server) => {
            let client = context.client_at(settings, Some(credential.clone()), server.url.clone())?;
            match identity(&client).await {
                Ok(me) => (me, server),
                Err(error) if error.status() == Some(401) => return Err(refused_by(&server)),
                Err(error) => return Err(unchecked(error.into())),
            }
        }
        Servers::Regions(candidates) => {
            let tried = candidates.iter().map(Region::to_string).collect::<Vec<_>>().join(", ");
            let ask = async |region| regions::ask(context, settings, &credential, region).await;
            match regions::find(candidates, ask).await {
                RegionSearch { accepted: Some((region, me)), .. } => {
                    (me, Server { url: region.base_url(), region: Some(region), source: "found" })
                }
                search => match search.into_obstacle() {
                    Some((_, error)) => return Err(unchecked(error)),
                    None => {
                        let message = format!("no region accepted the token (tried {tried})");
                        return Err(refused(message, copy_whole_token()));
                    }
                },
            }
        }
    };
    let client = context.client_at(settings, Some(credential), server.url.clone())?;
    Ok(Account { me, access: try_reads(&client).await, server })
}

fn typed_credential(token: &Token) -> Credential {
    Credential {
        token: token.clone(),
        source: TokenSource::Environment,
        place: "this command".to_owned(),
        profile: None,
    }
}

fn refused_by(server: &Server) -> Error {
    let address = server.url.as_str().trim_end_matches('/');
    let what = server.region.map_or(address.to_owned(), |region| format!("region {region} ({address})"));
    let copy = copy_whole_token();
    let hint = match server.source {
        "environment" => {
            let set =
                ["INTERCOM_BASE_URL", "INTERCOM_REGION"].into_iter().find(|name| env_var(name).is_some());
            copy.or(format!("unset {} to try all regions", set.unwrap_or("INTERCOM_REGION"))).for_owner()
        }
        "flag" => {
            copy.or("leave out ").flag("region").text(" and ").flag("base-url").text(" to try all regions")
        }
        _ => copy,
    };
    refused(format!("{what} refused the token"), hint)
}

fn copy_whole_token() -> Hint {
    Hint::new("copy the whole token from the app's page in the Developer Hub").for_owner()
}

fn refused(message: String, hint: Hint) -> Error {
    Error::Failed {
        message: format!("{message}; nothing was saved"),
        exit: Exit::Authentication,
        hint: Some(hint),
    }
}

/// The error of a check that could not be made.
fn unchecked(error: Error) -> Error {
    let exit = error.exit();
    let hint = Hint::new("check the connection with ")
        .run("doctor")
        .or("save the token unchecked with ")
        .flag("no-check");
    Error::Failed {
        message: format!("the token could not be checked and was not saved: {error}"),
        exit,
        hint: Some(hint),
    }
}

/// Asks before the token of another workspace is replaced.
async fn confirm_replacement(
    context: &Context,
    target: &Target,
    token: &Token,
    account: Option<&Account>,
) -> Result<(), Error> {
    let settings = &target.own;
    // A malformed token is worth nothing.
    let existing =
        credentials::of_profile(Profile { name: target.profile.as_deref(), settings }).ok().flatten();
    let Some(existing) = existing.filter(|existing| existing.token != *token) else { return Ok(()) };
    let (old_id, old_name) = match (&target.own.workspace_id, account) {
        (Some(id), _) => (Some(id.clone()), target.own.workspace.clone()),
        (None, None) => (None, None),
        (None, Some(_)) => match owner(target, existing).await {
            Ok(Some(me)) => (me.reported_workspace().map(str::to_owned), me.workspace_name),
            // A refused token can be replaced.
            Ok(None) => return Ok(()),
            Err(_) => (None, None),
        },
    };
    let new_id = account.and_then(|account| account.me.reported_workspace());
    if old_id.is_some() && old_id.as_deref() == new_id {
        return Ok(());
    }
    let described = |id: Option<&str>, name: Option<&str>| match (name, id) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => "an unknown workspace".to_owned(),
    };
    let old = described(old_id.as_deref(), old_name.as_deref());
    let new = described(new_id, account.and_then(|account| account.me.workspace_name.as_deref()));
    let action = format!("Replace the token of {old} in {} by one of {new}", target.name());
    let other = "The old token is not kept; --profile NAME saves the new one separately.";
    context.confirm_local(&Intent::new(action, Confirm::Explicit).with_consequence(other))
}

/// The owner of a saved token, asked at the server that it is used with; `None` if the server refuses it.
async fn owner(target: &Target, existing: Credential) -> Result<Option<Identity>, Error> {
    let context = target.context.without_typed_server();
    let server = context.api_server(&target.merged)?;
    let client = context.client_at(&target.merged, Some(existing), server.base_url)?;
    match identity(&client).await {
        Ok(me) => Ok(Some(me)),
        Err(error) if error.status() == Some(401) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn save(
    target: &Target,
    token: &Token,
    store: TokenStore,
    server: Option<&Server>,
    account: Option<&Account>,
) -> Result<TokenSource, Error> {
    let me = account.map(|account| &account.me);
    let mut keys = vec![
        ("workspace", me.and_then(|me| me.workspace_name.as_deref())),
        ("workspace_id", me.and_then(Identity::reported_workspace)),
    ];
    let address = server.map(|server| server.url.as_str().trim_end_matches('/'));
    if let Some(server) = server {
        keys.push(("region", server.region.map(Region::as_str)));
        keys.push(("base_url", address.filter(|_| server.region.is_none())));
    }
    let profile = target.profile.as_deref();
    let source = token_store::save(&target.path, profile, token, store, &keys)?;
    if profile.is_some() && target.is_first {
        config::write_key(&target.path, None, "profile", profile)?;
    }
    let new_region = server.and_then(|server| server.region).map(|region| region.as_str());
    let has_changed = profile.is_none() && server.is_some() && new_region != target.own.region.as_deref();
    if has_changed && !target.without_server.is_empty() {
        warn(&format!(
            "profiles without a region or server now use this one: {}",
            target.without_server.join(", ")
        ));
    }
    Ok(source)
}

fn document(
    target: &Target,
    server: Option<&Server>,
    account: Option<&Account>,
    source: TokenSource,
) -> Value {
    let me = account.map(|account| &account.me);
    let access = account.map(|account| &account.access);
    json!({
        "logged_in": account.is_some(),
        "workspace_id": me.and_then(Identity::reported_workspace),
        "workspace_name": me.and_then(|me| me.workspace_name.as_deref()),
        "admin_id": me.and_then(|me| me.admin_id.as_deref()),
        "admin_name": me.and_then(|me| me.admin_name.as_deref()),
        "region": server.and_then(|server| server.region).map(Region::as_str),
        "region_source": server.map(|server| server.source),
        "base_url": server.map(|server| server.url.as_str().trim_end_matches('/')),
        "profile": target.profile,
        "is_default": target.is_default || target.is_first,
        "stored_in": source.name(),
        "path": target.path,
        "can_read": access.map(|access| &access.allowed),
        "cannot_read": access.map(|access| &access.refused),
        "not_determined": access.map(|access| &access.unknown),
        "determined_by": access.map(|_| METHOD),
    })
}

fn text(target: &Target, account: Option<&Account>, source: TokenSource) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match account {
        None => writeln!(text, "Saved the token without checking it."),
        Some(Account { me, server, .. }) => {
            let name = me.workspace_name.as_deref().unwrap_or("a workspace without a name");
            let id = me.reported_workspace().map(|id| format!(" ({id})")).unwrap_or_default();
            let teammate =
                me.admin_name.as_deref().or(me.admin_id.as_deref()).unwrap_or("an unknown teammate");
            let address = server.url.as_str().trim_end_matches('/');
            let place = server.region.map_or(format!("at {address}"), |region| format!("in region {region}"));
            writeln!(text, "{}", one_line(&format!("Logged in to {name}{id} {place} as {teammate}.")))
        }
    };
    let place = match source {
        TokenSource::Keyring => "the keyring".to_owned(),
        _ => target.path.display().to_string(),
    };
    let usage = match &target.profile {
        None => String::new(),
        Some(name) if target.is_default => format!(" (profile {name})"),
        Some(name) if target.is_first => format!(" (profile {name}, now the default)"),
        Some(name) => format!(
            " (profile {name}; use it with --profile {name}, or always after intercom-pp-cli auth switch {name})"
        ),
    };
    let _ = writeln!(text, "The token is in {place}{usage}.");
    if let Some(Account { access, .. }) = account {
        let _ = writeln!(text, "{}", permissions(access));
    }
    text
}

fn permissions(access: &ReadAccess) -> String {
    let mut sentence = match &access.refused[..] {
        [] => "The token can read everything that was tried".to_owned(),
        refused => format!("The token may not read {}", refused.join(", ")),
    };
    if !access.unknown.is_empty() {
        let _ = write!(sentence, "; not determined for {}", access.unknown.join(", "));
    }
    format!("{sentence} ({METHOD}).")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_permissions_are_named_with_how_they_were_found() {
        let access =
            ReadAccess { allowed: vec!["tags"], refused: vec!["tickets"], unknown: vec!["segments"] };
        assert_eq!(
            permissions(&access),
            format!("The token may not read tickets; not determined for segments ({METHOD}).")
        );
        let all = ReadAccess { allowed: vec!["tags"], ..ReadAccess::default() };
        assert!(permissions(&all).starts_with("The token can read everything that was tried ("));
    }
}
