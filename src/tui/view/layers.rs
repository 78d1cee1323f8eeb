//! What lies on top: pickers, questions, completions.

use ratatui::{Frame, layout::Rect, text::Line, widgets::Clear};

use super::{framed, help, overlay, paint, put, span};
use crate::tui::{
    state::{App, Dialog, Item, Layer, Picker, Prompt, Tone},
    text::wrap::{breaks, cut, cut_middle, width},
    theme::Theme,
    update::{Completion, offered},
};

pub(super) fn draw(frame: &mut Frame<'_>, app: &App, theme: &Theme) {
    match app.layers.last() {
        Some(Layer::Picker(picker)) => choices(frame, app, theme, picker),
        Some(Layer::Dialog(dialog)) => question(frame, app, theme, dialog),
        Some(Layer::Help(text)) => help::draw(frame, app, theme, text),
        Some(Layer::Prompt(prompt)) => completions(frame, app, theme, prompt),
        None => {}
    }
}

fn choices(frame: &mut Frame<'_>, app: &App, theme: &Theme, picker: &Picker) {
    let head = u16::from(!picker.by_key());
    let longest = picker.items.iter().map(|item| {
        let trouble = item.trouble.as_deref().map_or(0, width);
        width(&item.name).max(NAME) + width(&item.detail).max(trouble) + 12
    });
    let wanted = longest.max().unwrap_or(30).clamp(36, 100) as u16;
    let rows = (picker.items.len() as u16).saturating_add(2 + head);
    let size = (wanted.min(app.size.0.saturating_sub(2)), rows);
    let inner = overlay(frame, theme, &picker.title, size);
    if head > 0 {
        let mut line = Line::from(span(theme, Tone::Hint, "search: "));
        line.push_span(span(theme, Tone::Text, picker.field.text().to_owned()));
        line.push_span(span(theme, Tone::Hint, "▏"));
        put(frame, inner, 0, &line);
    }
    let below = Rect {
        y: inner.y + head,
        height: inner.height.saturating_sub(head),
        ..inner
    };
    if picker.fits.is_empty() {
        put(
            frame,
            below,
            0,
            &Line::from(span(theme, Tone::Muted, "nothing fits; backspace")),
        );
    }
    let height = usize::from(below.height).max(1);
    let top = (picker.cursor + 1).saturating_sub(height);
    let fits = picker.fits.iter().enumerate().skip(top);
    for (n, (at, &item)) in (0..below.height).zip(fits) {
        let chosen = at == picker.cursor;
        let line = choice(theme, &picker.items[item], chosen, usize::from(below.width));
        put(frame, below, n, &line);
        if chosen {
            paint(frame, below, n, theme.style(Tone::Selection));
        }
    }
}

/// Narrowest column of the names.
const NAME: usize = 16;

fn choice(theme: &Theme, item: &Item, chosen: bool, room: usize) -> Line<'static> {
    let mark = match (chosen, item.current) {
        (true, _) => "▸ ",
        (false, true) => "● ",
        (false, false) => "  ",
    };
    let key = item.key.map_or_else(String::new, |key| format!("{key}  "));
    let off = item.trouble.is_some();
    let name = cut_middle(&item.name, room.saturating_sub(6));
    let pad = NAME.saturating_sub(width(&name)) + 2;
    let left = room.saturating_sub(2 + width(&key) + width(&name) + pad);
    let mut line = Line::from(vec![
        span(theme, Tone::Accent, mark),
        span(theme, Tone::Hint, key),
        span(theme, if off { Tone::Muted } else { Tone::Text }, name),
    ]);
    line.push_span(" ".repeat(pad));
    match &item.trouble {
        Some(trouble) => {
            line.push_span(span(
                theme,
                Tone::Warning,
                cut(&format!("✗ {trouble}"), left),
            ));
        }
        None => {
            let current = if item.current { "in use  " } else { "" };
            let text = cut(&format!("{current}{}", item.detail), left);
            line.push_span(span(theme, Tone::Muted, text));
        }
    }
    line
}

