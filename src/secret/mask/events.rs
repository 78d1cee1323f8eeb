//! Binary bodies as JSON text: CBOR and event streams.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ciborium::Value;

use super::json::escape;

/// CBOR as JSON: byte strings in base64, tags left out. `None` where it is not one whole item.
pub(super) fn cbor(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes;
    let value: Value = ciborium::from_reader(&mut rest).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(bytes.len() * 2);
    write_cbor(&value, &mut out);
    Some(out)
}

fn write_cbor(value: &Value, out: &mut String) {
    match value {
        Value::Integer(number) => out.push_str(&i128::from(*number).to_string()),
        Value::Float(number) => out.push_str(&serde_json::Value::from(*number).to_string()),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Text(text) => quoted(text, out),
        Value::Bytes(bytes) => quoted(&STANDARD.encode(bytes), out),
        Value::Tag(_, inner) => write_cbor(inner, out),
        Value::Array(items) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                out.push_str(if number == 0 { "" } else { "," });
                write_cbor(item, out);
            }
            out.push(']');
        }
        Value::Map(members) => {
            out.push('{');
            for (number, (name, item)) in members.iter().enumerate() {
                out.push_str(if number == 0 { "" } else { "," });
                match name {
                    Value::Text(name) => quoted(name, out),
                    other => {
                        let mut name = String::new();
                        write_cbor(other, &mut name);
                        quoted(&name, out);
                    }
                }
                out.push(':');
                write_cbor(item, out);
            }
            out.push('}');
        }
        _ => out.push_str("null"),
    }
}

/// An event stream (`application/vnd.amazon.eventstream`) as a JSON array of its messages.
/// `None` where the first message is none; what follows a cut or broken message is left out
/// and `true` returned with the text.
pub(super) fn event_stream(bytes: &[u8]) -> Option<(String, bool)> {
    let mut out = String::from("[");
    let cut = messages(bytes, &mut out, 0)?;
    out.push_str("\n]");
    Some((out, cut))
}

fn messages(bytes: &[u8], out: &mut String, depth: usize) -> Option<bool> {
    let mut rest = bytes;
    let mut number = 0;
    while !rest.is_empty() {
        let Some((message, next)) = split(rest) else {
            return (number > 0).then_some(true);
        };
        let before = out.len();
        out.push_str(if number == 0 { "\n" } else { ",\n" });
        if write_message(message, out, depth).is_none() {
            out.truncate(before);
            return (number > 0).then_some(true);
        }
        rest = next;
        number += 1;
    }
    Some(false)
}

/// Total length, header length and prelude checksum stand in front, a checksum behind.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let total = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    if total < 16 || total > bytes.len() {
        return None;
    }
    bytes.split_at_checked(total)
}

fn write_message(message: &[u8], out: &mut String, depth: usize) -> Option<()> {
    let length = u32::from_be_bytes(*message.get(4..)?.first_chunk()?) as usize;
    let body = message.get(12..message.len() - 4)?;
    let (mut headers, payload) = body.split_at_checked(length)?;
    let mut signed = false;
    out.push_str("{\"headers\":{");
    let mut first = true;
    while !headers.is_empty() {
        out.push_str(if first { "" } else { "," });
        first = false;
        let (length, rest) = headers.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let name = String::from_utf8_lossy(name);
        signed |= name == ":chunk-signature";
        quoted(&name, out);
        out.push(':');
        headers = write_header(&name, rest, out)?;
    }
    out.push_str("},\"payload\":");
    write_payload(payload, signed && depth == 0, out);
    out.push('}');
    Some(())
}

fn write_header<'b>(name: &str, bytes: &'b [u8], out: &mut String) -> Option<&'b [u8]> {
    let (kind, rest) = bytes.split_first()?;
    let width = match kind {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4 => 4,
        5 | 8 => 8,
        6 | 7 => usize::from(u16::from_be_bytes(*rest.first_chunk()?)),
        9 => 16,
        _ => return None,
    };
    let rest = if matches!(kind, 6 | 7) {
        rest.get(2..)?
    } else {
        rest
    };
    let (value, rest) = rest.split_at_checked(width)?;
    match kind {
        0 => out.push_str("true"),
        1 => out.push_str("false"),
        2..=5 | 8 => {
            let negative = value.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1 } else { 0 };
            let number = value
                .iter()
                .fold(start, |n: i128, byte| (n << 8) | i128::from(*byte));
            out.push_str(&number.to_string());
        }
        6 if name != ":chunk-signature" => quoted(&STANDARD.encode(value), out),
        7 => quoted(&String::from_utf8_lossy(value), out),
        _ => {
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            quoted(&hex, out);
        }
    }
    Some(rest)
}

/// JSON as it is, other text as a string, messages inside a signed one as an array, anything
/// else in base64.
fn write_payload(payload: &[u8], signed: bool, out: &mut String) {
    if signed && !payload.is_empty() {
        let before = out.len();
        out.push('[');
        if messages(payload, out, 1) == Some(false) {
            out.push(']');
            return;
        }
        out.truncate(before);
    }
    match std::str::from_utf8(payload) {
        Ok(text) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => {
            out.push_str(text);
        }
        Ok(text) => quoted(text, out),
        Err(_) => quoted(&STANDARD.encode(payload), out),
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    out.push_str(&escape(text));
    out.push('"');
}
