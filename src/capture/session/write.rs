use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{SessionError, schema};
use crate::capture::Row;

/// A record waits no longer than this for its transaction; the rest of the promised 100 ms
/// is for the transaction itself.
const COMMIT_EVERY: Duration = Duration::from_millis(80);
/// How long after a failed transaction it is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long a transaction waits for someone else's, before it counts as failed.
const BUSY: Duration = Duration::from_secs(2);
/// What a waiting record costs besides its bytes.
const ITEM_OVERHEAD: usize = 512;

/// Writes a session file from a thread of its own. Whoever hands in a record never waits:
/// when the disk does not keep up, records are dropped and counted.
///
/// Dropping the writer commits what waits and closes the file.
pub struct SessionWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    last_id: u64,
}

/// How the writing goes, for the status bar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionState {
    /// Records in the file, of those handed in.
    pub written: u64,
    /// Records that wait.
    pub waiting: u64,
    /// Records that could not be written and are lost to the file.
    pub dropped: u64,
    /// Why the last transaction failed; `None` again once one succeeds.
    pub error: Option<String>,
}

impl SessionWriter {
    /// Creates the file, with mode 0600; an error if there is one. `queue` bounds the bytes
    /// that wait to be written (`limits.record_queue`).
    pub fn create(path: &Path, queue: usize) -> Result<Self, SessionError> {
        Self::start(path, OpenOptions::new().create_new(true), queue)
    }

    /// Goes on with a file that we wrote, or creates it.
    pub fn open_append(path: &Path, queue: usize) -> Result<Self, SessionError> {
        Self::start(path, OpenOptions::new().create(true).truncate(false), queue)
    }

