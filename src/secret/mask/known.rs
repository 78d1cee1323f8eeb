//! The values that the process knows, found wherever they occur.
//!
//! Each value is looked for in its plain, hexadecimal and base64 forms (the three alignments,
//! both alphabets); percent, JSON and XML escapes are undone before looking. An index of
//! six-byte pieces finds them: of each form an anchor of at most 16 bytes is cut into so many
//! pieces that a text need be sampled only every few bytes, and a bitmap in front answers most
//! samples. Learning adds to the index, nothing is rebuilt.

use std::collections::HashMap;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::Kind;
use super::form::Print;
use super::views::{self, Escapes};

const PIECE: usize = 6;
const ANCHOR: usize = 16;
/// Below this a value says too little: it would hide innocent text, and telling where it was
/// hidden would tell the value.
pub(super) const SHORTEST: usize = 8;
/// Above this the anchor is in the middle, because tokens begin alike.
const LONG: usize = 64;
/// Values that were vended at most; the oldest quarter goes when it is reached.
const VENDED: usize = 4096;
const ESCAPE_DEPTH: usize = 3;
/// Texts above this many bytes are unescaped once less.
const LARGE: usize = 64 * 1024;

pub(super) struct Known {
    entries: Vec<Option<Entry>>,
    by_print: HashMap<Print, u32>,
    vended: usize,
    forgotten: usize,
    index: HashMap<u64, u32>,
    nodes: Vec<Node>,
    /// One bit a piece, by hash; its length is a power of two.
    sieve: Vec<u64>,
    step: usize,
}

struct Entry {
    value: Zeroizing<Vec<u8>>,
    print: Print,
    kind: Kind,
    origins: Vec<String>,
    vended: bool,
}

#[derive(Clone, Copy)]
struct Node {
    entry: u32,
    form: Form,
    /// Of the piece in the form.
    offset: u32,
    next: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    HexLower,
    HexUpper,
    /// With so many bytes before the value in its group of three.
    Base64(u8),
}

const FORMS: [Form; 6] = [
    Form::Plain,
    Form::HexLower,
    Form::HexUpper,
    Form::Base64(0),
    Form::Base64(1),
    Form::Base64(2),
];

/// Where a known value stands.
pub(super) struct Hit {
    pub(super) range: Range<usize>,
    pub(super) value: Zeroizing<Vec<u8>>,
    pub(super) kind: Kind,
    /// `, base64`, `, hex`, `, escaped`, `, cut` for the mask.
    pub(super) how: String,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            by_print: HashMap::new(),
            vended: 0,
            forgotten: 0,
            index: HashMap::new(),
            nodes: Vec::new(),
            sieve: vec![0; 1024],
            step: ANCHOR - PIECE + 1,
        }
    }
}

impl Known {
    pub(super) fn learn(
        &mut self,
        value: &[u8],
        print: Print,
        kind: Kind,
        origin: &str,
        vended: bool,
    ) {
        if let Some(entry) = self.by_print.get(&print).copied() {
            if let Some(Some(entry)) = self.entries.get_mut(entry as usize) {
                if !entry.origins.iter().any(|known| known == origin) {
                    entry.origins.push(origin.to_owned());
                }
                if entry.vended && !vended {
                    entry.vended = false;
                    self.vended -= 1;
                }
            }
            return;
        }
        if vended {
            self.vended += 1;
            if self.vended > VENDED {
                self.evict();
            }
        }
        self.add(Entry {
            value: Zeroizing::new(value.to_vec()),
            print,
            kind,
            origins: vec![origin.to_owned()],
            vended,
        });
    }

    /// Whether the value is known already from there.
    pub(super) fn has(&self, print: &Print, origin: &str) -> bool {
        self.entry(print)
            .is_some_and(|entry| entry.origins.iter().any(|known| known == origin))
    }

    pub(super) fn forget(&mut self, origin: &str) {
        for slot in &mut self.entries {
            let Some(entry) = slot else { continue };
            entry.origins.retain(|known| known != origin);
            if entry.origins.is_empty() {
                self.by_print.remove(&entry.print);
                self.vended -= usize::from(entry.vended);
                self.forgotten += 1;
                *slot = None;
            }
        }
        if self.forgotten > 64 && self.forgotten > self.entries.len() / 2 {
            self.rebuild();
        }
    }

    /// Where the value came from, for the mask's relation.
    pub(super) fn origin(&self, print: &Print) -> Option<&str> {
        self.entry(print)?.origin()
    }

    pub(super) fn occurs(&self, text: &[u8]) -> bool {
        let mut any = false;
        self.scan(text, &mut |_| any = true);
        any
    }

