//! What a hidden value looks like: `␠‹session token 912 chars, has % #01869e = profile prod›␊`.
//!
//! Edge blanks and quotes stay outside the mask and become visible, facts stand inside; no
//! character of the value itself is shown, except of key ids and signatures.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::Masker;

/// A digest of a value under the process's salt.
pub(super) type Print = [u8; 32];

const BLANK: [char; 9] = [
    ' ', '\t', '\r', '\n', '\u{a0}', '\u{feff}', '\u{200b}', '"', '\'',
];
const CLAIM_CHARS: usize = 200;

impl Masker {
    /// A value with its label, expected length in characters, and what else is known of it.
    pub(super) fn hidden(&self, value: &str, label: &str, expected: Option<usize>) -> String {
        let (lead, core, tail) = edges(value);
        let mut out = String::with_capacity(64);
        visible(lead, &mut out);
        self.mask(&mut out, core, label, expected, "", "");
        visible(tail, &mut out);
        out
    }

    /// A token, named after what its prefix says it is.
    pub(super) fn token(&self, value: &str) -> String {
        let (lead, core, tail) = edges(value);
        let label = token_label(core);
        let extra = if label == "JWT" {
            self.claims(core)
        } else {
            String::new()
        };
        let mut out = String::with_capacity(64);
        visible(lead, &mut out);
        self.mask(&mut out, core, label, None, "", &extra);
        visible(tail, &mut out);
        out
    }

    /// A key id as `AKIA…MPLE`; one of another form is hidden.
    pub fn key_id(&self, id: &str) -> String {
        if is_masked(id) {
            return id.to_owned();
        }
        let (lead, core, tail) = edges(id);
        let mut out = String::with_capacity(24);
        visible(lead, &mut out);
        if core.len() >= 16 && is_key_id(core.as_bytes()) {
            shorten(core, 4, &mut out);
        } else {
            let count = core.chars().count();
            let print = self.print(core.as_bytes());
            let _ = write!(out, "‹key id {count} chars, odd form #{}›", short(&print));
        }
        visible(tail, &mut out);
        out
    }

    /// A hex signature as `4f232c…a0a9`; one of another form is hidden.
    pub fn signature(&self, signature: &str) -> String {
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if is_masked(signature) {
            return signature.to_owned();
        }
        if signature.len() >= 64 && signature.bytes().all(hex) {
            let mut out = String::with_capacity(13);
            shorten(signature, 6, &mut out);
            return out;
        }
        let count = signature.chars().count();
        let print = short(&self.print(signature.as_bytes()));
        format!("‹signature {count} chars, not 64 hex #{print}›")
    }

    /// HMAC-SHA-256 under the salt: equality without the value, and no guessing offline.
    pub(super) fn print(&self, value: &[u8]) -> Print {
        let mut print = [0; 32];
        let tag = aws_lc_rs::hmac::sign(&self.salt, value);
        for (to, from) in print.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        print
    }

    /// `‹label N chars, facts #print = origin extra›`.
    pub(super) fn mask(
        &self,
        out: &mut String,
        core: &str,
        label: &str,
        expected: Option<usize>,
        how: &str,
        extra: &str,
    ) {
        let facts = Facts::of(core);
        let count = facts.count;
        let _ = write!(out, "‹{label} {count}");
        if let Some(expected) = expected.filter(|expected| *expected != count) {
            let _ = write!(out, " (expected {expected}!)");
        }
        out.push_str(" chars");
        if facts.blank {
            out.push_str(", whitespace inside");
        }
        if facts.odd {
            out.push_str(", non-ASCII or control");
        }
        if facts.percent {
            out.push_str(", has %");
        }
        out.push_str(how);
        let print = self.print(core.as_bytes());
        let _ = write!(out, " #{}", short(&print));
        if let Some(origin) = self.known().origin(&print) {
            let _ = write!(out, " = {origin}");
        }
        out.push_str(extra);
        out.push('›');
    }

    /// Who issued a JWT, for whom, about whom, until when: what a trust policy compares.
    fn claims(&self, jwt: &str) -> String {
        let lenient = GeneralPurpose::new(
            &URL_SAFE,
            GeneralPurposeConfig::new()
                .with_decode_padding_mode(DecodePaddingMode::Indifferent)
                .with_decode_allow_trailing_bits(true),
        );
        let claims = jwt
            .split('.')
            .nth(1)
            .and_then(|part| lenient.decode(part).ok())
            .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        let Some(claims) = claims else {
            return " (not decodable)".to_owned();
        };
        let mut out = String::new();
        for name in ["iss", "aud", "sub", "exp"] {
            match claims.get(name) {
                None => continue,
                Some(serde_json::Value::String(text)) => {
                    let _ = write!(out, " {name}={}", harmless(text));
                }
                Some(other) => {
                    let _ = write!(out, " {name}={}", harmless(&other.to_string()));
                }
            }
        }
        if self.known().occurs(out.as_bytes()) {
            return String::new();
        }
        out
    }
}

