//! The last row: a text under edit, a notice, or the keys of the focused part.

use ratatui::{Frame, layout::Rect, text::Line};

use super::{paint, put, span};
use crate::tui::{
    command::{self, COMMANDS, Command, Context, Spec},
    state::{App, Focus, Layer, Level, Prompt, Purpose, Tone},
    text::wrap::{cut, width},
    theme::Theme,
};

pub(super) fn draw(frame: &mut Frame<'_>, app: &App, theme: &Theme, area: Rect) {
    match app.layers.last() {
        Some(Layer::Prompt(text)) => prompt(frame, app, theme, area, text),
        _ if app.toast.is_some() => toast(frame, app, theme, area),
        top => keys(frame, app, theme, area, top),
    }
}

fn prompt(frame: &mut Frame<'_>, app: &App, theme: &Theme, area: Rect, prompt: &Prompt) {
    let label = match prompt.purpose {
        Purpose::Filter => " filter /",
        Purpose::Search => " search /",
        _ => prompt.purpose.label(),
    };
    let label = span(theme, Tone::Hint, label);
    let taken = (width(&label.content) as u16).min(area.width);
    put(frame, area, 0, &Line::from(label));
    let (tone, note) = judge(app, prompt);
    let room = area.width - taken;
    let text = width(prompt.field.text()) as u16;
    let noted = cut(&note, usize::from(room.saturating_sub(text + 4)));
    let note_width = if noted.len() < 4 {
        0
    } else {
        width(&noted) as u16
    };
    let field = Rect::new(area.x + taken, area.y, room - note_width, 1);
    let mut editor = prompt.field.area();
    editor.set_style(theme.style(tone));
    editor.set_cursor_style(theme.style(Tone::Text).reversed());
    frame.render_widget(&editor, field);
    if note_width > 0 {
        let place = Rect::new(area.x + area.width - note_width, area.y, note_width, 1);
        put(frame, place, 0, &Line::from(span(theme, tone, noted)));
    }
}

/// Whether the text under edit is right, in colour and in words.
fn judge(app: &App, prompt: &Prompt) -> (Tone, String) {
    match (&prompt.purpose, &app.filter_error) {
        (Purpose::Filter, Some(error)) => (Tone::Error, format!("✗ {}", error.message)),
        (Purpose::Filter, None) if !prompt.field.text().is_empty() => {
            let count = app.list.info.matching;
            (Tone::Ok, format!("✓ {count} match"))
        }
        (Purpose::Search, _) if !prompt.field.text().is_empty() => {
            let found = match app.focus {
                Focus::Pane(pane) => app.panes[pane.index()].found.len(),
                Focus::List => 0,
            };
            match found {
                0 => (Tone::Error, "✗ not in this pane".to_owned()),
                lines => (Tone::Ok, format!("✓ on {lines} lines")),
            }
        }
        _ => (Tone::Text, String::new()),
    }
}

fn toast(frame: &mut Frame<'_>, app: &App, theme: &Theme, area: Rect) {
    let Some(toast) = &app.toast else {
        return;
    };
    let (tone, word) = match toast.level {
        Level::Info => (Tone::Ok, " "),
        Level::Warning => (Tone::Warning, " ! "),
        Level::Error => (Tone::Error, " ✗ "),
    };
    let text = format!("{word}{}", toast.text);
    let text = cut(&text, usize::from(area.width));
    put(frame, area, 0, &Line::from(span(theme, tone, text)));
    if toast.level == Level::Error {
        paint(frame, area, 0, theme.style(Tone::Error));
    }
}

fn keys(frame: &mut Frame<'_>, app: &App, theme: &Theme, area: Rect, top: Option<&Layer>) {
    let here: &[Context] = match (top, app.focus) {
        (Some(_), _) => &[Context::Menu],
        (None, Focus::List) => &[Context::List, Context::Both],
        (None, Focus::Pane(_)) => &[Context::Pane, Context::Both],
    };
    let fixed = |spec: &&Spec| matches!(spec.command, Command::CommandLine | Command::Help);
    let hinted = || {
        COMMANDS
            .iter()
            .filter(|s| s.hint.is_some() && here.contains(&s.context))
    };
    let right: Vec<_> = hinted().filter(fixed).map(hint).collect();
    let kept: usize = right
        .iter()
        .map(|(key, word)| width(key) + width(word) + 3)
        .sum();
    let room = usize::from(area.width).saturating_sub(kept + 1);
    let mut line = Line::from(" ");
    let mut taken = 1;
    for spec in hinted().filter(|spec| !fixed(spec)) {
        let (key, word) = hint(spec);
        let length = width(&key) + width(&word) + 3;
        if taken + length > room {
            break;
        }
        taken += length;
        let off = command::enabled(spec.command, app).is_err();
        let tone = if off { Tone::Muted } else { Tone::Hint };
        line.push_span(span(theme, tone, key));
        let tone = if off { Tone::Muted } else { Tone::Text };
        line.push_span(span(theme, tone, format!(" {word}  ")));
    }
    for (key, word) in right {
        line.push_span(span(theme, Tone::Hint, key));
        line.push_span(span(theme, Tone::Text, format!(" {word}  ")));
    }
    put(frame, area, 0, &line);
}

fn hint(spec: &Spec) -> (String, String) {
    let key = spec.keys.first().copied().unwrap_or_default();
    (key.to_owned(), spec.hint.unwrap_or(spec.name).to_owned())
}
