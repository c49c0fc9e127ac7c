//! Splits the document of a conversation or ticket into the record and its parts.
//!
//! Both must be kept byte for byte. Parts are removed from a conversation, so that they are not stored twice. A
//! ticket keeps them, because lists of tickets contain them as well.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::resources::ResourceName;
use crate::data::lenient;

/// How parts are nested in the documents of their owners.
#[derive(Debug, PartialEq, Eq)]
pub struct Nesting {
    pub owner: ResourceName,
    /// The owner in messages, in the singular.
    pub noun: &'static str,
    /// Also the key of the list and of the object around it.
    pub parts: ResourceName,
    /// The operation that fetches an owner with its parts.
    pub operation: &'static str,
    /// Whether the owner is stored without them.
    pub strips_parts: bool,
}

pub static OF_CONVERSATIONS: Nesting = Nesting {
    owner: ResourceName::Conversations,
    noun: "conversation",
    parts: ResourceName::ConversationParts,
    operation: "retrieveConversation",
    strips_parts: true,
};

pub static OF_TICKETS: Nesting = Nesting {
    owner: ResourceName::Tickets,
    noun: "ticket",
    parts: ResourceName::TicketParts,
    operation: "getTicket",
    strips_parts: false,
};

/// A record with its parts. Times are epoch seconds, `fetched_at` by the server's clock.
#[derive(Debug)]
pub struct Detail<'a> {
    pub nesting: &'static Nesting,
    pub id: String,
    /// The document to store.
    pub owner: Cow<'a, str>,
    /// The newest ones, at most 500.
    pub parts: Vec<&'a str>,
    /// Whether the document has a list of parts. Null instead of a list says nothing about the parts.
    pub shows_parts: bool,
    /// The server's count of all parts.
    pub expected: Option<i64>,
    /// The count in the list of parts.
    pub listed: Option<i64>,
    pub updated_at: Option<i64>,
    pub fetched_at: i64,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    conversation_parts: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ticket_parts: Option<&'a RawValue>,
    #[serde(default)]
    id: Value,
    #[serde(default)]
    updated_at: Value,
    #[serde(default)]
    statistics: Value,
}

#[derive(Deserialize)]
struct PartList<'a> {
    #[serde(borrow, default)]
    conversation_parts: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    ticket_parts: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    total_count: Value,
}

impl<'a> Detail<'a> {
    /// Reads a received document. `listed` is the `updated_at` from the list, used if the document has none.
    ///
    /// # Errors
    /// If the document is not such a record.
    pub fn read(
        nesting: &'static Nesting,
        document: &'a str,
        listed: Option<i64>,
        fetched_at: i64,
    ) -> Result<Self, serde_json::Error> {
        let read: Document<'a> = serde_json::from_str(document)?;
        let id = lenient::id(&read.id).ok_or_else(|| serde::de::Error::missing_field("id"))?;
        let of_ticket = nesting.parts == ResourceName::TicketParts;
        let list = if of_ticket { read.ticket_parts } else { read.conversation_parts };
        let (parts, total) = match list.map(RawValue::get) {
            None | Some("null") => (None, None),
            Some(list) if list.starts_with('[') => {
                (Some(serde_json::from_str::<Vec<&RawValue>>(list)?), None)
            }
            Some(list) => {
                let list: PartList<'a> = serde_json::from_str(list)?;
                let parts = if of_ticket { list.ticket_parts } else { list.conversation_parts };
                (parts, lenient::integer(&list.total_count))
            }
        };
        let counted = lenient::integer(&read.statistics["count_conversation_parts"]);
        let owner = match list.filter(|_| nesting.strips_parts) {
            Some(list) => without(document, nesting.parts.as_str(), list),
            None => Cow::Borrowed(document),
        };
        Ok(Detail {
            nesting,
            id,
            owner,
            shows_parts: parts.is_some(),
            parts: parts.unwrap_or_default().into_iter().map(RawValue::get).collect(),
            expected: counted.max(total),
            listed: total,
            updated_at: lenient::time(&read.updated_at).or(listed),
            fetched_at,
        })
    }

    /// Whether the document has no list of parts although the record may have parts.
    pub fn withholds_parts(&self) -> bool {
        !self.shows_parts && self.expected != Some(0)
    }

    /// Whether the list of parts is empty although its count is not zero. A count that exceeds the list by a few
    /// parts is normal.
    pub fn is_list_short(&self) -> bool {
        self.parts.is_empty() && self.listed.is_some_and(|listed| listed > 0)
    }

