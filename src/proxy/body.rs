//! Bodies on their way: what passes is counted, hashed where asked, and the first bytes kept.

use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::capture::exchange::FaultKind;
use crate::sigv4::ChunkError;

/// Any error of a body.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What has passed of a body.
pub(crate) struct Passed {
    kept: Vec<Bytes>,
    held: usize,
    limit: usize,
    /// Bytes that passed.
    pub(crate) size: u64,
    hash: Option<digest::Context>,
    /// Set when all of it has passed.
    pub(crate) ended: bool,
    /// What stopped it.
    pub(crate) error: Option<Stop>,
    /// What was wrong with it, though it passed.
    pub(crate) complaint: Option<String>,
}

/// What stopped a body, and whose fault that is.
pub(crate) struct Stop {
    pub(crate) kind: FaultKind,
    pub(crate) message: String,
}

impl Stop {
    fn of(error: &BoxError) -> Self {
        Self {
            kind: stopped_by(error.as_ref()),
            message: error.to_string(),
        }
    }
}

/// Whose fault it is that a request's body stopped.
fn stopped_by(error: &(dyn std::error::Error + 'static)) -> FaultKind {
    if error.is::<Stalled>() {
        return FaultKind::Timeout;
    }
    if let Some(ChunkError::TooLarge { .. }) = error.downcast_ref() {
        return FaultKind::TooLarge;
    }
    let mut next = Some(error);
    while let Some(cause) = next {
        let gone = |error: &std::io::Error| {
            matches!(
                error.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
            )
        };
        if cause.downcast_ref().is_some_and(gone) {
            return FaultKind::ClientGone;
        }
        next = cause.source();
    }
    FaultKind::ClientMalformed
}

impl Passed {
    /// Keeps the first `limit` bytes; hashes all of it where `hash` is set.
    pub(crate) fn new(limit: usize, hash: bool) -> Self {
        Self {
            kept: Vec::new(),
            held: 0,
            limit,
            size: 0,
            hash: hash.then(|| digest::Context::new(&digest::SHA256)),
            ended: false,
            error: None,
            complaint: None,
        }
    }

    /// No body at all.
    pub(crate) fn empty() -> Self {
        Self {
            ended: true,
            ..Self::new(0, false)
        }
    }

    /// A body that is there already.
    pub(crate) fn whole(bytes: Bytes, limit: usize) -> Self {
        let mut passed = Self::new(limit, true);
        passed.push(&bytes);
        passed.ended = true;
        passed
    }

    pub(crate) fn push(&mut self, data: &Bytes) {
        self.size += data.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(data);
        }
        let room = self.limit.saturating_sub(self.held);
        if room > 0 && !data.is_empty() {
            let part = data.slice(..room.min(data.len()));
            self.held += part.len();
            self.kept.push(part);
        }
    }

    /// Bytes held in memory.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Forgets what was kept; the size stays.
    pub(crate) fn forget(&mut self) {
        self.kept.clear();
        self.held = 0;
    }

    /// Whether all of it was kept.
    pub(crate) fn complete(&self) -> bool {
        self.ended && self.held as u64 == self.size
    }

    /// The bytes that were kept.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.kept.concat()
    }

    /// SHA-256 of the whole body, once it has ended.
    pub(crate) fn sha256(&self) -> Option<[u8; 32]> {
        let hash = self.hash.as_ref().filter(|_| self.ended)?;
        hash.clone().finish().as_ref().try_into().ok()
    }
}

/// A body's account, shared between the wrapper under way and the stage that waits for it.
#[derive(Clone)]
pub(crate) struct SharedPassed(Arc<Mutex<Passed>>);

impl SharedPassed {
    pub(crate) fn new(passed: Passed) -> Self {
        Self(Arc::new(Mutex::new(passed)))
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Passed) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the account; what passes afterwards is counted no more.
    pub(crate) fn take(&self) -> Passed {
        self.with(|passed| std::mem::replace(passed, Passed::empty()))
    }
}

/// Reads an incoming body with a limit on the wait for each frame.
pub(crate) struct Patient {
    incoming: Incoming,
    limit: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

/// No byte arrived for as long as the configuration allows.
#[derive(Debug, thiserror::Error)]
#[error("no byte arrived for {} s", .0.as_secs())]
pub(crate) struct Stalled(Duration);

impl Patient {
    pub(crate) fn new(incoming: Incoming, limit: Duration) -> Self {
        Self {
            incoming,
            limit,
            waiting: None,
        }
    }

    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Ready(frame) => {
                if let Some(sleep) = &mut self.waiting {
                    sleep.as_mut().reset(Instant::now() + self.limit);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                let limit = self.limit;
                let sleep = self
                    .waiting
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
                ready!(sleep.as_mut().poll(context));
                Poll::Ready(Some(Err(Stalled(limit).into())))
            }
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }
}

/// A request body on its way in.
pub(crate) enum InBody {
    /// In memory.
    Full(Bytes),
    /// Still arriving.
    Arriving(Patient),
}

impl InBody {
    pub(crate) fn incoming(incoming: Incoming, idle: Duration) -> Self {
        if incoming.is_end_stream() {
            Self::Full(Bytes::new())
        } else {
            Self::Arriving(Patient::new(incoming, idle))
        }
    }

