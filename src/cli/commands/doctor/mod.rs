//! `doctor`: checks everything between this machine and the workspace, in the order in which it would fail, with a
//! hint for each problem.
//!
//! It must never change anything; its only requests are reads of `/me`.

mod findings;
mod server;
mod text;

use std::net::ToSocketAddrs;
use std::path::Path;

use clap::Args;
use serde_json::json;

use self::findings::{CheckStatus, Findings, new_token};
use crate::cli::context::{ApiServer, Context};
use crate::cli::credentials::Credential;
use crate::cli::error::{Error, Exit, Hint, HintTopic};
use crate::cli::output::palette::Palette;
use crate::cli::output::{DocumentList, Extent, Output, terminal_width, to_json_text};
use crate::cli::preview;
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::config;
use crate::mirror::registry;

/// Check config, token, region, connection, rate limit, store and clock
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli doctor")]
pub struct Doctor {}

impl HandwrittenCommand for Doctor {
    const WORDS: &'static str = "doctor";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        if context.globals.consent.dry_run {
            return preview::show_identify(context).await;
        }
        let mut findings = Findings::default();
        if let Some(settings) = check_config(context, &mut findings) {
            let credential = check_token(context, &settings, &mut findings);
            if let Some(target) = check_region(context, &settings, &mut findings) {
                let reachable = check_address(&target, &mut findings).await;
                match credential.filter(|_| reachable) {
                    Some(credential) => {
                        server::check(context, &settings, &target, credential, &mut findings).await
                    }
                    None => findings.skipped("server", "needs a token and a reachable address"),
                }
            }
        }
        check_mode(context, &mut findings);
        check_store(&mut findings);
        let output = Output::open(&context.globals.output)?;
        if context.globals.output.is_for_people() {
            let palette = Palette::of(&context.globals.output);
            output.text(&text::render(&findings, terminal_width(), palette)).await?;
        } else {
            let list = to_json_text(&findings)?;
            let shown = findings.checks.len() as u64;
            let records = DocumentList { key: "checks", extent: Extent::complete("checks"), shown };
            output.wrapped().document(json!({ "source": "live" }), &list, Some(records)).await?;
        }
        match findings.exit {
            None => Ok(()),
            Some(exit) => {
                let failed = findings.checks.iter().filter(|check| check.verdict == CheckStatus::Failure);
                let names: Vec<&str> = failed.clone().map(|check| check.check).collect();
                let hint = failed.clone().find_map(|check| check.hint.clone());
                Err(Error::Failed { message: format!("failed: {}", names.join(", ")), exit, hint })
            }
        }
    }
}

fn check_config(context: &Context, findings: &mut Findings) -> Option<config::Settings> {
    let settings = context.settings();
    let path = context.config_path().unwrap_or_default();
    match settings {
        Ok(settings) if path.exists() => {
            let unknown = config::unknown_keys(&path).unwrap_or_default();
            let unknown: Vec<&str> = unknown.iter().map(|key| key.path.as_str()).collect();
            if unknown.is_empty() {
                findings.ok("config", path.display().to_string());
            } else {
                let detail = format!("{}: unknown keys: {}", path.display(), unknown.join(", "));
                findings.warning("config", detail, "check the spelling; unknown keys are ignored");
            }
            check_permissions(&path, findings);
            Some(settings)
        }
        Ok(settings) => {
            findings.ok("config", format!("{} does not exist, using defaults", path.display()));
            Some(settings)
        }
        Err(error) => {
            let hint = Hint::new("fix the file").or("use another one with ").flag("config").for_owner();
            findings.error("config", &error, hint);
            None
        }
    }
}

#[cfg(unix)]
fn check_permissions(path: &Path, findings: &mut Findings) {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777) {
        Ok(mode) if mode & 0o077 == 0 => findings.ok("permissions", format!("{mode:04o}")),
        Ok(mode) => {
            let detail = format!("{mode:04o}: other users can read the config file");
            findings.warning("permissions", detail, "run `chmod 600` on the config file");
        }
        Err(error) => findings.warning("permissions", error.to_string(), "check the config file"),
    }
}

#[cfg(not(unix))]
fn check_permissions(_path: &Path, findings: &mut Findings) {
    findings.skipped("permissions", "checked on Unix only");
}

