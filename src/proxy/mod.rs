//! The corridor: every exchange walks it, each stage writes what it did on the record.
//!
//! ```text
//! front ─► buffer ─► route ─► judge ─► gate ─► identify ─► sign ─► forward
//!    └─────────┴────────┴────────┴───────┴────────┴─────────┴────────┴──► record
//! Received            Routed                   Identified  Signed
//! ```
//!
//! A stage consumes the type that the stage before it made, so that an unsigned request
//! cannot be sent nor an unrouted one signed. The record travels inside as a
//! `Journey`, which is recorded however the journey ends.

mod body;
mod buffer;
mod choose;
mod draft;
mod forward;
mod front;
mod gate;
mod head;
mod identify;
mod internal;
mod judge;
mod masked;
mod options;
mod received;
mod record;
mod reply;
mod route;
mod sign;
mod skew;
mod vended;
mod workers;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::SystemTime;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bytes::Bytes;
use http::Response;
use hyper_util::client::proxy::matcher::Matcher;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use options::{Endpoint, Endpoints, Listen, Options};
pub use record::Sink;
pub use skew::Skew;

use self::buffer::Budget;
use self::draft::{Draft, Journey};
use self::forward::Upstream;
use self::front::Listener;
use self::gate::is_local_ip;
use self::options::bare;
use self::received::{InBody, Received};
use self::record::Recorder;
use self::reply::{Refused, ReplyBody};
use self::route::Routed;
use self::workers::Workers;
use crate::aws;
use crate::capture::exchange::Door;
use crate::diagnose;
use crate::export;
use crate::profile::{Lanes, Profile, Profiles};
use crate::secret::Raw;
use crate::secret::mask::Masker;
use crate::sigv4::{ClientAuth, KeyCache};

/// Signing keys kept: one a day, region, service and key.
const KEYS: usize = 1024;

/// Tells the time; fixed in tests.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What exists before there are profiles: their own calls are recorded too.
pub struct Core {
    recorder: Recorder,
    upstream: Upstream,
    ids: AtomicU64,
    clock: Clock,
    skew: Arc<Skew>,
    hosts: Arc<RwLock<HashSet<String>>>,
    proxies: Option<Arc<Matcher>>,
    options: Options,
    masker: Arc<Masker>,
}

impl Core {
    /// Starts the record thread and sets up TLS.
    ///
    /// `proxies`: the HTTP proxies of our own environment, without those that are us. Numbers
    /// go on after `after`.
    pub fn start(
        options: Options,
        masker: Arc<Masker>,
        clock: Clock,
        proxies: Option<Arc<Matcher>>,
        sinks: Vec<Box<dyn Sink>>,
        after: u64,
    ) -> Result<(Arc<Self>, Recording), String> {
        let hosts: HashSet<String> = options
            .endpoints
            .all()
            .chain(
                options
                    .listen
                    .iter()
                    .filter_map(|listen| listen.bound.as_ref()),
            )
            .map(|endpoint| endpoint.host().to_ascii_lowercase())
            .collect();
        let hosts = Arc::new(RwLock::new(hosts));
        let configured = configured(&hosts);
        let upstream = Upstream::new(
            options.ca_bundle.as_ref(),
            proxies.clone(),
            configured,
            &options.limits,
        )?;
        let skew = Arc::new(Skew::default());
        let (recorder, thread) = record_thread(&options, &masker, &skew, sinks)
            .map_err(|error| format!("the record thread could not be started: {error}"))?;
        let core = Self {
            recorder: recorder.clone(),
            upstream,
            ids: AtomicU64::new(after),
            clock,
            skew,
            hosts,
            proxies,
            options,
            masker,
        };
        Ok((
            Arc::new(core),
            Recording {
                recorder,
                thread: Some(thread),
            },
        ))
    }

    /// The client that credential providers are given: its calls become exchanges.
    pub fn http_client(self: &Arc<Self>) -> SharedHttpClient {
        SharedHttpClient::new(internal::Recording(self.clone()))
    }

    /// Lets a configured endpoint's host be reached though it is on this machine.
    pub fn configure_host(&self, host: &str) {
        self.hosts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(host.to_ascii_lowercase());
    }

    fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn now(&self) -> SystemTime {
        (self.clock)()
    }
}

