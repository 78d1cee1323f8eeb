//! Requests out of whatever is pasted: raw HTTP, a curl command, HAR, an exchange, JSON lines.

mod curl;
mod http;
mod json;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

pub use http::reply;

/// Name and value, raw.
pub type RawHeader = (Vec<u8>, Vec<u8>);

/// One request as it was on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// As sent.
    pub method: String,
    /// The raw target.
    pub target: Vec<u8>,
    /// In order, raw.
    pub headers: Vec<RawHeader>,
    /// `None` where it is not known.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// From a URL, whose bytes are the wire's: its authority is the host unless one is given.
    pub fn new(
        method: &str,
        url: &[u8],
        mut headers: Vec<RawHeader>,
        body: Option<Vec<u8>>,
    ) -> Self {
        let (authority, target) = split_url(url);
        let has_host = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(b"host"));
        if let (Some(authority), false) = (authority, has_host) {
            let name = String::from_utf8_lossy(authority).into_owned();
            let scheme = if url.starts_with(b"http:") {
                "http"
            } else {
                "https"
            };
            headers.insert(
                0,
                (
                    b"Host".to_vec(),
                    crate::sigv4::host_value(&name, scheme).into_bytes(),
                ),
            );
        }
        Self {
            method: method.to_owned(),
            target,
            headers,
            body,
        }
    }

    /// The `Host`, else the authority of an absolute target.
    pub fn host(&self) -> Option<String> {
        let header = self
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(b"host"));
        let value = header.map(|(_, value)| value.as_slice());
        let value = value.or_else(|| split_url(&self.target).0)?;
        Some(String::from_utf8_lossy(value).trim().to_owned())
    }
}

/// The authority and the target of a URL; what has no scheme is a target.
fn split_url(url: &[u8]) -> (Option<&[u8]>, Vec<u8>) {
    let rest = [&b"https://"[..], b"http://"].iter().find_map(|scheme| {
        let (head, rest) = url.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let Some(rest) = rest else {
        return (None, url.to_vec());
    };
    let end = rest
        .iter()
        .position(|b| matches!(b, b'/' | b'?'))
        .unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let slash: &[u8] = if target.starts_with(b"/") { b"" } else { b"/" };
    (Some(authority), [slash, target].concat())
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// Content coding removed.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// One thing to explain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Echoed back.
    pub id: Option<serde_json::Value>,
    /// The request.
    pub request: Request,
    /// When it arrived, where the input tells.
    pub received_at: Option<SystemTime>,
    /// What came back, where the input tells.
    pub reply: Option<Reply>,
}

/// What an input holds.
#[derive(Debug)]
pub enum Input {
    /// One request.
    One(Box<Entry>),
    /// Several of one document.
    List(Vec<Entry>),
    /// One a line; a line that cannot be read keeps its id and says why.
    Lines(Vec<Result<Entry, BadLine>>),
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct BadLine {
    /// Its id, where that could be read.
    pub id: Option<serde_json::Value>,
    /// What is wrong with it.
    pub error: String,
}

/// Reads an input by its look.
pub fn input(bytes: &[u8]) -> Result<Input, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = bytes.trim_ascii_start();
    match text.first() {
        None => Err("the input is empty".to_owned()),
        Some(b'{' | b'[') => json::input(text),
        Some(_) if curl::is_command(text) => {
            curl::command(text).map(|entry| Input::One(Box::new(entry)))
        }
        Some(_) => http::request(text).map(|request| {
            Input::One(Box::new(Entry {
                request,
                ..Entry::default()
            }))
        }),
    }
}

/// Reads JSON lines, whatever the first line looks like.
pub fn lines(bytes: &[u8]) -> Input {
    json::lines(bytes)
}

/// An instant: RFC 3339 or `YYYYMMDDTHHMMSSZ`.
pub fn instant(text: &str) -> Option<SystemTime> {
    crate::sigv4::AmzDate::parse(text)
        .or_else(|| text.parse::<jiff::Timestamp>().ok().map(SystemTime::from))
}
