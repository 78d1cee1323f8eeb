//! Line lexers: a line's text in, coloured ranges out. They hold no state between lines,
//! so that only what is visible is ever lexed.

use std::ops::Range;

use crate::tui::state::Tone;

/// How to colour a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Syntax {
    #[default]
    Plain,
    Json,
    Xml,
    /// `name = value`, from a form.
    Form,
    /// `name:value`, from a canonical request.
    Canonical,
}

/// Coloured ranges in order; what lies between them is plain.
pub(crate) type Spans = Vec<(Range<usize>, Tone)>;

/// Colours one line.
pub(crate) fn lex(syntax: Syntax, line: &str) -> Spans {
    let spans = match syntax {
        Syntax::Plain => Vec::new(),
        Syntax::Json => json(line),
        Syntax::Xml => xml(line),
        Syntax::Form => pair(line, " = "),
        Syntax::Canonical => pair(line, ":"),
    };
    with_masks(line, spans)
}

fn pair(line: &str, between: &str) -> Spans {
    match line.find(between) {
        Some(at) if at > 0 => vec![
            (0..at, Tone::Key),
            (at..at + between.len(), Tone::Punctuation),
        ],
        _ => Vec::new(),
    }
}

fn json(line: &str) -> Spans {
    let bytes = line.as_bytes();
    let mut spans = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'"' => {
                at = string_end(bytes, at);
                let key = line[at..].trim_start().starts_with(':');
                spans.push((start..at, if key { Tone::Key } else { Tone::Str }));
            }
            b'-' | b'0'..=b'9' => {
                at = run(bytes, at, |b| {
                    matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
                });
                spans.push((start..at, Tone::Number));
            }
            b'a'..=b'z' => {
                at = run(bytes, at, |b| b.is_ascii_lowercase());
                if matches!(&line[start..at], "true" | "false" | "null") {
                    spans.push((start..at, Tone::Literal));
                }
            }
            b'{' | b'}' | b'[' | b']' | b':' | b',' => {
                at += 1;
                spans.push((start..at, Tone::Punctuation));
            }
            _ => at += 1,
        }
    }
    spans
}

/// Behind the closing quote, or the end of the line.
fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn run(bytes: &[u8], from: usize, fits: impl Fn(u8) -> bool) -> usize {
    bytes[from..]
        .iter()
        .position(|&b| !fits(b))
        .map_or(bytes.len(), |n| from + n)
}

fn xml(line: &str) -> Spans {
    let bytes = line.as_bytes();
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'<', &bytes[at..]).map(|n| at + n) {
        let close = memchr::memchr(b'>', &bytes[open..]).map_or(bytes.len(), |n| open + n + 1);
        let name = run(bytes, open, |b| {
            matches!(b, b'<' | b'/' | b'?' | b'!' | b'-' | b'_' | b'.' | b':')
                || b.is_ascii_alphanumeric()
        })
        .min(close);
        spans.push((open..name, Tone::Key));
        attributes(bytes, name, close, &mut spans);
        at = close;
    }
    spans
}

fn attributes(bytes: &[u8], mut at: usize, close: usize, spans: &mut Spans) {
    while at < close {
        let start = at;
        match bytes[at] {
            b'"' => {
                at = memchr::memchr(b'"', &bytes[at + 1..close]).map_or(close, |n| at + n + 2);
                spans.push((start..at, Tone::Str));
            }
            b'>' | b'/' | b'?' => {
                at += 1;
                spans.push((start..at, Tone::Key));
            }
            _ => at += 1,
        }
    }
}

/// Masked values (`‹secret 40 chars #651162›`) keep their own look inside strings.
fn with_masks(line: &str, spans: Spans) -> Spans {
    let mut out = spans;
    let mut from = 0;
    while let Some(open) = line[from..].find('‹').map(|n| from + n) {
        let Some(close) = line[open..].find('›').map(|n| open + n + '›'.len_utf8()) else {
            break;
        };
        out = overlay(&out, open..close, Tone::Masked);
        from = close;
    }
    out
}

/// Puts a range on top of others.
pub(crate) fn overlay(spans: &Spans, top: Range<usize>, tone: Tone) -> Spans {
    let mut out = Vec::with_capacity(spans.len() + 2);
    for (range, below) in spans {
        let before = range.start..range.end.min(top.start);
        let behind = range.start.max(top.end)..range.end;
        if !before.is_empty() {
            out.push((before, *below));
        }
        if !behind.is_empty() {
            out.push((behind, *below));
        }
    }
    let place = out.partition_point(|(range, _)| range.start < top.start);
    out.insert(place, (top, tone));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(syntax: Syntax, line: &str) -> Vec<(&str, Tone)> {
        lex(syntax, line)
            .into_iter()
            .map(|(range, tone)| (&line[range], tone))
            .collect()
    }

    #[test]
    fn json_tells_keys_from_strings() {
        assert_eq!(
            shown(Syntax::Json, r#"  "a\"b": "c", -1.5e3, true"#),
            [
                (r#""a\"b""#, Tone::Key),
                (":", Tone::Punctuation),
                (r#""c""#, Tone::Str),
                (",", Tone::Punctuation),
                ("-1.5e3", Tone::Number),
                (",", Tone::Punctuation),
                ("true", Tone::Literal),
            ]
        );
    }

    #[test]
    fn masks_show_inside_strings() {
        let spans = shown(Syntax::Json, "\"x‹secret 40 chars #651162›␊\"");
        assert!(spans.contains(&("‹secret 40 chars #651162›", Tone::Masked)));
    }

    #[test]
    fn broken_input_is_no_trouble() {
        for line in [
            "\"", "\"\\", "<", "<a b=\"", "{\"a\":", "‹", "日\"本", "é<é>\\",
        ] {
            for syntax in [Syntax::Json, Syntax::Xml, Syntax::Form, Syntax::Canonical] {
                for (range, _) in lex(syntax, line) {
                    assert!(line.get(range).is_some(), "{line}");
                }
            }
        }
    }
}