fn configured(hosts: &Arc<RwLock<HashSet<String>>>) -> forward::Configured {
    let hosts = hosts.clone();
    Arc::new(move |host: &str| {
        let hosts = hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.contains(host) || hosts.contains(host.to_ascii_lowercase().as_str())
    })
}

/// Keeps the record thread alive; ends it, with all that is queued, when closed.
pub struct Recording {
    recorder: Recorder,
    thread: Option<JoinHandle<()>>,
}

impl Recording {
    /// Records what is queued and stops.
    pub fn close(&mut self) {
        self.recorder.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.close();
    }
}

fn record_thread(
    options: &Options,
    masker: &Arc<Masker>,
    skew: &Arc<Skew>,
    sinks: Vec<Box<dyn Sink>>,
) -> io::Result<(Recorder, JoinHandle<()>)> {
    let searching = masker.clone();
    let masker = masker.clone();
    let skew = skew.clone();
    let sinks = Arc::new(Mutex::new(sinks));
    let flushed = sinks.clone();
    let mut history = diagnose::History::new();
    let process = move |draft: Box<Draft>| {
        skew.observe(&draft);
        let at = draft.sent.as_ref().map(|sent| sent.at);
        let (mut exchange, raw) = record::record(&masker, draft);
        diagnose::diagnose(&mut exchange, &raw, at, &masker, &mut history);
        let json: Arc<[u8]> = export::to_json(&exchange).into();
        let raw = Arc::new(raw);
        for sink in sinks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter_mut()
        {
            sink.exchange(&exchange, &json, &raw);
        }
    };
    let flush = move || {
        for sink in flushed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter_mut()
        {
            sink.flush();
        }
    };
    Recorder::start(options.limits.record_queue, searching, process, flush)
}

/// What the corridor's stages share.
pub(crate) struct Shared {
    core: Arc<Core>,
    profiles: Arc<Profiles>,
    lanes: Arc<Lanes>,
    keys: KeyCache,
    vended: vended::Vended,
    budget: Budget,
    workers: Workers,
    active: RwLock<Option<String>>,
    as_signed: AtomicBool,
    connections: AtomicUsize,
    own: RwLock<Vec<SocketAddr>>,
    by_bundle: Mutex<HashMap<PathBuf, Upstream>>,
}

impl std::ops::Deref for Shared {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

impl Shared {
    fn active_profile(&self) -> Option<String> {
        self.active
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn as_signed(&self) -> bool {
        self.as_signed.load(Ordering::Relaxed)
    }

    /// Whether an option or a profile names this host.
    fn configured(&self, host: &str) -> bool {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
        hosts.contains(bare(host)) || hosts.contains(&bare(host).to_ascii_lowercase())
    }

    fn is_own(&self, endpoint: &Endpoint) -> bool {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let host = endpoint.host();
        let local = host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_local_ip);
        own.iter().any(|address| {
            address.port() == endpoint.port() && (local || host.parse() == Ok(address.ip()))
        })
    }

    /// The endpoint that the profile names for a service.
    fn profile_endpoint(
        &self,
        profile: &Profile,
        service: Option<&str>,
        name: Option<&str>,
    ) -> Option<Endpoint> {
        let id = aws::service(service.or(name)?)
            .map_or_else(|| service.or(name), |found| Some(found.service_id));
        let url = profile
            .reach
            .endpoint(&id?.to_ascii_lowercase().replace([' ', '-'], "_"))?;
        let endpoint: Endpoint = url.parse().ok()?;
        if self.is_own(&endpoint) {
            return None;
        }
        self.configure_host(endpoint.host());
        Some(endpoint)
    }

