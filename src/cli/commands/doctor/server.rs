//! Checks that need the server: owner of the token, API version, rate limit and clock.

use jiff::Timestamp;

use super::findings::{Findings, new_token};
use crate::api::app_version::app_version;
use crate::api::client::Client;
use crate::api::commands::SPEC_VERSION;
use crate::api::identity::identity;
use crate::api::reply::Reply;
use crate::api::version::ApiVersion;
use crate::cli::context::{ApiServer, Context};
use crate::cli::credentials::Credential;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::{regions, version_changes};
use crate::config;
use crate::data::span;

/// Relative times are wrong if the clock is off by more than this.
const CLOCK_SKEW_SECONDS: i64 = 30;

/// Requests `/me` and checks its response.
pub async fn check(
    context: &Context,
    settings: &config::Settings,
    target: &ApiServer,
    credential: Credential,
    findings: &mut Findings,
) {
    let client = match context.client_with(settings, Some(credential.clone())) {
        Ok(client) => client,
        Err(error) => return findings.error("tls", &error, "check the headers and certificates"),
    };
    match identity(&client).await {
        Ok(me) => {
            let name = me.workspace_name.as_deref().unwrap_or("?");
            findings.ok("workspace", format!("{name} ({})", me.reported_workspace().unwrap_or("?")));
            check_version(&client, findings);
            check_app_version(&client, findings).await;
            check_rate(&client, findings);
            check_clock(&me.reply, findings);
        }
        Err(error) if error.status() == Some(401) => {
            // With a custom base URL, the token is never sent elsewhere.
            let accepting = match target.region {
                Some(refusing) => regions::other(context, settings, &credential, refusing).await,
                None => None,
            };
            let (detail, hint) = match accepting {
                Some(region) => (
                    format!("{} refused the token, but region {region} accepts it", target.base_url),
                    Hint::new("pass ")
                        .flag("region")
                        .text(format!(" {region}"))
                        .or(format!("set INTERCOM_REGION={region}"))
                        .for_owner(),
                ),
                None => (
                    format!("{} refused the token, and no other region accepted it", target.base_url),
                    new_token(),
                ),
            };
            findings.failure("workspace", Exit::Authentication, detail, hint);
        }
        Err(error) => {
            let error = Error::Api(error);
            findings.error("workspace", &error, error.hint().unwrap_or_default());
        }
    }
}

fn check_version(client: &Client, findings: &mut Findings) {
    let sent = client.version().unwrap_or(client.transport().api_version()).to_owned();
    if sent == SPEC_VERSION {
        findings.ok("version", format!("Intercom-Version {sent}"));
    } else {
        findings.warning(
            "version",
            format!("requests use Intercom-Version {sent}, but the commands are made for {SPEC_VERSION}"),
            Hint::new("leave out ")
                .flag("api-version")
                .text(" and `api_version` unless you need them")
                .for_owner(),
        );
    }
}

/// The version that the app would answer by default, and what the pinned one does differently. Never a problem, because
/// every request names its version.
async fn check_app_version(client: &Client, findings: &mut Findings) {
    match app_version(client).await {
        Ok(Some(version)) => findings.ok("app version", app_version_detail(&version, SPEC_VERSION)),
        Ok(None) => findings.skipped(
            "app version",
            "not reported by the server, so the version that the app answers by default cannot be known",
        ),
        Err(error) => findings.skipped("app version", format!("cannot be known: {error}")),
    }
}

fn app_version_detail(reported: &str, pinned: &str) -> String {
    let lead = format!("requests without Intercom-Version are answered as {reported}");
    let versions = (reported.parse::<ApiVersion>(), pinned.parse::<ApiVersion>());
    let (Ok(reported), Ok(sent)) = versions else {
        return format!("{lead}; commands send {pinned}");
    };
    if reported == sent {
        return format!("{lead}, which commands send as well");
    }
    let oldest = ApiVersion::oldest();
    if reported < oldest {
        return format!("{lead}; commands send {pinned}, and do not know what differs before {oldest}");
    }
    let (from, to) = if reported < sent { (&reported, &sent) } else { (&sent, &reported) };
    let changes: Vec<&str> = version_changes::between(from, to).map(|change| change.name).collect();
    if changes.is_empty() {
        return format!("{lead}; commands send {pinned}, and notice no difference");
    }
    format!(
        "{lead}; commands send {pinned}. With {reported} would change: {}; see \
         `intercom-pp-cli api versions --changes {from}..{to}`",
        changes.join(", ")
    )
}

fn check_rate(client: &Client, findings: &mut Findings) {
    match client.transport().usage().rate {
        Some(rate) if rate.remaining * 10 < rate.limit => findings.warning(
            "rate limit",
            format!("{} of {} calls left in this window", rate.remaining, rate.limit),
            "another program uses the limit of the same app; lower --rate-limit to share it",
        ),
        Some(rate) => findings
            .ok("rate limit", format!("{} of {} calls left in this window", rate.remaining, rate.limit)),
        None => findings.skipped("rate limit", "not reported by the server"),
    }
}

fn check_clock(reply: &Reply, findings: &mut Findings) {
    match reply.date().map(|server| Timestamp::now().as_second() - server) {
        None => findings.skipped("clock", "not reported by the server"),
        Some(skew) if skew.abs() > CLOCK_SKEW_SECONDS => findings.warning(
            "clock",
            format!(
                "this machine is {} {} the server",
                span::length(skew.unsigned_abs() as f64),
                if skew > 0 { "ahead of" } else { "behind" }
            ),
            "set the clock; relative times like 24h use this machine's clock",
        ),
        Some(skew) => findings.ok("clock", format!("{} s off the server", skew.abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detail_names_what_would_change() {
        let detail = |reported| app_version_detail(reported, "2.13");
        let newer = detail("2.16");
        assert!(
            newer.starts_with("requests without Intercom-Version are answered as 2.16; commands send 2.13")
        );
        assert!(newer.contains("graded priorities") && newer.contains(" 2.13..2.16`"), "{newer}");
        assert!(!newer.contains("times in contact search"), "{newer}");
        assert!(detail("Preview").contains("times in contact search"));
        assert!(detail("2.13").ends_with("which commands send as well"));
        let older = app_version_detail("2.13", "2.16");
        assert!(older.contains("graded priorities") && older.contains(" 2.13..2.16`"), "{older}");
        assert!(detail("1.0").ends_with(&format!("before {}", ApiVersion::oldest())));
        assert!(detail("odd").ends_with("commands send 2.13"));
    }
}
