//! The socket, and the choice of the service.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::body::{self, Budget};
use super::dispatch::{Kind, buffered};
use super::errors::{Fault, Ids, Shape};
use super::keyring::Keyring;
use super::policy::{self, Ask, Policy, Reason};
use super::reader::Head;
use super::verify::Signed;
use super::world::{self, World};
use super::{metadata, s3, sqs, times};

/// The instant at which the sandbox believes to be.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

const MIB: usize = 1024 * 1024;
/// How many finished calls are remembered.
const MOST_CALLS: usize = 10_000;

/// How a sandbox is started.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 picks one.
    pub listen: SocketAddr,
    /// Against which signatures, sessions and `Date` are told.
    pub clock: Clock,
    /// Bytes of S3 objects, uploads under way included, that are kept in memory.
    pub storage: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock: Arc::new(SystemTime::now),
            storage: 512 * MIB,
        }
    }
}

/// One finished call, without anything secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSummary {
    /// The request's method.
    pub method: String,
    /// The path with its escapes, without the query.
    pub path: String,
    /// The signing name of the service that answered, `imds` or `container`.
    pub service: String,
    /// The region of the credential scope; empty for unsigned calls.
    pub region: String,
    /// The operation, or the empty string where it was not reached.
    pub operation: String,
    /// ARN of the caller, once his signature was right.
    pub caller: Option<String>,
    /// The reply's status.
    pub status: u16,
    /// The error code of a refusal.
    pub error: Option<String>,
    /// `x-amzn-RequestId` or `x-amz-request-id` of the reply.
    pub request_id: String,
}

/// A running sandbox. Dropping it closes its socket and its connections.
pub struct Sandbox {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

impl Sandbox {
    /// Starts listening.
    ///
    /// # Errors
    /// The address cannot be bound, or the built-in world does not parse.
    pub async fn start(options: Options) -> io::Result<Self> {
        let state = Arc::new(State::new(options.clock, options.storage)?);
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            accepting,
        })
    }

    /// Stops listening and closes every connection.
    pub async fn stop(mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }

    /// The finished calls, oldest first; the last 10,000.
    pub fn calls(&self) -> Vec<CallSummary> {
        lock(&self.state.calls).iter().cloned().collect()
    }

    /// `http://ADDRESS`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The accounts, keys, roles and resources that exist, as text for a person.
    pub fn credentials_help() -> String {
        world::help()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Everything that calls share.
pub(super) struct State {
    pub(super) world: World,
    pub(super) keyring: Keyring,
    pub(super) clock: Clock,
    pub(super) budget: Arc<Budget>,
    pub(super) objects: Mutex<s3::Store>,
    pub(super) secrets: Mutex<Vec<world::Secret>>,
    pub(super) tables: Mutex<Vec<world::Table>>,
    pub(super) queues: Mutex<sqs::Queues>,
    pub(super) metadata: metadata::Tokens,
    numbers: AtomicU64,
    calls: Mutex<VecDeque<CallSummary>>,
}

impl State {
    fn new(clock: Clock, storage: usize) -> io::Result<Self> {
        let world = World::load().map_err(io::Error::other)?;
        let budget = Arc::new(Budget::new(storage));
        Ok(Self {
            keyring: Keyring::new(&world),
            objects: Mutex::new(s3::Store::new(&world, &budget, clock())),
            secrets: Mutex::new(world.secrets.clone()),
            tables: Mutex::new(world.tables.clone()),
            queues: Mutex::new(sqs::Queues::new(&world)),
            metadata: metadata::Tokens::default(),
            numbers: AtomicU64::new(0),
            calls: Mutex::default(),
            clock,
            budget,
            world,
        })
    }

    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }
}

/// A lock whose poisoning does not matter: every change under it is complete or harmless.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) type ReplyBody = UnsyncBoxBody<Bytes, Infallible>;
pub(super) type Reply = Response<ReplyBody>;

/// A verified call of a service whose body was read whole.
pub(super) struct Call<'a> {
    pub(super) state: &'a State,
    pub(super) head: &'a Head,
    pub(super) body: &'a [u8],
    pub(super) signed: &'a Signed,
    pub(super) shape: Shape,
    pub(super) now: SystemTime,
    pub(super) ids: &'a Ids,
}

