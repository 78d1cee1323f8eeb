//! Replacements collected over a text, applied once: what is not replaced stays byte for byte.

use std::ops::Range;

use super::Masked;

#[derive(Default)]
pub(super) struct Edits {
    /// Found by name; in ascending order.
    places: Vec<Edit>,
    /// Found by value, or by name in free text; in any order.
    values: Vec<Edit>,
}

struct Edit {
    range: Range<usize>,
    text: String,
    place: bool,
}

impl Edits {
    /// Replaces a value that is hidden for where it stands.
    pub(super) fn place(&mut self, range: Range<usize>, text: String) {
        let place = true;
        self.places.push(Edit { range, text, place });
    }

    /// Replaces a value that is hidden for what it is.
    pub(super) fn value(&mut self, range: Range<usize>, text: String) {
        let place = false;
        self.values.push(Edit { range, text, place });
    }

    /// Takes over all of the other's, as found by value.
    pub(super) fn append_values(&mut self, other: Self) {
        self.values.extend(other.places);
        self.values.extend(other.values);
    }

    /// Whether the position is hidden by place already.
    pub(super) fn covers(&self, at: usize) -> bool {
        let after = self.places.partition_point(|edit| edit.range.start <= at);
        after
            .checked_sub(1)
            .and_then(|index| self.places.get(index))
            .is_some_and(|edit| at < edit.range.end)
    }

    /// Whether one place hides all of the text.
    pub(super) fn covers_all(&self, text: &str) -> bool {
        matches!(self.places.as_slice(), [edit] if edit.range == (0..text.len()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty() && self.values.is_empty()
    }

    /// The text with everything replaced. Where edits overlap, one replaces all they cover: the
    /// one by place, else the longest.
    pub(super) fn apply(self, text: &str) -> Masked {
        let mut edits = self.places;
        if !self.values.is_empty() {
            edits.extend(self.values);
            edits.sort_by(|a, b| {
                let longest = b.range.end.cmp(&a.range.end);
                a.range.start.cmp(&b.range.start).then(longest)
            });
        }
        let mut out = String::with_capacity(text.len() + 16 * edits.len());
        let mut count = 0;
        let mut at = 0;
        let mut edits = edits.into_iter().peekable();
        while let Some(mut edit) = edits.next() {
            while let Some(next) = edits.next_if(|next| next.range.start < edit.range.end) {
                let end = edit.range.end.max(next.range.end);
                let start = edit.range.start;
                let longer = next.range.len() > edit.range.len();
                if (next.place, longer) > (edit.place, false) && (next.place || !edit.place) {
                    edit = next;
                }
                edit.range = start..end;
            }
            let start = floor(text, edit.range.start).max(at);
            out.push_str(text.get(at..start).unwrap_or_default());
            out.push_str(&edit.text);
            at = ceil(text, edit.range.end).max(start);
            count += 1;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        Masked { text: out, count }
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}
