//! The panes of the reasons: what was signed, why it failed, how long it took.

use super::{Document, Line, Tone, message::fault};
use crate::{
    capture::{
        Exchange,
        exchange::{
            ChangeAction, ClientSignature, Finding, Fix, Grade, Role, SecondOpinion, Signing,
        },
    },
    tui::text::lex::Syntax,
};

/// A name and its value, in two columns.
fn fact(document: &mut Document, name: &str, value: &str) {
    document.push(
        Line::of(Tone::Key, &format!("{name:<15}"))
            .with(Tone::Text, value)
            .hanging(15)
            .copies(value),
    );
}

fn maybe(document: &mut Document, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        fact(document, name, value);
    }
}

pub(crate) fn signing(exchange: &Exchange) -> Document {
    let mut document = Document::default();
    client(&mut document, exchange);
    if let Some(identity) = &exchange.identity {
        maybe(&mut document, "signed as", identity.profile.as_ref());
        maybe(&mut document, "key id", identity.access_key_id.as_ref());
        maybe(&mut document, "account", identity.account.as_ref());
        maybe(&mut document, "expires", identity.expires_at.as_ref());
        if !identity.chain.is_empty() {
            fact(&mut document, "credentials", &identity.chain.join(" → "));
        }
    }
    let Some(sent) = &exchange.sent else {
        document.push(Line::of(
            Tone::Muted,
            "Nothing was signed: nothing went upstream.",
        ));
        route(&mut document, exchange);
        return document;
    };
    let signing = &sent.signing;
    fact(&mut document, "mode", &signing.mode);
    maybe(&mut document, "algorithm", signing.algorithm.as_ref());
    maybe(&mut document, "scope", signing.credential_scope.as_ref());
    if !signing.signed_headers.is_empty() {
        fact(
            &mut document,
            "signed headers",
            &signing.signed_headers.join(";"),
        );
    }
    maybe(&mut document, "signature", signing.signature.as_ref());
    second_opinion(&mut document, signing.second_opinion);
    changes(&mut document, signing);
    let texts = [
        ("canonical request", &signing.canonical_request),
        ("string to sign", &signing.string_to_sign),
    ];
    for (title, text) in texts {
        if let Some(text) = text {
            document.heading(title);
            document.block(text, Syntax::Canonical);
        }
    }
    route(&mut document, exchange);
    document
}

fn client(document: &mut Document, exchange: &Exchange) {
    let verdict = match exchange.client.signature {
        ClientSignature::None => (Tone::Muted, "it sent no signature"),
        ClientSignature::Valid => (Tone::Ok, "✓ valid"),
        ClientSignature::Invalid => (Tone::Error, "✗ invalid: it does not match what arrived"),
        ClientSignature::UnknownKey => (Tone::Warning, "? signed with a key that we do not hold"),
    };
    let mut line =
        Line::of(Tone::Key, &format!("{:<15}", "client's own")).with(verdict.0, verdict.1);
    if let Some(key) = &exchange.client.access_key_id {
        line = line.with(Tone::Muted, "  ").with(Tone::Text, key);
    }
    if let Some(lane) = &exchange.client.lane {
        line = line.with(Tone::Muted, "  lane of ").with(Tone::Text, lane);
    }
    document.push(line.hanging(15));
}

fn second_opinion(document: &mut Document, opinion: SecondOpinion) {
    let (tone, text) = match opinion {
        SecondOpinion::Agrees => (Tone::Ok, "✓ aws-sigv4 computes the same signature"),
        SecondOpinion::Disagrees => (Tone::Error, "✗ aws-sigv4 computes another signature"),
        SecondOpinion::KnownDifference => (Tone::Warning, "~ aws-sigv4 differs here, as is known"),
        SecondOpinion::NotAsked => (Tone::Muted, "asked for failed exchanges only"),
    };
    document.push(
        Line::of(Tone::Key, &format!("{:<15}", "second opinion"))
            .with(tone, text)
            .hanging(15),
    );
}

