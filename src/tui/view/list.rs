//! The list: one row an exchange, the columns that there is room for.

use ratatui::{Frame, layout::Rect, text::Line};

use super::{empty, framed, paint, put, span, title::thousands};
use crate::tui::{
    engine::RowLine,
    state::{App, Focus, Tone},
    text::wrap::{cut, cut_middle, width},
    theme::Theme,
};

/// Widths of the columns; 0 leaves one out.
struct Columns {
    id: usize,
    time: usize,
    profile: usize,
    call: usize,
    region: usize,
    status: usize,
    signed: usize,
    ms: usize,
    why: usize,
}

impl Columns {
    fn fit(width: usize, rows: &[RowLine]) -> Self {
        let longest = |text: fn(&RowLine) -> String| {
            let widths = rows.iter().map(|row| text(row).chars().count());
            widths.max().unwrap_or(0)
        };
        let id = rows
            .iter()
            .map(|row| digits(row.id))
            .max()
            .unwrap_or(1)
            .max(3);
        let mut columns = Self {
            id,
            time: 8,
            profile: longest(|row| row.profile.clone()).clamp(7, 16),
            call: longest(call).clamp(17, 44),
            region: longest(|row| row.region.clone()).clamp(6, 14),
            status: longest(|row| row.status.clone()).clamp(6, 11),
            signed: longest(|row| signed(&row.signed).1).clamp(6, 11),
            ms: 6,
            why: 0,
        };
        // What title and panes tell as well goes first; then names get shorter.
        let wanted = if width >= 70 { 18 } else { 10 };
        columns.drop(
            width,
            wanted,
            &[|c| &mut c.region, |c| &mut c.ms, |c| &mut c.profile],
        );
        columns.shorten(width, wanted, 24);
        columns.drop(width, wanted, &[|c| &mut c.time, |c| &mut c.signed]);
        columns.shorten(width, wanted, 12);
        columns.why = width.saturating_sub(columns.taken());
        columns
    }

    /// Leaves columns out, in this order, until the cause has its room.
    fn drop(&mut self, width: usize, wanted: usize, order: &[fn(&mut Self) -> &mut usize]) {
        for field in order {
            if self.taken() + wanted > width {
                *field(self) = 0;
            }
        }
    }

    fn shorten(&mut self, width: usize, wanted: usize, least: usize) {
        let over = (self.taken() + wanted).saturating_sub(width);
        self.call = self.call.min(self.call.saturating_sub(over).max(least));
    }

    fn taken(&self) -> usize {
        let all = [
            self.time,
            self.profile,
            self.call,
            self.region,
            self.status,
            self.signed,
            self.ms,
        ];
        let shown = all.iter().filter(|&&width| width > 0);
        // Marks before the number, one blank behind each column.
        2 + self.id + 1 + shown.map(|width| width + 1).sum::<usize>()
    }
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

pub(super) fn draw(frame: &mut Frame<'_>, app: &App, theme: &Theme, area: Rect) {
    let block = framed(theme, app.focus == Focus::List)
        .title(heading(app, theme))
        .title_bottom(note(app, theme));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if app.list.info.matching == 0 {
        empty::list(frame, app, theme, inner);
        return;
    }
    let columns = Columns::fit(usize::from(inner.width), &app.list.rows);
    put(frame, inner, 0, &header(&columns, theme));
    for (n, row) in (1..).zip(&app.list.rows) {
        let selected = Some(row.id) == app.list.selected;
        put(frame, inner, n, &line(row, &columns, theme, selected));
        if selected {
            paint(frame, inner, n, theme.style(Tone::Selection));
        }
    }
    scrollbar(frame, app, theme, area);
}

fn heading(app: &App, theme: &Theme) -> Line<'static> {
    let info = app.list.info;
    let mut line = Line::from(vec![span(theme, Tone::Title, " exchanges ")]);
    let filter = app.wanted_filter();
    if !filter.is_empty() {
        let count = thousands(info.matching as u64);
        let of = thousands(info.total as u64);
        line.push_span(span(theme, Tone::Accent, format!("/{} ", cut(filter, 40))));
        line.push_span(span(theme, Tone::Muted, format!("{count} of {of} ")));
    }
    line
}

