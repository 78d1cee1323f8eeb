//! The socket, and the choice of the service.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

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
use super::claim::Claim;
use super::errors::{Fault, Ids, Shape};
use super::keyring::Keyring;
use super::policy::{self, Ask, Policy, Reason};
use super::reader::{self, Head};
use super::verify::{Expect, Signed};
use super::world::{self, World};
use super::{bedrock, dynamo, gateway, hash, iam, metadata, s3, secrets, sqs, sts, times};

/// The instant at which the sandbox believes to be.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

const MIB: usize = 1024 * 1024;
/// How many finished calls are remembered.
const MOST_CALLS: usize = 10_000;
/// Largest body of a service other than S3.
const MOST_BODY: usize = 16 * MIB;

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
            Err(_) => tokio::task::yield_now().await,
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

/// What kind of service a head speaks to.
enum Kind {
    Metadata(&'static str),
    S3,
    /// Everything else; the name where the head alone tells it.
    Buffered(Option<&'static str>),
}

impl Kind {
    /// From the path, the host, the target and the scope; `None` leaves S3.
    fn of(head: &Head) -> Option<Self> {
        if let Some(name) = metadata::claims(head) {
            return Some(Self::Metadata(name));
        }
        let target = head.header("x-amz-target");
        let by_target = [
            ("secretsmanager.", "secretsmanager"),
            ("DynamoDB_", "dynamodb"),
            ("AmazonSQS.", "sqs"),
        ];
        if let Some((_, name)) = by_target
            .iter()
            .find(|(start, _)| target.starts_with(start))
        {
            return Some(Self::Buffered(Some(name)));
        }
        let host = head.header("host");
        if host.contains(".execute-api.") {
            return Some(Self::Buffered(Some("execute-api")));
        }
        if bedrock::claims(head) {
            return Some(Self::Buffered(Some("bedrock")));
        }
        if head.path.starts_with("/2013-04-01/") {
            return Some(Self::Buffered(Some("route53")));
        }
        let form = head
            .header("content-type")
            .starts_with("application/x-www-form-urlencoded");
        if head.path == "/" && (head.has_param("Action") || (form && head.method == "POST")) {
            return Some(Self::Buffered(None));
        }
        match Claim::glance(head)?.0.as_str() {
            "s3" => Some(Self::S3),
            "execute-api" => Some(Self::Buffered(Some("execute-api"))),
            _ if !target.is_empty() => Some(Self::Buffered(None)),
            // A bucket in the path, and no other service that could be meant.
            _ if head.path.len() > 1 => Some(Self::S3),
            _ => Some(Self::Buffered(None)),
        }
    }

    fn shape(&self, head: &Head) -> Shape {
        match self {
            Self::S3 | Self::Metadata(_) => Shape::S3,
            Self::Buffered(Some(name)) => shape_of(name),
            Self::Buffered(None) if head.has_header("x-amz-target") => Shape::Json(""),
            Self::Buffered(None) => Shape::Query(sts::NAMESPACE),
        }
    }
}

fn shape_of(service: &str) -> Shape {
    match service {
        "secretsmanager" => Shape::Json(""),
        "dynamodb" => Shape::Json("com.amazon.coral.service#"),
        "sqs" => Shape::QueryCompatible,
        "execute-api" | "bedrock" => Shape::Rest,
        "iam" => Shape::Query(iam::NAMESPACE),
        "route53" => Shape::Query(iam::ROUTE53),
        _ => Shape::Query(sts::NAMESPACE),
    }
}

/// A service that reads its body whole: finds out which, verifies, dispatches.
async fn buffered(
    state: &State,
    head: &Head,
    incoming: &mut Option<Incoming>,
    ids: &Ids,
    note: &mut Note,
    by_head: Option<&'static str>,
    shape: &mut Shape,
) -> Result<Reply, Fault> {
    let body = body::collect(incoming, MOST_BODY).await?;
    let form = reader::pairs(&body);
    let action = reader::lookup(&form, "Action").or_else(|| head.param("Action"));
    let service = match (by_head, &action) {
        (Some(name), _) => name,
        (None, Some(action)) => {
            let version = reader::lookup(&form, "Version").or_else(|| head.param("Version"));
            by_version(version.as_deref().unwrap_or_default(), action, shape)?
        }
        (None, None) => return Err(unknown(head)),
    };
    if action.is_none() || by_head.is_some() {
        *shape = shape_of(service);
    }
    note.service = service.into();
    if service == "sts" && action.as_deref() == Some("AssumeRoleWithWebIdentity") {
        note.operation = "AssumeRoleWithWebIdentity".into();
        return sts::web_identity(state, &form, ids).map(|reply| reply.map(body::full));
    }
    let signed = verified(state, head, &body, service, *shape)?;
    note.caller(&signed);
    let call = Call {
        state,
        head,
        body: &body,
        signed: &signed,
        shape: *shape,
        now: state.now(),
        ids,
    };
    let reply = match service {
        "sts" => sts::answer(&call, &form, note),
        "iam" => iam::answer(&call, &form, note),
        "route53" => iam::route53(&call, note),
        "secretsmanager" => secrets::answer(&call, note),
        "dynamodb" => dynamo::answer(&call, note),
        "sqs" => sqs::answer(&call, &form, note),
        "bedrock" => bedrock::answer(&call, note),
        _ => gateway::answer(&call, note),
    }?;
    Ok(reply.map(body::full))
}

/// The query services share one form; `Version` tells them apart.
fn by_version(version: &str, action: &str, shape: &mut Shape) -> Result<&'static str, Fault> {
    let (service, namespace) = match version {
        "2011-06-15" | "" => ("sts", sts::NAMESPACE),
        "2010-05-08" => ("iam", iam::NAMESPACE),
        "2012-11-05" => ("sqs", sqs::NAMESPACE),
        _ => {
            let message = format!("Could not find operation {action} for version {version}");
            return Err(Fault::new(400, "InvalidAction", message));
        }
    };
    *shape = Shape::Query(namespace);
    Ok(service)
}

fn unknown(head: &Head) -> Fault {
    if head.has_header("x-amz-target") {
        return Fault::new(400, "UnknownOperationException", "");
    }
    let message = "Missing Action";
    Fault::new(400, "MissingAction", message)
}

fn verified(
    state: &State,
    head: &Head,
    body: &[u8],
    service: &str,
    shape: Shape,
) -> Result<Signed, Fault> {
    let Some(claim) = Claim::read(head, shape)? else {
        return Err(Fault::refused(shape, super::errors::Refusal::Missing));
    };
    let global = matches!(service, "iam" | "route53")
        || (service == "sts" && head.header("host").starts_with("sts.amazonaws.com"));
    let only: &[String] = match service {
        _ if global => &state.world.regions[..1],
        "execute-api" => std::slice::from_ref(&state.world.gateway.region),
        _ => &state.world.regions,
    };
    let host_region = region_in(head.header("host"));
    let of_host: Vec<String> = host_region.into_iter().map(str::to_owned).collect();
    let expect = Expect {
        shape,
        service,
        regions: if of_host.is_empty() || global {
            only
        } else {
            &of_host
        },
        window_minutes: 5,
    };
    claim.check(
        head,
        &hash::hex(&hash::sha256(body)),
        &expect,
        &state.keyring,
        state.now(),
    )
}

/// The region that an AWS host name carries.
fn region_in(host: &str) -> Option<&str> {
    let name = host.split(':').next()?.strip_suffix(".amazonaws.com")?;
    name.split('.')
        .next_back()
        .filter(|label| label.split('-').count() >= 3)
}
