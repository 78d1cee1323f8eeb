use std::sync::atomic::AtomicBool;

use super::{Case, Claim, Depth, EVALUATIONS, Label, Part, investigate};
use crate::secret::Credentials;

const HEADERS: &[(&[u8], &[u8])] = &[
    (b"Host", b"iam.amazonaws.com"),
    (b"X-Amz-Date", b"20150830T123600Z"),
    (
        b"Authorization",
        b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
          SignedHeaders=host;x-amz-date, \
          Signature=0000000000000000000000000000000000000000000000000000000000000000",
    ),
];

fn report(depth: Depth, stop: bool) -> super::Report {
    let credentials = Credentials::new(
        "AKIDEXAMPLE",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        None,
    );
    let case = Case {
        method: "GET",
        target: b"/?Action=ListUsers&Version=2010-05-08",
        headers: HEADERS,
        body: Some(b""),
        body_sha256: None,
        credentials: Some(&credentials),
        received_at: None,
        content_range: None,
    };
    let claim = Claim::read(case.target, case.headers).unwrap();
    investigate(&case, claim, depth, &AtomicBool::new(stop))
}

#[test]
fn a_search_ends_by_count_and_claims_nothing() {
    let report = report(Depth::Pairs, false);
    assert!(!report.valid && report.undetermined && report.pairs);
    assert!(report.evaluations > 10_000 && report.evaluations <= EVALUATIONS);
    assert!(
        report.causes.iter().all(|cause| cause.part != Part::Cause),
        "{:?}",
        report.causes
    );
    assert_eq!(
        report.evaluations,
        self::report(Depth::Pairs, false).evaluations
    );
}

#[test]
fn a_search_that_is_stopped_says_nothing() {
    let report = report(Depth::Pairs, true);
    assert!(report.evaluations < 10_000);
    assert!(!report.valid && !report.undetermined);
}

#[test]
fn every_label_is_told_once_with_a_sentence_and_a_fix() {
    let mut codes: Vec<&str> = Label::all().iter().map(|label| label.code).collect();
    assert!(codes.len() >= 263);
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Label::all().len());
    assert!(
        Label::all()
            .iter()
            .all(|label| !label.sentence.is_empty() && !label.fix.is_empty())
    );
}
