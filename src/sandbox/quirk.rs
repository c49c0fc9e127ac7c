//! Optional behaviour that makes the sandbox harder to work with, as real workspaces can be.
//!
//! Real workspaces deny access to resources, return errors with status 200, or represent "unassigned" in two
//! ways. Each such behaviour is a [`Quirk`] that a test or `sandbox serve --quirk` enables. A quirk must change
//! responses only, never stored data, unless its documentation says so.

use std::fmt;
use std::str::FromStr;

/// One behaviour, written `name` or `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quirk {
    /// `refuse=PATH:STATUS`: requests to this path fail with this status, as after losing a permission.
    Refuse { path: PathPattern, status: u16 },
    /// `errors-in-success=PATH`: requests to this path return status 200 with an error list as the body.
    ErrorsInSuccess(PathPattern),
    /// `short-page=PATH`: the list at this path is empty, and ends, after its first page.
    ShortPage(PathPattern),
    /// `repeating-page=PATH`: the list at this path returns its first page forever, each time with a new cursor.
    RepeatingPage(PathPattern),
    /// `null-cursor`: the last page of a list points to a next page whose cursor is null.
    NullCursor,
    /// `null-lists`: the tags, companies and notes of contacts are null.
    NullLists,
    /// `null-links=PATH`: conversations and tickets in answers of this path carry null in place of their
    /// contacts, tags, linked records and parts.
    NullLinks(PathPattern),
    /// `withheld-parts=N`: a conversation hands out only its N newest parts, and counts all of them.
    WithheldParts(usize),
    /// `nameless=PATH`: the last record on each page of a list of this path has no id, nor has the last part of a
    /// conversation of this path.
    Nameless(PathPattern),
    /// `lone-surrogates`: texts of messages end in half of a surrogate pair.
    LoneSurrogates,
    /// `wrong-version=PATH`: calls of this path are refused because they need another API version.
    WrongVersion(PathPattern),
    /// `page-cap=N`: pages of more than N records are rejected.
    PageCap(usize),
    /// `stuck-scroll`: the scroll returns its first page forever.
    StuckScroll,
    /// `lost-scroll`: the scroll expires after its first page.
    LostScroll,
    /// `ignored-writes=PATH`: writes to this path return status 200 without changing anything.
    IgnoredWrites(PathPattern),
    /// `unassign-clears-teammate`: unassigning a conversation clears the teammate, even when the request is for
    /// the team.
    UnassignClearsTeammate,
    /// `unassign-clears-team`: assigning a conversation to no teammate takes the team off as well.
    UnassignClearsTeam,
    /// `without=FIELD`: conversations and contacts leave this field out.
    Without(String),
    /// `hidden-archived`: an archived contact answers 404 until it is brought back.
    HiddenArchived,
    /// `gone-with-link`: a merged contact returns 410 with a link to the contact it was merged into.
    GoneWithLink,
    /// `unassigned=null`: unassigned conversations have null assignees and are found by null, as in older
    /// documents. `unassigned=absent`: they have no assignee keys, and are found by null. `unassigned=zero` is the
    /// default.
    Unassigned(Unassigned),
    /// `inclusive-comparison`: in searches, `>` and `<` also match equal values.
    InclusiveComparison,
    /// `sparse-search=KEY`: the records in a search response lack this key.
    SparseSearch(String),
    /// `stale-search`: the search index has closed conversations as open, and returns them so.
    StaleSearch,
    /// `markup-search`: searches compare the stored HTML of the opening message.
    MarkupSearch,
    /// `strict-groups`: searches whose groups mix filters and groups are rejected with status 400, as the description
    /// requires.
    StrictGroups,
    /// `no-null-search`: searches for null are rejected with status 400.
    NoNullSearch,
    /// `no-search-by-ids`: searches by a list of ids are rejected with status 400.
    NoSearchByIds,
    /// `blind-search-by-ids`: searches by a list of ids find nothing.
    BlindSearchByIds,
    /// `extra-count=PATH`: the list at this path counts five more records than it has.
    ExtraCount(PathPattern),
    /// `oldest-calls-first`: calls are listed with the oldest change first.
    OldestCallsFirst,
    /// `bare=PATH`: conversations and tickets in responses from this path have neither parts nor statistics.
    Bare(PathPattern),
    /// `short-scroll`: the scroll is empty, and ends, after its first page.
    ShortScroll,
    /// `scroll-page=N`: pages of the scroll have N records.
    ScrollPage(usize),
    /// `token-byline`: updating an article without `author_id` makes the owner of the token its author.
    TokenByline,
    /// `operator-as-admin`: messages from Operator, workflows and the AI agent have an author of type `admin`.
    OperatorAsAdmin,
    /// `operator-as-user`: the same authors are typed as users.
    OperatorAsUser,
}

