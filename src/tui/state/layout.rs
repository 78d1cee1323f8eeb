//! Where everything is, for a size of the screen. One function decides it for drawing and
//! for the mouse.
//!
//! ```text
//! wide, tall (≥ 140 × 30)     wide, low or medium (≥ 80)   narrow
//! title                       title                        title
//! list                        list                         list or one pane
//! 1 │ 2 │ 3                   one pane, or 1 │ 2 │ 3
//! 4 5 6 as tabs               where there is the width
//! footer                      footer                       footer
//! ```

use super::{App, Focus, PaneId};

/// Smallest screen that is drawn.
pub const SMALLEST: (u16, u16) = (30, 8);
/// From this width on three panes stand side by side.
const WIDE: u16 = 140;
/// From this width on list and panes share the screen.
const MEDIUM: u16 = 80;
/// From this height on a wide screen also shows the lower panes.
const TALL: u16 = 30;

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Columns from the left.
    pub x: u16,
    /// Rows from the top.
    pub y: u16,
    /// Columns.
    pub w: u16,
    /// Rows.
    pub h: u16,
}

impl Area {
    /// Whether a cell lies in it.
    pub fn contains(self, x: u16, y: u16) -> bool {
        (self.x..self.x + self.w).contains(&x) && (self.y..self.y + self.h).contains(&y)
    }

    /// Without its frame.
    pub fn inner(self) -> Self {
        Self {
            x: self.x + 1,
            y: self.y + 1,
            w: self.w.saturating_sub(2),
            h: self.h.saturating_sub(2),
        }
    }
}

/// A pane that is on the screen, and the panes that share its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The one that is shown.
    pub pane: PaneId,
    /// Its frame.
    pub area: Area,
    /// Tabs on its upper edge; empty where it stands alone.
    pub tabs: Vec<PaneId>,
}

/// The regions of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// First row.
    pub title: Area,
    /// The list's frame, if it is shown.
    pub list: Option<Area>,
    /// Panes that are shown.
    pub panes: Vec<Place>,
    /// Last row.
    pub footer: Area,
}

impl Layout {
    /// Where a pane is, if it is shown.
    pub fn place(&self, pane: PaneId) -> Option<&Place> {
        self.panes.iter().find(|place| place.pane == pane)
    }
}

/// Lays the screen out; `None` if it is too small.
pub fn layout(app: &App) -> Option<Layout> {
    let (w, h) = app.size;
    if w < SMALLEST.0 || h < SMALLEST.1 {
        return None;
    }
    let row = |y| Area { x: 0, y, w, h: 1 };
    let body = Area {
        x: 0,
        y: 1,
        w,
        h: h - 2,
    };
    let mut layout = Layout {
        title: row(0),
        footer: row(h - 1),
        ..Layout::default()
    };
    if app.zoom || w < MEDIUM {
        match app.focus {
            Focus::List => layout.list = Some(body),
            Focus::Pane(pane) => layout.panes.push(tabbed(pane, &PaneId::ALL, body)),
        }
        return Some(layout);
    }
    let share = (42 + app.split * 6).clamp(15, 85) as u16;
    let tall = w >= WIDE && h >= TALL;
    let share = if tall { share * 3 / 4 } else { share };
    let (list, below) = rows(body, (body.h * share / 100).clamp(3, body.h - 5));
    layout.list = Some(list);
    if tall {
        let (upper, lower) = rows(below, (below.h * 3 / 5).max(3));
        side_by_side(&mut layout, upper);
        layout.panes.push(tabbed(app.lower, &PaneId::LOWER, lower));
    } else if w >= WIDE && PaneId::UPPER.contains(&app.upper) && !lower_focused(app) {
        side_by_side(&mut layout, below);
    } else if w >= WIDE {
        layout.panes.push(tabbed(app.lower, &PaneId::ALL, below));
    } else {
        layout.panes.push(tabbed(app.tab, &PaneId::ALL, below));
    }
    Some(layout)
}

fn lower_focused(app: &App) -> bool {
    matches!(app.focus, Focus::Pane(pane) if PaneId::LOWER.contains(&pane))
}

fn side_by_side(layout: &mut Layout, area: Area) {
    let third = area.w / 3;
    for (n, pane) in (0..).zip(PaneId::UPPER) {
        let area = Area {
            x: area.x + n * third,
            w: if n == 2 { area.w - 2 * third } else { third },
            ..area
        };
        layout.panes.push(Place {
            pane,
            area,
            tabs: Vec::new(),
        });
    }
}

fn tabbed(pane: PaneId, tabs: &[PaneId], area: Area) -> Place {
    Place {
        pane,
        area,
        tabs: tabs.to_vec(),
    }
}

fn rows(area: Area, upper: u16) -> (Area, Area) {
    let upper = upper.min(area.h);
    (
        Area { h: upper, ..area },
        Area {
            y: area.y + upper,
            h: area.h - upper,
            ..area
        },
    )
}

/// Columns of the tabs on a frame's upper edge, for drawing and for clicks.
pub fn tab_spans(place: &Place) -> Vec<(PaneId, u16, u16)> {
    let long: usize = place.tabs.iter().map(|tab| tab.title().len() + 4).sum();
    let short = long + 2 > place.area.w as usize;
    let mut x = place.area.x + 1;
    let mut spans = Vec::new();
    for &tab in &place.tabs {
        let full = !short || tab == place.pane;
        let width = if full {
            tab.title().len() as u16 + 4
        } else {
            3
        };
        if x + width >= place.area.x + place.area.w {
            break;
        }
        spans.push((tab, x, width));
        x += width;
    }
    spans
}
