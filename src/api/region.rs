//! The data region of a workspace. A token works only in its own region, so the region is chosen explicitly,
//! and an unknown one is an error, never a silent default.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

/// A data region of Intercom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Region {
    /// United States, `api.intercom.io`.
    #[default]
    Us,
    /// European Union, `api.eu.intercom.io`.
    Eu,
    /// Australia, `api.au.intercom.io`.
    Au,
}

/// A name that is not a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown region {0:?}: expected us, eu or au")]
pub struct UnknownRegion(
    /// The name, without white space around it.
    pub String,
);

impl Region {
    /// Every region, the default one first.
    pub const ALL: [Region; 3] = [Region::Us, Region::Eu, Region::Au];

    /// The name as typed: `us`, `eu` or `au`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Region::Us => "us",
            Region::Eu => "eu",
            Region::Au => "au",
        }
    }

    /// The region's base URL, e.g. `https://api.eu.intercom.io/`.
    pub fn base_url(self) -> Url {
        let url = match self {
            Region::Us => "https://api.intercom.io",
            Region::Eu => "https://api.eu.intercom.io",
            Region::Au => "https://api.au.intercom.io",
        };
        #[expect(clippy::expect_used, reason = "three constant URLs, each parsed by a test")]
        Url::parse(url).expect("the three URLs are valid")
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        let region = Region::ALL.into_iter().find(|region| region.as_str().eq_ignore_ascii_case(name));
        region.ok_or_else(|| UnknownRegion(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_give_the_host() {
        assert_eq!("EU".parse(), Ok(Region::Eu));
        assert_eq!(Region::Us.base_url().as_str(), "https://api.intercom.io/");
        for region in Region::ALL {
            assert_eq!(region.to_string().parse(), Ok(region));
            assert!(region.base_url().host_str().unwrap().ends_with("intercom.io"));
        }
    }

    #[test]
    fn an_unknown_region_is_an_error_that_lists_the_valid_ones() {
        let message = "asia".parse::<Region>().unwrap_err().to_string();
        assert!(message.contains("asia") && message.contains("us, eu or au"), "{message}");
    }
}
