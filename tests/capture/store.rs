use std::sync::Arc;
use std::time::Instant;

use sigscope::capture::{
    Exchange, Filter, FilteredView, Missing, RawStore, Row, SharedStore, Store,
};
use sigscope::config::Limits;
use sigscope::secret::Raw;

use crate::samples::{empty, good, recorded, refused, renumbered};

fn limits(rows: usize, kept_total: usize) -> Limits {
    Limits {
        rows,
        kept_total,
        ..Limits::default()
    }
}

fn filled(limits: &Limits, ids: impl IntoIterator<Item = u64>) -> Store {
    let mut store = Store::new(limits);
    ids.into_iter().for_each(|id| push(&mut store, &good(id)));
    store
}

fn push(store: &mut Store, exchange: &Exchange) {
    let (row, json) = recorded(exchange);
    store.push(row, json);
}

fn ids(store: &Store) -> Vec<u64> {
    store.rows(0..usize::MAX).map(|row| row.id).collect()
}

#[test]
fn newest_rows_stay_in_the_order_of_their_ids() {
    let store = filled(&limits(4, usize::MAX), [1, 2, 4, 3, 6, 7, 5]);
    assert_eq!(ids(&store), [4, 5, 6, 7]);
    assert_eq!(
        store.rows(1..3).map(|row| row.id).collect::<Vec<_>>(),
        [5, 6]
    );
    assert_eq!((store.index_of(6), store.index_of(3)), (Some(2), None));
    assert_eq!((store.counts().total, store.counts().evicted), (7, 3));
    // Older than all that is kept: counted, not shown.
    let store = filled(&limits(2, usize::MAX), [5, 6, 1]);
    assert_eq!(ids(&store), [5, 6]);
    assert_eq!(store.json(1), Err(Missing::Unknown));
}

#[test]
fn exchange_is_what_was_pushed_until_only_its_row_is_left() {
    let cost = recorded(&good(1)).1.len() + 100;
    let store = filled(&limits(100, 3 * cost), 1..=9);
    assert_eq!(store.exchange(9).unwrap(), good(9));
    assert_eq!(store.exchange(1), Err(Missing::RowOnly));
    assert_eq!(store.exchange(10), Err(Missing::Unknown));
    assert!(store.row(1).is_some());
    let records = store.records([1, 8, 9, 10]);
    assert_eq!(records, [recorded(&good(8)), recorded(&good(9))]);
}

#[test]
fn budgets_hold_whatever_comes() {
    let limits = limits(50, 30_000);
    let mut store = Store::new(&limits);
    for id in 1..=600u64 {
        // Out of order, of very different sizes, some too large for the whole budget.
        let mut exchange = if id % 3 == 0 {
            refused(id ^ 1)
        } else {
            good(id ^ 1)
        };
        let size = usize::try_from(id * 7_919 % 36_000).unwrap();
        exchange.reply.as_mut().unwrap().body.text = Some("x".repeat(size));
        push(&mut store, &exchange);
        assert!(store.kept_bytes() <= limits.kept_total);
        assert!(store.len() <= limits.rows);
        assert!(store.footprint() <= limits.kept_total + limits.rows * (512 + 8));
    }
    assert_eq!(
        ids(&store),
        (551..=601).filter(|id| *id != 600).collect::<Vec<_>>()
    );
    store.clear();
    assert_eq!((store.kept_bytes(), store.len()), (0, 0));
}

#[test]
fn an_exchange_pushed_again_takes_its_own_place() {
    let mut store = filled(&limits(10, usize::MAX), 1..=3);
    let before = (store.kept_bytes(), store.generation());
    assert_eq!(store.counts().failed, 0);
    push(&mut store, &refused(2));
    assert_eq!((store.counts().total, store.counts().failed), (3, 1));
    assert_eq!(store.exchange(2).unwrap(), refused(2));
    push(&mut store, &good(2));
    assert_eq!(store.counts().failed, 0);
    assert_eq!(store.kept_bytes(), before.0);
    assert_ne!(store.generation(), before.1);
    store.count_not_recorded(2);
    assert_eq!((store.counts().total, store.counts().not_recorded), (5, 2));
}

#[test]
fn view_follows_the_store() {
    let mut store = filled(&limits(6, usize::MAX), []);
    let mut view = FilteredView::new(Filter::parse("is:failed").unwrap());
    let mut seen = |store: &Store| {
        view.update(store);
        view.ids(0..usize::MAX).collect::<Vec<_>>()
    };
    assert!(seen(&store).is_empty());
    for id in [1, 2, 4, 5] {
        push(
            &mut store,
            &if id % 2 == 0 { refused(id) } else { good(id) },
        );
    }
    assert_eq!(seen(&store), [2, 4]);
    push(&mut store, &refused(3));
    assert_eq!(seen(&store), [2, 3, 4]);
    push(&mut store, &good(4));
    assert_eq!(seen(&store), [2, 3]);
    (6..=8).for_each(|id| push(&mut store, &refused(id)));
    assert_eq!(seen(&store), [3, 6, 7, 8]);
    // More than the store remembers to have changed.
    (9..=40).for_each(|id| push(&mut store, &refused(id)));
    assert_eq!(seen(&store), [35, 36, 37, 38, 39, 40]);
    store.clear();
    assert!(seen(&store).is_empty());
}

