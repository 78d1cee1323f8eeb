use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::by_id::ById;
use super::{Exchange, Row};
use crate::config::Limits;
use crate::secret::Raw;

/// What the store spends on a kept exchange besides its bytes: slot, counters of the `Arc`,
/// header of the allocator.
const KEPT_OVERHEAD: usize = 24 + 16 + 16;
/// What the ring spends on an original besides its bytes: slot, the structure, headers of
/// the allocator.
const RAW_OVERHEAD: usize = 24 + 16 + size_of::<Raw>() + 8 * 16;

/// The newest exchanges in bounded memory: a row for `limits.rows` of them, and for as many
/// of the newest as fit in `limits.kept_total` the JSON of the whole record.
pub struct Store {
    rows_max: usize,
    kept_max: usize,
    rows: ById<Row>,
    kept: ById<Arc<[u8]>>,
    kept_bytes: usize,
    marks: BTreeSet<u64>,
    /// Ids in the order in which they came or changed; views read on from where they were.
    touched: VecDeque<u64>,
    touches: u64,
    counts: Counts,
    generation: u64,
}

/// How many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Exchanges seen, with those that were not recorded.
    pub total: u64,
    /// Of the recorded, those that failed.
    pub failed: u64,
    /// Dropped because the record queue was full.
    pub not_recorded: u64,
    /// Older than what the store keeps.
    pub evicted: u64,
}

/// Why an exchange cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// There is no such row (any more).
    #[error("there is no exchange with that number, or it is too old to be kept")]
    Unknown,
    /// The row is all that is left in memory; the session file may have the rest.
    #[error(
        "only its line is left in memory (raise `kept_total` under [limits], or keep a session file)"
    )]
    RowOnly,
    /// The record is there but cannot be read.
    #[error("its record cannot be read: {0}")]
    Unreadable(String),
}

impl Store {
    /// An empty store with those bounds.
    pub fn new(limits: &Limits) -> Self {
        Self {
            rows_max: limits.rows.max(1),
            kept_max: limits.kept_total,
            rows: ById::default(),
            kept: ById::default(),
            kept_bytes: 0,
            marks: BTreeSet::new(),
            touched: VecDeque::new(),
            touches: 0,
            counts: Counts::default(),
            generation: 0,
        }
    }

    /// Adds an exchange, or puts it in the place of the one with the same id. `json` is the
    /// line that [`Exchange::to_json`] made.
    pub fn push(&mut self, row: Row, json: Arc<[u8]>) {
        let id = row.id;
        self.push_row(row);
        if self.rows.oldest().is_some_and(|oldest| id >= oldest) {
            self.keep(id, json);
        }
    }

    /// Adds the row alone; the record is elsewhere, as in a session file.
    pub fn push_row(&mut self, row: Row) {
        let (id, failed) = (row.id, u64::from(row.failed));
        match self.rows.insert(id, row) {
            Some(old) => self.counts.failed -= u64::from(old.failed),
            None => self.counts.total += 1,
        }
        self.counts.failed += failed;
        self.touch(id);
        while self.rows.len() > self.rows_max {
            self.evict();
        }
    }

    /// Counts exchanges that happened but could not be recorded.
    pub fn count_not_recorded(&mut self, exchanges: u64) {
        self.counts.not_recorded += exchanges;
        self.counts.total += exchanges;
        self.generation += 1;
    }

    /// Marks an exchange, or takes the mark away.
    pub fn mark(&mut self, id: u64, on: bool) {
        let changed = match on {
            true => self.rows.get(id).is_some() && self.marks.insert(id),
            false => self.marks.remove(&id),
        };
        if changed {
            self.touch(id);
        }
    }

    /// Forgets all rows and records; the counters go on.
    pub fn clear(&mut self) {
        while self.rows.len() > 0 {
            self.evict();
        }
        self.generation += 1;
    }

    /// Whether it is marked.
    pub fn is_marked(&self, id: u64) -> bool {
        self.marks.contains(&id)
    }

    /// The marked ids, ascending.
    pub fn marked(&self) -> impl ExactSizeIterator<Item = u64> {
        self.marks.iter().copied()
    }

    /// The row of an id.
    pub fn row(&self, id: u64) -> Option<&Row> {
        self.rows.get(id)
    }

    /// The row at a place in the list, oldest first.
    pub fn row_at(&self, index: usize) -> Option<&Row> {
        self.rows.at(index)
    }

