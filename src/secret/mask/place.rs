//! Hiding by place: what stands in a header, a parameter or a member of a known name.

use std::borrow::Cow;
use std::ops::Range;

use super::edits::Edits;
use super::form::{find_outside_masks, is_masked};
use super::names::{self, Place};
use super::views::{self, Escapes};
use super::{Masked, Masker};

impl Masker {
    /// A request target: secrets in query and path hidden, everything else byte for byte.
    pub fn target(&self, target: &[u8]) -> Masked {
        let text = lossy(target);
        let mut edits = Edits::default();
        self.url_edits(&text, 0..text.len(), &mut edits);
        self.finish(&text, edits)
    }

    /// A header's value, by name and then by value.
    pub fn header(&self, name: &str, value: &[u8]) -> Masked {
        if let Some(text) = self.seen_innocent(name, value) {
            return Masked { text, count: 0 };
        }
        let text = lossy(value);
        let mut edits = Edits::default();
        if let Some(place) = names::header(name, self.options.payloads) {
            self.place_edits(&text, 0..text.len(), place, &mut edits);
        }
        let masked = self.finish(&text, edits);
        if masked.count == 0 && masked.text.as_bytes() == value {
            self.keep_innocent(name, value);
        }
        masked
    }

    /// A canonical request: its query and header lines by place, the rest by value. Any other
    /// text passes by value alone.
    pub fn canonical(&self, text: &[u8]) -> String {
        let text = lossy(text);
        let mut edits = Edits::default();
        self.canonical_edits(&text, 0..text.len(), &mut edits);
        self.finish(&text, edits).text
    }

    /// What goes in a value's place, for those places that are hidden as a whole. `value` is
    /// unescaped.
    pub(super) fn hide(&self, place: Place, value: &str) -> String {
        if is_masked(value) {
            return value.to_owned();
        }
        match place {
            Place::KeyId => self.key_id(value),
            Place::Signature => self.signature(value),
            Place::Secret(label, expected) => self.hidden(value, label, expected),
            Place::Payload => self.hidden(value, "payload", None),
            Place::SecretKey => self.hidden(value, "token", Some(40)),
            _ => self.token(value),
        }
    }

    /// Hides what the place says in the text's range.
    pub(super) fn place_edits(
        &self,
        text: &str,
        range: Range<usize>,
        place: Place,
        edits: &mut Edits,
    ) {
        let Some(value) = text.get(range.clone()).filter(|value| !value.is_empty()) else {
            return;
        };
        match place {
            Place::Authorization => self.authorization_edits(text, range, edits),
            Place::Url => self.url_edits(text, range, edits),
            Place::Canonical => self.canonical_edits(text, range, edits),
            Place::CanonicalHex => self.hex_edits(value, range, edits),
            Place::Scope => {
                let end = key_end(value);
                let id = value.get(..end).unwrap_or_default();
                if !is_masked(id) {
                    edits.place(range.start..range.start + end, self.key_id(id));
                }
            }
            Place::Mfa => {
                if let Some(blank) = value.trim_end().rfind(' ') {
                    let code = range.start + blank + 1..range.end;
                    self.place_edits(text, code, Place::Secret("code", Some(6)), edits);
                }
            }
            place if !is_masked(value) => edits.place(range, self.hide(place, value)),
            _ => {}
        }
    }

    /// `AWS4-…`: key id and signature; `AWS id:signature`; any other scheme: all behind it.
    pub(super) fn authorization_edits(&self, text: &str, range: Range<usize>, edits: &mut Edits) {
        let Some(value) = text.get(range.clone()) else {
            return;
        };
        let value = value.trim_end();
        let skipped = value.len() - value.trim_start().len();
        let (scheme, _) = value
            .trim_start()
            .split_once([' ', '\t'])
            .unwrap_or_default();
        if !is_scheme(scheme) {
            if !is_masked(value) {
                edits.place(range, self.token(value));
            }
            return;
        }
        let space = skipped + scheme.len();
        let rest = value.get(space..).unwrap_or_default();
        let start = range.start + space + rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        if scheme.starts_with("AWS4-") {
            self.version_4_edits(rest, start, edits);
        } else if scheme == "AWS"
            && let Some((id, signature)) = rest.split_once(':')
        {
            edits.place(start..start + id.len(), self.key_id(id));
            let at = start + id.len() + 1;
            let hidden = self.hide(Place::Secret("SigV2 signature", None), signature);
            edits.place(at..at + signature.len(), hidden);
        } else if !rest.is_empty() && !is_masked(rest) {
            let hidden = if scheme.eq_ignore_ascii_case("bearer") {
                self.token(rest)
            } else {
                self.hidden(rest, &format!("{scheme} credential"), None)
            };
            edits.place(start..range.end, hidden);
        }
    }

    fn version_4_edits(&self, rest: &str, start: usize, edits: &mut Edits) {
        let mut at = 0;
        while let Some((name, from, to)) = next_pair(rest, at) {
            let value = rest.get(from..to).unwrap_or_default();
            let whole = start + from..start + to;
            if name.eq_ignore_ascii_case("credential") {
                let end = key_end(value);
                let id = value.get(..end).unwrap_or_default();
                edits.place(whole.start..whole.start + end, self.key_id(id));
            } else if name.eq_ignore_ascii_case("signature") && !value.is_empty() {
                edits.place(whole, self.signature(value));
            }
            at = to;
        }
    }

