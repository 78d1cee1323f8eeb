//! Hiding by value: known values, and what gives itself away by its form. The last line of
//! defence, over every text that leaves.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::aws::sensitive::PlainName;

use super::Masker;
use super::assign::{Assignment, assignments};
use super::edits::Edits;
use super::form::{find_outside_masks, is_key_id, is_masked};
use super::names::{self, Place};
use super::views::{self, Escapes};

/// Beginnings that are worth a closer look.
const TRIGGERS: [(&str, Trigger); 20] = [
    ("AKIA", Trigger::KeyId),
    ("ASIA", Trigger::KeyId),
    ("ABIA", Trigger::KeyId),
    ("ACCA", Trigger::KeyId),
    ("A3T", Trigger::KeyId),
    ("eyJ", Trigger::Jwt),
    ("k8s-aws-v1.", Trigger::Run(20)),
    ("bedrock-api-key-", Trigger::Run(20)),
    ("ABSK", Trigger::Run(40)),
    ("aoaAAAAA", Trigger::Run(12)),
    ("aorAAAAA", Trigger::Run(12)),
    ("IQoJb3JpZ2luX2Vj", Trigger::Run(40)),
    ("FwoGZXIvYXdz", Trigger::Run(40)),
    ("FQoGZXIvYXdz", Trigger::Run(40)),
    ("AQoDYXdz", Trigger::Run(40)),
    ("AQoEXAMPLE", Trigger::Run(40)),
    ("AQoD", Trigger::Run(120)),
    ("-----BEGIN ", Trigger::Pem),
    ("://", Trigger::Url),
    ("v1.public.", Trigger::Run(20)),
];

/// Longest authority that is looked at in a URL inside another.
const AUTHORITY: usize = 256;

#[derive(Clone, Copy)]
enum Trigger {
    KeyId,
    Jwt,
    /// A token: at least so many more letters of base64 or base64url.
    Run(usize),
    Pem,
    Url,
}

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(aho_corasick::MatchKind::LeftmostFirst)
        .build(TRIGGERS.iter().map(|(text, _)| text))
        .ok()
});

impl Masker {
    pub(super) fn by_value(&self, text: &str, edits: &mut Edits) {
        // The shortest thing that gives itself away, and the shortest that is learned.
        if text.len() < super::known::SHORTEST {
            return;
        }
        self.known_edits(text, edits);
        self.trigger_edits(text, edits);
        self.assignment_edits(text, edits);
    }

    fn known_edits(&self, text: &str, edits: &mut Edits) {
        let mut hits = Vec::new();
        self.known()
            .scan(text.as_bytes(), &mut |hit| hits.push(hit));
        for hit in hits {
            if edits.covers(hit.range.start) && edits.covers(hit.range.end.saturating_sub(1)) {
                continue;
            }
            let (label, expected) = hit.kind.label();
            let value = String::from_utf8_lossy(&hit.value);
            let mut out = String::with_capacity(64);
            self.mask(&mut out, &value, label, expected, &hit.how, "");
            edits.value(hit.range, out);
        }
    }

    fn trigger_edits(&self, text: &str, edits: &mut Edits) {
        let Some(finder) = &*FINDER else { return };
        let mut at = 0;
        let mut url = 0;
        while let Some(found) = text.get(at..).and_then(|rest| finder.find(rest.as_bytes())) {
            let start = at + found.start();
            let after = at + found.end();
            at = after;
            if edits.covers(start) {
                continue;
            }
            let trigger = TRIGGERS.get(found.pattern().as_usize());
            let Some((_, trigger)) = trigger else {
                continue;
            };
            if let Trigger::Url = trigger {
                url = self.url_edit(text, start..after, url, edits);
                continue;
            }
            if let Some(end) = self.trigger_edit(*trigger, text, start..after, edits) {
                at = end;
            }
        }
    }

