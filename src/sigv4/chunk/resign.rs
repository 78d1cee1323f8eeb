use aws_lc_rs::digest;
use bytes::{Buf, Bytes, BytesMut};

use super::super::key::{hex, same_signature};
use super::super::sha256_hex;
use super::frame::{ChunkHead, Trailer};
use super::{ChunkError, ChunkSeed};

/// The longest header or trailer line, in bytes.
const LONGEST_LINE: usize = 4 * 1024;

/// Slices shorter than this are copied together, so that a chunk that comes in crumbs does not
/// keep many buffers alive.
const SHORT: usize = 4 * 1024;

const LINE_END: Bytes = Bytes::from_static(b"\r\n");

/// What an upload turned out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChunkReport {
    /// Chunks with data; the empty last one does not count.
    pub chunks: u64,
    /// Bytes of data, which `x-amz-decoded-content-length` declares.
    pub decoded: u64,
    /// Whether the client's signatures were checked.
    pub verified: bool,
    /// The first of the client's signatures that was wrong.
    pub first_bad: Option<BadChunk>,
    /// Whether the body was complete.
    pub complete: bool,
}

/// A chunk whose signature was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadChunk {
    /// Counted from 1, the empty last chunk and then the trailer included.
    pub index: u64,
    /// Where its header begins in the encoded body.
    pub offset: u64,
    /// How much data it has; 0 for the last chunk and the trailer.
    pub size: u64,
    /// Whether it is the trailer.
    pub trailer: bool,
}

/// Takes a client's signed chunks in any slices and gives the same chunks with our signatures.
///
/// A signature stands before its data, so one chunk at a time is held. After an error it must
/// not be pushed to again; what it gave before belongs to whole chunks.
pub struct ChunkResigner {
    ours: ChunkSeed,
    theirs: Option<ChunkSeed>,
    expects_trailer: bool,
    limit: usize,
    state: State,
    line: Vec<u8>,
    /// Where the line that is being read begins.
    line_offset: u64,
    offset: u64,
    index: u64,
    report: ChunkReport,
}

enum State {
    Head,
    Data(Held),
    DataEnd { last: bool },
    Trailer(Trailer),
    End,
}

/// The chunk that waits for its signature.
struct Held {
    head: ChunkHead,
    offset: u64,
    missing: usize,
    hash: digest::Context,
    pieces: Vec<Bytes>,
    crumbs: BytesMut,
}

impl ChunkResigner {
    /// `ours` is the seed of the request that is sent, `theirs` that of the one that came, where
    /// its key is held. `limit` is the most data that a chunk may have, in bytes.
    pub fn new(
        ours: ChunkSeed,
        theirs: Option<ChunkSeed>,
        expects_trailer: bool,
        limit: usize,
    ) -> Self {
        let report = ChunkReport {
            verified: theirs.is_some(),
            ..ChunkReport::default()
        };
        Self {
            ours,
            theirs,
            expects_trailer,
            limit,
            state: State::Head,
            line: Vec::new(),
            line_offset: 0,
            offset: 0,
            index: 1,
            report,
        }
    }

    /// Takes the next slice of the body and returns what can be sent.
    pub fn push(&mut self, mut input: Bytes) -> Result<Vec<Bytes>, ChunkError> {
        let mut out = Vec::new();
        while !input.is_empty() {
            self.step(&mut input, &mut out)?;
        }
        Ok(out)
    }

    /// Says that the body has ended. A whole one has been given out by then; the error tells
    /// where another broke off.
    pub fn finish(&mut self) -> Result<(), ChunkError> {
        let after_last = matches!(self.state, State::DataEnd { last: true });
        // Some clients leave out the last line end, and what they sent has been passed on.
        if matches!(self.state, State::End) || (after_last && self.line.is_empty()) {
            self.report.complete = true;
            return Ok(());
        }
        Err(ChunkError::Truncated {
            chunk: self.index,
            offset: self.offset,
        })
    }

    /// What has been seen so far.
    pub fn report(&self) -> &ChunkReport {
        &self.report
    }

    fn step(&mut self, input: &mut Bytes, out: &mut Vec<Bytes>) -> Result<(), ChunkError> {
        match &mut self.state {
            State::Head => {
                if let Some(line) = self.take_line(input)? {
                    self.begin_chunk(line, out)?;
                }
            }
            State::Data(held) => {
                self.offset += held.take(input) as u64;
                if held.missing == 0 {
                    self.end_chunk(out);
                }
            }
            State::DataEnd { last } => {
                let last = *last;
                if let Some(line) = self.take_line(input)? {
                    self.end_data(&line, last, out)?;
                }
            }
            State::Trailer(_) => {
                if let Some(line) = self.take_line(input)? {
                    self.trailer_line(line, out)?;
                }
            }
            State::End => return Err(self.malformed(self.offset, "there is more after the end")),
        }
        Ok(())
    }

