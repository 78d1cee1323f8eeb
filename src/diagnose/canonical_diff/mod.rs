//! The canonical diff: AWS's own text in the reply against the text that was signed.
//!
//! ```text
//! reply ─► Echo: canonical request, string to sign ─┐
//! head as sent ─► canonicalise ─────────────────────┴─► differences ─► one sentence
//!                                                        none ─► the secret or its key
//! ```

mod echo;
mod parts;
mod words;

pub use echo::Echo;
pub use parts::{Component, Difference, differences, string_differences};

use super::scene::Scene;
use crate::capture::exchange::{Finding, Fix, Grade, Role};
use crate::secret::Wire;
use crate::secret::mask::Masker;
use crate::sigv4::{
    ALGORITHM, Canonical, RequestView, Rules, SigningKey, canonicalise, declared_payload,
    sha256_hex, string_to_sign,
};

/// The finding's code.
pub(super) const CODE: &str = "sig-mismatch-canonical-echo";
/// Bytes shown on each side of the first differing one.
const AROUND: usize = 32;

/// What AWS's text proves about a refused signature; `None` where the reply shows no text or
/// what was signed cannot be made again.
pub(super) fn finding(scene: &Scene<'_>, masker: &Masker) -> Option<Finding> {
    if scene.status < 400 {
        return None;
    }
    let echo = Echo::read(&scene.raw.reply.as_ref()?.body)?;
    let (canonical, to_sign) = ours(scene)?;
    let found = match (&echo.canonical_request, &echo.string_to_sign) {
        (Some(theirs), _) if theirs.as_slice() != canonical.text() => {
            differences(canonical.text(), theirs)
        }
        (_, Some(theirs)) => string_differences(&to_sign, &String::from_utf8_lossy(theirs)),
        _ => Vec::new(),
    };
    match found.first() {
        Some(first) => Some(differs(scene, masker, first, &found)),
        None if hash_differs(&echo, &to_sign) => None,
        None => Some(same(scene, &echo, &to_sign)),
    }
}

/// The text that follows from the head as sent.
fn ours(scene: &Scene<'_>) -> Option<(Canonical, String)> {
    let auth = scene.sigv4()?;
    let whole = |wire: &Wire| {
        let known = wire.body_sha256.map(|hash| super::hex(&hash));
        known.or_else(|| wire.complete.then(|| sha256_hex(&wire.body)))
    };
    let hash = scene
        .raw
        .sent
        .as_ref()
        .and_then(whole)
        .or_else(|| whole(&scene.raw.received));
    let target = scene.sent.target().as_bytes();
    let view = RequestView {
        method: scene.sent.method(),
        target,
        headers: &scene.sent.headers,
        payload: "",
    };
    let payload = declared_payload(&view, auth, hash.as_deref())?;
    let view = RequestView {
        payload: &payload,
        ..view
    };
    let canonical = canonicalise(
        &view,
        Rules::for_signing_name(&auth.scope.service),
        &auth.signed_headers,
    );
    let to_sign = string_to_sign(
        ALGORITHM,
        auth.amz_date.as_deref()?,
        &auth.scope,
        &canonical,
    );
    Some((canonical, to_sign))
}

/// Without AWS's canonical request only its hash can be compared.
fn hash_differs(echo: &Echo, to_sign: &str) -> bool {
    let last = |text: &str| text.rsplit('\n').next().unwrap_or_default().to_owned();
    let theirs = echo
        .string_to_sign
        .as_ref()
        .map(|text| last(&String::from_utf8_lossy(text)));
    echo.canonical_request.is_none() && theirs.is_some_and(|theirs| theirs != last(to_sign))
}

fn differs(scene: &Scene<'_>, masker: &Masker, first: &Difference, all: &[Difference]) -> Finding {
    let mut evidence = quoted(masker, first);
    evidence.push(format!(
        "first differing byte: {} of the text that was signed",
        first.at + 1
    ));
    evidence.extend(
        all.iter()
            .skip(1)
            .map(|other| format!("also: {}", other.says())),
    );
    let hint = if scene.resigned {
        "look at what stands between sigscope and AWS: the request changed on the way"
    } else {
        "look at what changes the request after the client has signed it"
    };
    Finding {
        code: CODE.to_owned(),
        grade: Grade::Computed,
        role: Role::Cause,
        summary: first.says(),
        evidence,
        refuted_by: None,
        fix: vec![
            Fix {
                label: hint.to_owned(),
                command: None,
                action: None,
            },
            Fix {
                label: "compare SIGNING with the text in CALL RETURN".to_owned(),
                command: None,
                action: None,
            },
        ],
    }
}

