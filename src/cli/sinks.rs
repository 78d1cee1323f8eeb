//! Where exchanges go: the store behind the screen, standard output, the session file.

use std::io::{BufWriter, Stdout, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::tz::TimeZone;
use tokio::sync::Notify;

use crate::capture::{Exchange, Row, SessionWriter, SharedRawStore, SharedStore};
use crate::export;
use crate::proxy::Sink;
use crate::secret::Raw;

/// How `proxy` prints an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A line for people
    #[default]
    Text,
    /// A JSON object a line
    Jsonl,
}

/// Prints each exchange on standard output, or on standard error beside a child's output.
pub(crate) struct Printer {
    format: Format,
    out: BufWriter<Out>,
    zone: TimeZone,
}

enum Out {
    Stdout(Stdout),
    Stderr(std::io::Stderr),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::Stderr(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Stderr(out) => out.flush(),
        }
    }
}

impl Printer {
    pub(crate) fn stdout(format: Format) -> Self {
        Self::new(format, Out::Stdout(std::io::stdout()))
    }

    pub(crate) fn stderr() -> Self {
        Self::new(Format::Text, Out::Stderr(std::io::stderr()))
    }

    fn new(format: Format, out: Out) -> Self {
        Self {
            format,
            out: BufWriter::with_capacity(256 * 1024, out),
            zone: TimeZone::system(),
        }
    }
}

impl Sink for Printer {
    fn exchange(&mut self, exchange: &Exchange, json: &Arc<[u8]>, _: &Arc<Raw>) {
        // A reader that went away must not end the proxy.
        let _ = match self.format {
            Format::Jsonl => export::write_line(&mut self.out, json),
            Format::Text => writeln!(self.out, "{}", export::line(exchange, &self.zone, false)),
        };
    }

    fn flush(&mut self) {
        let _ = self.out.flush();
    }
}

/// Keeps exchanges for the screen, and tells it that there are new ones.
#[derive(Clone)]
pub(crate) struct Keeper {
    pub(crate) store: SharedStore,
    pub(crate) raws: SharedRawStore,
    pub(crate) generation: Arc<AtomicU64>,
    pub(crate) changed: Arc<Notify>,
}

impl Keeper {
    pub(crate) fn new(limits: &crate::config::Limits) -> Self {
        Self {
            store: SharedStore::new(limits),
            raws: SharedRawStore::new(limits),
            generation: Arc::default(),
            changed: Arc::default(),
        }
    }

    /// Says that something on the screen is not as it was.
    pub(crate) fn touch(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }
}

impl Sink for Keeper {
    fn exchange(&mut self, exchange: &Exchange, json: &Arc<[u8]>, raw: &Arc<Raw>) {
        self.store.lock().push(Row::of(exchange), json.clone());
        self.raws.lock().push(exchange.id, raw.clone());
    }

    fn flush(&mut self) {
        self.touch();
    }
}

/// Writes the session file.
#[derive(Clone)]
pub(crate) struct Session(pub(crate) Arc<SessionWriter>);

impl Session {
    pub(crate) fn open(path: &Path, queue: usize) -> Result<Self, String> {
        let writer = SessionWriter::open_append(path, queue).map_err(|error| error.to_string())?;
        Ok(Self(Arc::new(writer)))
    }
}

impl Sink for Session {
    fn exchange(&mut self, exchange: &Exchange, json: &Arc<[u8]>, _: &Arc<Raw>) {
        self.0.write(&Row::of(exchange), json.clone());
    }
}
