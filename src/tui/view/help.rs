//! All keys: those of the focused part first, then the others; what cannot be done now
//! says why.

use ratatui::{Frame, layout::Rect, text::Line};

use super::{overlay, put, span};
use crate::tui::{
    command::{self, COMMANDS, Context, Spec},
    state::{App, Focus, Help, Tone},
    text::{fuzzy, wrap::cut},
    theme::Theme,
};

pub(super) fn draw(frame: &mut Frame<'_>, app: &App, theme: &Theme, help: &Help) {
    let (w, h) = app.size;
    let inner = overlay(
        frame,
        theme,
        "help",
        (w.saturating_sub(4).min(96), h.saturating_sub(2)),
    );
    let search = help.field.text();
    let mut line = Line::from(span(theme, Tone::Hint, "type to search: "));
    line.push_span(span(theme, Tone::Text, search.to_owned()));
    line.push_span(span(theme, Tone::Hint, "▏"));
    put(frame, inner, 0, &line);
    let below = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(1),
        ..inner
    };
    let rows = rows(app, theme, search, usize::from(inner.width));
    let top = help
        .top
        .min(rows.len().saturating_sub(usize::from(below.height)));
    for (n, row) in (0..below.height).zip(rows.iter().skip(top)) {
        put(frame, below, n, row);
    }
}

fn rows(app: &App, theme: &Theme, search: &str, room: usize) -> Vec<Line<'static>> {
    let order = match app.focus {
        Focus::List => [Context::List, Context::Both, Context::Pane],
        Focus::Pane(_) => [Context::Pane, Context::Both, Context::List],
    };
    let rest = [Context::Menu, Context::Text, Context::Always];
    let mut rows = Vec::new();
    for context in order.into_iter().chain(rest) {
        let fits: Vec<&Spec> = COMMANDS
            .iter()
            .filter(|spec| spec.context == context && matches(spec, search))
            .collect();
        if fits.is_empty() {
            continue;
        }
        rows.push(Line::from(span(theme, Tone::Heading, context.title())));
        rows.extend(fits.into_iter().map(|spec| row(app, theme, spec, room)));
    }
    if rows.is_empty() {
        rows.push(Line::from(span(
            theme,
            Tone::Muted,
            "nothing has that name",
        )));
    }
    rows
}

fn matches(spec: &Spec, search: &str) -> bool {
    let text = format!("{} {} {}", spec.name, spec.help, spec.keys_shown());
    let words = text.to_lowercase();
    search
        .split_whitespace()
        .all(|word| words.contains(&word.to_lowercase()))
        || fuzzy::score(search, spec.name).is_some()
}

fn row(app: &App, theme: &Theme, spec: &Spec, room: usize) -> Line<'static> {
    let why_not = command::enabled(spec.command, app).err();
    let (key_tone, tone) = match why_not {
        Some(_) => (Tone::Muted, Tone::Muted),
        None => (Tone::Hint, Tone::Text),
    };
    let typed = match spec.context {
        Context::Menu | Context::Text => String::new(),
        _ => format!(":{}", spec.name),
    };
    let mut text = spec.help.to_owned();
    if let Some(why) = why_not {
        text = format!("{text} (not now: {why})");
    }
    let keys = format!("  {:<13}", spec.keys_shown());
    let name = if room >= 60 {
        format!("{typed:<17}")
    } else {
        String::new()
    };
    let left = room.saturating_sub(keys.chars().count() + name.chars().count());
    Line::from(vec![
        span(theme, key_tone, keys),
        span(theme, Tone::Muted, name),
        span(theme, tone, cut(&text, left)),
    ])
}
