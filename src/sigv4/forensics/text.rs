//! Small changes of bytes that several mistakes share.

use std::borrow::Cow;

use super::recipe::Text;

pub(super) fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Another form of the same text; bytes that are not UTF-8 stay.
pub(super) fn recode(bytes: &[u8], how: Text) -> Cow<'_, [u8]> {
    match how {
        Text::AsIs => bytes.into(),
        Text::Latin1 => latin1(bytes).into(),
        Text::Decomposed => match std::str::from_utf8(bytes) {
            Ok(text) => decompose(text).into_bytes().into(),
            Err(_) => bytes.into(),
        },
        Text::Composed => match std::str::from_utf8(bytes) {
            Ok(text) => compose(text).into_bytes().into(),
            Err(_) => bytes.into(),
        },
    }
}

/// ISO-8859-1; what it does not have becomes `?`, as most encoders do.
pub(super) fn latin1(bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text
            .chars()
            .map(|c| u8::try_from(c).unwrap_or(b'?'))
            .collect(),
        Err(_) => bytes.to_vec(),
    }
}

/// UTF-16, little end first, without a mark.
pub(super) fn utf16(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The digits of every escape in one case.
pub(super) fn hex_case(bytes: &[u8], upper: bool) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at + 2 < out.len() {
        let digits = out[at + 1].is_ascii_hexdigit() && out[at + 2].is_ascii_hexdigit();
        if out[at] == b'%' && digits {
            if upper {
                out[at + 1..at + 3].make_ascii_uppercase();
            } else {
                out[at + 1..at + 3].make_ascii_lowercase();
            }
            at += 3;
        } else {
            at += 1;
        }
    }
    out
}

/// Without `.` and `..` segments; empty segments stay.
pub(super) fn without_dots(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut last: &[u8] = b"";
    for segment in path.split(|b| *b == b'/') {
        match segment {
            b"." => {}
            b".." => {
                if kept.len() > 1 {
                    kept.pop();
                }
            }
            segment => kept.push(segment),
        }
        last = segment;
    }
    if matches!(last, b"." | b"..") {
        kept.push(b"");
    }
    kept.join(&b'/')
}

/// `X-Amz-Date`.
pub(super) fn title(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let lower = word.to_ascii_lowercase();
        let mut letters = lower.chars();
        match letters.next() {
            Some(first) => first.to_ascii_uppercase().to_string() + letters.as_str(),
            None => String::new(),
        }
    });
    words.collect::<Vec<_>>().join("-")
}

/// Letters with a mark above or below, and the two that they are made of (Unicode 16, the
/// canonical decompositions of Latin-1 and Latin Extended-A, of kana and of Hangul).
const MARKED: &[(&str, char, &str)] = &[
    ("ÀÈÌÒÙàèìòùǸǹ", '\u{300}', "AEIOUaeiouNn"),
    (
        "ÁÉÍÓÚÝáéíóúýĆćĹĺŃńŔŕŚśŹź",
        '\u{301}',
        "AEIOUYaeiouyCcLlNnRrSsZz",
    ),
    (
        "ÂÊÎÔÛâêîôûĈĉĜĝĤĥĴĵŜŝŴŵŶŷ",
        '\u{302}',
        "AEIOUaeiouCcGgHhJjSsWwYy",
    ),
    ("ÃÑÕãñõĨĩŨũ", '\u{303}', "ANOanoIiUu"),
    ("ĀāĒēĪīŌōŪū", '\u{304}', "AaEeIiOoUu"),
    ("ĂăĔĕĞğĬĭŎŏŬŭ", '\u{306}', "AaEeGgIiOoUu"),
    ("ĊċĖėĠġİŻż", '\u{307}', "CcEeGgIZz"),
    ("ÄËÏÖÜäëïöüÿŸ", '\u{308}', "AEIOUaeiouyY"),
    ("ÅåŮů", '\u{30a}', "AaUu"),
    ("ŐőŰű", '\u{30b}', "OoUu"),
    ("ČčĎďĚěŇňŘřŠšŤťŽž", '\u{30c}', "CcDdEeNnRrSsTtZz"),
    ("ÇçĢģĶķĻļŅņŖŗŞşŢţ", '\u{327}', "CcGgKkLlNnRrSsTt"),
    ("ĄąĘęĮįŲų", '\u{328}', "AaEeIiUu"),
    (
        "がぎぐげござじずぜぞだぢづでどばびぶべぼガギグゲゴザジズゼゾダヂヅデドバビブベボヴ",
        '\u{3099}',
        "かきくけこさしすせそたちつてとはひふへほカキクケコサシスセソタチツテトハヒフヘホウ",
    ),
    ("ぱぴぷぺぽパピプペポ", '\u{309a}', "はひふへほハヒフヘホ"),
];

pub(super) fn decompose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if let Some((base, mark)) = marked(c) {
            out.extend([base, mark]);
        } else if let Some(index) = (c as u32).checked_sub(0xac00).filter(|n| *n < 11_172) {
            let jamo = [
                0x1100 + index / 588,
                0x1161 + index % 588 / 28,
                0x11a7 + index % 28,
            ];
            let count = if index.is_multiple_of(28) { 2 } else { 3 };
            out.extend(jamo.iter().take(count).filter_map(|n| char::from_u32(*n)));
        } else {
            out.push(c);
        }
    }
    out
}

fn marked(c: char) -> Option<(char, char)> {
    MARKED.iter().find_map(|(whole, mark, bases)| {
        let at = whole.chars().position(|other| other == c)?;
        Some((bases.chars().nth(at)?, *mark))
    })
}

pub(super) fn compose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let whole = out.chars().next_back().and_then(|last| {
            let (wholes, _, bases) = MARKED.iter().find(|(_, mark, _)| *mark == c)?;
            let at = bases.chars().position(|base| base == last)?;
            wholes.chars().nth(at)
        });
        match whole {
            Some(whole) => {
                out.pop();
                out.push(whole);
            }
            None => out.push(c),
        }
    }
    out
}
