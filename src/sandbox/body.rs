//! Bodies: memory that is counted, uploads that are hashed as they arrive, replies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::digest;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use md5::{Digest as _, Md5};

use super::chunked::{Decoder, Signing};
use super::errors::Fault;
use super::hash::{self, Checksum};
use super::reader::Head;
use super::server::ReplyBody;

/// Stored objects are kept in pieces of at most this size.
const PIECE: usize = 1024 * 1024;
/// How much of a refused upload is read so that the client sees the answer.
const MOST_DRAINED: usize = 64 * PIECE;

/// The memory for stored objects.
pub(super) struct Budget {
    used: AtomicUsize,
    most: usize,
}

impl Budget {
    pub(super) fn new(most: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            most,
        }
    }
}

/// A share of the budget, given back when dropped.
struct Charge {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Charge {
    fn grow(&mut self, bytes: usize) -> Result<(), Fault> {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before + bytes > self.budget.most {
            let message = "Your proposed upload exceeds the maximum allowed size";
            return Err(Fault::new(400, "EntityTooLarge", message)
                .with("MaxSizeAllowed", self.budget.most.to_string()));
        }
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A stored body.
pub(super) struct Blob {
    pieces: Vec<Bytes>,
    len: usize,
    _charge: Charge,
}

impl Blob {
    /// A blob of bytes that are there already.
    pub(super) fn of(bytes: &[u8], budget: &Arc<Budget>) -> Result<Self, Fault> {
        let mut sink = Sink::new(budget);
        sink.write(bytes)?;
        Ok(sink.into_blob())
    }

    /// Several blobs as one; the pieces are shared, the charge is not counted twice for long.
    pub(super) fn concat(parts: &[Arc<Self>], budget: &Arc<Budget>) -> Result<Self, Fault> {
        let mut charge = Charge {
            budget: Arc::clone(budget),
            bytes: 0,
        };
        let len = parts.iter().map(|part| part.len).sum();
        charge.grow(len)?;
        let pieces = parts.iter().flat_map(|part| part.pieces.clone()).collect();
        Ok(Self {
            pieces,
            len,
            _charge: charge,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The bytes from `start` up to and without `end`, as the pieces they lie in.
    pub(super) fn slice(&self, start: usize, end: usize) -> Vec<Bytes> {
        let mut out = Vec::new();
        let mut at = 0;
        for piece in &self.pieces {
            let from = start.clamp(at, at + piece.len()) - at;
            let to = end.clamp(at, at + piece.len()) - at;
            if from < to {
                out.push(piece.slice(from..to));
            }
            at += piece.len();
        }
        out
    }
}

/// Takes decoded bytes, hashes them and stores them.
pub(super) struct Sink {
    pieces: Vec<Bytes>,
    open: BytesMut,
    len: usize,
    charge: Charge,
    md5: Md5,
    checksum: Option<(String, Checksum)>,
}

impl Sink {
    fn new(budget: &Arc<Budget>) -> Self {
        Self {
            pieces: Vec::new(),
            open: BytesMut::new(),
            len: 0,
            charge: Charge {
                budget: Arc::clone(budget),
                bytes: 0,
            },
            md5: Md5::new(),
            checksum: None,
        }
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        self.charge.grow(bytes.len())?;
        self.md5.update(bytes);
        if let Some((_, checksum)) = &mut self.checksum {
            checksum.update(bytes);
        }
        self.len += bytes.len();
        while !bytes.is_empty() {
            let fits = bytes.len().min(PIECE - self.open.len());
            self.open.extend_from_slice(&bytes[..fits]);
            bytes = &bytes[fits..];
            if self.open.len() == PIECE {
                self.pieces.push(self.open.split().freeze());
            }
        }
        Ok(())
    }

    fn into_blob(mut self) -> Blob {
        if !self.open.is_empty() {
            self.pieces.push(self.open.freeze());
        }
        Blob {
            pieces: self.pieces,
            len: self.len,
            _charge: self.charge,
        }
    }
}

/// How an S3 body is to be read, from its head.
pub(super) struct Plan {
    /// The hex hash that the client declared.
    pub(super) declared: Option<String>,
    /// An `aws-chunked` envelope, with chunk signatures where there is a signer.
    pub(super) chunked: Option<Option<Signing>>,
    pub(super) content_md5: Option<String>,
    /// `x-amz-checksum-…`: the algorithm, and the value unless a trailer brings it.
    pub(super) checksum: Option<(String, Option<String>)>,
    pub(super) decoded_length: Option<usize>,
}

/// A whole upload.
pub(super) struct Received {
    pub(super) blob: Blob,
    pub(super) md5: Vec<u8>,
    /// Algorithm and base64 value.
    pub(super) checksum: Option<(String, String)>,
}

/// Reads an upload through, checks what the client declared about it, and stores it.
pub(super) async fn receive(
    mut incoming: Incoming,
    plan: Plan,
    budget: &Arc<Budget>,
) -> Result<Received, Fault> {
    let mut sink = Sink::new(budget);
    if let Some((name, _)) = &plan.checksum {
        let sum = Checksum::new(name).ok_or_else(|| {
            let message = "The algorithm type you specified in x-amz-checksum- header is invalid.";
            Fault::new(400, "InvalidRequest", message)
        })?;
        sink.checksum = Some((name.clone(), sum));
    }
    let mut sha256 = digest::Context::new(&digest::SHA256);
    let mut decoder = plan.chunked.map(Decoder::new);
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_gone| incomplete())?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        match &mut decoder {
            Some(decoder) => decoder.push(&data, &mut sink)?,
            None => {
                sha256.update(&data);
                sink.write(&data)?;
            }
        }
    }
    let trailer = match decoder {
        Some(decoder) => decoder.finish()?,
        None => None,
    };
    if let Some(declared) = plan.declared {
        let computed = hash::hex(sha256.finish().as_ref());
        if declared != computed {
            let message =
                "The provided 'x-amz-content-sha256' header does not match what was computed.";
            return Err(Fault::new(400, "XAmzContentSHA256Mismatch", message)
                .with("ClientComputedContentSHA256", declared)
                .with("S3ComputedContentSHA256", computed));
        }
    }
    if plan.decoded_length.is_some_and(|length| length != sink.len) {
        return Err(incomplete());
    }
    let md5 = sink.md5.clone().finalize().to_vec();
    check_md5(plan.content_md5, &md5)?;
    let declared = plan.checksum.and_then(|(name, value)| {
        let from_trailer = trailer
            .filter(|(trailer, _)| *trailer == name)
            .map(|(_, value)| value);
        Some((name, value.or(from_trailer)?))
    });
    let computed = sink.checksum.take().map(|(name, sum)| (name, sum.finish()));
    check_checksum(declared, computed.as_ref())?;
    Ok(Received {
        blob: sink.into_blob(),
        md5,
        checksum: computed,
    })
}

fn check_md5(declared: Option<String>, computed: &[u8]) -> Result<(), Fault> {
    match declared {
        Some(declared) if declared != hash::base64(computed) => {
            let message = "The Content-MD5 you specified did not match what we received.";
            Err(Fault::new(400, "BadDigest", message)
                .with("ExpectedDigest", declared)
                .with("CalculatedDigest", hash::base64(computed)))
        }
        _ => Ok(()),
    }
}

fn check_checksum(
    declared: Option<(String, String)>,
    computed: Option<&(String, String)>,
) -> Result<(), Fault> {
    match (declared, computed) {
        (Some((name, declared)), Some((_, computed))) if declared != *computed => {
            let name = name.to_ascii_uppercase();
            let message =
                format!("The {name} you specified did not match the calculated checksum.");
            Err(Fault::new(400, "BadDigest", message))
        }
        _ => Ok(()),
    }
}

pub(super) fn incomplete() -> Fault {
    let message =
        "You did not provide the number of bytes specified by the Content-Length HTTP header";
    Fault::new(400, "IncompleteBody", message)
}

/// The whole body of a call, at most `most` bytes.
pub(super) async fn collect(incoming: &mut Option<Incoming>, most: usize) -> Result<Bytes, Fault> {
    let mut whole = BytesMut::new();
    let Some(body) = incoming else {
        return Ok(Bytes::new());
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_gone| incomplete())?;
        if let Ok(data) = frame.into_data() {
            if whole.len() + data.len() > most {
                let message = "Request size exceeds limit";
                return Err(Fault::new(413, "RequestEntityTooLarge", message));
            }
            whole.extend_from_slice(&data);
        }
    }
    *incoming = None;
    Ok(whole.freeze())
}

/// Reads what is left of a body that was refused, so that the client, still writing, gets to
/// read the answer. One that waits for `100 Continue` has not sent it.
pub(super) async fn drain(head: &Head, incoming: Option<Incoming>) {
    let Some(mut body) = incoming else { return };
    if body.is_end_stream() || head.has_header("expect") {
        return;
    }
    let mut left = MOST_DRAINED;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(10), reading).await;
}

pub(super) fn full(bytes: Bytes) -> ReplyBody {
    Full::new(bytes).boxed_unsync()
}

/// A reply made of stored pieces.
pub(super) fn rope(pieces: Vec<Bytes>) -> ReplyBody {
    let frames = pieces.into_iter().map(|piece| Ok(Frame::data(piece)));
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}