/// Both texts are equal: it is the secret, the key derived from it, or what the client signed.
fn same(scene: &Scene<'_>, echo: &Echo, to_sign: &str) -> Finding {
    let remade = || {
        let auth = scene.sigv4()?;
        let key = SigningKey::derive(scene.credentials()?, &auth.scope)?;
        Some(key.sign(to_sign.as_bytes()) == auth.signature)
    };
    let stray = super::catalogue::hygiene(scene);
    let (summary, refuted_by) = match remade() {
        Some(true) if stray.is_some() => (
            "stray characters came with the secret: AWS and we sign the same text, and our secret makes another \
             signature than AWS's",
            None,
        ),
        Some(true) => (
            "AWS has another secret for this access key id: both signed the same text, and our secret makes the \
             signature that was sent",
            None,
        ),
        Some(false) => (
            "the client signed another text or with another secret: AWS and we make the same text of what was sent, \
             and our secret makes another signature of it",
            None,
        ),
        None => (
            "AWS signed the same text as follows from the request: the secret or the key derived from it is another",
            Some("the client shows that it signed another text".to_owned()),
        ),
    };
    let mut evidence = vec!["AWS's text is equal to ours, byte for byte".to_owned()];
    if echo.canonical_request.is_none() {
        evidence = vec!["AWS's string to sign is equal to ours".to_owned()];
    }
    evidence.extend(stray);
    let profile = scene
        .profile()
        .and_then(super::catalogue::word)
        .unwrap_or_else(|| "PROFILE".to_owned());
    let prove = format!("aws sts get-caller-identity --profile {profile}");
    let write = format!("aws configure --profile {profile}");
    Finding {
        code: CODE.to_owned(),
        grade: if refuted_by.is_some() {
            Grade::Inferred
        } else {
            Grade::Computed
        },
        role: Role::Cause,
        summary: summary.to_owned(),
        evidence,
        refuted_by,
        fix: vec![
            Fix {
                label: "see whether key and secret belong together".to_owned(),
                command: Some(prove),
                action: None,
            },
            Fix {
                label: "write the pair anew".to_owned(),
                command: Some(write),
                action: None,
            },
        ],
    }
}

/// Both values around the first byte that differs, masked before they are cut: a piece of a
/// secret is not recognised as one.
fn quoted(masker: &Masker, difference: &Difference) -> Vec<String> {
    let masked = |value: &str| match &difference.component {
        Component::Header(name) => masker.header(name, value.as_bytes()).text.to_string(),
        Component::Query(name) => masker
            .target(format!("/?{name}={value}").as_bytes())
            .text
            .to_string(),
        Component::Path => masker.target(value.as_bytes()).text.to_string(),
        _ => masker.text(value),
    };
    let ours = difference.ours.as_deref().map(masked);
    let theirs = difference.theirs.as_deref().map(masked);
    let at = match (&ours, &theirs) {
        // A mask has no bytes of the value's to point at.
        (Some(ours), Some(theirs)) if !format!("{ours}{theirs}").contains('‹') => {
            parts::common(ours, theirs)
        }
        _ => 0,
    };
    let show = |value: &Option<String>| match value.as_deref() {
        None => "nothing".to_owned(),
        Some(value) if at == 0 && value.contains('‹') => value.to_owned(),
        Some(value) => window(value, at),
    };
    vec![
        format!("signed: {}", show(&ours)),
        format!("AWS saw: {}", show(&theirs)),
    ]
}

/// The neighbourhood of a byte, with the spot marked.
fn window(value: &str, at: usize) -> String {
    let at = value.floor_char_boundary(at);
    let from = value.floor_char_boundary(at.saturating_sub(AROUND));
    let to = value.ceil_char_boundary((at + AROUND).min(value.len()));
    let (front, back) = (&value[from..at], &value[at..to]);
    let (start, end) = (
        if from > 0 { "…" } else { "" },
        if to < value.len() { "…" } else { "" },
    );
    format!("{start}{front}▸{back}{end}")
}
