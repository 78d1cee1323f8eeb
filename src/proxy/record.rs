//! The last stage: a draft becomes the masked [`Exchange`] that everybody may see and the
//! [`Raw`] that only diagnosis and replay read.
//!
//! One thread does it, so that no exchange under way waits for a screen or a disk. Its queue
//! is bounded in bytes: when it is full, new requests wait; after a second the bodies of
//! what is queued next are dropped; past twice the bound rows are only counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Notify;

use super::draft::{Draft, ReplyDraft, SentDraft};
use super::masked;
use crate::capture::Exchange;
use crate::secret::mask::Masker;
use crate::secret::{Raw, Wire};

/// How long new requests wait for a full queue before bodies are dropped.
const ADMISSION: Duration = Duration::from_secs(1);
/// How long the thread lets a batch gather: one wake-up serves many exchanges.
const GATHER: Duration = Duration::from_millis(2);

/// Where recorded exchanges go. Called on the record thread, in order of completion.
pub trait Sink: Send {
    /// Takes one exchange; `json` is its line without the line feed.
    fn exchange(&mut self, exchange: &Exchange, json: &Arc<[u8]>, raw: &Arc<Raw>);
    /// The batch is over: write out what is buffered.
    fn flush(&mut self) {}
}

/// The entrance to the record thread; cheap to clone.
#[derive(Clone)]
pub(crate) struct Recorder(Arc<Queue>);

struct Queue {
    waiting: Mutex<VecDeque<Box<Draft>>>,
    arrived: Condvar,
    idle: AtomicBool,
    closed: AtomicBool,
    bytes: AtomicUsize,
    limit: usize,
    overfull: AtomicBool,
    room: Notify,
    in_flight: AtomicUsize,
    not_recorded: AtomicU64,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Box<Draft>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder {
    /// A queue of at most `limit` bytes and the thread that empties it through `process`.
    pub(crate) fn start(
        limit: usize,
        mut process: impl FnMut(Box<Draft>) + Send + 'static,
        mut flush: impl FnMut() + Send + 'static,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            idle: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            limit,
            overfull: AtomicBool::new(false),
            room: Notify::new(),
            in_flight: AtomicUsize::new(0),
            not_recorded: AtomicU64::new(0),
        });
        let recorder = Self(queue.clone());
        let thread = std::thread::Builder::new()
            .name("record".to_owned())
            .spawn(move || {
                while let Some(batch) = next_batch(&queue) {
                    for draft in batch {
                        let size = draft.size();
                        process(draft);
                        queue.bytes.fetch_sub(size, Ordering::Relaxed);
                    }
                    if queue.bytes.load(Ordering::Relaxed) < queue.limit {
                        queue.overfull.store(false, Ordering::Relaxed);
                        queue.room.notify_waiters();
                    }
                    flush();
                }
            })?;
        Ok((recorder, thread))
    }

    /// Waits, for a second at most, until the queue has room.
    pub(crate) async fn admit(&self) {
        let queue = &self.0;
        if queue.bytes.load(Ordering::Relaxed) < queue.limit
            || queue.overfull.load(Ordering::Relaxed)
        {
            return;
        }
        let room = queue.room.notified();
        if queue.bytes.load(Ordering::Relaxed) >= queue.limit
            && tokio::time::timeout(ADMISSION, room).await.is_err()
        {
            queue.overfull.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn begin(&self) {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn record(&self, mut draft: Box<Draft>) {
        let queue = &self.0;
        queue.in_flight.fetch_sub(1, Ordering::Relaxed);
        let bytes = queue.bytes.load(Ordering::Relaxed);
        if bytes >= 2 * queue.limit {
            queue.not_recorded.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if bytes >= queue.limit {
            forget_bodies(&mut draft);
        }
        queue.bytes.fetch_add(draft.size(), Ordering::Relaxed);
        queue.lock().push_back(draft);
        if queue.idle.swap(false, Ordering::AcqRel) {
            queue.arrived.notify_one();
        }
    }

    /// Requests that have begun and are not recorded yet.
    pub(crate) fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Relaxed)
    }

    /// Exchanges that were counted but not kept.
    pub(crate) fn not_recorded(&self) -> u64 {
        self.0.not_recorded.load(Ordering::Relaxed)
    }

    /// Lets the thread finish what is queued and end.
    pub(crate) fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        let _guard = self.0.lock();
        self.0.arrived.notify_all();
    }
}

fn next_batch(queue: &Queue) -> Option<VecDeque<Box<Draft>>> {
    let mut waiting = queue.lock();
    if waiting.is_empty() {
        while waiting.is_empty() {
            if queue.closed.load(Ordering::Acquire) {
                return None;
            }
            queue.idle.store(true, Ordering::Release);
            waiting = queue
                .arrived
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        queue.idle.store(false, Ordering::Release);
        drop(waiting);
        std::thread::sleep(GATHER);
        waiting = queue.lock();
    }
    Some(std::mem::take(&mut *waiting))
}

fn forget_bodies(draft: &mut Draft) {
    draft.received_body.forget();
    if let Some(body) = draft.sent.as_mut().and_then(|sent| sent.body.as_mut()) {
        body.forget();
    }
    if let Some(reply) = &mut draft.reply {
        reply.body.forget();
    }
}

/// Makes the two forms that are kept.
pub(crate) fn record(masker: &Masker, draft: Box<Draft>) -> (Exchange, Raw) {
    let exchange = masked::exchange(masker, &draft);
    let Draft {
        received_head,
        received_body,
        sent,
        reply,
        client_credentials,
        ..
    } = *draft;
    let signed_with = sent.as_ref().and_then(|sent| sent.credentials.clone());
    let raw = Raw {
        received: wire(received_head, &received_body),
        sent: sent.map(|SentDraft { head, body, .. }| match body {
            Some(body) => wire(head, &body),
            None => Wire {
                head: head.into(),
                ..Wire::default()
            },
        }),
        reply: reply.map(|ReplyDraft { head, body, .. }| wire(head, &body)),
        signed_with,
        client_credentials,
    };
    (exchange, raw)
}

fn wire(mut head: Vec<u8>, body: &super::body::Passed) -> Wire {
    head.shrink_to_fit();
    Wire {
        head: head.into(),
        body: body.bytes().into(),
        body_size: body.size,
        body_sha256: body.sha256(),
        complete: body.complete(),
    }
}
