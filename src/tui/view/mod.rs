//! State to frame; a file a region. Nothing here changes anything.

mod empty;
mod footer;
mod help;
mod layers;
mod list;
mod panes;
mod title;

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType, Clear, Paragraph},
};

use super::{
    state::{App, Area, SMALLEST, Tone, layout},
    theme::Theme,
};

/// Draws the screen.
///
/// ```text
/// title     listener, profile, account, expiry, counts, skew
/// list      one row an exchange
/// panes     1 2 3 side by side and 4 5 6 as tabs, or one with tabs
/// footer    keys of the focused part, or a notice, or a text under edit
/// ```
pub fn draw(frame: &mut Frame<'_>, app: &App, theme: &Theme) {
    let whole = frame.area();
    frame.buffer_mut().set_style(whole, theme.style(Tone::Text));
    let (w, h) = app.size;
    if whole.width < w || whole.height < h {
        // The terminal shrank; the resize is on its way.
        return too_small(frame, theme);
    }
    let Some(layout) = layout(app) else {
        return too_small(frame, theme);
    };
    title::draw(frame, app, theme, rect(layout.title));
    if let Some(area) = layout.list {
        list::draw(frame, app, theme, rect(area));
    }
    for place in &layout.panes {
        panes::draw(frame, app, theme, place);
    }
    footer::draw(frame, app, theme, rect(layout.footer));
    layers::draw(frame, app, theme);
}

fn too_small(frame: &mut Frame<'_>, theme: &Theme) {
    let (w, h) = SMALLEST;
    let text = format!("terminal too small (need {w}×{h})");
    let area = frame.area();
    frame.render_widget(Paragraph::new(text).style(theme.style(Tone::Warning)), area);
}

fn rect(area: Area) -> Rect {
    Rect::new(area.x, area.y, area.w, area.h)
}

/// A frame around a part of the screen; the focused one is drawn thick.
fn framed<'a>(theme: &Theme, focused: bool) -> Block<'a> {
    let (tone, kind) = if focused {
        (Tone::Focus, BorderType::Thick)
    } else {
        (Tone::Border, BorderType::Plain)
    };
    Block::bordered()
        .border_type(kind)
        .border_style(theme.style(tone))
}

/// A box in the middle, with nothing of what lies below it.
fn overlay(frame: &mut Frame<'_>, theme: &Theme, title: &str, size: (u16, u16)) -> Rect {
    let area = frame.area();
    let w = size.0.min(area.width);
    let h = size
        .1
        .min(area.height.saturating_sub(2))
        .max(area.height.min(3));
    let place = Rect::new(
        (area.width - w) / 2,
        (area.height.saturating_sub(h)) / 2,
        w,
        h,
    );
    frame.render_widget(Clear, place);
    let block = framed(theme, true)
        .title(Span::styled(format!(" {title} "), theme.style(Tone::Title)))
        .style(theme.style(Tone::Text));
    let inner = block.inner(place);
    frame.render_widget(block, place);
    inner
}

/// A piece of text in a tone.
fn span(theme: &Theme, tone: Tone, text: impl Into<String>) -> Span<'static> {
    Span::styled(text.into(), theme.style(tone))
}

/// One row of text.
fn put(frame: &mut Frame<'_>, area: Rect, row: u16, line: &Line<'_>) {
    if row < area.height {
        let buffer = frame.buffer_mut();
        buffer.set_line(area.x, area.y + row, line, area.width);
    }
}

/// Paints a row over its whole width.
fn paint(frame: &mut Frame<'_>, area: Rect, row: u16, style: Style) {
    if row < area.height {
        let row = Rect::new(area.x, area.y + row, area.width, 1);
        frame.buffer_mut().set_style(row, style);
    }
}
