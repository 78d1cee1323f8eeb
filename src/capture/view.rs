use std::cell::Cell;
use std::collections::VecDeque;
use std::ops::Range;

use super::{Filter, Row, Store};

/// Rows that one update looks at, at most; a new filter over a full store takes a few.
const ROWS_A_STEP: usize = 20_000;
/// Bytes of records that one update reads, at most.
const JSON_A_STEP: usize = 4 << 20;

/// The ids that a filter lets through, kept up to date at the cost of what is new.
///
/// A fresh filter is applied to the rows from the newest down, a bounded piece an update,
/// so that the screen has its first page at once and the record stage never waits long.
pub struct FilteredView {
    filter: Filter,
    /// Ascending.
    ids: VecDeque<u64>,
    /// The store's touches that are accounted for.
    seen: u64,
    /// Ids from here up have been looked at; `None` once all have.
    unscanned_below: Option<u64>,
}

impl FilteredView {
    /// A view that has seen nothing yet.
    pub fn new(filter: Filter) -> Self {
        Self {
            filter,
            ids: VecDeque::new(),
            seen: 0,
            unscanned_below: Some(u64::MAX),
        }
    }

    /// The filter that it applies.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Another filter, from the start.
    pub fn set_filter(&mut self, filter: Filter) {
        *self = Self::new(filter);
    }

    /// Takes in what came, changed or went since the last call. Returns whether the list is
    /// another one; call again while [`is_scanning`](Self::is_scanning).
    pub fn update(&mut self, store: &Store) -> bool {
        let before = (
            self.ids.len(),
            self.ids.front().copied(),
            self.ids.back().copied(),
        );
        let mut changed = self.forget_evicted(store);
        if self.unscanned_below == Some(u64::MAX) {
            self.seen = store.touches();
        }
        match store.touched_since(self.seen) {
            Some(touched) => {
                for id in touched {
                    changed |= self.look_again(store, id);
                }
            }
            None => {
                self.ids.clear();
                self.unscanned_below = Some(u64::MAX);
            }
        }
        self.seen = store.touches();
        self.scan(store);
        changed
            || before
                != (
                    self.ids.len(),
                    self.ids.front().copied(),
                    self.ids.back().copied(),
                )
    }

    /// Whether older rows still wait to be looked at.
    pub fn is_scanning(&self) -> bool {
        self.unscanned_below.is_some()
    }

    /// How many match.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none matches.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The id at a place in the list, oldest first.
    pub fn id_at(&self, index: usize) -> Option<u64> {
        self.ids.get(index).copied()
    }

    /// Where an id is in the list, or where it would be.
    pub fn find(&self, id: u64) -> Result<usize, usize> {
        self.ids.binary_search(&id)
    }

    /// The ids of a range, clamped to what is there.
    pub fn ids(&self, range: Range<usize>) -> impl DoubleEndedIterator<Item = u64> {
        let end = range.end.min(self.ids.len());
        self.ids.range(range.start.min(end)..end).copied()
    }

    /// The rows of a viewport. Call it with the store that the last update saw.
    pub fn rows<'a>(
        &self,
        store: &'a Store,
        range: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = &'a Row> {
        self.ids(range).filter_map(|id| store.row(id))
    }

    fn forget_evicted(&mut self, store: &Store) -> bool {
        let oldest = store.oldest().unwrap_or(u64::MAX);
        let gone = self.ids.partition_point(|&id| id < oldest);
        self.ids.drain(..gone);
        gone > 0
    }

    /// Puts an id in or out; returns whether that changed anything.
    fn look_again(&mut self, store: &Store, id: u64) -> bool {
        if self.unscanned_below.is_some_and(|below| id < below) {
            return false;
        }
        let matches = store.row(id).is_some_and(|row| self.matches(store, row).0);
        match (self.ids.binary_search(&id), matches) {
            (Err(at), true) => self.ids.insert(at, id),
            (Ok(at), false) => drop(self.ids.remove(at)),
            // The row may read otherwise now.
            (Ok(_), true) => {}
            (Err(_), false) => return false,
        }
        true
    }

    fn scan(&mut self, store: &Store) {
        let Some(below) = self.unscanned_below else {
            return;
        };
        let end = match below {
            u64::MAX => store.len(),
            below => store.place_of(below),
        };
        let start = end.saturating_sub(ROWS_A_STEP);
        let mut read = 0;
        for row in store.rows(start..end).rev() {
            let (matches, bytes) = self.matches(store, row);
            if matches {
                self.ids.push_front(row.id);
            }
            self.unscanned_below = Some(row.id);
            read += bytes;
            if read > JSON_A_STEP {
                break;
            }
        }
        let reached = self.unscanned_below.unwrap_or_default();
        if start == end || store.oldest().is_none_or(|oldest| reached <= oldest) {
            self.unscanned_below = None;
        }
    }

    /// Whether the filter lets the row through, and how many bytes that took to read.
    fn matches(&self, store: &Store, row: &Row) -> (bool, usize) {
        let read = Cell::new(0);
        let json = || {
            let json = store.json(row.id).ok()?;
            read.set(json.len());
            Some(json)
        };
        let matches = self.filter.matches(row, &json, store.is_marked(row.id));
        (matches, read.get())
    }
}