#[test]
fn marks_move_rows_in_and_out_of_a_view() {
    let mut store = filled(&limits(3, usize::MAX), 1..=3);
    let mut view = FilteredView::new(Filter::parse("is:marked").unwrap());
    view.update(&store);
    store.mark(2, true);
    store.mark(99, true);
    assert!(view.update(&store));
    assert_eq!(view.ids(0..9).collect::<Vec<_>>(), [2]);
    assert_eq!(
        view.rows(&store, 0..9)
            .map(|row| row.id)
            .collect::<Vec<_>>(),
        [2]
    );
    assert!(!view.update(&store), "nothing new");
    store.mark(2, false);
    view.update(&store);
    assert!(view.is_empty());
    store.mark(1, true);
    push(&mut store, &good(4));
    assert_eq!(store.marked().len(), 0, "the mark goes with its row");
}

#[test]
fn a_fresh_filter_over_many_rows_takes_bounded_steps_from_the_newest_down() {
    let mut store = Store::new(&limits(100_000, 0));
    let template = Row::of(&refused(1));
    for id in 1..=50_000 {
        store.push_row(renumbered(&template, id, id % 2 == 0));
    }
    let mut view = FilteredView::new(Filter::parse("is:failed").unwrap());
    view.update(&store);
    assert!(view.is_scanning() && view.len() < 25_000);
    assert_eq!(view.id_at(view.len() - 1), Some(50_000));
    let mut next = 50_001;
    while view.is_scanning() {
        // New rows come and old ones change meanwhile.
        store.push_row(renumbered(&template, next, true));
        store.push_row(renumbered(&template, 10, false));
        next += 1;
        view.update(&store);
    }
    let expected: Vec<u64> = (1..next)
        .filter(|id| *id > 50_000 || (id % 2 == 0 && *id != 10))
        .collect();
    assert_eq!(view.ids(0..usize::MAX).collect::<Vec<_>>(), expected);
}

#[test]
fn originals_live_in_a_ring() {
    let limits = Limits {
        raw_total: 20_000,
        ..Limits::default()
    };
    let mut ring = RawStore::new(&limits);
    for id in 1..=100 {
        let mut raw = Raw::default();
        *raw.received.body = vec![0; 4_000];
        ring.push(id, Arc::new(raw));
        assert!(ring.bytes() <= limits.raw_total);
    }
    assert!(ring.get(1).is_none());
    assert_eq!(ring.get(100).unwrap().received.body.len(), 4_000);
}

#[test]
fn a_panic_while_it_is_held_does_not_end_the_recording() {
    let store = SharedStore::new(&Limits::default());
    let held = store.clone();
    let ended = std::thread::spawn(move || {
        let _held = held.lock();
        std::panic::panic_any("a view")
    });
    assert!(ended.join().is_err());
    push(&mut store.lock(), &empty(1));
    assert_eq!(store.lock().len(), 1);
}

/// Prints what a push and a frame cost: `cargo test --test capture speed -- --ignored --nocapture`.
#[test]
#[ignore = "prints timings"]
fn speed() {
    let mut store = Store::new(&Limits::default());
    let mut view = FilteredView::new(Filter::parse("is:failed op:Get* !eu-").unwrap());
    let (exchange, json) = (refused(1), recorded(&refused(1)).1);
    let start = Instant::now();
    let rows: Vec<Row> = (1..=1_000_000)
        .map(|id| renumbered(&Row::of(&exchange), id, true))
        .collect();
    println!("Row::of      {:?}", start.elapsed() / 1_000_000);
    let lines: Vec<Arc<[u8]>> = (0..1_000_000).map(|_| Arc::clone(&json)).collect();
    let start = Instant::now();
    for (row, json) in rows.into_iter().zip(lines) {
        store.push(row, json);
    }
    println!("push         {:?}", start.elapsed() / 1_000_000);
    let start = Instant::now();
    while {
        view.update(&store);
        view.is_scanning()
    } {}
    println!(
        "fresh filter {:?} over {} rows",
        start.elapsed(),
        store.len()
    );
    for id in 1_000_001..=1_000_100 {
        store.push_row(renumbered(&Row::of(&exchange), id, true));
    }
    let start = Instant::now();
    view.update(&store);
    println!("100 new rows {:?}", start.elapsed());
    let mut view = FilteredView::new(Filter::parse("body:/pro+d/").unwrap());
    let start = Instant::now();
    let mut steps = 0;
    while {
        view.update(&store);
        steps += 1;
        view.is_scanning()
    } {}
    println!("body filter  {:?} in {steps} steps", start.elapsed());
    println!("to_json      {} bytes", json.len());
    let start = Instant::now();
    for _ in 0..10_000 {
        std::hint::black_box(exchange.to_json());
    }
    println!("to_json      {:?}", start.elapsed() / 10_000);
}

/// Prints what a million exchanges leave in memory: `cargo test --test capture memory --
/// --ignored --nocapture`.
#[test]
#[ignore = "prints measurements"]
fn memory_after_a_million() {
    let mut store = Store::new(&Limits::default());
    let template = Row::of(&refused(1));
    for id in 1..=1_000_000u64 {
        let size = usize::try_from(300 + id.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 12_000).unwrap();
        store.push(renumbered(&template, id, false), vec![b'x'; size].into());
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let rss = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    println!("{} MiB accounted, {rss}", store.footprint() >> 20);
}
