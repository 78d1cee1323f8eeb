use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use aws_smithy_async::{future::timeout::Timeout, rt::sleep::AsyncSleep as _};

use super::{
    cache::{Flight, Found, Slot, Takeoff, Turn},
    env::Env,
    error::{Failure, ResolveError, Status},
    plan::Plan,
    resolve::{self, Resolved},
    source::{FileError, Sources},
    table::{Origin, Profile, Table},
    watch::Stamp,
    wiring::Wiring,
};
use crate::secret::Credentials;

/// All profiles, with the credentials that are at hand. Cheap to clone; every clone is the
/// same.
#[derive(Clone)]
pub struct Profiles {
    inner: Arc<Inner>,
}

/// One line of a profile list.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The profile's name.
    pub name: Arc<str>,
    /// Where it is written.
    pub origin: Origin,
    /// As [`Profile::kind`].
    pub kind: &'static str,
    /// Its region.
    pub region: Option<String>,
    /// The key id that it signs with, where known. Not masked.
    pub access_key_id: Option<String>,
    /// Twelve digits, where known.
    pub account: Option<String>,
    /// When its credentials end, where they are at hand and do.
    pub expires_at: Option<SystemTime>,
    /// How it is doing.
    pub status: Status,
    /// Why it does not work, what to do about it.
    pub error: Option<String>,
}

pub(crate) struct Inner {
    sources: Sources,
    wiring: Wiring,
    live: RwLock<Live>,
    keys: RwLock<HashMap<String, Held>>,
    generation: AtomicU64,
    stamp: std::sync::Mutex<Stamp>,
}

/// What the files say, and what came of it.
struct Live {
    table: Table,
    slots: HashMap<Arc<str>, Arc<Slot>>,
}

/// Credentials, with the profile that they are of.
pub type Held = (Arc<str>, Arc<Credentials>);

impl Profiles {
    /// Reads all sources. No network; what is wrong is told by [`Profiles::errors`].
    pub fn load(sources: Sources, wiring: Wiring) -> Self {
        let stamp = Stamp::take(&sources);
        let table = Table::read(&sources, &*wiring.is_ours);
        let slots = new_slots(&table);
        let inner = Inner {
            sources,
            wiring,
            live: RwLock::new(Live { table, slots }),
            keys: RwLock::default(),
            generation: AtomicU64::new(0),
            stamp: std::sync::Mutex::new(stamp),
        };
        inner.learn_static();
        Self {
            inner: Arc::new(inner),
        }
    }

    /// A profile's credentials, from the cache where they are still good. One refresh serves
    /// all who wait; it starts in the background before the old ones end, and goes on when
    /// the one who asked is gone.
    ///
    /// # Errors
    /// Says why there are none, and what to do.
    pub async fn resolve(&self, name: &str) -> Result<Arc<Resolved>, ResolveError> {
        self.inner.resolve(name).await
    }

    /// The profile to use when none is named: `AWS_PROFILE` (which may not exist), keys in
    /// the environment, `default`, what a container's environment points to.
    pub fn default_name(&self) -> Option<Arc<str>> {
        self.inner.live().table.default.clone()
    }

    /// One profile as it is configured.
    pub fn get(&self, name: &str) -> Option<Arc<Profile>> {
        self.inner.live().table.get(name).cloned()
    }

    /// All names, in the order of the files.
    pub fn names(&self) -> Vec<Arc<str>> {
        let live = self.inner.live();
        let names = live.table.profiles.iter();
        names.map(|profile| Arc::clone(&profile.name)).collect()
    }

    /// All profiles as a list shows them.
    pub fn list(&self) -> Vec<Summary> {
        let now = self.inner.now();
        let live = self.inner.live();
        let profiles = live.table.profiles.iter();
        profiles
            .map(|profile| summary(profile, live.slots.get(&profile.name), now))
            .collect()
    }

    /// What is wrong in the files.
    pub fn errors(&self) -> Vec<FileError> {
        self.inner.live().table.errors.clone()
    }

    /// The profile and the credentials behind a key id: static keys of all profiles, and
    /// temporary ones that we have got and that have not ended. Sign with what is returned;
    /// the profile's own credentials may be those of a role that this key only assumes.
    pub fn credentials_of(&self, access_key_id: &str) -> Option<Held> {
        let keys = self
            .inner
            .keys
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        keys.get(access_key_id).cloned()
    }

    /// All credentials that are known, with their profile, for whoever hides them.
    pub fn secrets(&self) -> Vec<Held> {
        let keys = self
            .inner
            .keys
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        keys.values().cloned().collect()
    }

