//! `doctor`: checks everything between this machine and the workspace, in the order in which it
//! would fail, and says what to do about what is wrong.
//!
//! It only looks: nothing is changed, and the only requests are reads of `/me`.

use std::net::ToSocketAddrs;
use std::path::Path;

use clap::Command;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::auth::identify;
use crate::api::client::Client;
use crate::api::commands::SPEC_VERSION;
use crate::api::region::Region;
use crate::api::reply::Reply;
use crate::cli::context::{Context, Target};
use crate::cli::credentials::Credential;
use crate::cli::error::{Error, Exit};
use crate::cli::output::Output;
use crate::cli::preview;
use crate::config;

/// A clock that is off by more than this makes times relative to now go wrong.
const CLOCK_SKEW_SECONDS: i64 = 30;

pub fn command() -> Command {
    Command::new("doctor").about("Check config, token, region, connection, rate limit, store and clock")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Failure,
    Skipped,
}

#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    verdict: Verdict,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// What was found so far, and the exit code of the first failure.
#[derive(Default)]
struct Findings {
    checks: Vec<Check>,
    exit: Option<Exit>,
}

impl Findings {
    fn ok(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, Verdict::Ok, detail, None);
    }

    fn warning(&mut self, check: &'static str, detail: impl Into<String>, hint: &str) {
        self.add(check, Verdict::Warning, detail, Some(hint));
    }

    fn skipped(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(check, Verdict::Skipped, detail, None);
    }

    fn failure(&mut self, check: &'static str, exit: Exit, detail: impl Into<String>, hint: &str) {
        self.exit.get_or_insert(exit);
        self.add(check, Verdict::Failure, detail, Some(hint));
    }

    fn add(&mut self, check: &'static str, verdict: Verdict, detail: impl Into<String>, hint: Option<&str>) {
        self.checks.push(Check { check, verdict, detail: detail.into(), hint: hint.map(str::to_owned) });
    }
}

pub async fn run(context: &Context) -> Result<(), Error> {
    if context.globals.dry_run {
        return preview::show_identify(context).await;
    }
    let mut findings = Findings::default();
    if let Some(settings) = check_config(context, &mut findings) {
        let credential = check_token(context, &settings, &mut findings);
        if let Some(target) = check_region(context, &settings, &mut findings) {
            let reachable = check_address(&target, &mut findings).await;
            match credential.filter(|_| reachable) {
                Some(credential) => {
                    check_server(context, &settings, &target, credential, &mut findings).await
                }
                None => findings.skipped("server", "needs a token and a reachable address"),
            }
        }
    }
    check_store(&mut findings);
    let list = json!({ "checks": findings.checks }).to_string();
    Output::open(&context.globals)?.document(json!({ "source": "live" }), &list, Some("checks")).await?;
    match findings.exit {
        None => Ok(()),
        Some(exit) => {
            let failed = findings.checks.iter().filter(|it| it.verdict == Verdict::Failure);
            let names: Vec<&str> = failed.clone().map(|it| it.check).collect();
            let hint = failed.clone().find_map(|it| it.hint.clone());
            Err(Error::Finding { message: format!("failed: {}", names.join(", ")), exit, hint })
        }
    }
}

fn check_config(context: &Context, findings: &mut Findings) -> Option<config::Settings> {
    let settings = context.settings();
    let path = context.config_path().unwrap_or_default();
    match settings {
        Ok(settings) if path.exists() => {
            match config::unknown_keys(&path).unwrap_or_default() {
                unknown if unknown.is_empty() => findings.ok("config", path.display().to_string()),
                unknown => findings.warning(
                    "config",
                    format!("{}: unknown keys: {}", path.display(), unknown.join(", ")),
                    "correct their spelling; what is not known is not heeded",
                ),
            }
            check_permissions(&path, findings);
            Some(settings)
        }
        Ok(settings) => {
            findings.ok("config", format!("{} does not exist, defaults apply", path.display()));
            Some(settings)
        }
        Err(error) => {
            findings.failure(
                "config",
                error.exit(),
                error.to_string(),
                "correct the file or name another with --config",
            );
            None
        }
    }
}

