//! Why there are no credentials, and what to do about it.

use std::{error::Error, fmt, sync::Arc};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Longest text of someone else's that is passed on, in characters.
const QUOTED: usize = 300;

/// How a profile is doing, in the words of `profiles --format json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not asked yet.
    Unknown,
    /// Being asked.
    Resolving,
    /// Credentials are at hand.
    Ok,
    /// They end soon and no new ones could be had.
    Expiring,
    /// They have ended and no new ones could be had.
    Expired,
    /// A login by the operator is needed.
    NeedsLogin,
    /// A code from a device is needed.
    NeedsMfa,
    /// It cannot work as it is configured, or its source does not answer.
    Broken,
    /// Its source refuses.
    Denied,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Resolving => "resolving",
            Self::Ok => "ok",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::NeedsLogin => "needs-login",
            Self::NeedsMfa => "needs-mfa",
            Self::Broken => "broken",
            Self::Denied => "denied",
        })
    }
}

/// What kind of obstacle it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No such profile.
    NoProfile,
    /// A login by the operator is needed.
    NeedsLogin,
    /// A code from a device is needed.
    NeedsMfa,
    /// The configuration, or what a source answered, makes no sense.
    Broken,
    /// The source refuses.
    Denied,
    /// What the source gave has already ended.
    Expired,
    /// It took longer than `limits.credentials_ms`.
    Timeout,
    /// The source cannot be reached.
    Unreachable,
}

impl Failure {
    /// The status that a profile list shows for it.
    pub fn status(self) -> Status {
        match self {
            Self::NeedsLogin => Status::NeedsLogin,
            Self::NeedsMfa => Status::NeedsMfa,
            Self::Denied => Status::Denied,
            Self::Expired => Status::Expired,
            Self::NoProfile | Self::Broken | Self::Timeout | Self::Unreachable => Status::Broken,
        }
    }
}

/// Why a profile has no credentials. The text holds no secret and fits one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveError {
    /// The profile that was asked for.
    pub profile: Arc<str>,
    /// What kind of obstacle it is.
    pub failure: Failure,
    /// What happened, where it is configured (file and line), what to do next.
    pub message: String,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ResolveError {}

/// Why one hop failed.
#[derive(Debug)]
pub(crate) struct HopError {
    pub(crate) failure: Failure,
    pub(crate) message: String,
}

impl HopError {
    pub(crate) fn new(failure: Failure, message: impl Into<String>) -> Self {
        Self {
            failure,
            message: message.into(),
        }
    }

    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self::new(Failure::Broken, message)
    }

    /// From an SDK client's error; `asked` names the call.
    pub(crate) fn sdk<E>(asked: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(context) => {
                let meta = context.err().meta();
                let status = context.raw().status().as_u16();
                let code = meta.code().unwrap_or("an error without a code");
                let said = meta.message().map(quoted).unwrap_or_default();
                let failure = match (code, status) {
                    (_, 500..) => Failure::Unreachable,
                    ("ExpiredToken" | "ExpiredTokenException", _) => Failure::Expired,
                    _ => Failure::Denied,
                };
                Self::new(
                    failure,
                    format!("{asked} was answered with {code} (HTTP {status}): {said}"),
                )
            }
            SdkError::TimeoutError(_) => Self::new(
                Failure::Timeout,
                format!("{asked} was not answered in time"),
            ),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::new(
                Failure::Timeout,
                format!("{asked} was not answered in time"),
            ),
            SdkError::DispatchFailure(failure) => {
                let why = failure.as_connector_error().map_or_else(
                    || "the connection failed".to_owned(),
                    |error| deepest(error),
                );
                Self::new(Failure::Unreachable, format!("{asked} failed: {why}"))
            }
            other => Self::broken(format!("{asked} failed: {}", deepest(other))),
        }
    }

    /// Where the error's chain holds an SDK client's error, that one's meaning; else its
    /// deepest text.
    pub(crate) fn chain<E>(asked: &str, error: &(dyn Error + 'static)) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(sdk) = error.downcast_ref::<SdkError<E, HttpResponse>>() {
                return Self::sdk(asked, sdk);
            }
            next = error.source();
        }
        Self::broken(format!("{asked} failed: {}", deepest(error)))
    }
}

/// The last text of an error's chain, which says most and is shortest.
pub(crate) fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    quoted(&last.to_string())
}

/// Somebody else's text, fit to be shown: its first line, bounded, without control
/// characters, and without anything that looks like a key or a token. (AWS echoes the
/// canonical string, with the token in it, below the first line of a signature error.)
pub(crate) fn quoted(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut out = String::new();
    for word in line.split_inclusive(|c: char| !in_key(c)) {
        let key = word.trim_end_matches(|c: char| !in_key(c));
        if looks_secret(key) {
            out.push_str("[hidden]");
            out.push_str(&word[key.len()..]);
        } else {
            out.push_str(word);
        }
    }
    out.retain(|c| !c.is_control());
    match out.char_indices().nth(QUOTED) {
        Some((cut, _)) => format!("{}…", &out[..cut]),
        None => out,
    }
}

fn in_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-' | '%')
}

fn looks_secret(word: &str) -> bool {
    let has = |test: fn(&char) -> bool| word.chars().any(|c| test(&c));
    word.len() >= 36
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && (has(char::is_ascii_digit) || word.contains('+'))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_others_say_is_cut_and_cleaned() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let cases = [
            (
                "User: arn:aws:iam::123456789012:user/x is not authorized",
                None,
            ),
            ("first\nsecond", Some("first")),
            ("a\u{1b}[31mb", Some("a[31mb")),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted(text), expected.unwrap_or(text));
        }
        let said = quoted(&format!("export AWS_SECRET_ACCESS_KEY={secret};"));
        assert!(!said.contains("wJalr"), "{said}");
        let said = quoted(&format!("secret {secret}, key"));
        assert_eq!(said, "secret [hidden], key");
        assert_eq!(quoted(&"x ".repeat(1000)).chars().count(), 301);
    }
}
