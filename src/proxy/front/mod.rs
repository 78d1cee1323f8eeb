//! What exactly did the client send, over which door? Listeners, connections, and the first
//! look at each request.

mod admission;
mod tee;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::tee::{SharedHeads, Tee};
use super::draft::{Draft, Journey};
use super::options::Endpoint;
use super::received::{InBody, Received};
use super::reply::{Answer, Refused, shape};
use super::{Shared, walk};
use crate::capture::exchange::{Door, FaultKind};
use crate::sigv4::ClientAuth;

/// How long connections may finish what they began when the proxy ends.
const GRACE: Duration = Duration::from_millis(500);

/// A listening socket and what it is bound to.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    pub(crate) bound: Option<Endpoint>,
}

/// Accepts connections until the proxy ends.
pub(crate) async fn accept(
    shared: Arc<Shared>,
    socket: TcpListener,
    listener: Arc<Listener>,
    end: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(shared.options.limits.connections));
    let graceful = GracefulShutdown::new();
    let cut = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = end.cancelled() => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors: wait for some to be closed.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(slot) = slots.clone().acquire_owned().await else {
            break;
        };
        let shared = shared.clone();
        let listener = listener.clone();
        let watcher = graceful.watcher();
        let cut = cut.clone();
        let everyone = shared.clone();
        let job = move |stream| {
            tokio::spawn(async move {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let serving = serve(&shared, stream, peer, &listener, watcher);
                cut.run_until_cancelled(serving).await;
                shared.connections.fetch_sub(1, Ordering::Relaxed);
                drop(slot);
            });
        };
        let _ = everyone.workers.hand(stream, Box::new(job));
    }
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    // What has not ended by now ends here, and is recorded as such.
    cut.cancel();
    let all = u32::try_from(shared.options.limits.connections).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(GRACE, slots.acquire_many(all)).await;
}

async fn serve(
    shared: &Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    listener: &Arc<Listener>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let limits = &shared.options.limits;
    let _ = stream.set_nodelay(true);
    let (tee, heads) = Tee::new(stream, limits.head);
    let service = service_fn({
        let heads = heads.clone();
        move |request| {
            let head = heads.next();
            let shared = shared.clone();
            let listener = listener.clone();
            async move { answer(shared, listener, peer, head, request).await }
        }
    });
    let connection = http1::Builder::new()
        .preserve_header_case(true)
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .header_read_timeout(Duration::from_millis(limits.head_ms))
        .max_buf_size(limits.head.max(8192))
        .serve_connection(TokioIo::new(tee), service);
    let ended = watcher.watch(connection).await;
    if let Some(wrong) = wrong_hello(ended.err(), &heads) {
        record_wrong_hello(shared, peer, &heads, wrong);
    }
}

/// A connection that carried no request that could be read: what it was, and the fix.
fn wrong_hello(error: Option<hyper::Error>, heads: &SharedHeads) -> Option<(FaultKind, String)> {
    if heads.seen() == 0 {
        let text = "a connection without a request: a port probe, or a client that gave up";
        return Some((FaultKind::ClientGone, text.to_owned()));
    }
    let error = error?;
    if error.is_parse_too_large() {
        let text = "the request's head is larger than limits.head";
        return Some((FaultKind::TooLarge, text.to_owned()));
    }
    if error.is_timeout() {
        let text = "the request's head did not arrive within limits.head_ms";
        return Some((FaultKind::Timeout, text.to_owned()));
    }
    error.is_parse().then(|| {
        (
            FaultKind::ClientMalformed,
            format!("no HTTP/1.1 request: {error}"),
        )
    })
}

fn record_wrong_hello(
    shared: &Arc<Shared>,
    peer: SocketAddr,
    heads: &SharedHeads,
    (kind, mut message): (FaultKind, String),
) {
    let bytes = heads.partial();
    if bytes.is_empty() && kind == FaultKind::Timeout {
        return; // An idle kept-alive connection.
    }
    let mut draft = Draft::new(shared.next_id(), Door::Reverse, shared.now());
    draft.client = Some(peer);
    if bytes.starts_with(&[0x16, 3]) {
        message =
            "a TLS hello on the plain port: write http:// instead of https:// before this address"
                .to_owned();
    } else {
        draft.received_head = bytes;
    }
    let mut journey = Journey::new(draft, shared.recorder.clone());
    journey.fail("front", kind, message);
    journey.end();
}

async fn answer(
    shared: Arc<Shared>,
    listener: Arc<Listener>,
    peer: SocketAddr,
    head: Option<Vec<u8>>,
    request: Request<Incoming>,
) -> Answer {
    shared.recorder.admit().await;
    let mut draft = Draft::new(shared.next_id(), Door::Reverse, shared.now());
    draft.client = Some(peer);
    draft.received_head = head.unwrap_or_default();
    let journey = Journey::new(draft, shared.recorder.clone());
    let response = match receive(&shared, listener, journey, request) {
        Ok(received) => walk(&shared, received).await,
        Err(refused) => refused.answer(),
    };
    Ok(response)
}

/// Checks the request against what was on the wire and against the doors' rules.
fn receive(
    shared: &Shared,
    listener: Arc<Listener>,
    mut journey: Journey,
    request: Request<Incoming>,
) -> Result<Received, Refused> {
    let (parts, incoming) = request.into_parts();
    let refuse = |journey, refusal| Refused {
        journey,
        refusal: Box::new(refusal),
        shape: shape(None, |name| parts.headers.get(name)?.to_str().ok()),
    };
    let limit = shared.options.limits.head;
    if let Err(refusal) = admission::faithful(&journey.received_head, limit, &parts) {
        return Err(refuse(journey, refusal));
    }
    let entry = match admission::enter(shared, &listener, &parts) {
        Ok(entry) => entry,
        Err(refusal) => return Err(refuse(journey, refusal)),
    };
    journey.door = entry.door;
    journey.origin = format!("http://{}", entry.host);
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str())
        .to_owned();
    let limits = &shared.options.limits;
    let mut received = Received {
        journey,
        listener: Some(listener),
        method: parts.method,
        target,
        host: entry.host,
        headers: parts.headers,
        extensions: parts.extensions,
        body: InBody::incoming(incoming, Duration::from_millis(limits.client_idle_ms)),
        auth: ClientAuth::None,
        asked_profile: None,
        asked_region: None,
        client_seed: None,
        to_us: entry.door == Door::EndpointUrl,
        replay: None,
    };
    received.read_claims();
    if matches!(received.auth, ClientAuth::Both) {
        let refusal = admission::both_authentications();
        return Err(received.refuse(refusal));
    }
    if received.method == Method::CONNECT {
        return Err(received.refuse(admission::no_connect()));
    }
    Ok(received)
}
