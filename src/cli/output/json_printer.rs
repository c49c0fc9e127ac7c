//! JSON on a terminal: indented and coloured, or one coloured line per record.
//!
//! Works on the text, not on parsed values, so that numbers and unknown fields are shown as received, and lists can be
//! printed while they arrive. The result is still JSON: characters that would control the terminal are escaped.

use std::fmt::Write;

use super::palette::Palette;
use crate::data::printable;

pub struct JsonPrinter {
    palette: Palette,
    /// Whether every value is on a separate line.
    is_indented: bool,
    /// The open containers.
    open: Vec<u8>,
    /// Whether the innermost container has no member yet.
    is_empty: bool,
    /// Whether the next string is a value although its container is an object.
    after_colon: bool,
    /// The string or literal that is being read.
    token: Vec<u8>,
    in_string: bool,
    escaped: bool,
    out: String,
}

impl JsonPrinter {
    pub fn indented(palette: Palette) -> Self {
        JsonPrinter::new(palette, true)
    }

    /// Leaves the line breaks as they are.
    pub fn lines(palette: Palette) -> Self {
        JsonPrinter::new(palette, false)
    }

    fn new(palette: Palette, is_indented: bool) -> Self {
        JsonPrinter {
            palette,
            is_indented,
            open: Vec::new(),
            is_empty: false,
            after_colon: false,
            token: Vec::new(),
            in_string: false,
            escaped: false,
            out: String::new(),
        }
    }

    /// Prints the next part of the JSON; a part may end anywhere.
    pub fn print(&mut self, json: &[u8]) -> Vec<u8> {
        for byte in json {
            if self.in_string {
                self.read_string(*byte);
            } else {
                self.read(*byte);
            }
        }
        std::mem::take(&mut self.out).into_bytes()
    }

    /// Prints what was read last.
    pub fn end(&mut self) -> Vec<u8> {
        self.end_literal();
        std::mem::take(&mut self.out).into_bytes()
    }

    fn read_string(&mut self, byte: u8) {
        self.token.push(byte);
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                let text = escaped(&String::from_utf8_lossy(&std::mem::take(&mut self.token)));
                let is_key = self.open.last() == Some(&b'{') && !self.after_colon;
                let coloured = if is_key { self.palette.cyan(&text) } else { self.palette.green(&text) };
                self.out.push_str(&coloured);
            }
            _ => {}
        }
    }

    fn read(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.end_literal();
                self.begin_value();
                self.in_string = true;
                self.token.push(byte);
            }
            b'{' | b'[' => {
                self.end_literal();
                self.begin_value();
                self.out.push(char::from(byte));
                self.open.push(byte);
                (self.is_empty, self.after_colon) = (true, false);
            }
            b'}' | b']' => {
                self.end_literal();
                self.open.pop();
                if !self.is_empty {
                    self.line_break();
                }
                self.out.push(char::from(byte));
                self.is_empty = false;
            }
            b',' => {
                self.end_literal();
                self.out.push(',');
                self.line_break();
                self.after_colon = false;
            }
            b':' => {
                self.out.push_str(if self.is_indented { ": " } else { ":" });
                self.after_colon = true;
            }
            b' ' | b'\t' | b'\r' | b'\n' => {
                self.end_literal();
                if !self.is_indented || (self.open.is_empty() && byte == b'\n') {
                    self.out.push(char::from(byte));
                }
            }
            _ => {
                if self.token.is_empty() {
                    self.begin_value();
                }
                self.token.push(byte);
            }
        }
    }

    fn begin_value(&mut self) {
        if self.is_empty {
            self.line_break();
            self.is_empty = false;
        }
    }

    fn line_break(&mut self) {
        if self.is_indented {
            self.out.push('\n');
            self.out.push_str(&"  ".repeat(self.open.len()));
        }
    }

    fn end_literal(&mut self) {
        if self.token.is_empty() {
            return;
        }
        let token = std::mem::take(&mut self.token);
        let text = escaped(&String::from_utf8_lossy(&token));
        self.out.push_str(&match text.as_str() {
            "null" => self.palette.dim(&text),
            "true" | "false" => self.palette.yellow(&text),
            _ => text,
        });
    }
}

/// The text with characters that control a terminal as JSON escapes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if printable::is_control(character) {
            // Every such character has at most four digits.
            let _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(mut printer: JsonPrinter, json: &str) -> String {
        // One byte at a time: a part may end anywhere, even inside a character.
        let mut out: Vec<u8> = json.as_bytes().chunks(1).flat_map(|part| printer.print(part)).collect();
        out.extend(printer.end());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_indented_and_otherwise_as_received() {
        let json = "{\"a\":[1.10,{\"b\":\"x:{},\\\"é\"},[],{}],\"n\":12345678901234567890 , \"z\":null}\n";
        let expected = "{\n  \"a\": [\n    1.10,\n    {\n      \"b\": \"x:{},\\\"é\"\n    },\n    [],\n    {}\n  ],\n  \"n\": 12345678901234567890,\n  \"z\": null\n}\n";
        assert_eq!(printed(JsonPrinter::indented(Palette::default()), json), expected);
        assert_eq!(
            printed(JsonPrinter::indented(Palette::default()), "[true,1002]\n5\n"),
            "[\n  true,\n  1002\n]\n5\n"
        );
    }

    #[test]
    fn lines_stay_lines() {
        let json = "{\"id\":\"1\",\"n\":[1, 2]}\n{\"id\":\"2\"}\n";
        assert_eq!(printed(JsonPrinter::lines(Palette::default()), json), json);
    }

    #[test]
    fn strings_cannot_control_the_terminal() {
        let text = printed(JsonPrinter::indented(Palette::default()), "[\"a\u{9b}31m\u{202e}b\"]");
        assert_eq!(text, "[\n  \"a\\u009b31m\\u202eb\"\n]");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[0], "a\u{9b}31m\u{202e}b");
    }
}
