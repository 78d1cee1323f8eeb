//! As whom should a request be signed? Decided from what the caller shows, before anything
//! is resolved: the route needs the profile's region and endpoint.

use std::sync::Arc;

use super::Shared;
use super::received::Received;
use crate::profile::Resolved;
use crate::secret::Credentials;

/// The identity that a request will be signed with, and why that one.
pub(crate) enum Chosen {
    /// Signed with a lane's key: that lane's profile.
    Lane(String),
    /// `X-Sigscope-Profile` names it.
    Named(String),
    /// Its own key is one of the profile's.
    ByKey(String, Arc<Credentials>),
    /// Signed with a session that was handed out through us.
    Session(Arc<Resolved>),
    /// The operator's choice; the flag says that a key was there which we do not hold.
    Active { profile: String, foreign_key: bool },
    /// Nothing is chosen.
    Nobody,
}

impl Chosen {
    pub(crate) fn profile(&self) -> Option<&str> {
        match self {
            Self::Lane(name) | Self::Named(name) | Self::ByKey(name, _) => Some(name),
            Self::Active { profile, .. } => Some(profile),
            Self::Session(session) => Some(&session.profile),
            Self::Nobody => None,
        }
    }
}

/// Chooses, and remembers the secret behind the client's own key where we hold it.
pub(crate) fn choose(shared: &Shared, received: &mut Received) -> Chosen {
    if received.replay.is_some() {
        return match received.asked_profile.clone() {
            Some(profile) => Chosen::Named(profile),
            None => Chosen::Nobody,
        };
    }
    let key_id = received.key_id().map(str::to_owned);
    let held = key_id.as_deref().and_then(|key_id| holder(shared, key_id));
    let journey = &mut received.journey;
    if let Some(Held {
        by: Chosen::Lane(profile),
        credentials,
    }) = held
    {
        journey.lane = Some(profile.clone());
        journey.client_credentials = Some(credentials);
        return Chosen::Lane(profile);
    }
    let by_key = held.map(|held| {
        journey.client_credentials = Some(held.credentials);
        held.by
    });
    if let Some(profile) = &received.asked_profile {
        return Chosen::Named(profile.clone());
    }
    if let Some(by_key) = by_key {
        return by_key;
    }
    match shared.active_profile() {
        Some(profile) => Chosen::Active {
            profile,
            foreign_key: key_id.is_some(),
        },
        None => Chosen::Nobody,
    }
}

struct Held {
    by: Chosen,
    credentials: Arc<Credentials>,
}

fn holder(shared: &Shared, key_id: &str) -> Option<Held> {
    if let Some((profile, credentials)) = shared.lanes.lookup(key_id) {
        return Some(Held {
            by: Chosen::Lane(profile.to_string()),
            credentials,
        });
    }
    if let Some((profile, credentials)) = shared.profiles.credentials_of(key_id) {
        let by = Chosen::ByKey(profile.to_string(), credentials.clone());
        return Some(Held { by, credentials });
    }
    let session = shared.vended.get(key_id, shared.now())?;
    let credentials = session.credentials.clone();
    Some(Held {
        by: Chosen::Session(session),
        credentials,
    })
}
