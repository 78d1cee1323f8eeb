//! What the request itself gives away, before any search: its scope against its host and date,
//! its instant against the clock, its key against its token, its declared hash against its body.

use std::time::{Duration, SystemTime};

use super::super::{AmzDate, Scope};
use super::facts::Facts;
use super::mistakes::declared_mistakes;
use crate::aws::{self, Flavour, Service};

/// The widest skew that any service accepts.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// A mistake that needs no proof but the request, and what it rests on.
pub(super) struct Declared {
    /// The first is the cause, the others fit as well.
    pub(super) codes: Vec<&'static str>,
    pub(super) evidence: Vec<String>,
    /// Not another name of the same, but its wider class.
    pub(super) wider: Option<&'static str>,
}

pub(super) fn declared(facts: &Facts<'_>, now: Option<SystemTime>) -> Vec<Declared> {
    let mut out = Out(Vec::new());
    if let Some((label, _)) = facts.claim.unescaped {
        out.add(
            label,
            vec!["the parameters can be read once the query is unescaped".to_owned()],
        );
    }
    scope(facts, &mut out);
    dates(facts, now, &mut out);
    tokens(facts, &mut out);
    payload(facts, &mut out);
    out.0
}

struct Out(Vec<Declared>);

impl Out {
    fn add(&mut self, code: &'static str, evidence: Vec<String>) {
        self.0.push(Declared {
            codes: vec![code],
            evidence,
            wider: None,
        });
    }
}

fn scope(facts: &Facts<'_>, out: &mut Out) {
    let claim = &facts.claim;
    let evidence = |what: &str| {
        vec![
            format!("credential scope {}", claim.scope()),
            what.to_owned(),
        ]
    };
    if claim.terminator != Scope::TERMINATOR {
        out.add(
            "scope-terminator-wrong",
            evidence("it has to end with aws4_request"),
        );
    }
    if claim.amz_date.get(..8).is_some_and(|day| day != claim.date) {
        out.add(
            "scope-date-yesterday",
            evidence(&format!("X-Amz-Date {}", claim.amz_date)),
        );
    }
    if let Some(code) = region(facts) {
        out.add(code, evidence(&format!("host {}", facts.host)));
    }
    if let Some(code) = service(facts) {
        out.add(code, evidence(&format!("host {}", facts.host)));
    }
}

