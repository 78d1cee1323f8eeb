use std::cell::OnceCell;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use memchr::memchr2_iter;
use serde::Deserialize;

use super::term::{Flag, Needle, NumberKey, SignedAs, Term, TextKey};
use crate::capture::Row;
use crate::capture::exchange::{ClientSignature, Door, Header};

/// From here on an exchange is slow: as long as people notice that they wait.
const SLOW_US: u64 = 1_000_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// One exchange while a filter looks at it.
pub(super) struct Looked<'a> {
    row: &'a Row,
    json: &'a dyn Fn() -> Option<Arc<[u8]>>,
    marked: bool,
    zone: &'a TimeZone,
    record: OnceCell<Record>,
}

impl<'a> Looked<'a> {
    pub(super) fn new(
        row: &'a Row,
        json: &'a dyn Fn() -> Option<Arc<[u8]>>,
        marked: bool,
        zone: &'a TimeZone,
    ) -> Self {
        Self {
            row,
            json,
            marked,
            zone,
            record: OnceCell::new(),
        }
    }

    fn messages(&self) -> impl Iterator<Item = &Message> {
        let record = self.record.get_or_init(|| {
            let json = (self.json)();
            json.and_then(|json| serde_json::from_slice(&json).ok())
                .unwrap_or_default()
        });
        [&record.received, &record.sent, &record.reply]
            .into_iter()
            .flatten()
    }

    fn time_of_day(&self) -> Option<u64> {
        let instant = Timestamp::from_millisecond(self.row.started_at).ok()?;
        let offset = i64::from(self.zone.to_offset(instant).seconds()) * 1000;
        u64::try_from((self.row.started_at + offset).rem_euclid(DAY_MS)).ok()
    }
}

/// The parts of a record that terms read.
#[derive(Default, Deserialize)]
struct Record {
    received: Option<Message>,
    sent: Option<Message>,
    reply: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    headers: Vec<Header>,
    body: Text,
}

#[derive(Deserialize)]
struct Text {
    text: Option<String>,
}

impl Term {
    pub(super) fn matches(&self, looked: &Looked<'_>) -> bool {
        let row = looked.row;
        match self {
            Self::Word(word) => {
                contains(row.call(), word)
                    || contains(row.host(), word)
                    || contains(row.path(), word)
            }
            Self::Text(key, pattern) => key.matches(row, pattern),
            Self::Status(None) => row.status.is_none(),
            Self::Status(Some(range)) => row
                .status
                .is_some_and(|status| range.contains(&status.into())),
            Self::Number(key, range) => key.of(row).is_some_and(|number| range.contains(&number)),
            Self::Time(range) => looked
                .time_of_day()
                .is_some_and(|time| range.contains(&time)),
            Self::Signed(SignedAs::Verdict(verdict)) => row.signature == *verdict,
            Self::Signed(SignedAs::Lane) => {
                row.signature == ClientSignature::Valid && row.lane().is_some()
            }
            Self::Door(door) => row.door == *door,
            Self::Is(flag) => flag.holds(looked),
            Self::Body(needle) => {
                let mut texts = looked
                    .messages()
                    .filter_map(|message| message.body.text.as_deref());
                texts.any(|text| needle.is_in(text))
            }
            Self::Header { name, value } => {
                let mut headers = looked.messages().flat_map(|message| &message.headers);
                headers.any(|(found, text)| {
                    found.eq_ignore_ascii_case(name)
                        && value.as_deref().is_none_or(|value| contains(text, value))
                })
            }
        }
    }
}

impl TextKey {
    /// What the row has under this key; empty where it has nothing.
    pub(super) fn of(self, row: &Row) -> &str {
        match self {
            Self::Service => row.service().unwrap_or_default(),
            Self::Op => row.operation().unwrap_or_default(),
            Self::Method => row.method(),
            Self::Profile => row.profile().unwrap_or_default(),
            Self::Region => row.region().unwrap_or_default(),
            Self::Lane => row.lane().unwrap_or_default(),
            Self::Host => row.host(),
            Self::Path => row.path(),
            Self::Key => row.key_id().unwrap_or_default(),
            Self::Why => row.why().unwrap_or_default(),
        }
    }

    fn matches(self, row: &Row, pattern: &str) -> bool {
        let text = self.of(row);
        if text.is_empty() {
            return false;
        }
        if pattern.contains('*') {
            return glob(text, pattern);
        }
        if self.is_whole() {
            return text.eq_ignore_ascii_case(pattern);
        }
        contains(text, pattern) || (self == Self::Key && is_masked_form(text, pattern))
    }
}

impl NumberKey {
    fn of(self, row: &Row) -> Option<u64> {
        match self {
            Self::Dur => row.total_us,
            Self::Size => Some(row.request_size.max(row.reply_size)),
            Self::Id => Some(row.id),
        }
    }
}

impl Flag {
    fn holds(self, looked: &Looked<'_>) -> bool {
        let row = looked.row;
        match self {
            Self::Error => row.error,
            Self::Failed => row.failed,
            Self::Replayed => row.replay_of.is_some() || row.door == Door::Replay,
            Self::Internal => row.door == Door::Internal,
            Self::Marked => looked.marked,
            Self::Slow => row.total_us.is_some_and(|us| us >= SLOW_US),
            Self::Refused => row.refused,
            Self::Masked => row.masked,
            Self::Cut => row.cut,
        }
    }
}

impl Needle {
    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Part(part) => contains(text, part),
            Self::Matches(regex) => regex.is_match(text),
        }
    }
}

/// Whether `text` contains `part`, ASCII case aside.
pub(super) fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let Some(&first) = part.first() else {
        return true;
    };
    memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text).any(|at| {
        let end = at + part.len();
        text.get(at..end)
            .is_some_and(|found| found.eq_ignore_ascii_case(part))
    })
}

/// Whether all of `text` is the pattern, in which `*` stands for anything.
fn glob(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_ascii_lowercase(), pattern.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let last = parts.next_back().unwrap_or_default();
    let middle = text
        .strip_prefix(first)
        .and_then(|rest| rest.strip_suffix(last));
    let Some(mut rest) = middle else {
        return false;
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Whether `masked`, a key id without its middle, can be `whole`.
fn is_masked_form(masked: &str, whole: &str) -> bool {
    let whole = whole.to_ascii_uppercase();
    let ends = masked.split_once('…').or_else(|| masked.split_once("..."));
    ends.is_some_and(|(head, tail)| {
        whole.len() >= head.len() + tail.len() && whole.starts_with(head) && whole.ends_with(tail)
    })
}
