//! JSON: values hidden by the names of their members, over the text itself, so that what is
//! not hidden keeps its layout byte for byte.

use std::borrow::Cow;

use super::edits::Edits;
use super::names::Place;
use super::render::{Parsed, Rules};
use super::views::{self, Escapes};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// A value, or the end of an empty array.
    First,
    /// A name, or the end of an empty object.
    Name,
    Colon,
    /// A comma, or the end of what is open; at the top, another document.
    Next,
}

struct Lexer<'t, 'r> {
    text: &'t str,
    rules: &'r Rules<'r>,
    at: usize,
    expect: Expect,
    /// Whether each open container is an object.
    open: Vec<bool>,
    /// The place of the value that comes next.
    place: Option<Place>,
    /// How deep the container is in which all is hidden.
    hidden: Option<(usize, Place)>,
}

/// Hides the members in the text that the rules name.
pub(super) fn edits(text: &str, rules: &Rules<'_>, edits: &mut Edits) -> Parsed {
    let mut lexer = Lexer {
        text,
        rules,
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        expect: Expect::Value,
        open: Vec::new(),
        place: None,
        hidden: None,
    };
    while let Some(byte) = text.as_bytes().get(lexer.at) {
        if lexer.step(*byte, edits).is_none() {
            return Parsed::Broken;
        }
    }
    if lexer.open.is_empty() && lexer.expect == Expect::Next {
        Parsed::Whole
    } else {
        Parsed::Cut
    }
}

impl Lexer<'_, '_> {
    fn step(&mut self, byte: u8, edits: &mut Edits) -> Option<()> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
            b'"' => self.string(edits)?,
            b'{' | b'[' => self.begin(byte == b'{')?,
            b'}' | b']' => self.end(byte == b'}')?,
            b':' if self.expect == Expect::Colon => {
                self.expect = Expect::Value;
                self.at += 1;
            }
            b',' if self.expect == Expect::Next => {
                let object = *self.open.last()?;
                self.expect = if object { Expect::Name } else { Expect::Value };
                self.place = None;
                self.at += 1;
            }
            _ => self.literal(edits)?,
        }
        Some(())
    }

    fn begin(&mut self, object: bool) -> Option<()> {
        self.value_may_begin()?;
        self.open.push(object);
        if self.hidden.is_none()
            && let Some(place @ (Place::Token | Place::Secret(..) | Place::Payload)) = self.place
        {
            self.hidden = Some((self.open.len(), place));
        }
        self.place = None;
        self.expect = if object { Expect::Name } else { Expect::First };
        self.at += 1;
        Some(())
    }

    fn end(&mut self, object: bool) -> Option<()> {
        let empty = if object { Expect::Name } else { Expect::First };
        if self.expect != Expect::Next && self.expect != empty {
            return None;
        }
        if self.open.pop()? != object {
            return None;
        }
        if self
            .hidden
            .is_some_and(|(depth, _)| depth > self.open.len())
        {
            self.hidden = None;
        }
        self.expect = Expect::Next;
        self.at += 1;
        Some(())
    }

    fn string(&mut self, edits: &mut Edits) -> Option<()> {
        let start = self.at + 1;
        let (end, closed) = string_end(self.text.as_bytes(), start);
        let raw = self.text.get(start..end)?;
        self.at = end + usize::from(closed);
        if self.expect == Expect::Name {
            let name = views::plain(raw, Escapes::JSON);
            self.place = self.rules.member(&name);
            self.expect = Expect::Colon;
            return Some(());
        }
        self.value_may_begin()?;
        self.expect = Expect::Next;
        let place = self.hidden.map(|(_, place)| place).or(self.place.take());
        if let Some(place) = place.filter(|_| !raw.is_empty()) {
            let value = views::plain(raw, Escapes::JSON);
            if let Cow::Owned(hidden) = self.rules.hide(place, &value) {
                edits.place(start..end, escape(&hidden));
            }
        }
        Some(())
    }

    fn literal(&mut self, edits: &mut Edits) -> Option<()> {
        let start = self.at;
        let letter = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let rest = self.text.as_bytes().get(start..)?;
        let end = start + rest.iter().take_while(letter).count();
        let word = self.text.get(start..end)?;
        let cut = end == self.text.len();
        let constant = ["true", "false", "null"]
            .iter()
            .any(|known| *known == word || cut && !word.is_empty() && known.starts_with(word));
        let number = word.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        if !constant && !number {
            return None;
        }
        self.value_may_begin()?;
        self.expect = Expect::Next;
        self.at = end;
        let place = self.hidden.map(|(_, place)| place).or(self.place.take());
        if let Some(place) = place.filter(|_| number)
            && let Cow::Owned(hidden) = self.rules.hide(place, word)
        {
            edits.place(start..end, format!("\"{}\"", escape(&hidden)));
        }
        Some(())
    }

    fn value_may_begin(&self) -> Option<()> {
        let another = self.expect == Expect::Next && self.open.is_empty();
        (matches!(self.expect, Expect::Value | Expect::First) || another).then_some(())
    }
}

/// Where a string's content ends, and whether a quote closes it there.
fn string_end(bytes: &[u8], mut at: usize) -> (usize, bool) {
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            return (at, true);
        }
        at += 2;
    }
    (bytes.len(), false)
}

/// As the content of a JSON string.
pub(super) fn escape(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}
