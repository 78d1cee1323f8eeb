//! What a pane shows: lines of toned text. Long texts keep one string and are coloured
//! line by line as they come into sight.

use std::{borrow::Cow, ops::Range};

use super::Tone;
use crate::tui::text::{
    clean, hex,
    lex::{self, Syntax},
    wrap,
};

/// Longest piece of a line that is laid out as one; the rest goes on below.
const LONGEST: usize = 4096;

/// A piece of a line in one tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Cleaned text.
    pub text: String,
    /// Its role.
    pub tone: Tone,
}

/// One line of a pane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its pieces in order.
    pub spans: Vec<Span>,
    /// How far its continuation rows are set in.
    pub indent: usize,
    /// Number in the gutter.
    pub number: Option<u32>,
    /// What `copy value` takes, where it is not the whole line.
    pub value: Option<String>,
    /// What `copy header` takes.
    pub header: Option<String>,
}

impl Line {
    /// A line in one tone.
    pub fn of(tone: Tone, text: &str) -> Self {
        Self::default().with(tone, text)
    }

    /// With another piece behind.
    #[must_use]
    pub fn with(mut self, tone: Tone, text: &str) -> Self {
        if !text.is_empty() {
            self.spans.push(Span {
                text: clean(text).replace('\n', "␊"),
                tone,
            });
        }
        self
    }

    /// With continuation rows set in.
    #[must_use]
    pub fn hanging(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }

    /// With a value to copy.
    #[must_use]
    pub fn copies(mut self, value: &str) -> Self {
        self.value = Some(value.to_owned());
        self
    }

    /// The text alone.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

/// A run of lines.
#[derive(Clone, Debug)]
enum Part {
    Lines(Vec<Line>),
    Text(Block),
    Hex(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Block {
    text: String,
    pieces: Vec<Piece>,
    syntax: Syntax,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    start: usize,
    end: usize,
    /// 0 where the line began further up.
    number: u32,
}

/// Everything that a pane can scroll over.
#[derive(Clone, Debug, Default)]
pub struct Document {
    parts: Vec<Part>,
}

impl Document {
    /// Appends a line.
    pub fn push(&mut self, line: Line) {
        if let Some(Part::Lines(lines)) = self.parts.last_mut() {
            lines.push(line);
        } else {
            self.parts.push(Part::Lines(vec![line]));
        }
    }

    /// Appends an empty line.
    pub fn gap(&mut self) {
        self.push(Line::default());
    }

    /// Appends a heading, with air above it.
    pub fn heading(&mut self, text: &str) {
        if self.len() > 0 {
            self.gap();
        }
        self.push(Line::of(Tone::Heading, text));
    }

    /// Appends a long text with line numbers.
    pub(crate) fn block(&mut self, text: &str, syntax: Syntax) {
        let text = clean(text).into_owned();
        let pieces = pieces(&text);
        self.parts.push(Part::Text(Block {
            text,
            pieces,
            syntax,
        }));
    }

    /// Appends a hex dump.
    pub fn hex(&mut self, bytes: Vec<u8>) {
        self.parts.push(Part::Hex(bytes));
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Width of the line numbers, 0 without any.
    pub fn gutter(&self) -> usize {
        let most = self.parts.iter().filter_map(|part| match part {
            Part::Text(block) => block.pieces.iter().rev().find(|p| p.number > 0),
            _ => None,
        });
        most.map(|piece| piece.number.to_string().len())
            .max()
            .unwrap_or(0)
    }

    fn find(&self, mut at: usize) -> Option<(&Part, usize)> {
        for part in &self.parts {
            if at < part.len() {
                return Some((part, at));
            }
            at -= part.len();
        }
        None
    }

    /// A line, coloured; an empty one behind the end.
    pub fn line(&self, at: usize) -> Line {
        match self.find(at) {
            Some((Part::Lines(lines), at)) => lines[at].clone(),
            Some((Part::Text(block), at)) => block.line(at),
            Some((Part::Hex(bytes), row)) => hex_line(&hex::line(bytes, row)),
            None => Line::default(),
        }
    }

    /// A line's text and the indent of its continuation rows.
    pub fn plain(&self, at: usize) -> (Cow<'_, str>, usize) {
        match self.find(at) {
            Some((Part::Lines(lines), at)) => (Cow::Owned(lines[at].text()), lines[at].indent),
            Some((Part::Text(block), at)) => (Cow::Borrowed(block.slice(at)), block.indent(at)),
            Some((Part::Hex(bytes), row)) => (Cow::Owned(hex::line(bytes, row)), 0),
            None => (Cow::Borrowed(""), 0),
        }
    }

    /// Whether a line stands beside line numbers.
    pub fn numbered(&self, at: usize) -> bool {
        matches!(self.find(at), Some((Part::Text(_), _)))
    }

    /// Rows that a line takes.
    pub fn height(&self, at: usize, width: usize, wrap: bool) -> usize {
        if !wrap {
            return 1;
        }
        let (text, indent) = self.plain(at);
        wrap::breaks(&text, self.room(at, width), indent).len()
    }

    /// Columns left for a line's text.
    pub fn room(&self, at: usize, width: usize) -> usize {
        let gutter = if self.numbered(at) {
            self.gutter() + 1
        } else {
            0
        };
        width.saturating_sub(gutter).max(1)
    }

    /// Lines that contain the needle; upper case in it makes case count.
    pub fn search(&self, needle: &str) -> Vec<usize> {
        if needle.is_empty() {
            return Vec::new();
        }
        (0..self.len())
            .filter(|&at| find_in(&self.plain(at).0, needle).next().is_some())
            .collect()
    }
}

/// Where the needle is in a text.
pub(crate) fn find_in<'a>(
    text: &'a str,
    needle: &'a str,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let exact = needle.chars().any(char::is_uppercase);
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = if exact {
            text[from..].find(needle).map(|at| (at, needle.len()))
        } else {
            text[from..]
                .char_indices()
                .find_map(|(at, _)| prefix(&text[from + at..], needle).map(|len| (at, len)))
        };
        let (at, length) = found?;
        let start = from + at;
        from = start + length.max(1);
        Some(start..start + length)
    })
}

/// Length of the text's beginning that equals the needle but for case.
fn prefix(text: &str, needle: &str) -> Option<usize> {
    let mut chars = text.char_indices();
    for wanted in needle.chars() {
        let (_, c) = chars.next()?;
        if c != wanted && !c.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(chars.next().map_or(text.len(), |(at, _)| at))
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.len(),
            Self::Text(block) => block.pieces.len(),
            Self::Hex(bytes) => bytes.len().div_ceil(hex::WIDTH),
        }
    }
}