fn question(frame: &mut Frame<'_>, app: &App, theme: &Theme, dialog: &Dialog) {
    let buttons: usize = dialog
        .answers
        .iter()
        .map(|answer| width(answer.label) + 5)
        .sum();
    let longest = dialog
        .text
        .iter()
        .map(|text| width(text))
        .max()
        .unwrap_or(0);
    let screen = usize::from(app.size.0).saturating_sub(2);
    let wide = (longest.max(buttons) + 4).clamp(30, 76).min(screen.max(4));
    let text: Vec<&str> = dialog
        .text
        .iter()
        .flat_map(|text| {
            let starts = breaks(text, wide - 4, 0);
            let ends = starts[1..].iter().copied().chain([text.len()]);
            let rows: Vec<&str> = starts.iter().zip(ends).map(|(&a, b)| &text[a..b]).collect();
            rows
        })
        .collect();
    let upright = buttons + 4 > wide;
    let answers = if upright { dialog.answers.len() } else { 1 };
    let height = (text.len() + answers + 3) as u16;
    let inner = overlay(frame, theme, &dialog.title, (wide as u16, height));
    // The answers are always in sight, whatever becomes of the text.
    let room = usize::from(inner.height).saturating_sub(answers);
    for (n, row) in (0..).zip(text.iter().take(room)) {
        put(
            frame,
            inner,
            n,
            &Line::from(span(theme, Tone::Text, format!(" {row}"))),
        );
    }
    let first = inner.height.saturating_sub(answers as u16);
    let mut line = Line::from(" ");
    for (at, answer) in dialog.answers.iter().enumerate() {
        let chosen = at == dialog.cursor;
        let text = match chosen {
            true => format!("[{}]", answer.label),
            false => format!(" {} ", answer.label),
        };
        let tone = if chosen { Tone::Selection } else { Tone::Text };
        line.push_span(span(theme, tone, text));
        line.push_span(span(theme, Tone::Hint, format!("{} ", answer.key)));
        if upright {
            put(frame, inner, first + at as u16, &line);
            line = Line::from(" ");
        }
    }
    if !upright {
        put(frame, inner, first, &line);
    }
}

/// Above the command line: what the text could become, with the key that does the same.
fn completions(frame: &mut Frame<'_>, app: &App, theme: &Theme, prompt: &Prompt) {
    let entries = offered(app);
    if entries.is_empty() {
        return;
    }
    let screen = frame.area();
    let rows = (entries.len() as u16)
        .min(10)
        .min(screen.height.saturating_sub(5));
    let place = Rect::new(
        0,
        screen.height.saturating_sub(rows + 3),
        screen.width.min(84),
        rows + 2,
    );
    frame.render_widget(Clear, place);
    let block = framed(theme, false).style(theme.style(Tone::Text));
    let inner = block.inner(place);
    frame.render_widget(block, place);
    let top = (prompt.chosen + 1).saturating_sub(usize::from(rows));
    for (n, (at, entry)) in (0..rows).zip(entries.iter().enumerate().skip(top)) {
        put(
            frame,
            inner,
            n,
            &completion(theme, entry, usize::from(inner.width)),
        );
        if at == prompt.chosen {
            paint(frame, inner, n, theme.style(Tone::Selection));
        }
    }
}

fn completion(theme: &Theme, entry: &Completion, room: usize) -> Line<'static> {
    let Some(spec) = entry.spec else {
        return Line::from(span(
            theme,
            Tone::Text,
            cut(&format!(" {}", entry.text), room),
        ));
    };
    let name = format!(" {:<24}", format!("{}{}", spec.name, spec.argument.usage()));
    let key = format!("{:<12}", spec.keys_shown());
    let left = room.saturating_sub(name.chars().count() + key.chars().count());
    Line::from(vec![
        span(theme, Tone::Text, name),
        span(theme, Tone::Hint, key),
        span(theme, Tone::Muted, cut(spec.help, left)),
    ])
}
