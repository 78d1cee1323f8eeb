//! Was the client's own signature right? Asked before it is replaced: signing again must not
//! cure a sick client in silence.

use std::sync::atomic::AtomicBool;

use super::Shared;
use super::draft::{Draft, Journey};
use super::head::Head;
use super::route::Routed;
use crate::capture::exchange::{ClientSignature, Finding, Fix, Grade, Role};
use crate::diagnose::signing::{Arrived, client_signature};
use crate::secret::mask::Masker;
use crate::sigv4::{ClientAuth, Hint, RequestView, Verdict, VerifyInput, declared_payload, verify};

/// Writes the verdict on the exchange.
pub(crate) fn judge(shared: &Shared, routed: &mut Routed) {
    let received = &mut routed.received;
    if received.replay.is_some() {
        return;
    }
    let journey = &mut received.journey;
    journey.client_signature = match (&received.auth, &journey.client_credentials) {
        (ClientAuth::None | ClientAuth::Bearer | ClientAuth::Basic | ClientAuth::Other(_), _) => {
            ClientSignature::None
        }
        (ClientAuth::Malformed { what }, _) => {
            journey.findings.push(malformed(what));
            ClientSignature::Invalid
        }
        (ClientAuth::SigV4(auth), Some(credentials)) => {
            let head = Head::read(&journey.received_head);
            let hash = journey.received_body.sha256().map(hex);
            let body = hash.as_deref().or_else(|| {
                received
                    .body
                    .is_empty()
                    .then_some(crate::sigv4::EMPTY_SHA256)
            });
            let view = RequestView {
                method: received.method.as_str(),
                target: received.target.as_bytes(),
                headers: &head.headers,
                payload: "",
            };
            let payload = declared_payload(&view, auth, body).unwrap_or_default();
            let view = RequestView {
                payload: &payload,
                ..view
            };
            let input = VerifyInput {
                body_sha256: body,
                now: Some(shared.now()),
                ..VerifyInput::new(view, auth, credentials)
            };
            let verdict = verify(&input, &shared.keys);
            match verdict {
                Verdict::Valid(mut checked) => {
                    received.client_seed = checked.take_chunk_seed();
                    journey
                        .findings
                        .extend(checked.hints.iter().map(hint_finding));
                    ClientSignature::Valid
                }
                Verdict::Invalid(mut checked) => {
                    received.client_seed = checked.take_chunk_seed();
                    journey.findings.push(invalid());
                    journey
                        .findings
                        .extend(checked.hints.iter().map(hint_finding));
                    ClientSignature::Invalid
                }
                Verdict::Undetermined(why) => {
                    journey.findings.push(malformed(why));
                    ClientSignature::Invalid
                }
            }
        }
        _ => ClientSignature::UnknownKey,
    };
}

/// Whether a search may tell why the client's signature is wrong.
pub(crate) fn is_searchable(draft: &Draft) -> bool {
    draft.client_signature == ClientSignature::Invalid
        && draft.replay_of.is_none()
        && draft.client_credentials.is_some()
        && !draft.received_head.is_empty()
}

/// Searches for the mistake that gives the client's signature, and adds what it finds. The
/// general finding stays as a note beside a cause that is proved.
pub(crate) fn search(draft: &mut Draft, masker: &Masker) {
    let Some(credentials) = draft.client_credentials.clone() else {
        return;
    };
    let body = draft
        .received_body
        .complete()
        .then(|| draft.received_body.bytes());
    let hash = draft.received_body.sha256().map(hex);
    let arrived = Arrived {
        head: &draft.received_head,
        body: body.as_deref(),
        body_sha256: hash.as_deref(),
        credentials: &credentials,
        at: draft.started,
    };
    let found = client_signature(&arrived, masker, &AtomicBool::new(false));
    let proved = found
        .iter()
        .any(|finding| finding.grade == Grade::Computed && finding.role == Role::Cause);
    for general in draft
        .findings
        .iter_mut()
        .filter(|finding| proved && finding.code == INVALID)
    {
        general.role = Role::Note;
    }
    draft.findings.splice(0..0, found);
}

/// Too many wrong signatures at once.
pub(crate) fn not_searched(draft: &mut Draft) {
    let mut finding = finding(
        "signature-not-searched",
        Role::Note,
        "so many wrong signatures arrived at once that the cause of this one was not searched for"
            .to_owned(),
        "send it again alone, or give it to sigscope explain",
    );
    finding.grade = Grade::Undetermined;
    draft.findings.push(finding);
}

/// A signature in the body turned out to be wrong while it passed.
pub(crate) fn complain(journey: &mut Journey, complaint: String) {
    journey.client_signature = ClientSignature::Invalid;
    let fix = "check what changes the body after its chunks are signed";
    journey.findings.push(finding(
        "client-chunk-signature-invalid",
        Role::Cause,
        complaint,
        fix,
    ));
}

/// Lower-case hex.
pub(crate) fn hex(bytes: [u8; 32]) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(64);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn finding(code: &str, role: Role, summary: String, fix: &str) -> Finding {
    Finding {
        code: code.to_owned(),
        grade: Grade::Computed,
        role,
        summary,
        evidence: Vec::new(),
        refuted_by: None,
        fix: vec![Fix {
            label: fix.to_owned(),
            command: None,
            action: None,
        }],
    }
}

const INVALID: &str = "client-signature-invalid";

fn invalid() -> Finding {
    finding(
        INVALID,
        Role::Cause,
        "the client's own signature does not match the bytes that arrived; sent to AWS as it is, this request fails".to_owned(),
        "check the client's secret, and whatever changes the request after it is signed",
    )
}

fn malformed(what: &str) -> Finding {
    finding(
        "client-authorization-malformed",
        Role::Cause,
        format!("the client's authentication cannot be read: {what}"),
        "mend how the client builds Authorization",
    )
}

fn hint_finding(hint: &Hint) -> Finding {
    let (code, summary) = match hint {
        Hint::SignedHeaderAbsent(name) => (
            "signed-header-absent",
            format!("`{name}` is named in SignedHeaders and is not among the headers"),
        ),
        Hint::SignedHeadersUnordered => (
            "signed-headers-unordered",
            "SignedHeaders is not lower case, sorted and each once".to_owned(),
        ),
        Hint::HostUnsigned => ("host-unsigned", "`host` is not signed".to_owned()),
        Hint::AmzHeaderUnsigned(name) => (
            "amz-header-unsigned",
            format!("`{name}` is sent and not signed, which this service refuses"),
        ),
        Hint::PayloadHashDiffers => (
            "payload-hash-differs",
            "x-amz-content-sha256 is not the hash of the body that arrived".to_owned(),
        ),
        Hint::DateMalformed => (
            "date-malformed",
            "X-Amz-Date is not of the form yyyymmddThhmmssZ".to_owned(),
        ),
        Hint::ScopeDateDiffers => (
            "scope-date-differs",
            "the scope's date is not the day of X-Amz-Date".to_owned(),
        ),
        Hint::SignatureForm => (
            "signature-form",
            "the signature is not 64 digits of lower-case hex".to_owned(),
        ),
        Hint::ExpiresOutOfRange => (
            "expires-out-of-range",
            "X-Amz-Expires is missing or not from 1 to 604800 seconds".to_owned(),
        ),
        Hint::Expired(seconds) => (
            "presigned-expired",
            format!("the presigned URL ended {seconds} s ago"),
        ),
    };
    finding(code, Role::Note, summary, "mend it where the client signs")
}
