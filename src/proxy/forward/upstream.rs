//! The client that talks to AWS, and the names of what can go wrong with it.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::super::body::{Stalled, UpBody};
use super::super::workers;
use super::connector::{Configured, Connector, OpenError};
use super::tls;
use crate::capture::exchange::FaultKind;
use crate::config::Limits;

/// A client for upstreams, with its pool of idle connections.
#[derive(Clone)]
pub(crate) struct Upstream {
    /// One a thread: a connection stays where its request is.
    clients: Arc<[legacy::Client<Connector, UpBody>]>,
    reply_limit: Duration,
}

/// Why no reply's head came.
pub(crate) struct Failure {
    pub(crate) kind: FaultKind,
    pub(crate) message: String,
}

impl Upstream {
    /// `ca_bundle`: a PEM file of the only roots to trust, instead of the platform's.
    pub(crate) fn new(
        ca_bundle: Option<&PathBuf>,
        proxies: Option<Arc<Matcher>>,
        configured: Configured,
        limits: &Limits,
    ) -> Result<Self, String> {
        let tls = tls::client(ca_bundle)?;
        let connector = Connector::new(
            tls,
            proxies,
            configured,
            Duration::from_millis(limits.connect_ms),
        );
        let client = || {
            legacy::Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_secs(20))
                .pool_max_idle_per_host(limits.idle_upstream)
                .http1_preserve_header_case(true)
                .set_host(false)
                .build(connector.clone())
        };
        let clients = std::iter::repeat_with(client)
            .take(workers::clients())
            .collect();
        Ok(Self {
            clients,
            reply_limit: Duration::from_millis(limits.reply_ms),
        })
    }

    /// Sends a request and waits for the head of the reply. While `is_uploading`, the wait is
    /// for the client's body, which has a limit of its own.
    pub(crate) async fn send(
        &self,
        request: Request<UpBody>,
        is_uploading: impl Fn() -> bool,
    ) -> Result<Response<Incoming>, Failure> {
        let client = &self.clients[workers::index()];
        let mut sending = std::pin::pin!(client.request(request));
        loop {
            let uploading = is_uploading();
            match tokio::time::timeout(self.reply_limit, &mut sending).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => return Err(classify(&error)),
                Err(_) if uploading => {}
                Err(_) => return Err(self.too_late()),
            }
        }
    }

    fn too_late(&self) -> Failure {
        let seconds = self.reply_limit.as_secs_f64();
        Failure {
            kind: FaultKind::Timeout,
            message: format!("no reply within {seconds} s (limits.reply_ms)"),
        }
    }
}

/// Names what went wrong, from the whole chain of errors.
fn classify(error: &legacy::Error) -> Failure {
    let mut kind = if error.is_connect() {
        FaultKind::Refused
    } else {
        FaultKind::Reset
    };
    let mut words = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(found) = kind_of(cause) {
            kind = found;
        }
        let text = cause.to_string();
        if !words.iter().any(|word: &String| word.contains(&text)) {
            words.push(text);
        }
        next = inner(cause).or_else(|| cause.source());
    }
    // The outermost words only say "client error (Connect)".
    let message = if words.len() > 1 {
        words[1..].join(": ")
    } else {
        words.concat()
    };
    Failure { kind, message }
}

/// An `io::Error`'s `source` skips the error that it wraps.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(inner)
}

fn kind_of(error: &(dyn Error + 'static)) -> Option<FaultKind> {
    if let Some(open) = error.downcast_ref::<OpenError>() {
        return Some(match open {
            OpenError::Unresolved { .. } => FaultKind::Dns,
            OpenError::Local { .. } => FaultKind::NotAllowed,
            OpenError::Timeout(_) => FaultKind::Timeout,
        });
    }
    if error.is::<rustls::Error>() {
        return Some(FaultKind::Tls);
    }
    if error.is::<Stalled>() {
        return Some(FaultKind::Timeout);
    }
    if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
        return match hyper {
            hyper if hyper.is_parse() => Some(FaultKind::Malformed),
            hyper if hyper.is_user() || hyper.is_body_write_aborted() => {
                Some(FaultKind::ClientGone)
            }
            _ => None,
        };
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => Some(FaultKind::Refused),
        io::ErrorKind::TimedOut => Some(FaultKind::Timeout),
        _ => None,
    }
}

/// What a broken reply body means.
pub(crate) fn broken_reply(error: &(dyn Error + 'static)) -> FaultKind {
    let mut next = Some(error);
    while let Some(cause) = next {
        match kind_of(cause) {
            Some(kind @ (FaultKind::Timeout | FaultKind::Malformed | FaultKind::Tls)) => {
                return kind;
            }
            _ if is_bad_framing(cause) => return FaultKind::Malformed,
            _ => next = inner(cause).or_else(|| cause.source()),
        }
    }
    FaultKind::Reset
}

/// hyper's reader of chunks says so; errors of TLS come wrapped in the same kinds.
fn is_bad_framing(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
        ) && !error
            .get_ref()
            .is_some_and(|inner| inner.is::<rustls::Error>())
    })
}
