//! The time of the signature, of AWS and of this machine.

use jiff::SignedDuration;

use super::{Question, Table, line};
use crate::diagnose::scene::human;

/// Below this a difference is the network's.
const NEAR: SignedDuration = SignedDuration::from_secs(60);
/// From here on AWS refuses; some services from five minutes.
const FAR: SignedDuration = SignedDuration::from_secs(270);

pub(super) const TESTS: Table = &[
    ("skew", |q, way| {
        let behind = q.scene.behind()?;
        let is = match way {
            "behind" => behind > FAR,
            "ahead" => behind < -FAR,
            "whole-hours" => behind.abs() > FAR && near_half_hours(behind.abs()),
            "any" => behind.abs() > FAR,
            _ => behind.abs() < FAR,
        };
        let side = if behind.is_negative() {
            "ahead of"
        } else {
            "behind"
        };
        line(is, || {
            format!("X-Amz-Date is {} {side} AWS's clock", human(behind))
        })
    }),
    ("own-clock", |q, way| {
        let behind = q.scene.own_clock_behind()?;
        let is = match way {
            "behind" => behind > NEAR,
            "ahead" => behind < -NEAR,
            _ => behind.abs() <= NEAR,
        };
        line(is, || {
            format!("our clock is {} from the reply's Date", human(behind))
        })
    }),
];

/// Within a minute and a half of a whole number of half hours.
fn near_half_hours(duration: SignedDuration) -> bool {
    let over = duration.as_secs() % 1800;
    duration.as_secs() >= 1710 && over.min(1800 - over) <= 90
}

/// The skew in words, for sentences.
pub(super) fn skew(q: &Question<'_>) -> Option<String> {
    q.scene.behind().map(human)
}
