//! Keeps every request head as it was on the wire: hyper gives neither order nor case.
//!
//! The tee sits under hyper on the (decrypted) socket and follows the framing of RFC 9112
//! with httparse, so that it knows where each head on a kept-alive connection begins.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most header lines that a head may have; hyper's own limit.
pub(crate) const MAX_HEADERS: usize = 100;

/// What the tee has seen of one connection.
#[derive(Default)]
pub(crate) struct Heads {
    complete: VecDeque<Vec<u8>>,
    partial: Vec<u8>,
    state: State,
    seen: u64,
}

#[derive(Default, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    Length(u64),
    Chunked(Chunk),
    /// The framing could not be followed; hyper refuses such a message too.
    Lost,
}

#[derive(Default, PartialEq, Eq)]
enum Chunk {
    #[default]
    Size,
    SizeLine(u64),
    Data(u64),
    /// After a chunk's data: its line end.
    DataEnd,
    /// In the trailer section; the bytes of the present line.
    Trailer(usize),
}

/// Heads shared between the socket's tee and the service.
#[derive(Clone, Default)]
pub(crate) struct SharedHeads(Arc<Mutex<Heads>>);

impl SharedHeads {
    fn lock(&self) -> MutexGuard<'_, Heads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The head of the request that hyper has just parsed.
    pub(crate) fn next(&self) -> Option<Vec<u8>> {
        self.lock().complete.pop_front()
    }

    /// Bytes that arrived and never became a head.
    pub(crate) fn partial(&self) -> Vec<u8> {
        let mut heads = self.lock();
        match heads.complete.pop_front() {
            Some(head) => head,
            None => std::mem::take(&mut heads.partial),
        }
    }

    /// Bytes read on this connection.
    pub(crate) fn seen(&self) -> u64 {
        self.lock().seen
    }
}

impl Heads {
    fn feed(&mut self, mut data: &[u8], limit: usize) {
        self.seen += data.len() as u64;
        while !data.is_empty() {
            let used = match &mut self.state {
                State::Lost => {
                    let room = limit.saturating_sub(self.partial.len()).min(data.len());
                    self.partial.extend_from_slice(&data[..room]);
                    return;
                }
                State::Head => self.feed_head(data, limit),
                State::Length(left) => {
                    let used = (*left).min(data.len() as u64);
                    *left -= used;
                    if *left == 0 {
                        self.state = State::Head;
                    }
                    used as usize
                }
                State::Chunked(chunk) => match chunk.feed(data) {
                    Ok((used, false)) => used,
                    Ok((used, true)) => {
                        self.state = State::Head;
                        used
                    }
                    Err(Malformed) => {
                        self.state = State::Lost;
                        return;
                    }
                },
            };
            data = &data[used..];
        }
    }

    fn feed_head(&mut self, data: &[u8], limit: usize) -> usize {
        if self.partial.is_empty() {
            return match parse(data) {
                Parsed::Complete(used, state) => {
                    self.complete.push_back(data[..used].to_vec());
                    self.state = state;
                    used
                }
                Parsed::Partial if data.len() <= limit => {
                    self.partial.extend_from_slice(data);
                    data.len()
                }
                Parsed::Partial | Parsed::Malformed => {
                    self.state = State::Lost;
                    0
                }
            };
        }
        let before = self.partial.len();
        self.partial.extend_from_slice(data);
        match parse(&self.partial) {
            Parsed::Complete(used, state) => {
                let mut head = std::mem::take(&mut self.partial);
                head.truncate(used);
                self.complete.push_back(head);
                self.state = state;
                used - before
            }
            Parsed::Partial if self.partial.len() <= limit => data.len(),
            Parsed::Partial | Parsed::Malformed => {
                self.state = State::Lost;
                data.len()
            }
        }
    }
}

enum Parsed {
    Complete(usize, State),
    Partial,
    Malformed,
}

fn parse(bytes: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(used)) => Parsed::Complete(used, framing(request.headers)),
        Ok(httparse::Status::Partial) => Parsed::Partial,
        Err(_) => Parsed::Malformed,
    }
}

