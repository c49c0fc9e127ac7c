//! What every call has to pass first: the token, the rate limit and the API version.

use std::time::{SystemTime, UNIX_EPOCH};

use super::answer::Problem;
use crate::api::operation::Operation;

/// Seconds that one window of the rate limit lasts.
const WINDOW: u64 = 10;

/// Versions the service knows: these majors up to these minors.
const NEWEST: &[(u32, u32)] = &[(1, 4), (2, 16)];

/// Counts calls in windows of ten seconds of real time.
#[derive(Debug)]
pub struct RateLimit {
    limit: u32,
    window: u64,
    used: u32,
}

/// What the rate-limit headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub limit: u32,
    pub remaining: u32,
    /// Epoch seconds at which the window ends.
    pub reset: u64,
}

impl RateLimit {
    pub fn new(limit: u32) -> Self {
        RateLimit { limit, window: 0, used: 0 }
    }

    /// Counts a call that happens now.
    pub fn admit(&mut self) -> (Allowance, Result<(), Problem>) {
        self.admit_at(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    fn admit_at(&mut self, now: u64) -> (Allowance, Result<(), Problem>) {
        let window = now / WINDOW;
        if window != self.window {
            (self.window, self.used) = (window, 0);
        }
        let admitted = self.used < self.limit;
        self.used += u32::from(admitted);
        let allowance =
            Allowance { limit: self.limit, remaining: self.limit - self.used, reset: (window + 1) * WINDOW };
        let problem = || Problem::new(429, "rate_limit_exceeded", "Exceeded the rate limit of this window");
        (allowance, if admitted { Ok(()) } else { Err(problem()) })
    }
}

/// Checks the `Authorization` header against the accepted token.
pub fn authorize(header: Option<&str>, token: &str) -> Result<(), Problem> {
    let given = header.and_then(|header| header.strip_prefix("Bearer ")).map(str::trim);
    match given {
        Some(given) if given == token => Ok(()),
        Some(_) => {
            Err(Problem::new(401, "unauthorized", "The access token is not the one of this workspace"))
        }
        None => Err(Problem::new(401, "token_unauthorized", "The call carries no access token")),
    }
}

/// Checks the `Intercom-Version` header; a call without one gets the app's version, `usual`.
pub fn check_version(header: Option<&str>, usual: &str, operation: &Operation) -> Result<(), Problem> {
    let header = header.unwrap_or(usual);
    if header.eq_ignore_ascii_case("unstable") {
        return Ok(());
    }
    let version = parse(header)
        .filter(|(major, minor)| NEWEST.iter().any(|newest| major == &newest.0 && minor <= &newest.1))
        .ok_or_else(|| Problem::new(400, "intercom_version_invalid", "There is no such version"))?;
    match operation.version.and_then(parse) {
        Some(needed) if version < needed => {
            Err(Problem::new(400, "intercom_version_invalid", "not available in current API version"))
        }
        _ => Ok(()),
    }
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::router::route;

    #[test]
    fn a_window_admits_its_limit_and_starts_anew() {
        let mut limit = RateLimit::new(2);
        assert!(limit.admit_at(100).1.is_ok());
        assert_eq!(limit.admit_at(104).0, Allowance { limit: 2, remaining: 0, reset: 110 });
        assert_eq!(limit.admit_at(109).1.unwrap_err().status, 429);
        assert!(limit.admit_at(110).1.is_ok());
    }

    #[test]
    fn tokens_have_to_match() {
        assert!(authorize(Some("Bearer t"), "t").is_ok());
        assert!(authorize(Some("Bearer u"), "t").is_err());
        assert!(authorize(None, "t").is_err());
    }

    #[test]
    fn versions_have_to_exist_and_to_have_the_operation() {
        let (contacts, _) = route("GET", "/contacts").unwrap();
        assert!(check_version(None, "2.13", contacts).is_ok());
        assert!(check_version(Some("2.9"), "2.13", contacts).is_ok());
        assert!(check_version(Some("2.99"), "2.13", contacts).is_err());
        assert!(check_version(Some("newest"), "2.13", contacts).is_err());
        let newer = Operation { version: Some("2.14"), ..*contacts };
        assert!(check_version(Some("2.13"), "2.13", &newer).is_err());
        assert!(check_version(Some("2.14"), "2.13", &newer).is_ok());
    }
}
