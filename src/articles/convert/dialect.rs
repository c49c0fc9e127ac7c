//! Finds Markdown extensions and components of other tools, which the help center does not support.
//!
//! They would be published as plain text, or as HTML that the help center removes. Syntax that readers would
//! see as raw text blocks the article; formatting that is merely lost is a warning. Code must never be
//! checked.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag};

use super::markdown::options;

/// An unsupported construct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Construct {
    /// Offset in the text.
    pub at: usize,
    /// First line of its source.
    pub source: String,
    pub message: String,
    /// Whether readers would see raw syntax or miss content.
    pub blocks_push: bool,
}

/// Elements that the help center keeps or writes itself.
const SUPPORTED_TAGS: &[&str] = &[
    "a", "b", "br", "code", "col", "colgroup", "details", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "i", "iframe", "img", "li", "ol", "p", "pre", "strong", "summary", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "ul",
];

/// Other HTML elements: the help center removes the tags and keeps the text.
const STRIPPED_TAGS: &str = "\
    abbr address article aside audio bdi bdo big blockquote button caption center cite dd del dfn dl dt \
    embed figcaption figure font footer form header input ins kbd label link main mark math meta nav \
    noscript object option picture q s samp script section select small source span strike style sub sup \
    svg template textarea time tt u var video wbr";

/// All unsupported constructs of a text, in order.
pub fn find_constructs(text: &str) -> Vec<Construct> {
    let extensions = Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
        | Options::ENABLE_DEFINITION_LIST;
    let mut search = ConstructSearch { text, found: Vec::new(), code: Vec::new() };
    for (event, range) in Parser::new_ext(text, options() | extensions).into_offset_iter() {
        search.event(&event, range);
    }
    search.check_lines();
    search.check_inline();
    let mut found = search.found;
    found.sort_by_key(|construct| construct.at);
    found.dedup_by(|one, other| one.at == other.at && one.message == other.message);
    found
}

struct ConstructSearch<'a> {
    text: &'a str,
    found: Vec<Construct>,
    /// Ranges of code, which is shown verbatim.
    code: Vec<Range<usize>>,
}