/// RFC 9112 §6.3: the transfer coding wins over the length.
fn framing(headers: &[httparse::Header<'_>]) -> State {
    let mut length = 0;
    for header in headers {
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return State::Chunked(Chunk::Size);
        }
        if header.name.eq_ignore_ascii_case("content-length") {
            let text = std::str::from_utf8(header.value).unwrap_or_default();
            match text.trim().parse() {
                Ok(value) => length = value,
                Err(_) => return State::Lost,
            }
        }
    }
    if length == 0 {
        State::Head
    } else {
        State::Length(length)
    }
}

struct Malformed;

impl Chunk {
    /// Consumes from `data`; the flag says that the last chunk and its trailers are over.
    fn feed(&mut self, data: &[u8]) -> Result<(usize, bool), Malformed> {
        let mut used = 0;
        while let Some(&byte) = data.get(used) {
            match self {
                Self::Size => match (byte as char).to_digit(16) {
                    Some(digit) => *self = Self::SizeLine(u64::from(digit)),
                    None => return Err(Malformed),
                },
                Self::SizeLine(size) => match (byte as char).to_digit(16) {
                    Some(digit) if *size < 1 << 59 => *size = *size * 16 + u64::from(digit),
                    Some(_) => return Err(Malformed),
                    // An extension holds no line feed; the line's end alone matters.
                    None => match memchr::memchr(b'\n', &data[used..]) {
                        Some(at) => {
                            used += at;
                            *self = if *size == 0 {
                                Self::Trailer(0)
                            } else {
                                Self::Data(*size)
                            };
                        }
                        None => return Ok((data.len(), false)),
                    },
                },
                Self::Data(left) => {
                    let take = (*left).min((data.len() - used) as u64);
                    *left -= take;
                    used += take as usize;
                    if *left == 0 {
                        *self = Self::DataEnd;
                    }
                    continue;
                }
                Self::DataEnd => {
                    if byte == b'\n' {
                        *self = Self::Size;
                    }
                }
                Self::Trailer(line) => match byte {
                    b'\n' if *line == 0 => return Ok((used + 1, true)),
                    b'\n' => *line = 0,
                    b'\r' => {}
                    _ => *line += 1,
                },
            }
            used += 1;
        }
        Ok((used, false))
    }
}

/// A socket that remembers the request heads read from it.
pub(crate) struct Tee<S> {
    inner: S,
    heads: SharedHeads,
    limit: usize,
}

impl<S> Tee<S> {
    /// `limit`: the largest head that is kept, in bytes.
    pub(crate) fn new(inner: S, limit: usize) -> (Self, SharedHeads) {
        let heads = SharedHeads::default();
        (
            Self {
                inner,
                heads: heads.clone(),
                limit,
            },
            heads,
        )
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tee<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let read = &buffer.filled()[before..];
        if !read.is_empty() {
            self.heads.lock().feed(read, self.limit);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tee<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &[u8] = b"\r\nPUT /a HTTP/1.1\r\nHost: h\r\ncontent-Length: 5\r\n\r\nhello\
        POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
        1a;x=\"y\"\r\nGET / HTTP/1.1\r\n\r\n12345678\r\n0\r\nT: v\r\n\r\n\
        GET /c HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\n\r\n";

    fn heads(slices: &[&[u8]]) -> Vec<String> {
        let mut heads = Heads::default();
        for slice in slices {
            heads.feed(slice, 1024);
        }
        heads
            .complete
            .iter()
            .map(|head| String::from_utf8_lossy(head).into_owned())
            .collect()
    }

    #[test]
    fn heads_are_found_wherever_the_reads_end() {
        let whole = heads(&[WIRE]);
        assert_eq!(whole.len(), 3);
        assert!(whole[0].ends_with("content-Length: 5\r\n\r\n"));
        assert!(whole[2].contains("X-A: 1\r\nx-a: 2"));
        for at in 0..WIRE.len() {
            let (left, right) = WIRE.split_at(at);
            assert_eq!(heads(&[left, right]), whole, "cut at {at}");
        }
        let single: Vec<&[u8]> = WIRE.chunks(1).collect();
        assert_eq!(heads(&single), whole);
    }

    #[test]
    fn what_is_no_http_is_kept_for_the_record() {
        let mut heads = Heads::default();
        heads.feed(&[0x16, 3, 1, 2, 0], 1024);
        assert!(heads.complete.is_empty());
        assert_eq!(heads.partial, [0x16, 3, 1, 2, 0]);
    }
}
