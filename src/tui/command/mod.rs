//! The one registry of what the operator can do. Footer, help, command line, completion
//! and the documentation of the keys are all made from it.

mod registry;

pub use registry::COMMANDS;

use super::{
    key::Key,
    state::{App, Focus, PaneId, Shown},
};

/// Everything that a key or a typed command can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the registry below says what each does")]
pub enum Command {
    Up,
    Down,
    Top,
    Bottom,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Left,
    Right,
    Open,
    PreviousExchange,
    NextExchange,
    Pane(PaneId),
    NextPane,
    PreviousPane,
    Close,
    Replay,
    ReplayAs,
    Parent,
    Mark,
    Follow,
    Profiles,
    Filter,
    Search,
    NextMatch,
    PreviousMatch,
    AsSent,
    Raw,
    Wrap,
    Copy,
    Zoom,
    Grow,
    Shrink,
    Save,
    SaveOver,
    AsSigned,
    Theme,
    Mouse,
    CommandLine,
    Help,
    Redraw,
    Suspend,
    Quit,
    QuitNow,
    MenuUp,
    MenuDown,
    MenuPageUp,
    MenuPageDown,
    MenuChoose,
    MenuClose,
    TextAccept,
    TextCancel,
    TextComplete,
    TextEarlier,
    TextLater,
}

/// Where a key means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// The list of exchanges.
    List,
    /// One of the six panes.
    Pane,
    /// List and panes.
    Both,
    /// Pickers, help and questions.
    Menu,
    /// The last row, while a text is typed.
    Text,
    /// Everywhere, whatever lies on top.
    Always,
}

impl Context {
    /// As in the documentation of the keys.
    pub fn title(self) -> &'static str {
        match self {
            Self::List => "In the list",
            Self::Pane => "In a pane",
            Self::Both => "In list and panes",
            Self::Menu => "In menus, help and questions",
            Self::Text => "While typing",
            Self::Always => "Always",
        }
    }
}

/// What may stand behind a typed command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// A filter.
    Filter,
    /// A profile's name.
    Profile,
    /// A theme's name.
    Theme,
    /// A file, and perhaps a filter.
    File,
}

impl Argument {
    /// As in the help.
    pub fn usage(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Filter => " [FILTER]",
            Self::Profile => " [PROFILE]",
            Self::Theme => " [THEME]",
            Self::File => " FILE [FILTER]",
        }
    }
}

/// One entry of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// What it does.
    pub command: Command,
    /// Its typed name.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Its keys, the shown one first.
    pub keys: &'static [&'static str],
    /// Where they mean it.
    pub context: Context,
    /// Its word in the footer, if it stands there.
    pub hint: Option<&'static str>,
    /// What may stand behind its name.
    pub argument: Argument,
}

const fn spec(
    command: Command,
    name: &'static str,
    keys: &'static [&'static str],
    context: Context,
    help: &'static str,
) -> Spec {
    Spec {
        command,
        name,
        help,
        keys,
        context,
        hint: None,
        argument: Argument::None,
    }
}

impl Spec {
    const fn hint(self, word: &'static str) -> Self {
        Self {
            hint: Some(word),
            ..self
        }
    }

    const fn takes(self, argument: Argument) -> Self {
        Self { argument, ..self }
    }

    /// Its keys, parsed.
    pub fn bound(&self) -> impl Iterator<Item = Key> {
        self.keys.iter().filter_map(|key| Key::parse(key))
    }

    /// Its keys for reading.
    pub fn keys_shown(&self) -> String {
        self.keys.join(" ")
    }
}

use Command as C;
use Context::{Always, Both, List, Menu, Pane, Text};

/// The command's entry.
pub fn spec_of(command: Command) -> Option<&'static Spec> {
    COMMANDS.iter().find(|spec| spec.command == command)
}

/// Commands that can be typed, with short forms of the usual ones.
pub fn typed(name: &str) -> Option<&'static Spec> {
    let name = match name {
        "q" => "quit",
        "q!" => "quit!",
        "w" => "save",
        "w!" => "save!",
        "h" => "help",
        "f" => "filter",
        "profiles" => "profile",
        "themes" => "theme",
        other => other,
    };
    typable().find(|spec| spec.name == name)
}

/// Commands that make sense when typed.
pub fn typable() -> impl Iterator<Item = &'static Spec> {
    COMMANDS
        .iter()
        .filter(|spec| !matches!(spec.context, Menu | Text))
        .filter(|spec| spec.command != C::CommandLine)
}

/// Whether it can be done now, or why not.
pub fn enabled(command: Command, app: &App) -> Result<(), String> {
    match command {
        C::Replay | C::ReplayAs => replayable(app),
        C::Open | C::Mark if app.selected().is_none() => Err("no exchange is selected".to_owned()),
        C::Copy | C::AsSent if app.exchange().is_none() => Err(no_exchange(app)),
        C::Parent if app.selected().is_none() => Err("no exchange is selected".to_owned()),
        C::Profiles | C::AsSigned if app.status.viewing.is_some() => {
            Err("a session file is only looked at: nothing is signed".to_owned())
        }
        C::NextMatch | C::PreviousMatch => match app.focus {
            Focus::Pane(pane) if !app.panes[pane.index()].needle.is_empty() => Ok(()),
            _ => Err("nothing was searched for in this pane: press / first".to_owned()),
        },
        C::Search if app.focus == Focus::List => Err("go to a pane first".to_owned()),
        C::Raw => match app.focus {
            Focus::Pane(PaneId::Body | PaneId::Return) => Ok(()),
            _ => Err("only the panes 2 and 3 show bodies".to_owned()),
        },
        C::Wrap if app.focus == Focus::List => Err("go to a pane first".to_owned()),
        C::Save | C::SaveOver if app.list.info.total == 0 => {
            Err("there is nothing to save yet".to_owned())
        }
        _ => Ok(()),
    }
}

fn replayable(app: &App) -> Result<(), String> {
    if let Some(file) = &app.status.viewing {
        return Err(format!(
            "{file} is only looked at; `sigscope replay` sends from a file"
        ));
    }
    app.exchange().map(|_| ()).ok_or_else(|| no_exchange(app))
}

fn no_exchange(app: &App) -> String {
    match &app.shown {
        Shown::Gone(_, why) => why.clone(),
        _ => "no exchange is selected".to_owned(),
    }
}

/// The keys as a Markdown document, for the manual.
pub fn key_table_markdown() -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for context in [Both, List, Pane, Menu, Text, Always] {
        let _ = write!(
            out,
            "### {}\n\n| key | command | does |\n| --- | --- | --- |\n",
            context.title()
        );
        for spec in COMMANDS.iter().filter(|spec| spec.context == context) {
            let keys: Vec<String> = spec.keys.iter().map(|key| format!("`{key}`")).collect();
            let typed = match spec.context {
                Menu | Text => String::new(),
                _ => format!("`:{}{}`", spec.name, spec.argument.usage()),
            };
            let _ = writeln!(out, "| {} | {typed} | {} |", keys.join(" "), spec.help);
        }
        out.push('\n');
    }
    out
}