fn changes(document: &mut Document, signing: &Signing) {
    if signing.changes.is_empty() {
        return;
    }
    document.heading("changed on the way");
    for change in &signing.changes {
        let (mark, tone, word) = match change.action {
            ChangeAction::Stripped => ("− ", Tone::Error, "stripped  "),
            ChangeAction::Added => ("+ ", Tone::Ok, "added     "),
            ChangeAction::Rewritten => ("~ ", Tone::Changed, "rewritten "),
            ChangeAction::Noted => ("! ", Tone::Warning, "noted     "),
        };
        document.push(
            Line::of(tone, mark)
                .with(tone, word)
                .with(Tone::Key, &change.what)
                .with(Tone::Muted, "  ")
                .with(Tone::Text, &change.why)
                .hanging(12),
        );
    }
}

fn route(document: &mut Document, exchange: &Exchange) {
    let Some(route) = &exchange.route else {
        return;
    };
    document.heading("how it was routed");
    maybe(document, "upstream", route.upstream.as_ref());
    maybe(document, "IAM action", route.iam_action.as_ref());
    for how in &route.how {
        document.push(
            Line::of(Tone::Key, &format!("{:<15}", how.field))
                .with(Tone::Muted, "from ")
                .with(Tone::Text, &how.from)
                .with(Tone::Muted, "  ")
                .with(Tone::Text, &how.evidence)
                .hanging(15),
        );
    }
}

pub(crate) fn why(exchange: &Exchange) -> Document {
    let mut document = Document::default();
    fault(&mut document, exchange);
    if exchange.client.signature == ClientSignature::Invalid {
        document.push(Line::of(
            Tone::Error,
            "✗ The client's own signature does not match what arrived.",
        ));
        let text = "sigscope signed the request again, so AWS's answer says nothing about the \
                    client. Without sigscope AWS would have refused it.";
        document.push(Line::of(Tone::Text, text).hanging(2));
        document.gap();
    }
    let rank = |finding: &Finding| match finding.role {
        Role::Cause => 0,
        Role::Alias => 1,
        Role::Note => 2,
    };
    let mut findings: Vec<&Finding> = exchange.findings.iter().collect();
    findings.sort_by_key(|finding| rank(finding));
    for entry in findings {
        finding(&mut document, entry);
    }
    if document.is_empty() {
        nothing_found(&mut document, exchange);
    }
    document
}

fn finding(document: &mut Document, finding: &Finding) {
    let (mark, tone) = match finding.role {
        Role::Cause => ("✗ ", Tone::Error),
        Role::Alias => ("= ", Tone::Warning),
        Role::Note => ("· ", Tone::Accent),
    };
    document.push(
        Line::of(tone, mark)
            .with(Tone::Heading, &finding.summary)
            .hanging(2)
            .copies(&finding.summary),
    );
    let grade = match finding.grade {
        Grade::AwsSaid => "AWS said so",
        Grade::Computed => "computed from the bytes",
        Grade::Inferred => "inferred",
        Grade::Undetermined => "undetermined",
    };
    document.push(
        Line::of(Tone::Text, "  ")
            .with(Tone::Accent, &finding.code)
            .with(Tone::Muted, "  ")
            .with(Tone::Muted, grade)
            .copies(&finding.code),
    );
    for evidence in &finding.evidence {
        for line in evidence.lines() {
            document.push(
                Line::of(Tone::Muted, "  │ ")
                    .with(Tone::Text, line)
                    .hanging(4)
                    .copies(line),
            );
        }
    }
    if let Some(refuted) = &finding.refuted_by {
        document.push(
            Line::of(Tone::Muted, "  wrong if ")
                .with(Tone::Text, refuted)
                .hanging(11),
        );
    }
    for entry in &finding.fix {
        fix(document, entry);
    }
    document.gap();
}