    /// Every place where a known value stands in the text, in any form.
    pub(super) fn scan(&self, text: &[u8], found: &mut dyn FnMut(Hit)) {
        if self.by_print.is_empty() || text.len() < SHORTEST {
            return;
        }
        self.scan_as_is(text, found);
        self.scan_unescaped(text, &|at| at, ESCAPE_DEPTH, found);
    }

    /// Undoes one kind of escape at a time, since a value may itself look like another kind.
    fn scan_unescaped(
        &self,
        text: &[u8],
        offset: &dyn Fn(usize) -> usize,
        depth: usize,
        found: &mut dyn FnMut(Hit),
    ) {
        if depth == 0 || depth == 1 && text.len() > LARGE {
            return;
        }
        for escapes in [Escapes::PERCENT, Escapes::JSON, Escapes::XML] {
            let Some(view) = views::unescape(text, escapes) else {
                continue;
            };
            let original = |at: usize| {
                let at = view.offsets.get(at).map_or(text.len(), |at| *at as usize);
                offset(at)
            };
            self.scan_as_is(&view.bytes, &mut |mut hit| {
                hit.range = original(hit.range.start)..original(hit.range.end);
                hit.how.push_str(", escaped");
                found(hit);
            });
            self.scan_unescaped(&view.bytes, &original, depth - 1, found);
        }
    }

    fn scan_as_is(&self, text: &[u8], found: &mut dyn FnMut(Hit)) {
        let shift = 64 - (self.sieve.len() * 64).trailing_zeros();
        let mut at = 0;
        while let Some(piece) = piece_at(text, at) {
            let bit = hash(piece) >> shift;
            let word = self.sieve.get((bit / 64) as usize).copied().unwrap_or(0);
            if word >> (bit % 64) & 1 == 1 {
                self.candidates(text, at, piece, found);
            }
            at += self.step;
        }
    }

    fn candidates(&self, text: &[u8], at: usize, piece: u64, found: &mut dyn FnMut(Hit)) {
        let mut next = self.index.get(&piece).copied();
        while let Some(node) = next.and_then(|index| self.nodes.get(index as usize)) {
            next = node.next;
            let Some(Some(entry)) = self.entries.get(node.entry as usize) else {
                continue;
            };
            let form = node.form.of(&entry.value);
            if let Some((range, cut)) = occurrence(text, at, &form, node.offset as usize, node.form)
            {
                let mut how = node.form.fact().to_owned();
                if cut {
                    how.push_str(", cut");
                }
                let value = entry.value.clone();
                let kind = entry.kind;
                found(Hit {
                    range,
                    value,
                    kind,
                    how,
                });
            }
        }
    }

    fn entry(&self, print: &Print) -> Option<&Entry> {
        let index = self.by_print.get(print)?;
        self.entries.get(*index as usize)?.as_ref()
    }

    fn add(&mut self, entry: Entry) {
        let number = self.entries.len() as u32;
        self.by_print.insert(entry.print, number);
        for form in FORMS {
            self.add_form(number, &entry.value, form);
        }
        self.entries.push(Some(entry));
        if self.nodes.len() * 32 > self.sieve.len() * 64 {
            self.widen();
        }
    }

    fn add_form(&mut self, entry: u32, value: &[u8], form: Form) {
        let bytes = form.of(value);
        if bytes.len() < SHORTEST {
            return;
        }
        let start = if bytes.len() > LONG {
            (bytes.len() - ANCHOR) / 2
        } else {
            0
        };
        let step = bytes.len().min(ANCHOR) - PIECE + 1;
        self.step = self.step.min(step);
        for offset in start..start + step {
            let Some(piece) = bytes.get(offset..offset + PIECE) else {
                continue;
            };
            let offset = offset as u32;
            self.add_piece(
                piece,
                Node {
                    entry,
                    form,
                    offset,
                    next: None,
                },
            );
            if let Form::Base64(_) = form {
                let url = url_alphabet(piece);
                if url != piece {
                    self.add_piece(
                        &url,
                        Node {
                            entry,
                            form,
                            offset,
                            next: None,
                        },
                    );
                }
            }
        }
    }

    fn add_piece(&mut self, piece: &[u8], mut node: Node) {
        let Some(piece) = piece_at(piece, 0) else {
            return;
        };
        let number = self.nodes.len() as u32;
        node.next = self.index.insert(piece, number);
        self.nodes.push(node);
        mark(&mut self.sieve, piece);
    }

