//! A request on its own, explained: what AWS computes for it, whether its signature is right,
//! and if not, why. Offline.
//!
//! ```text
//! text ─► read ─► Request ─┬─ signed ──► forensics ─► findings ─┐
//!                          └─ unsigned ─► sign ─────────────────┴─► masked Answer
//! ```

pub mod mine;
pub mod read;
mod sign;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use serde::Serialize;

pub use read::{Entry, Reply, Request};
pub use sign::SignOptions;

use crate::capture::exchange::{Finding, Fix, Grade, Role};
use crate::diagnose::signing;
use crate::secret::mask::{Kind, Masker};
use crate::secret::{Credentials, Secret};
use crate::sigv4::forensics::{Case, Claim, Depth, investigate};
use crate::sigv4::{ALGORITHM, ClientAuth, Header, RequestView, client_auth};

/// What is computed for one request; every key always present.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Answer {
    /// Echoed back from a JSON line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<serde_json::Value>,
    /// `AWS4-HMAC-SHA256`; `None` where nothing could be signed or verified.
    pub algorithm: Option<String>,
    /// As sent, or as signed here.
    pub credential_scope: Option<String>,
    /// What AWS computes; session tokens masked.
    pub canonical_request: Option<String>,
    /// What AWS computes.
    pub string_to_sign: Option<String>,
    /// What AWS computes, in full; `None` without a secret.
    pub signature: Option<String>,
    /// The one in the request, in full.
    pub signature_sent: Option<String>,
    /// Lower case, sorted.
    pub signed_headers: Vec<String>,
    /// Of the signature alone.
    pub verdict: Verdict,
    /// What is wrong, likeliest first. Masked.
    pub findings: Vec<Finding>,
}

/// Of the signature alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is the one that AWS computes for the scope that is declared.
    Valid,
    /// It is not.
    Invalid,
    /// There is none.
    #[default]
    Unsigned,
    /// The secret of its key id is not held.
    UnknownKey,
}

/// Finds the credentials of a key id.
pub type Keys<'k> = &'k dyn Fn(&str) -> Option<Arc<Credentials>>;

/// What explaining needs from outside.
pub struct Context<'c> {
    /// Who holds the secret of a key id.
    pub keys: Keys<'c>,
    /// Who signs what is unsigned.
    pub signer: Option<Arc<Credentials>>,
    /// How.
    pub sign: &'c SignOptions,
    /// Hides what findings and strings quote.
    pub masker: &'c Masker,
    /// The instant against which a request is judged that does not say when it arrived, and
    /// at which an unsigned one is signed.
    pub now: SystemTime,
}

/// Explains one request.
pub fn explain(entry: &Entry, context: &Context<'_>) -> Result<Answer, String> {
    let headers: Vec<Header<'_>> = entry
        .request
        .headers
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
        .collect();
    let view = RequestView {
        method: &entry.request.method,
        target: &entry.request.target,
        headers: &headers,
        payload: "",
    };
    let tokens = tokens(&view);
    for token in &tokens {
        context.masker.learn(
            &Secret::new(token.as_slice()),
            Kind::SessionToken,
            "this request",
        );
    }
    let mut answer = match Claim::read(view.target, &headers) {
        Ok(claim) => signed(entry, &headers, claim, &tokens, context),
        Err(why) => match client_auth(&view) {
            ClientAuth::None => sign::unsigned(entry, &view, context)?,
            ref auth => foreign(auth, why),
        },
    };
    if let Some(reply) = &entry.reply {
        answer.findings.extend(said(reply));
    }
    for finding in &mut answer.findings {
        finding.summary = context.masker.text(&finding.summary);
        for line in &mut finding.evidence {
            *line = context.masker.text(line);
        }
    }
    answer.id.clone_from(&entry.id);
    Ok(answer)
}

