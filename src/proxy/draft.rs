//! The record of one exchange while it walks the corridor: unmasked, owned by whichever
//! stage works on it, and handed to `record` when both bodies have ended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::body::Passed;
use super::buffer::Reservation;
use super::record::Recorder;
use crate::capture::exchange::{
    ClientSignature, Door, FaultKind, Finding, ReplyFrom, Route, Signing, Timing,
};
use crate::profile::Resolved;
use crate::secret::Credentials;

/// Everything the stages have written so far.
pub(crate) struct Draft {
    pub(crate) id: u64,
    pub(crate) started: SystemTime,
    pub(crate) clock: Instant,
    pub(crate) door: Door,
    pub(crate) replay_of: Option<u64>,
    pub(crate) client: Option<SocketAddr>,
    pub(crate) lane: Option<String>,
    pub(crate) client_key_id: Option<String>,
    pub(crate) client_signature: ClientSignature,
    pub(crate) client_credentials: Option<Arc<Credentials>>,
    /// `scheme://authority` that the client meant, for the absolute URL.
    pub(crate) origin: String,
    pub(crate) received_head: Vec<u8>,
    pub(crate) received_body: Passed,
    pub(crate) route: Option<Route>,
    pub(crate) identity: Option<Arc<Resolved>>,
    pub(crate) sent: Option<SentDraft>,
    pub(crate) reply: Option<ReplyDraft>,
    pub(crate) timing: Timing,
    pub(crate) fault: Option<FaultDraft>,
    pub(crate) findings: Vec<Finding>,
    /// Memory that its buffered body holds.
    pub(crate) reservation: Option<Reservation>,
}

/// What went upstream. The body is the received one unless it was rewritten on the way.
pub(crate) struct SentDraft {
    pub(crate) at: SystemTime,
    pub(crate) origin: String,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Option<Passed>,
    pub(crate) signing: Signing,
    pub(crate) credentials: Option<Arc<Credentials>>,
}

/// What the client got.
pub(crate) struct ReplyDraft {
    pub(crate) from: ReplyFrom,
    pub(crate) status: u16,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Passed,
    /// The host that answered and when its head came, for the skew.
    pub(crate) date: Option<(String, SystemTime)>,
}

/// What went wrong, not yet masked.
pub(crate) struct FaultDraft {
    pub(crate) stage: &'static str,
    pub(crate) kind: FaultKind,
    pub(crate) message: String,
}

impl Draft {
    pub(crate) fn new(id: u64, door: Door, started: SystemTime) -> Self {
        Self {
            id,
            started,
            clock: Instant::now(),
            door,
            replay_of: None,
            client: None,
            lane: None,
            client_key_id: None,
            client_signature: ClientSignature::None,
            client_credentials: None,
            origin: String::new(),
            received_head: Vec::new(),
            received_body: Passed::empty(),
            route: None,
            identity: None,
            sent: None,
            reply: None,
            timing: Timing::default(),
            fault: None,
            findings: Vec::new(),
            reservation: None,
        }
    }

    /// The first fault stands; later ones are its consequences.
    pub(crate) fn fail(
        &mut self,
        stage: &'static str,
        kind: FaultKind,
        message: impl Into<String>,
    ) {
        if self.fault.is_none() {
            self.fault = Some(FaultDraft {
                stage,
                kind,
                message: message.into(),
            });
        }
    }

    pub(crate) fn elapsed_us(&self) -> u64 {
        micros(self.clock)
    }

    /// Bytes that it holds, for the record queue's budget.
    pub(crate) fn size(&self) -> usize {
        let sent = self.sent.as_ref().map_or(0, |sent| {
            let canonical = sent
                .signing
                .canonical_request
                .as_ref()
                .map_or(0, String::len);
            sent.head.len() + canonical + sent.body.as_ref().map_or(0, Passed::held)
        });
        let reply = self
            .reply
            .as_ref()
            .map_or(0, |reply| reply.head.len() + reply.body.held());
        size_of::<Self>() + self.received_head.len() + self.received_body.held() + sent + reply
    }
}

pub(crate) fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// A draft that is recorded however its journey ends: when the future that owns it is
/// dropped, the client has gone away.
pub(crate) struct Journey {
    draft: Option<Box<Draft>>,
    recorder: Recorder,
}

impl Journey {
    pub(crate) fn new(draft: Draft, recorder: Recorder) -> Self {
        recorder.begin();
        Self {
            draft: Some(Box::new(draft)),
            recorder,
        }
    }

    /// Records the draft as it stands.
    pub(crate) fn end(mut self) {
        self.close();
    }

    fn close(&mut self) {
        if let Some(mut draft) = self.draft.take() {
            draft.timing.total = Some(draft.elapsed_us());
            self.recorder.record(draft);
        }
    }
}

impl std::ops::Deref for Journey {
    type Target = Draft;

    #[expect(
        clippy::expect_used,
        reason = "the draft is taken by close alone, which consumes self"
    )]
    fn deref(&self) -> &Draft {
        self.draft
            .as_ref()
            .expect("a journey under way owns its draft")
    }
}

impl std::ops::DerefMut for Journey {
    #[expect(
        clippy::expect_used,
        reason = "the draft is taken by close alone, which consumes self"
    )]
    fn deref_mut(&mut self) -> &mut Draft {
        self.draft
            .as_mut()
            .expect("a journey under way owns its draft")
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        if let Some(draft) = &mut self.draft {
            draft.fail(
                "front",
                FaultKind::ClientGone,
                "the connection ended before the exchange was over",
            );
        }
        self.close();
    }
}
