//! AWS's own text in the reply to a signature that it does not accept.
//!
//! S3 puts `<CanonicalRequest>` and `<StringToSign>` into its error, each also as
//! `…Bytes`, hex with blanks between; other services write both into the message between
//! quotes (S3 API reference, "Error responses"; IAM User Guide, "Troubleshoot Signature
//! Version 4").

use serde_json::Value;
use zeroize::Zeroizing;

const CANONICAL: &str = "The Canonical String for this request should have been";
const TO_SIGN: &str = "The String-to-Sign should have been";

/// What AWS signed, as far as the reply tells. It may hold a session token: no `Debug`.
#[derive(Default)]
pub struct Echo {
    /// The canonical request, byte for byte where the reply allows it.
    pub canonical_request: Option<Zeroizing<Vec<u8>>>,
    /// The string to sign.
    pub string_to_sign: Option<Zeroizing<Vec<u8>>>,
}

impl Echo {
    /// Reads the body of a reply, in any of AWS's shapes; `None` where it tells nothing.
    pub fn read(body: &[u8]) -> Option<Self> {
        let echo = match body.trim_ascii_start().first()? {
            b'{' => Self::in_message(&message_of_json(body)?),
            _ => Self::in_xml(&String::from_utf8_lossy(body)),
        };
        (echo.canonical_request.is_some() || echo.string_to_sign.is_some()).then_some(echo)
    }

    fn in_xml(body: &str) -> Self {
        let element = |name: &str| {
            let bytes = inside(body, &format!("{name}Bytes")).and_then(|hex| unhex(&hex));
            bytes.or_else(|| inside(body, name).map(|text| Zeroizing::new(text.into_bytes())))
        };
        let found = Self {
            canonical_request: element("CanonicalRequest"),
            string_to_sign: element("StringToSign"),
        };
        if found.canonical_request.is_some() || found.string_to_sign.is_some() {
            return found;
        }
        inside(body, "Message").map_or_else(Self::default, |message| Self::in_message(&message))
    }

    /// A quote in a header's value does not end the text: the next sentence does.
    fn in_message(message: &str) -> Self {
        let after = |label: &str| {
            let (_, rest) = message.split_once(label)?;
            rest.trim_start().strip_prefix('\'')
        };
        let own = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        let canonical = after(CANONICAL).map(|rest| {
            let rest = rest.split_once(TO_SIGN).map_or(rest, |(before, _)| before);
            own(rest.trim_end().trim_end_matches('\''))
        });
        let to_sign = after(TO_SIGN).map(|rest| own(rest.trim_end().trim_end_matches('\'')));
        Self {
            canonical_request: canonical,
            string_to_sign: to_sign,
        }
    }
}

fn message_of_json(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let message = ["message", "Message", "detailedMessage"]
        .iter()
        .find_map(|name| value.get(name))?;
    message.as_str().map(str::to_owned)
}

/// The text of the first element of that name, its references resolved.
fn inside(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(
        quick_xml::escape::unescape(text)
            .map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned),
    )
}

/// `47 45 54` → `GET`
fn unhex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes: Option<Vec<u8>> = text
        .split_ascii_whitespace()
        .map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect();
    bytes.filter(|bytes| !bytes.is_empty()).map(Zeroizing::new)
}
