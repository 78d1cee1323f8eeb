use std::collections::BTreeMap;
use std::ops::Range;

use super::Filter;
use super::matching::contains;
use super::parse::ends_word;
use super::print::quote;
use super::term::{Flag, KEYS, SignedAs, TextKey};
use crate::capture::Store;
use crate::capture::exchange::Door;

/// Rows that known values are taken from, newest first.
const ROWS_READ: usize = 5_000;
const CANDIDATES_MAX: usize = 50;

/// What the word at the cursor could become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The bytes of the input that a candidate takes the place of.
    pub range: Range<usize>,
    /// Best first: values that begin with what was typed, the frequent before the rare.
    pub candidates: Vec<String>,
}

impl Filter {
    /// Completes the word that ends at `cursor` (a byte offset): keys, then the values that
    /// the store's newest rows have under that key.
    pub fn complete(input: &str, cursor: usize, store: &Store) -> Completion {
        let cursor = input.floor_char_boundary(cursor);
        let typed = &input[..cursor];
        let start = typed.rfind(ends_word).map_or(0, |at| {
            at + typed[at..].chars().next().map_or(1, char::len_utf8)
        });
        let word = typed[start..].trim_start_matches(['!', '-']);
        match word.split_once(':') {
            Some((key, value)) => Completion {
                range: cursor - value.len()..cursor,
                candidates: best(values(key, store), value)
                    .map(|value| quote(&value))
                    .collect(),
            },
            None => Completion {
                range: cursor - word.len()..cursor,
                candidates: KEYS
                    .iter()
                    .filter(|(key, _)| key.starts_with(&word.to_ascii_lowercase()))
                    .map(|(key, _)| format!("{key}:"))
                    .collect(),
            },
        }
    }
}

/// Those that begin with what was typed, then those that contain it.
fn best(values: Vec<String>, typed: &str) -> impl Iterator<Item = String> {
    let starts = |value: &str| {
        value
            .get(..typed.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(typed))
    };
    let (first, rest): (Vec<_>, Vec<_>) = values.into_iter().partition(|value| starts(value));
    let rest: Vec<_> = rest
        .into_iter()
        .filter(|value| contains(value, typed))
        .collect();
    first.into_iter().chain(rest).take(CANDIDATES_MAX)
}

fn values(key: &str, store: &Store) -> Vec<String> {
    let fixed = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    if let Some(key) = TextKey::ALL.into_iter().find(|text| text.name() == key) {
        return seen(store, |row| {
            Some(key.of(row).to_owned()).filter(|text| !text.is_empty())
        });
    }
    match key {
        "is" => fixed(&Flag::ALL.map(Flag::name)),
        "signed" => fixed(&SignedAs::ALL.map(SignedAs::name)),
        "door" => fixed(&Door::ALL.map(Door::as_str)),
        "status" => {
            let mut values: Vec<String> = fixed(&[">=400", "2xx", "4xx", "5xx", "none"]);
            values.extend(seen(store, |row| {
                row.status.map(|status| status.to_string())
            }));
            values
        }
        "dur" => fixed(&[">100ms", ">1s", ">10s"]),
        "size" => fixed(&[">1k", ">1M"]),
        _ => Vec::new(),
    }
}

/// Distinct values of the newest rows, the frequent first.
fn seen(store: &Store, of: impl Fn(&crate::capture::Row) -> Option<String>) -> Vec<String> {
    let mut counts = BTreeMap::<String, usize>::new();
    let from = store.len().saturating_sub(ROWS_READ);
    for value in store.rows(from..store.len()).filter_map(of) {
        *counts.entry(value).or_default() += 1;
    }
    let mut values: Vec<_> = counts.into_iter().collect();
    values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    values.into_iter().map(|(value, _)| value).collect()
}
