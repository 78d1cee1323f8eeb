//! Puts the rooms together: masker, corridor, profiles, lanes. Every command with a proxy
//! starts one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use hyper_util::client::proxy::matcher::Matcher;

use super::options::Settings;
use super::sinks::Session;
use crate::aws;
use crate::config::File;
use crate::profile::{Env, LaneKeys, Lanes, Profiles, Sources, Watch, Wiring};
use crate::proxy::{Core, Options, Proxy, Recording, Sink};
use crate::secret::mask::{Masker, Options as MaskOptions};

/// A running proxy with everything that belongs to it.
pub(crate) struct Stage {
    pub(crate) proxy: Proxy,
    pub(crate) profiles: Arc<Profiles>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) masker: Arc<Masker>,
    pub(crate) session: Option<Session>,
    pub(crate) notes: Arc<Mutex<Vec<String>>>,
    pub(crate) options: Options,
    recording: Recording,
    _watch: Option<Watch>,
}

/// What a stage is made of.
pub(crate) struct Plan {
    pub(crate) options: Options,
    pub(crate) sources: Sources,
    pub(crate) lanes: LaneKeys,
    pub(crate) sinks: Vec<Box<dyn Sink>>,
    pub(crate) session: Option<PathBuf>,
    pub(crate) payloads: bool,
    pub(crate) proxies: Option<Arc<Matcher>>,
    pub(crate) notes: Vec<String>,
}

impl Plan {
    /// The operator's own profiles and environment, less what is ourselves.
    pub(crate) fn own(
        options: Options,
        settings: &Settings,
        sinks: Vec<Box<dyn Sink>>,
    ) -> Result<Self, String> {
        let mut notes = Vec::new();
        let own = Own::of(&options);
        let env = own.environment(&mut notes);
        let proxies = own.proxies(&mut notes);
        Ok(Self {
            sources: Sources::standard(env),
            lanes: lane_keys(settings)?,
            payloads: settings.file.mask.payloads,
            session: None,
            options,
            sinks,
            proxies,
            notes,
        })
    }
}

/// The install key's lanes; made the first time.
pub(crate) fn lane_keys(settings: &Settings) -> Result<LaneKeys, String> {
    let path = settings.paths.install_key();
    LaneKeys::load(&path).map_err(|error| format!("the install key {}: {error}", path.display()))
}

impl Stage {
    /// Starts everything and binds the listeners.
    pub(crate) async fn start(plan: Plan) -> Result<Self, String> {
        let Plan {
            mut options,
            mut sources,
            lanes,
            mut sinks,
            session,
            payloads,
            proxies,
            notes,
        } = plan;
        follow_endpoints(&mut sources.env, &options);
        let masker = Arc::new(Masker::new(
            salt()?,
            MaskOptions {
                payloads,
                decoded_limit: options.limits.decoded_body,
            },
        ));
        let session = match session {
            Some(path) => Some(Session::open(&path, options.limits.record_queue)?),
            None => None,
        };
        let after = session.as_ref().map_or(0, |session| session.0.last_id());
        if let Some(session) = &session {
            sinks.push(Box::new(session.clone()));
        }
        let clock = Arc::new(SystemTime::now);
        let own = Own::of(&options);
        let asked = options.profile.take();
        let core_options = options.clone();
        // The active profile is known only once the profiles are read, which need the core.
        let (core, recording) =
            Core::start(core_options, masker.clone(), clock, proxies, sinks, after)?;
        let wiring = wiring(&core, &masker, &options, own);
        let profiles = Arc::new(Profiles::load(sources, wiring));
        let lanes = Arc::new(Lanes::new(lanes, &profiles));
        let notes = Arc::new(Mutex::new(notes));
        let active = choose(asked, &profiles)?;
        options.profile.clone_from(&active);
        let proxy = Proxy::start(core, profiles.clone(), lanes.clone()).await?;
        proxy.use_profile(active);
        let watch = watch(&profiles, &lanes, &notes);
        Ok(Self {
            proxy,
            profiles,
            lanes,
            masker,
            session,
            notes,
            options,
            recording,
            _watch: Some(watch),
        })
    }

    /// The first general listener, as clients use it.
    pub(crate) fn url(&self) -> Option<String> {
        let general = self.proxy.listeners().find(|(_, bound)| bound.is_none());
        general.map(|(address, _)| format!("http://{address}"))
    }

    /// Stops listening, records what is under way and writes it out.
    pub(crate) async fn stop(self) -> Result<(), String> {
        let Self {
            proxy,
            mut recording,
            session,
            ..
        } = self;
        proxy.stop().await;
        let closing = tokio::task::spawn_blocking(move || {
            recording.close();
            match session {
                Some(session) => session
                    .0
                    .flush(Duration::from_secs(5))
                    .map_err(|error| error.to_string()),
                None => Ok(()),
            }
        });
        closing.await.map_err(|error| error.to_string())?
    }
}

/// Our own credential calls go where requests for the same service go.
fn follow_endpoints(env: &mut Env, options: &Options) {
    if let Some(endpoint) = &options.endpoints.general {
        env.set("AWS_ENDPOINT_URL", endpoint.to_string());
    }
    for (service, endpoint) in &options.endpoints.services {
        let id = aws::service(service).map_or(service.as_str(), |service| service.service_id);
        let name = id.to_ascii_uppercase().replace([' ', '-'], "_");
        env.set(format!("AWS_ENDPOINT_URL_{name}"), endpoint.to_string());
    }
}

fn salt() -> Result<[u8; 32], String> {
    let mut salt = [0; 32];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| "no randomness to be had".to_owned())?;
    Ok(salt)
}