    /// Reads the files again if they have changed. Profiles that mean the same keep their
    /// credentials. Says whether anything was read.
    pub fn reload_if_changed(&self) -> bool {
        let stamp = Stamp::take(&self.inner.sources);
        {
            let mut known = self
                .inner
                .stamp
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if *known == stamp {
                return false;
            }
            *known = stamp;
        }
        self.inner.reload();
        true
    }

    /// How often the files have been read again.
    pub fn generation(&self) -> u64 {
        self.inner.generation.load(Ordering::Acquire)
    }

    /// Lets profiles that failed be asked again at once, as after a login.
    pub fn forget_failures(&self) {
        for slot in self.inner.live().slots.values() {
            slot.forget_failure();
        }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }
}

impl Inner {
    pub(crate) async fn resolve(
        self: &Arc<Self>,
        name: &str,
    ) -> Result<Arc<Resolved>, ResolveError> {
        let found = {
            let live = self.live();
            live.slots
                .get(name)
                .map(|slot| match slot.look(|| self.now()) {
                    Found::Fresh(resolved) => Ok(resolved),
                    Found::Ageing(_) | Found::Nothing => Err(Arc::clone(slot)),
                })
        };
        match found {
            Some(Ok(resolved)) => Ok(resolved),
            Some(Err(slot)) => self.refresh(name, slot).await,
            None => Err(self.no_profile(name)),
        }
    }