/// On the lower edge: whether new traffic moves the list, and the latest note.
fn note(app: &App, theme: &Theme) -> Line<'static> {
    let mut line = Line::default();
    if app.status.viewing.is_none() && app.list.info.total > 0 {
        let (tone, text) = if app.list.follow {
            (Tone::Ok, " following ".to_owned())
        } else {
            let below = app.list.info.matching.saturating_sub(app.list.cursor + 1);
            let text = match below {
                0 => " F follows ".to_owned(),
                below => format!(" {} below, F follows ", thousands(below as u64)),
            };
            (Tone::Muted, text)
        };
        line.push_span(span(theme, tone, text));
    }
    if let Some(note) = app.status.notes.last() {
        line.push_span(span(theme, Tone::Warning, format!(" ! {note} ")));
    }
    line
}

fn header(columns: &Columns, theme: &Theme) -> Line<'static> {
    let mut text = format!("  {:>w$} ", "#", w = columns.id);
    let names = [
        ("time", columns.time),
        ("profile", columns.profile),
        ("service.operation", columns.call),
        ("region", columns.region),
        ("status", columns.status),
        ("signed", columns.signed),
    ];
    for (name, width) in names.into_iter().filter(|(_, width)| *width > 0) {
        text += &pad(name, width);
        text.push(' ');
    }
    if columns.ms > 0 {
        text += &format!("{:>w$} ", "ms", w = columns.ms);
    }
    text += &pad("why", columns.why);
    Line::from(span(theme, Tone::Muted, text))
}

fn pad(text: &str, room: usize) -> String {
    let text = cut(text, room);
    let blanks = room.saturating_sub(width(&text));
    text + &" ".repeat(blanks)
}

fn line(row: &RowLine, columns: &Columns, theme: &Theme, selected: bool) -> Line<'static> {
    let mut line = Line::default();
    let mut add = |tone: Tone, text: String| line.push_span(span(theme, tone, text));
    add(Tone::Accent, if selected { "▸" } else { " " }.to_owned());
    add(Tone::Accent, if row.marked { "*" } else { " " }.to_owned());
    add(Tone::Muted, format!("{:>w$} ", row.id, w = columns.id));
    let pending = row.ms.is_none() && row.status.is_empty();
    let status = match pending {
        true => "…",
        false => row.status.as_str(),
    };
    let (good, signed) = signed(&row.signed);
    let call = cut_middle(&call(row), columns.call);
    let cells = [
        (Tone::Muted, row.time.clone(), columns.time),
        (
            Tone::Text,
            cut_middle(&row.profile, columns.profile),
            columns.profile,
        ),
        (Tone::Text, call, columns.call),
        (Tone::Text, row.region.clone(), columns.region),
        (status_tone(row, pending), status.to_owned(), columns.status),
        (good, signed, columns.signed),
    ];
    for (tone, text, room) in cells.into_iter().filter(|(_, _, room)| *room > 0) {
        add(tone, pad(&text, room) + " ");
    }
    if columns.ms > 0 {
        let ms = row.ms.map(|ms| ms.to_string()).unwrap_or_default();
        add(
            Tone::Text,
            format!("{:>w$} ", cut(&ms, columns.ms), w = columns.ms),
        );
    }
    if columns.why > 0 {
        let why = match (row.failed && row.why.is_empty(), row.signed.as_str()) {
            (true, "invalid") => "client signature invalid",
            (true, _) => "failed",
            (false, _) => row.why.as_str(),
        };
        let tone = if row.failed { Tone::Error } else { Tone::Muted };
        add(tone, cut(why, columns.why));
    }
    line
}

/// A repetition has its mark before the name.
fn call(row: &RowLine) -> String {
    let repeat = if row.replay_of.is_some() { "↻ " } else { "" };
    format!("{repeat}{}", row.call)
}

fn status_tone(row: &RowLine, pending: bool) -> Tone {
    match (pending, row.failed) {
        (true, _) => Tone::Muted,
        (false, true) => Tone::Error,
        (false, false) => Tone::Ok,
    }
}

/// A wrong signature has a mark beside its colour.
fn signed(text: &str) -> (Tone, String) {
    match text {
        "invalid" => (Tone::Error, "✗ invalid".to_owned()),
        "unknown-key" => (Tone::Warning, "? key".to_owned()),
        "none" => (Tone::Muted, "–".to_owned()),
        other => (Tone::Text, other.to_owned()),
    }
}

fn scrollbar(frame: &mut Frame<'_>, app: &App, theme: &Theme, area: Rect) {
    let height = usize::from(area.height).saturating_sub(3);
    super::panes::thumb(
        frame,
        theme,
        Rect {
            y: area.y + 1,
            height: area.height.saturating_sub(1),
            ..area
        },
        (
            app.list.first,
            app.list.rows.len().min(height),
            app.list.info.matching,
        ),
    );
}
