//! Checks that apply to every request before it is handled: access token, rate limit and API version.

use std::time::{SystemTime, UNIX_EPOCH};

use super::response::ErrorResponse;
use super::router::is_available;
use crate::api::ApiVersion;
use crate::api::operation::Operation;

/// Length of a rate limit window in seconds.
const WINDOW: u64 = 10;

/// The newest minor version of each supported major version.
const NEWEST: &[(u32, u32)] = &[(1, 4), (2, 17)];

/// Counts requests per window of ten seconds of real time.
#[derive(Debug)]
pub struct RateWindow {
    limit: u32,
    window: u64,
    used: u32,
}

/// The values of the rate limit headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitStatus {
    pub limit: u32,
    pub remaining: u32,
    /// Epoch seconds at which the window ends.
    pub reset: u64,
}

impl RateWindow {
    pub fn new(limit: u32) -> Self {
        RateWindow { limit, window: 0, used: 0 }
    }

    /// Counts a request made now.
    pub fn admit(&mut self) -> (RateLimitStatus, Result<(), ErrorResponse>) {
        self.admit_at(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    fn admit_at(&mut self, now: u64) -> (RateLimitStatus, Result<(), ErrorResponse>) {
        let window = now / WINDOW;
        if window != self.window {
            (self.window, self.used) = (window, 0);
        }
        let admitted = self.used < self.limit;
        self.used += u32::from(admitted);
        let rate_limit = RateLimitStatus {
            limit: self.limit,
            remaining: self.limit - self.used,
            reset: (window + 1) * WINDOW,
        };
        let error = || ErrorResponse::new(429, "rate_limit_exceeded", "Rate limit exceeded for this window");
        (rate_limit, if admitted { Ok(()) } else { Err(error()) })
    }
}

/// Checks the `Authorization` header against the accepted token.
pub fn authorize(header: Option<&str>, token: &str) -> Result<(), ErrorResponse> {
    let bearer_token = header.and_then(|header| header.strip_prefix("Bearer ")).map(str::trim);
    match bearer_token {
        Some(value) if value == token => Ok(()),
        Some(_) => {
            Err(ErrorResponse::new(401, "unauthorized", "The access token does not belong to this workspace"))
        }
        None => Err(ErrorResponse::new(401, "token_unauthorized", "Access token missing")),
    }
}

/// The version in the `Intercom-Version` header. Without one, the app's version, `default`, applies.
pub fn requested_version(header: Option<&str>, default: &ApiVersion) -> Result<ApiVersion, ErrorResponse> {
    let Some(header) = header else { return Ok(default.clone()) };
    header
        .parse()
        .ok()
        .filter(exists)
        .ok_or_else(|| ErrorResponse::new(400, "intercom_version_invalid", "Unknown API version"))
}

fn exists(version: &ApiVersion) -> bool {
    match version {
        ApiVersion::Name(_) => true,
        ApiVersion::Number(major, minor) => {
            NEWEST.iter().any(|newest| major == &newest.0 && minor <= &newest.1)
        }
    }
}

/// Refuses an operation that this version lacks.
pub fn check_availability(version: &ApiVersion, operation: &Operation) -> Result<(), ErrorResponse> {
    if is_available(version, operation) {
        return Ok(());
    }
    Err(ErrorResponse::new(400, "intercom_version_invalid", "not available in current API version"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::router::route;

    #[test]
    fn the_limit_applies_per_window() {
        let mut limit = RateWindow::new(2);
        assert!(limit.admit_at(100).1.is_ok());
        assert_eq!(limit.admit_at(104).0, RateLimitStatus { limit: 2, remaining: 0, reset: 110 });
        assert_eq!(limit.admit_at(109).1.unwrap_err().status, 429);
        assert!(limit.admit_at(110).1.is_ok());
    }

    #[test]
    fn tokens_must_match() {
        assert!(authorize(Some("Bearer t"), "t").is_ok());
        assert!(authorize(Some("Bearer u"), "t").is_err());
        assert!(authorize(None, "t").is_err());
    }

    #[test]
    fn a_version_must_exist() {
        let app = ApiVersion::Number(2, 15);
        let requested = |header| requested_version(header, &app).map(|version| version.to_string());
        assert_eq!(requested(None).unwrap(), "2.15");
        for header in ["1.4", "2.9", "2.17", "Preview", "Unstable"] {
            assert_eq!(requested(Some(header)).unwrap(), header);
        }
        assert_eq!(requested(Some("unstable")).unwrap(), "Unstable");
        for header in ["2.99", "3.0", "newest", ""] {
            assert_eq!(requested(Some(header)).unwrap_err().code, "intercom_version_invalid", "{header}");
        }
    }

    #[test]
    fn an_operation_requires_its_version() {
        let (contacts, _) = route(&ApiVersion::pinned(), "GET", "/contacts").unwrap();
        let (older, exact) = (ApiVersion::Number(2, 13), ApiVersion::Number(2, 14));
        assert!(check_availability(&older, contacts).is_ok());
        let newer = Operation { version: Some("2.14"), ..*contacts };
        assert!(check_availability(&older, &newer).is_err());
        assert!(check_availability(&exact, &newer).is_ok());
        assert!(check_availability(&ApiVersion::Name("Preview".to_owned()), &newer).is_ok());
    }
}
