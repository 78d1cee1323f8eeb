//! Findings about a client's own signature: what is proved becomes a cause with its evidence.

use crate::capture::exchange::{Finding, Fix, Grade, Role};
use crate::sigv4::forensics::{Cause, Label, Part, Report};

/// Tells which label stands for a signature that nothing explains.
pub const UNDETERMINED: &str = "signature-undetermined";

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

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
