use std::ops::RangeInclusive;

use regex::Regex;

use crate::capture::exchange::{ClientSignature, Door};

/// The keys of typed terms with what they look at, for help and completion.
pub const KEYS: &[(&str, &str)] = &[
    ("service", "service, whole name: service:s3"),
    ("op", "operation: op:GetObject, op:Get*"),
    (
        "status",
        "HTTP status: status:403, 4xx, >=400, 200..299, none",
    ),
    (
        "is",
        "error, failed, replayed, internal, marked, slow, refused, masked, cut",
    ),
    (
        "signed",
        "the client's own signature: none, valid, invalid, unknown-key, lane",
    ),
    ("profile", "profile that signed: profile:dev"),
    ("region", "region in the scope: region:eu-*"),
    ("why", "cause, error code or fault: why:expired"),
    ("method", "HTTP method: method:POST"),
    ("host", "part of the host: host:amazonaws.com.cn"),
    ("path", "part of the path: path:/bucket/"),
    ("key", "key id: key:AKIA, or a whole one"),
    ("lane", "profile of the lane: lane:dev, lane:*"),
    (
        "door",
        "reverse, endpoint-url, bound, connect, replay, internal",
    ),
    ("dur", "duration: dur:>1s, dur:20ms..50ms"),
    ("size", "the larger body: size:>1M"),
    ("id", "number: id:128, id:>100, id:5..9"),
    ("time", "time of day: time:>10:40, time:10:40..10:45:30"),
    (
        "body",
        "in either body: body:text, body:\"two words\", body:/regex/",
    ),
    (
        "header",
        "in any message: header:name, header:name=part of value",
    ),
];

/// What is compared, one exchange at a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    /// Part of host, `service.operation` or path.
    Word(String),
    Text(TextKey, String),
    /// `None` in the place of a range: no reply.
    Status(Option<RangeInclusive<u64>>),
    Number(NumberKey, RangeInclusive<u64>),
    /// Milliseconds since midnight.
    Time(RangeInclusive<u64>),
    Signed(SignedAs),
    Door(Door),
    Is(Flag),
    Body(Needle),
    Header {
        name: String,
        value: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextKey {
    Service,
    Op,
    Method,
    Profile,
    Region,
    Lane,
    Host,
    Path,
    Key,
    Why,
}

impl TextKey {
    pub(super) const ALL: [Self; 10] = [
        Self::Service,
        Self::Op,
        Self::Method,
        Self::Profile,
        Self::Region,
        Self::Lane,
        Self::Host,
        Self::Path,
        Self::Key,
        Self::Why,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Op => "op",
            Self::Method => "method",
            Self::Profile => "profile",
            Self::Region => "region",
            Self::Lane => "lane",
            Self::Host => "host",
            Self::Path => "path",
            Self::Key => "key",
            Self::Why => "why",
        }
    }

    /// Names are compared whole: `service:s3` is not `s3control`.
    pub(super) fn is_whole(self) -> bool {
        !matches!(self, Self::Host | Self::Path | Self::Key | Self::Why)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberKey {
    /// Microseconds.
    Dur,
    /// Bytes.
    Size,
    Id,
}

impl NumberKey {
    pub(super) const ALL: [Self; 3] = [Self::Dur, Self::Size, Self::Id];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dur => "dur",
            Self::Size => "size",
            Self::Id => "id",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignedAs {
    Verdict(ClientSignature),
    /// Valid, with a lane's key.
    Lane,
}

impl SignedAs {
    pub(super) const ALL: [Self; 5] = [
        Self::Verdict(ClientSignature::None),
        Self::Verdict(ClientSignature::Valid),
        Self::Verdict(ClientSignature::Invalid),
        Self::Verdict(ClientSignature::UnknownKey),
        Self::Lane,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Verdict(verdict) => verdict.as_str(),
            Self::Lane => "lane",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    Error,
    Failed,
    Replayed,
    Internal,
    Marked,
    Slow,
    Refused,
    Masked,
    Cut,
}

impl Flag {
    pub(super) const ALL: [Self; 9] = [
        Self::Error,
        Self::Failed,
        Self::Replayed,
        Self::Internal,
        Self::Marked,
        Self::Slow,
        Self::Refused,
        Self::Masked,
        Self::Cut,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Failed => "failed",
            Self::Replayed => "replayed",
            Self::Internal => "internal",
            Self::Marked => "marked",
            Self::Slow => "slow",
            Self::Refused => "refused",
            Self::Masked => "masked",
            Self::Cut => "cut",
        }
    }
}

/// What `body:` looks for.
#[derive(Clone, Debug)]
pub(super) enum Needle {
    Part(String),
    Matches(Regex),
}

impl PartialEq for Needle {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Part(a), Self::Part(b)) => a == b,
            (Self::Matches(a), Self::Matches(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}
