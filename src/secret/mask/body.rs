//! Bodies: content coding removed, taken apart by type, hidden by place and by value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::aws::sensitive::{self, Members, Side, Tier};

use super::edits::Edits;
use super::render::{self, Parsed, Rules};
use super::{Body, BodyContext, Masked, Masker, decode, events, json, xml};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Json,
    Xml,
    Form,
    Cbor,
    EventStream,
    Multipart,
    Other,
}

/// What a body became.
enum Shown {
    Text(Masked),
    Binary,
    /// It carries credentials, or may, and could not be read.
    Omitted,
}

impl Masker {
    /// A body as it may be seen; `bytes` are what was kept of it, transfer coding removed.
    pub fn body(&self, about: &BodyContext<'_>, bytes: &[u8]) -> Body {
        let mut body = Body {
            size: about.size,
            content_type: about.content_type.map(|value| self.text(value)),
            kept: bytes.len() as u64,
            ..Body::default()
        };
        if bytes.is_empty() {
            body.sha256 = about.sha256.map(hex);
            return body;
        }
        let members = if about.failed {
            Members::default()
        } else {
            sensitive::members(about.service, about.operation, about.side)
        };
        let mut how: Vec<String> = Vec::new();
        let shown = self.show(about, members, bytes, &mut how, &mut body);
        match shown {
            Shown::Text(masked) => {
                body.masked = masked.count;
                body.text = Some(masked.text);
            }
            Shown::Binary => {}
            Shown::Omitted => {
                body.masked = 1;
                how = vec!["omitted".to_owned()];
            }
        }
        if body.masked == 0 {
            body.sha256 = about.sha256.map(hex);
        }
        body.rendered = (!how.is_empty()).then(|| how.join("+"));
        body
    }

    fn show(
        &self,
        about: &BodyContext<'_>,
        members: Members,
        bytes: &[u8],
        how: &mut Vec<String>,
        body: &mut Body,
    ) -> Shown {
        let whole = members.whole(Tier::Credential)
            || self.options.payloads && members.whole(Tier::Payload);
        let carries = members.carries_credentials();
        if whole {
            return Shown::Omitted;
        }
        let coding = about.content_encoding.unwrap_or_default();
        if (about.aws_chunked || coding.contains("aws-chunked"))
            && let Some(masked) = self.chunked(bytes)
        {
            how.push("aws-chunked".to_owned());
            return Shown::Text(masked);
        }
        let mut decoded = Vec::new();
        let mut cut = !about.complete;
        for coding in decode::codings(coding) {
            let input = if how.is_empty() { bytes } else { &decoded };
            let Some(output) = decode::decode(&coding, input, self.options.decoded_limit) else {
                break;
            };
            cut |= output.cut;
            decoded = output.bytes;
            how.push(coding);
            if output.cut {
                how.push("truncated".to_owned());
            }
        }
        let bytes = if how.is_empty() { bytes } else { &decoded };
        let shown = self.show_decoded(about, members, bytes, cut, how);
        match shown {
            Shown::Binary if carries || self.known().occurs(bytes) => Shown::Omitted,
            Shown::Binary => {
                body.base64 = Some(STANDARD.encode(bytes));
                Shown::Binary
            }
            shown => shown,
        }
    }

    fn show_decoded(
        &self,
        about: &BodyContext<'_>,
        members: Members,
        bytes: &[u8],
        cut: bool,
        how: &mut Vec<String>,
    ) -> Shown {
        let rules = Rules {
            masker: self,
            members,
            token: memchr::memmem::find(bytes, b"SecretAccessKey").is_some(),
        };
        let mut media = media(about.content_type, bytes);
        let rendered = match media {
            Media::Cbor => events::cbor(bytes).map(|text| (text, false, "cbor")),
            Media::EventStream => {
                events::event_stream(bytes).map(|(text, cut)| (text, cut, "event-stream"))
            }
            _ => None,
        };
        if let Some((text, cut, name)) = rendered {
            how.push(name.to_owned());
            if cut {
                how.push("truncated".to_owned());
            }
            return self.show_json(&text, &rules);
        }
        if matches!(media, Media::Cbor | Media::EventStream) {
            media = self::media(None, bytes);
        }
        match text(bytes, cut) {
            Some(text) => self.show_text(about, media, text, &rules),
            None => self.show_lossy(about, media, bytes, &rules, how),
        }
    }

