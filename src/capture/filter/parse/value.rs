//! The values of typed terms. All ranges are inclusive and not empty; `None` is for what
//! does not parse.

use std::ops::RangeInclusive;

use crate::capture::filter::term::NumberKey;

type Span = RangeInclusive<u64>;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// `403`, `4xx`, `>=400`, `200..299`.
pub(super) fn status(text: &str) -> Option<Span> {
    let class = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"));
    if let Some(class) = class {
        let class: u64 = class.parse().ok().filter(|class| (1..=9).contains(class))?;
        return Some(class * 100..=class * 100 + 99);
    }
    compared(text, u64::MAX, &|text| exactly(digits(text)?))
}

/// A number with the unit of its key.
pub(super) fn number(key: NumberKey, text: &str) -> Option<Span> {
    compared(text, u64::MAX, &|text| {
        exactly(match key {
            NumberKey::Dur => duration(text)?,
            NumberKey::Size => size(text)?,
            NumberKey::Id => digits(text.strip_prefix('#').unwrap_or(text))?,
        })
    })
}

/// A time of day in milliseconds: `10:40` is that whole minute.
pub(super) fn time(text: &str) -> Option<Span> {
    // What `>` leaves out is the instant, not the minute: `>10:40` is from then on.
    if let Some(text) = text.strip_prefix('>').filter(|text| !text.starts_with('=')) {
        let after = clock(text)?.start() + 1;
        return span(after, DAY_MS - 1);
    }
    compared(text, DAY_MS - 1, &clock)
}

/// `one`, `a..b` and comparisons over values that are spans themselves.
fn compared(text: &str, max: u64, one: &dyn Fn(&str) -> Option<Span>) -> Option<Span> {
    if let Some((from, to)) = text.split_once("..") {
        return span(*one(from)?.start(), *one(to)?.end());
    }
    if let Some(text) = text.strip_prefix(">=") {
        return span(*one(text)?.start(), max);
    }
    if let Some(text) = text.strip_prefix("<=") {
        return span(0, *one(text)?.end());
    }
    if let Some(text) = text.strip_prefix('>') {
        return span(one(text)?.end().checked_add(1)?, max);
    }
    if let Some(text) = text.strip_prefix('<') {
        return span(0, one(text)?.start().checked_sub(1)?);
    }
    one(text.strip_prefix('=').unwrap_or(text))
}

fn span(from: u64, to: u64) -> Option<Span> {
    (from <= to).then_some(from..=to)
}

fn exactly(value: u64) -> Option<Span> {
    Some(value..=value)
}

/// Digits only: `parse` alone would take a sign.
fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

/// Microseconds; a bare number is milliseconds.
fn duration(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text);
    let scale = match unit.as_str() {
        "us" | "µs" => 1,
        "" | "ms" => 1_000,
        "s" => 1_000_000,
        "m" | "min" => 60_000_000,
        _ => return None,
    };
    scaled(number, scale)
}

/// Bytes; the prefixes are binary.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text);
    let scale = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    scaled(number, scale)
}

fn split_unit(text: &str) -> (&str, String) {
    let at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    (&text[..at], text[at..].to_lowercase())
}

/// `1.5` times the scale, without rounding surprises for whole numbers.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = digits(whole)?.checked_mul(scale)?;
    if fraction.is_empty() {
        return (!number.ends_with('.')).then_some(whole);
    }
    let places = 10u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = u128::from(digits(fraction)?) * u128::from(scale) / u128::from(places);
    whole.checked_add(u64::try_from(part).ok()?)
}

/// `10`, `10:40`, `10:40:30`, `10:40:30.250`: as long as its last part says.
fn clock(text: &str) -> Option<Span> {
    let (text, ms) = match text.split_once('.') {
        Some((text, ms)) if ms.len() == 3 && text.split(':').count() == 3 => {
            (text, Some(digits(ms)?))
        }
        Some(_) => return None,
        None => (text, None),
    };
    let mut start = ms.unwrap_or_default();
    let mut length = 0;
    let parts = [(3_600_000, 24), (60_000, 60), (1000, 60)];
    for (place, part) in text.split(':').enumerate() {
        let (unit, below) = *parts.get(place)?;
        start += digits(part).filter(|part| *part < below)? * unit;
        length = unit;
    }
    let length = if ms.is_some() { 1 } else { length };
    Some(start..=start + length - 1)
}