fn fix(document: &mut Document, fix: &Fix) {
    document.push(
        Line::of(Tone::Ok, "  → ")
            .with(Tone::Text, &fix.label)
            .hanging(4),
    );
    if let Some(command) = &fix.command {
        document.push(
            Line::of(Tone::Muted, "    $ ")
                .with(Tone::Str, command)
                .hanging(6)
                .copies(command),
        );
    }
}

fn nothing_found(document: &mut Document, exchange: &Exchange) {
    let reply = exchange.reply.as_ref();
    match reply {
        Some(reply) if reply.status >= 400 || reply.error.is_some() => {
            let error = reply.error.as_ref();
            let code = error.and_then(|e| e.code.as_deref()).unwrap_or("no code");
            let text = format!("✗ AWS answered {} with {code}.", reply.status);
            document.push(Line::of(Tone::Error, &text));
            if let Some(message) = error.and_then(|e| e.message.as_deref()) {
                document.push(Line::of(Tone::Text, message).hanging(2));
            }
            document.push(Line::of(Tone::Muted, "Nothing more is known yet."));
        }
        Some(reply) => {
            let text = format!("✓ Nothing went wrong: AWS answered {}.", reply.status);
            document.push(Line::of(Tone::Ok, &text));
        }
        None => document.push(Line::of(Tone::Muted, "No reply yet.")),
    }
}

/// Cells of the longest bar.
const BAR: u64 = 32;

pub(crate) fn timing(exchange: &Exchange) -> Document {
    let mut document = Document::default();
    let t = exchange.timing_us;
    let Some(total) = t.total.or(t.first_byte) else {
        document.push(Line::of(Tone::Muted, "Not finished yet."));
        return document;
    };
    let known = [t.held, t.credentials, t.sign, t.connect];
    let before: u64 = known.iter().flatten().sum();
    let steps = [
        ("held", t.held, "by the operator"),
        ("credentials", t.credentials, "waiting for them"),
        ("sign", t.sign, "canonicalise and sign"),
        (
            "connect",
            t.connect,
            "with TLS; a reused connection has none",
        ),
        (
            "wait",
            t.first_byte.map(|first| first.saturating_sub(before)),
            "until the reply's head",
        ),
        (
            "bodies",
            t.first_byte.map(|first| total.saturating_sub(first)),
            "to the end of both",
        ),
    ];
    let mut from = 0;
    for (name, took, what) in steps {
        document.push(bar(name, took, what, from, total));
        from += took.unwrap_or(0);
    }
    document.push(
        Line::of(
            Tone::Heading,
            &format!("{:<12}{:>9}", "total", duration(total)),
        )
        .copies(&duration(total)),
    );
    document.gap();
    let started = Line::of(Tone::Muted, "started ").with(Tone::Text, &exchange.started_at);
    document.push(started.copies(&exchange.started_at));
    document
}

fn bar(name: &str, took: Option<u64>, what: &str, from: u64, total: u64) -> Line {
    let scale = |us: u64| (us.min(total) * BAR).checked_div(total).unwrap_or(0) as usize;
    let start = scale(from).min(BAR as usize - 1);
    let length = took.map_or(0, |took| {
        let end = scale(from.saturating_add(took)).max(start + usize::from(took > 0));
        end - start
    });
    let shown = took.map_or_else(|| "–".to_owned(), duration);
    Line::of(Tone::Key, &format!("{name:<12}"))
        .with(Tone::Text, &format!("{shown:>9} "))
        .with(Tone::Muted, &"·".repeat(start))
        .with(Tone::Accent, &"█".repeat(length))
        .with(
            Tone::Muted,
            &"·".repeat((BAR as usize).saturating_sub(start + length)),
        )
        .with(Tone::Muted, &format!(" {what}"))
        .copies(&shown)
}

/// Microseconds for reading.
pub(crate) fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..10_000 => format!("{:.1} ms", us as f64 / 1e3),
        10_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{:.2} s", us as f64 / 1e6),
    }
}