    /// The client that trusts what the request's profile trusts.
    fn upstream_for(&self, routed: &Routed) -> Result<Upstream, String> {
        if self.options.ca_bundle.is_some() || !routed.upstream.is_tls() {
            return Ok(self.upstream.clone());
        }
        let profile = routed
            .chosen
            .profile()
            .and_then(|name| self.profiles.get(name));
        let Some(bundle) =
            profile.and_then(|profile| profile.reach.ca_bundle.clone().map(PathBuf::from))
        else {
            return Ok(self.upstream.clone());
        };
        let mut by_bundle = self
            .by_bundle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(upstream) = by_bundle.get(&bundle) {
            return Ok(upstream.clone());
        }
        let configured = configured(&self.hosts);
        let upstream = Upstream::new(
            Some(&bundle),
            self.proxies.clone(),
            configured,
            &self.options.limits,
        )?;
        by_bundle.insert(bundle, upstream.clone());
        Ok(upstream)
    }
}

/// Takes a request through all stages after the front; whatever happens, there is an answer.
pub(crate) async fn walk(shared: &Shared, received: Received) -> Response<ReplyBody> {
    match corridor(shared, received).await {
        Ok(response) => response,
        Err(refused) => refused.answer(),
    }
}

async fn corridor(shared: &Shared, received: Received) -> Result<Response<ReplyBody>, Refused> {
    let received = buffer::form(shared, received).await?;
    let routed = route::route(shared, received)?;
    let mut routed = buffer::undeclared(shared, routed).await?;
    judge::judge(shared, &mut routed);
    if let Err(refusal) = gate::check(shared, &routed) {
        return Err(routed.refuse(refusal));
    }
    let identified = identify::identify(shared, routed).await?;
    let signed = sign::sign(shared, identified)?;
    forward::forward(shared, signed).await
}

/// The running proxy.
pub struct Proxy {
    shared: Arc<Shared>,
    listeners: Vec<Arc<Listener>>,
    end: CancellationToken,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// A request to send again.
pub struct Again {
    /// The exchange that it repeats.
    pub replay_of: u64,
    /// The head as the client sent it, unmasked.
    pub head: Vec<u8>,
    /// The whole body.
    pub body: Bytes,
    /// `scheme://authority` that the client named.
    pub origin: String,
    /// As which profile; the active one by default.
    pub profile: Option<String>,
    /// In which region; the request's own by default.
    pub region: Option<String>,
    /// `scheme://authority` where it went before, to go there again.
    pub upstream: Option<Endpoint>,
    /// Whether the client named us, not AWS, as its endpoint.
    pub to_us: bool,
    /// Service and region that it was signed as, where its own signature is not at hand.
    pub signed_as: (Option<String>, Option<String>),
}

impl Proxy {
    /// Binds the listeners and serves until [`Proxy::stop`].
    pub async fn start(
        core: Arc<Core>,
        profiles: Arc<Profiles>,
        lanes: Arc<Lanes>,
    ) -> Result<Self, String> {
        let options = &core.options;
        let shared = Arc::new(Shared {
            keys: KeyCache::new(KEYS),
            vended: vended::Vended::new(options.limits.vended_sessions),
            workers: Workers::start()
                .map_err(|error| format!("the workers could not be started: {error}"))?,
            budget: Budget::new(options.limits.buffered_body, options.limits.buffered_total),
            active: RwLock::new(options.profile.clone()),
            as_signed: AtomicBool::new(options.as_signed),
            connections: AtomicUsize::new(0),
            own: RwLock::default(),
            by_bundle: Mutex::default(),
            profiles,
            lanes,
            core: core.clone(),
        });
        let mut proxy = Self {
            shared,
            listeners: Vec::new(),
            end: CancellationToken::new(),
            tasks: Vec::new(),
        };
        for listen in &options.listen {
            proxy.listen(listen).await?;
        }
        Ok(proxy)
    }

    async fn listen(&mut self, listen: &Listen) -> Result<(), String> {
        let address = listen.address;
        if !address.ip().is_loopback() && !self.shared.options.require_lane {
            return Err(format!(
                "{address} can be reached from other machines, and whoever reaches it signs with your credentials; \
                 listen on 127.0.0.1, or add --require-lane to serve none but lanes"
            ));
        }
        let socket = TcpListener::bind(address).await.map_err(|error| {
            format!("cannot listen on {address}: {error}; choose another with --listen, port 0 takes a free one")
        })?;
        let address = socket.local_addr().map_err(|error| error.to_string())?;
        self.shared
            .own
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(address);
        let listener = Arc::new(Listener {
            address,
            bound: listen.bound.clone(),
        });
        self.listeners.push(listener.clone());
        let serving = front::accept(self.shared.clone(), socket, listener, self.end.clone());
        self.tasks.push(tokio::spawn(serving));
        Ok(())
    }

