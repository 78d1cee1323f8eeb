//! A thread a core, each with a runtime of its own: a connection, its requests and the
//! upstream connections that serve them never change threads, so that no request waits for
//! another thread to be woken.

use std::cell::Cell;
use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

thread_local! {
    static INDEX: Cell<usize> = const { Cell::new(0) };
}

/// Which of the upstream clients belongs to this thread: 0 outside the workers.
pub(crate) fn index() -> usize {
    INDEX.get()
}

/// How many clients are needed: one for each worker, one for everybody else.
pub(crate) fn clients() -> usize {
    cores() + 1
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// An accepted connection on its way to its thread, and what to do with it there.
pub(crate) type Job = Box<dyn FnOnce(tokio::net::TcpStream) + Send>;

/// The threads. They end when this is dropped.
pub(crate) struct Workers {
    senders: Vec<mpsc::UnboundedSender<(TcpStream, Job)>>,
    next: AtomicUsize,
}

impl Workers {
    pub(crate) fn start() -> io::Result<Self> {
        let mut senders = Vec::new();
        for index in 1..=cores() {
            let (sender, receiver) = mpsc::unbounded_channel();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            std::thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || {
                    INDEX.set(index);
                    runtime.block_on(work(receiver));
                })?;
            senders.push(sender);
        }
        Ok(Self {
            senders,
            next: AtomicUsize::new(0),
        })
    }

    /// Hands a connection to the next thread.
    pub(crate) fn hand(&self, stream: tokio::net::TcpStream, job: Job) -> io::Result<()> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.senders.len();
        let stream = stream.into_std()?;
        self.senders[turn]
            .send((stream, job))
            .map_err(|_| io::Error::other("the worker has ended"))
    }
}

async fn work(mut jobs: mpsc::UnboundedReceiver<(TcpStream, Job)>) {
    while let Some((stream, job)) = jobs.recv().await {
        if let Ok(stream) = tokio::net::TcpStream::from_std(stream) {
            job(stream);
        }
    }
}
