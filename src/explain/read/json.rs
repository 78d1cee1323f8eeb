//! JSON: one request, a list, HAR, exchanges, or one object a line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{BadLine, Entry, Input, RawHeader, Reply, Request, instant};

pub(super) fn input(text: &[u8]) -> Result<Input, String> {
    let whole: Result<Value, _> = serde_json::from_slice(text);
    match whole {
        Ok(value) => match har(&value) {
            Some(entries) => entries.map(Input::List),
            None if value.is_array() => {
                let all = value.as_array().into_iter().flatten();
                all.map(entry).collect::<Result<_, _>>().map(Input::List)
            }
            None => entry(&value).map(|entry| Input::One(Box::new(entry))),
        },
        Err(_) if text.contains(&b'\n') => Ok(lines(text)),
        Err(error) => Err(format!("the input is not JSON: {error}")),
    }
}

pub(super) fn lines(text: &[u8]) -> Input {
    let lines = text
        .split(|b| *b == b'\n')
        .filter(|line| !line.trim_ascii().is_empty());
    Input::Lines(
        lines
            .map(|line| {
                let value: Value = serde_json::from_slice(line).map_err(|error| BadLine {
                    id: None,
                    error: format!("not JSON: {error}"),
                })?;
                entry(&value).map_err(|error| BadLine {
                    id: value.get("id").cloned(),
                    error,
                })
            })
            .collect(),
    )
}

/// The entries of an HTTP Archive (<http://www.softwareishard.com/blog/har-12-spec/>).
fn har(value: &Value) -> Option<Result<Vec<Entry>, String>> {
    let entries = value.get("log")?.get("entries")?.as_array()?;
    let read = |entry: &Value| {
        let request = entry
            .get("request")
            .ok_or("an entry of the HAR has no request")?;
        let body = request
            .get("postData")
            .and_then(|data| data.get("text"))
            .and_then(Value::as_str);
        let encoded = request
            .get("postData")
            .and_then(|data| data.get("encoding"))
            .and_then(Value::as_str);
        let body = match (body, encoded) {
            (Some(text), Some("base64")) => {
                STANDARD.decode(text).map_err(|error| error.to_string())?
            }
            (text, _) => text.unwrap_or_default().as_bytes().to_vec(),
        };
        let mut headers = headers(request.get("headers"))?;
        // HTTP/2 pseudo headers: the authority is the host.
        if let Some((name, _)) = headers.iter_mut().find(|(name, _)| name == b":authority") {
            *name = b"host".to_vec();
        }
        headers.retain(|(name, _)| !name.starts_with(b":"));
        Ok(Entry {
            id: None,
            request: Request::new(
                text(request, "method")?,
                text(request, "url")?.as_bytes(),
                headers,
                Some(body),
            ),
            received_at: entry
                .get("startedDateTime")
                .and_then(Value::as_str)
                .and_then(instant),
            reply: entry.get("response").and_then(har_reply),
        })
    };
    Some(entries.iter().map(read).collect())
}

fn har_reply(response: &Value) -> Option<Reply> {
    let content = response.get("content");
    let text = content
        .and_then(|content| content.get("text"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    Some(Reply {
        status: u16::try_from(response.get("status")?.as_u64()?).ok()?,
        headers: strings(headers(response.get("headers")).ok()?),
        body: text.as_bytes().to_vec(),
    })
}

fn entry(value: &Value) -> Result<Entry, String> {
    if let Some(received) = value
        .get("received")
        .filter(|received| received.is_object())
    {
        return exchange(value, received);
    }
    let body = match value.get("body_base64").and_then(Value::as_str) {
        Some(text) => STANDARD
            .decode(text)
            .map_err(|error| format!("body_base64: {error}"))?,
        None => value
            .get("body")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .as_bytes()
            .to_vec(),
    };
    let received_at = match value.get("received_at").and_then(Value::as_str) {
        Some(text) => Some(instant(text).ok_or("received_at is no instant of RFC 3339")?),
        None => None,
    };
    let url = text(value, "url")?;
    Ok(Entry {
        id: value.get("id").cloned(),
        request: Request::new(
            text(value, "method")?,
            url.as_bytes(),
            headers(value.get("headers"))?,
            Some(body),
        ),
        received_at,
        reply: value.get("reply").and_then(reply),
    })
}

/// An exchange, whose secrets are masked: what its signature was over can be computed, the
/// signature itself is gone.
fn exchange(value: &Value, received: &Value) -> Result<Entry, String> {
    let body = received.get("body").unwrap_or(&Value::Null);
    let size = body.get("size").and_then(Value::as_u64).unwrap_or(0);
    let whole = body.get("kept").and_then(Value::as_u64).unwrap_or(size) == size
        && body.get("masked").and_then(Value::as_u64).unwrap_or(0) == 0
        && body.get("rendered").is_none_or(Value::is_null);
    let bytes = match (
        body.get("text").and_then(Value::as_str),
        body.get("base64").and_then(Value::as_str),
    ) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(text)) => STANDARD.decode(text).map_err(|error| error.to_string())?,
        (None, None) => Vec::new(),
    };
    Ok(Entry {
        id: value.get("id").cloned(),
        request: Request {
            method: text(received, "method")?.to_owned(),
            target: text(received, "target")?.as_bytes().to_vec(),
            headers: headers(received.get("headers"))?,
            body: whole.then_some(bytes),
        },
        received_at: value
            .get("started_at")
            .and_then(Value::as_str)
            .and_then(instant),
        reply: value.get("reply").and_then(reply),
    })
}

fn reply(value: &Value) -> Option<Reply> {
    let body = value.get("body");
    let plain = body
        .and_then(Value::as_str)
        .or_else(|| body?.get("text")?.as_str());
    let coded = value.get("body_base64").and_then(Value::as_str);
    let body = match coded.map(|text| STANDARD.decode(text)) {
        Some(Ok(bytes)) => bytes,
        _ => plain.unwrap_or_default().as_bytes().to_vec(),
    };
    Some(Reply {
        status: u16::try_from(value.get("status")?.as_u64()?).ok()?,
        headers: strings(headers(value.get("headers")).ok()?),
        body,
    })
}

fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str, String> {
    value
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("{name} is missing or no text"))
}

/// `[[name, value]…]`, `[{"name", "value"}…]` or `{name: value}`.
fn headers(value: Option<&Value>) -> Result<Vec<RawHeader>, String> {
    let bad = || "headers are no list of name and value".to_owned();
    let pair = |name: Option<&Value>, value: Option<&Value>| {
        let text = |value: Option<&Value>| {
            value
                .and_then(Value::as_str)
                .map(|text| text.as_bytes().to_vec())
        };
        Ok((text(name).ok_or_else(bad)?, text(value).ok_or_else(bad)?))
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(all)) => all
            .iter()
            .map(|one| match one {
                Value::Array(_) => pair(one.get(0), one.get(1)),
                _ => pair(one.get("name"), one.get("value")),
            })
            .collect(),
        Some(Value::Object(all)) => all
            .iter()
            .map(|(name, value)| Ok((name.as_bytes().to_vec(), pair(Some(value), Some(value))?.1)))
            .collect(),
        Some(_) => Err(bad()),
    }
}

fn strings(headers: Vec<RawHeader>) -> Vec<(String, String)> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    headers
        .into_iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}
