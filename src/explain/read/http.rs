//! Raw HTTP, read leniently: LF line ends, folded headers, no empty line at the end, any bytes
//! in the target.

use super::{Reply, Request};

/// A message's first line, headers and body.
struct Message<'a> {
    start: &'a [u8],
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Option<&'a [u8]>,
}

/// Reads a request.
pub(super) fn request(bytes: &[u8]) -> Result<Request, String> {
    let message = message(bytes);
    let bad = || {
        "the input is no request: it begins neither with a method, nor with curl, nor with { or ["
            .to_owned()
    };
    let at = memchr::memchr(b' ', message.start).ok_or_else(bad)?;
    let (method, rest) = message.start.split_at(at);
    let method = std::str::from_utf8(method).map_err(|_| bad())?;
    if method.is_empty()
        || !method
            .bytes()
            .all(|b| b.is_ascii_alphabetic() || b == b'-' || b == b'_')
    {
        return Err(bad());
    }
    // The target may hold spaces; the version is what looks like one.
    let target = rest.trim_ascii();
    let target = match memchr::memrchr(b' ', target) {
        Some(at) if target[at + 1..].starts_with(b"HTTP/") => target[..at].trim_ascii_end(),
        _ => target,
    };
    let body = match message.body {
        Some(body) => cut(body, &message.headers),
        None => Vec::new(),
    };
    Ok(Request {
        method: method.to_owned(),
        target: target.to_vec(),
        headers: message.headers,
        body: Some(body),
    })
}

/// Reads a reply; a text that begins with no status line is a body alone, of status 400.
pub fn reply(bytes: &[u8]) -> Reply {
    if !bytes.starts_with(b"HTTP/") {
        return Reply {
            status: 400,
            headers: Vec::new(),
            body: bytes.to_vec(),
        };
    }
    let message = message(bytes);
    let start = String::from_utf8_lossy(message.start);
    let status = start
        .split_whitespace()
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Reply {
        status,
        body: message.body.unwrap_or_default().to_vec(),
        headers: message
            .headers
            .into_iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect(),
    }
}

fn message(bytes: &[u8]) -> Message<'_> {
    let mut rest = bytes;
    let start = line(&mut rest).unwrap_or_default();
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut body = None;
    while let Some(line) = line(&mut rest) {
        if line.is_empty() {
            body = Some(rest);
            break;
        }
        if matches!(line[0], b' ' | b'\t') {
            if let Some((_, value)) = headers.last_mut() {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
        } else if let Some(at) = line.iter().skip(1).position(|b| *b == b':') {
            // HTTP/2 names may begin with a colon.
            let (name, value) = line.split_at(at + 1);
            let name = if name.eq_ignore_ascii_case(b":authority") {
                &b"host"[..]
            } else {
                name
            };
            if name[0] != b':' {
                headers.push((
                    name.trim_ascii().to_vec(),
                    blank_trimmed(&value[1..]).to_vec(),
                ));
            }
        }
    }
    Message {
        start,
        headers,
        body,
    }
}

fn blank_trimmed(value: &[u8]) -> &[u8] {
    value.strip_prefix(b" ").unwrap_or(value)
}

fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    if rest.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', rest);
    let line = &rest[..end.unwrap_or(rest.len())];
    *rest = end.map_or(&[], |end| &rest[end + 1..]);
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// The body without what an editor put behind it, where its length is told.
fn cut(body: &[u8], headers: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let length = length.and_then(|(_, value)| {
        std::str::from_utf8(value)
            .ok()?
            .trim()
            .parse::<usize>()
            .ok()
    });
    match length {
        Some(length) if length < body.len() && body[length..].trim_ascii().is_empty() => {
            body[..length].to_vec()
        }
        None if matches!(body, b"\n" | b"\r\n") => Vec::new(),
        _ => body.to_vec(),
    }
}
