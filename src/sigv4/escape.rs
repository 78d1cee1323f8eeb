const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The bytes that stay as they are (RFC 3986 §2.3).
pub(crate) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Escapes one byte, upper-case hex, unless it is unreserved or `keep`.
fn push(byte: u8, keep: Option<u8>, out: &mut Vec<u8>) {
    if is_unreserved(byte) || keep == Some(byte) {
        out.push(byte);
    } else {
        let [high, low] = [byte >> 4, byte & 15].map(|nibble| HEX[usize::from(nibble)]);
        out.extend_from_slice(&[b'%', high, low]);
    }
}

/// Escapes every byte of `bytes` but the unreserved ones and `keep`.
pub(crate) fn encode(bytes: &[u8], keep: Option<u8>, out: &mut Vec<u8>) {
    for &byte in bytes {
        push(byte, keep, out);
    }
}

/// Unescapes, then escapes. An escape that is not one (`%zz`, a `%` at the end) stands for
/// itself, so its `%` becomes `%25`.
pub(crate) fn reencode(bytes: &[u8], keep: Option<u8>, plus_is_space: bool, out: &mut Vec<u8>) {
    let mut at = 0;
    while at < bytes.len() {
        let (byte, length) = match bytes[at] {
            b'%' => unescape(&bytes[at + 1..]).map_or((b'%', 1), |byte| (byte, 3)),
            b'+' if plus_is_space => (b' ', 1),
            byte => (byte, 1),
        };
        push(byte, keep, out);
        at += length;
    }
}

/// Unescapes to bytes; `+` stays `+`.
pub(crate) fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at] == b'%')
            .then(|| unescape(&bytes[at + 1..]))
            .flatten()
        {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

fn unescape(after: &[u8]) -> Option<u8> {
    let [high, low] = [*after.first()?, *after.get(1)?].map(nibble);
    Some(high? << 4 | low?)
}

fn nibble(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|n| n as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &[u8], keep: Option<u8>, plus_is_space: bool) -> String {
        let mut out = Vec::new();
        reencode(text, keep, plus_is_space, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_are_made_uniform() {
        assert_eq!(again(b"a%2fb/%7e %41", None, false), "a%2Fb%2F~%20A");
        assert_eq!(again(b"a%2fb/c", Some(b'/'), false), "a/b/c");
        assert_eq!(again(b"a+b%2B", None, true), "a%20b%2B");
        assert_eq!(again(b"a+b", None, false), "a%2Bb");
        assert_eq!(again(b"\xff%fF", None, false), "%FF%FF");
    }

    #[test]
    fn what_is_no_escape_stands_for_itself() {
        assert_eq!(again(b"%zz%4%", None, false), "%25zz%254%25");
        assert_eq!(again(b"%%41", None, false), "%25A");
        assert_eq!(decode(b"%zz%4%%41+"), b"%zz%4%A+");
    }
}
