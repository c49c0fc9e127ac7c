//! Optional behaviour that makes the sandbox harder to work with, as real workspaces can be.
//!
//! Real workspaces deny access to resources, return errors with status 200, or represent "unassigned" in two
//! ways. Each such behaviour is a [`Quirk`] that a test or `sandbox serve --quirk` enables. A quirk must change
//! responses only, never stored data, unless its documentation says so.

use std::str::FromStr;

/// Defines the quirks, their syntax, and how the value of each is read.
macro_rules! quirks {
    ($($(#[$doc:meta])+ $syntax:literal => $quirk:ident $(($value:ty = $read:expr))?,)+) => {
        /// One behaviour, written `name` or `name=value`.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Quirk {
            $($(#[$doc])+ #[doc = concat!("`", $syntax, "`")] $quirk $(($value))?),+
        }

        /// Syntax of every quirk, for help and errors.
        pub const NAMES: &[&str] = &[$($syntax),+];

        impl FromStr for Quirk {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let (name, value) = text.split_once('=').unwrap_or((text, ""));
                match NAMES.iter().find(|syntax| syntax.split('=').next() == Some(name)) {
                    $(Some(&$syntax) if value.is_empty() || $syntax.contains('=') => {
                        Ok(Quirk::$quirk $(($read($syntax, value)?))?)
                    })+
                    _ => Err(format!("unknown quirk {name:?}: expected one of {}", NAMES.join(", "))),
                }
            }
        }
    };
}

quirks! {
    /// Requests to this path fail with this status, as after losing a permission.
    "refuse=PATH:STATUS" => Refuse(Refusal = read_refusal),
    /// Requests to this path return status 200 with an error list as the body.
    "errors-in-success=PATH" => ErrorsInSuccess(PathPattern = read_path),
    /// The list at this path is empty, and ends, after its first page.
    "short-page=PATH" => ShortPage(PathPattern = read_path),
    /// The list at this path returns its first page forever, each time with a new cursor.
    "repeating-page=PATH" => RepeatingPage(PathPattern = read_path),
    /// The last page of a list points to a next page whose cursor is null.
    "null-cursor" => NullCursor,
    /// The tags, companies and notes of contacts are null.
    "null-lists" => NullLists,
    /// Conversations and tickets in answers of this path carry null in place of their contacts, tags, linked
    /// records and parts.
    "null-links=PATH" => NullLinks(PathPattern = read_path),
    /// A conversation hands out only its N newest parts, and counts all of them.
    "withheld-parts=N" => WithheldParts(usize = read_count),
    /// The last record on each page of a list of this path has no id, nor has the last part of a conversation
    /// of this path.
    "nameless=PATH" => Nameless(PathPattern = read_path),
    /// Texts of messages end in half of a surrogate pair.
    "lone-surrogates" => LoneSurrogates,
    /// Calls of this path are refused because they need another API version.
    "wrong-version=PATH" => WrongVersion(PathPattern = read_path),
    /// Pages of more than N records are rejected.
    "page-cap=N" => PageCap(usize = read_size),
    /// The scroll returns its first page forever.
    "stuck-scroll" => StuckScroll,
    /// The scroll expires after its first page.
    "lost-scroll" => LostScroll,
    /// Writes to this path return status 200 without changing anything.
    "ignored-writes=PATH" => IgnoredWrites(PathPattern = read_path),
    /// Unassigning a conversation clears the teammate, even when the request is for the team.
    "unassign-clears-teammate" => UnassignClearsTeammate,
    /// Assigning a conversation to no teammate takes the team off as well.
    "unassign-clears-team" => UnassignClearsTeam,
    /// Conversations and contacts leave this field out.
    "without=FIELD" => Without(String = read_name),
    /// An archived contact answers 404 until it is brought back.
    "hidden-archived" => HiddenArchived,
    /// A merged contact returns 410 with a link to the contact it was merged into.
    "gone-with-link" => GoneWithLink,
    /// Unassigned conversations have null assignees, as in older documents, or no assignee keys, and are found
    /// by null. `unassigned=zero` is the default.
    "unassigned=null|zero|absent" => Unassigned(Unassigned = read_unassigned),
    /// In searches, `>` and `<` also match equal values.
    "inclusive-comparison" => InclusiveComparison,
    /// The records in a search response lack this key.
    "sparse-search=KEY" => SparseSearch(String = read_name),
    /// The search index has closed conversations as open, and returns them so.
    "stale-search" => StaleSearch,
    /// Searches compare the stored HTML of the opening message.
    "markup-search" => MarkupSearch,
    /// Searches whose groups mix filters and groups are rejected with status 400, as the description requires.
    "strict-groups" => StrictGroups,
    /// Searches for null are rejected with status 400.
    "no-null-search" => NoNullSearch,
    /// Searches by a list of ids are rejected with status 400.
    "no-search-by-ids" => NoSearchByIds,
    /// Searches by a list of ids find nothing.
    "blind-search-by-ids" => BlindSearchByIds,
    /// The list at this path counts five more records than it has.
    "extra-count=PATH" => ExtraCount(PathPattern = read_path),
    /// Calls are listed with the oldest change first.
    "oldest-calls-first" => OldestCallsFirst,
    /// Conversations and tickets in responses from this path have neither parts nor statistics.
    "bare=PATH" => Bare(PathPattern = read_path),
    /// The scroll is empty, and ends, after its first page.
    "short-scroll" => ShortScroll,
    /// Pages of the scroll have N records.
    "scroll-page=N" => ScrollPage(usize = read_size),
    /// Updating an article without `author_id` makes the owner of the token its author.
    "token-byline" => TokenByline,
    /// Messages from Operator, workflows and the AI agent have an author of type `admin`.
    "operator-as-admin" => OperatorAsAdmin,
    /// The same authors are typed as users.
    "operator-as-user" => OperatorAsUser,
}

/// The status with which requests to a path fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub path: PathPattern,
    pub status: u16,
}

/// The assignee id of an unassigned conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unassigned {
    Null,
    Zero,
    Absent,
}

