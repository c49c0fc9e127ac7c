//! Clients shared by the commands of one process, with their connections and rate limits.
//!
//! Without it, an MCP server would reconnect and lose track of the rate limit with each command.

use std::sync::{Mutex, PoisonError};

use crate::api::client::Client;
use crate::api::error::Error;
use crate::api::transport::Settings;

/// Maximum number of clients: more than one process needs.
const MAX_CLIENTS: usize = 8;

#[derive(Default)]
pub struct Clients {
    cache: Mutex<Vec<(Settings, Client)>>,
}

impl Clients {
    /// The client for these settings, created on first use.
    ///
    /// # Errors
    /// If a setting is invalid.
    pub fn get(&self, settings: Settings) -> Result<Client, Error> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = cache.iter().find(|(other, _)| is_same(other, &settings)) {
            return Ok(client.clone());
        }
        let client = Client::new(settings.clone())?;
        if cache.len() == MAX_CLIENTS {
            cache.remove(0);
        }
        cache.push((settings, client.clone()));
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
    fn only_equal_settings_share_a_client() {
        let clients = Clients::default();
        let settings = |token: &str| Settings::new(Region::Eu.base_url(), Token::new(token).ok());
        clients.get(settings("one")).unwrap();
        clients.get(settings("one")).unwrap();
        clients.get(settings("two")).unwrap();
        clients.get(Settings { rate_limit: Some(1.0), ..settings("one") }).unwrap();
        assert_eq!(clients.cache.lock().unwrap().len(), 3);
    }
}
