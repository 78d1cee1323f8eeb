//! XML: text hidden by the names of its elements, over the text itself.

use std::borrow::Cow;

use super::edits::Edits;
use super::names::Place;
use super::render::{Parsed, Rules};
use super::views::{self, Escapes};

/// Hides the elements' text in the document that the rules name.
pub(super) fn edits(text: &str, rules: &Rules<'_>, edits: &mut Edits) -> Parsed {
    let mut open: Vec<(&str, Option<Place>)> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let Some(length) = memchr::memchr(b'<', rest.as_bytes()) else {
            hide(text, at, text.len(), &open, rules, edits);
            return if open.is_empty() {
                Parsed::Whole
            } else {
                Parsed::Cut
            };
        };
        hide(text, at, at + length, &open, rules, edits);
        at += length;
        let Some(next) = markup(text, at, &mut open, rules, edits) else {
            return Parsed::Broken;
        };
        at = next;
    }
    if open.is_empty() {
        Parsed::Whole
    } else {
        Parsed::Cut
    }
}

/// Reads what begins with `<`; says where it ends, `None` where it is no XML.
fn markup<'t>(
    text: &'t str,
    at: usize,
    open: &mut Vec<(&'t str, Option<Place>)>,
    rules: &Rules<'_>,
    edits: &mut Edits,
) -> Option<usize> {
    let rest = text.get(at..)?;
    let past = |mark: &str| {
        rest.find(mark)
            .map_or(text.len(), |end| at + end + mark.len())
    };
    if rest.starts_with("<!--") {
        return Some(past("-->"));
    }
    if rest.starts_with("<![CDATA[") {
        let end = past("]]>");
        let content = if rest.contains("]]>") { end - 3 } else { end };
        hide(text, at + 9, content, open, rules, edits);
        return Some(end);
    }
    if rest.starts_with("<?") {
        return Some(past("?>"));
    }
    if rest.starts_with("<!") {
        return Some(past(">"));
    }
    let end = at + tag_end(rest);
    let tag = text.get(at + 1..end)?;
    if end == text.len() {
        return Some(end);
    }
    if let Some(name) = tag.strip_prefix('/') {
        let (opened, _) = open.pop()?;
        return (opened == name.trim_end()).then_some(end + 1);
    }
    let length = tag
        .find(|char: char| char.is_whitespace() || char == '/')
        .unwrap_or(tag.len());
    let name = tag.get(..length)?;
    if !name.starts_with(|char: char| char.is_alphabetic() || char == '_') {
        return None;
    }
    if !tag.ends_with('/') {
        let inherited = open.last().and_then(|(_, place)| *place);
        let inherited = inherited
            .filter(|place| matches!(place, Place::Token | Place::Secret(..) | Place::Payload));
        let local = name.rsplit(':').next().unwrap_or(name);
        open.push((name, inherited.or_else(|| rules.member(local))));
    }
    Some(end + 1)
}

/// Where the tag's `>` is, outside its attributes' quotes.
fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    rest.len()
}

fn hide(
    text: &str,
    start: usize,
    end: usize,
    open: &[(&str, Option<Place>)],
    rules: &Rules<'_>,
    edits: &mut Edits,
) {
    let Some((_, Some(place))) = open.last() else {
        return;
    };
    let Some(raw) = text.get(start..end).filter(|raw| !raw.trim().is_empty()) else {
        return;
    };
    if matches!(place, Place::Canonical | Place::CanonicalHex) {
        rules.masker.place_edits(text, start..end, *place, edits);
        return;
    }
    let value = views::plain(raw, Escapes::XML);
    if let Cow::Owned(hidden) = rules.hide(*place, &value) {
        edits.place(start..end, hidden);
    }
}
