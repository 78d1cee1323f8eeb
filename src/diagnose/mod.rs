//! Why did it fail, how sure are we, what now? Rules over one recorded exchange.
//!
//! ```text
//! Exchange (masked) + Raw (unmasked, memory only) ─► findings, each masked
//! ```
//!
//! What AWS itself says comes first; then what follows from the bytes at hand.

pub mod canonical_diff;
mod catalogue;
mod history;
mod opinion;
mod scene;
pub mod signing;
mod wire;

use std::time::SystemTime;

pub use catalogue::{sources, titles};
pub use history::History;
use scene::Scene;

use crate::capture::Exchange;
use crate::capture::exchange::{
    ClientSignature, Finding, Fix, Grade, Reply, ReplyFrom, Role, SecondOpinion,
};
use crate::secret::Raw;
use crate::secret::mask::Masker;
use crate::sigv4::{ClientAuth, RequestView, client_auth};

/// Adds findings to an exchange, and for a failed one asks the independent signer.
///
/// `signed_at` is the instant of our own signature; `history` is what was seen before, and
/// learns from this exchange.
pub fn diagnose(
    exchange: &mut Exchange,
    raw: &Raw,
    signed_at: Option<SystemTime>,
    masker: &Masker,
    history: &mut History,
) {
    payload_hash(exchange, raw);
    if exchange.failed() {
        why(exchange, raw, signed_at, masker, history);
    }
    history.note(exchange, raw);
}

fn why(
    exchange: &mut Exchange,
    raw: &Raw,
    signed_at: Option<SystemTime>,
    masker: &Masker,
    history: &History,
) {
    let scene = Scene::read(exchange, raw, history);
    let mut known = catalogue::findings(&scene);
    if let Some(proof) = canonical_diff::finding(&scene, masker) {
        // The proof says what these only suppose.
        known.retain(|finding| {
            !matches!(finding.code.as_str(), "sig-mismatch" | canonical_diff::CODE)
        });
        known.insert(0, proof);
    }
    let quoted = known.iter().any(|finding| finding.grade == Grade::AwsSaid);
    if known.is_empty() {
        known.extend(aws_said(exchange, Role::Cause));
    } else if !quoted {
        known.extend(aws_said(exchange, Role::Note));
    }
    exchange.findings.splice(0..0, known);
    if let (Some(at), Some(sent)) = (signed_at, &mut exchange.sent) {
        sent.signing.second_opinion = opinion::ask(&sent.signing, raw, at);
        if sent.signing.second_opinion == SecondOpinion::Disagrees {
            exchange.findings.push(own_bug());
        }
    }
    for finding in &mut exchange.findings {
        mask(finding, masker);
    }
}

/// Every text that a finding carries passes the masker.
fn mask(finding: &mut Finding, masker: &Masker) {
    let fixes = finding
        .fix
        .iter_mut()
        .flat_map(|fix| std::iter::once(&mut fix.label).chain(&mut fix.command));
    let texts = std::iter::once(&mut finding.summary)
        .chain(&mut finding.evidence)
        .chain(&mut finding.refuted_by);
    for text in texts.chain(fixes) {
        *text = masker.text(text);
    }
}

/// A declared hash that the bytes contradict is kept as declared, and said.
fn payload_hash(exchange: &mut Exchange, raw: &Raw) {
    let Some(received) = &exchange.received else {
        return;
    };
    let declared = received
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("x-amz-content-sha256"))
        .map(|(_, value)| value.as_str());
    let (Some(declared), Some(actual)) = (declared, raw.received.body_sha256) else {
        return;
    };
    let actual = hex(&actual);
    let known = exchange
        .findings
        .iter()
        .any(|finding| finding.code == "payload-hash-differs");
    if declared.len() != 64
        || declared == actual
        || known
        || raw.received.body_size == 0 && received.method == "HEAD"
    {
        return;
    }
    exchange.findings.push(Finding {
        code: "payload-hash-differs".to_owned(),
        grade: Grade::Computed,
        role: Role::Cause,
        summary: "x-amz-content-sha256 is not the hash of the body that arrived".to_owned(),
        evidence: vec![
            format!("declared {declared}"),
            format!("the body's is {actual}"),
        ],
        refuted_by: None,
        fix: vec![fix(
            "hash the bytes that are sent, after whatever changes them",
        )],
    });
    exchange.client.signature = ClientSignature::Invalid;
}

/// The code and message of the reply, in AWS's own words.
fn aws_said(exchange: &Exchange, role: Role) -> Option<Finding> {
    let reply = exchange
        .reply
        .as_ref()
        .filter(|reply| reply.from == ReplyFrom::Upstream)?;
    let worded = reply
        .error
        .as_ref()
        .filter(|error| error.code.is_some() || error.message.is_some());
    let Some(error) = worded else {
        return (reply.status >= 400 && role == Role::Cause).then(|| not_aws(reply));
    };
    let code = error
        .code
        .clone()
        .unwrap_or_else(|| reply.status.to_string());
    let summary = error
        .message
        .clone()
        .unwrap_or_else(|| "AWS gives no message".to_owned());
    let evidence = vec![format!("HTTP {} {code}: {summary}", reply.status)];
    Some(Finding {
        code,
        grade: Grade::AwsSaid,
        role,
        summary,
        evidence,
        refuted_by: None,
        fix: Vec::new(),
    })
}

/// Nothing in the reply is AWS's: who else may have made it, as far as its headers tell.
fn not_aws(reply: &Reply) -> Finding {
    let telling = [
        "server",
        "via",
        "x-cache",
        "proxy-authenticate",
        "content-type",
    ];
    let headers = reply
        .headers
        .iter()
        .filter(|(name, _)| telling.iter().any(|known| name.eq_ignore_ascii_case(known)));
    let mut evidence: Vec<String> = headers
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    if reply.request_id.is_none() {
        evidence.push("no request id of AWS's".to_owned());
    }
    Finding {
        code: "no-aws-error".to_owned(),
        grade: Grade::Undetermined,
        role: Role::Cause,
        summary: format!("HTTP {} without an error of AWS's form", reply.status),
        evidence,
        refuted_by: None,
        fix: vec![fix(
            "look at CALL RETURN: a proxy or a gateway may have answered instead of AWS",
        )],
    }
}

fn own_bug() -> Finding {
    Finding {
        code: "second-opinion-disagrees".to_owned(),
        grade: Grade::Computed,
        role: Role::Note,
        summary: "the independent signer makes another signature of this request: one of the two is wrong".to_owned(),
        evidence: Vec::new(),
        refuted_by: None,
        fix: vec![fix("report it as a bug of sigscope, with this exchange")],
    }
}

fn fix(label: &str) -> Fix {
    Fix {
        label: label.to_owned(),
        command: None,
        action: None,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// What authentication a raw head carries.
fn authentication(method: &str, target: &[u8], headers: &[(&[u8], &[u8])]) -> ClientAuth {
    client_auth(&RequestView {
        method,
        target,
        headers,
        payload: "",
    })
}