    /// Where it listens, and to what each listener is bound.
    pub fn listeners(&self) -> impl Iterator<Item = (SocketAddr, Option<&Endpoint>)> {
        self.listeners
            .iter()
            .map(|listener| (listener.address, listener.bound.as_ref()))
    }

    /// The profile that signs for callers who name none.
    pub fn active_profile(&self) -> Option<String> {
        self.shared.active_profile()
    }

    /// Switches it; requests under way keep theirs.
    pub fn use_profile(&self, name: Option<String>) {
        *self
            .shared
            .active
            .write()
            .unwrap_or_else(PoisonError::into_inner) = name;
    }

    /// Whether clients' own signatures are forwarded.
    pub fn is_as_signed(&self) -> bool {
        self.shared.as_signed()
    }

    /// Forwards clients' own signatures, or signs again.
    pub fn set_as_signed(&self, on: bool) {
        self.shared.as_signed.store(on, Ordering::Relaxed);
    }

    /// Connections that are open, exchanges under way, and exchanges that could not be
    /// recorded.
    pub fn load(&self) -> (usize, usize, u64) {
        let recorder = &self.shared.recorder;
        (
            self.shared.connections.load(Ordering::Relaxed),
            recorder.in_flight(),
            recorder.not_recorded(),
        )
    }

    /// How far our clock is from those of the hosts that answered.
    pub fn skew(&self) -> &Skew {
        &self.shared.core.skew
    }

    /// Sends a request again through the same corridor, from route on; gives the number of
    /// the new exchange and ends when it is over.
    pub fn replay(&self, again: Again) -> (u64, impl Future<Output = ()> + Send + 'static) {
        let shared = self.shared.clone();
        let id = shared.next_id();
        (id, async move { replay(&shared, id, again).await })
    }

    /// Stops listening, and gives connections a moment to finish.
    pub async fn stop(self) {
        self.end.cancel();
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

async fn replay(shared: &Shared, id: u64, again: Again) {
    let mut draft = Draft::new(id, Door::Replay, shared.now());
    draft.replay_of = Some(again.replay_of);
    draft.origin = again.origin;
    draft.received_head = again.head;
    draft.received_body = body::Passed::whole(again.body.clone(), shared.options.limits.body_kept);
    let journey = Journey::new(draft, shared.recorder.clone());
    let Some((method, target, headers)) = read_head(&journey.received_head) else {
        let mut journey = journey;
        journey.fail(
            "front",
            crate::capture::exchange::FaultKind::ClientMalformed,
            "the recorded head cannot be read",
        );
        journey.end();
        return;
    };
    let host = journey
        .origin
        .split_once("://")
        .map_or("", |(_, host)| host)
        .to_owned();
    let listener = again.upstream.map(|bound| {
        Arc::new(Listener {
            address: ([127, 0, 0, 1], 0).into(),
            bound: Some(bound),
        })
    });
    let mut received = Received {
        journey,
        listener,
        method,
        target,
        host,
        headers,
        extensions: http::Extensions::new(),
        body: InBody::Full(again.body),
        auth: ClientAuth::None,
        asked_profile: None,
        asked_region: None,
        client_seed: None,
        to_us: again.to_us,
        replay: Some(again.signed_as),
    };
    received.read_claims();
    received.asked_profile = again.profile.or_else(|| shared.active_profile());
    received.asked_region = again.region.or(received.asked_region);
    let response = walk(shared, received).await;
    // The reply is for the record; nobody else reads it.
    let _ = http_body_util::BodyExt::collect(response.into_body()).await;
}

fn read_head(head: &[u8]) -> Option<(http::Method, String, http::HeaderMap)> {
    let head = head::Head::read(head);
    let (method, target, _) = head.request_line();
    let mut headers = http::HeaderMap::new();
    for (name, value) in &head.headers {
        let name = http::HeaderName::from_bytes(name).ok()?;
        headers.append(name, http::HeaderValue::from_bytes(value).ok()?);
    }
    let target = std::str::from_utf8(target).ok()?;
    let uri: http::Uri = target.parse().ok()?;
    let target = uri.path_and_query()?.as_str().to_owned();
    Some((http::Method::from_bytes(method).ok()?, target, headers))
}

/// Unmasked originals, by exchange.
pub type RawOf = dyn Fn(u64) -> Option<Arc<Raw>> + Send + Sync;
