//! An explanation as text.

use std::fmt::Write;

use crate::capture::exchange::{Finding, Grade, Role};
use crate::explain::mine::Difference;
use crate::explain::{Answer, Verdict};
use crate::sigv4::forensics::Label;

/// The verdict first, then the causes, then what was computed.
pub(crate) fn answer(answer: &Answer) -> String {
    let mut out = match answer.verdict {
        Verdict::Valid => "The signature is valid.\n",
        Verdict::Invalid => "The signature is not valid.\n",
        Verdict::Unsigned => "The request is not signed.\n",
        Verdict::UnknownKey => {
            "The secret of its key id is not held: the signature cannot be verified.\n"
        }
    }
    .to_owned();
    for finding in &answer.findings {
        out.push('\n');
        out.push_str(&one(finding));
    }
    let mut part = |name: &str, text: &Option<String>| {
        if let Some(text) = text {
            let text = text.replace('\n', "\n  ");
            let _ = write!(out, "\n{name}\n  {text}\n");
        }
    };
    part("canonical request", &answer.canonical_request);
    part("string to sign", &answer.string_to_sign);
    part("signature", &answer.signature);
    part("signature sent", &answer.signature_sent);
    out
}

fn one(finding: &Finding) -> String {
    let grade = match finding.grade {
        Grade::AwsSaid => "AWS said",
        Grade::Computed => "computed",
        Grade::Inferred => "inferred",
        Grade::Undetermined => "undetermined",
    };
    let role = match finding.role {
        Role::Cause => "",
        Role::Alias => ", gives the same bytes",
        Role::Note => ", note",
    };
    let mut out = format!(
        "{} ({grade}{role})\n  {}.\n",
        finding.code,
        finding.summary.trim_end_matches('.')
    );
    for line in &finding.evidence {
        let _ = writeln!(out, "    {line}");
    }
    if let Some(refuted_by) = &finding.refuted_by {
        let _ = writeln!(out, "  refuted by: {refuted_by}");
    }
    for fix in &finding.fix {
        let _ = writeln!(out, "  fix: {}", fix.label);
        if let Some(command) = &fix.command {
            let _ = writeln!(out, "       $ {command}");
        }
    }
    out
}

/// All codes, a line each.
pub(crate) fn list() -> String {
    let mut labels: Vec<&Label> = Label::all().iter().collect();
    labels.sort_by_key(|label| label.code);
    let width = labels
        .iter()
        .map(|label| label.code.len())
        .max()
        .unwrap_or(0);
    labels
        .iter()
        .map(|label| format!("{:width$}  {}\n", label.code, label.sentence))
        .collect()
}

/// One code, documented.
pub(crate) fn label(label: &Label) -> String {
    let mut out = format!(
        "{}\n\n  {}.\n\n  step of signing: {}\n",
        label.code, label.sentence, label.class
    );
    if !label.fix.is_empty() {
        let _ = writeln!(out, "  fix: {}", label.fix);
    }
    if let Some(command) = label.command {
        let _ = writeln!(out, "       $ {command}");
    }
    out
}

/// A program's own text against ours.
pub(crate) fn difference(difference: Option<&Difference>) -> String {
    let Some(difference) = difference else {
        return "\nnothing was computed to compare with: the request is not signed and no profile signs it\n".to_owned();
    };
    let Some(place) = &difference.at else {
        return format!(
            "\nyour {} is the one that AWS computes: if the signature differs, the secret or the key derivation does\n",
            difference.what
        );
    };
    let line = |text: &Option<String>| {
        text.clone()
            .unwrap_or_else(|| "(no such line)".to_owned())
            .escape_debug()
            .to_string()
    };
    format!(
        "\nyour {} differs first at line {}, byte {}: {}\n  yours  {}\n  AWS's  {}\n",
        difference.what,
        place.line,
        place.column,
        place.part,
        line(&place.mine),
        line(&place.aws)
    )
}
