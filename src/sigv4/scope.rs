use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// A credential scope: `20261122/us-west-2/sts/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// `yyyymmdd`, UTC; in a client's scope whatever it wrote there.
    pub date: String,
    /// The region signed for.
    pub region: String,
    /// The signing name.
    pub service: String,
}

impl Scope {
    /// The last part of every scope.
    pub const TERMINATOR: &'static str = "aws4_request";

    /// The scope of an instant.
    pub fn new(date: &AmzDate, region: &str, service: &str) -> Self {
        Self {
            date: date.day().to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        }
    }

    /// Reads `date/region/service/aws4_request`; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = text.split('/');
        let (Some(date), Some(region), Some(service), Some(end), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err("the credential scope does not have four parts");
        };
        if end != Self::TERMINATOR {
            return Err("the credential scope does not end with aws4_request");
        }
        Ok(Self {
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }

    /// Midnight UTC of the scope's day; `None` where its date is not a day.
    pub fn day(&self) -> Option<SystemTime> {
        parse_day(self.date.as_bytes())?.instant(0, 0, 0)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.date, &self.region, &self.service] {
            f.write_str(part)?;
            f.write_str("/")?;
        }
        f.write_str(Self::TERMINATOR)
    }
}

/// An instant as `X-Amz-Date` writes it: `20261122T101500Z`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AmzDate([u8; 16]);

impl AmzDate {
    /// The instant, cut to whole seconds; `None` outside the years 0 to 9999.
    pub fn new(time: SystemTime) -> Option<Self> {
        let timestamp = Timestamp::try_from(time).ok()?;
        let at: DateTime = Offset::UTC.to_datetime(timestamp);
        let year = u32::try_from(at.year()).ok()?;
        let mut text = *b"00000000T000000Z";
        digits(&mut text[0..4], year);
        digits(&mut text[4..6], at.month().unsigned_abs().into());
        digits(&mut text[6..8], at.day().unsigned_abs().into());
        digits(&mut text[9..11], at.hour().unsigned_abs().into());
        digits(&mut text[11..13], at.minute().unsigned_abs().into());
        digits(&mut text[13..15], at.second().unsigned_abs().into());
        Some(Self(text))
    }

    /// The instant that a text in exactly this form means.
    pub fn parse(text: &str) -> Option<SystemTime> {
        let text = text.as_bytes();
        if text.len() != 16 || text[8] != b'T' || text[15] != b'Z' {
            return None;
        }
        parse_day(&text[..8])?.instant(
            number(&text[9..11])?,
            number(&text[11..13])?,
            number(&text[13..15])?,
        )
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The first eight digits, which is the date of the credential scope.
    pub fn day(&self) -> &str {
        std::str::from_utf8(&self.0[..8]).unwrap_or_default()
    }
}

struct Day(i16, i8, i8);

impl Day {
    fn instant(&self, hour: i16, minute: i16, second: i16) -> Option<SystemTime> {
        let small = |n: i16| i8::try_from(n).ok();
        DateTime::new(
            self.0,
            self.1,
            self.2,
            small(hour)?,
            small(minute)?,
            small(second)?,
            0,
        )
        .ok()?
        .to_zoned(TimeZone::UTC)
        .ok()
        .map(|zoned| SystemTime::from(zoned.timestamp()))
    }
}

fn parse_day(text: &[u8]) -> Option<Day> {
    if text.len() != 8 {
        return None;
    }
    let small = |n: i16| i8::try_from(n).ok();
    Some(Day(
        number(&text[0..4])?,
        small(number(&text[4..6])?)?,
        small(number(&text[6..8])?)?,
    ))
}

fn number(text: &[u8]) -> Option<i16> {
    text.iter().try_fold(0_i16, |n, b| {
        b.is_ascii_digit().then(|| n * 10 + i16::from(b - b'0'))
    })
}

fn digits(out: &mut [u8], mut number: u32) {
    for place in out.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The instant of an HTTP `Date` header: RFC 9110 §5.6.7, or the form of `X-Amz-Date`.
pub(crate) fn parse_http_date(text: &str) -> Option<SystemTime> {
    if let Some(time) = AmzDate::parse(text) {
        return Some(time);
    }
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(SystemTime::from(zoned.timestamp()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_instant_is_written_and_read_back() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_440_938_160_999);
        let date = AmzDate::new(time).unwrap();
        assert_eq!(date.as_str(), "20150830T123600Z");
        assert_eq!(date.day(), "20150830");
        let whole = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        assert_eq!(AmzDate::parse("20150830T123600Z"), Some(whole));
        assert_eq!(
            parse_http_date("Sun, 30 Aug 2015 12:36:00 GMT"),
            Some(whole)
        );
    }

    #[test]
    fn what_is_not_an_instant_is_none() {
        for text in [
            "",
            "2015-08-30T12:36:00Z",
            "20150830T123600",
            "20151330T123600Z",
        ] {
            assert_eq!(AmzDate::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_scope_is_read_and_written() {
        let text = "20261122/us-west-2/sts/aws4_request";
        let scope = Scope::parse(text).unwrap();
        assert_eq!(scope.to_string(), text);
        assert!(scope.day().is_some());
        assert!(Scope::parse("20261122/us-west-2/sts").is_err());
        assert!(Scope::parse("20261122/us-west-2/sts/aws4").is_err());
        let odd = Scope::parse("2026-11-22/us-west-2/sts/aws4_request").unwrap();
        assert_eq!(odd.day(), None);
    }
}