    /// A line without its line end, once it is whole.
    fn take_line(&mut self, input: &mut Bytes) -> Result<Option<Vec<u8>>, ChunkError> {
        if self.line.is_empty() {
            self.line_offset = self.offset;
        }
        let end = memchr::memchr(b'\n', input).map_or(input.len(), |at| at + 1);
        if self.line.len() + end > LONGEST_LINE {
            return Err(self.malformed(self.line_offset, "a line is longer than 4096 bytes"));
        }
        self.line.extend_from_slice(&input[..end]);
        self.offset += end as u64;
        input.advance(end);
        if self.line.last() != Some(&b'\n') {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        if !line.ends_with(b"\r\n") {
            return Err(self.malformed(self.line_offset, "a line does not end with CR LF"));
        }
        line.truncate(line.len() - 2);
        Ok(Some(line))
    }

    fn begin_chunk(&mut self, line: Vec<u8>, out: &mut Vec<Bytes>) -> Result<(), ChunkError> {
        let head = ChunkHead::read(line).map_err(|what| self.malformed(self.line_offset, what))?;
        let missing = usize::try_from(head.size)
            .ok()
            .filter(|size| *size <= self.limit);
        let Some(missing) = missing else {
            return Err(ChunkError::TooLarge {
                chunk: self.index,
                offset: self.line_offset,
                size: head.size,
                limit: self.limit,
            });
        };
        self.state = State::Data(Held {
            head,
            offset: self.line_offset,
            missing,
            hash: digest::Context::new(&digest::SHA256),
            pieces: Vec::new(),
            crumbs: BytesMut::new(),
        });
        if missing == 0 {
            self.end_chunk(out);
        }
        Ok(())
    }

    /// The data is whole: signs it and gives it out.
    fn end_chunk(&mut self, out: &mut Vec<Bytes>) {
        let State::Data(mut held) = std::mem::replace(&mut self.state, State::Head) else {
            return;
        };
        held.gather();
        let hash = hex(held.hash.finish().as_ref());
        let size = held.head.size;
        self.check(held.head.signature(), held.offset, size, false, |theirs| {
            theirs.chunk(&hash)
        });
        let signature = self.ours.chunk(&hash);
        out.push(held.head.with_signature(&signature).into());
        out.append(&mut held.pieces);
        self.ours.go_on_from(signature);
        self.report.decoded += size;
        if size > 0 {
            self.report.chunks += 1;
            self.state = State::DataEnd { last: false };
        } else if self.expects_trailer {
            self.index += 1;
            self.state = State::Trailer(Trailer::default());
        } else {
            self.state = State::DataEnd { last: true };
        }
    }

    fn end_data(
        &mut self,
        line: &[u8],
        last: bool,
        out: &mut Vec<Bytes>,
    ) -> Result<(), ChunkError> {
        if !line.is_empty() {
            let what = if last {
                "there is a trailer that x-amz-content-sha256 does not declare"
            } else {
                "the data is not followed by CR LF: it is longer than its chunk says"
            };
            return Err(self.malformed(self.line_offset, what));
        }
        out.push(LINE_END);
        if last {
            self.state = State::End;
            self.report.complete = true;
        } else {
            self.state = State::Head;
            self.index += 1;
        }
        Ok(())
    }

    fn trailer_line(&mut self, line: Vec<u8>, out: &mut Vec<Bytes>) -> Result<(), ChunkError> {
        let offset = self.line_offset;
        let State::Trailer(trailer) = &mut self.state else {
            return Ok(());
        };
        if !line.is_empty() {
            return trailer
                .add(line)
                .map_err(|what| self.malformed(offset, what));
        }
        let trailer = std::mem::take(trailer);
        let Some(theirs) = trailer.signature() else {
            return Err(self.malformed(offset, "the trailer has no x-amz-trailer-signature"));
        };
        let hash = sha256_hex(&trailer.canonical());
        self.check(theirs, offset, 0, true, |theirs| theirs.trailer(&hash));
        let signature = self.ours.trailer(&hash);
        out.push(trailer.with_signature(&signature).into());
        self.state = State::End;
        self.report.complete = true;
        Ok(())
    }

    /// Compares the client's signature with what it should be. The next one is judged by the
    /// one that was sent, so that one wrong chunk does not make all later ones wrong.
    fn check(
        &mut self,
        sent: &str,
        offset: u64,
        size: u64,
        trailer: bool,
        expected: impl FnOnce(&ChunkSeed) -> String,
    ) {
        let Some(theirs) = &mut self.theirs else {
            return;
        };
        let is_right = same_signature(&expected(theirs), sent);
        theirs.go_on_from(sent.to_owned());
        if !is_right && self.report.first_bad.is_none() {
            self.report.first_bad = Some(BadChunk {
                index: self.index,
                offset,
                size,
                trailer,
            });
        }
    }

    fn malformed(&self, offset: u64, what: &'static str) -> ChunkError {
        ChunkError::Malformed {
            chunk: self.index,
            offset,
            what,
        }
    }
}

impl Held {
    /// Takes what belongs to this chunk and returns how much that was.
    fn take(&mut self, input: &mut Bytes) -> usize {
        let piece = input.split_to(self.missing.min(input.len()));
        let length = piece.len();
        self.missing -= length;
        self.hash.update(&piece);
        if length < SHORT {
            self.crumbs.extend_from_slice(&piece);
        } else {
            self.gather();
            self.pieces.push(piece);
        }
        length
    }

    fn gather(&mut self) {
        if !self.crumbs.is_empty() {
            self.pieces.push(self.crumbs.split().freeze());
        }
    }
}
