//! Explains errors about the token: where it came from, whether another region accepts it, and what to type next.
//!
//! Another region is only asked after a refusal, never with a server that is not a region's, and not for long.

use std::time::Duration;

use super::context::Context;
use super::credentials::{Credential, TokenSource};
use super::error::{Error, Hint};
use super::regions;
use crate::api::region::Region;

/// How long the other regions may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The error with the source of the token and the next step, if it is about the token.
pub async fn explained(context: &Context, error: Error) -> Error {
    if !error.is_about_token() {
        return error;
    }
    let Ok(settings) = context.settings() else { return error };
    let Ok(Some(credential)) = context.credential(&settings) else { return error };
    let hint = match context.api_server(&settings).map(|server| server.region) {
        Ok(region) if error.is_refused_token() => {
            let other = match region {
                Some(region) => {
                    let search = regions::other(context, &settings, &credential, region);
                    tokio::time::timeout(PATIENCE, search).await.ok().flatten()
                }
                None => None,
            };
            Some(match region.zip(other) {
                Some((refusing, accepting)) => wrong_region(&credential, refusing, accepting),
                None => new_token(&credential),
            })
        }
        _ => None,
    };
    Error::Token { error: Box::new(error), place: credential.place, hint }
}

fn wrong_region(credential: &Credential, refusing: Region, accepting: Region) -> Hint {
    let hint = Hint::new(format!("the token belongs to region {accepting}, not {refusing}: pass "))
        .flag("region")
        .text(format!(" {accepting}"))
        .for_owner();
    match &credential.profile {
        Some(name) => {
            hint.or("save it with ").run(format!("profile save {name} --region {accepting}")).for_owner()
        }
        None => hint.or(format!("set INTERCOM_REGION={accepting}")).for_owner(),
    }
}

fn new_token(credential: &Credential) -> Hint {
    let login = match &credential.profile {
        Some(name) => format!("auth login --profile {name}"),
        None => "auth login".to_owned(),
    };
    let hint = match credential.source {
        TokenSource::Environment => {
            let variable = credential.place.split(' ').next().unwrap_or_default().to_owned();
            Hint::new(format!("set {variable} to a valid token"))
                .for_owner()
                .or("unset it and save one with ")
                .run(login)
                .for_owner()
        }
        TokenSource::Keyring | TokenSource::File => {
            Hint::new("the token may be wrong, revoked or from another region: save a new one with ")
                .run(login)
                .for_owner()
        }
    };
    hint.then("").run("doctor").text(" checks the settings and the server")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Token;

    fn credential(source: TokenSource, place: &str, profile: Option<&str>) -> Credential {
        let token = Token::new("some-token-12345").unwrap();
        Credential { token, source, place: place.to_owned(), profile: profile.map(str::to_owned) }
    }

    #[test]
    fn the_hint_names_the_command_for_the_source_of_the_token() {
        let variable = credential(TokenSource::Environment, "INTERCOM_TOKEN", None);
        assert!(
            new_token(&variable).to_string().starts_with("set INTERCOM_TOKEN to a valid token, or unset it")
        );
        let saved = credential(TokenSource::File, "the config file (profile eu)", Some("eu"));
        assert!(new_token(&saved).to_string().contains("`intercom-pp-cli auth login --profile eu`"));
        let hint = wrong_region(&saved, Region::Us, Region::Eu).to_string();
        assert!(
            hint.contains("belongs to region eu, not us") && hint.contains("profile save eu --region eu"),
            "{hint}"
        );
        let hint = wrong_region(&variable, Region::Us, Region::Au).to_string();
        assert!(hint.ends_with("pass --region au, or set INTERCOM_REGION=au"), "{hint}");
    }
}