#[cfg(unix)]
fn check_permissions(path: &Path, findings: &mut Findings) {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(path).map(|it| it.permissions().mode() & 0o777) {
        Ok(mode) if mode & 0o077 == 0 => findings.ok("permissions", format!("{mode:04o}")),
        Ok(mode) => findings.warning(
            "permissions",
            format!("{mode:04o}: others can read the config file"),
            "chmod 600 the config file",
        ),
        Err(error) => findings.warning("permissions", error.to_string(), "check the config file"),
    }
}

#[cfg(not(unix))]
fn check_permissions(_path: &Path, findings: &mut Findings) {
    findings.skipped("permissions", "only checked on Unix");
}

fn check_token(
    context: &Context,
    settings: &config::Settings,
    findings: &mut Findings,
) -> Option<Credential> {
    match context.credential(settings) {
        Ok(Some(credential)) => {
            findings.ok("token", format!("{} from the {}", credential.token, credential.source.name()));
            Some(credential)
        }
        Ok(None) => {
            let hint = "set INTERCOM_ACCESS_TOKEN or run `intercom-pp-cli auth set-token`";
            findings.failure("token", Exit::Authentication, "none is set", hint);
            None
        }
        Err(error) => {
            let hint = "set a new one with `intercom-pp-cli auth set-token`";
            findings.failure("token", error.exit(), error.to_string(), hint);
            None
        }
    }
}

fn check_region(context: &Context, settings: &config::Settings, findings: &mut Findings) -> Option<Target> {
    match context.target(settings) {
        Ok(target) => {
            let region = target.region.map_or("no region, a base URL".to_owned(), |it| it.to_string());
            let address = &target.base_url;
            if !address.username().is_empty() || address.password().is_some() {
                let hint =
                    "leave the user and password out of it; other credentials can be sent with [headers]";
                findings.failure(
                    "region",
                    Exit::Configuration,
                    "the base URL holds a user or a password",
                    hint,
                );
                return None;
            }
            findings.ok("region", format!("{region}: {address} (from {})", target.source));
            Some(target)
        }
        Err(error) => {
            findings.failure("region", error.exit(), error.to_string(), "use us, eu or au");
            None
        }
    }
}

/// Resolves the name and opens a connection: tells a DNS problem from a blocked port.
async fn check_address(target: &Target, findings: &mut Findings) -> bool {
    let host = target.base_url.host_str().unwrap_or_default().to_owned();
    let port = target.base_url.port_or_known_default().unwrap_or(443);
    let name = host.trim_matches(['[', ']']).to_owned();
    let resolved =
        tokio::task::spawn_blocking(move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter))
            .await;
    let addresses = match resolved {
        Ok(Ok(addresses)) if !addresses.is_empty() => addresses,
        _ => {
            findings.failure(
                "dns",
                Exit::Failure,
                format!("{host} cannot be resolved"),
                "check the network and the base URL",
            );
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
            let proxied =
                ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"].iter().any(|it| std::env::var_os(it).is_some());
            let hint = "check firewall, proxy and base URL";
            match proxied {
                true => {
                    findings.warning("connection", format!("not directly ({error}); a proxy is set"), hint)
                }
                false => {
                    findings.failure("connection", Exit::Failure, format!("{host}:{port}: {error}"), hint)
                }
            }
            proxied
        }
        Err(_) => {
            findings.failure(
                "connection",
                Exit::Failure,
                format!("{host}:{port}: no answer"),
                "check firewall and proxy",
            );
            false
        }
    }
}