/// The assignee id of an unassigned conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unassigned {
    Null,
    Zero,
    Absent,
}

/// Syntax of every quirk, for help and errors.
pub const NAMES: &[&str] = &[
    "refuse=PATH:STATUS",
    "errors-in-success=PATH",
    "short-page=PATH",
    "repeating-page=PATH",
    "null-cursor",
    "null-lists",
    "null-links=PATH",
    "withheld-parts=N",
    "nameless=PATH",
    "lone-surrogates",
    "wrong-version=PATH",
    "page-cap=N",
    "stuck-scroll",
    "lost-scroll",
    "ignored-writes=PATH",
    "unassign-clears-teammate",
    "unassign-clears-team",
    "without=FIELD",
    "hidden-archived",
    "gone-with-link",
    "unassigned=null|zero|absent",
    "inclusive-comparison",
    "sparse-search=KEY",
    "stale-search",
    "markup-search",
    "strict-groups",
    "no-null-search",
    "no-search-by-ids",
    "blind-search-by-ids",
    "extra-count=PATH",
    "oldest-calls-first",
    "bare=PATH",
    "short-scroll",
    "scroll-page=N",
    "token-byline",
    "operator-as-admin",
    "operator-as-user",
];

impl FromStr for Quirk {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        match name {
            "refuse" => {
                let (path, status) =
                    value.rsplit_once(':').ok_or("missing status: expected refuse=PATH:STATUS")?;
                let status = status.parse().ok().filter(|status| (400..600).contains(status));
                let status = status.ok_or("invalid status in refuse=PATH:STATUS: expected 400 to 599")?;
                Ok(Quirk::Refuse { path: path.parse()?, status })
            }
            "no-search-by-ids" => Ok(Quirk::NoSearchByIds),
            "blind-search-by-ids" if value.is_empty() => Ok(Quirk::BlindSearchByIds),
            "extra-count" => Ok(Quirk::ExtraCount(value.parse()?)),
            "oldest-calls-first" if value.is_empty() => Ok(Quirk::OldestCallsFirst),
            "bare" => Ok(Quirk::Bare(value.parse()?)),
            "short-scroll" if value.is_empty() => Ok(Quirk::ShortScroll),
            "scroll-page" => {
                let size = value.parse().ok().filter(|size| *size > 0);
                Ok(Quirk::ScrollPage(
                    size.ok_or("invalid N in scroll-page=N: expected an integer greater than 0")?,
                ))
            }
            "errors-in-success" => Ok(Quirk::ErrorsInSuccess(value.parse()?)),
            "short-page" => Ok(Quirk::ShortPage(value.parse()?)),
            "repeating-page" => Ok(Quirk::RepeatingPage(value.parse()?)),
            "null-cursor" => Ok(Quirk::NullCursor),
            "null-lists" => Ok(Quirk::NullLists),
            "null-links" => Ok(Quirk::NullLinks(value.parse()?)),
            "withheld-parts" => {
                let most = value.parse().map_err(|_| "expected a number of parts in withheld-parts=N")?;
                Ok(Quirk::WithheldParts(most))
            }
            "nameless" => Ok(Quirk::Nameless(value.parse()?)),
            "lone-surrogates" if value.is_empty() => Ok(Quirk::LoneSurrogates),
            "wrong-version" => Ok(Quirk::WrongVersion(value.parse()?)),
            "page-cap" => {
                let max = value.parse().ok().filter(|max| *max > 0);
                Ok(Quirk::PageCap(max.ok_or("invalid N in page-cap=N: expected an integer greater than 0")?))
            }
            "stuck-scroll" => Ok(Quirk::StuckScroll),
            "lost-scroll" => Ok(Quirk::LostScroll),
            "ignored-writes" => Ok(Quirk::IgnoredWrites(value.parse()?)),
            "unassign-clears-teammate" => Ok(Quirk::UnassignClearsTeammate),
            "unassign-clears-team" if value.is_empty() => Ok(Quirk::UnassignClearsTeam),
            "without" if value.is_empty() => Err("expected the name of a field in without=FIELD".to_owned()),
            "without" => Ok(Quirk::Without(value.to_owned())),
            "hidden-archived" if value.is_empty() => Ok(Quirk::HiddenArchived),
            "gone-with-link" => Ok(Quirk::GoneWithLink),
            "unassigned" => match value {
                "null" => Ok(Quirk::Unassigned(Unassigned::Null)),
                "zero" => Ok(Quirk::Unassigned(Unassigned::Zero)),
                "absent" => Ok(Quirk::Unassigned(Unassigned::Absent)),
                _ => Err(format!(
                    "invalid value {value:?}: expected unassigned=null, unassigned=zero or unassigned=absent"
                )),
            },
            "sparse-search" if !value.is_empty() => Ok(Quirk::SparseSearch(value.to_owned())),
            "sparse-search" => Err("expected the key to leave out in sparse-search=KEY".to_owned()),
            "stale-search" if value.is_empty() => Ok(Quirk::StaleSearch),
            "markup-search" if value.is_empty() => Ok(Quirk::MarkupSearch),
            "strict-groups" if value.is_empty() => Ok(Quirk::StrictGroups),
            "no-null-search" if value.is_empty() => Ok(Quirk::NoNullSearch),
            "inclusive-comparison" if value.is_empty() => Ok(Quirk::InclusiveComparison),
            "operator-as-admin" if value.is_empty() => Ok(Quirk::OperatorAsAdmin),
            "operator-as-user" if value.is_empty() => Ok(Quirk::OperatorAsUser),
            "token-byline" if value.is_empty() => Ok(Quirk::TokenByline),
            _ => Err(format!("unknown quirk {name:?}: expected one of {}", NAMES.join(", "))),
        }
    }
}

