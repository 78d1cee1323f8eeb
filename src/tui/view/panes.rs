//! One pane: its frame with the tabs, and the lines that are in sight.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line as Row, Span},
};

use super::{empty, framed, paint, put, rect, span};
use crate::tui::{
    state::{
        App, Document, Focus, Line, Pane, PaneId, Place, Tone, find_in, message::shows_sent,
        tab_spans,
    },
    text::wrap::{breaks, skip_columns},
    theme::Theme,
};

pub(super) fn draw(frame: &mut Frame<'_>, app: &App, theme: &Theme, place: &Place) {
    let focused = app.focus == Focus::Pane(place.pane);
    let pane = &app.panes[place.pane.index()];
    let mut block = framed(theme, focused);
    if place.tabs.is_empty() {
        let title = format!(" {} {} ", place.pane.number(), place.pane.title());
        let tone = if focused { Tone::Focus } else { Tone::Title };
        block = block.title(span(theme, tone, title));
    } else {
        block = block.title(tabs(theme, place, focused));
    }
    block = block.title_bottom(notes(app, theme, place, pane));
    let area = rect(place.area);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    match &pane.document {
        Some(document) if app.exchange().is_some() => {
            lines(frame, theme, inner, pane, document, focused);
            let bottom = pane.bottom((inner.width as usize, inner.height as usize));
            let seen = (bottom + 1).saturating_sub(pane.top);
            thumb(frame, theme, area, (pane.top, seen, document.len()));
        }
        _ => empty::pane(frame, app, theme, inner),
    }
}

fn tabs(theme: &Theme, place: &Place, focused: bool) -> Row<'static> {
    let mut row = Row::default();
    for (tab, _, width) in tab_spans(place) {
        let current = tab == place.pane;
        let tone = match (current, focused) {
            (true, true) => Tone::Focus,
            (true, false) => Tone::Title,
            (false, _) => Tone::Muted,
        };
        let text = match (current, width) {
            (true, _) => format!("▸{} {} ", tab.number(), tab.title()),
            (false, 3) => format!(" {} ", tab.number()),
            (false, _) => format!(" {} {} ", tab.number(), tab.title()),
        };
        row.push_span(span(theme, tone, text));
    }
    row
}

/// On the lower edge: which side is shown, what was searched for, how the text runs.
fn notes(app: &App, theme: &Theme, place: &Place, pane: &Pane) -> Row<'static> {
    let mut row = Row::default();
    if let Some(exchange) = app.exchange()
        && matches!(place.pane, PaneId::Request | PaneId::Body)
    {
        let side = match (shows_sent(exchange, app.as_sent), exchange.sent.is_some()) {
            (true, _) => " as sent ",
            (false, true) => " as received, t: as sent ",
            (false, false) => " as received, never sent ",
        };
        row.push_span(span(theme, Tone::Accent, side));
    }
    if !pane.needle.is_empty() && pane.document.is_some() {
        let count = pane.found.len();
        let at = pane.found.iter().position(|&line| line == pane.cursor);
        let text = match at {
            Some(at) => format!(" /{} {} of {count} ", pane.needle, at + 1),
            None => format!(" /{} {count} lines ", pane.needle),
        };
        row.push_span(span(theme, Tone::Changed, text));
    }
    if !pane.wrap {
        row.push_span(span(theme, Tone::Muted, " not wrapped "));
    }
    row
}

fn lines(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    pane: &Pane,
    document: &Document,
    focused: bool,
) {
    let gutter = document.gutter();
    let mut row = 0;
    let mut at = pane.top;
    let mut skip = pane.skip;
    while row < area.height && at < document.len() {
        let line = document.line(at);
        let numbers = if document.numbered(at) { gutter + 1 } else { 0 };
        let room = document.room(at, area.width as usize);
        let text = line.text();
        let toned = toned(&line, &text, &pane.needle);
        let starts = match pane.wrap {
            true => breaks(&text, room, line.indent),
            false => vec![skip_columns(&text, pane.left)],
        };
        for (n, &start) in starts.iter().enumerate().skip(skip) {
            if row >= area.height {
                break;
            }
            let end = starts.get(n + 1).copied().unwrap_or(text.len());
            let mut shown = Row::default();
            if numbers > 0 {
                shown.push_span(number(theme, &line, numbers, n == 0));
            }
            if n > 0 {
                let indent = if line.indent * 2 > room {
                    0
                } else {
                    line.indent
                };
                shown.push_span(" ".repeat(indent));
            }
            for (from, to, tone) in &toned {
                let (from, to) = ((*from).max(start), (*to).min(end));
                if from < to {
                    shown.push_span(Span::styled(text[from..to].to_owned(), theme.style(*tone)));
                }
            }
            put(frame, area, row, &shown);
            if focused && at == pane.cursor {
                paint(frame, area, row, theme.style(Tone::Selection));
            }
            row += 1;
        }
        skip = 0;
        at += 1;
    }
}

fn number(theme: &Theme, line: &Line, width: usize, first: bool) -> Span<'static> {
    let text = match line.number {
        Some(number) if first && number > 0 => format!("{number:>w$} ", w = width - 1),
        _ => " ".repeat(width),
    };
    span(theme, Tone::Muted, text)
}

/// The line's pieces as ranges of its text, with what was searched for on top.
fn toned(line: &Line, text: &str, needle: &str) -> Vec<(usize, usize, Tone)> {
    let mut pieces = Vec::with_capacity(line.spans.len());
    let mut at = 0;
    for span in &line.spans {
        pieces.push((at, at + span.text.len(), span.tone));
        at += span.text.len();
    }
    if needle.is_empty() {
        return pieces;
    }
    for hit in find_in(text, needle) {
        let mut cut = Vec::with_capacity(pieces.len() + 2);
        for &(from, to, tone) in &pieces {
            if from < hit.start.min(to) {
                cut.push((from, hit.start.min(to), tone));
            }
            if hit.end.max(from) < to {
                cut.push((hit.end.max(from), to, tone));
            }
        }
        cut.push((hit.start, hit.end, Tone::Match));
        cut.sort_by_key(|piece| piece.0);
        pieces = cut;
    }
    pieces
}

/// On the right edge: which part of the whole is in sight.
pub(super) fn thumb(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    (first, seen, all): (usize, usize, usize),
) {
    let track = usize::from(area.height.saturating_sub(2));
    if seen >= all || track < 2 || area.width == 0 {
        return;
    }
    let length = (track * seen / all).clamp(1, track);
    let most = all - seen;
    let start = (track - length) * first.min(most) / most;
    for n in start..start + length {
        let (x, y) = (area.x + area.width - 1, area.y + 1 + n as u16);
        if let Some(cell) = frame.buffer_mut().cell_mut((x, y)) {
            cell.set_symbol("█").set_style(theme.style(Tone::Border));
        }
    }
}
