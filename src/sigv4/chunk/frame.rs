use super::super::headers::trim;
use super::super::payload::is_sha256_hex;

/// The length of a signature in hex.
const SIGNATURE: usize = 64;

/// A chunk's header line, `hex(size);chunk-signature=…`, without its line end.
pub(super) struct ChunkHead {
    line: Vec<u8>,
    /// How much data follows, in bytes.
    pub(super) size: u64,
}

impl ChunkHead {
    pub(super) fn read(line: Vec<u8>) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(&line).map_err(|_| "the chunk header is not text")?;
        let (size, extension) = text
            .split_once(';')
            .ok_or("the chunk header carries no chunk-signature")?;
        let signature = extension
            .strip_prefix("chunk-signature=")
            .ok_or("the chunk header carries no chunk-signature")?;
        if !is_sha256_hex(signature) {
            return Err("chunk-signature is not 64 digits of lower-case hex");
        }
        let size = read_size(size)?;
        Ok(Self { line, size })
    }

    pub(super) fn signature(&self) -> &str {
        tail(&self.line)
    }

    /// The line with another signature and with its line end.
    pub(super) fn with_signature(mut self, signature: &str) -> Vec<u8> {
        replace_tail(&mut self.line, signature);
        self.line.extend_from_slice(b"\r\n");
        self.line
    }
}

fn read_size(text: &str) -> Result<u64, &'static str> {
    let is_hex = !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
        .ok_or("the chunk size is not a number in hex")
}

/// The lines between the last chunk and the end, as they come.
#[derive(Default)]
pub(super) struct Trailer {
    lines: Vec<Vec<u8>>,
    signature_at: Option<usize>,
    bytes: usize,
}

impl Trailer {
    /// The most that a trailer may hold, in bytes.
    const LONGEST: usize = 16 * 1024;

    pub(super) fn add(&mut self, line: Vec<u8>) -> Result<(), &'static str> {
        self.bytes += line.len();
        if self.bytes > Self::LONGEST {
            return Err("the trailer is longer than 16 KiB");
        }
        let (name, _) = split(&line).ok_or("the trailer has a line without a colon")?;
        if name.eq_ignore_ascii_case(b"x-amz-trailer-signature") {
            let is_signature = line
                .split_last_chunk::<SIGNATURE>()
                .and_then(|(_, tail)| std::str::from_utf8(tail).ok())
                .is_some_and(is_sha256_hex);
            if !is_signature || self.signature_at.is_some() {
                return Err("x-amz-trailer-signature is not 64 digits of lower-case hex, once");
            }
            self.signature_at = Some(self.lines.len());
        }
        self.lines.push(line);
        Ok(())
    }

    /// `name:value\n` for each line but the signature's, sorted by name.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let mut parts: Vec<(Vec<u8>, &[u8])> = self
            .lines
            .iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != self.signature_at)
            .filter_map(|(_, line)| split(line))
            .map(|(name, value)| (name.to_ascii_lowercase(), trim(value)))
            .collect();
        parts.sort();
        let mut out = Vec::with_capacity(self.bytes + parts.len() * 2);
        for (name, value) in parts {
            out.extend_from_slice(&name);
            out.push(b':');
            out.extend_from_slice(value);
            out.push(b'\n');
        }
        out
    }

    /// The client's signature; `None` where there is none.
    pub(super) fn signature(&self) -> Option<&str> {
        Some(tail(self.lines.get(self.signature_at?)?))
    }

    /// The lines as they came, with another signature, and the empty line that ends them.
    pub(super) fn with_signature(mut self, signature: &str) -> Vec<u8> {
        let line = self.signature_at.and_then(|at| self.lines.get_mut(at));
        if let Some(line) = line {
            replace_tail(line, signature);
        }
        let mut out = Vec::with_capacity(self.bytes + self.lines.len() * 2 + 2);
        for line in self.lines {
            out.extend_from_slice(&line);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b':', line).filter(|at| *at > 0)?;
    Some((trim(&line[..at]), &line[at + 1..]))
}

fn tail(line: &[u8]) -> &str {
    let start = line.len().saturating_sub(SIGNATURE);
    std::str::from_utf8(&line[start..]).unwrap_or_default()
}

fn replace_tail(line: &mut Vec<u8>, signature: &str) {
    line.truncate(line.len().saturating_sub(SIGNATURE));
    line.extend_from_slice(signature.as_bytes());
}
