//! Builds a client: server, token, timeouts, retries, rate limit, headers, proxy and hooks.
//!
//! Whatever is invalid is an error before the first request, never a silent default. Environment variables are read
//! only by the functions that say so.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::client::Client;
use super::error::Error;
use super::observer::{Attempt, Observer};
use super::region::Region;
use super::secret::{Token, TokenError};
use super::transport::{Proxy, Settings};
use super::version::ApiVersion;

/// Builds a [`Client`].
///
/// ```
/// use std::time::Duration;
/// use intercom::{Client, Region, Token};
///
/// let client = Client::builder()
///     .token(Token::new("dG9rOmV4YW1wbGU=")?)
///     .region(Region::Eu)
///     .timeout(Duration::from_secs(20))
///     .max_attempts(3)
///     .user_agent_suffix("my-app/1.0")
///     .build()?;
/// # Ok::<(), intercom::Error>(())
/// ```
///
/// | Setting | Default |
/// |---|---|
/// | [`region`](ClientBuilder::region) | `us` |
/// | [`api_version`](ClientBuilder::api_version) | the version that this crate was generated from, or the one that an operation needs |
/// | [`timeout`](ClientBuilder::timeout) | 30 s for each attempt |
/// | [`max_attempts`](ClientBuilder::max_attempts) | 6, and never a second one for a change that may have been made |
/// | [`rate_limit`](ClientBuilder::rate_limit) | the limit that the server reports |
/// | [`proxy`](ClientBuilder::proxy) | the one in `HTTPS_PROXY` |
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    settings: Settings,
    max_attempts: u32,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        let settings = Settings::new(Region::default().base_url(), None);
        ClientBuilder { max_attempts: settings.retries + 1, settings }
    }
}

impl Client {
    /// Starts to build a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client with the settings in the environment, see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    /// [`Error::Token`] if no token is set or it is malformed; [`Error::InvalidRequest`] if another variable is
    /// invalid. Sends nothing.
    pub fn from_env() -> Result<Client, Error> {
        ClientBuilder::from_env()?.build()
    }
}

