//! What is. Nothing here draws, acts or knows the terminal.
//!
//! [`App`] is changed by `update` alone, and by [`App::sync`] and [`App::prepare`], which
//! fetch from the engine what the next frame needs.

mod document;
mod layer;
mod layout;
mod list;
pub(crate) mod message;
mod pane;
pub(crate) mod proof;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

pub(crate) use document::find_in;
pub use document::{Document, Line, Span};
pub use layer::{
    Answer, Choice, Copied, Deed, Dialog, Help, Item, Layer, Picker, Prompt, Purpose, Replay,
};
pub use layout::{Area, Layout, Place, SMALLEST, layout, tab_spans};
pub use list::List;
pub use pane::{Pane, PaneId};

use super::engine::{Engine, FilterError, RowLine, StartLine, Status};
use crate::capture::Exchange;

/// The role of a piece of text; a theme gives it its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "each is what it says; the theme files explain them"
)]
pub enum Tone {
    Text,
    Muted,
    Border,
    Focus,
    Title,
    Heading,
    Accent,
    Hint,
    Selection,
    Ok,
    Warning,
    Error,
    Changed,
    Masked,
    Match,
    Key,
    Str,
    Number,
    Literal,
    Punctuation,
}

/// Where keys go when nothing lies on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The list.
    List,
    /// One of the panes.
    Pane(PaneId),
}

/// How bad a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It worked.
    Info,
    /// It works, but.
    Warning,
    /// It did not work; the text says what next.
    Error,
}

/// A notice that goes away by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// How bad it is.
    pub level: Level,
    /// What happened and what next.
    pub text: String,
    /// When it goes.
    pub until: SystemTime,
}

/// How long a notice stays.
const TOAST: Duration = Duration::from_secs(5);

/// The exchange that the panes show.
#[derive(Clone, Debug, Default)]
pub enum Shown {
    /// Nothing is selected.
    #[default]
    Nothing,
    /// Only its row is left; the text says why.
    Gone(RowLine, String),
    /// All of it, and the row that it was fetched for.
    Whole(RowLine, Arc<Exchange>),
}

/// The whole screen.
#[derive(Clone, Debug)]
pub struct App {
    /// Columns and rows.
    pub size: (u16, u16),
    /// The time of the latest message.
    pub now: SystemTime,
    /// Facts of the title row.
    pub status: Status,
    /// What the empty list shows.
    pub start_here: Vec<StartLine>,
    /// The list.
    pub list: List,
    /// The filter in effect.
    pub filter: String,
    /// What is wrong with the filter under edit.
    pub filter_error: Option<FilterError>,
    /// Earlier filters and commands, newest last.
    pub filter_history: VecDeque<String>,
    /// Earlier commands, newest last.
    pub command_history: VecDeque<String>,
    /// What the panes show.
    pub shown: Shown,
    /// How they show it.
    pub panes: [Pane; 6],
    /// Requests as sent, not as received.
    pub as_sent: bool,
    /// Where keys go.
    pub focus: Focus,
    /// The pane of a medium screen.
    pub tab: PaneId,
    /// The upper pane that was focused last.
    pub upper: PaneId,
    /// The lower pane of a wide screen.
    pub lower: PaneId,
    /// The focused region fills the screen.
    pub zoom: bool,
    /// Steps by which the list is larger than usual.
    pub split: i32,
    /// What lies on top, the topmost last.
    pub layers: Vec<Layer>,
    /// The notice in the footer.
    pub toast: Option<Toast>,
    /// Mouse events are asked for.
    pub mouse: bool,
    /// Name of the theme.
    pub theme: String,
    /// Names of all themes.
    pub themes: Vec<String>,
    /// Names of all profiles, for completion.
    pub profiles: Vec<String>,
    /// Replays that change something are asked for.
    pub ask_before_replay: bool,
    /// Quit when the save under way is done.
    pub quit_after_save: bool,
    /// Exchanges that quitting would lose.
    pub unsaved: usize,
    generation: Option<u64>,
    viewed: Option<String>,
}

impl App {
    /// An empty screen of that size.
    pub fn new(size: (u16, u16), now: SystemTime) -> Self {
        Self {
            size,
            now,
            status: Status::default(),
            start_here: Vec::new(),
            list: List {
                follow: true,
                ..List::default()
            },
            filter: String::new(),
            filter_error: None,
            filter_history: VecDeque::new(),
            command_history: VecDeque::new(),
            shown: Shown::Nothing,
            panes: Default::default(),
            as_sent: false,
            focus: Focus::List,
            tab: PaneId::Request,
            upper: PaneId::Request,
            lower: PaneId::Signing,
            zoom: false,
            split: 0,
            layers: Vec::new(),
            toast: None,
            mouse: true,
            theme: "terminal".to_owned(),
            themes: Vec::new(),
            profiles: Vec::new(),
            ask_before_replay: true,
            quit_after_save: false,
            unsaved: 0,
            generation: None,
            viewed: None,
        }
    }