/// What may be said of a value's characters.
struct Facts {
    count: usize,
    blank: bool,
    /// Some are not ASCII, or control characters.
    odd: bool,
    percent: bool,
}

impl Facts {
    fn of(value: &str) -> Self {
        // Branchless over the bytes, because tokens are long.
        let mut seen = (false, false, false, false);
        for byte in value.bytes() {
            seen.0 |= byte > 126;
            seen.1 |= byte < 32;
            seen.2 |= byte == b' ' || byte.wrapping_sub(9) < 5;
            seen.3 |= byte == b'%';
        }
        let (high, control, blank, percent) = seen;
        Self {
            count: if high {
                value.chars().count()
            } else {
                value.len()
            },
            blank: blank || high && value.chars().any(char::is_whitespace),
            odd: high || control,
            percent,
        }
    }
}

/// The first 24 bits, in hex.
pub(super) fn short(print: &Print) -> String {
    let [a, b, c, ..] = print;
    format!("{a:02x}{b:02x}{c:02x}")
}

/// Text that can stand in JSON, XML and a terminal without escapes.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .take(CLAIM_CHARS)
        .map(|char| match char {
            '"' => '\'',
            '<' | '>' | '&' | '\\' | '‹' | '›' => '?',
            char if char.is_control() || is_invisible(char) => '?',
            char => char,
        })
        .collect()
}

/// Whether this is what a masker put in a value's place; masking twice changes nothing.
pub(super) fn is_masked(text: &str) -> bool {
    let text = text.trim_matches(|char: char| BLANK.contains(&char) || "␠␊␍⇥⍽".contains(char));
    if let Some(inner) = text.strip_prefix('‹').and_then(|t| t.strip_suffix('›')) {
        let Some((before, after)) = inner.split_once(" #") else {
            return false;
        };
        return before.contains(" char")
            && after.len() >= 6
            && after.bytes().take(6).all(|byte| byte.is_ascii_hexdigit());
    }
    match text.split_once('…') {
        Some((first, last)) => last.len() == 4 && matches!(first.len(), 4 | 6),
        None => false,
    }
}

/// The first such character that is not inside of a mask.
pub(super) fn find_outside_masks(text: &str, wanted: impl Fn(char) -> bool) -> Option<usize> {
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        if char == '‹' {
            chars.by_ref().find(|(_, char)| *char == '›');
        } else if wanted(char) {
            return Some(at);
        }
    }
    None
}

/// The form of an access key id: four letters, then base32 (AWS's examples also have 8 and 9).
pub(super) fn is_key_id(id: &[u8]) -> bool {
    let (head, tail) = id.split_at(id.len().min(4));
    head.len() == 4
        && head.iter().all(u8::is_ascii_uppercase)
        && tail
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The value without the blanks and quotes around it, and these.
pub(super) fn edges(value: &str) -> (&str, &str, &str) {
    let rest = value.trim_start_matches(BLANK);
    let core = rest.trim_end_matches(|char| BLANK.contains(&char) || char == ',');
    let lead = value.len() - rest.len();
    (
        value.get(..lead).unwrap_or_default(),
        core,
        value.get(lead + core.len()..).unwrap_or_default(),
    )
}

/// Appends `text` with its invisible characters made visible.
fn visible(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            ' ' => out.push('␠'),
            '\t' => out.push('⇥'),
            '\n' => out.push('␊'),
            '\r' => out.push('␍'),
            '\u{a0}' => out.push('⍽'),
            '\u{feff}' => out.push_str("[BOM]"),
            '\u{200b}' => out.push_str("[ZWSP]"),
            char => out.push(char),
        }
    }
}

fn is_invisible(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn shorten(text: &str, first: usize, out: &mut String) {
    out.push_str(text.get(..first).unwrap_or_default());
    out.push('…');
    out.push_str(text.get(text.len() - 4..).unwrap_or_default());
}

fn token_label(core: &str) -> &'static str {
    if core.starts_with("eyJ") && core.bytes().filter(|byte| *byte == b'.').count() >= 2 {
        return "JWT";
    }
    const PREFIXES: [(&str, &str); 7] = [
        ("k8s-aws-v1.", "EKS token"),
        ("bedrock-api-key-", "Bedrock key"),
        ("ABSK", "Bedrock key"),
        ("IQoJ", "session token"),
        ("FwoG", "session token"),
        ("FQoG", "session token"),
        ("AQoD", "session token"),
    ];
    PREFIXES
        .iter()
        .find(|(prefix, _)| core.starts_with(prefix))
        .map_or("token", |(_, label)| label)
}
