//! The four ways in which AWS writes an instant.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `20150830T123600Z`, as in `X-Amz-Date`.
pub(super) fn basic(time: SystemTime) -> String {
    written(time, "%Y%m%dT%H%M%SZ")
}

/// `2015-08-30T12:36:00Z`, as in XML and JSON answers.
pub(super) fn iso(time: SystemTime) -> String {
    written(time, "%Y-%m-%dT%H:%M:%SZ")
}

/// `2015-08-30T12:36:00.000Z`, as in S3's listings.
pub(super) fn iso_millis(time: SystemTime) -> String {
    written(time, "%Y-%m-%dT%H:%M:%S.000Z")
}

/// `Sun, 30 Aug 2015 12:36:00 GMT`, as in `Date` and `Last-Modified` (RFC 9110 §5.6.7).
pub(super) fn http(time: SystemTime) -> String {
    written(time, "%a, %d %b %Y %H:%M:%S GMT")
}

/// Seconds since 1970 as JSON services write them.
pub(super) fn epoch(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64().floor())
}

/// Reads `X-Amz-Date`.
pub(super) fn read_basic(text: &str) -> Option<SystemTime> {
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let instant = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(SystemTime::from(instant))
}

/// Reads `Date` in its RFC 1123 form, or a basic one.
pub(super) fn read_date(text: &str) -> Option<SystemTime> {
    read_basic(text).or_else(|| {
        let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
        Some(SystemTime::from(zoned.timestamp()))
    })
}

/// Reads `2015-08-30T12:36:00Z`.
pub(super) fn read_iso(text: &str) -> Option<SystemTime> {
    text.parse::<Timestamp>().ok().map(SystemTime::from)
}

/// How far `later` lies after `earlier`; zero if it does not.
pub(super) fn ahead(later: SystemTime, earlier: SystemTime) -> Duration {
    later.duration_since(earlier).unwrap_or_default()
}

fn written(time: SystemTime, format: &str) -> String {
    Timestamp::try_from(time)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime(format)
        .to_string()
}
