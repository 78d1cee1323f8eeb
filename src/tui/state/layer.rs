//! What lies on top of the screen. Layers are a stack; `esc` takes off exactly one.

use crate::tui::{engine::CopyWhat, field::Field, text::fuzzy};

/// One thing on top.
#[derive(Clone, Debug)]
pub enum Layer {
    /// A text under edit in the last row.
    Prompt(Prompt),
    /// A list to choose from.
    Picker(Picker),
    /// All keys, searchable.
    Help(Help),
    /// A question.
    Dialog(Dialog),
}

/// A text under edit in the last row.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What the text is for.
    pub purpose: Purpose,
    /// The text.
    pub field: Field,
    /// What it was before, for `esc`.
    pub before: String,
    /// Place in the history, from its end.
    pub recalled: usize,
    /// Chosen line of the completion list.
    pub chosen: usize,
}

/// What a prompt's text is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Filters the list while it is typed.
    Filter,
    /// Searches the focused pane while it is typed.
    Search,
    /// A command with its argument.
    Command,
    /// The region of a replay.
    ReplayRegion {
        /// The exchange.
        id: u64,
        /// As whom.
        profile: String,
    },
    /// A file to save to before quitting.
    SaveAndQuit,
}

impl Purpose {
    /// What stands before the text.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Filter | Self::Search => "/",
            Self::Command => ":",
            Self::ReplayRegion { .. } => "replay in region: ",
            Self::SaveAndQuit => "save to: ",
        }
    }
}

impl Prompt {
    /// A prompt that starts with `text`.
    pub fn new(purpose: Purpose, text: &str) -> Self {
        Self {
            purpose,
            field: Field::new(text),
            before: text.to_owned(),
            recalled: 0,
            chosen: 0,
        }
    }
}

/// A list to choose from.
#[derive(Clone, Debug)]
pub struct Picker {
    /// What choosing does.
    pub choice: Choice,
    /// On the frame.
    pub title: String,
    /// Everything that can be chosen.
    pub items: Vec<Item>,
    /// The search text; unused where items have keys.
    pub field: Field,
    /// Items that fit it, best first.
    pub fits: Vec<usize>,
    /// Place of the cursor among them.
    pub cursor: usize,
}

/// What choosing from a picker does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Signs with it from now on.
    Profile,
    /// Replays as it.
    ReplayAs(u64),
    /// Shows the screen in it; holds the theme to go back to.
    Theme(String),
    /// Copies it.
    Copy,
}

/// One line of a picker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// What is chosen and searched.
    pub name: String,
    /// The key that chooses it at once.
    pub key: Option<char>,
    /// What else is to be known.
    pub detail: String,
    /// In use at the moment.
    pub current: bool,
    /// Why it cannot be chosen, or what is wrong with it.
    pub trouble: Option<String>,
    /// What is copied.
    pub copy: Option<Copied>,
}

/// What a line of the copy menu copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Copied {
    /// This text.
    Text(String),
    /// A form that is made of the exchange.
    Made(u64, CopyWhat),
}

impl Picker {
    /// A picker with the cursor on the item in use.
    pub fn new(choice: Choice, title: &str, items: Vec<Item>) -> Self {
        let cursor = items.iter().position(|item| item.current).unwrap_or(0);
        Self {
            choice,
            title: title.to_owned(),
            fits: (0..items.len()).collect(),
            items,
            field: Field::default(),
            cursor,
        }
    }

    /// Whether single keys choose, instead of a search text.
    pub fn by_key(&self) -> bool {
        self.items.iter().any(|item| item.key.is_some())
    }

    /// Looks up what fits the search text.
    pub fn search(&mut self) {
        let texts: Vec<String> = self
            .items
            .iter()
            .map(|item| format!("{} {}", item.name, item.detail))
            .collect();
        self.fits = fuzzy::ranked(self.field.text(), texts.iter().map(String::as_str));
        self.cursor = 0;
    }

    /// Moves the cursor, staying inside.
    pub fn step(&mut self, lines: isize) {
        let last = self.fits.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(lines).min(last);
    }

    /// The item under the cursor.
    pub fn item(&self) -> Option<&Item> {
        self.fits.get(self.cursor).map(|&at| &self.items[at])
    }
}

/// All keys, searchable.
#[derive(Clone, Debug, Default)]
pub struct Help {
    /// The search text.
    pub field: Field,
    /// First entry on the screen.
    pub top: usize,
}

/// A question.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// On the frame.
    pub title: String,
    /// What is asked, and what follows from it.
    pub text: Vec<String>,
    /// The answers, the safe one first.
    pub answers: Vec<Answer>,
    /// The chosen one.
    pub cursor: usize,
}

/// One button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// On the button.
    pub label: &'static str,
    /// The key that presses it.
    pub key: char,
    /// What it does.
    pub does: Deed,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Nothing.
    Cancel,
    /// Sends it again.
    Replay(Replay),
    /// Sends it again, and does not ask any more in this run.
    ReplayAlways(Replay),
    /// Asks where to save, then quits.
    SaveFirst,
    /// Quits without saving.
    QuitAnyway,
}

/// What to send again, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The exchange.
    pub id: u64,
    /// As whom; the active profile, if `None`.
    pub profile: Option<String>,
    /// Where; as before, if `None`.
    pub region: Option<String>,
}