    fn widen(&mut self) {
        self.sieve = vec![0; self.sieve.len() * 4];
        for piece in self.index.keys() {
            mark(&mut self.sieve, *piece);
        }
    }

    fn evict(&mut self) {
        let mut many = VENDED / 4;
        for slot in &mut self.entries {
            if many > 0
                && let Some(entry) = slot
                && entry.vended
            {
                self.by_print.remove(&entry.print);
                self.vended -= 1;
                many -= 1;
                *slot = None;
            }
        }
        self.rebuild();
    }

    fn rebuild(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        let vended = self.vended;
        *self = Self {
            vended,
            ..Self::default()
        };
        entries
            .into_iter()
            .flatten()
            .for_each(|entry| self.add(entry));
    }
}

impl Entry {
    fn origin(&self) -> Option<&str> {
        self.origins.last().map(String::as_str)
    }
}

impl Form {
    /// The bytes that stand in a text for certain, whatever stands around the value.
    fn of(self, value: &[u8]) -> Zeroizing<Vec<u8>> {
        let hex = |digits: &[u8; 16]| {
            let digit = |nibble: u8| digits.get(nibble as usize).copied().unwrap_or_default();
            value
                .iter()
                .flat_map(|b| [digit(b >> 4), digit(b & 15)])
                .collect()
        };
        Zeroizing::new(match self {
            Self::Plain => value.to_vec(),
            Self::HexLower => hex(b"0123456789abcdef"),
            Self::HexUpper => hex(b"0123456789ABCDEF"),
            Self::Base64(before) => {
                let before = usize::from(before);
                let mut padded = Zeroizing::new(vec![0; before]);
                padded.extend_from_slice(value);
                let certain = padded.len() * 8 / 6;
                let mut encoded = STANDARD.encode(&*padded).into_bytes();
                encoded.truncate(certain);
                encoded.drain(..if before == 0 { 0 } else { before + 1 });
                encoded
            }
        })
    }

    fn same(self, a: u8, b: u8) -> bool {
        a == b || matches!(self, Self::Base64(_)) && url_letter(a) == url_letter(b)
    }

    fn fact(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::HexLower | Self::HexUpper => ", hex",
            Self::Base64(_) => ", base64",
        }
    }
}

/// The extent of a form whose piece at `offset` stands at `at`, and whether an end of the text
/// cuts it.
fn occurrence(
    text: &[u8],
    at: usize,
    form: &[u8],
    offset: usize,
    kind: Form,
) -> Option<(Range<usize>, bool)> {
    let before = text.get(..at)?.iter().rev();
    let left = before
        .zip(form.get(..offset)?.iter().rev())
        .take_while(|(a, b)| kind.same(**a, **b))
        .count();
    let after = text.get(at..)?.iter();
    let right = after
        .zip(form.get(offset..)?)
        .take_while(|(a, b)| kind.same(**a, **b))
        .count();
    let (mut start, mut end) = (at - left, at + right);
    let whole_left = left == offset;
    let whole_right = right == form.len() - offset;
    if !(whole_left || start == 0) || !(whole_right || end == text.len()) {
        return None;
    }
    if end - start < SHORTEST {
        return None;
    }
    if let Form::Base64(_) = kind {
        // The letters at both ends hold bits of the value and of what is next to it.
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
        start -= usize::from(start > 0 && text.get(start - 1).is_some_and(letter));
        end += usize::from(text.get(end).is_some_and(letter));
    }
    Some((start..end, !(whole_left && whole_right)))
}

fn piece_at(text: &[u8], at: usize) -> Option<u64> {
    if let Some(Ok(bytes)) = text.get(at..at + 8).map(<[u8; 8]>::try_from) {
        return Some(u64::from_le_bytes(bytes) & 0xffff_ffff_ffff);
    }
    let mut bytes = [0; 8];
    bytes
        .get_mut(..PIECE)?
        .copy_from_slice(text.get(at..at + PIECE)?);
    Some(u64::from_le_bytes(bytes))
}

fn hash(piece: u64) -> u64 {
    piece.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn mark(sieve: &mut [u64], piece: u64) {
    let shift = 64 - (sieve.len() * 64).trailing_zeros();
    let bit = hash(piece) >> shift;
    if let Some(word) = sieve.get_mut((bit / 64) as usize) {
        *word |= 1 << (bit % 64);
    }
}

fn url_alphabet(piece: &[u8]) -> Vec<u8> {
    piece.iter().map(|byte| url_letter(*byte)).collect()
}

fn url_letter(byte: u8) -> u8 {
    match byte {
        b'+' => b'-',
        b'/' => b'_',
        byte => byte,
    }
}