    /// Whether there is certainly nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Full(bytes) if bytes.is_empty())
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Arriving(body) => body.is_end_stream(),
            Self::Full(bytes) => bytes.is_empty(),
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self {
            Self::Arriving(body) => body.poll(context),
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
        }
    }
}

/// Turns a stream's bytes into others on their way upstream.
pub(crate) trait Rewrite: Send {
    /// The bytes to send for the bytes that arrived.
    fn push(&mut self, data: Bytes) -> Result<Vec<Bytes>, BoxError>;
    /// The bytes to send when the stream has ended.
    fn finish(&mut self) -> Result<Vec<Bytes>, BoxError>;
    /// What was wrong with the bytes that arrived, though they could be passed on.
    fn complaint(&self) -> Option<String>;
}

/// A request body on its way upstream.
pub(crate) enum UpBody {
    /// In memory already.
    Full(Option<Bytes>),
    /// As it arrives, byte for byte.
    Stream {
        body: Patient,
        account: SharedPassed,
    },
    /// As it arrives, its framing signed anew.
    Rewritten(Box<Rewritten>),
}

/// A body whose signatures are replaced on the way.
pub(crate) struct Rewritten {
    pub(crate) body: InBody,
    pub(crate) account: SharedPassed,
    pub(crate) sent: SharedPassed,
    pub(crate) rewrite: Box<dyn Rewrite>,
    pub(crate) ready: std::collections::VecDeque<Bytes>,
    pub(crate) finished: bool,
}

impl Body for UpBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Full(bytes) => Poll::Ready(
                bytes
                    .take()
                    .filter(|b| !b.is_empty())
                    .map(|b| Ok(Frame::data(b))),
            ),
            Self::Stream { body, account } => {
                let frame = ready!(body.poll(context));
                let last = body.is_end_stream();
                account.with(|passed| {
                    observe(passed, frame.as_ref());
                    passed.ended |= last && passed.error.is_none();
                });
                Poll::Ready(frame)
            }
            Self::Rewritten(rewritten) => rewritten.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Stream { body, .. } => body.is_end_stream(),
            Self::Rewritten(rewritten) => rewritten.finished && rewritten.ready.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Stream { body, .. } => body.size_hint(),
            Self::Rewritten(_) => SizeHint::default(),
        }
    }
}

impl Rewritten {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                let last = self.finished && self.ready.is_empty();
                self.sent.with(|passed| {
                    passed.push(&bytes);
                    passed.ended = last;
                });
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if self.finished {
                self.sent.with(|passed| passed.ended = true);
                return Poll::Ready(None);
            }
            let frame = ready!(self.body.poll(context));
            // hyper asks no further once it has as many bytes as were announced.
            let last = frame.is_none() || self.body.is_end_stream();
            let made = self.rewrite(frame, last);
            match made {
                Ok(bytes) => self
                    .ready
                    .extend(bytes.into_iter().filter(|b| !b.is_empty())),
                Err(error) => {
                    self.account
                        .with(|passed| passed.error = Some(Stop::of(&error)));
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn rewrite(
        &mut self,
        frame: Option<Result<Frame<Bytes>, BoxError>>,
        last: bool,
    ) -> Result<Vec<Bytes>, BoxError> {
        self.account.with(|passed| observe(passed, frame.as_ref()));
        let mut made = match frame.transpose()?.map(Frame::into_data) {
            Some(Ok(data)) => self.rewrite.push(data)?,
            // HTTP trailers beside aws-chunked ones have no meaning to S3.
            Some(Err(_)) | None => Vec::new(),
        };
        if last {
            self.finished = true;
            made.extend(self.rewrite.finish()?);
        }
        let complaint = self.rewrite.complaint();
        self.account.with(|passed| {
            passed.ended |= last;
            passed.complaint = complaint;
        });
        Ok(made)
    }
}

/// Writes into the account what a poll brought.
pub(crate) fn observe(passed: &mut Passed, frame: Option<&Result<Frame<Bytes>, BoxError>>) {
    match frame {
        Some(Ok(frame)) => {
            if let Some(data) = frame.data_ref() {
                passed.push(data);
            }
        }
        Some(Err(error)) => passed.error = Some(Stop::of(error)),
        None => passed.ended = true,
    }
}
