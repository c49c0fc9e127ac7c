//! Takes the document of one conversation apart: the conversation, and its parts.
//!
//! Both are kept byte for byte; the parts are only cut out of the conversation, so that they are not
//! stored twice.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::fields;

/// What asking for one conversation brought. Times are epoch seconds, `fetched_at` by the server's clock.
#[derive(Debug)]
pub enum Detail<'a> {
    Found {
        id: String,
        /// The document without its parts.
        conversation: Cow<'a, str>,
        /// At most the 500 newest.
        parts: Vec<&'a str>,
        /// How many there are, by the server's count.
        expected: Option<i64>,
        updated_at: Option<i64>,
        fetched_at: i64,
    },
    /// It was listed, and now the server denies it.
    Gone { id: String, updated_at: Option<i64>, fetched_at: i64 },
}

const PARTS: &str = "conversation_parts";

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    conversation_parts: Option<&'a RawValue>,
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
    #[serde(default)]
    total_count: Value,
}

impl<'a> Detail<'a> {
    /// Reads a received document. `listed` is the `updated_at` known from the list, which stands in when
    /// the document has none.
    ///
    /// # Errors
    /// When the document is no conversation.
    pub fn read(document: &'a str, listed: Option<i64>, fetched_at: i64) -> Result<Self, serde_json::Error> {
        let read: Document<'a> = serde_json::from_str(document)?;
        let id = fields::id(&read.id).ok_or_else(|| serde::de::Error::missing_field("id"))?;
        let (parts, total) = match read.conversation_parts.map(RawValue::get) {
            None | Some("null") => (Vec::new(), None),
            Some(list) if list.starts_with('[') => (serde_json::from_str::<Vec<&RawValue>>(list)?, None),
            Some(list) => {
                let list: PartList<'a> = serde_json::from_str(list)?;
                (list.conversation_parts.unwrap_or_default(), fields::integer(&list.total_count))
            }
        };
        let counted = fields::integer(&read.statistics["count_conversation_parts"]);
        Ok(Detail::Found {
            id,
            conversation: read
                .conversation_parts
                .map_or(Cow::Borrowed(document), |list| without(document, list)),
            parts: parts.into_iter().map(RawValue::get).collect(),
            expected: counted.max(total),
            updated_at: fields::time(&read.updated_at).or(listed),
            fetched_at,
        })
    }
}

/// The document without the member that holds `list`, which must be a slice of it.
fn without<'a>(document: &'a str, list: &RawValue) -> Cow<'a, str> {
    let start = (list.get().as_ptr() as usize).wrapping_sub(document.as_ptr() as usize);
    let end = start.wrapping_add(list.get().len());
    let (Some(before), Some(after)) = (document.get(..start), document.get(end..)) else {
        return Cow::Borrowed(document);
    };
    let key = before.trim_end().strip_suffix(':').map(str::trim_end);
    let key = key.and_then(|it| it.strip_suffix('"')?.strip_suffix(PARTS)?.strip_suffix('"'));
    let Some(before) = key else { return Cow::Borrowed(document) };
    match before.trim_end().strip_suffix(',') {
        Some(before) => Cow::Owned([before, after].concat()),
        None => Cow::Owned([before, after.trim_start().strip_prefix(',').unwrap_or(after)].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> (String, Vec<String>, Option<i64>) {
        match Detail::read(document, Some(7), 9).unwrap() {
            Detail::Found { conversation, parts, expected, .. } => {
                (conversation.into_owned(), parts.into_iter().map(str::to_owned).collect(), expected)
            }
            Detail::Gone { .. } => unreachable!("reading never denies"),
        }
    }

    #[test]
    fn parts_are_cut_out_and_every_other_byte_stays() {
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
    fn odd_part_lists_are_read() {
        assert_eq!(read(r#"{"id":"1"}"#), (r#"{"id":"1"}"#.into(), vec![], None));
        assert_eq!(read(r#"{"id":"1","conversation_parts":null}"#).0, r#"{"id":"1"}"#);
        assert_eq!(read(r#"{"id":"1","conversation_parts":[{"id":"2"}]}"#).1, [r#"{"id":"2"}"#]);
        let counted = r#"{"id":"1","statistics":{"count_conversation_parts":"812"},"conversation_parts":{"total_count":500}}"#;
        assert_eq!(read(counted).2, Some(812));
        assert!(Detail::read(r#"{"type":"error.list"}"#, None, 0).is_err());
    }

    #[test]
    fn the_listed_time_stands_in() {
        let Detail::Found { updated_at, .. } = Detail::read(r#"{"id":"1"}"#, Some(7), 9).unwrap() else {
            unreachable!("reading never denies")
        };
        assert_eq!(updated_at, Some(7));
    }
}
