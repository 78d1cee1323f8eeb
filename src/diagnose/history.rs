//! What was seen before, in bounded memory: which keys ever worked and where, which calls
//! worked as whom, which sessions were handed out, and when IAM was last changed.
//!
//! Keys and tokens are kept as hashes under a key of this process, names once each.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};

use jiff::Timestamp;

use super::wire::Head;
use crate::capture::Exchange;
use crate::secret::Raw;

/// Most keys, calls and sessions that are remembered, each.
const MOST: usize = 4096;
/// Most places where one key worked, and most identities as which one call worked.
const PLACES: usize = 8;
/// Most different names of regions and profiles.
const NAMES: usize = 1024;
/// Most changes of IAM.
const CHANGES: usize = 32;

/// The memory of the record thread. It sees every exchange, after it was diagnosed.
#[derive(Default)]
pub struct History {
    hasher: RandomState,
    names: Vec<String>,
    /// Hash of a key id → where it worked.
    keys: Bounded<Vec<Place>>,
    /// Hash of a call → as whom it worked.
    calls: Bounded<Vec<Place>>,
    /// Hash of a key id → how it was handed out.
    sessions: Bounded<Session>,
    /// Hash of a session token → hash of the key id that it came with.
    tokens: Bounded<u64>,
    changes: VecDeque<Change>,
}

/// One success, with indices into the names.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    region: u16,
    profile: u16,
    exchange: u64,
}

/// How a session came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) exchange: u64,
    pub(super) operation: String,
    /// By `sts.amazonaws.com`, whose tokens opt-in regions refuse.
    pub(super) global: bool,
    pub(super) with_policy: bool,
    pub(super) with_mfa: bool,
}

/// A change of IAM that succeeded.
pub(super) struct Change {
    pub(super) exchange: u64,
    pub(super) operation: String,
    pub(super) at: Timestamp,
}

/// An earlier success.
pub(super) struct Past<'a> {
    pub(super) exchange: u64,
    pub(super) region: &'a str,
    pub(super) profile: &'a str,
}

impl History {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers what may explain a later failure.
    pub fn note(&mut self, exchange: &Exchange, raw: &Raw) {
        if exchange.failed() {
            return;
        }
        let (Some(route), Some(credentials)) = (&exchange.route, &raw.signed_with) else {
            return;
        };
        let region = self.name(route.region.as_deref().unwrap_or_default());
        let profile = exchange
            .identity
            .as_ref()
            .and_then(|identity| identity.profile.as_deref());
        let profile = self.name(profile.unwrap_or_default());
        let (Some(region), Some(profile)) = (region, profile) else {
            return;
        };
        let place = Place {
            region,
            profile,
            exchange: exchange.id,
        };
        let key = self.hash(&credentials.access_key_id);
        remember(self.keys.entry(key), place, |known| {
            (known.region, known.profile) == (region, profile)
        });
        let call = self.call(exchange, raw);
        remember(self.calls.entry(call), place, |known| {
            known.profile == profile
        });
        self.note_kind(exchange, raw);
    }

