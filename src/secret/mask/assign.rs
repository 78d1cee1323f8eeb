//! Names with a value behind them in free text: `name=value`, `name%3Dvalue`,
//! `"name": "value"` at any depth of quoting, `<name>value</name>`, `name: value`.

use std::ops::Range;

use super::names::Place;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Equals,
    Colon,
    Element,
}

pub(super) struct Assignment<'t> {
    pub(super) name: &'t str,
    pub(super) sign: Sign,
    /// A quote or a tag opens the value.
    pub(super) quoted: bool,
    /// Where the value begins, its quote with it.
    pub(super) start: usize,
    encoded: bool,
}

/// Every assignment in the text. `found` says how far it has hidden the text, and what lies
/// before that is passed over, so that no text takes more than one look at each byte.
pub(super) fn assignments<'t>(
    text: &'t str,
    found: &mut dyn FnMut(Assignment<'t>) -> Option<usize>,
) {
    let bytes = text.as_bytes();
    let mut hidden = 0;
    for at in memchr::memchr3_iter(b'=', b':', b'>', bytes) {
        let sign = match bytes.get(at) {
            Some(b'=') => Sign::Equals,
            Some(b':') => Sign::Colon,
            _ => Sign::Element,
        };
        if at >= hidden
            && let Some(assignment) = assignment(text, sign, at, at + 1, false)
        {
            hidden = found(assignment).unwrap_or(hidden);
        }
    }
    hidden = 0;
    for at in memchr::memchr_iter(b'%', bytes) {
        // `%3D`, and `%253D` where it was escaped twice.
        let mut behind = bytes.get(at + 1..).unwrap_or_default();
        let mut skipped = 1;
        while let Some(rest) = behind.strip_prefix(b"25") {
            behind = rest;
            skipped += 2;
        }
        if at >= hidden
            && let [b'3', b'd' | b'D', ..] = behind
            && let Some(assignment) = assignment(text, Sign::Equals, at, at + skipped + 2, true)
        {
            hidden = found(assignment).unwrap_or(hidden);
        }
    }
}

fn assignment(
    text: &str,
    sign: Sign,
    at: usize,
    after: usize,
    encoded: bool,
) -> Option<Assignment<'_>> {
    let bytes = text.as_bytes();
    let mut end = at;
    if sign == Sign::Colon {
        end -= blanks_before(bytes, end);
    }
    if sign != Sign::Element {
        end -= quote_before(bytes, end);
    }
    let from = name_start(text, end)?;
    let name = text.get(from..end)?;
    if sign == Sign::Element && !matches!(bytes.get(from.checked_sub(1)?), Some(b'<' | b':')) {
        return None;
    }
    let start = match sign {
        Sign::Colon => after + blanks_after(bytes, after),
        _ => after,
    };
    let quoted = sign == Sign::Element || quote_at(bytes, start).is_some();
    Some(Assignment {
        name,
        sign,
        quoted,
        start,
        encoded,
    })
}

impl Assignment<'_> {
    /// The value, as far as it goes for what it is.
    pub(super) fn value(&self, text: &str, place: Place) -> Range<usize> {
        let bytes = text.as_bytes();
        let rest = bytes.get(self.start..).unwrap_or_default();
        if self.sign == Sign::Element {
            let length = memchr::memchr(b'<', rest).unwrap_or(rest.len());
            return self.start..self.start + length;
        }
        if let Some(quote) = quote_at(bytes, self.start) {
            let begin = self.start + quote.len();
            let end = closing(bytes, begin, quote);
            if self.sign == Sign::Colon || quote_is_value(bytes, quote, end) {
                return begin..end;
            }
        }
        self.unquoted(bytes, place)
    }

    fn unquoted(&self, bytes: &[u8], place: Place) -> Range<usize> {
        let start = self.start;
        let rest = bytes.get(start..).unwrap_or_default();
        if rest.starts_with("‹".as_bytes()) {
            let close = "›".as_bytes();
            let end = memchr::memmem::find(rest, close).map_or(rest.len(), |at| at + close.len());
            return start..start + end;
        }
        let pair = matches!(place, Place::Signature | Place::Scope);
        let line = self.sign == Sign::Colon;
        let ends = |at: usize, byte: u8| match byte {
            b'\n' | b'\r' | b'"' | b'<' | b'\\' => true,
            b' ' | b'\t' | b'&' | b'\'' => !line,
            b',' | b';' => pair,
            b'%' => self.encoded && ends_encoded(bytes, start + at),
            _ => false,
        };
        let length = rest
            .iter()
            .enumerate()
            .position(|(at, byte)| ends(at, *byte));
        start..start + length.unwrap_or(rest.len())
    }
}

