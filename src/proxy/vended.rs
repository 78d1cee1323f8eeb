//! Sessions that AWS handed out through us: kept in memory until they expire, so that what
//! is signed with them can be verified and signed again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use serde_json::Value;

use crate::profile::Resolved;
use crate::secret::Credentials;

/// Keys handed out through us, by key id.
pub(crate) struct Vended {
    sessions: RwLock<HashMap<String, Arc<Resolved>>>,
    limit: usize,
}

/// Operations whose replies carry credentials that the caller signs with next.
const VENDING: &[(&str, &[&str])] = &[
    (
        "sts",
        &[
            "AssumeRole",
            "AssumeRoleWithWebIdentity",
            "AssumeRoleWithSAML",
            "AssumeRoot",
            "GetSessionToken",
            "GetFederationToken",
        ],
    ),
    ("sso", &["GetRoleCredentials"]),
    ("s3", &["CreateSession"]),
    ("cognito-identity", &["GetCredentialsForIdentity"]),
    ("iam", &["CreateAccessKey"]),
];

/// Whether a reply to this operation hands out credentials.
pub(crate) fn vends(service: &str, operation: &str) -> bool {
    VENDING
        .iter()
        .any(|(name, operations)| *name == service && operations.contains(&operation))
}

impl Vended {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            sessions: RwLock::default(),
            limit,
        }
    }

    /// The session with this key id, unless it has expired.
    pub(crate) fn get(&self, key_id: &str, now: SystemTime) -> Option<Arc<Resolved>> {
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        sessions
            .get(key_id)
            .filter(|session| alive(session, now))
            .cloned()
    }

    /// Remembers a session; the one that ends first makes room.
    pub(crate) fn keep(&self, session: Arc<Resolved>, now: SystemTime) {
        let mut sessions = self
            .sessions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= self.limit {
            sessions.retain(|_, session| alive(session, now));
        }
        while sessions.len() >= self.limit {
            let first = sessions
                .iter()
                .min_by_key(|(_, session)| session.credentials.expires_at);
            let Some(key_id) = first.map(|(key_id, _)| key_id.clone()) else {
                break;
            };
            sessions.remove(&key_id);
        }
        sessions.insert(session.credentials.access_key_id.clone(), session);
    }
}

fn alive(session: &Resolved, now: SystemTime) -> bool {
    session.credentials.expires_at.is_none_or(|end| now < end)
}

/// Reads the credentials in a reply, whatever its shape.
pub(crate) fn credentials_in(body: &[u8]) -> Option<Credentials> {
    let text = std::str::from_utf8(body).ok()?.trim_start();
    let field = |names: &[&str]| -> Option<String> {
        if text.starts_with('{') {
            let value: Value = serde_json::from_str(text).ok()?;
            names.iter().find_map(|name| find(&value, name))
        } else {
            names.iter().find_map(|name| element(text, name))
        }
    };
    let key_id = field(&["AccessKeyId", "accessKeyId"])?;
    let secret = field(&["SecretAccessKey", "secretAccessKey", "SecretKey"])?;
    let token = field(&["SessionToken", "sessionToken"]).map(String::into_bytes);
    let mut credentials = Credentials::new(key_id, secret.into_bytes(), token);
    credentials.expires_at = field(&["Expiration", "expiration"]).and_then(|text| time(&text));
    Some(credentials)
}

/// RFC 3339, or seconds or milliseconds since the epoch.
fn time(text: &str) -> Option<SystemTime> {
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(timestamp.into());
    }
    let number: f64 = text.parse().ok()?;
    let seconds = if number > 1e11 {
        number / 1000.0
    } else {
        number
    };
    let since = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}

fn find(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(members) => match members.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => members.values().find_map(|member| find(member, name)),
        },
        Value::Array(items) => items.iter().find_map(|item| find(item, name)),
        _ => None,
    }
}

fn element(text: &str, name: &str) -> Option<String> {
    let start = text.find(&format!("<{name}>"))? + name.len() + 2;
    let end = start + text[start..].find('<')?;
    Some(text[start..end].trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_in_every_shape() {
        let xml = b"<R><Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>\
            <SecretAccessKey>s/+=</SecretAccessKey><SessionToken>t</SessionToken>\
            <Expiration>2026-11-23T05:00:00Z</Expiration></Credentials></R>";
        let json =
            br#"{"roleCredentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","secretAccessKey":"s/+=",
            "sessionToken":"t","expiration":1795410000000}}"#;
        for body in [&xml[..], &json[..]] {
            let found = credentials_in(body).unwrap();
            assert_eq!(found.access_key_id, "ASIAIOSFODNN7EXAMPLE");
            assert_eq!(found.secret_access_key.expose(), b"s/+=");
            assert!(found.session_token.is_some());
            assert_eq!(
                found.expires_at.map(|t| t > SystemTime::UNIX_EPOCH),
                Some(true)
            );
        }
        assert!(credentials_in(b"<Error/>").is_none());
    }
}