    /// The selected exchange's number.
    pub fn selected(&self) -> Option<u64> {
        self.list.selected
    }

    /// The exchange that the panes show.
    pub fn exchange(&self) -> Option<&Exchange> {
        match &self.shown {
            Shown::Whole(_, exchange) => Some(exchange),
            _ => None,
        }
    }

    /// Leaves a notice in the footer; the newest wins.
    pub fn notify(&mut self, level: Level, text: impl Into<String>) {
        self.toast = Some(Toast {
            level,
            text: text.into(),
            until: self.now + TOAST,
        });
    }

    /// The filter to apply: what is being typed, as long as it is valid.
    pub fn wanted_filter(&self) -> &str {
        match self.layers.last() {
            Some(Layer::Prompt(prompt)) if prompt.purpose == Purpose::Filter => prompt.field.text(),
            _ => &self.filter,
        }
    }

    /// Catches up with the engine. Cheap while nothing changed; called after each message,
    /// so that the next one meets the selection that the operator saw.
    pub fn sync(&mut self, engine: &dyn Engine) {
        let generation = engine.generation();
        let filter = self.wanted_filter().to_owned();
        if self.generation != Some(generation) || self.viewed.as_ref() != Some(&filter) {
            self.status = engine.status();
            self.unsaved = engine.unsaved();
            self.filter_error = self.list.sync(engine, &filter).err();
            if self.filter_error.is_some() {
                // The engine kept its earlier view; count again with that one.
                let earlier = self.filter.clone();
                drop(self.list.sync(engine, &earlier));
            }
            self.generation = Some(generation);
            self.viewed = Some(filter);
        }
        if self.list.selected.is_none() {
            self.list.settle(engine);
        }
    }

    /// Fetches what the next frame shows.
    pub fn prepare(&mut self, engine: &dyn Engine) {
        self.sync(engine);
        if self.toast.as_ref().is_some_and(|t| t.until <= self.now) {
            self.toast = None;
        }
        let Some(layout) = layout(self) else {
            return;
        };
        let height = layout
            .list
            .map_or(1, |area| area.inner().h.saturating_sub(1));
        self.list.show(engine, height as usize);
        if self.list.info.total == 0 {
            self.start_here = engine.start_here();
        }
        self.fetch(engine);
        let Shown::Whole(_, exchange) = &self.shown else {
            return;
        };
        for place in &layout.panes {
            let pane = &mut self.panes[place.pane.index()];
            if pane.document.is_none() {
                let document = message::document(place.pane, exchange, self.as_sent, pane);
                pane.fill(document);
            }
            let inner = place.area.inner();
            pane.reveal((inner.w as usize, inner.h as usize));
        }
    }

    /// Fetches the selected exchange, again only if its row changed.
    fn fetch(&mut self, engine: &dyn Engine) {
        let Some(id) = self.list.selected else {
            self.show(Shown::Nothing, true);
            return;
        };
        let row = match self.list.row() {
            Some(row) => row.clone(),
            None => RowLine {
                id,
                ..RowLine::default()
            },
        };
        let other = match &self.shown {
            Shown::Whole(before, _) | Shown::Gone(before, _) if before.id == id => {
                let kept = RowLine {
                    marked: row.marked,
                    ..before.clone()
                };
                if kept == row {
                    return;
                }
                false
            }
            _ => true,
        };
        let shown = match engine.exchange(id) {
            Ok(exchange) => Shown::Whole(row, exchange),
            Err(why) => Shown::Gone(row, why),
        };
        self.show(shown, other);
    }

    fn show(&mut self, shown: Shown, other: bool) {
        self.shown = shown;
        for pane in &mut self.panes {
            if other {
                pane.rewind();
            } else {
                pane.document = None;
            }
        }
    }

    /// Lets the panes be laid out anew.
    pub fn reshow(&mut self) {
        for pane in &mut self.panes {
            pane.document = None;
        }
    }

    /// When the screen changes without anything happening: a notice goes, a minute of the
    /// credentials' life ends.
    pub fn wake_at(&self) -> Option<SystemTime> {
        let toast = self.toast.as_ref().map(|toast| toast.until);
        let left = self
            .status
            .expires_at
            .and_then(|end| end.duration_since(self.now).ok())
            .map(|left| {
                let step = if left < Duration::from_secs(120) {
                    1
                } else {
                    60
                };
                self.now + Duration::from_secs(step)
            });
        [toast, left].into_iter().flatten().min()
    }
}
