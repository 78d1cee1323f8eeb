//! The one registry of what the operator can do. Footer, help, command line, completion
//! and the documentation of the keys are all made from it.

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

/// Everything, in the order of help and footer.
pub const COMMANDS: &[Spec] = &[
    spec(C::Open, "open", &["enter"], List, "look at the exchange").hint("open"),
    spec(
        C::Replay,
        "replay",
        &["r"],
        Both,
        "send it again, signed now as the active profile",
    )
    .hint("replay"),
    spec(
        C::ReplayAs,
        "replay-as",
        &["R"],
        Both,
        "send it again as another profile or region",
    )
    .hint("replay as…"),
    spec(
        C::Profiles,
        "profile",
        &["p"],
        Both,
        "choose the profile that signs from now on",
    )
    .hint("profiles")
    .takes(Argument::Profile),
    spec(
        C::Filter,
        "filter",
        &["/"],
        List,
        "show only what matches; esc shows all again",
    )
    .hint("filter")
    .takes(Argument::Filter),
    spec(C::Search, "search", &["/"], Pane, "search in this pane").hint("search"),
    spec(
        C::NextMatch,
        "next-match",
        &["n"],
        Pane,
        "next place that was searched for",
    ),
    spec(
        C::PreviousMatch,
        "previous-match",
        &["N"],
        Pane,
        "previous place that was searched for",
    ),
    spec(
        C::AsSent,
        "as-sent",
        &["t"],
        Both,
        "request as received, or as sent",
    )
    .hint("as sent"),
    spec(
        C::Copy,
        "copy",
        &["y"],
        Both,
        "copy value, header, curl, canonical request, …",
    )
    .hint("copy"),
    spec(
        C::Parent,
        "parent",
        &["P"],
        Both,
        "go to what this repeats, or to its repetition",
    ),
    spec(
        C::Mark,
        "mark",
        &["space"],
        Both,
        "mark or unmark the exchange",
    ),
    spec(
        C::Follow,
        "follow",
        &["F"],
        Both,
        "stay with the newest, or stay here",
    ),
    spec(
        C::Zoom,
        "zoom",
        &["z"],
        Both,
        "give the focused part the whole screen",
    )
    .hint("zoom"),
    spec(
        C::Wrap,
        "wrap",
        &["w"],
        Pane,
        "break long lines, or scroll sideways",
    )
    .hint("wrap"),
    spec(C::Raw, "raw", &["x"], Pane, "body as it came, or laid out").hint("raw"),
    spec(C::Down, "down", &["j", "down"], Both, "one line down"),
    spec(C::Up, "up", &["k", "up"], Both, "one line up"),
    spec(
        C::Left,
        "left",
        &["h", "left"],
        Both,
        "scroll left; on a list, nothing",
    ),
    spec(
        C::Right,
        "right",
        &["l", "right"],
        Both,
        "scroll right; on a list, open",
    ),
    spec(C::Top, "top", &["g", "home"], Both, "to the beginning"),
    spec(C::Bottom, "bottom", &["G", "end"], Both, "to the end"),
    spec(
        C::PageDown,
        "page-down",
        &["pgdn", "ctrl-f"],
        Both,
        "one page down",
    ),
    spec(
        C::PageUp,
        "page-up",
        &["pgup", "ctrl-b"],
        Both,
        "one page up",
    ),
    spec(
        C::HalfDown,
        "half-down",
        &["ctrl-d"],
        Both,
        "half a page down",
    ),
    spec(C::HalfUp, "half-up", &["ctrl-u"], Both, "half a page up"),
    spec(
        C::NextExchange,
        "next",
        &["J"],
        Both,
        "next exchange, without leaving the pane",
    ),
    spec(
        C::PreviousExchange,
        "previous",
        &["K"],
        Both,
        "previous exchange",
    ),
    spec(
        C::NextPane,
        "next-pane",
        &["tab"],
        Both,
        "to the next part of the screen",
    ),
    spec(
        C::PreviousPane,
        "previous-pane",
        &["shift-tab"],
        Both,
        "to the previous part",
    ),
    spec(
        C::Pane(PaneId::Request),
        "request",
        &["1"],
        Both,
        "the request's head",
    ),
    spec(
        C::Pane(PaneId::Body),
        "body",
        &["2"],
        Both,
        "the request's body",
    ),
    spec(
        C::Pane(PaneId::Return),
        "return",
        &["3"],
        Both,
        "what came back",
    ),
    spec(
        C::Pane(PaneId::Signing),
        "signing",
        &["4"],
        Both,
        "what exactly was signed",
    ),
    spec(
        C::Pane(PaneId::Why),
        "why",
        &["5"],
        Both,
        "why it failed, and what to do",
    ),
    spec(
        C::Pane(PaneId::Timing),
        "timing",
        &["6"],
        Both,
        "how long each step took",
    ),
    spec(C::Grow, "grow", &[">"], Both, "more room for the list"),
    spec(C::Shrink, "shrink", &["<"], Both, "less room for the list"),
    spec(
        C::Save,
        "save",
        &[],
        Both,
        "write a session file, of what the filter matches",
    )
    .takes(Argument::File),
    spec(
        C::SaveOver,
        "save!",
        &[],
        Both,
        "the same over an existing file",
    )
    .takes(Argument::File),
    spec(
        C::AsSigned,
        "as-signed",
        &[],
        Both,
        "forward clients' own signatures, or sign again",
    ),
    spec(C::Theme, "theme", &["T"], Both, "choose the colours").takes(Argument::Theme),
    spec(
        C::Mouse,
        "mouse",
        &["m"],
        Both,
        "mouse for sigscope, or for the terminal's selection",
    ),
    spec(
        C::Close,
        "close",
        &["esc"],
        Both,
        "one step back: zoom, pane, filter",
    ),
    spec(C::CommandLine, "commands", &[":"], Both, "type a command").hint("command"),
    spec(C::Help, "help", &["?"], Both, "all keys and commands").hint("help"),
    spec(
        C::Quit,
        "quit",
        &["q"],
        Both,
        "leave; in a pane, back to the list",
    ),
    spec(
        C::MenuDown,
        "menu-down",
        &["down", "ctrl-n"],
        Menu,
        "next entry",
    ),
    spec(
        C::MenuUp,
        "menu-up",
        &["up", "ctrl-p"],
        Menu,
        "previous entry",
    ),
    spec(
        C::MenuPageDown,
        "menu-page-down",
        &["pgdn", "ctrl-f"],
        Menu,
        "one page down",
    ),
    spec(
        C::MenuPageUp,
        "menu-page-up",
        &["pgup", "ctrl-b"],
        Menu,
        "one page up",
    ),
    spec(C::MenuChoose, "menu-choose", &["enter"], Menu, "choose").hint("choose"),
    spec(C::MenuClose, "menu-close", &["esc"], Menu, "close").hint("close"),
    spec(C::TextAccept, "text-accept", &["enter"], Text, "do it").hint("accept"),
    spec(
        C::TextCancel,
        "text-cancel",
        &["esc"],
        Text,
        "leave it as it was",
    )
    .hint("cancel"),
    spec(C::TextComplete, "text-complete", &["tab"], Text, "complete").hint("complete"),
    spec(
        C::TextEarlier,
        "text-earlier",
        &["up"],
        Text,
        "earlier text, or entry above",
    ),
    spec(
        C::TextLater,
        "text-later",
        &["down"],
        Text,
        "later text, or entry below",
    ),
    spec(
        C::Redraw,
        "redraw",
        &["ctrl-l"],
        Always,
        "draw the screen anew",
    ),
    spec(
        C::Suspend,
        "suspend",
        &["ctrl-z"],
        Always,
        "back to the shell; fg returns",
    ),
    spec(C::QuitNow, "quit!", &["ctrl-c"], Always, "leave at once"),
];

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
