//! Signals, quoting, and the variables that clients are given.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGINT, SIGTERM or SIGHUP.
pub(crate) async fn until_asked_to_end() {
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::hangup()) => {}
    }
}

/// What a client is given, and what must not win over it.
pub(crate) struct ClientEnv {
    pub(crate) set: Vec<(&'static str, String)>,
    pub(crate) unset: &'static [&'static str],
}

/// Variables that would win over a lane's.
const UNSET: &[&str] = &[
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
];

impl ClientEnv {
    /// For a client of the proxy at `url` that signs with a lane's key.
    pub(crate) fn new(url: &str, key_id: &str, secret: &str, region: Option<&str>) -> Self {
        let mut set = vec![
            ("AWS_ENDPOINT_URL", url.to_owned()),
            ("AWS_ACCESS_KEY_ID", key_id.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
        ];
        if let Some(region) = region {
            set.push(("AWS_REGION", region.to_owned()));
            set.push(("AWS_DEFAULT_REGION", region.to_owned()));
        }
        Self { set, unset: UNSET }
    }
}

/// A word for a POSIX shell; fish reads it the same way but for backslashes.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
