//! A text with its escapes undone, and where each byte of that stood.

/// Which escapes to undo.
#[derive(Clone, Copy)]
pub(super) struct Escapes {
    pub(super) percent: bool,
    pub(super) json: bool,
    pub(super) xml: bool,
}

impl Escapes {
    pub(super) const ALL: Self = Self {
        percent: true,
        json: true,
        xml: true,
    };
    pub(super) const PERCENT: Self = Self {
        percent: true,
        json: false,
        xml: false,
    };
    pub(super) const JSON: Self = Self {
        percent: false,
        json: true,
        xml: false,
    };
    pub(super) const XML: Self = Self {
        percent: false,
        json: false,
        xml: true,
    };
}

/// The unescaped bytes with the offset in the original of each, and one offset more: its end.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    pub(super) offsets: Vec<u32>,
}

/// `None` where nothing is escaped.
pub(super) fn unescape(text: &[u8], escapes: Escapes) -> Option<View> {
    let first = memchr::memchr3_iter(b'%', b'\\', b'&', text)
        .find(|at| escape_at(text, *at, escapes).is_some())?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut offsets = Vec::with_capacity(text.len() + 1);
    bytes.extend_from_slice(text.get(..first).unwrap_or_default());
    offsets.extend(0..first as u32);
    let mut at = first;
    while let Some(&byte) = text.get(at) {
        match escape_at(text, at, escapes) {
            Some((char, length)) => {
                let mut buffer = [0; 4];
                let encoded: &[u8] = match char {
                    Unescaped::Byte(byte) => {
                        buffer = [byte, 0, 0, 0];
                        buffer.get(..1).unwrap_or_default()
                    }
                    Unescaped::Char(char) => char.encode_utf8(&mut buffer).as_bytes(),
                };
                bytes.extend_from_slice(encoded);
                offsets.extend(std::iter::repeat_n(at as u32, encoded.len()));
                at += length;
            }
            None => {
                bytes.push(byte);
                offsets.push(at as u32);
                at += 1;
            }
        }
    }
    offsets.push(text.len() as u32);
    Some(View { bytes, offsets })
}

/// The text without its escapes, where there are any.
pub(super) fn plain(text: &str, escapes: Escapes) -> std::borrow::Cow<'_, str> {
    match unescape(text.as_bytes(), escapes) {
        None => text.into(),
        Some(view) => String::from_utf8_lossy(&view.bytes).into_owned().into(),
    }
}

enum Unescaped {
    Byte(u8),
    Char(char),
}

fn escape_at(text: &[u8], at: usize, escapes: Escapes) -> Option<(Unescaped, usize)> {
    match text.get(at)? {
        b'%' if escapes.percent => {
            let value = hex_digit(*text.get(at + 1)?)? * 16 + hex_digit(*text.get(at + 2)?)?;
            Some((Unescaped::Byte(value as u8), 3))
        }
        b'\\' if escapes.json => json_escape(text, at),
        b'&' if escapes.xml => xml_entity(text, at),
        _ => None,
    }
}

fn json_escape(text: &[u8], at: usize) -> Option<(Unescaped, usize)> {
    let byte = match text.get(at + 1)? {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        byte @ (b'"' | b'\\' | b'/') => *byte,
        b'u' => {
            let high = hex_number(text.get(at + 2..at + 6)?)?;
            if !(0xd800..0xdc00).contains(&high) {
                return Some((Unescaped::Char(char::from_u32(high)?), 6));
            }
            if text.get(at + 6..at + 8)? != b"\\u" {
                return None;
            }
            let low = hex_number(text.get(at + 8..at + 12)?)?.checked_sub(0xdc00)?;
            let char = char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?;
            return Some((Unescaped::Char(char), 12));
        }
        _ => return None,
    };
    Some((Unescaped::Byte(byte), 2))
}

fn xml_entity(text: &[u8], at: usize) -> Option<(Unescaped, usize)> {
    let rest = text.get(at + 1..text.len().min(at + 12))?;
    let end = memchr::memchr(b';', rest)?;
    let name = rest.get(..end)?;
    let char = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        _ => {
            let number = name.strip_prefix(b"#")?;
            let code = match number.strip_prefix(b"x") {
                Some(hex) => hex_number(hex)?,
                None => std::str::from_utf8(number).ok()?.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((Unescaped::Char(char), end + 2))
}

fn hex_number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    digits
        .iter()
        .try_fold(0, |number, digit| Some(number * 16 + hex_digit(*digit)?))
}

pub(super) fn hex_digit(byte: u8) -> Option<u32> {
    (byte as char).to_digit(16)
}
