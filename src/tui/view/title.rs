//! The first row: where we listen, as whom we sign, how it goes.

use std::time::{Duration, SystemTime};

use ratatui::{Frame, layout::Rect, text::Line};

use super::{put, span};
use crate::tui::{
    state::{App, Tone},
    text::wrap::{cut, width},
    theme::Theme,
};

/// A part of the row; parts of a lower rank give way first.
struct Part {
    rank: u8,
    tone: Tone,
    text: String,
}

pub(super) fn draw(frame: &mut Frame<'_>, app: &App, theme: &Theme, area: Rect) {
    let parts = parts(app);
    let room = usize::from(area.width).saturating_sub(2);
    let shown = fitting(&parts, room);
    let mut line = Line::from(" ");
    let mut left = room;
    for (n, part) in shown.iter().enumerate() {
        if n > 0 {
            let gap = if part.rank == ACCOUNT { 1 } else { 3 };
            line.push_span(" ".repeat(gap.min(left)));
            left = left.saturating_sub(gap);
        }
        let text = cut(&part.text, left);
        left = left.saturating_sub(width(&text));
        line.push_span(span(theme, part.tone, text));
    }
    put(frame, area, 0, &line);
}

/// The parts that fit, without the least important ones.
fn fitting(parts: &[Part], room: usize) -> Vec<&Part> {
    let mut shown: Vec<&Part> = parts.iter().collect();
    loop {
        let gaps = shown.len().saturating_sub(1) * 3;
        let taken: usize = shown.iter().map(|part| width(&part.text)).sum();
        let least = shown.iter().map(|part| part.rank).min();
        match least {
            Some(rank) if taken + gaps > room && rank < ACCOUNT => {
                shown.retain(|part| part.rank != rank);
            }
            _ => return shown,
        }
    }
}

const NAME: u8 = 0;
const SKEW: u8 = 1;
const COUNTS: u8 = 2;
const REGION: u8 = 3;
const EXPIRY: u8 = 4;
const STATE: u8 = 5;
const ACCOUNT: u8 = 7;
const PROFILE: u8 = 8;
const LISTENER: u8 = 9;

fn parts(app: &App) -> Vec<Part> {
    let status = &app.status;
    let mut parts = Vec::new();
    let mut add = |rank, tone, text: String| parts.push(Part { rank, tone, text });
    add(NAME, Tone::Title, "sigscope".to_owned());
    add(LISTENER, listener(app).0, listener(app).1);
    match &status.profile {
        Some(profile) => add(PROFILE, Tone::Title, profile.clone()),
        None if status.viewing.is_some() => {}
        None => add(PROFILE, Tone::Warning, "no profile: p".to_owned()),
    }
    if let Some(account) = &status.account {
        add(ACCOUNT, Tone::Text, format!("▸ {account}"));
    }
    if let Some(region) = &status.region {
        add(REGION, Tone::Text, region.clone());
    }
    if status.profile_error.is_some() {
        add(EXPIRY, Tone::Error, "✗ no credentials".to_owned());
    } else if let Some(end) = status.expires_at {
        let (tone, text) = expiry(end, app.now);
        add(EXPIRY, tone, text);
    }
    for word in words(app) {
        add(STATE, Tone::Warning, word);
    }
    let plural = if status.exchanges == 1 { "" } else { "s" };
    let count = format!("{} exchange{plural}", thousands(status.exchanges));
    add(COUNTS, Tone::Text, count);
    if status.failed > 0 {
        add(
            COUNTS,
            Tone::Error,
            format!("{} failed", thousands(status.failed)),
        );
    }
    if let Some(skew) = &status.skew {
        let tone = match skew.ms.unsigned_abs() {
            0..60_000 => Tone::Muted,
            60_000..240_000 => Tone::Warning,
            _ => Tone::Error,
        };
        let text = format!("skew {:+.1}s", skew.ms as f64 / 1000.0);
        add(SKEW, tone, text);
    }
    parts
}

fn listener(app: &App) -> (Tone, String) {
    let status = &app.status;
    if let Some(file) = &status.viewing {
        return (Tone::Accent, format!("▤ {file}"));
    }
    match status.listeners.as_slice() {
        [] => (Tone::Warning, "○ not listening".to_owned()),
        [only] => (Tone::Ok, format!("● {}", only.address)),
        [first, more @ ..] => (Tone::Ok, format!("● {} +{}", first.address, more.len())),
    }
}

/// States that the operator must not forget.
fn words(app: &App) -> Vec<String> {
    let status = &app.status;
    let mut words = Vec::new();
    if status.as_signed {
        words.push("AS SIGNED".to_owned());
    }
    if status.read_only {
        words.push("READ-ONLY".to_owned());
    }
    if status.not_recorded > 0 {
        words.push(format!("{} not recorded", thousands(status.not_recorded)));
    }
    if status.session_error.is_some() {
        words.push("✗ session file".to_owned());
    }
    words
}

fn expiry(end: SystemTime, now: SystemTime) -> (Tone, String) {
    let Ok(left) = end.duration_since(now) else {
        return (Tone::Error, "expired!".to_owned());
    };
    const MINUTE: u64 = 60;
    let seconds = left.as_secs();
    let text = match seconds {
        0..120 => format!("{seconds}s left!"),
        120..7200 => format!("{}m left", seconds / MINUTE),
        _ => format!("{}h left", seconds / (60 * MINUTE)),
    };
    let tone = if left < Duration::from_secs(5 * MINUTE) {
        Tone::Warning
    } else {
        Tone::Text
    };
    (tone, text)
}

/// `12,345`: grouped, for reading.
pub(super) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
