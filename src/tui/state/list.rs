use crate::tui::engine::{Engine, FilterError, RowLine, ViewInfo};

/// The list's position. It holds no rows but those on the screen; the selected exchange is
/// known by its number, not by its place.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Rows there are, and rows that the filter matches.
    pub info: ViewInfo,
    /// Place of the selection in the view.
    pub cursor: usize,
    /// The selected exchange; `None` after a move until the next [`List::sync`].
    pub selected: Option<u64>,
    /// Place of the first row on the screen.
    pub first: usize,
    /// The rows on the screen.
    pub rows: Vec<RowLine>,
    /// Whether the selection stays with the newest.
    pub follow: bool,
}

impl List {
    /// Moves the selection by `rows`; upwards ends following.
    pub fn step(&mut self, rows: isize) {
        if rows < 0 {
            self.follow = false;
        }
        self.go(self.cursor.saturating_add_signed(rows));
    }

    /// Selects by place.
    pub fn go(&mut self, place: usize) {
        let last = self.info.matching.saturating_sub(1);
        if place.min(last) != self.cursor {
            self.selected = None;
        }
        self.cursor = place.min(last);
    }

    /// Selects an exchange by number and stops following.
    pub fn select(&mut self, id: u64) {
        self.follow = false;
        self.selected = Some(id);
    }

    /// Scrolls without leaving the screen with the selection.
    pub fn scroll(&mut self, rows: isize, height: usize) {
        if rows < 0 {
            self.follow = false;
        }
        let most = self.info.matching.saturating_sub(height);
        self.first = self.first.saturating_add_signed(rows).min(most);
        let last = (self.first + height.saturating_sub(1)).max(self.first);
        self.go(self.cursor.clamp(self.first, last));
    }

    /// Catches up with the engine's view: the selection keeps its exchange.
    pub fn sync(&mut self, engine: &dyn Engine, filter: &str) -> Result<(), FilterError> {
        self.info = engine.view(filter)?;
        if self.info.matching == 0 {
            (self.cursor, self.first) = (0, 0);
            self.selected = None;
            return Ok(());
        }
        let last = self.info.matching - 1;
        if self.follow {
            self.cursor = last;
            self.selected = None;
        } else if let Some(place) = self.selected.and_then(|id| engine.index_of(id)) {
            self.cursor = place;
        } else {
            self.cursor = self.cursor.min(last);
            self.selected = None;
        }
        self.settle(engine);
        Ok(())
    }

    /// Names the exchange under the cursor after a move.
    pub fn settle(&mut self, engine: &dyn Engine) {
        if self.selected.is_none() && self.info.matching > 0 {
            let row = engine.window(self.cursor, 1);
            self.selected = row.first().map(|row| row.id);
        }
    }

    /// Fetches the rows that fit into `height`, with the selection among them.
    pub fn show(&mut self, engine: &dyn Engine, height: usize) {
        let height = height.max(1);
        if self.cursor < self.first {
            self.first = self.cursor;
        } else if self.cursor >= self.first + height {
            self.first = self.cursor + 1 - height;
        }
        self.first = self.first.min(self.info.matching.saturating_sub(height));
        self.rows = engine.window(self.first, height);
    }

    /// The selected row, if it is on the screen.
    pub fn row(&self) -> Option<&RowLine> {
        self.rows.iter().find(|row| Some(row.id) == self.selected)
    }
}
