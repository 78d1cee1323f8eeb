//! Keeps a profile's credentials and lets one refresh serve all who wait.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use tokio::sync::watch;

use super::{
    error::{ResolveError, Status},
    resolve::Resolved,
};

/// How long before their end credentials are refreshed.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// How long a failure stands before the source is asked again: by requests that cannot go on
/// without, and in the background while older credentials are still good.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_IN_BACKGROUND: Duration = Duration::from_secs(30);

/// What asking the source came to.
pub(crate) type Outcome = Result<Arc<Resolved>, ResolveError>;
/// Holds `None` until the refresh has ended.
pub(crate) type Flight = watch::Receiver<Option<Outcome>>;

/// One profile's credentials.
#[derive(Default)]
pub(crate) struct Slot {
    current: RwLock<Option<Arc<Resolved>>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    flight: Option<Flight>,
    failed: Option<(SystemTime, ResolveError)>,
}

/// What a request finds.
pub(crate) enum Found {
    /// Credentials with time left.
    Fresh(Arc<Resolved>),
    /// Good credentials that should be refreshed by now.
    Ageing(Arc<Resolved>),
    /// None, or none that are still good.
    Nothing,
}

/// What one who wants a refresh has to do.
pub(crate) enum Turn {
    /// Somebody else has just got them.
    Done(Arc<Resolved>),
    /// Wait for the refresh that is under way.
    Wait(Flight),
    /// Do the refresh, and tell the others.
    Fly(Takeoff),
    /// It failed a moment ago.
    Refused(ResolveError),
}

impl Slot {
    pub(crate) fn look(&self, now: impl FnOnce() -> SystemTime) -> Found {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let Some(resolved) = current.as_ref() else {
            return Found::Nothing;
        };
        let Some(end) = resolved.expires_at else {
            return Found::Fresh(Arc::clone(resolved));
        };
        match now() {
            now if now < resolved.refresh_at => Found::Fresh(Arc::clone(resolved)),
            now if now < end => Found::Ageing(Arc::clone(resolved)),
            _ => Found::Nothing,
        }
    }

    /// Whose turn it is to ask the source.
    pub(crate) fn turn(self: &Arc<Self>, now: SystemTime) -> Turn {
        let mut state = self.state();
        let again = match self.look(|| now) {
            Found::Fresh(resolved) => return Turn::Done(resolved),
            Found::Ageing(_) => AGAIN_IN_BACKGROUND,
            Found::Nothing => AGAIN,
        };
        if let Some(flight) = &state.flight {
            return Turn::Wait(flight.clone());
        }
        if let Some((when, error)) = &state.failed
            // A clock that was set back does not make a failure last.
            && now.duration_since(*when).is_ok_and(|since| since < again)
        {
            return Turn::Refused(error.clone());
        }
        let (tell, flight) = watch::channel(None);
        state.flight = Some(flight);
        Turn::Fly(Takeoff {
            slot: Arc::clone(self),
            tell,
            landed: false,
        })
    }

    /// Lets the next request ask the source again.
    pub(crate) fn forget_failure(&self) {
        self.state().failed = None;
    }

    pub(crate) fn status(&self, now: SystemTime) -> (Status, Option<ResolveError>) {
        let state = self.state();
        let error = state.failed.as_ref().map(|(_, error)| error.clone());
        let status = match (self.look(|| now), &error) {
            (Found::Fresh(_), _) => Status::Ok,
            (Found::Ageing(_), None) => Status::Ok,
            (Found::Ageing(_), Some(_)) => Status::Expiring,
            (Found::Nothing, _) if state.flight.is_some() => Status::Resolving,
            (Found::Nothing, Some(error)) => error.failure.status(),
            (Found::Nothing, None) => match self.current().is_some() {
                true => Status::Expired,
                false => Status::Unknown,
            },
        };
        (status, error)
    }

    /// What it holds, good or not.
    pub(crate) fn current(&self) -> Option<Arc<Resolved>> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The duty to end a refresh; dropped without an outcome it still lets others try.
pub(crate) struct Takeoff {
    slot: Arc<Slot>,
    tell: watch::Sender<Option<Outcome>>,
    landed: bool,
}

impl Takeoff {
    /// One who waits for this refresh.
    pub(crate) fn flight(&self) -> Flight {
        self.tell.subscribe()
    }

    pub(crate) fn land(mut self, outcome: Outcome, now: SystemTime) {
        {
            let mut state = self.slot.state();
            state.failed = outcome.as_ref().err().map(|error| (now, error.clone()));
            state.flight = None;
            self.landed = true;
            if let Ok(resolved) = &outcome {
                *self
                    .slot
                    .current
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(resolved));
            }
        }
        self.tell.send_replace(Some(outcome));
    }
}

impl Drop for Takeoff {
    fn drop(&mut self) {
        // After landing the slot may hold the next refresh.
        if !self.landed {
            self.slot.state().flight = None;
        }
    }
}

/// When to refresh credentials of that life: five minutes early, or half-way through where
/// they do not live that long.
pub(crate) fn refresh_at(fetched: SystemTime, end: SystemTime) -> SystemTime {
    let life = end.duration_since(fetched).unwrap_or_default();
    fetched + life - EARLY.min(life / 2)
}