fn read_refusal(syntax: &str, value: &str) -> Result<Refusal, String> {
    let missing = || format!("missing status: expected {syntax}");
    let (path, status) = value.rsplit_once(':').ok_or_else(missing)?;
    let status = status.parse().ok().filter(|status| (400..600).contains(status));
    let status = status.ok_or_else(|| format!("invalid status in {syntax}: expected 400 to 599"))?;
    Ok(Refusal { path: path.parse()?, status })
}

fn read_path(_: &str, value: &str) -> Result<PathPattern, String> {
    value.parse()
}

fn read_size(syntax: &str, value: &str) -> Result<usize, String> {
    let size = value.parse().ok().filter(|size| *size > 0);
    size.ok_or_else(|| format!("invalid N in {syntax}: expected an integer greater than 0"))
}

fn read_count(syntax: &str, value: &str) -> Result<usize, String> {
    value.parse().map_err(|_| format!("expected a number of parts in {syntax}"))
}

fn read_name(syntax: &str, value: &str) -> Result<String, String> {
    let expected = if syntax.ends_with("KEY") { "the key to leave out" } else { "the name of a field" };
    if value.is_empty() { Err(format!("expected {expected} in {syntax}")) } else { Ok(value.to_owned()) }
}

fn read_unassigned(_: &str, value: &str) -> Result<Unassigned, String> {
    match value {
        "null" => Ok(Unassigned::Null),
        "zero" => Ok(Unassigned::Zero),
        "absent" => Ok(Unassigned::Absent),
        _ => Err(format!(
            "invalid value {value:?}: expected unassigned=null, unassigned=zero or unassigned=absent"
        )),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_status_of_a_quirk_are_parsed() {
        let quirk: Quirk = "refuse=/contacts/*/tags:404".parse().unwrap();
        let Quirk::Refuse(Refusal { path, status: 404 }) = quirk else { panic!("{quirk:?}") };
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
            ("without", "without=FIELD"),
            ("null-cursor=5", "expected one of refuse"),
            ("inclusive-comparison=yes", "expected one of refuse"),
        ] {
            let error = text.parse::<Quirk>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