    /// Hides what begins with the trigger, if it is what it looks like; says where it ends.
    fn trigger_edit(
        &self,
        trigger: Trigger,
        text: &str,
        found: Range<usize>,
        edits: &mut Edits,
    ) -> Option<usize> {
        let bytes = text.as_bytes();
        let Range { start, end: after } = found;
        match trigger {
            Trigger::KeyId => {
                if !starts_word(bytes, start) {
                    return None;
                }
                let end = after + run(bytes, after, |byte| byte.is_ascii_alphanumeric());
                let id = bytes.get(start..end)?;
                if id.len() < 16 || !is_key_id(id) {
                    return None;
                }
                edits.value(start..end, self.key_id(text.get(start..end)?));
                Some(end)
            }
            Trigger::Jwt => {
                let (end, found) = jwt_end(bytes, start);
                if !found {
                    return Some(end);
                }
                edits.value(start..end, self.token(text.get(start..end)?));
                Some(end)
            }
            Trigger::Run(least) => {
                if !starts_token(bytes, start) {
                    return None;
                }
                let end = token_end(bytes, after);
                if end - after < least && end < bytes.len() {
                    return None;
                }
                let value = views::plain(text.get(start..end)?, Escapes::ALL);
                edits.value(start..end, self.token(&value));
                Some(end)
            }
            Trigger::Pem => self.pem_edit(text, start, edits),
            Trigger::Url => None,
        }
    }

    /// A URL's parameters and password; one inside another, before `outer`, its password only.
    /// Says where it ends.
    fn url_edit(&self, text: &str, sign: Range<usize>, outer: usize, edits: &mut Edits) -> usize {
        let mut found = Edits::default();
        let end = if sign.start < outer {
            let rest = text.get(sign.start..).unwrap_or_default();
            let near = rest.get(..rest.floor_char_boundary(AUTHORITY));
            self.userinfo_edits(near.unwrap_or_default(), sign.len(), sign.start, &mut found);
            outer
        } else {
            let end = sign.end + url_length(text.get(sign.end..).unwrap_or_default());
            self.url_edits(text, sign.start..end, &mut found);
            end
        };
        edits.append_values(found);
        end
    }

    fn pem_edit(&self, text: &str, start: usize, edits: &mut Edits) -> Option<usize> {
        let rest = text.get(start..)?;
        let label = rest.strip_prefix("-----BEGIN ")?;
        let label = label.get(..label.find("-----")?)?;
        if label.len() > 40 || !label.ends_with("PRIVATE KEY") {
            return None;
        }
        let close = format!("-----END {label}-----");
        let length = rest.find(&close).map_or(rest.len(), |at| at + close.len());
        let value = views::plain(rest.get(..length)?, Escapes::JSON);
        let label = format!("{} PEM", super::form::harmless(label));
        edits.value(start..start + length, self.hidden(&value, &label, None));
        Some(start + length)
    }

