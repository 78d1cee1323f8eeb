//! How far our clock is from AWS's: passive, from the `Date` of each reply.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::draft::Draft;
use super::head::Head;

/// Most hosts that are remembered.
const HOSTS: usize = 64;

/// Offsets by host, in milliseconds: positive where the host's clock is ahead of ours.
#[derive(Default)]
pub struct Skew {
    by_host: Mutex<HashMap<String, (i64, SystemTime)>>,
}

impl Skew {
    /// Reads a reply's `Date` against the midpoint between sending and receiving. `Date` has
    /// whole seconds, so half a second is added. One look a second at each host is enough.
    pub(crate) fn observe(&self, draft: &Draft) {
        let (Some(sent), Some(reply)) = (&draft.sent, &draft.reply) else {
            return;
        };
        let Some((host, received_at)) = &reply.date else {
            return;
        };
        let mut by_host = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = by_host.get(host).is_some_and(|(_, at)| {
            received_at
                .duration_since(*at)
                .is_ok_and(|age| age < Duration::from_secs(1))
        });
        if recent || (by_host.len() >= HOSTS && !by_host.contains_key(host)) {
            return;
        }
        let head = Head::read(&reply.head);
        let Some(date) = head.text("date").and_then(http_date) else {
            return;
        };
        let took = received_at.duration_since(sent.at).unwrap_or_default();
        let ours = millis(sent.at) + i64::try_from(took.as_millis() / 2).unwrap_or(0);
        by_host.insert(host.clone(), (date + 500 - ours, *received_at));
    }

    /// The host whose clock is furthest from ours, and by how many milliseconds.
    pub fn worst(&self) -> Option<(String, i64)> {
        let by_host = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        by_host
            .iter()
            .map(|(host, (offset, _))| (host.clone(), *offset))
            .max_by_key(|(host, offset)| (offset.abs(), host.clone()))
    }
}

fn millis(time: SystemTime) -> i64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 9110 §5.6.7, as milliseconds since the epoch.
fn http_date(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|date| date.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777_000)
        );
        assert_eq!(http_date("tomorrow"), None);
    }
}