/// What is wrong with the scope's region.
fn region(facts: &Facts<'_>) -> Option<&'static str> {
    let region = facts.claim.region.as_str();
    if aws::region_exists(region) {
        let at = facts.at.as_ref()?;
        let right = at.region.as_deref()?;
        // A global name of S3 leads to every region.
        let open = at.flavour == Flavour::Accelerate
            || (facts.s3 && at.flavour != Flavour::Regional && !facts.host.contains(right));
        return (right != region && !open).then_some("scope-wrong-region");
    }
    let lower = region.to_ascii_lowercase();
    let zone = region.strip_suffix(|c: char| c.is_ascii_lowercase());
    if lower != region && aws::region_exists(&lower) {
        Some("scope-region-uppercase")
    } else if region.contains('_') && aws::region_exists(&lower.replace('_', "-")) {
        Some("scope-region-underscore")
    } else if zone.is_some_and(aws::region_exists) {
        Some("scope-region-availability-zone")
    } else if region.ends_with("-global") || region == "global" {
        Some("scope-region-aws-global")
    } else if is_service(facts, &lower) {
        Some("scope-region-is-service")
    } else {
        // A name that is none of AWS's may be a look-alike's own.
        facts
            .at
            .as_ref()?
            .region
            .as_deref()
            .filter(|right| *right != region)
            .map(|_| "scope-wrong-region")
    }
}

fn is_service(facts: &Facts<'_>, name: &str) -> bool {
    name == facts.claim.service
        || aws::service(name).is_some()
        || !aws::services_signing_as(name).is_empty()
        || aws::services()
            .iter()
            .any(|service| service.endpoint_prefix == name)
}

/// What is wrong with the scope's service.
fn service(facts: &Facts<'_>) -> Option<&'static str> {
    let service = facts.claim.service.as_str();
    let lower = service.to_ascii_lowercase();
    let at = facts.at.as_ref();
    let here: &[&Service] = at.map_or(&[], |at| at.services);
    let mut right: Vec<&str> = here
        .iter()
        .flat_map(|service| service.signing_names())
        .collect();
    right.extend(at.and_then(|at| at.signing_name));
    if right.contains(&service) {
        return None;
    }
    if lower != service
        && (right.contains(&&*lower) || !aws::services_signing_as(&lower).is_empty())
    {
        return Some("scope-service-uppercase");
    }
    if right.is_empty() || (facts.s3 && service == "s3express") {
        return None;
    }
    let prefix = |known: &&Service| known.endpoint_prefix == lower || known.name == lower;
    let first = facts.host.split('.').next() == Some(service);
    Some(if here.iter().any(prefix) || first {
        "scope-service-endpoint-prefix"
    } else {
        "scope-service-wrong"
    })
}

fn dates(facts: &Facts<'_>, now: Option<SystemTime>, out: &mut Out) {
    let Some((signed, now)) = AmzDate::parse(&facts.claim.amz_date).zip(now) else {
        return;
    };
    let evidence = |what: String| {
        let arrived = AmzDate::new(now);
        let arrived = arrived.as_ref().map_or("?", AmzDate::as_str);
        vec![
            format!("X-Amz-Date {}", facts.claim.amz_date),
            format!("arrived {arrived}"),
            what,
        ]
    };
    if let Ok(ahead) = signed.duration_since(now)
        && ahead > WINDOW
    {
        let seconds = ahead.as_secs();
        // Zones differ by whole quarters of an hour; a real client adds seconds of its own.
        let off = (seconds + 120) % 1800;
        let code = if off <= 240 {
            "clock-ahead-local-time"
        } else {
            "clock-ahead"
        };
        out.add(code, evidence(format!("{seconds} s ahead")));
        return;
    }
    let Ok(age) = now.duration_since(signed) else {
        return;
    };
    if facts.presigned {
        let expires = facts
            .claim
            .expires
            .as_deref()
            .and_then(|text| text.parse::<u64>().ok());
        if let Some(expires) = expires.filter(|expires| age.as_secs() > *expires) {
            let over = age.as_secs() - expires;
            out.add(
                "presign-expired",
                evidence(format!("it lived {expires} s and is over since {over} s")),
            );
        }
    } else if age > WINDOW {
        out.add(
            "clock-behind",
            evidence(format!("{} s behind", age.as_secs())),
        );
    }
}

fn tokens(facts: &Facts<'_>, out: &mut Out) {
    const TOKEN: &str = "x-amz-security-token";
    const HASH: &str = "x-amz-content-sha256";
    let in_query = facts.query.as_deref().is_some_and(|query| {
        super::super::query::pairs_of(query)
            .any(|pair| super::super::query::is_named(pair, "X-Amz-Security-Token"))
    });
    let in_header = facts.value(TOKEN).is_some();
    let session = facts.value("x-amz-s3session-token").is_some();
    let named = facts.claim.signs(TOKEN);
    if facts.claim.access_key_id.starts_with("ASIA")
        && !in_query
        && !in_header
        && !session
        && !named
    {
        out.add(
            "asia-without-token",
            vec!["the key id begins with ASIA, and no session token is there".to_owned()],
        );
    }
    if in_header && !named && facts.rules.token_signed {
        out.add(
            "token-not-signed",
            vec![format!("{TOKEN} is sent and not in SignedHeaders")],
        );
    }
    if facts.value(HASH).is_some() && !facts.claim.signs(HASH) && !facts.presigned {
        out.add(
            "content-sha256-not-signed",
            vec![format!("{HASH} is sent and not in SignedHeaders")],
        );
    }
}

fn payload(facts: &Facts<'_>, out: &mut Out) {
    const WIDER: &str = "body-changed-hash-header";
    let mut codes = declared_mistakes(facts);
    if codes.is_empty() {
        return;
    }
    let wider = codes.len() > 1 && codes.contains(&WIDER);
    if wider {
        codes.retain(|code| *code != WIDER);
    }
    let body = super::super::sha256_hex(facts.body.unwrap_or_default());
    let declared = facts.declared.as_deref().unwrap_or_default();
    // A "hash" may be the body itself.
    let shown = if declared.len() <= 88 {
        declared
    } else {
        "longer than any hash"
    };
    let evidence = vec![
        format!("x-amz-content-sha256: {shown}"),
        format!("SHA-256 of the body: {body}"),
    ];
    out.0.push(Declared {
        codes,
        evidence,
        wider: wider.then_some(WIDER),
    });
}
