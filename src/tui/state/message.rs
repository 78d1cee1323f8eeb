//! The panes of the messages: request head, body, reply.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::{Document, Line, Pane, PaneId, Tone, proof};
use crate::{
    capture::{
        Exchange,
        exchange::{Body, ChangeAction, Header, ReplyFrom, Request, Signing},
    },
    tui::text::pretty::{guess, pretty},
};

/// What a pane shows of an exchange.
pub(crate) fn document(pane: PaneId, exchange: &Exchange, as_sent: bool, view: &Pane) -> Document {
    match pane {
        PaneId::Request => request(exchange, as_sent),
        PaneId::Body => body_of(exchange, as_sent, view.raw),
        PaneId::Return => reply(exchange, view.raw),
        PaneId::Signing => proof::signing(exchange),
        PaneId::Why => proof::why(exchange),
        PaneId::Timing => proof::timing(exchange),
    }
}

/// Whether the pane shows what was sent; falls back to the side that exists.
pub(crate) fn shows_sent(exchange: &Exchange, as_sent: bool) -> bool {
    (as_sent && exchange.sent.is_some()) || exchange.received.is_none()
}

fn side(exchange: &Exchange, as_sent: bool) -> Option<&Request> {
    if shows_sent(exchange, as_sent) {
        exchange.sent.as_ref().map(|sent| &sent.request)
    } else {
        exchange.received.as_ref()
    }
}

fn request(exchange: &Exchange, as_sent: bool) -> Document {
    let mut document = Document::default();
    let Some(request) = side(exchange, as_sent) else {
        document.push(Line::of(Tone::Muted, "No request could be read."));
        fault(&mut document, exchange);
        return document;
    };
    let signing = exchange.sent.as_ref().map(|sent| &sent.signing);
    let sent = shows_sent(exchange, as_sent);
    let rewritten = signing
        .is_some_and(|signing| changed(signing, "target", true) == Some(ChangeAction::Rewritten));
    document.push(
        Line::of(Tone::Changed, if rewritten { " ~ " } else { "" })
            .with(Tone::Accent, &request.method)
            .with(Tone::Text, " ")
            .with(Tone::Text, &request.target)
            .with(Tone::Muted, " ")
            .with(Tone::Muted, &request.version)
            .hanging(2)
            .copies(&request.url),
    );
    let badge = |name: &str| signing.map_or(Badge::default(), |s| Badge::of(s, name, sent));
    headers(&mut document, &request.headers, &badge);
    if let Some(signing) = signing {
        legend(&mut document, signing, sent);
    }
    document
}

/// What was done to a header, as two columns before its name.
#[derive(Clone, Copy, Default)]
struct Badge {
    signed: bool,
    action: Option<ChangeAction>,
}

impl Badge {
    fn of(signing: &Signing, name: &str, sent: bool) -> Self {
        let name = name.to_ascii_lowercase();
        let action = changed(signing, &name, sent);
        let gone = action == Some(ChangeAction::Stripped);
        Self {
            signed: !gone && signing.signed_headers.iter().any(|signed| *signed == name),
            action,
        }
    }

    fn line(self) -> Line {
        let signed = if self.signed { "✓" } else { " " };
        let (mark, tone) = match self.action {
            Some(ChangeAction::Added) => ("+", Tone::Ok),
            Some(ChangeAction::Stripped) => ("−", Tone::Error),
            Some(ChangeAction::Rewritten) => ("~", Tone::Changed),
            Some(ChangeAction::Noted) => ("!", Tone::Warning),
            None => (" ", Tone::Muted),
        };
        Line::of(Tone::Ok, signed)
            .with(tone, mark)
            .with(Tone::Text, " ")
    }
}

/// What was done to a header or part, as far as it shows on this side.
fn changed(signing: &Signing, name: &str, sent: bool) -> Option<ChangeAction> {
    let names = |what: &str| {
        let what = what.to_ascii_lowercase();
        what == name
            || what
                .strip_prefix("header ")
                .is_some_and(|rest| rest == name)
    };
    signing
        .changes
        .iter()
        .filter(|change| names(&change.what))
        .map(|change| change.action)
        .find(|action| match action {
            ChangeAction::Added => sent,
            ChangeAction::Stripped => !sent,
            ChangeAction::Rewritten | ChangeAction::Noted => true,
        })
}

fn headers(document: &mut Document, headers: &[Header], badge: &dyn Fn(&str) -> Badge) {
    let longest = headers.iter().map(|(name, _)| name.chars().count()).max();
    let column = longest.unwrap_or(0).clamp(4, 22);
    for (name, value) in headers {
        let padded = format!("{name:<column$}");
        let mut line = badge(name)
            .line()
            .with(Tone::Key, &padded)
            .with(Tone::Text, " ");
        for (tone, text) in masked(value) {
            line = line.with(tone, text);
        }
        line.header = Some(format!("{name}: {value}"));
        document.push(line.hanging(5).copies(value));
    }
}

/// A value cut at its masks, which keep their own look.
fn masked(value: &str) -> Vec<(Tone, &str)> {
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some(open) = rest.find('‹') {
        let Some(close) = rest[open..].find('›').map(|at| open + at + '›'.len_utf8()) else {
            break;
        };
        pieces.push((Tone::Text, &rest[..open]));
        pieces.push((Tone::Masked, &rest[open..close]));
        rest = &rest[close..];
    }
    pieces.push((Tone::Text, rest));
    pieces
}

