//! The string to sign.

use jiff::civil::{Date, DateTime};
use jiff::{Span, ToSpan};

use super::super::facts::Facts;
use super::super::recipe::{StsForm, part};
use super::Mistakes;

pub(super) fn add(facts: &Facts<'_>, out: &mut Mistakes) {
    dates(facts, out);
    for (label, form) in [
        ("sts-region-us-east-1", StsForm::UsEast1),
        ("sts-scope-no-terminator", StsForm::NoTerminator),
        ("sts-scope-with-access-key", StsForm::WithKeyId),
        ("sts-creq-not-hashed", StsForm::NotHashed),
        ("sts-creq-double-hashed", StsForm::HashedTwice),
        ("sts-hash-uppercase", StsForm::UpperHash),
        ("sts-no-algorithm", StsForm::NoAlgorithm),
        ("sts-trailing-newline", StsForm::LineEndBehind),
        ("sts-crlf", StsForm::CrLf),
    ] {
        out.add(label, part::STS, move |r| r.sts.form = form);
    }
}

fn dates(facts: &Facts<'_>, out: &mut Mistakes) {
    let Some(at) = instant(&facts.claim.amz_date) else {
        return;
    };
    let add = |out: &mut Mistakes, label: &'static str, date: String| {
        out.add(label, part::STS, move |r| r.sts.date = Some(date.clone()));
    };
    let shifted = |span: Span, form: &str| {
        at.checked_add(span)
            .ok()
            .map(|t| t.strftime(form).to_string())
    };
    const BASIC: &str = "%Y%m%dT%H%M%SZ";
    for seconds in (-10_i64..=10).filter(|seconds| *seconds != 0) {
        if let Some(date) = shifted(seconds.seconds(), BASIC) {
            add(out, "sts-date-off-seconds", date);
        }
    }
    for (label, form) in [
        ("sts-date-extended", "%Y-%m-%dT%H:%M:%SZ"),
        ("sts-date-extended", "%Y-%m-%dT%H:%M:%S.000Z"),
        ("sts-date-extended", "%Y-%m-%dT%H:%M:%S+00:00"),
        ("sts-date-extended", "%Y-%m-%dT%H:%M:%S"),
        ("sts-date-extended", "%Y-%m-%d %H:%M:%S"),
        ("sts-date-http", "%a, %d %b %Y %H:%M:%S GMT"),
        ("sts-date-http", "%a, %d %b %Y %H:%M:%S +0000"),
        ("sts-date-http", "%a, %d %b %Y %H:%M:%S UTC"),
        ("sts-date-only-day", "%Y%m%d"),
        ("sts-date-only-day", "%Y%m%dT000000Z"),
    ] {
        add(out, label, at.strftime(form).to_string());
    }
    out.alone(|out| {
        for quarter in (-48_i64..=56).filter(|quarter| *quarter != 0) {
            if let Some(date) = shifted((quarter * 15).minutes(), BASIC) {
                add(out, "sts-date-local-time", date);
            }
        }
    });
}

/// `yyyymmddThhmmssZ`.
pub(super) fn instant(text: &str) -> Option<DateTime> {
    DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()
}

pub(super) fn day(text: &str) -> Option<Date> {
    Date::strptime("%Y%m%d", text).ok()
}