    /// Our own rendering, of which we know that it is JSON.
    fn show_json(&self, text: &str, rules: &Rules<'_>) -> Shown {
        let mut edits = Edits::default();
        match json::edits(text, rules, &mut edits) {
            Parsed::Broken => Shown::Omitted,
            _ => Shown::Text(self.finish(text, edits)),
        }
    }

    fn show_text(
        &self,
        about: &BodyContext<'_>,
        media: Media,
        text: &str,
        rules: &Rules<'_>,
    ) -> Shown {
        let mut edits = Edits::default();
        let parsed = match media {
            Media::Json => json::edits(text, rules, &mut edits),
            Media::Xml => xml::edits(text, rules, &mut edits),
            Media::Form => render::form_edits(text, rules, &mut edits),
            Media::Multipart => {
                let boundary = about.content_type.and_then(render::boundary);
                boundary.map_or(Parsed::Broken, |boundary| {
                    render::multipart_edits(text, boundary, rules, &mut edits)
                })
            }
            _ if is_metadata_token(about) => {
                edits.place(0..text.len(), self.token(text));
                Parsed::Whole
            }
            _ => Parsed::Broken,
        };
        if parsed == Parsed::Broken && rules.members.carries_credentials() {
            return Shown::Omitted;
        }
        Shown::Text(self.finish(text, edits))
    }

    /// Not UTF-8: shown with replacement characters if anything in it must be hidden.
    fn show_lossy(
        &self,
        about: &BodyContext<'_>,
        media: Media,
        bytes: &[u8],
        rules: &Rules<'_>,
        how: &mut Vec<String>,
    ) -> Shown {
        let lossy = String::from_utf8_lossy(bytes);
        match self.show_text(about, media, &lossy, rules) {
            Shown::Text(masked) if masked.count > 0 || media != Media::Other => {
                how.push("lossy".to_owned());
                Shown::Text(masked)
            }
            Shown::Omitted => Shown::Omitted,
            _ => Shown::Binary,
        }
    }

    fn chunked(&self, bytes: &[u8]) -> Option<Masked> {
        let chunked = render::chunked(bytes)?;
        let known = |bytes: &[u8]| {
            let mut count = 0;
            self.known().scan(bytes, &mut |_| count += 1);
            count
        };
        // A value may lie across two chunks.
        let split = known(&chunked.data) > known(chunked.text.as_bytes());
        let text = if split { &chunked.frame } else { &chunked.text };
        let mut masked = self.finish(text, Edits::default());
        masked.count += u32::from(split);
        Some(masked)
    }
}

fn media(content_type: Option<&str>, bytes: &[u8]) -> Media {
    let full = content_type.unwrap_or_default();
    let named = full
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match named.as_str() {
        "application/x-www-form-urlencoded" => return Media::Form,
        "application/vnd.amazon.eventstream" => return Media::EventStream,
        name if name.ends_with("cbor") || name.contains("cbor-") => return Media::Cbor,
        name if name.starts_with("multipart/") => return Media::Multipart,
        _ => {}
    }
    // What it is called matters less than what it is: clients and services mislabel.
    let begin = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    match begin.first() {
        Some(b'{' | b'[') => Media::Json,
        Some(b'<') => Media::Xml,
        _ if named.contains("json") => Media::Json,
        _ if named.ends_with("xml") => Media::Xml,
        _ if begin.starts_with(b"Action=") => Media::Form,
        _ => Media::Other,
    }
}

/// The bytes as text; a character that a cut end has split is left out.
fn text(bytes: &[u8], cut: bool) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if cut && error.error_len().is_none() => {
            let valid = bytes.get(..error.valid_up_to())?;
            std::str::from_utf8(valid).ok()
        }
        Err(_) => None,
    }
}

/// `PUT /latest/api/token` of the instance metadata service answers with the token alone.
fn is_metadata_token(about: &BodyContext<'_>) -> bool {
    about.side == Side::Reply
        && about
            .target
            .is_some_and(|target| target.ends_with(b"/latest/api/token"))
}

fn hex(digest: [u8; 32]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(64);
    for byte in digest {
        let _ = write!(out, "{byte:02x}");
    }
    out
}