fn check_token(
    context: &Context,
    settings: &config::Settings,
    findings: &mut Findings,
) -> Option<Credential> {
    match context.credential(settings) {
        Ok(Some(credential)) => {
            findings.ok("token", format!("{} from {}", credential.token, credential.place));
            Some(credential)
        }
        Ok(None) => {
            let hint = Hint::new("set INTERCOM_ACCESS_TOKEN or run ")
                .run("auth login")
                .about(HintTopic::MissingToken);
            findings.failure("token", Exit::Authentication, "no access token set", hint);
            None
        }
        Err(error) => {
            findings.error("token", &error, new_token());
            None
        }
    }
}

fn check_region(
    context: &Context,
    settings: &config::Settings,
    findings: &mut Findings,
) -> Option<ApiServer> {
    match context.api_server(settings) {
        Ok(target) => {
            let region = target.region.map_or("custom base URL".to_owned(), |region| region.to_string());
            let address = &target.base_url;
            if !address.username().is_empty() || address.password().is_some() {
                let detail = "the base URL contains a user name or password";
                let hint = "remove the user name and password; send other credentials with [headers]";
                findings.failure("region", Exit::Configuration, detail, hint);
                return None;
            }
            findings.ok("region", format!("{region}: {address} (from {})", target.source));
            Some(target)
        }
        Err(error) => {
            findings.error("region", &error, "use us, eu or au");
            None
        }
    }
}

/// Resolves the host name and opens a connection, to distinguish DNS problems from blocked ports.
async fn check_address(target: &ApiServer, findings: &mut Findings) -> bool {
    let host = target.base_url.host_str().unwrap_or_default().to_owned();
    let port = target.base_url.port_or_known_default().unwrap_or(443);
    let name = host.trim_matches(['[', ']']).to_owned();
    let resolved =
        tokio::task::spawn_blocking(move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter))
            .await;
    let addresses = match resolved {
        Ok(Ok(addresses)) if !addresses.is_empty() => addresses,
        _ => {
            let hint = "check the network and the base URL";
            findings.failure("dns", Exit::Failure, format!("cannot resolve {host}"), hint);
            return false;
        }
    };
    findings.ok("dns", format!("{host}: {}", addresses[0].ip()));
    let wait = std::time::Duration::from_secs(10);
    match tokio::time::timeout(wait, tokio::net::TcpStream::connect(&addresses[..])).await {
        Ok(Ok(_)) => {
            findings.ok("connection", format!("{host}:{port} accepts connections"));
            true
        }
        Ok(Err(error)) => {
            let has_proxy = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"]
                .iter()
                .any(|name| std::env::var_os(name).is_some());
            let hint = "check the firewall, proxy and base URL";
            if has_proxy {
                let detail = format!("no direct connection ({error}), but a proxy is set");
                findings.warning("connection", detail, hint);
            } else {
                findings.failure("connection", Exit::Failure, format!("{host}:{port}: {error}"), hint);
            }
            has_proxy
        }
        Err(_) => {
            let hint = "check the firewall and proxy";
            findings.failure("connection", Exit::Failure, format!("{host}:{port}: timed out"), hint);
            false
        }
    }
}

fn check_mode(context: &Context, findings: &mut Findings) {
    match context.read_only() {
        Ok(None) => findings.ok("mode", "changes allowed".to_owned()),
        Ok(Some(set_by)) => findings.ok("mode", format!("read-only, set by {set_by}")),
        Err(error) => {
            let hint = error.hint().unwrap_or_default();
            findings.error("mode", &error, hint);
        }
    }
}

fn check_store(findings: &mut Findings) {
    let Ok(folder) = config::data_folder() else {
        return findings.skipped("store", "no home directory found");
    };
    let paths = registry::mirrors().unwrap_or_default();
    let names = paths.iter().filter_map(|path| path.file_name()?.to_str());
    let stores: Vec<&str> = names.collect();
    if stores.is_empty() {
        let detail = format!("no mirror in {}; `intercom-pp-cli sync` creates one", folder.display());
        findings.skipped("store", detail);
    } else {
        findings.ok("store", format!("{}: {}", folder.display(), stores.join(", ")));
    }
}