/// The paths that a quirk applies to: `/contacts`, or `/contacts/*/tags` where `*` matches one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(String);

impl PathPattern {
    /// Whether a request path, without its query, matches.
    pub fn matches(&self, path: &str) -> bool {
        let (mut pattern, mut path) = (self.0.split('/'), path.split('/'));
        loop {
            match (pattern.next(), path.next()) {
                (None, None) => return true,
                (Some("*"), Some(_)) => {}
                (Some(expected), Some(segment)) if expected == segment => {}
                _ => return false,
            }
        }
    }
}

impl FromStr for PathPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            Ok(PathPattern(text.to_owned()))
        } else {
            Err(format!("invalid path {text:?}: expected for example /contacts or /contacts/*/tags"))
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_status_of_a_quirk_are_parsed() {
        let quirk: Quirk = "refuse=/contacts/*/tags:404".parse().unwrap();
        let Quirk::Refuse { path, status: 404 } = quirk else { panic!("{quirk:?}") };
        assert!(path.matches("/contacts/7/tags"));
        assert!(!path.matches("/contacts/7"));
        assert!(!path.matches("/contacts/7/tags/9"));
    }

    #[test]
    fn the_error_for_an_invalid_quirk_names_the_expected_syntax() {
        for (text, expected) in [
            ("refuse=/contacts", "refuse=PATH:STATUS"),
            ("refuse=/contacts:200", "400 to 599"),
            ("errors-in-success=contacts", "invalid path \"contacts\""),
            ("page-cap=none", "page-cap=N"),
            ("withheld-parts=all", "withheld-parts=N"),
            ("wrong-version=2.14", "invalid path \"2.14\""),
            ("lone-surrogates=yes", "expected one of refuse"),
            ("unkind", "expected one of refuse"),
            ("unassigned=nobody", "unassigned=zero"),
            ("sparse-search", "sparse-search=KEY"),
            ("inclusive-comparison=yes", "expected one of refuse"),
        ] {
            let error = text.parse::<Quirk>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
