//! Text as the panes show it: pretty-printed once, highlighted a line at a time.

pub(crate) mod fuzzy;
pub(crate) mod hex;
pub(crate) mod lex;
pub(crate) mod pretty;
pub(crate) mod wrap;

use std::borrow::Cow;

/// Makes wire text fit for a screen: what would move the cursor, vanish or reverse the
/// writing direction becomes visible instead. Line ends stay.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\n' && visible(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match visible(c) {
            _ if c == '\n' => out.push('\n'),
            Some('\t') => out.push_str("    "),
            Some(picture) => out.push(picture),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// What stands for a character that must not reach the terminal as it is.
fn visible(c: char) -> Option<char> {
    match c {
        '\t' => Some('\t'),
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32),
        '\u{7f}' => Some('␡'),
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => Some('\u{fffd}'),
        _ => None,
    }
}