impl ClientBuilder {
    /// A builder with the settings in the environment:
    ///
    /// | Variable | Meaning |
    /// |---|---|
    /// | `INTERCOM_ACCESS_TOKEN`, otherwise `INTERCOM_TOKEN` | the access token |
    /// | `INTERCOM_REGION` | `us`, `eu` or `au` |
    /// | `INTERCOM_BASE_URL` | another server; replaces the region |
    /// | `INTERCOM_API_VERSION` | the API version, for example `2.16` |
    ///
    /// An empty variable counts as unset.
    ///
    /// # Errors
    /// [`Error::Token`] if the token is malformed; [`Error::InvalidRequest`] if another variable is invalid.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_variables(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Error::InvalidRequest(format!("{name}: the value is not Unicode")))
            }
        })
    }

    /// Like [`ClientBuilder::from_env`], with another source of the variables.
    fn from_variables(variable: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<Self, Error> {
        let value = |name: &str| Ok::<_, Error>(variable(name)?.filter(|value| !value.trim().is_empty()));
        let invalid =
            |name: &str, reason: &dyn std::fmt::Display| Error::InvalidRequest(format!("{name}: {reason}"));
        let mut builder = ClientBuilder::default();
        for name in ["INTERCOM_TOKEN", "INTERCOM_ACCESS_TOKEN"] {
            if let Some(token) = value(name)? {
                builder = builder.token(Token::new(token)?);
            }
        }
        if let Some(region) = value("INTERCOM_REGION")? {
            let region = region.parse::<Region>().map_err(|reason| invalid("INTERCOM_REGION", &reason))?;
            builder = builder.region(region);
        }
        if let Some(url) = value("INTERCOM_BASE_URL")? {
            builder = builder.base_url(url.trim()).map_err(|reason| invalid("INTERCOM_BASE_URL", &reason))?;
        }
        if let Some(version) = value("INTERCOM_API_VERSION")? {
            let version = version.trim();
            let checked =
                version.parse::<ApiVersion>().map_err(|reason| invalid("INTERCOM_API_VERSION", &reason))?;
            builder = builder.api_version(checked.to_string());
        }
        Ok(builder)
    }

    /// The access token. Required.
    pub fn token(mut self, token: Token) -> Self {
        self.settings.token = Some(token);
        self
    }

    /// The region of the workspace. A token works only in its own region.
    pub fn region(mut self, region: Region) -> Self {
        self.settings.base_url = region.base_url();
        self
    }

    /// Another server than a region's, for example a sandbox. The last of `region` and `base_url` counts.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] unless it is an `http` or `https` address.
    pub fn base_url(mut self, url: impl AsRef<str>) -> Result<Self, Error> {
        self.settings.base_url = address("base URL", url.as_ref())?;
        Ok(self)
    }

    /// The `Intercom-Version` of requests, for example `2.16` or `Preview`. Operations that need a later one are sent
    /// with the version they need.
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.settings.api_version = version.into();
        self
    }

    /// Time for one attempt, from sending to the end of the body. For downloads: from sending to the headers, and from
    /// one chunk to the next. Waiting for the rate limit does not count.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Time for all attempts of one call together, with all waits. Unlimited by default.
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.settings.total = Some(timeout);
        self
    }

    /// How often a request is sent at most, the first time included. Some failures are retried less often, and a change
    /// is sent again only if the server has certainly not processed it.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sends every request once.
    pub fn no_retries(self) -> Self {
        self.max_attempts(1)
    }

    /// The wait before the first retry, which doubles with every further one. 250 ms by default.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.settings.first_delay = delay;
        self
    }

    /// At most this many requests per second, evenly spaced, in addition to the limit of the server. At least one per
    /// hour.
    pub fn rate_limit(mut self, per_second: impl Into<f64>) -> Self {
        self.settings.rate_limit = Some(per_second.into());
        self
    }

    /// Sends requests without waiting for any rate limit, also not for the server's. A request that the server refuses
    /// (429) is still repeated after a wait. For programs that share a limiter between several clients.
    pub fn no_rate_limit(mut self) -> Self {
        self.settings.rate_limit = None;
        self.settings.waits_for_rate_limit = false;
        self
    }

    /// The proxy for all requests, `http` or `https`, optionally with a user name and a password.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] unless it is an `http` or `https` address.
    pub fn proxy(mut self, url: impl AsRef<str>) -> Result<Self, Error> {
        self.settings.proxy = Proxy::At(address("proxy", url.as_ref())?);
        Ok(self)
    }

    /// Ignores the proxy of the environment.
    pub fn no_proxy(mut self) -> Self {
        self.settings.proxy = Proxy::Direct;
        self
    }

    /// Appended to the `User-Agent`: the name and version of the program.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.settings.user_agent_suffix = Some(suffix.into());
        self
    }

    /// A header of every request to the API; replaces headers of the same name. Its value is not shown by `Debug`.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if name or value cannot be sent. The message does not contain the value.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Result<Self, Error> {
        let name = name.as_ref();
        let parsed = HeaderName::try_from(name)
            .map_err(|_| Error::InvalidRequest(format!("invalid header name {name:?}")))?;
        let mut value = HeaderValue::try_from(value.as_ref())
            .map_err(|_| Error::InvalidRequest(format!("invalid value of the header {name}")))?;
        value.set_sensitive(true);
        self.settings.headers.append(parsed, value);
        Ok(self)
    }

    /// Calls a function that may change the headers of every attempt, for example to pass on a trace id. Not called
    /// for redirects to other servers.
    ///
    /// ```
    /// # let builder = intercom::Client::builder();
    /// let builder = builder.edit_headers(|attempt, headers| {
    ///     headers.insert("x-attempt", attempt.number.into());
    /// });
    /// ```
    pub fn edit_headers(
        mut self,
        edit: impl Fn(&Attempt<'_>, &mut HeaderMap) + Send + Sync + 'static,
    ) -> Self {
        self.settings.header_editors.push(Arc::new(edit));
        self
    }

    /// Reports every attempt and response to an observer. Several observers are called in the order in which they were
    /// added. An `Arc` of an observer is an observer too.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.settings.observers.push(Arc::new(observer));
        self
    }

    /// Refuses every request that may change the workspace, with [`Error::ReadOnly`].
    pub fn read_only(mut self) -> Self {
        self.settings.read_only = Some("ClientBuilder::read_only".to_owned());
        self
    }

    /// The longest response in bytes that is kept in memory; a longer one is an error. 256 MiB by default. Downloads
    /// are not limited.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_body_bytes = bytes;
        self
    }

    /// The client. Does not connect yet.
    ///
    /// # Errors
    /// [`Error::Token`] without a token; [`Error::InvalidRequest`] if a setting is invalid.
    pub fn build(self) -> Result<Client, Error> {
        let ClientBuilder { mut settings, max_attempts } = self;
        if settings.token.is_none() {
            return Err(TokenError::Missing.into());
        }
        if max_attempts == 0 {
            return Err(Error::InvalidRequest(
                "invalid number of attempts 0: expected at least 1".to_owned(),
            ));
        }
        settings.retries = max_attempts - 1;
        let version = settings.api_version.parse::<ApiVersion>();
        settings.api_version = version.map_err(|error| Error::InvalidRequest(error.to_string()))?.to_string();
        Client::new(settings)
    }
}

