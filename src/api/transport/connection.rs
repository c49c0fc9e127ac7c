//! The HTTP clients of the transport: one with TLS, one without, each built on first use.
//!
//! Loading the system's root certificates takes milliseconds and fails on machines without any. Plain HTTP
//! must not depend on it.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Url};

use super::{Proxy, Settings};
use crate::api::error::Error;

/// Connections are accepted or refused quickly; if it takes longer, the network is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter than the usual keep-alive of servers, so that no connection is reused while the server closes it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(25);

pub(super) struct HttpClients {
    connect_timeout: Duration,
    /// The server runs on this machine, so the proxy of the environment must not be used.
    is_local: bool,
    proxy: Proxy,
    plain: OnceLock<Result<Client, String>>,
    secure: OnceLock<Result<Client, String>>,
}

impl HttpClients {
    pub fn new(settings: &Settings) -> Self {
        HttpClients {
            // Shorter than the timeout of the attempt, so that the error can say that no connection was made.
            connect_timeout: CONNECT_TIMEOUT.min(settings.timeout.mul_f32(0.9)),
            is_local: is_local(&settings.base_url),
            proxy: settings.proxy.clone(),
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// The client for an `http` or `https` address.
    pub fn get(&self, url: &Url) -> Result<&Client, Error> {
        // The connection to a proxy may need TLS as well.
        let proxy = match &self.proxy {
            Proxy::At(proxy) => proxy.scheme(),
            Proxy::System | Proxy::Direct => url.scheme(),
        };
        let client = match (url.scheme(), proxy) {
            ("https", _) | (_, "https") => self.secure.get_or_init(|| self.build(Client::builder())),
            _ => self.plain.get_or_init(|| self.build(Client::builder().tls_certs_only([]))),
        };
        client.as_ref().map_err(|cause| Error::Setup(cause.clone()))
    }

    fn build(&self, builder: ClientBuilder) -> Result<Client, String> {
        // Fails if the program has installed another provider, which works as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = builder
            .redirect(Policy::none())
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_keepalive(IDLE_TIMEOUT);
        let builder = match &self.proxy {
            Proxy::At(proxy) => builder.proxy(reqwest::Proxy::all(proxy.clone()).map_err(cause)?),
            Proxy::System if !self.is_local => builder,
            Proxy::System | Proxy::Direct => builder.no_proxy(),
        };
        builder.build().map_err(cause)
    }
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The innermost cause of an error, which is the informative one, without the URL.
pub(super) fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