    /// Whether the document contains as many parts as it counts.
    pub fn is_whole(&self) -> bool {
        self.shows_parts && self.expected.is_some_and(|expected| expected == self.parts.len() as i64)
    }
}

/// The document without the member `key`, whose value `list` must be a slice of the document.
pub(super) fn without<'a>(document: &'a str, key: &str, list: &RawValue) -> Cow<'a, str> {
    let start = (list.get().as_ptr() as usize).wrapping_sub(document.as_ptr() as usize);
    let end = start.wrapping_add(list.get().len());
    let (Some(before), Some(after)) = (document.get(..start), document.get(end..)) else {
        return Cow::Borrowed(document);
    };
    let before = before.trim_end().strip_suffix(':').map(str::trim_end);
    let before = before.and_then(|text| text.strip_suffix('"')?.strip_suffix(key)?.strip_suffix('"'));
    let Some(before) = before else { return Cow::Borrowed(document) };
    match before.trim_end().strip_suffix(',') {
        Some(before) => Cow::Owned([before, after].concat()),
        None => Cow::Owned([before, after.trim_start().strip_prefix(',').unwrap_or(after)].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> (String, Vec<String>, Option<i64>) {
        let detail = Detail::read(&OF_CONVERSATIONS, document, Some(7), 9).unwrap();
        let parts = detail.parts.into_iter().map(str::to_owned).collect();
        (detail.owner.into_owned(), parts, detail.expected)
    }

    #[test]
    fn parts_are_removed_and_every_other_byte_is_kept() {
        let list = r#"{"conversation_parts": [{"id":"1", "body":"a,\"b"} ,{"id":2}], "total_count": 2}"#;
        for (before, after) in [
            (r#"{ "id" : 1.50e1"#, r#" , "x":[1,  2]}"#),
            (r#"{"id":"9""#, "\n}"),
            (r#"{"id":"9", "é":0"#, "}"),
        ] {
            let document = format!("{before},\n \"conversation_parts\" : {list}{after}");
            let (conversation, parts, expected) = read(&document);
            assert_eq!(conversation, format!("{before}{after}"));
            assert_eq!(parts, [r#"{"id":"1", "body":"a,\"b"}"#, r#"{"id":2}"#]);
            assert_eq!(expected, Some(2));
        }
        let (conversation, ..) = read(&format!(r#"{{"conversation_parts":{list} , "id":"9"}}"#));
        assert_eq!(conversation, r#"{ "id":"9"}"#);
    }

    #[test]
    fn missing_null_bare_and_incomplete_part_lists_are_accepted() {
        assert_eq!(read(r#"{"id":"1"}"#), (r#"{"id":"1"}"#.into(), vec![], None));
        let null = r#"{"id":"1","conversation_parts":null}"#;
        assert_eq!(read(null), (null.into(), vec![], None));
        assert_eq!(read(r#"{"id":"1","conversation_parts":[{"id":"2"}]}"#).1, [r#"{"id":"2"}"#]);
        let counted = r#"{"id":"1","statistics":{"count_conversation_parts":"812"},"conversation_parts":{"total_count":500}}"#;
        assert_eq!(read(counted).2, Some(812));
        assert!(Detail::read(&OF_CONVERSATIONS, r#"{"type":"error.list"}"#, None, 0).is_err());
    }

    #[test]
    fn the_time_from_the_list_replaces_a_missing_one() {
        let detail = Detail::read(&OF_CONVERSATIONS, r#"{"id":"1"}"#, Some(7), 9).unwrap();
        assert_eq!(detail.updated_at, Some(7));
    }

    #[test]
    fn a_ticket_keeps_its_parts() {
        let ticket = r#"{"id":"1","ticket_parts":{"ticket_parts":[{"id":"2"}],"total_count":1}}"#;
        let detail = Detail::read(&OF_TICKETS, ticket, None, 9).unwrap();
        assert_eq!((detail.owner.as_ref(), detail.parts.as_slice()), (ticket, &[r#"{"id":"2"}"#][..]));
        assert!(detail.is_whole());
        let short = r#"{"id":"1","ticket_parts":{"ticket_parts":[],"total_count":1}}"#;
        assert!(!Detail::read(&OF_TICKETS, short, None, 9).unwrap().is_whole());
        assert!(!Detail::read(&OF_TICKETS, r#"{"id":"1"}"#, None, 9).unwrap().is_whole());
    }
}