/// An address that requests can be sent to.
fn address(what: &str, text: &str) -> Result<Url, Error> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        // The text may contain a password.
        _ => Err(Error::InvalidRequest(format!(
            "invalid {what}: expected an address such as https://host:port"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> ClientBuilder {
        ClientBuilder::default().token(Token::new("dG9rOnZlcnktc2VjcmV0").unwrap())
    }

    fn of(variables: &'static [(&'static str, &'static str)]) -> Result<ClientBuilder, Error> {
        ClientBuilder::from_variables(|name| {
            Ok(variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn variables_set_token_server_and_version() {
        let settings = of(&[
            ("INTERCOM_ACCESS_TOKEN", "first-token"),
            ("INTERCOM_TOKEN", "second-token"),
            ("INTERCOM_REGION", "EU"),
            ("INTERCOM_API_VERSION", "2.16"),
            ("INTERCOM_BASE_URL", " "),
        ])
        .unwrap()
        .settings;
        assert_eq!(settings.token.unwrap().expose(), "first-token");
        assert_eq!(settings.base_url, Region::Eu.base_url());
        assert_eq!(settings.api_version, "2.16");
        let local = of(&[
            ("INTERCOM_TOKEN", "t"),
            ("INTERCOM_REGION", "au"),
            ("INTERCOM_BASE_URL", "http://localhost:9/x"),
        ]);
        assert_eq!(local.unwrap().settings.base_url.as_str(), "http://localhost:9/x");
    }

    #[test]
    fn an_invalid_variable_is_named() {
        for (name, variables) in [
            ("INTERCOM_REGION", &[("INTERCOM_REGION", "uk")][..]),
            ("INTERCOM_BASE_URL", &[("INTERCOM_BASE_URL", "localhost")]),
            ("INTERCOM_API_VERSION", &[("INTERCOM_API_VERSION", "latest")]),
        ] {
            let message = of(variables).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{name}: ")), "{message}");
        }
        assert!(matches!(of(&[]).unwrap().build(), Err(Error::Token(TokenError::Missing))));
        assert!(matches!(of(&[("INTERCOM_TOKEN", "a b")]), Err(Error::Token(TokenError::WhiteSpace))));
    }

    #[test]
    fn misuse_is_an_error_before_the_first_request() {
        let refused = |builder: ClientBuilder| match builder.build() {
            Err(Error::InvalidRequest(message)) => message,
            other => panic!("{other:?}"),
        };
        assert!(refused(builder().max_attempts(0)).contains("attempts 0"));
        assert!(refused(builder().api_version("2")).contains("\"2\""));
        assert!(refused(builder().rate_limit(0)).contains("rate limit 0"));
        assert!(refused(builder().timeout(Duration::ZERO)).contains("timeout"));
        assert!(refused(builder().user_agent_suffix("a\nb")).contains("user agent"));
        assert!(refused(builder().header("content-length", "1").unwrap()).contains("content-length"));
        assert!(builder().header("a b", "c").is_err());
        for url in ["ftp://host", "host", "socks5://host:1080"] {
            assert!(builder().base_url(url).is_err() && builder().proxy(url).is_err(), "{url}");
        }
        let message = builder().header("x-key", "secret\n").unwrap_err().to_string();
        assert!(!message.contains("secret"), "{message}");
    }

    #[test]
    fn debug_shows_no_secrets() {
        let builder = builder().header("x-key", "hidden-value").unwrap();
        let builder = builder.proxy("http://user:pass-word@proxy.test:3128").unwrap();
        let client = builder.clone().build().unwrap();
        for text in [format!("{builder:?}"), format!("{client:?}")] {
            assert!(text.contains("proxy.test") && text.contains("x-key"), "{text}");
            for secret in ["very", "dG9rOnZlcnktc2VjcmV0", "hidden-value", "pass-word"] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
    }
}
