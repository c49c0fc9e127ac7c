//! Writes request headers and reads response headers.
//!
//! Sending and previewing use the same function to add headers, so that a preview always shows what is sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER, TRANSFER_ENCODING, USER_AGENT,
};
use reqwest::{Request, StatusCode};

use super::{RateLimit, Settings};
use crate::api::error::Error;
use crate::api::limiter::Observation;
use crate::api::secret::Token;

const VERSION: HeaderName = HeaderName::from_static("intercom-version");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("intercom-pp-cli/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Rejects settings that would produce invalid requests.
pub(super) fn check(settings: &Settings) -> Result<(), Error> {
    let invalid = |message: String| Err(Error::InvalidRequest(message));
    let url = &settings.base_url;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return invalid(format!("invalid base URL {:?}: expected https://host", url.as_str()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return invalid("the base URL must not contain a user name or a password".into());
    }
    if HeaderValue::from_str(&settings.api_version).is_err() {
        return invalid(format!("invalid API version {:?}", settings.api_version));
    }
    if let Some(suffix) = &settings.user_agent_suffix
        && agent(settings).is_none()
    {
        return invalid(format!(
            "invalid user agent {suffix:?}: expected visible ASCII, for example my-app/1.0"
        ));
    }
    if settings.timeout.is_zero() {
        return invalid("the timeout must be longer than 0 s".into());
    }
    match [CONTENT_LENGTH, TRANSFER_ENCODING].iter().find(|name| settings.headers.contains_key(*name)) {
        Some(name) => invalid(format!("the header {name} cannot be set: it depends on the body")),
        None => Ok(()),
    }
}

/// Adds the headers of every API request. Headers of the request itself are kept, but the user's extra
/// headers replace any others.
pub(super) fn complete(headers: &mut HeaderMap, settings: &Settings, has_body: bool) {
    headers.entry(ACCEPT).or_insert(JSON);
    headers.entry(USER_AGENT).or_insert_with(|| agent(settings).unwrap_or(AGENT));
    if has_body {
        headers.entry(CONTENT_TYPE).or_insert(JSON);
    }
    match headers.get(VERSION) {
        // Without the header, the app's own version answers.
        Some(version) if version.is_empty() => {
            headers.remove(VERSION);
        }
        Some(_) => {}
        None => {
            if let Ok(version) = HeaderValue::from_str(&settings.api_version) {
                headers.insert(VERSION, version);
            }
        }
    }
    if let Some(Ok(mut bearer)) = settings.token.as_ref().map(bearer) {
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    for name in settings.headers.keys() {
        headers.remove(name);
        for value in settings.headers.get_all(name) {
            let mut value = value.clone();
            value.set_sensitive(true);
            headers.append(name, value);
        }
    }
}

/// The `User-Agent`; `None` if its suffix is invalid.
fn agent(settings: &Settings) -> Option<HeaderValue> {
    let Some(suffix) = &settings.user_agent_suffix else { return Some(AGENT) };
    let is_visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    let text = format!("{} {suffix}", AGENT.to_str().ok()?);
    HeaderValue::from_str(&text).ok().filter(|_| !suffix.trim().is_empty() && suffix.bytes().all(is_visible))
}

/// Always succeeds, because a token is visible ASCII.
fn bearer(token: &Token) -> Result<HeaderValue, reqwest::header::InvalidHeaderValue> {
    HeaderValue::from_str(&format!("Bearer {}", token.expose()))
}

/// Leaves only the headers that a server other than the API may see.
pub(super) fn strip(headers: &mut HeaderMap) {
    let accept = headers.remove(ACCEPT);
    headers.clear();
    headers.insert(ACCEPT, accept.unwrap_or(HeaderValue::from_static("*/*")));
    headers.insert(USER_AGENT, AGENT);
}

pub(super) fn accept_anything(request: &mut Request) {
    request.headers_mut().entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
}

/// Headers as text, with secrets masked: the token, extra headers that are marked as sensitive, and headers with
/// the name of a secret.
pub(super) fn masked(headers: &HeaderMap, settings: &Settings) -> Vec<(String, String)> {
    let token = settings.token.as_ref();
    let is_marked = |name: &HeaderName| settings.headers.get_all(name).iter().any(HeaderValue::is_sensitive);
    let mask = |(name, value): (&HeaderName, &HeaderValue)| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let masked = match token {
            Some(token) if text == format!("Bearer {}", token.expose()) => format!("Bearer {token}"),
            _ if is_marked(name) || is_secret(name.as_str()) => "****".to_owned(),
            Some(token) => token.redact(&text).into_owned(),
            None => text,
        };
        (name.as_str().to_owned(), masked)
    };
    headers.iter().map(mask).collect()
}

fn is_secret(name: &str) -> bool {
    ["authorization", "cookie", "token", "secret", "password", "key"].iter().any(|word| name.contains(word))
}

/// The rate limit as reported by a response. Whether a 429 concerns the rate limit is decided by its body,
/// not here.
pub(super) fn observe(status: StatusCode, headers: &HeaderMap) -> Observation {
    let number = |name: &str| {
        let text = headers.get(name)?.to_str().ok()?;
        text.trim().parse().ok().filter(|value: &f64| *value >= 0.0).map(|value| value as u64)
    };
    let remaining = number("x-ratelimit-remaining");
    let rate = remaining.zip(number("x-ratelimit-reset")).map(|(remaining, reset)| {
        let limit = number("x-ratelimit-limit").unwrap_or(remaining).max(remaining);
        RateLimit { limit, remaining, reset }
    });
    let date = date(headers).and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    Observation {
        rate,
        date: date.map(|date| date.as_secs()),
        refused: false,
        // Gateways and rejected tokens produce responses without the API's rate limit headers.
        ordinary: !status.is_server_error() && !matches!(status.as_u16(), 401 | 429),
    }
}

/// The wait that a response requests, as seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = date(headers).unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default())
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_rate_limit_window_is_read() {
        let full = headers(&[
            ("x-ratelimit-limit", "167"),
            ("x-ratelimit-remaining", " 12 "),
            ("x-ratelimit-reset", "1800000010"),
            ("date", "Fri, 15 Jan 2027 08:00:00 GMT"),
        ]);
        let observation = observe(StatusCode::OK, &full);
        assert_eq!(observation.rate, Some(RateLimit { limit: 167, remaining: 12, reset: 1_800_000_010 }));
        assert_eq!(observation.date, Some(1_800_000_000));
        assert!(observation.ordinary);
        let partial = headers(&[("x-ratelimit-limit", "167"), ("x-ratelimit-remaining", "-1")]);
        assert!(observe(StatusCode::OK, &partial).rate.is_none());
        assert!(!observe(StatusCode::UNAUTHORIZED, &HeaderMap::new()).ordinary);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let wait = |list: &[(&'static str, &'static str)]| retry_after(&headers(list));
        assert_eq!(wait(&[("retry-after", "3")]), Some(Duration::from_secs(3)));
        assert_eq!(wait(&[("retry-after", "0.5")]), Some(Duration::from_millis(500)));
        let date = ("date", "Fri, 15 Jan 2027 08:00:00 GMT");
        assert_eq!(
            wait(&[date, ("retry-after", "Fri, 15 Jan 2027 08:00:07 GMT")]),
            Some(Duration::from_secs(7))
        );
        assert_eq!(wait(&[date, ("retry-after", "Fri, 15 Jan 2027 07:00:00 GMT")]), Some(Duration::ZERO));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[("retry-after", "-1")]), None);
    }
}