    /// Where this key worked, the newest last.
    pub(super) fn key(&self, key_id: &str) -> Vec<Past<'_>> {
        self.past(self.keys.get(self.hash(&key_id)))
    }

    /// As whom the same call worked.
    pub(super) fn same_call(&self, exchange: &Exchange, raw: &Raw) -> Vec<Past<'_>> {
        self.past(self.calls.get(self.call(exchange, raw)))
    }

    /// How the session with this key id was handed out, if it was through us.
    pub(super) fn session(&self, key_id: &str) -> Option<&Session> {
        self.sessions.get(self.hash(&key_id))
    }

    /// The session with which this token was handed out, where it has another key id.
    pub(super) fn session_of_other_key(&self, token: &str, key_id: &str) -> Option<&Session> {
        let key = self.tokens.get(self.hash(&token))?;
        (*key != self.hash(&key_id))
            .then(|| self.sessions.get(*key))
            .flatten()
    }

    /// The last change of IAM.
    pub(super) fn last_change(&self) -> Option<&Change> {
        self.changes.back()
    }

    fn note_kind(&mut self, exchange: &Exchange, raw: &Raw) {
        let Some(route) = &exchange.route else { return };
        let (Some(service), Some(operation)) =
            (route.service.as_deref(), route.operation.as_deref())
        else {
            return;
        };
        match service {
            "sts" | "sso" | "s3" | "cognito-identity" => {
                self.note_session(operation, exchange, raw)
            }
            "iam" if changes_iam(operation) => {
                let Ok(at) = exchange.started_at.parse() else {
                    return;
                };
                self.changes.push_back(Change {
                    exchange: exchange.id,
                    operation: operation.to_owned(),
                    at,
                });
                if self.changes.len() > CHANGES {
                    self.changes.pop_front();
                }
            }
            _ => {}
        }
    }

    fn note_session(&mut self, operation: &str, exchange: &Exchange, raw: &Raw) {
        let hands_out = operation.starts_with("Assume")
            || matches!(
                operation,
                "GetSessionToken"
                    | "GetFederationToken"
                    | "GetRoleCredentials"
                    | "CreateSession"
                    | "GetCredentialsForIdentity"
            );
        let Some(reply) = raw.reply.as_ref().filter(|_| hands_out) else {
            return;
        };
        let body = String::from_utf8_lossy(&reply.body);
        let Some(key) = member(&body, &["AccessKeyId", "accessKeyId"]) else {
            return;
        };
        let sent = String::from_utf8_lossy(&raw.received.body);
        let head = Head::read(
            raw.sent
                .as_ref()
                .map_or(&raw.received.head, |sent| &sent.head),
        );
        let session = Session {
            exchange: exchange.id,
            operation: operation.to_owned(),
            global: head.header("host") == Some("sts.amazonaws.com"),
            with_policy: sent.contains("&Policy=") || sent.contains("&PolicyArns."),
            with_mfa: sent.contains("&SerialNumber="),
        };
        let key = self.hash(&key);
        *self.sessions.entry(key) = session;
        if let Some(token) = member(&body, &["SessionToken", "sessionToken"]) {
            *self.tokens.entry(self.hash(&token)) = key;
        }
    }

    fn call(&self, exchange: &Exchange, raw: &Raw) -> u64 {
        let route = exchange.route.as_ref();
        let named = route.map(|route| (&route.service, &route.operation));
        let target = exchange.received.as_ref().map(|received| &received.target);
        let body = raw
            .received
            .body_sha256
            .map_or_else(|| self.hash(&&**raw.received.body), |hash| self.hash(&hash));
        self.hash(&(named, target, body))
    }

    fn past<'a>(&'a self, places: Option<&Vec<Place>>) -> Vec<Past<'a>> {
        let name = |index: u16| {
            self.names
                .get(usize::from(index))
                .map_or("", String::as_str)
        };
        let past = |place: &Place| Past {
            exchange: place.exchange,
            region: name(place.region),
            profile: name(place.profile),
        };
        places.into_iter().flatten().map(past).collect()
    }

    /// Few names are in use at a time: they are found by looking.
    fn name(&mut self, name: &str) -> Option<u16> {
        let index = match self.names.iter().position(|known| known == name) {
            Some(index) => index,
            None if self.names.len() < NAMES => {
                self.names.push(name.to_owned());
                self.names.len() - 1
            }
            None => return None,
        };
        u16::try_from(index).ok()
    }

    fn hash(&self, value: &impl Hash) -> u64 {
        self.hasher.hash_one(value)
    }
}

/// One success a place, the newest last.
fn remember(places: &mut Vec<Place>, place: Place, same: impl Fn(&Place) -> bool) {
    if let Some(last) = places.last_mut().filter(|last| same(last)) {
        *last = place;
        return;
    }
    places.retain(|known| !same(known));
    if places.len() >= PLACES {
        places.remove(0);
    }
    places.push(place);
}

fn changes_iam(operation: &str) -> bool {
    [
        "Create", "Put", "Attach", "Detach", "Update", "Delete", "Add", "Remove", "Set",
    ]
    .iter()
    .any(|verb| operation.starts_with(verb))
}

/// The first member of one of these names, in XML or JSON.
fn member<'b>(body: &'b str, names: &[&str]) -> Option<&'b str> {
    names.iter().find_map(|name| {
        let at = body.find(name)?;
        let rest = body
            .get(at + name.len()..)?
            .trim_start_matches(['"', ':', ' ', '>']);
        rest.split(['"', '<'])
            .next()
            .filter(|value| !value.is_empty())
    })
}

/// A map that forgets what was put in first.
struct Bounded<T> {
    map: HashMap<u64, T>,
    order: VecDeque<u64>,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self {
            map: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T: Default> Bounded<T> {
    fn entry(&mut self, key: u64) -> &mut T {
        if !self.map.contains_key(&key) {
            if self.order.len() >= MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.map.remove(&oldest);
            }
            self.order.push_back(key);
        }
        self.map.entry(key).or_default()
    }
}

impl<T> Bounded<T> {
    fn get(&self, key: u64) -> Option<&T> {
        self.map.get(&key)
    }
}