    /// A URL or a request target: the password in its authority and its parameters.
    pub(super) fn url_edits(&self, text: &str, range: Range<usize>, edits: &mut Edits) {
        let Some(url) = text.get(range.clone()) else {
            return;
        };
        if let Some(scheme) = url.find("://") {
            self.userinfo_edits(url, scheme + 3, range.start, edits);
        }
        if let Some(question) = url.find('?') {
            let end =
                find_outside_masks(url, |c| c == '#').map_or(range.end, |at| range.start + at);
            let start = (range.start + question + 1).min(end);
            self.query_edits(text, start..end, edits);
            self.query_edits(text, (end + 1).min(range.end)..range.end, edits);
        }
    }

    /// `user:password@` where an authority begins at `at` of the URL that stands at `base`.
    pub(super) fn userinfo_edits(&self, url: &str, at: usize, base: usize, edits: &mut Edits) {
        let rest = url.get(at..).unwrap_or_default();
        let end = rest
            .find(|c: char| "/?#\"'<>\\".contains(c) || c.is_whitespace())
            .unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        if let Some(sign) = authority.rfind('@')
            && let Some((user, password)) = authority.get(..sign).and_then(|i| i.split_once(':'))
            && !password.is_empty()
            && !is_masked(password)
        {
            let start = base + at + user.len() + 1;
            let password_place = Place::Secret("password", None);
            let decoded = views::plain(password, Escapes::PERCENT);
            let hidden = self.hide(password_place, &decoded);
            edits.place(start..start + password.len(), hidden);
        }
    }

    /// `name=value&…`, also with `&amp;` between.
    pub(super) fn query_edits(&self, text: &str, range: Range<usize>, edits: &mut Edits) {
        let mut at = range.start;
        while at < range.end {
            let rest = text.get(at..range.end).unwrap_or_default();
            let length = rest.find('&').unwrap_or(rest.len());
            let pair = rest.get(..length).unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                let name = name.strip_prefix("amp;").unwrap_or(name);
                let start = at + length - value.len();
                self.parameter_edits(name, value, start, edits);
            }
            at += length + 1;
        }
    }

    fn parameter_edits(&self, name: &str, value: &str, start: usize, edits: &mut Edits) {
        let name = views::plain(name, Escapes::PERCENT);
        let Some(place) = names::parameter(&name, value) else {
            return;
        };
        if value.is_empty() || is_masked(value) {
            return;
        }
        let (end, hidden) = match place {
            Place::Scope => {
                let end = key_end(value);
                (end, self.key_id(value.get(..end).unwrap_or_default()))
            }
            place => {
                let decoded = views::plain(value, Escapes::PERCENT);
                (value.len(), self.hide(place, &decoded))
            }
        };
        edits.place(start..start + end, hidden);
    }

    /// Line by line: the third is the query, those after it are headers until an empty one.
    pub(super) fn canonical_edits(&self, text: &str, range: Range<usize>, edits: &mut Edits) {
        let mut at = range.start;
        let mut headers = true;
        let lines = text.get(range).unwrap_or_default().split('\n');
        for (number, line) in lines.enumerate() {
            let end = at + line.len();
            match number {
                0 | 1 => {}
                2 => self.query_edits(text, at..end, edits),
                _ if line.is_empty() => headers = false,
                _ if headers => {
                    if let Some((name, value)) = line.split_once(':')
                        && let Some(place) = names::header(name, self.options.payloads)
                    {
                        self.place_edits(text, end - value.len()..end, place, edits);
                    }
                }
                _ => {}
            }
            at = end + 1;
        }
    }

    /// `47 45 54 0a …` or without blanks: decoded, hidden, and encoded again as it was.
    fn hex_edits(&self, value: &str, range: Range<usize>, edits: &mut Edits) {
        let mut bytes = Vec::with_capacity(value.len() / 2);
        let mut high = None;
        for byte in value.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
            let Some(digit) = views::hex_digit(byte) else {
                edits.place(range, self.token(value));
                return;
            };
            match high.take() {
                None => high = Some(digit),
                Some(high) => bytes.push((high * 16 + digit) as u8),
            }
        }
        let plain = String::from_utf8_lossy(&bytes);
        let masked = self.canonical(&bytes);
        if masked != plain {
            let blank = if value.trim().contains(' ') { " " } else { "" };
            let upper = value.bytes().any(|byte| byte.is_ascii_uppercase());
            let hex: Vec<String> = masked
                .bytes()
                .map(|byte| {
                    if upper {
                        format!("{byte:02X}")
                    } else {
                        format!("{byte:02x}")
                    }
                })
                .collect();
            edits.place(range, hex.join(blank));
        }
    }
}

/// As `String::from_utf8_lossy`, which is slow on what is UTF-8, as nearly everything is.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// Whether this may be shown: of an unknown word nobody can say that it is no secret.
fn is_scheme(word: &str) -> bool {
    const SCHEMES: [&str; 10] = [
        "AWS",
        "Basic",
        "Bearer",
        "Digest",
        "DPoP",
        "Negotiate",
        "NTLM",
        "OAuth",
        "Token",
        "AWS3-HTTPS",
    ];
    word.starts_with("AWS4-") && word.len() <= 40
        || SCHEMES
            .iter()
            .any(|scheme| scheme.eq_ignore_ascii_case(word))
}

/// Where a key id ends in front of its credential scope, plain or escaped.
fn key_end(value: &str) -> usize {
    value.find(['/', '%', ',']).unwrap_or(value.len())
}

/// The next `name=value` of an `Authorization` header from `at` on, with the value's extent.
fn next_pair(text: &str, at: usize) -> Option<(&str, usize, usize)> {
    let from = at + text.get(at..)?.find('=')?;
    let name = text.get(at..from)?;
    let name = name.trim_start_matches([',', ' ', '\t', '\r', '\n']);
    let value = text.get(from + 1..)?;
    let length = value
        .find([',', ' ', '\t', '\r', '\n'])
        .unwrap_or(value.len());
    Some((name, from + 1, from + 1 + length))
}
