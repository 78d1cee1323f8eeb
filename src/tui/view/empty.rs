//! What is shown where there is nothing yet: always what to do next.

use ratatui::{Frame, layout::Rect, text::Line};

use super::{put, span};
use crate::tui::{
    engine::StartLine,
    state::{App, Shown, Tone},
    text::wrap::breaks,
    theme::Theme,
};

/// Rows of text, wrapped, from the top of an area.
fn write(frame: &mut Frame<'_>, theme: &Theme, area: Rect, lines: &[(Tone, String)]) {
    let mut row = 0;
    for (tone, text) in lines {
        let starts = breaks(text, usize::from(area.width).saturating_sub(2), 0);
        for (n, &start) in starts.iter().enumerate() {
            let end = starts.get(n + 1).copied().unwrap_or(text.len());
            let mut line = Line::from(" ");
            line.push_span(span(theme, *tone, &text[start..end]));
            put(frame, area, row, &line);
            row += 1;
        }
    }
}

pub(super) fn list(frame: &mut Frame<'_>, app: &App, theme: &Theme, area: Rect) {
    let mut lines = Vec::new();
    if app.list.info.total > 0 {
        let count = app.list.info.total;
        lines.push((Tone::Text, format!("None of {count} exchanges match.")));
        lines.push((
            Tone::Muted,
            "esc shows all again; / changes the filter.".to_owned(),
        ));
        return write(frame, theme, area, &lines);
    }
    if let Some(file) = &app.status.viewing {
        lines.push((Tone::Text, format!("{file} holds no exchanges.")));
        return write(frame, theme, area, &lines);
    }
    for line in &app.start_here {
        lines.push(match line {
            StartLine::Say(text) => (Tone::Text, text.clone()),
            StartLine::Paste(text) => (Tone::Accent, format!("  {text}")),
            StartLine::Warn(text) => (Tone::Warning, format!("! {text}")),
        });
    }
    let connections = app.status.connections;
    let text = match (connections, app.status.in_flight) {
        (0, _) => "No connection yet.".to_owned(),
        (1, 0) => "One connection so far, but no whole request.".to_owned(),
        (n, 0) => format!("{n} connections so far, but no whole request."),
        (_, n) => format!("{n} under way."),
    };
    lines.push((Tone::Muted, text));
    write(frame, theme, area, &lines);
}

pub(super) fn pane(frame: &mut Frame<'_>, app: &App, theme: &Theme, area: Rect) {
    let lines = match &app.shown {
        Shown::Gone(row, why) => vec![
            (
                Tone::Warning,
                format!("Only the row of #{} is left.", row.id),
            ),
            (Tone::Muted, why.clone()),
        ],
        _ => vec![(Tone::Muted, "Nothing is selected.".to_owned())],
    };
    write(frame, theme, area, &lines);
}