/// Whether an escaped `&`, blank or quote stands here, escaped once or more.
fn ends_encoded(bytes: &[u8], at: usize) -> bool {
    let mut behind = bytes.get(at + 1..).unwrap_or_default();
    while let Some(rest) = behind.strip_prefix(b"25") {
        behind = rest;
    }
    matches!(behind, [b'2', b'6' | b'0' | b'2', ..])
}

fn name_start(text: &str, end: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let letter = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let before = bytes.get(end.saturating_sub(64)..end)?;
    let length = before.iter().rev().take_while(letter).count();
    let mut start = end - length;
    // An escape in front: its digits are no part of the name.
    if start > 0 && bytes.get(start - 1) == Some(&b'%') {
        while bytes.get(start..end)?.starts_with(b"25") && end - start > 4 {
            start += 2;
        }
        start = (start + 2).min(end);
    } else if start > 0 && bytes.get(start - 1) == Some(&b'\\') {
        let unicode = bytes
            .get(start..end)
            .is_some_and(|name| name.starts_with(b"u00"));
        start = (start + if unicode { 5 } else { 1 }).min(end);
    }
    (start < end).then_some(start)
}

fn blanks_before(bytes: &[u8], end: usize) -> usize {
    let before = bytes.get(..end).unwrap_or_default();
    before
        .iter()
        .rev()
        .take_while(|byte| **byte == b' ')
        .count()
}

fn blanks_after(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().take_while(|byte| **byte == b' ').count()
}

/// Length of the quote that ends here, with its backslashes.
fn quote_before(bytes: &[u8], end: usize) -> usize {
    let before = bytes.get(..end).unwrap_or_default();
    for entity in [&b"&quot;"[..], b"&#34;", b"%22"] {
        if before.ends_with(entity) {
            return entity.len();
        }
    }
    match before.last() {
        Some(b'"' | b'\'') => 1 + backslashes(before, end - 1),
        _ => 0,
    }
}

/// The quote that begins here, with its backslashes.
fn quote_at(bytes: &[u8], from: usize) -> Option<&[u8]> {
    let rest = bytes.get(from..)?;
    for entity in [&b"&quot;"[..], b"&#34;", b"%22"] {
        if rest.starts_with(entity) {
            return Some(entity);
        }
    }
    let escapes = rest.iter().take_while(|byte| **byte == b'\\').count();
    matches!(rest.get(escapes), Some(b'"' | b'\'')).then(|| rest.get(..=escapes))?
}

/// Whether the quotes are around the value and not part of it: behind them it must be over.
fn quote_is_value(bytes: &[u8], quote: &[u8], end: usize) -> bool {
    let behind = bytes.get(end + quote.len()..).unwrap_or_default();
    let over = behind
        .first()
        .is_none_or(|byte| byte.is_ascii_whitespace() || b",;&)}]<>\\\"'".contains(byte));
    quote != b"%22" && over
}

/// Where the quote closes that opened before `from`: a quote behind n backslashes is closed by
/// one behind as many, and one behind more belongs to a string inside.
fn closing(bytes: &[u8], from: usize, quote: &[u8]) -> usize {
    let Some((mark, depth)) = quote.split_last().map(|(mark, rest)| (*mark, rest.len())) else {
        return bytes.len();
    };
    let rest = bytes.get(from..).unwrap_or_default();
    if mark == b';' || quote == b"%22" {
        return from + memchr::memmem::find(rest, quote).unwrap_or(rest.len());
    }
    for at in memchr::memchr_iter(mark, rest) {
        let escapes = backslashes(rest, at);
        if escapes < depth || escapes % (2 * (depth + 1)) == depth {
            return from + at - escapes.min(depth);
        }
    }
    bytes.len()
}

fn backslashes(bytes: &[u8], end: usize) -> usize {
    let before = bytes.get(..end).unwrap_or_default();
    before
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count()
}
