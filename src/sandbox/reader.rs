//! The sandbox's own reading of a request head: what the path and the query say once the
//! percent signs are gone, and how they are written for the canonical request. Deliberately
//! small and shared with nothing, so that it is a second opinion.

use hyper::header::HeaderMap;
use hyper::http::request::Parts;

/// One name and value of a query, decoded to bytes.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// The head of a request as the client wrote it.
pub(super) struct Head {
    pub(super) method: String,
    /// The path with its escapes, at least `/`.
    pub(super) path: String,
    /// Names and values in order of arrival, decoded.
    pub(super) query: Vec<Pair>,
    pub(super) headers: HeaderMap,
}

impl Head {
    pub(super) fn new(parts: Parts) -> Self {
        let path = parts.uri.path();
        Self {
            method: parts.method.as_str().to_owned(),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
            headers: parts.headers,
        }
    }

    /// A header's first value, or the empty string.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
            .unwrap_or_default()
    }

    pub(super) fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// A query parameter's first value; `Some("")` for one without a value.
    pub(super) fn param(&self, name: &str) -> Option<String> {
        lookup(&self.query, name)
    }

    pub(super) fn has_param(&self, name: &str) -> bool {
        self.query.iter().any(|(key, _)| key == name.as_bytes())
    }

    /// The path without its escapes.
    pub(super) fn decoded_path(&self) -> Vec<u8> {
        decode(self.path.as_bytes(), false)
    }
}

/// The first value under `name`, where it is text.
pub(super) fn lookup(pairs: &[Pair], name: &str) -> Option<String> {
    pairs
        .iter()
        .find(|(key, _)| key == name.as_bytes())
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
}

/// Splits `a=b&c` and decodes both sides; a bare `+` is a space.
pub(super) fn pairs(query: &[u8]) -> Vec<Pair> {
    query
        .split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let mut sides = piece.splitn(2, |byte| *byte == b'=');
            let name = sides.next().unwrap_or_default();
            let value = sides.next().unwrap_or_default();
            (decode(name, true), decode(value, true))
        })
        .collect()
}

/// Undoes percent escapes; what is not a whole escape stays as it is.
pub(super) fn decode(text: &[u8], plus_is_space: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let escape = text
            .get(at + 1..at + 3)
            .filter(|_| byte == b'%')
            .and_then(|two| Some(hex_digit(two[0])? << 4 | hex_digit(two[1])?));
        match escape {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(if plus_is_space && byte == b'+' {
                    b' '
                } else {
                    byte
                });
                at += 1;
            }
        }
    }
    out
}

/// Percent-encodes every byte but the unreserved ones and those in `keep`, in upper-case hex.
pub(super) fn encode(bytes: &[u8], keep: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

/// The query as S3's and IAM's guides want it: encoded, sorted by name then value, with `=`
/// after every name.
pub(super) fn canonical_query(pairs: &[Pair]) -> String {
    let mut written: Vec<(String, String)> = pairs
        .iter()
        .map(|(name, value)| (encode(name, b""), encode(value, b"")))
        .collect();
    written.sort();
    let joined: Vec<String> = written
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    joined.join("&")
}

/// Collapses `//` and dot segments and keeps a final slash, as every service but S3 does
/// (RFC 3986 §5.2.4).
pub(super) fn normalise(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let open_end = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let tail = if open_end && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{tail}", kept.join("/"))
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_survive_a_round_trip_and_broken_ones_stay() {
        assert_eq!(decode(b"/a%2Fb%zz%4", false), b"/a/b%zz%4");
        assert_eq!(decode(b"a+b%2B", true), b"a b+");
        assert_eq!(encode("/é +~".as_bytes(), b"/"), "/%C3%A9%20%2B~");
    }

    #[test]
    fn paths_lose_their_dots_and_double_slashes() {
        assert_eq!(normalise("/a/./b//c/../d/"), "/a/b/d/");
        assert_eq!(normalise("//"), "/");
        assert_eq!(normalise("/a/.."), "/");
        assert_eq!(normalise("/a/b/.."), "/a/");
    }

    #[test]
    fn a_query_is_sorted_in_its_encoded_form() {
        let query = pairs(b"b=2&a&B=%C3%A9&a=1&&%7e=x");
        assert_eq!(canonical_query(&query), "B=%C3%A9&a=&a=1&b=2&~=x");
    }
}
