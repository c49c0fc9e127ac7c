//! The rest of a text that is too large for any part, in pieces that fit.

use crate::mcp::raw::{end_within, quoted};

/// What follows the shown beginning of a text.
pub struct TextRest {
    /// The field of the text.
    pub path: String,
    pub text: String,
    /// Characters before the rest, and in the whole text.
    pub from: usize,
    pub of: usize,
}

impl TextRest {
    /// The fields of one part for each piece, at most this many bytes each.
    pub fn bodies(&self, bytes: usize) -> Vec<String> {
        let path = quoted(&self.path);
        let room = bytes.saturating_sub(path.len() + 100).max(64);
        let (mut text, mut from, mut bodies) = (self.text.as_str(), self.from, Vec::new());
        while !text.is_empty() {
            let (piece, after) = text.split_at(end_within(text, room));
            let to = from + piece.chars().count();
            bodies.push(format!(
                r#""results":{{"path":{path},"from":{from},"to":{to},"of":{},"text":{}}}"#,
                self.of,
                quoted(piece)
            ));
            (text, from) = (after, to);
        }
        bodies
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_pieces_are_the_rest_of_the_text() {
        for (text, bytes) in [("", 200), ("short", 200), (&*"é\"\n".repeat(300), 200), (&*"x".repeat(99), 10)]
        {
            let rest =
                TextRest { path: "results.body".to_owned(), text: text.to_owned(), from: 7, of: 2_000 };
            let (mut shown, mut at) = (String::new(), 7);
            for body in rest.bodies(bytes) {
                assert!(body.len() <= bytes.max(200), "{body}");
                let piece: Value = serde_json::from_str(&format!("{{{body}}}")).unwrap();
                assert_eq!(piece["results"]["from"], at);
                shown.push_str(piece["results"]["text"].as_str().unwrap());
                at = 7 + shown.chars().count();
                assert_eq!(piece["results"]["to"], at);
            }
            assert_eq!(shown, text);
        }
    }
}