    /// The rows of a viewport, oldest first, clamped to what is there.
    pub fn rows(
        &self,
        range: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = &Row> + ExactSizeIterator {
        self.rows.window(range)
    }

    /// Where an id is in the list.
    pub fn index_of(&self, id: u64) -> Option<usize> {
        self.rows.find(id).ok()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lowest id that has a row.
    pub fn oldest(&self) -> Option<u64> {
        self.rows.oldest()
    }

    /// The highest id that has a row.
    pub fn newest(&self) -> Option<u64> {
        self.rows.newest()
    }

    /// The JSON of an exchange. Cheap: parse it after the store has been unlocked.
    pub fn json(&self, id: u64) -> Result<Arc<[u8]>, Missing> {
        match (self.kept.get(id), self.rows.get(id)) {
            (Some(json), _) => Ok(Arc::clone(json)),
            (None, Some(_)) => Err(Missing::RowOnly),
            (None, None) => Err(Missing::Unknown),
        }
    }

    /// The exchange, parsed.
    pub fn exchange(&self, id: u64) -> Result<Exchange, Missing> {
        let json = self.json(id)?;
        Exchange::from_json(&json).map_err(|error| Missing::Unreadable(error.to_string()))
    }

    /// What was counted.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Another number after every change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Bytes of the kept records with what keeping them costs: at most `limits.kept_total`.
    pub fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// Bytes of everything, the heap's overheads included. Walks all rows.
    pub fn footprint(&self) -> usize {
        let rows: usize = self
            .rows(0..self.len())
            .map(|row| row.footprint() + 8)
            .sum();
        rows + self.kept_bytes + self.touched.len() * 8 + self.marks.len() * 16
    }

    /// How many rows have a lower id.
    pub(super) fn place_of(&self, id: u64) -> usize {
        self.rows.find(id).unwrap_or_else(|place| place)
    }

    /// How often something came or changed.
    pub(super) fn touches(&self) -> u64 {
        self.touches
    }

    /// The ids that came or changed since `touches` was `seen`; `None` if that is too long
    /// ago to be known.
    pub(super) fn touched_since(&self, seen: u64) -> Option<impl Iterator<Item = u64>> {
        let new = usize::try_from(self.touches.checked_sub(seen)?).ok()?;
        let known = self.touched.len().checked_sub(new)?;
        Some(self.touched.range(known..).copied())
    }

    fn touch(&mut self, id: u64) {
        self.generation += 1;
        self.touches += 1;
        if self.touched.len() >= self.rows_max {
            self.touched.pop_front();
        }
        self.touched.push_back(id);
    }

    fn keep(&mut self, id: u64, json: Arc<[u8]>) {
        // One that would push out all others is not worth it.
        let cost = json.len() + KEPT_OVERHEAD;
        if cost > self.kept_max {
            return;
        }
        self.kept_bytes += cost;
        if let Some(old) = self.kept.insert(id, json) {
            self.kept_bytes -= old.len() + KEPT_OVERHEAD;
        }
        while self.kept_bytes > self.kept_max {
            self.drop_oldest_record();
        }
    }

    fn evict(&mut self) {
        let Some((id, _)) = self.rows.pop_oldest() else {
            return;
        };
        self.counts.evicted += 1;
        self.marks.remove(&id);
        while self.kept.oldest().is_some_and(|oldest| oldest <= id) {
            self.drop_oldest_record();
        }
    }

    fn drop_oldest_record(&mut self) {
        if let Some((_, json)) = self.kept.pop_oldest() {
            self.kept_bytes -= json.len() + KEPT_OVERHEAD;
        }
    }
}

/// The originals of the newest exchanges, within `limits.raw_total`.
pub struct RawStore {
    max: usize,
    bytes: usize,
    ring: ById<(Arc<Raw>, usize)>,
}

impl RawStore {
    /// An empty ring with that bound.
    pub fn new(limits: &Limits) -> Self {
        Self {
            max: limits.raw_total,
            bytes: 0,
            ring: ById::default(),
        }
    }

    /// Keeps an original until newer ones need its room.
    pub fn push(&mut self, id: u64, raw: Arc<Raw>) {
        let cost = raw.size() + RAW_OVERHEAD;
        if cost > self.max {
            return;
        }
        self.bytes += cost;
        if let Some((_, old)) = self.ring.insert(id, (raw, cost)) {
            self.bytes -= old;
        }
        while self.bytes > self.max
            && let Some((_, (_, cost))) = self.ring.pop_oldest()
        {
            self.bytes -= cost;
        }
    }

    /// The original, where it is still there.
    pub fn get(&self, id: u64) -> Option<Arc<Raw>> {
        self.ring.get(id).map(|(raw, _)| Arc::clone(raw))
    }

    /// Bytes in use, overheads included.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The store, shared between the record stage and the screen.
#[derive(Clone)]
pub struct SharedStore(Arc<Mutex<Store>>);

impl SharedStore {
    /// A new store.
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(Mutex::new(Store::new(limits))))
    }

    /// Holds the store. Keep it short: the record stage waits meanwhile.
    pub fn lock(&self) -> MutexGuard<'_, Store> {
        // A panic in a view must not end the recording; every change leaves a sound store.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The originals, shared between the record stage, diagnosis and replay.
#[derive(Clone)]
pub struct SharedRawStore(Arc<Mutex<RawStore>>);

impl SharedRawStore {
    /// A new ring.
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(Mutex::new(RawStore::new(limits))))
    }

    /// Holds the ring for a moment.
    pub fn lock(&self) -> MutexGuard<'_, RawStore> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
