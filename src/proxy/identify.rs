//! As whom? The credentials behind the choice, or why there are none.

use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;

use super::Shared;
use super::choose::Chosen;
use super::draft::micros;
use super::reply::{Refusal, Refused};
use super::route::{Plan, Routed};
use crate::capture::exchange::{Change, ChangeAction, FaultKind};
use crate::profile::Resolved;

/// A request that knows as whom it is signed, if it is.
pub(crate) struct Identified {
    pub(crate) routed: Routed,
    pub(crate) identity: Option<Arc<Resolved>>,
}

const STAGE: &str = "identify";

/// Resolves the chosen profile, once however many requests wait for it.
pub(crate) async fn identify(shared: &Shared, mut routed: Routed) -> Result<Identified, Refused> {
    if routed.plan != Plan::Sign {
        return Ok(Identified {
            routed,
            identity: None,
        });
    }
    if let Chosen::Active {
        foreign_key: true,
        profile,
    } = &routed.chosen
    {
        let why = format!("a key was there that no profile holds; signed as {profile}");
        routed.changes.push(Change {
            action: ChangeAction::Noted,
            what: "key id".to_owned(),
            why,
        });
    }
    let name = match &routed.chosen {
        Chosen::Session(session) => {
            let session = session.clone();
            return Ok(identified(routed, session));
        }
        chosen => chosen.profile().map(str::to_owned),
    };
    let Some(name) = name else {
        let refusal = none(
            "no profile is chosen to sign with".to_owned(),
            "start with --profile NAME, or pick one with p",
        );
        return Err(routed.refuse(refusal));
    };
    let start = Instant::now();
    let resolved = shared.profiles.resolve(&name).await;
    let took = micros(start);
    routed.received.journey.timing.credentials = Some(took);
    match resolved {
        Ok(resolved) => {
            let resolved = match &routed.chosen {
                // A role's source: the caller signed with the key itself, not as the role.
                Chosen::ByKey(_, own)
                    if own.access_key_id != resolved.credentials.access_key_id =>
                {
                    let now = shared.now();
                    Arc::new(Resolved::handed_out(
                        name,
                        own.clone(),
                        resolved.region.clone(),
                        now,
                    ))
                }
                _ => resolved,
            };
            Ok(identified(routed, resolved))
        }
        Err(error) => {
            let refusal = none(
                error.to_string(),
                "mend the profile, or choose another: --profile NAME, or p on the screen",
            );
            Err(routed.refuse(refusal))
        }
    }
}

fn identified(mut routed: Routed, identity: Arc<Resolved>) -> Identified {
    routed.received.journey.identity = Some(identity.clone());
    Identified {
        routed,
        identity: Some(identity),
    }
}

fn none(what: String, fix: &str) -> Refusal {
    let status = (StatusCode::FORBIDDEN, "CredentialsNotAvailable");
    Refusal::new(STAGE, FaultKind::NoCredentials, status, what, fix)
}
