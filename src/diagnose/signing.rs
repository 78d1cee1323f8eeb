//! Findings about a client's own signature: what is proved becomes a cause with its evidence.

use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use crate::capture::exchange::{Finding, Fix, Grade, Role};
use crate::secret::Credentials;
use crate::secret::mask::Masker;
use crate::sigv4::forensics::{Case, Cause, Claim, Depth, Label, Part, Report, investigate};

/// Tells which label stands for a signature that nothing explains.
pub const UNDETERMINED: &str = "signature-undetermined";

/// A request as it arrived, whose signature did not verify.
pub struct Arrived<'a> {
    /// Request line and header lines, as sent.
    pub head: &'a [u8],
    /// All of the body; `None` where it was not kept whole.
    pub body: Option<&'a [u8]>,
    /// The body's hash, where it is known.
    pub body_sha256: Option<&'a str>,
    /// What is held for its key id.
    pub credentials: &'a Credentials,
    /// When.
    pub at: SystemTime,
}

/// Searches for what gives the signature of a request; masked findings. Up to half a second of
/// one core: never where an exchange or its record waits.
pub fn client_signature(arrived: &Arrived<'_>, masker: &Masker, stop: &AtomicBool) -> Vec<Finding> {
    let mut lines = arrived
        .head
        .split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut words = lines.next().unwrap_or_default().splitn(3, |b| *b == b' ');
    let (Some(method), Some(target)) = (
        words.next().and_then(|m| std::str::from_utf8(m).ok()),
        words.next(),
    ) else {
        return Vec::new();
    };
    let headers: Vec<(&[u8], &[u8])> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_at_checked(memchr::memchr(b':', line)?))
        .map(|(name, value)| (name, value[1..].strip_prefix(b" ").unwrap_or(&value[1..])))
        .collect();
    let Ok(claim) = Claim::read(target, &headers) else {
        return Vec::new();
    };
    let case = Case {
        method,
        target,
        headers: &headers,
        body: arrived.body,
        body_sha256: arrived.body_sha256,
        credentials: Some(arrived.credentials),
        received_at: Some(arrived.at),
        content_range: None,
    };
    let mut found = findings(&investigate(&case, claim, Depth::Pairs, stop));
    for finding in &mut found {
        finding.summary = masker.text(&finding.summary);
        for line in &mut finding.evidence {
            *line = masker.text(line);
        }
    }
    found
}

/// The findings of a report. Their texts quote the request: they are to be masked.
pub fn findings(report: &Report) -> Vec<Finding> {
    let mut out: Vec<Finding> = report
        .causes
        .iter()
        .map(|cause| finding(cause, report))
        .collect();
    if report.undetermined {
        out.push(undetermined(report));
    }
    out.extend(report.absent.iter().map(|name| absent(name)));
    out
}

fn finding(cause: &Cause, report: &Report) -> Finding {
    let Label { code, sentence, .. } = cause.label;
    let mut evidence = cause.evidence.clone();
    if !cause.declared && cause.part != Part::Note {
        evidence.push("signed so, the signature is the one that was sent".to_owned());
    }
    let refuted_by = match (cause.part, cause.declared) {
        (Part::Note, _) => None,
        (_, true) => Some("what is compared here was changed before it came here".to_owned()),
        (Part::Alias, false) => {
            Some("a request in which the two differ: this one gives the same bytes as the cause".to_owned())
        }
        (Part::Cause, false) => Some(
            "nothing short of a collision of HMAC-SHA256; it proves what was signed, not who changed it".to_owned(),
        ),
    };
    Finding {
        code: (*code).to_owned(),
        grade: Grade::Computed,
        role: match cause.part {
            Part::Cause => Role::Cause,
            Part::Alias => Role::Alias,
            Part::Note => Role::Note,
        },
        summary: capital(sentence),
        evidence,
        refuted_by,
        fix: vec![fix(cause.label, report)],
    }
}

fn fix(label: &Label, report: &Report) -> Fix {
    let command = label.command.map(|command| match &report.region {
        Some(region) => command.replace("{region}", region),
        None => command.replace(" {region}", ""),
    });
    Fix {
        label: label.fix.to_owned(),
        command,
        action: None,
    }
}

fn undetermined(report: &Report) -> Finding {
    let searched = if report.pairs {
        "alone and in pairs"
    } else {
        "one at a time"
    };
    Finding {
        code: UNDETERMINED.to_owned(),
        grade: Grade::Undetermined,
        role: Role::Cause,
        summary: "The signature is not that of this request under the secret that is held, and no known mistake explains it"
            .to_owned(),
        evidence: vec![format!("{} strings tried, known mistakes {searched}", report.evaluations)],
        refuted_by: None,
        fix: vec![Fix {
            label: "another secret, or a body or header replaced after signing, remain: compare the client's debug log of its canonical request"
                .to_owned(),
            command: Some("sigscope explain --mine FILE REQUEST".to_owned()),
            action: None,
        }],
    }
}

fn absent(name: &str) -> Finding {
    Finding {
        code: "signed-header-absent".to_owned(),
        grade: Grade::Computed,
        role: Role::Note,
        summary: format!("`{name}` is named in SignedHeaders and is not among the headers"),
        evidence: Vec::new(),
        refuted_by: None,
        fix: vec![Fix {
            label: "find what takes it away, or leave it out of the signed headers".to_owned(),
            command: None,
            action: None,
        }],
    }
}

/// Capital first, unless the sentence begins with a name.
fn capital(sentence: &str) -> String {
    let first = sentence.split(' ').next().unwrap_or_default();
    let mut letters = sentence.chars();
    match letters.next() {
        Some(letter) if first.chars().all(|c| c.is_ascii_lowercase() || c == ',') => {
            letter.to_uppercase().chain(letters).collect()
        }
        _ => sentence.to_owned(),
    }
}
