//! Writes help as lines of a terminal: wrapped texts, and rows of names with their explanations.
//!
//! Texts contain terminal styles; clap removes them when the output is not a terminal.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use super::Section;
use crate::cli::output::{cut, terminal_width};

/// Longer lines are hard to read.
const MAX_WIDTH: usize = 100;
const MIN_WIDTH: usize = 40;

/// Names wider than this have their explanation below them.
const WIDEST_NAME: usize = 30;

const INDENT: usize = 2;
/// Columns between a name and its explanation.
const GAP: usize = 2;
/// Minimum columns of an explanation.
const MIN_ROOM: usize = 20;

const FIRST_SCREEN_FOOTER: &str = "\
Help on a command, with examples: intercom-pp-cli COMMAND --help
Other commands: help api, help commands   Global options: help flags
Topics: help output|filters|dates|exit-codes|profiles|environment";

/// A name and its explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub name: String,
    pub text: String,
}

/// The width of a page.
pub fn width() -> usize {
    terminal_width().unwrap_or(MAX_WIDTH).clamp(MIN_WIDTH, MAX_WIDTH)
}

pub fn heading(text: &str) -> String {
    let style = Style::new().bold();
    format!("{style}{text}{style:#}")
}

fn name(text: &str) -> String {
    let style = Style::new().fg_color(Some(AnsiColor::Cyan.into()));
    format!("{style}{text}{style:#}")
}

/// Wraps each line. Continuations are indented like their line; those of an indented line by `hanging` more columns.
pub fn wrap(text: &str, width: usize, hanging: usize) -> String {
    let lines = text.lines().map(|line| wrap_line(line, width, hanging));
    lines.collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, width: usize, hanging: usize) -> String {
    let indent = line.len() - line.trim_start().len();
    if line.width() <= width {
        return line.trim_end().to_owned();
    }
    let mut lines = vec![" ".repeat(indent)];
    let continued = if indent > 0 { indent + hanging } else { 0 };
    let mut used = indent;
    let mut is_first = true;
    for word in line.split_whitespace() {
        if !is_first && used + 1 + word.width() > width {
            lines.push(" ".repeat(continued));
            used = continued;
            is_first = true;
        }
        let last = lines.len() - 1;
        if !is_first {
            lines[last].push(' ');
            used += 1;
        }
        lines[last].push_str(word);
        used += word.width();
        is_first = false;
    }
    lines.join("\n")
}

/// A heading, and rows below it. Without `is_full` each row has one line.
pub fn block(title: &str, rows: &[Row], width: usize, is_full: bool) -> String {
    let rows =
        if is_full { table(rows, column(rows, WIDEST_NAME), width) } else { one_line_each(rows, width) };
    format!("{}\n{rows}", heading(title))
}

/// The column where explanations begin.
fn column(rows: &[Row], widest: usize) -> usize {
    let widths = rows.iter().map(|row| row.name.width()).filter(|width| *width <= widest);
    INDENT + widths.max().unwrap_or(0) + GAP
}

fn table(rows: &[Row], column: usize, width: usize) -> String {
    let room = width.saturating_sub(column).max(MIN_ROOM);
    let lines = rows.iter().map(|row| {
        let text = wrap(&row.text, room, 0).replace('\n', &format!("\n{}", " ".repeat(column)));
        let used = INDENT + row.name.width();
        let gap = if text.is_empty() {
            String::new()
        } else if used + GAP > column {
            format!("\n{}", " ".repeat(column))
        } else {
            " ".repeat(column - used)
        };
        format!("{}{}{gap}{text}", " ".repeat(INDENT), name(&row.name))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn one_line_each(rows: &[Row], width: usize) -> String {
    let column = column(rows, width.saturating_sub(MIN_ROOM + INDENT + GAP));
    let lines = rows.iter().map(|row| {
        let used = INDENT + row.name.width();
        let gap = column.saturating_sub(used).max(GAP);
        let text = cut(row.text.trim(), width.saturating_sub(used + gap));
        format!("{}{}{}{text}", " ".repeat(INDENT), name(&row.name), " ".repeat(gap)).trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The screen of the program without arguments.
pub fn first_screen(about: &str, sections: &[Section], width: usize) -> String {
    let all: Vec<Row> = sections.iter().flat_map(|section| section.rows.clone()).collect();
    let column = column(&all, WIDEST_NAME);
    let mut parts = vec![wrap(about, width, 0)];
    for section in sections {
        parts.push(format!("{}\n{}", heading(&section.title), table(&section.rows, column, width)));
    }
    parts.push(FIRST_SCREEN_FOOTER.to_owned());
    parts.join("\n\n")
}

/// Sections without terminal styles, with their explanations in one column.
pub fn plain_sections(sections: &[Section], width: usize) -> String {
    let all: Vec<Row> = sections.iter().flat_map(|section| section.rows.clone()).collect();
    let column = column(&all, WIDEST_NAME);
    let parts = sections.iter().map(|section| {
        let styled = table(&section.rows, column, width);
        format!("{}\n{}", section.title, anstream::adapter::strip_str(&styled))
    });
    parts.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, text: &str) -> Row {
        Row { name: name.to_owned(), text: text.to_owned() }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn long_lines_are_wrapped_and_keep_their_indentation() {
        assert_eq!(wrap("one two three", 8, 0), "one two\nthree");
        assert_eq!(wrap("  one two three", 10, 2), "  one two\n    three");
        assert_eq!(wrap("one two three", 10, 2), "one two\nthree");
        assert_eq!(wrap("a\n\nb", 8, 0), "a\n\nb");
        assert_eq!(wrap("unbreakable", 4, 0), "unbreakable");
    }

    #[test]
    fn explanations_are_in_one_column_and_wide_names_have_them_below() {
        let rows = [row("--a", "First"), row("--bcd <N>", "Second, which is longer than the line")];
        assert_eq!(
            plain(&table(&rows, column(&rows, WIDEST_NAME), 40)),
            "  --a        First\n  --bcd <N>  Second, which is longer\n             than the line"
        );
        let wide = [row("--a", "First"), row("--a-name-that-is-wider-than-the-column <N>", "Second")];
        assert_eq!(
            plain(&table(&wide, column(&wide, WIDEST_NAME), 60)),
            "  --a  First\n  --a-name-that-is-wider-than-the-column <N>\n       Second"
        );
    }

    #[test]
    fn a_short_page_has_one_line_per_row() {
        let rows = [row("--a", "A text that is longer than the line of the page")];
        let text = plain(&one_line_each(&rows, 40));
        assert_eq!((text.lines().count(), text.width()), (1, 40), "{text}");
    }
}