fn choose(asked: Option<String>, profiles: &Profiles) -> Result<Option<String>, String> {
    let Some(name) = asked else {
        return Ok(profiles.default_name().map(|name| name.to_string()));
    };
    if profiles.get(&name).is_some() {
        return Ok(Some(name));
    }
    let known: Vec<String> = profiles
        .names()
        .iter()
        .map(|name| name.to_string())
        .collect();
    let known = if known.is_empty() {
        "there are none".to_owned()
    } else {
        format!("there are {}", known.join(", "))
    };
    Err(format!("there is no profile {name}; {known}"))
}

fn wiring(core: &Arc<Core>, masker: &Arc<Masker>, options: &Options, own: Own) -> Wiring {
    let masker = masker.clone();
    Wiring {
        http: core.http_client(),
        time: SharedTimeSource::new(SystemTimeSource::new()),
        sleep: SharedAsyncSleep::new(TokioSleep::new()),
        limit: Duration::from_millis(options.limits.credentials_ms),
        is_ours: Arc::new(move |url| own.is(url)),
        on_credentials: Arc::new(move |profile, credentials| {
            masker.learn_credentials(credentials, &format!("profile {profile}"));
        }),
    }
}

fn watch(profiles: &Arc<Profiles>, lanes: &Arc<Lanes>, notes: &Arc<Mutex<Vec<String>>>) -> Watch {
    let (lanes, notes) = (lanes.clone(), notes.clone());
    let cell: Arc<OnceLock<Arc<Profiles>>> = Arc::new(OnceLock::from(profiles.clone()));
    profiles.watch(move || {
        if let Some(profiles) = cell.get() {
            lanes.update(profiles);
            let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
            let count = profiles.names().len();
            notes.push(format!(
                "the profile files changed and were read again: {count} profiles"
            ));
        }
    })
}

/// What in our environment is ourselves.
#[derive(Clone)]
pub(crate) struct Own(Vec<std::net::SocketAddr>);

impl Own {
    pub(crate) fn of(options: &Options) -> Self {
        Self(
            options
                .listen
                .iter()
                .map(|listen| listen.address)
                .filter(|address| address.port() != 0)
                .collect(),
        )
    }

    /// Whether a URL leads back to one of our listeners.
    pub(crate) fn is(&self, url: &str) -> bool {
        let Ok(uri) = url.parse::<http::Uri>() else {
            return false;
        };
        let Some(host) = uri.host() else { return false };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri
            .port_u16()
            .unwrap_or(if uri.scheme_str() == Some("https") {
                443
            } else {
                80
            });
        let local = host.eq_ignore_ascii_case("localhost");
        self.0.iter().any(|address| {
            let same = host
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip == address.ip() || ip.is_loopback());
            address.port() == port && (local || same)
        })
    }

    /// The environment without what we ourselves told others to export.
    fn environment(&self, notes: &mut Vec<String>) -> Env {
        let ours = |name: &str, value: &str| {
            (name.starts_with("AWS_ENDPOINT_URL") && self.is(value))
                || (name == "AWS_ACCESS_KEY_ID" && value.starts_with(crate::profile::LANE_PREFIX))
        };
        let all: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        let mut hidden: Vec<String> = all
            .iter()
            .filter(|(name, value)| ours(name, value))
            .map(|(name, _)| name.clone())
            .collect();
        if hidden.iter().any(|name| name == "AWS_ACCESS_KEY_ID") {
            hidden.extend([
                "AWS_SECRET_ACCESS_KEY".to_owned(),
                "AWS_SESSION_TOKEN".to_owned(),
            ]);
        }
        for name in &hidden {
            if all.iter().any(|(known, _)| known == name) {
                notes.push(format!(
                    "{name} in this terminal leads to sigscope itself, and is ignored here"
                ));
            }
        }
        for (name, _) in &all {
            let overrides = name.starts_with("AWS_ENDPOINT_URL_")
                || name == "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
            if overrides && !hidden.contains(name) {
                notes.push(format!(
                    "{name} is set: clients that inherit it may not come here"
                ));
            }
        }
        Env::new(all.into_iter().filter(|(name, _)| !hidden.contains(name)))
    }

    /// The HTTP proxies of our environment, for calls to AWS.
    fn proxies(&self, notes: &mut Vec<String>) -> Option<Arc<Matcher>> {
        let mut read = |names: [&str; 2]| {
            let value = names
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
            if self.is(&value) {
                notes.push(format!(
                    "{} in this terminal leads to sigscope itself, and is ignored here",
                    names[0]
                ));
                return None;
            }
            Some(value)
        };
        let https = read(["HTTPS_PROXY", "https_proxy"]);
        let http = read(["HTTP_PROXY", "http_proxy"]);
        let all = read(["ALL_PROXY", "all_proxy"]);
        if https.is_none() && http.is_none() && all.is_none() {
            return None;
        }
        let no = std::env::var("NO_PROXY")
            .or_else(|_| std::env::var("no_proxy"))
            .unwrap_or_default();
        // The metadata services are never behind a proxy.
        let no = format!("{no},169.254.169.254,169.254.170.2,169.254.170.23,localhost,127.0.0.1");
        let mut builder = Matcher::builder().no(no);
        if let Some(all) = all {
            builder = builder.all(all);
        }
        if let Some(https) = https {
            builder = builder.https(https);
        }
        if let Some(http) = http {
            builder = builder.http(http);
        }
        Some(Arc::new(builder.build()))
    }
}

/// The theme and mouse of the screen, from option and file.
pub(crate) fn look(file: &File, theme: Option<String>) -> (Option<String>, bool) {
    (
        theme.or_else(|| file.theme.clone()),
        file.mouse.unwrap_or(true),
    )
}
