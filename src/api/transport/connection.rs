//! The HTTP clients below the transport: one for TLS, one without, each built when first needed.
//!
//! Reading the machine's root certificates costs milliseconds and fails on machines without any, so a
//! server on plain HTTP must not depend on it.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Url};

use super::Settings;
use crate::api::error::Error;

/// Connections are refused or accepted quickly; a longer silence is a network that is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter than servers commonly keep a connection, so that none is used while it is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(25);

pub(super) struct Clients {
    connect_timeout: Duration,
    /// The server runs on this machine: no proxy stands between.
    local: bool,
    plain: OnceLock<Result<Client, String>>,
    secure: OnceLock<Result<Client, String>>,
}

impl Clients {
    pub fn new(settings: &Settings) -> Self {
        Clients {
            // Ends before the attempt does, so that it is known that no connection came about.
            connect_timeout: CONNECT_TIMEOUT.min(settings.timeout.mul_f32(0.9)),
            local: is_local(&settings.base_url),
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// The client for an `http` or `https` address.
    pub fn get(&self, url: &Url) -> Result<&Client, Error> {
        let client = match url.scheme() {
            "https" => self.secure.get_or_init(|| self.build(Client::builder())),
            _ => self.plain.get_or_init(|| self.build(Client::builder().tls_certs_only([]))),
        };
        client.as_ref().map_err(|cause| Error::Setup(cause.clone()))
    }

    fn build(&self, builder: ClientBuilder) -> Result<Client, String> {
        // Fails when the program has chosen a provider already, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = builder
            .redirect(Policy::none())
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_keepalive(IDLE_TIMEOUT);
        let builder = if self.local { builder.no_proxy() } else { builder };
        builder.build().map_err(cause)
    }
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The innermost cause of an error, which is what happened; without the URL.
pub(super) fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
