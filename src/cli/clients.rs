//! Clients that several commands of one process share, with their connections and their rate limit.
//!
//! A command line runs one command and gains nothing; a server that runs many commands would otherwise
//! connect, and forget what the rate limit has left, with each of them.

use std::sync::{Mutex, PoisonError};

use crate::api::client::Client;
use crate::api::error::Error;
use crate::api::transport::Settings;

/// More addresses and tokens than one process works with.
const MOST: usize = 8;

#[derive(Default)]
pub struct Clients {
    known: Mutex<Vec<(Settings, Client)>>,
}

impl Clients {
    /// A client with these settings: a known one, or a new one.
    ///
    /// # Errors
    /// When a setting is unusable.
    pub fn reach(&self, settings: Settings) -> Result<Client, Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = known.iter().find(|(other, _)| is_same(other, &settings)) {
            return Ok(client.clone());
        }
        let client = Client::new(settings.clone())?;
        if known.len() == MOST {
            known.remove(0);
        }
        known.push((settings, client.clone()));
        Ok(client)
    }
}

fn is_same(one: &Settings, other: &Settings) -> bool {
    let token = |settings: &Settings| settings.token.as_ref().map(|token| token.expose().to_owned());
    one.base_url == other.base_url
        && token(one) == token(other)
        && one.api_version == other.api_version
        && one.timeout == other.timeout
        && one.total == other.total
        && one.rate_limit == other.rate_limit
        && one.headers == other.headers
        && one.retries == other.retries
        && one.first_delay == other.first_delay
        && one.read_only == other.read_only
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Region, Token};

    #[test]
    fn only_the_same_settings_share_a_client() {
        let clients = Clients::default();
        let settings = |token: &str| Settings::new(Region::Eu.base_url(), Token::new(token).ok());
        clients.reach(settings("one")).unwrap();
        clients.reach(settings("one")).unwrap();
        clients.reach(settings("two")).unwrap();
        clients.reach(Settings { rate_limit: Some(1.0), ..settings("one") }).unwrap();
        assert_eq!(clients.known.lock().unwrap().len(), 3);
    }
}
