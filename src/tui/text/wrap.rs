use unicode_width::UnicodeWidthChar;

/// Byte offsets at which the rows of a wrapped line begin; the first is 0. Continuation
/// rows are `indent` columns narrower.
pub(crate) fn breaks(text: &str, width: usize, indent: usize) -> Vec<usize> {
    let mut rows = vec![0];
    let indent = if indent * 2 > width { 0 } else { indent };
    let (mut used, mut room) = (0, width.max(1));
    for (at, c) in text.char_indices() {
        let columns = c.width().unwrap_or(0);
        if used + columns > room && at > 0 {
            rows.push(at);
            used = 0;
            room = width.saturating_sub(indent).max(1);
        }
        used += columns;
    }
    rows
}

/// Byte offset of the first character at or behind column `left`.
pub(crate) fn skip_columns(text: &str, left: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        if used >= left {
            return at;
        }
        used += c.width().unwrap_or(0);
    }
    text.len()
}

/// Columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// Cuts to `room` columns, with `…` where something is missing.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if used + columns + 1 > room {
            break;
        }
        used += columns;
        out.push(c);
    }
    if room > 0 {
        out.push('…');
    }
    out
}

/// Cuts out the middle, so that the tail of an ARN or path stays readable.
pub(crate) fn cut_middle(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    if room < 5 {
        return cut(text, room);
    }
    let tail_room = (room - 1) / 2;
    let start = skip_columns(text, width(text) - tail_room);
    format!("{}{}", cut(text, room - tail_room), &text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_cover_the_text() {
        assert_eq!(breaks("abcdefgh", 3, 0), [0, 3, 6]);
        assert_eq!(breaks("abcdefgh", 4, 1), [0, 4, 7]);
        assert_eq!(breaks("日本語", 4, 0), [0, 6]);
        assert_eq!(breaks("", 4, 0), [0]);
        assert_eq!(breaks("日", 1, 0), [0]);
    }

    #[test]
    fn the_tail_survives_a_middle_cut() {
        let arn = "arn:aws:iam::123456789012:role/deploy";
        let short = cut_middle(arn, 20);
        assert!(
            width(&short) <= 20 && short.ends_with("le/deploy"),
            "{short}"
        );
        assert_eq!(cut("日本語", 4), "日…");
    }
}