fn legend(document: &mut Document, signing: &Signing, sent: bool) {
    document.gap();
    let side = if sent { "as sent" } else { "as received" };
    document.push(
        Line::of(Tone::Muted, side)
            .with(Tone::Muted, "  ✓ signed")
            .with(Tone::Muted, if sent { "  + added" } else { "  − stripped" })
            .with(Tone::Muted, "  ~ rewritten"),
    );
    let count = signing.changes.len();
    if count > 0 {
        let text = format!("{count} changes in all, each with its reason under 4 SIGNING");
        document.push(Line::of(Tone::Muted, &text));
    }
}

fn body_of(exchange: &Exchange, as_sent: bool, raw: bool) -> Document {
    let mut document = Document::default();
    match side(exchange, as_sent) {
        Some(request) => body(&mut document, &request.body, raw),
        None => document.push(Line::of(Tone::Muted, "No request could be read.")),
    }
    document
}

/// Facts first, then the text, the bytes, or why there are none.
fn body(document: &mut Document, body: &Body, raw: bool) {
    if body.size == 0 && body.text.is_none() && body.base64.is_none() {
        document.push(Line::of(Tone::Muted, "No body."));
        return;
    }
    facts(document, body, raw);
    let kind = body.content_type.as_deref().unwrap_or_default();
    let rendered = body.rendered.as_deref().unwrap_or_default();
    if let Some(text) = &body.text {
        let (text, syntax) = if raw {
            (text.clone(), guess(text, kind, rendered))
        } else {
            pretty(text, kind, rendered)
        };
        document.block(&text, syntax);
    } else if let Some(encoded) = &body.base64 {
        match BASE64_STANDARD.decode(encoded) {
            Ok(bytes) => document.hex(bytes),
            Err(_) => document.push(Line::of(Tone::Warning, "Its kept bytes are unreadable.")),
        }
    } else {
        let why = match rendered {
            "omitted" => {
                "Not shown: it could not be parsed, and this operation carries credentials."
            }
            _ => "Not kept.",
        };
        document.push(Line::of(Tone::Warning, why));
    }
    if body.kept < body.size && (body.text.is_some() || body.base64.is_some()) {
        let cut = format!("… {} of {} kept", bytes(body.kept), bytes(body.size));
        document.push(Line::of(Tone::Warning, &cut));
    }
}

fn facts(document: &mut Document, body: &Body, raw: bool) {
    let mut facts = vec![bytes(body.size)];
    facts.extend(body.content_type.clone());
    facts.extend(
        body.rendered
            .as_ref()
            .map(|how| format!("shown from {how}")),
    );
    if raw {
        facts.push("raw".to_owned());
    }
    if body.masked > 0 {
        facts.push(format!("{} masked", body.masked));
    }
    if body.kept < body.size {
        facts.push(format!("{} kept", bytes(body.kept)));
    }
    document.push(Line::of(Tone::Muted, &facts.join(" · ")).hanging(2));
    if let Some(hash) = &body.sha256 {
        let line = Line::of(Tone::Muted, "sha256 ").with(Tone::Muted, hash);
        document.push(line.hanging(7).copies(hash));
    }
    document.gap();
}

fn reply(exchange: &Exchange, raw: bool) -> Document {
    let mut document = Document::default();
    fault(&mut document, exchange);
    let Some(reply) = &exchange.reply else {
        let text = if exchange.fault.is_some() {
            "No reply."
        } else {
            "No reply yet."
        };
        document.push(Line::of(Tone::Muted, text));
        return document;
    };
    let tone = if reply.status >= 400 {
        Tone::Error
    } else {
        Tone::Ok
    };
    let phrase = http::StatusCode::from_u16(reply.status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default();
    let mut status = Line::of(tone, &format!("{} {phrase}", reply.status));
    if let Some(total) = exchange.timing_us.total {
        status = status.with(Tone::Muted, &format!("  {}", proof::duration(total)));
    }
    if let Some(id) = &reply.request_id {
        status = status
            .with(Tone::Muted, "  req-id ")
            .with(Tone::Text, id)
            .copies(id);
    }
    document.push(status.hanging(4));
    if reply.from == ReplyFrom::Sigscope {
        document.push(Line::of(Tone::Warning, "Made by sigscope, not by AWS."));
    }
    if let Some(error) = &reply.error {
        let code = error.code.as_deref().unwrap_or("error without a code");
        document.push(
            Line::of(Tone::Error, "✗ ")
                .with(Tone::Error, code)
                .copies(code),
        );
        if let Some(message) = &error.message {
            for line in message.lines() {
                document.push(Line::of(Tone::Text, line).hanging(2));
            }
        }
    }
    document.gap();
    headers(&mut document, &reply.headers, &|_| Badge::default());
    document.gap();
    body(&mut document, &reply.body, raw);
    document
}

/// The fault as the first thing that is read.
pub(crate) fn fault(document: &mut Document, exchange: &Exchange) {
    if let Some(fault) = &exchange.fault {
        let kind = format!("✗ {} ", fault.kind.as_str());
        document.push(
            Line::of(Tone::Error, &kind)
                .with(Tone::Muted, "at ")
                .with(Tone::Text, &fault.stage),
        );
        for line in fault.message.lines() {
            document.push(Line::of(Tone::Text, line).hanging(2));
        }
        document.gap();
    }
}

/// A size for reading.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        1 => "1 byte".to_owned(),
        0..10_240 => format!("{count} bytes"),
        10_240..1_048_576 => format!("{:.1} KiB", count as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", count as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", count as f64 / 1_073_741_824.0),
    }
}
