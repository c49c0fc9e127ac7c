//! The access token. It leaves this type only through [`Token::expose`], which the transport uses for the
//! header and the configuration for saving it. Printing a token always shows a mask.

use std::borrow::Cow;
use std::fmt;

const MASK: &str = "****";
const BEARER: &str = "bearer ";

/// An access token that is valid as a header value.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a text is not an access token. Never contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// A client was built without a token.
    #[error(
        "no access token given: call ClientBuilder::token, or set INTERCOM_ACCESS_TOKEN for Client::from_env"
    )]
    Missing,
    /// Nothing is left of the text without white space and `Bearer`.
    #[error("the access token is empty")]
    Empty,
    /// Perhaps more than the token was copied.
    #[error("the access token contains white space: copy the token alone")]
    WhiteSpace,
    /// A header cannot contain it.
    #[error("the access token contains invalid characters: expected visible ASCII only")]
    NotAscii,
}

impl Token {
    /// Accepts a token as pasted: surrounding white space and a leading `Bearer ` are removed.
    ///
    /// # Errors
    /// If the rest is empty or contains anything but visible ASCII.
    pub fn new(text: impl AsRef<str>) -> Result<Self, TokenError> {
        let text = text.as_ref().trim();
        let scheme = text.get(..BEARER.len()).filter(|start| start.eq_ignore_ascii_case(BEARER));
        let token = text[scheme.map_or(0, str::len)..].trim();
        if token.is_empty() || token.eq_ignore_ascii_case(BEARER.trim()) {
            return Err(TokenError::Empty);
        }
        if token.contains(char::is_whitespace) {
            return Err(TokenError::WhiteSpace);
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::NotAscii);
        }
        Ok(Token(token.to_owned()))
    }

    /// The token itself. Never print or log it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` with every occurrence of the token masked.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if text.contains(&self.0) { Cow::Owned(text.replace(&self.0, MASK)) } else { Cow::Borrowed(text) }
    }
}

/// Shows `****` and, if the token is long enough to stay secret, its last four characters.
impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = match self.0.len() {
            ..=12 => "",
            length => &self.0[length - 4..],
        };
        write!(formatter, "{MASK}{tail}")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Token({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_token_is_trimmed() {
        for text in ["dG9rOjEyMzQ1Njc4OTA=", "  dG9rOjEyMzQ1Njc4OTA=\n", "Bearer dG9rOjEyMzQ1Njc4OTA="] {
            assert_eq!(Token::new(text).unwrap().expose(), "dG9rOjEyMzQ1Njc4OTA=");
        }
    }

    #[test]
    fn an_invalid_token_is_rejected() {
        assert_eq!(Token::new(" \n").unwrap_err(), TokenError::Empty);
        assert_eq!(Token::new("Bearer ").unwrap_err(), TokenError::Empty);
        assert_eq!(Token::new("two words").unwrap_err(), TokenError::WhiteSpace);
        assert_eq!(Token::new("tokén").unwrap_err(), TokenError::NotAscii);
        assert_eq!(Token::new("to\u{0}ken").unwrap_err(), TokenError::NotAscii);
    }

    #[test]
    fn printing_masks_the_token() {
        let long = Token::new("dG9rOjEyMzQ1Njc4OTA=").unwrap();
        assert_eq!(format!("{long} {long:?}"), "****OTA= Token(****OTA=)");
        assert_eq!(Token::new("short-secret").unwrap().to_string(), "****");
        assert_eq!(long.redact("token dG9rOjEyMzQ1Njc4OTA= is bad"), "token **** is bad");
    }
}
