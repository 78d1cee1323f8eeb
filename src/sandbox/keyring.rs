//! Which keys exist: the world's own, and the sessions that STS, IMDS and the container
//! endpoint hand out. What is handed out is derived from a counter, so that a run repeats.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::world::{LongKey, Principal, World};
use super::{hash, times};

/// Sessions that are remembered at once; the ones that end first make room.
const MOST_SESSIONS: usize = 10_000;

/// A key that the sandbox accepts.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) secret: String,
    /// Present for temporary keys.
    pub(super) token: Option<String>,
    pub(super) expires: Option<SystemTime>,
    pub(super) principal: Principal,
}

/// Temporary credentials, to be written into an answer.
pub(super) struct Issued {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: String,
    pub(super) expires: SystemTime,
}

pub(super) struct Keyring {
    long: Mutex<HashMap<String, LongKey>>,
    sessions: Mutex<(u64, HashMap<String, Known>)>,
}

impl Keyring {
    pub(super) fn new(world: &World) -> Self {
        let mut sessions = HashMap::new();
        for standing in &world.sessions {
            let Some((account, role)) = world.role(&standing.account, &standing.role) else {
                continue;
            };
            let known = Known {
                secret: standing.secret.clone(),
                token: Some(standing.token.clone()),
                expires: times::read_iso(&standing.expires),
                principal: Principal::assumed(account, role, &standing.name, None),
            };
            sessions.insert(standing.id.clone(), known);
        }
        Self {
            long: Mutex::new(world.keys()),
            sessions: Mutex::new((0, sessions)),
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<Known> {
        let long = self.long.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = long.get(id) {
            return Some(Known {
                secret: key.secret.clone(),
                token: None,
                expires: None,
                principal: key.principal.clone(),
            });
        }
        drop(long);
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.1.get(id).cloned()
    }

    /// Hands out a session of `principal` that ends at `now + lasts`.
    pub(super) fn issue(&self, principal: Principal, now: SystemTime, lasts: Duration) -> Issued {
        let mut guard = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, sessions) = &mut *guard;
        *count += 1;
        let seed = format!("session {count}");
        let issued = Issued {
            id: format!("ASIA{}", id_letters(&seed)),
            secret: secret(&seed),
            token: token(&seed),
            expires: now + lasts,
        };
        let known = Known {
            secret: issued.secret.clone(),
            token: Some(issued.token.clone()),
            expires: Some(issued.expires),
            principal,
        };
        sessions.insert(issued.id.clone(), known);
        if sessions.len() > MOST_SESSIONS {
            let first = sessions
                .iter()
                .min_by_key(|(_, known)| known.expires)
                .map(|(id, _)| id.clone());
            first.and_then(|id| sessions.remove(&id));
        }
        issued
    }

    /// Adds a long-lived key to the principal; gives id and secret.
    pub(super) fn create(&self, principal: Principal) -> (String, String) {
        let mut long = self.long.lock().unwrap_or_else(PoisonError::into_inner);
        let seed = format!("key {}", long.len());
        let (id, secret) = (format!("AKIA{}", id_letters(&seed)), secret(&seed));
        let key = LongKey {
            secret: secret.clone(),
            principal,
        };
        long.insert(id.clone(), key);
        (id, secret)
    }
}

/// Sixteen characters of AWS's key id alphabet.
fn id_letters(seed: &str) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    hash::sha256(seed.as_bytes())
        .iter()
        .take(16)
        .map(|byte| char::from(LETTERS[usize::from(byte & 31)]))
        .collect()
}

fn secret(seed: &str) -> String {
    let digest = hash::sha256(format!("secret of {seed}").as_bytes());
    hash::base64(&digest[..30])
}

/// As long as real ones are, and ending in `==`.
fn token(seed: &str) -> String {
    let bytes: Vec<u8> = (0..10_u8)
        .flat_map(|part| hash::sha256(format!("token {part} of {seed}").as_bytes()))
        .take(316)
        .collect();
    format!("IQoJb3JpZ2luX2VjE{}", hash::base64(&bytes))
}