    /// `name=value`, `"name": "value"`, `<name>value</name>` and header lines in free text,
    /// and in strings of JSON or XML that hold JSON, XML, a URL or a form themselves.
    fn assignment_edits(&self, text: &str, edits: &mut Edits) {
        assignments(text, &mut |assignment: Assignment<'_>| {
            if edits.covers(assignment.start) {
                return None;
            }
            let place = self.assigned_place(&assignment, text)?;
            let range = assignment.value(text, place);
            let value = text.get(range.clone()).filter(|value| !value.is_empty())?;
            let end = range.end;
            // A fragment is no signature, and `Credential=x` no key.
            let open = match place {
                Place::Signature => value.len() < 16,
                Place::Scope => value.len() < 8,
                // Its parts are assignments themselves.
                Place::Authorization => value.starts_with("AWS4-"),
                _ => is_masked(value),
            };
            if open {
                return None;
            }
            if matches!(
                place,
                Place::Authorization | Place::Scope | Place::Url | Place::Mfa
            ) {
                let mut inner = Edits::default();
                self.place_edits(text, range, place, &mut inner);
                edits.append_values(inner);
            } else {
                let value = views::plain(value, Escapes::ALL);
                let value = views::plain(&value, Escapes::PERCENT);
                edits.value(range, self.hide(place, &value));
            }
            Some(end)
        });
    }

    fn assigned_place(&self, assignment: &Assignment<'_>, text: &str) -> Option<Place> {
        use super::assign::Sign;
        let name = assignment.name;
        match assignment.sign {
            Sign::Equals => {
                let value = text.get(assignment.start..).unwrap_or_default();
                signature_name(name)
                    .or_else(|| names::parameter(name, value).filter(|_| !is_common(name)))
                    .or_else(|| names::member(PlainName::new(name).as_str()))
                    .or_else(|| token_header(name))
            }
            Sign::Colon if assignment.quoted => {
                names::member(PlainName::new(name).as_str()).or_else(|| token_header(name))
            }
            Sign::Colon => signature_name(name)
                .filter(|_| name.contains('-'))
                .or_else(|| token_header(name)),
            Sign::Element => names::member(PlainName::new(name).as_str()),
        }
        .filter(|place| {
            !matches!(
                place,
                Place::Canonical | Place::CanonicalHex | Place::Payload
            )
        })
    }
}

/// Words that are parameters of an OAuth form, and anything in a sentence.
fn is_common(name: &str) -> bool {
    ["code", "token", "session"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word))
}

fn signature_name(name: &str) -> Option<Place> {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if is("credential") {
        Some(Place::Scope)
    } else if is("signature") || is("chunk-signature") || is("x-amz-trailer-signature") {
        Some(Place::Signature)
    } else {
        None
    }
}

fn token_header(name: &str) -> Option<Place> {
    // Cookies and addresses are common words of sentences.
    names::header(name, false)
        .filter(|_| name.contains('-') || name.eq_ignore_ascii_case("authorization"))
}

fn run(bytes: &[u8], at: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().take_while(|byte| wanted(**byte)).count()
}

/// Whether a word begins here: behind no letter, or behind an escape's last one.
fn starts_word(bytes: &[u8], at: usize) -> bool {
    let before = |n: usize| at.checked_sub(n).and_then(|at| bytes.get(at)).copied();
    match before(1) {
        Some(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => {
            before(3) == Some(b'%') || before(2) == Some(b'\\') || before(6) == Some(b'\\')
        }
        _ => true,
    }
}

fn starts_token(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    before.is_none_or(|byte| !b"+/-_".contains(byte)) && starts_word(bytes, at)
}

fn token_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        let more = byte.is_ascii_alphanumeric() || b"+/=_-%.".contains(byte);
        let slash = *byte == b'\\' && bytes.get(at + 1) == Some(&b'/');
        if !more && !slash {
            break;
        }
        at += 1;
    }
    at
}

/// Three parts of base64url with dots between, the first two of eight letters at least; a
/// text may be cut inside it. Where what begins here ends, and whether it is one.
fn jwt_end(bytes: &[u8], start: usize) -> (usize, bool) {
    let letters = |at: usize| {
        at + run(bytes, at, |byte| {
            byte.is_ascii_alphanumeric() || b"_-".contains(&byte)
        })
    };
    let first = letters(start);
    if first - start < 11 || bytes.get(first).is_some_and(|byte| *byte != b'.') {
        return (first, false);
    }
    let second = letters((first + 1).min(bytes.len()));
    if second == bytes.len() {
        return (second, true);
    }
    if second - first < 9 || bytes.get(second) != Some(&b'.') {
        return (first, false);
    }
    (letters(second + 1), true)
}

/// How far a URL goes in free text; a mask in it is passed over.
fn url_length(text: &str) -> usize {
    let ends = |char: char| char.is_whitespace() || "\"'<>\\".contains(char);
    find_outside_masks(text, ends).unwrap_or(text.len())
}