async fn check_server(
    context: &Context,
    settings: &config::Settings,
    target: &Target,
    credential: Credential,
    findings: &mut Findings,
) {
    let client = match context.client_with(settings, Some(credential.clone())) {
        Ok(client) => client,
        Err(error) => {
            return findings.failure(
                "tls",
                error.exit(),
                error.to_string(),
                "check headers and certificates",
            );
        }
    };
    match identify(&client).await {
        Ok((reply, document)) => {
            let app = &document["app"];
            let name = app["name"].as_str().unwrap_or("?");
            findings.ok("workspace", format!("{name} ({})", app["id_code"].as_str().unwrap_or("?")));
            check_version(&client, findings);
            check_rate(&client, findings);
            check_clock(&reply, findings);
        }
        Err(error) if error.status() == Some(401) => {
            let accepting = accepting_regions(context, settings, target, &credential).await;
            let (detail, hint) = match accepting.first() {
                Some(region) => (
                    format!("{} refuses the token; region {region} accepts it", target.base_url),
                    format!("pass --region {region}, or set INTERCOM_REGION={region}"),
                ),
                None => (
                    format!(
                        "{} refuses the token, and so does every other region that could be asked",
                        target.base_url
                    ),
                    "set a new token with `intercom-pp-cli auth set-token`".to_owned(),
                ),
            };
            findings.failure("workspace", Exit::Authentication, detail, &hint);
        }
        Err(error) => {
            let wrapped = Error::Api(error);
            let hint = wrapped.hint().unwrap_or_default();
            findings.failure("workspace", wrapped.exit(), wrapped.to_string(), &hint);
        }
    }
}

/// The regions that accept the token, among those that are not the target itself. With a base URL
/// of one's own the token is not sent anywhere else.
async fn accepting_regions(
    context: &Context,
    settings: &config::Settings,
    target: &Target,
    credential: &Credential,
) -> Vec<Region> {
    let mut accepting = Vec::new();
    let Some(own) = target.region else { return accepting };
    for region in Region::ALL.into_iter().filter(|region| *region != own) {
        let Ok(client) = context.client_at(settings, Some(credential.clone()), region.base_url()) else {
            continue;
        };
        if identify(&client).await.is_ok() {
            accepting.push(region);
        }
    }
    accepting
}

fn check_version(client: &Client, findings: &mut Findings) {
    let sent = client.version().unwrap_or(client.transport().api_version()).to_owned();
    match sent == SPEC_VERSION {
        true => findings.ok("version", format!("Intercom-Version {sent}")),
        false => findings.warning(
            "version",
            format!("Intercom-Version {sent} is sent, the commands describe {SPEC_VERSION}"),
            "leave out --api-version and `api_version` unless you need them",
        ),
    }
}

fn check_rate(client: &Client, findings: &mut Findings) {
    match client.transport().usage().rate {
        Some(rate) if rate.remaining * 10 < rate.limit => findings.warning(
            "rate limit",
            format!("{} of {} calls left in this window", rate.remaining, rate.limit),
            "something else uses the same app's limit; --rate-limit leaves room for it",
        ),
        Some(rate) => findings
            .ok("rate limit", format!("{} of {} calls left in this window", rate.remaining, rate.limit)),
        None => findings.skipped("rate limit", "the server states none"),
    }
}

fn check_clock(reply: &Reply, findings: &mut Findings) {
    let date = reply.headers.get("date").and_then(|it| it.to_str().ok());
    let server = date.and_then(|it| jiff::fmt::rfc2822::parse(it).ok()).map(|it| it.timestamp().as_second());
    match server.map(|server| Timestamp::now().as_second() - server) {
        None => findings.skipped("clock", "the server does not tell the time"),
        Some(skew) if skew.abs() > CLOCK_SKEW_SECONDS => findings.warning(
            "clock",
            format!(
                "this machine is {} s {} the server",
                skew.abs(),
                if skew > 0 { "ahead of" } else { "behind" }
            ),
            "set the clock; spans such as 24h are counted from this machine's time",
        ),
        Some(skew) => findings.ok("clock", format!("{} s apart from the server", skew.abs())),
    }
}

fn check_store(findings: &mut Findings) {
    let Ok(folder) = config::data_folder() else {
        return findings.skipped("store", "there is no home directory");
    };
    let stores: Vec<String> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".db"))
        .collect();
    match stores.is_empty() {
        true => findings
            .skipped("store", format!("no mirror in {}; `intercom-pp-cli sync` makes one", folder.display())),
        false => findings.ok("store", format!("{}: {}", folder.display(), stores.join(", "))),
    }
}
