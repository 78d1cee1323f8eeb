//! The last stage: a draft becomes the masked [`Exchange`] that everybody may see and the
//! [`Raw`] that only diagnosis and replay read.
//!
//! One thread does it, so that no exchange under way waits for a screen or a disk. Its queue
//! is bounded in bytes: when it is full, new requests wait; after a second the bodies of
//! what is queued next are dropped; past twice the bound rows are only counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Notify;

use super::draft::{Draft, ReplyDraft, SentDraft};
use super::{judge, masked};
use crate::capture::Exchange;
use crate::secret::mask::Masker;
use crate::secret::{Raw, Wire};

/// How long new requests wait for a full queue before bodies are dropped.
const ADMISSION: Duration = Duration::from_secs(1);
/// How long the thread lets a batch gather: one wake-up serves many exchanges.
const GATHER: Duration = Duration::from_millis(2);

/// How many exchanges may wait for the search into their signature; more go unsearched.
const SEARCHES: usize = 16;

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
    /// To the thread that searches for the mistake in a client's signature.
    searches: Mutex<Option<SyncSender<Box<Draft>>>>,
}

impl Queue {
    fn push(&self, draft: Box<Draft>) {
        self.lock().push_back(draft);
        if self.idle.swap(false, Ordering::AcqRel) {
            self.arrived.notify_one();
        }
    }

    /// Nothing more will come.
    fn finish(&self) {
        self.closed.store(true, Ordering::Release);
        let _guard = self.lock();
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Box<Draft>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder {
    /// A queue of at most `limit` bytes and the thread that empties it through `process`. A
    /// second thread searches the wrong signatures of clients before their exchanges are
    /// recorded, so that neither the record nor any exchange waits for it.
    pub(crate) fn start(
        limit: usize,
        masker: Arc<Masker>,
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
            searches: Mutex::default(),
        });
        search_thread(&queue, masker)?;
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
        if let Some(draft) = self.search(draft) {
            queue.push(draft);
        }
    }

    /// Hands a wrong signature to the search; gives back what is recorded at once.
    fn search(&self, draft: Box<Draft>) -> Option<Box<Draft>> {
        if !judge::is_searchable(&draft) {
            return Some(draft);
        }
        let searches = self
            .0
            .searches
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = searches.as_ref() else {
            return Some(draft);
        };
        match sender.try_send(draft) {
            Ok(()) => None,
            Err(TrySendError::Full(mut draft) | TrySendError::Disconnected(mut draft)) => {
                judge::not_searched(&mut draft);
                Some(draft)
            }
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

    /// Lets the threads finish what is queued and end.
    pub(crate) fn close(&self) {
        let sender = self
            .0
            .searches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match sender {
            // The search thread sees its channel end, and then closes the queue.
            Some(sender) => drop(sender),
            None => self.0.finish(),
        }
    }
}

/// Ends when its channel does; then nothing more comes into the queue.
fn search_thread(queue: &Arc<Queue>, masker: Arc<Masker>) -> std::io::Result<()> {
    let (sender, drafts) = sync_channel::<Box<Draft>>(SEARCHES);
    let own = queue.clone();
    std::thread::Builder::new()
        .name("forensics".to_owned())
        .spawn(move || {
            for mut draft in drafts {
                judge::search(&mut draft, &masker);
                own.push(draft);
            }
            own.finish();
        })?;
    *queue
        .searches
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some(sender);
    Ok(())
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