impl Block {
    fn slice(&self, at: usize) -> &str {
        let piece = self.pieces[at];
        &self.text[piece.start..piece.end]
    }

    fn indent(&self, at: usize) -> usize {
        let text = self.slice(at);
        (text.len() - text.trim_start_matches(' ').len()).min(40) + 2
    }

    fn line(&self, at: usize) -> Line {
        let text = self.slice(at);
        let mut line = Line {
            number: Some(self.pieces[at].number),
            indent: self.indent(at),
            value: Some(value_of(self.syntax, text)),
            ..Line::default()
        };
        let mut end = 0;
        for (range, tone) in lex::lex(self.syntax, text) {
            line = line
                .with(Tone::Text, &text[end..range.start])
                .with(tone, &text[range.clone()]);
            end = range.end;
        }
        line.with(Tone::Text, &text[end..])
    }
}

/// Cuts a text into lines and overlong lines into pieces.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(text.len() / 32 + 1);
    let mut start = 0;
    let mut number = 0;
    for line in text.split('\n') {
        number += 1;
        let end = start + line.len();
        let mut shown = number;
        let mut from = start;
        while end - from > LONGEST {
            let mut to = from + LONGEST;
            while !text.is_char_boundary(to) {
                to -= 1;
            }
            pieces.push(Piece {
                start: from,
                end: to,
                number: shown,
            });
            (from, shown) = (to, 0);
        }
        pieces.push(Piece {
            start: from,
            end,
            number: shown,
        });
        start = end + 1;
    }
    pieces
}

fn hex_line(text: &str) -> Line {
    let (bytes, printable) = text.split_at(text.find('│').unwrap_or(text.len()));
    let (offset, bytes) = bytes.split_at(8.min(bytes.len()));
    Line::of(Tone::Muted, offset)
        .with(Tone::Text, bytes)
        .with(Tone::Muted, "│")
        .with(Tone::Str, printable.trim_start_matches('│'))
}

/// The value on a laid-out line, without name, quotes and comma.
fn value_of(syntax: Syntax, line: &str) -> String {
    let line = line.trim();
    let value = match syntax {
        Syntax::Json => {
            let value = line.strip_suffix(',').unwrap_or(line);
            let value = match value.find("\": ") {
                Some(at) if value.starts_with('"') => &value[at + 3..],
                _ => value,
            };
            return serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned());
        }
        Syntax::Form => line.split_once(" = ").map_or(line, |(_, value)| value),
        Syntax::Canonical => line.split_once(':').map_or(line, |(_, value)| value),
        Syntax::Xml => match (line.find('>'), line.rfind("</")) {
            (Some(open), Some(close)) if open < close => &line[open + 1..close],
            _ => line,
        },
        Syntax::Plain => line,
    };
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_below() {
        let mut document = Document::default();
        document.block(&format!("{}\nend", "é".repeat(5000)), Syntax::Plain);
        assert_eq!(document.len(), 4);
        assert_eq!(document.line(1).number, Some(0));
        assert_eq!(document.line(3).number, Some(2));
        assert_eq!(document.gutter(), 1);
    }

    #[test]
    fn values_are_copied_bare() {
        assert_eq!(value_of(Syntax::Json, "  \"a: b\": \"x\\\"y\","), "x\"y");
        assert_eq!(value_of(Syntax::Json, "  12,"), "12");
        assert_eq!(value_of(Syntax::Xml, "  <Code>Denied</Code>"), "Denied");
        assert_eq!(value_of(Syntax::Canonical, "host:a:80"), "a:80");
    }

    #[test]
    fn search_ignores_case_unless_asked() {
        let found: Vec<_> = find_in("Host host HOST", "host").collect();
        assert_eq!(found, [0..4, 5..9, 10..14]);
        assert_eq!(find_in("Host host HOST", "HOST").count(), 1);
        assert_eq!(find_in("日本İ", "x").count(), 0);
    }

    #[test]
    fn escape_sequences_are_shown_not_sent() {
        let line = Line::of(Tone::Text, "a\x1b[31mb\u{202e}c\r\n");
        assert_eq!(line.text(), "a␛[31mb\u{fffd}c␍␊");
    }
}