/// The session tokens of a request; findings and strings that quote one hide it by its value.
fn tokens(view: &RequestView<'_>) -> Vec<Vec<u8>> {
    let mut tokens = Vec::new();
    for name in ["x-amz-security-token", "x-amz-s3session-token"] {
        tokens.extend(view.header(name).map(<[u8]>::to_vec));
        let param = view
            .query()
            .and_then(|query| crate::sigv4::query_param(query, name));
        tokens.extend(param.map(String::into_bytes));
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

/// A canonical request without its tokens. Key ids and everything else stay: it is what AWS
/// computes.
fn without_tokens(text: &[u8], tokens: &[Vec<u8>], masker: &Masker) -> String {
    let mut text = String::from_utf8_lossy(text).into_owned();
    for token in tokens {
        let mask = masker.header("x-amz-security-token", token).text;
        let mut canonical = Vec::new();
        crate::sigv4::canonical_value(token, &mut canonical);
        let mut escaped = Vec::new();
        crate::sigv4::encode(token, None, &mut escaped);
        for form in [token, &canonical, &escaped] {
            text = text.replace(&*String::from_utf8_lossy(form), &mask);
        }
    }
    text
}

fn signed(
    entry: &Entry,
    headers: &[Header<'_>],
    claim: Claim,
    tokens: &[Vec<u8>],
    context: &Context<'_>,
) -> Answer {
    let held = (context.keys)(&claim.access_key_id);
    let case = Case {
        method: &entry.request.method,
        target: &entry.request.target,
        headers,
        body: entry.request.body.as_deref(),
        body_sha256: None,
        credentials: held.as_deref(),
        received_at: Some(entry.received_at.unwrap_or(context.now)),
        content_range: entry
            .reply
            .as_ref()
            .and_then(|reply| reply.header("content-range")),
    };
    let (scope, sent) = (claim.scope(), claim.signature.clone());
    let report = investigate(&case, claim, Depth::Pairs, &AtomicBool::new(false));
    let verdict = match (held.is_some(), report.valid) {
        (false, _) => Verdict::UnknownKey,
        (true, true) => Verdict::Valid,
        (true, false) => Verdict::Invalid,
    };
    Answer {
        id: None,
        algorithm: Some(ALGORITHM.to_owned()),
        credential_scope: Some(scope),
        canonical_request: Some(without_tokens(
            &report.canonical_request,
            tokens,
            context.masker,
        )),
        string_to_sign: Some(report.string_to_sign.clone()),
        signature: Some(report.signature.clone()).filter(|signature| !signature.is_empty()),
        signature_sent: Some(sent),
        signed_headers: report.signed_headers.clone(),
        verdict,
        findings: signing::findings(&report),
    }
}

/// Authentication that is no Signature Version 4 that can be read.
fn foreign(auth: &ClientAuth, why: &str) -> Answer {
    let (verdict, grade, code, summary) = match auth {
        ClientAuth::SigV2 { .. } => (
            Verdict::UnknownKey,
            Grade::Computed,
            "signature-version-2",
            "Signed with Signature Version 2, which most regions refuse".to_owned(),
        ),
        ClientAuth::SigV4a(_) => (
            Verdict::UnknownKey,
            Grade::Undetermined,
            "signature-version-4a",
            "Signed with Signature Version 4a, which is not verified here yet".to_owned(),
        ),
        ClientAuth::Malformed { .. } => (
            Verdict::Invalid,
            Grade::Computed,
            "client-authorization-malformed",
            format!("The authentication cannot be read: {why}"),
        ),
        ClientAuth::Both => (
            Verdict::Invalid,
            Grade::Computed,
            "client-authorization-twice",
            "There is a signature in the header and another one in the query, which AWS refuses"
                .to_owned(),
        ),
        _ => (
            Verdict::Unsigned,
            Grade::Computed,
            "foreign-authentication",
            "The request carries authentication that is not AWS's signature".to_owned(),
        ),
    };
    let fix = Fix {
        label: "mend how the client authenticates".to_owned(),
        command: None,
        action: None,
    };
    let finding = Finding {
        code: code.to_owned(),
        grade,
        role: Role::Cause,
        summary,
        evidence: Vec::new(),
        refuted_by: None,
        fix: vec![fix],
    };
    Answer {
        verdict,
        findings: vec![finding],
        ..Answer::default()
    }
}

/// What the reply says in its own words.
fn said(reply: &Reply) -> Option<Finding> {
    if reply.status < 400 {
        return None;
    }
    let error = crate::aws::error::parse(reply.status, &|name| reply.header(name), &reply.body)?;
    let code = error.code?;
    let summary = error
        .message
        .unwrap_or_else(|| "AWS gives no message".to_owned());
    Some(Finding {
        evidence: vec![format!("HTTP {} {code}: {summary}", reply.status)],
        code,
        grade: Grade::AwsSaid,
        role: Role::Note,
        summary,
        refuted_by: None,
        fix: Vec::new(),
    })
}