    fn start(path: &Path, options: &mut OpenOptions, queue: usize) -> Result<Self, SessionError> {
        let lock = options
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| SessionError::io(path, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SessionError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(SessionError::io(path, &error)),
        }
        let is_new = lock
            .metadata()
            .map_err(|error| SessionError::io(path, &error))?
            .len()
            == 0;
        let connection =
            Connection::open(path).map_err(|error| SessionError::sqlite(path, &error))?;
        if !is_new {
            schema::check(&connection, path)?;
        }
        let last_id =
            prepare(&connection, is_new).map_err(|error| SessionError::sqlite(path, &error))?;
        let shared = Arc::new(Shared {
            max: queue,
            ..Shared::default()
        });
        let thread = Worker {
            connection,
            _lock: lock,
            shared: Arc::clone(&shared),
        };
        let thread = std::thread::Builder::new()
            .name("session".to_owned())
            .spawn(move || thread.run())
            .map_err(|error| SessionError::io(path, &error))?;
        Ok(Self {
            shared,
            thread: Some(thread),
            path: path.to_owned(),
            last_id,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The highest id that was in the file when it was opened; number on from here.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Hands in a record. Returns at once; `false` if it had to be dropped.
    pub fn write(&self, row: &Row, json: Arc<[u8]>) -> bool {
        let cost = json.len() + ITEM_OVERHEAD;
        let mut queue = self.shared.lock();
        if queue.bytes + cost > self.shared.max {
            queue.state.dropped += 1;
            return false;
        }
        queue.bytes += cost;
        queue.state.waiting += 1;
        queue.items.push((row.clone(), json));
        if queue.items.len() == 1 {
            queue.since = Some(Instant::now());
            self.shared.wake.notify_one();
        }
        true
    }

    /// How it goes.
    pub fn state(&self) -> SessionState {
        self.shared.lock().state.clone()
    }

    /// Waits, for at most `wait`, until all that was handed in is in the file.
    pub fn flush(&self, wait: Duration) -> Result<(), SessionError> {
        let failed = |detail| SessionError::Failed {
            path: self.path.clone(),
            detail,
        };
        let mut queue = self.shared.lock();
        queue.hurry = true;
        self.shared.wake.notify_one();
        let pending = |queue: &mut Queue| queue.state.waiting > 0 && queue.state.error.is_none();
        let (queue, _) = self
            .shared
            .done
            .wait_timeout_while(queue, wait, pending)
            .unwrap_or_else(PoisonError::into_inner);
        match (&queue.state.error, queue.state.waiting) {
            (Some(error), _) => Err(failed(error.clone())),
            (None, 0) => Ok(()),
            (None, waiting) => Err(failed(format!("{waiting} exchanges are not written yet"))),
        }
    }
}

impl Drop for SessionWriter {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}

#[derive(Default)]
struct Shared {
    max: usize,
    queue: Mutex<Queue>,
    /// There is something to do.
    wake: Condvar,
    /// A transaction ended.
    done: Condvar,
}

#[derive(Default)]
struct Queue {
    items: Vec<(Row, Arc<[u8]>)>,
    /// When the first of them came.
    since: Option<Instant>,
    /// Of the items and of those that the worker holds.
    bytes: usize,
    /// Do not wait for the next commit's time.
    hurry: bool,
    closing: bool,
    state: SessionState,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Worker {
    connection: Connection,
    /// Held until the connection is closed: closing any handle of the file drops the locks
    /// that SQLite has on it.
    _lock: File,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(mut self) {
        let mut batch = Vec::new();
        loop {
            let closing = self.take(&mut batch);
            let failed = match self.commit(&batch) {
                Ok(()) => false,
                Err(error) => {
                    self.shared.lock().state.error = Some(explain(&error));
                    true
                }
            };
            if !failed || closing {
                self.settle(&batch, failed);
                batch.clear();
            }
            self.shared.done.notify_all();
            if closing {
                break;
            }
            if failed {
                self.pause(RETRY_AFTER);
            }
        }
        // One file again, if nobody reads it at the moment; readers of a log are served too.
        let _ = self
            .connection
            .pragma_update(None, "journal_mode", "DELETE");
    }

    /// Waits until a transaction is due and takes what is there. Returns whether it is the
    /// last one.
    fn take(&self, batch: &mut Vec<(Row, Arc<[u8]>)>) -> bool {
        let idle = |queue: &mut Queue| queue.items.is_empty() && !queue.closing && !queue.hurry;
        let early = |queue: &mut Queue| !queue.closing && !queue.hurry;
        let mut queue = self.shared.lock();
        if batch.is_empty() {
            queue = self
                .shared
                .wake
                .wait_while(queue, idle)
                .unwrap_or_else(PoisonError::into_inner);
            let waited = queue.since.map_or(Duration::ZERO, |since| since.elapsed());
            (queue, _) = self
                .shared
                .wake
                .wait_timeout_while(queue, COMMIT_EVERY.saturating_sub(waited), early)
                .unwrap_or_else(PoisonError::into_inner);
        }
        batch.append(&mut queue.items);
        queue.hurry = false;
        queue.closing
    }

    fn commit(&mut self, batch: &[(Row, Arc<[u8]>)]) -> rusqlite::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        {
            let mut statement = transaction.prepare_cached(schema::INSERT)?;
            for (row, json) in batch {
                schema::insert(&mut statement, row, &String::from_utf8_lossy(json))?;
            }
        }
        transaction.commit()
    }

    fn settle(&self, batch: &[(Row, Arc<[u8]>)], failed: bool) {
        let mut queue = self.shared.lock();
        let count = batch.len() as u64;
        queue.state.waiting -= count;
        queue.bytes -= batch
            .iter()
            .map(|(_, json)| json.len() + ITEM_OVERHEAD)
            .sum::<usize>();
        if failed {
            queue.state.dropped += count;
        } else {
            queue.state.written += count;
            queue.state.error = None;
        }
    }

    fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        let mut queue = self.shared.lock();
        while !queue.closing
            && let Some(left) = end.checked_duration_since(Instant::now())
        {
            (queue, _) = self
                .shared
                .wake
                .wait_timeout(queue, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Makes a connection ready to write and returns the highest id.
fn prepare(connection: &Connection, is_new: bool) -> rusqlite::Result<u64> {
    connection.busy_timeout(BUSY)?;
    if is_new {
        schema::create(connection)?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // In WAL mode this loses nothing when the process is killed; only a power failure may
    // take the last transactions.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection
        .query_row("SELECT coalesce(max(id), 0) FROM exchange", [], |row| {
            row.get::<_, i64>(0)
        })
        .map(i64::cast_unsigned)
}

fn explain(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(rusqlite::ErrorCode::DatabaseBusy) => "another program holds the file".to_owned(),
        _ => error.to_string(),
    }
}
