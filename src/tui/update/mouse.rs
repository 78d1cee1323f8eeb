//! The mouse: the wheel scrolls what is under the pointer, a click acts when the button
//! comes up.

use super::{menu, moves};
use crate::tui::{
    effect::Effect,
    state::{App, Area, Focus, Layer, Layout, Level, Place, layout, tab_spans},
};

/// What the mouse did, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    /// What.
    pub action: MouseAction,
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseAction {
    /// The left button came up.
    Click,
    /// The wheel turned up.
    WheelUp,
    /// The wheel turned down.
    WheelDown,
}

/// Rows that one notch of the wheel scrolls.
const NOTCH: isize = 3;

pub(super) fn mouse(app: &mut App, mouse: Mouse) -> Vec<Effect> {
    let rows = match mouse.action {
        MouseAction::Click => 0,
        MouseAction::WheelUp => -NOTCH,
        MouseAction::WheelDown => NOTCH,
    };
    if !app.layers.is_empty() {
        return on_layer(app, rows);
    }
    let Some(layout) = layout(app) else {
        return Vec::new();
    };
    if let Some(list) = layout.list.filter(|area| area.contains(mouse.x, mouse.y)) {
        on_list(app, list, mouse, rows);
    } else if let Some(place) = layout
        .panes
        .iter()
        .find(|place| place.area.contains(mouse.x, mouse.y))
    {
        on_pane(app, &layout, place, mouse, rows);
    }
    Vec::new()
}

/// The wheel moves through what lies on top; a click on it is left to the keys.
fn on_layer(app: &mut App, rows: isize) -> Vec<Effect> {
    match app.layers.last_mut() {
        Some(Layer::Picker(picker)) => picker.step(rows.signum()),
        Some(Layer::Help(help)) => help.top = help.top.saturating_add_signed(rows),
        Some(Layer::Prompt(_) | Layer::Dialog(_)) | None => {}
    }
    menu::try_theme(app)
}

fn on_list(app: &mut App, area: Area, mouse: Mouse, rows: isize) {
    let height = moves::list_height(app);
    if rows != 0 {
        app.list.scroll(rows, height);
        return;
    }
    app.focus = Focus::List;
    // The first row inside the frame names the columns.
    let top = area.y + 2;
    let place = app.list.first + usize::from(mouse.y.saturating_sub(top));
    if mouse.y >= top && place < app.list.info.matching {
        app.list.follow = false;
        app.list.go(place);
    }
}

fn on_pane(app: &mut App, layout: &Layout, place: &Place, mouse: Mouse, rows: isize) {
    let view = moves::view(Some(layout), place.pane);
    let pane = &mut app.panes[place.pane.index()];
    if rows != 0 {
        pane.scroll(rows, view);
        return;
    }
    if mouse.y == place.area.y {
        let tab = tab_spans(place)
            .into_iter()
            .find(|(_, x, width)| (*x..x + width).contains(&mouse.x));
        moves::focus(app, tab.map_or(place.pane, |(tab, ..)| tab));
        return;
    }
    let mut row = usize::from(mouse.y.saturating_sub(place.area.y + 1));
    let mut line = pane.top;
    if let Some(document) = &pane.document {
        row += pane.skip;
        while line + 1 < document.len() {
            let height = document.height(line, view.0, pane.wrap);
            if row < height {
                break;
            }
            row -= height;
            line += 1;
        }
    }
    pane.go(line, view);
    moves::focus(app, place.pane);
}

pub(super) fn toggle(app: &mut App) -> Vec<Effect> {
    app.mouse = !app.mouse;
    let text = if app.mouse {
        "the mouse scrolls and selects here; hold shift to select text"
    } else {
        "the mouse is the terminal's: select text as usual, m takes it back"
    };
    app.notify(Level::Info, text);
    vec![Effect::Mouse(app.mouse)]
}