    async fn refresh(
        self: &Arc<Self>,
        name: &str,
        slot: Arc<Slot>,
    ) -> Result<Arc<Resolved>, ResolveError> {
        let Some(profile) = self.live().table.get(name).cloned() else {
            return Err(self.no_profile(name));
        };
        // Nothing to ask: what the files say is wrong, and that costs nothing to tell.
        if let Err(error) = &profile.plan {
            return Err(resolve::misconfigured(&profile, error));
        }
        let turn = slot.turn(self.now());
        let flight = match turn {
            Turn::Done(resolved) => return Ok(resolved),
            Turn::Wait(flight) => Ok(flight),
            Turn::Fly(takeoff) => Ok(self.fly(Arc::clone(&profile), takeoff)),
            Turn::Refused(error) => Err(error),
        };
        // Old ones that are still good are better than waiting, and than an error.
        if let Found::Ageing(resolved) = slot.look(|| self.now()) {
            return Ok(resolved);
        }
        let mut flight = flight?;
        let landed = flight.wait_for(Option::is_some).await;
        match landed.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => Err(resolve::failed(
                &profile,
                Failure::Broken,
                "getting credentials was cut off; try again",
            )),
        }
    }

    fn fly(self: &Arc<Self>, profile: Arc<Profile>, takeoff: Takeoff) -> Flight {
        let flight = takeoff.flight();
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            let limit = inner.wiring.limit;
            let walk = resolve::run(&inner, Arc::clone(&profile));
            let outcome = match Timeout::new(walk, inner.wiring.sleep.sleep(limit)).await {
                Ok(outcome) => outcome.map(Arc::new),
                Err(_) => Err(resolve::failed(
                    &profile,
                    Failure::Timeout,
                    too_slow(&profile, limit),
                )),
            };
            takeoff.land(outcome, inner.now());
        });
        flight
    }

    fn no_profile(&self, name: &str) -> ResolveError {
        let live = self.live();
        let known: Vec<_> = live
            .table
            .profiles
            .iter()
            .map(|p| &*p.name)
            .take(8)
            .collect();
        let known = match known.is_empty() {
            true => "there are none; `aws configure` makes one".to_owned(),
            false => format!("there are {}", known.join(", ")),
        };
        ResolveError {
            profile: Arc::from(name),
            failure: Failure::NoProfile,
            message: format!("there is no profile {name}: {known}"),
        }
    }

    pub(crate) fn reload(&self) {
        let table = Table::read(&self.sources, &*self.wiring.is_ours);
        let mut slots = new_slots(&table);
        {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            for (name, slot) in &mut slots {
                if let (Some(old), Some(new)) = (live.table.get(name), table.get(name))
                    && let (Ok(before), Ok(after)) = (&old.plan, &new.plan)
                    && before.same(after)
                    && old.reach == new.reach
                    && let Some(kept) = live.slots.get(name)
                {
                    *slot = Arc::clone(kept);
                    slot.forget_failure();
                }
            }
            *live = Live { table, slots };
        }
        self.learn_static();
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Learns all static keys, and forgets those that no file holds any more.
    fn learn_static(&self) {
        let found: Vec<_> = {
            let live = self.live();
            let own = |own: bool| {
                live.table
                    .profiles
                    .iter()
                    .filter(move |profile| profile.is_static() == own)
                    .filter_map(|profile| {
                        Some((
                            Arc::clone(&profile.name),
                            Arc::clone(profile.static_keys()?),
                        ))
                    })
            };
            // A key that is a profile's own names that profile, not one that only uses it.
            own(true).chain(own(false)).collect()
        };
        {
            let now = self.now();
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            keys.retain(|_, (_, held)| held.expires_at.is_some_and(|end| end > now));
        }
        let mut first = HashMap::new();
        for (profile, credentials) in &found {
            // Where one key id stands with several secrets, the first profile is who it is.
            match first.entry(credentials.access_key_id.as_str()) {
                Entry::Vacant(slot) => {
                    slot.insert(credentials);
                    self.learn(profile, credentials);
                }
                Entry::Occupied(held) if same(held.get(), credentials) => {}
                Entry::Occupied(_) => (self.wiring.on_credentials)(profile, credentials),
            }
        }
    }

    /// Remembers credentials by their key id, and tells who wants to know.
    pub(crate) fn learn(&self, profile: &Arc<str>, credentials: &Arc<Credentials>) {
        let now = self.now();
        let known = {
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            match keys.get(&credentials.access_key_id) {
                Some((_, held)) if same(held, credentials) => true,
                _ => {
                    keys.retain(|_, (_, held)| held.expires_at.is_none_or(|end| end > now));
                    let held = (Arc::clone(profile), Arc::clone(credentials));
                    keys.insert(credentials.access_key_id.clone(), held);
                    false
                }
            }
        };
        if !known {
            (self.wiring.on_credentials)(profile, credentials);
        }
    }

    /// The name of the profile whose credentials are what `profile` needs first, if it may
    /// get them from its cache.
    pub(crate) fn shared_source(
        &self,
        profile: &Profile,
        source: &str,
        same_hops: impl FnOnce(&Plan) -> bool,
    ) -> Option<Arc<str>> {
        let live = self.live();
        let source = live.table.get(source)?;
        let plan = source.plan.as_ref().ok()?;
        let sts = plan.steps.iter().any(|step| step.what.asks_sts());
        let shared =
            plan.mfa.is_none() && source.reach.same_way(&profile.reach, sts) && same_hops(plan);
        shared.then(|| Arc::clone(&source.name))
    }

    pub(crate) fn is_fresh(&self, name: &str) -> bool {
        let live = self.live();
        let slot = live.slots.get(name);
        slot.is_some_and(|slot| !matches!(slot.look(|| self.now()), Found::Nothing))
    }

    pub(crate) fn env(&self) -> &Env {
        &self.sources.env
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    pub(crate) fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.wiring.time.now()
    }

    fn live(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_slots(table: &Table) -> HashMap<Arc<str>, Arc<Slot>> {
    let names = table.profiles.iter().map(|profile| &profile.name);
    names
        .map(|name| (Arc::clone(name), Arc::default()))
        .collect()
}

fn too_slow(profile: &Profile, limit: std::time::Duration) -> String {
    let last = profile
        .plan
        .as_ref()
        .ok()
        .and_then(|plan| plan.steps.first());
    let (what, at) = last.map_or(("its source", None), |step| {
        (step.what.step(), step.at.as_ref())
    });
    let at = at.map(|at| format!(" ({at})")).unwrap_or_default();
    format!(
        "no credentials within {} ms; its first hop is {what}{at}; try it by hand, or raise \
         limits.credentials_ms",
        limit.as_millis()
    )
}

fn summary(profile: &Profile, slot: Option<&Arc<Slot>>, now: SystemTime) -> Summary {
    let (status, failed) = match (&profile.plan, slot) {
        (Err(_), _) => (Status::Broken, None),
        (Ok(plan), Some(slot)) => match slot.status(now) {
            (Status::Unknown, None) if plan.mfa.is_some() => (Status::NeedsMfa, None),
            other => other,
        },
        (Ok(_), None) => (Status::Unknown, None),
    };
    let current = slot.and_then(|slot| slot.current());
    let current = current.as_ref();
    Summary {
        name: Arc::clone(&profile.name),
        origin: profile.origin.clone(),
        kind: profile.kind,
        region: profile.reach.region.clone(),
        access_key_id: current
            .map(|resolved| resolved.credentials.access_key_id.clone())
            .or_else(|| profile.access_key_id.clone()),
        account: current
            .and_then(|resolved| resolved.account.clone())
            .or_else(|| profile.account.clone()),
        expires_at: current.and_then(|resolved| resolved.expires_at),
        status,
        error: profile.error().or(failed.map(|error| error.message)),
    }
}

fn same(a: &Credentials, b: &Credentials) -> bool {
    let token = |c: &Credentials| c.session_token.as_ref().map(|t| t.expose().to_vec());
    a.secret_access_key.expose() == b.secret_access_key.expose() && token(a) == token(b)
}
