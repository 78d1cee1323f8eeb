//! Content codings undone, within a bound.

use std::io::Read;

/// What a content coding unfolded to.
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    /// Its end is missing: the input was cut, or the bound reached.
    pub(super) cut: bool,
}

/// The codings named in a `Content-Encoding` header, outermost first, those that are none left
/// out.
pub(super) fn codings(header: &str) -> Vec<String> {
    let names = header
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase());
    let mut names: Vec<String> = names
        .filter(|name| !name.is_empty() && name != "identity" && name != "aws-chunked")
        .collect();
    names.reverse();
    names
}

/// Undoes one coding; `None` where it is not known or nothing came out.
pub(super) fn decode(coding: &str, bytes: &[u8], limit: usize) -> Option<Decoded> {
    let decoded = match coding {
        "gzip" | "x-gzip" => bounded(flate2::read::MultiGzDecoder::new(bytes), limit),
        "deflate" => {
            let zlib = bounded(flate2::read::ZlibDecoder::new(bytes), limit);
            if zlib.bytes.is_empty() {
                bounded(flate2::read::DeflateDecoder::new(bytes), limit)
            } else {
                zlib
            }
        }
        "br" => bounded(brotli::Decompressor::new(bytes, 4096), limit),
        "zstd" => {
            let mut decoder = zstd::stream::read::Decoder::new(bytes).ok()?;
            // RFC 9659: a window of at most 8 MiB.
            decoder.window_log_max(23).ok()?;
            bounded(decoder, limit)
        }
        _ => return None,
    };
    (!decoded.bytes.is_empty() || !decoded.cut).then_some(decoded)
}

fn bounded(reader: impl Read, limit: usize) -> Decoded {
    let mut reader = reader.take(limit as u64 + 1);
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    let mut cut = loop {
        match reader.read(&mut buffer) {
            Ok(0) => break false,
            Ok(read) => bytes.extend_from_slice(buffer.get(..read).unwrap_or_default()),
            Err(_) => break true,
        }
    };
    if bytes.len() > limit {
        bytes.truncate(limit);
        cut = true;
    }
    Decoded { bytes, cut }
}
