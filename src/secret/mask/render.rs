//! Bodies by their type: which members are hidden, in forms, multipart and chunked framing.

use std::borrow::Cow;

use crate::aws::sensitive::{Members, PlainName, Tier};

use super::Masker;
use super::edits::Edits;
use super::names::{self, Place};
use super::views::{self, Escapes};

/// How far a body could be read as what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Whole,
    /// Up to its end, which is missing.
    Cut,
    Broken,
}

/// Which members of one message are hidden.
pub(super) struct Rules<'m> {
    pub(super) masker: &'m Masker,
    pub(super) members: Members,
    /// `Token` is a session token: the document holds a secret access key too.
    pub(super) token: bool,
}

impl Rules<'_> {
    /// By the member's name on the wire.
    pub(super) fn member(&self, name: &str) -> Option<Place> {
        let plain = PlainName::new(name);
        let plain = plain.as_str();
        if let Some(place) = names::member(plain) {
            return Some(place);
        }
        if plain == "chunksignature" {
            return Some(Place::Signature);
        }
        if self.token && plain == "token" || self.members.has(Tier::Credential, plain) {
            return Some(Place::Token);
        }
        let payload = self.masker.options.payloads && self.members.has(Tier::Payload, plain);
        payload.then_some(Place::Payload)
    }

    /// What goes in the unescaped value's place; borrowed where nothing changes.
    pub(super) fn hide<'v>(&self, place: Place, value: &'v str) -> Cow<'v, str> {
        let hidden = match place {
            Place::Canonical => self.masker.canonical(value.as_bytes()),
            Place::CanonicalHex | Place::Url | Place::Authorization => {
                let mut edits = Edits::default();
                self.masker
                    .place_edits(value, 0..value.len(), place, &mut edits);
                edits.apply(value).text
            }
            place => self.masker.hide(place, value),
        };
        if hidden == value {
            Cow::Borrowed(value)
        } else {
            Cow::Owned(hidden)
        }
    }
}

/// `name=value&…`, names and values escaped.
pub(super) fn form_edits(text: &str, rules: &Rules<'_>, edits: &mut Edits) -> Parsed {
    let mut at = 0;
    let mut pairs = 0;
    for pair in text.split('&') {
        if let Some((name, value)) = pair.split_once('=') {
            pairs += 1;
            let start = at + pair.len() - value.len();
            let name = name.replace('+', " ");
            let name = views::plain(&name, Escapes::PERCENT);
            let place = names::parameter(&name, value)
                .or_else(|| name.split('.').find_map(|part| rules.member(part)));
            if let Some(place) = place.filter(|_| !value.is_empty()) {
                let spaced = value.replace('+', " ");
                let decoded = views::plain(&spaced, Escapes::PERCENT);
                if place == Place::Scope {
                    rules
                        .masker
                        .place_edits(text, start..start + value.len(), place, edits);
                } else if let Cow::Owned(hidden) = rules.hide(place, &decoded) {
                    edits.place(start..start + value.len(), hidden);
                }
            }
        }
        at += pair.len() + 1;
    }
    if pairs > 0 {
        Parsed::Whole
    } else {
        Parsed::Broken
    }
}

/// `multipart/form-data`: fields of a secret name, and the policy of an S3 POST.
pub(super) fn multipart_edits(
    text: &str,
    boundary: &str,
    rules: &Rules<'_>,
    edits: &mut Edits,
) -> Parsed {
    let mark = format!("--{boundary}");
    let mut at = 0;
    let mut parts = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(&mark)) {
        let head = at + found + mark.len();
        let rest = text.get(head..).unwrap_or_default();
        let length = rest.find(&mark).unwrap_or(rest.len());
        let part = rest.get(..length).unwrap_or_default();
        if let Some((headers, content)) = split_head(part) {
            parts += 1;
            let start = head + part.len() - content.len();
            let content = content.strip_suffix("\r\n").unwrap_or(content);
            let name = part_name(headers);
            let policy = name.eq_ignore_ascii_case("policy").then_some(Place::Token);
            let place = policy
                .or_else(|| names::parameter(name, content))
                .or_else(|| rules.member(name));
            if let Some(place) = place {
                rules
                    .masker
                    .place_edits(text, start..start + content.len(), place, edits);
            }
        }
        at = head + length;
    }
    if parts > 0 {
        Parsed::Whole
    } else {
        Parsed::Broken
    }
}

fn split_head(part: &str) -> Option<(&str, &str)> {
    part.split_once("\r\n\r\n")
        .or_else(|| part.split_once("\n\n"))
}

fn part_name(headers: &str) -> &str {
    let value = headers
        .split_once("; name=")
        .map_or("", |(_, rest)| rest)
        .trim_start_matches('"');
    let end = value.find(['"', ';', '\r', '\n']).unwrap_or(value.len());
    value.get(..end).unwrap_or_default()
}

/// An `aws-chunked` body taken apart.
pub(super) struct Chunked {
    /// Chunk heads and trailers as they are, data where it is text, else its length.
    pub(super) text: String,
    /// The same without any data, for when it must not be seen.
    pub(super) frame: String,
    /// The data alone.
    pub(super) data: Vec<u8>,
}

/// `size;chunk-signature=…` lines with data between them, then trailers. `None` where it does
/// not begin so.
pub(super) fn chunked(bytes: &[u8]) -> Option<Chunked> {
    let mut out = Chunked {
        text: String::new(),
        frame: String::new(),
        data: Vec::new(),
    };
    let mut rest = bytes;
    let mut first = true;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, behind) = rest.split_at_checked(end + 1)?;
        let Some(size) = chunk_size(line) else {
            if first {
                return None;
            }
            break;
        };
        first = false;
        out.both(&String::from_utf8_lossy(line));
        let (data, behind) = behind.split_at(size.min(behind.len()));
        rest = behind;
        if size == 0 {
            break;
        }
        out.data.extend_from_slice(data);
        out.frame.push_str(&format!("[{} bytes]", data.len()));
        match std::str::from_utf8(data) {
            Ok(text) => out.text.push_str(text),
            Err(_) => out.text.push_str(&format!("[{} bytes]", data.len())),
        }
        if let Some(behind) = rest.strip_prefix(b"\r\n") {
            out.both("\r\n");
            rest = behind;
        }
    }
    out.both(&String::from_utf8_lossy(rest));
    (!first).then_some(out)
}

impl Chunked {
    fn both(&mut self, text: &str) {
        self.text.push_str(text);
        self.frame.push_str(text);
    }
}

fn chunk_size(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let size = line.split(';').next()?;
    (size.len() <= 16)
        .then(|| usize::from_str_radix(size, 16).ok())
        .flatten()
}

/// The `boundary` parameter of a multipart content type.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let at = content_type.to_ascii_lowercase().find("boundary=")?;
    let value = content_type.get(at + 9..)?;
    let value = value.split(';').next()?.trim().trim_matches('"');
    (!value.is_empty()).then_some(value)
}