impl ConstructSearch<'_> {
    fn add(&mut self, range: Range<usize>, blocks_push: bool, message: impl Into<String>) {
        let source = self.text[range.clone()].lines().next().unwrap_or_default().trim().to_owned();
        self.found.push(Construct { at: range.start, source, message: message.into(), blocks_push });
    }

    fn event(&mut self, event: &Event<'_>, range: Range<usize>) {
        let (blocks_push, message) = match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                if let CodeBlockKind::Fenced(info) = kind
                    && info.split_ascii_whitespace().next() == Some("mermaid")
                {
                    self.add(range.clone(), false, "diagrams are shown as source code; use an image");
                }
                return self.code.push(range);
            }
            Event::Code(_) => return self.code.push(range),
            Event::Start(Tag::BlockQuote(None)) => return self.quote(range),
            Event::Start(Tag::Heading { .. }) => return self.heading(range),
            Event::FootnoteReference(_) | Event::Start(Tag::FootnoteDefinition(_)) => {
                (true, "footnotes are not supported; write the note in parentheses or at the end of the text")
            }
            Event::TaskListMarker(_) => (true, "task lists are not supported; use a plain list, or ☐ and ☑"),
            Event::DisplayMath(_) => (true, "formulas are not supported; use an image or code"),
            Event::InlineMath(_) => (
                false,
                "formulas are not supported; if this is one, readers see its source between dollar signs",
            ),
            Event::Start(Tag::DefinitionList)
                if self.text[range.clone()].lines().any(|line| line.trim_start().starts_with(": ")) =>
            {
                (true, "definition lists are not supported; use a list or a table")
            }
            Event::Start(Tag::Strikethrough) => (false, "the help center removes strikethrough"),
            _ => return,
        };
        self.add(range, blocks_push, message);
    }

    fn heading(&mut self, range: Range<usize>) {
        let line = self.text[range.clone()].lines().next().unwrap_or_default().trim_end();
        let attributes = line.rfind(" {").filter(|_| line.ends_with('}'));
        let is_attribute = |inner: &str| inner.starts_with(['#', '.', ':']);
        if let Some(at) = attributes.filter(|at| is_attribute(line[at + 2..].trim_start())) {
            let message = "heading attributes are shown as text; remove them";
            self.add(range.start + at + 1..range.end, true, message);
        }
    }

    fn quote(&mut self, range: Range<usize>) {
        let first = self.text[range.clone()].trim_start_matches(['>', ' ']);
        let kind = first.strip_prefix("[!").and_then(|rest| rest.split_once(']')).map(|(kind, _)| kind);
        match kind.filter(|kind| !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphabetic())) {
            Some(kind) => self.add(
                range,
                true,
                format!("unknown callout [!{kind}]: expected NOTE, TIP, IMPORTANT, WARNING or CAUTION"),
            ),
            None => self.add(
                range,
                false,
                "the help center removes quotes; put `> [!NOTE]` on the line before the text for a callout",
            ),
        }
    }

    fn is_code(&self, at: usize) -> bool {
        let before = self.code.partition_point(|range| range.start <= at);
        before.checked_sub(1).is_some_and(|last| self.code[last].contains(&at))
    }

    /// Containers and statements that take a whole line.
    fn check_lines(&mut self) {
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let inner = line.trim_start_matches([' ', '\t', '>', '-', '*']);
            let at = start + (line.len() - inner.len());
            let end = start + line.trim_end().len();
            start += line.len();
            if self.is_code(at) || at >= end {
                continue;
            }
            let inner = inner.trim_end();
            let container = inner.starts_with(":::")
                || inner.strip_prefix("::").is_some_and(|rest| rest.starts_with(char::is_alphabetic));
            let admonition = ["!!! ", "???+ ", "??? "].iter().any(|mark| inner.starts_with(mark));
            if container || admonition {
                let message = "admonitions of other tools are not supported; use a callout: `> [!NOTE]`";
                self.add(at..end, true, message);
            }
            let imports =
                inner.starts_with("import ") && inner.contains(" from ") && inner.contains(['"', '\'']);
            let exports = ["export const ", "export default ", "export function "];
            if imports || exports.iter().any(|word| inner.starts_with(word)) {
                self.add(at..end, true, "MDX statements are shown as text; remove them");
            }
            if inner.starts_with("{:") && inner.ends_with('}') {
                self.add(at..end, true, "attributes in braces are shown as text; remove them");
            }
        }
    }

    /// Tags, components, templates and similar syntax within lines.
    fn check_inline(&mut self) {
        let bytes = self.text.as_bytes();
        for at in 0..bytes.len() {
            if !matches!(bytes[at], b'<' | b'{' | b'[' | b'~') || self.is_code(at) {
                continue;
            }
            if at > 0 && bytes[at - 1] == b'\\' {
                continue;
            }
            let rest = &self.text[at..];
            match bytes[at] {
                b'<' => self.check_tag(at, rest),
                b'{' if ["{% ", "{%- ", "{{% ", "{{< ", "{/*"].iter().any(|mark| rest.starts_with(mark)) => {
                    let length = rest.find(['}', '\n']).map_or(rest.len(), |length| length + 1);
                    let message = "template tags are shown as text; remove them";
                    self.add(at..at + length.min(rest.len()), true, message);
                }
                b'~' if self.text[..at].ends_with(char::is_alphanumeric) => {
                    let inner = rest[1..].split('~').next().unwrap_or_default();
                    let is_word =
                        !inner.is_empty() && inner.len() < 12 && inner.chars().all(char::is_alphanumeric);
                    if is_word && rest[1 + inner.len()..].starts_with('~') {
                        let message = "subscripts are shown with their tildes; remove them";
                        self.add(at..at + inner.len() + 2, false, message);
                    }
                }
                b'[' if rest.starts_with("[[") => {
                    let inner = rest[2..].split(['\n', '[']).next().and_then(|line| line.split_once("]]"));
                    if let Some((inner, after)) = inner.filter(|(inner, _)| !inner.trim().is_empty())
                        && !after.starts_with('(')
                    {
                        let message = "wiki links are shown as text; use [text](file.md)";
                        self.add(at..at + inner.len() + 4, false, message);
                    }
                }
                b'[' if rest.starts_with("[^") => {
                    let name = rest[2..].split(']').next().unwrap_or_default();
                    let is_name = |name: &str| {
                        !name.is_empty() && name.len() < 40 && name.bytes().all(|byte| byte.is_ascii_digit())
                    };
                    let is_reported = self.found.iter().any(|found| found.at == at);
                    if is_name(name) && !is_reported && rest[2 + name.len()..].starts_with(']') {
                        let message = "footnotes are not supported, and this one has no text; remove it";
                        self.add(at..at + name.len() + 3, false, message);
                    }
                }
                _ => {}
            }
        }
    }

    fn check_tag(&mut self, at: usize, rest: &str) {
        let inner = rest[1..].trim_start_matches('/');
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
        let length = inner.find(|letter| !is_name(letter)).unwrap_or(inner.len());
        let (name, after) = inner.split_at(length);
        let ends =
            after.starts_with(|letter: char| letter.is_ascii_whitespace() || matches!(letter, '>' | '/'));
        if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) || !ends || rest.starts_with("</") {
            return;
        }
        let lower = name.to_ascii_lowercase();
        let end = at + rest.find(['>', '\n']).map_or(rest.len(), |length| length + 1);
        let is_component = name.starts_with(|letter: char| letter.is_ascii_uppercase()) || name.contains('.');
        if SUPPORTED_TAGS.contains(&lower.as_str()) {
            return;
        }
        if is_component && !STRIPPED_TAGS.split(' ').any(|tag| tag == lower) {
            let message = format!(
                "unsupported component <{name}>: use Markdown, or put it in backticks to show it as text"
            );
            return self.add(at..end, true, message);
        }
        self.add(at..end, false, format!("the help center removes <{lower}>"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(bool, String)> {
        find_constructs(text).into_iter().map(|found| (found.blocks_push, found.source)).collect()
    }

    #[test]
    fn raw_syntax_of_other_tools_blocks_the_push() {
        for (text, source) in [
            ("a[^1].\n\n[^1]: note", "[^1]"),
            ("a[^note].\n\n[^note]: text", "[^note]"),
            ("- [ ] task", "[ ]"),
            ("1. [x] done", "[x]"),
            (":::note\ntext\n:::", ":::note"),
            ("::::tip Title\n::::", "::::tip Title"),
            ("- a\n\n  :::warning\n  b\n  :::", ":::warning"),
            ("::video{id=1}", "::video{id=1}"),
            ("<Note>\ntext\n</Note>", "<Note>"),
            ("see <Tooltip tip={x}>this</Tooltip>", "<Tooltip tip={x}>"),
            ("<Tabs.Item>x</Tabs.Item>", "<Tabs.Item>"),
            ("{% hint style=\"info\" %}\nx\n{% endhint %}", "{% hint style=\"info\" %}"),
            ("{{< youtube abc >}}", "{{< youtube abc >}"),
            ("!!! note\n    text", "!!! note"),
            ("import Tabs from '@theme/Tabs';", "import Tabs from '@theme/Tabs';"),
            ("{/* a comment */}", "{/* a comment */}"),
            ("$$\nx^2\n$$", "$$"),
            ("Term\n: what it is", "Term"),
            ("> [!INFO]\n> a", "> [!INFO]"),
            ("## Title {#id}", "{#id}"),
            ("{: .class}", "{: .class}"),
        ] {
            let found = found(text);
            assert!(
                found.iter().any(|(blocks_push, of)| *blocks_push && of.starts_with(source)),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn lost_formatting_is_a_warning() {
        for text in [
            "> quote",
            "~~a~~",
            "H~2~O",
            "<mark>a</mark>",
            "a <sub>b</sub>",
            "<video src=\"https://a/b\"></video>",
            "$x^2$",
            "[[Page]]",
            "a[^1]",
            "```mermaid\ngraph\n```",
        ] {
            let found = found(text);
            assert!(
                !found.is_empty() && found.iter().all(|(blocks_push, _)| !blocks_push),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn ordinary_text_and_code_are_left_alone() {
        for text in [
            "> [!NOTE]\n> a",
            "costs $5 or $10, and 10:30:45",
            "`<Note>` `[^1]` `:::` `{% if %}`",
            "```\n:::note\n<Note>\n- [ ] a\n$$x$$\n[^1]: b\n```",
            "    :::note",
            "\\<Note> and \\[^1\\]",
            "a < B and <https://a.test> and <me@a.test>",
            "<details>\n<summary>a</summary>\n\nb\n\n</details>",
            "![a](https://a/b.png){width=3} [b](https://c){.button}",
            "[a-z] [^a-z]+ {{ first_name }} {x}",
            "<P>x</P><BR>",
            "| a | b |\n| --- | --- |\n| 1 | 2 |",
            "importance: import a form",
            "Note: a\nb: c",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
