//! What was seen before.

use jiff::SignedDuration;

use super::{Question, Table, holds, line};
use crate::aws;
use crate::diagnose::history::{Change, Past, Session};
use crate::diagnose::scene::human;

/// How long IAM may take to be the same everywhere.
const SETTLING: SignedDuration = SignedDuration::from_secs(60);

pub(super) const TESTS: Table = &[
    ("worked-before", |q, _| {
        let key = q.scene.history.key(q.scene.key_id()?);
        key.last()
            .map(|past| format!("the same key worked in #{}", past.exchange))
    }),
    ("worked-profile", |q, _| {
        let past = own_success(q)?;
        Some(format!("the same key worked in #{}", past.exchange))
    }),
    ("key-other-profile", |q, _| {
        if own_success(q).is_some() {
            return None;
        }
        let past = key_profile(q)?;
        Some(format!(
            "the same key id worked as {} in #{}",
            past.profile, past.exchange
        ))
    }),
    ("never-worked", |q, _| {
        holds(q.scene.history.key(q.scene.key_id()?).is_empty())
    }),
    ("worked-region", |q, _| {
        let past = worked_elsewhere(q)?;
        Some(format!(
            "the same key worked in {} in #{}",
            past.region, past.exchange
        ))
    }),
    ("worked-partition", |q, _| {
        let past = worked_in_partition(q)?;
        Some(format!(
            "the same key worked in {} in #{}",
            past.region, past.exchange
        ))
    }),
    ("call-other-profile", |q, _| {
        let past = other_profile(q)?;
        Some(format!(
            "the same call worked as {} in #{}",
            past.profile, past.exchange
        ))
    }),
    ("session-by", |q, operation| {
        let session = session(q)?;
        line(session.operation == operation, || {
            format!("the session is from #{}, {operation}", session.exchange)
        })
    }),
    ("session-global", |q, _| {
        let session = session(q)?;
        line(session.global, || {
            format!(
                "the session is from #{}, at sts.amazonaws.com",
                session.exchange
            )
        })
    }),
    ("session-policy", |q, _| {
        let session = session(q)?;
        line(session.with_policy, || {
            format!(
                "{} in #{} carried a session policy",
                session.operation, session.exchange
            )
        })
    }),
    ("session-mfa", |q, _| holds(session(q)?.with_mfa)),
    ("session-of-other-key", |q, _| {
        let token = super::caller::sent_token(q)?;
        let other = q
            .scene
            .history
            .session_of_other_key(token, q.scene.key_id()?)?;
        Some(format!(
            "the token was handed out in #{} with another key id",
            other.exchange
        ))
    }),
    ("recent-change", |q, _| {
        let (change, ago) = recent_change(q)?;
        Some(format!(
            "#{} was {}, {} before",
            change.exchange,
            change.operation,
            human(ago)
        ))
    }),
];

pub(super) fn worked_elsewhere<'a>(q: &Question<'a>) -> Option<Past<'a>> {
    let region = q.scene.region()?;
    let past = q.scene.history.key(q.scene.key_id()?);
    if past.iter().any(|past| past.region == region) {
        return None;
    }
    past.into_iter().rfind(|past| !past.region.is_empty())
}

pub(super) fn worked_in_partition<'a>(q: &Question<'a>) -> Option<Past<'a>> {
    let here = aws::partition_of_region(q.scene.region()?)?.id;
    let past = q.scene.history.key(q.scene.key_id()?);
    past.into_iter()
        .rfind(|past| aws::partition_of_region(past.region).is_some_and(|there| there.id != here))
}

pub(super) fn other_profile<'a>(q: &Question<'a>) -> Option<Past<'a>> {
    let own = q.scene.profile()?;
    let past = q.scene.history.same_call(q.scene.exchange, q.scene.raw);
    past.into_iter()
        .rfind(|past| past.profile != own && !past.profile.is_empty())
}

pub(super) fn session<'a>(q: &Question<'a>) -> Option<&'a Session> {
    q.scene.history.session(q.scene.key_id()?)
}

pub(super) fn recent_change<'a>(q: &Question<'a>) -> Option<(&'a Change, SignedDuration)> {
    let change = q.scene.history.last_change()?;
    let began: jiff::Timestamp = q.scene.exchange.started_at.parse().ok()?;
    let ago = began.duration_since(change.at);
    (!ago.is_negative() && ago <= SETTLING).then_some((change, ago))
}

fn own_success<'a>(q: &Question<'a>) -> Option<Past<'a>> {
    let profile = q.scene.profile().unwrap_or_default();
    let past = q.scene.history.key(q.scene.key_id()?);
    past.into_iter().rfind(|past| past.profile == profile)
}

/// Another profile as which the same key id worked.
pub(super) fn key_profile<'a>(q: &Question<'a>) -> Option<Past<'a>> {
    let profile = q.scene.profile()?;
    let past = q.scene.history.key(q.scene.key_id()?);
    past.into_iter()
        .rfind(|past| past.profile != profile && !past.profile.is_empty())
}
