//! Moving about: in the list, in a pane, between them.

use super::focused;
use crate::tui::{
    command::Command as C,
    state::{App, Focus, Layout, Level, PaneId, layout},
};

pub(super) fn run(app: &mut App, command: C) {
    match command {
        C::Open => {
            let pane = last_pane(app);
            focus(app, pane);
        }
        C::Pane(pane) => focus(app, pane),
        C::NextPane => cycle(app, 1),
        C::PreviousPane => cycle(app, -1),
        C::Close => close(app),
        C::Follow => {
            app.list.follow = !app.list.follow;
            if app.list.follow {
                app.list.go(usize::MAX);
            }
        }
        C::Zoom => app.zoom = !app.zoom,
        C::Grow => app.split = (app.split + 1).min(7),
        C::Shrink => app.split = (app.split - 1).max(-4),
        C::NextExchange => app.list.step(1),
        C::PreviousExchange => app.list.step(-1),
        _ => match focused(app) {
            Some(pane) => in_pane(app, pane, command),
            None => in_list(app, command),
        },
    }
}

fn last_pane(app: &App) -> PaneId {
    match layout(app) {
        Some(layout) if layout.panes.len() > 1 => app.upper,
        _ => app.tab,
    }
}

/// Gives a pane the focus and stops following, so that what is read stays.
pub(super) fn focus(app: &mut App, pane: PaneId) {
    app.list.follow = false;
    app.focus = Focus::Pane(pane);
    app.tab = pane;
    if PaneId::UPPER.contains(&pane) {
        app.upper = pane;
    } else {
        app.lower = pane;
    }
}

fn cycle(app: &mut App, by: isize) {
    let stops = PaneId::ALL.len() as isize + 1;
    let here = focused(app).map_or(0, |pane| pane.number() as isize);
    let next = (here + by).rem_euclid(stops);
    match PaneId::ALL.get((next - 1) as usize) {
        Some(&pane) if next > 0 => focus(app, pane),
        _ => app.focus = Focus::List,
    }
}

/// One step back.
fn close(app: &mut App) {
    if app.toast.take().is_some() && app.focus == Focus::List && app.filter.is_empty() {
        return;
    }
    if app.zoom {
        app.zoom = false;
    } else if app.focus != Focus::List {
        app.focus = Focus::List;
    } else {
        app.filter.clear();
    }
}

fn in_list(app: &mut App, command: C) {
    let page = list_height(app) as isize;
    match command {
        C::Up => app.list.step(-1),
        C::Down => app.list.step(1),
        C::PageUp => app.list.step(-page),
        C::PageDown => app.list.step(page),
        C::HalfUp => app.list.step(-(page / 2).max(1)),
        C::HalfDown => app.list.step((page / 2).max(1)),
        C::Top => {
            app.list.follow = false;
            app.list.go(0);
        }
        C::Bottom => app.list.go(usize::MAX),
        C::Right if app.selected().is_some() => run(app, C::Open),
        _ => {}
    }
}

pub(super) fn list_height(app: &App) -> usize {
    layout(app)
        .and_then(|layout| layout.list)
        .map_or(1, |area| area.inner().h.saturating_sub(1) as usize)
        .max(1)
}

/// Columns and rows inside a pane's frame.
pub(super) fn view(layout: Option<&Layout>, pane: PaneId) -> (usize, usize) {
    layout
        .and_then(|layout| layout.place(pane))
        .map_or((78, 10), |place| {
            let inner = place.area.inner();
            (inner.w as usize, inner.h as usize)
        })
}

fn in_pane(app: &mut App, id: PaneId, command: C) {
    let view = view(layout(app).as_ref(), id);
    let page = view.1.max(1) as isize;
    let pane = &mut app.panes[id.index()];
    match command {
        C::Up => pane.step(-1, view),
        C::Down => pane.step(1, view),
        C::PageUp => pane.scroll(-page, view),
        C::PageDown => pane.scroll(page, view),
        C::HalfUp => pane.scroll(-(page / 2).max(1), view),
        C::HalfDown => pane.scroll((page / 2).max(1), view),
        C::Top => pane.go(0, view),
        C::Bottom => pane.go(usize::MAX, view),
        C::Left => pane.sideways(-8),
        C::Right => pane.sideways(8),
        C::Wrap => {
            pane.wrap = !pane.wrap;
            (pane.left, pane.skip) = (0, 0);
            pane.reveal(view);
        }
        C::Raw => {
            pane.raw = !pane.raw;
            pane.rewind();
        }
        C::NextMatch | C::PreviousMatch => {
            pane.next_match(command == C::NextMatch, view);
            if pane.found.is_empty() {
                let text = format!("“{}” is not in this pane", pane.needle);
                app.notify(Level::Info, text);
            }
        }
        _ => {}
    }
}