impl Call<'_> {
    /// Refuses unless the caller may do `action` on `resource` of account `owner`.
    pub(super) fn allow(
        &self,
        action: &str,
        resource: &str,
        owner: &str,
        resource_policy: Option<&Policy>,
    ) -> Result<(), Fault> {
        allow(
            Some(self.signed),
            self.shape,
            action,
            resource,
            owner,
            resource_policy,
        )
    }

    pub(super) fn account(&self) -> &str {
        &self.signed.principal.entity.account
    }

    pub(super) fn region(&self) -> &str {
        &self.signed.region
    }
}

/// The policies' answer in the words of the service; `None` is an unsigned caller.
pub(super) fn allow(
    signed: Option<&Signed>,
    shape: Shape,
    action: &str,
    resource: &str,
    owner: &str,
    resource_policy: Option<&Policy>,
) -> Result<(), Fault> {
    let region = signed.map_or("us-east-1", |signed| signed.region.as_str());
    let ask = Ask {
        action,
        resource,
        owner,
        resource_policy,
        context: &[("aws:RequestedRegion", region)],
    };
    let bounds = signed.map(|signed| signed.principal.bounds());
    policy::judge(bounds.as_ref(), &ask).map_err(|why| {
        let who = signed.map_or("anonymous", |signed| signed.principal.arn.as_str());
        // S3 tells only callers of the bucket's own account which policy it was.
        let stranger = bounds
            .as_ref()
            .is_some_and(|bounds| bounds.account != owner);
        let why = if stranger && shape == Shape::S3 {
            Reason::Untold
        } else {
            why
        };
        Fault::denied(shape, who, action, resource, &why)
    })
}

/// What the log keeps of a call while it runs.
#[derive(Default)]
pub(super) struct Note {
    pub(super) service: String,
    pub(super) region: String,
    pub(super) operation: String,
    pub(super) caller: Option<String>,
    error: Option<String>,
}

impl Note {
    pub(super) fn caller(&mut self, signed: &Signed) {
        self.caller = Some(signed.principal.arn.clone());
        self.region.clone_from(&signed.region);
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, Arc::clone(&state)));
            }
            // Out of descriptors: the connections that end make room.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(handle(&state, request).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn handle(state: &State, request: Request<Incoming>) -> Reply {
    let ids = Ids::of(state.numbers.fetch_add(1, Ordering::Relaxed));
    let (parts, incoming) = request.into_parts();
    let head = Head::new(parts);
    let mut note = Note::default();
    let kind = Kind::of(&head);
    let mut shape = kind.as_ref().map_or(Shape::S3, |kind| kind.shape(&head));
    let mut incoming = Some(incoming);
    let answered = match kind {
        Some(Kind::Metadata(name)) => {
            note.service = name.into();
            metadata::answer(state, &head, &mut note)
        }
        Some(Kind::S3) | None => {
            note.service = "s3".into();
            s3::answer(state, &head, &mut incoming, &ids, &mut note).await
        }
        Some(Kind::Buffered(expected)) => {
            buffered(
                state,
                &head,
                &mut incoming,
                &ids,
                &mut note,
                expected,
                &mut shape,
            )
            .await
        }
    };
    let mut reply = answered.unwrap_or_else(|fault| {
        note.error = Some(fault.code.clone());
        fault.answer(shape, &ids).map(body::full)
    });
    body::drain(&head, incoming).await;
    finish(state, &head, note, &ids, shape, &mut reply);
    reply
}

/// Puts the ids and the date on the reply and the call into the log.
fn finish(state: &State, head: &Head, note: Note, ids: &Ids, shape: Shape, reply: &mut Reply) {
    let status = reply.status().as_u16();
    let headers = reply.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("date", &times::http(state.now()));
    let metadata = matches!(note.service.as_str(), "imds" | "container");
    let request_id = match shape {
        _ if metadata => String::new(),
        Shape::S3 => {
            set("server", "AmazonS3");
            set("x-amz-request-id", &ids.short);
            set("x-amz-id-2", &ids.host);
            ids.short.clone()
        }
        _ => {
            set("x-amzn-requestid", &ids.long);
            ids.long.clone()
        }
    };
    let summary = CallSummary {
        method: head.method.clone(),
        path: head.path.clone(),
        service: note.service,
        region: note.region,
        operation: note.operation,
        caller: note.caller,
        status,
        error: note.error,
        request_id,
    };
    let mut calls = lock(&state.calls);
    if calls.len() == MOST_CALLS {
        calls.pop_front();
    }
    calls.push_back(summary);
}
