//! Message in, state changed, effects out. Nothing here acts, waits or draws.

mod layers;
mod menu;
mod mouse;
mod moves;
mod prompt;

use std::time::SystemTime;

pub(crate) use prompt::{Completion, offered};

pub use mouse::{Mouse, MouseAction};

use super::{
    command::{self, Command, Context},
    effect::Effect,
    key::{Code, Key},
    keymap::Keymap,
    state::{App, Choice, Focus, Help, Item, Layer, Level, PaneId, Prompt, Purpose, Replay},
};

/// Everything that can happen to the screen.
#[derive(Clone, Debug)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something.
    Mouse(Mouse),
    /// The terminal has another size.
    Resize(u16, u16),
    /// Time went by.
    Tick(SystemTime),
    /// Something to tell the operator.
    Notice(Level, String),
    /// The lines of a picker arrived.
    Pick(Choice, Vec<Item>),
    /// Names of the profiles, for completion.
    Profiles(Vec<String>),
    /// A replay changes something: ask.
    ConfirmReplay(Replay, String),
    /// Go to an exchange.
    Select(u64),
    /// Put a text on the clipboard.
    Copy(String, String),
    /// A save ended.
    Saved(Result<String, String>),
}

/// Changes the state and says what else is to be done.
pub fn update(app: &mut App, keymap: &Keymap, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(key) => return press(app, keymap, key),
        Message::Paste(text) => layers::paste(app, &text),
        Message::Mouse(mouse) => return mouse::mouse(app, mouse),
        Message::Resize(w, h) => app.size = (w, h),
        Message::Tick(now) => {
            app.now = now;
            if app.toast.as_ref().is_some_and(|toast| toast.until <= now) {
                app.toast = None;
            }
        }
        Message::Notice(level, text) => app.notify(level, text),
        Message::Pick(choice, items) => menu::open(app, choice, items),
        Message::Profiles(names) => app.profiles = names,
        Message::ConfirmReplay(replay, why) => return menu::confirm_replay(app, replay, why),
        Message::Select(id) => app.list.select(id),
        Message::Copy(name, text) => return vec![Effect::Copy(name, text)],
        Message::Saved(result) => return saved(app, result),
    }
    Vec::new()
}

fn saved(app: &mut App, result: Result<String, String>) -> Vec<Effect> {
    let quit = std::mem::take(&mut app.quit_after_save);
    match result {
        Ok(text) if quit => {
            app.notify(Level::Info, text);
            return vec![Effect::Quit];
        }
        Ok(text) => app.notify(Level::Info, text),
        Err(why) => app.notify(Level::Error, format!("not saved: {why}")),
    }
    Vec::new()
}

fn press(app: &mut App, keymap: &Keymap, key: Key) -> Vec<Effect> {
    if let Some(command) = keymap.find(&[Context::Always], key) {
        return run(app, command, "");
    }
    if !app.layers.is_empty() {
        return layers::press(app, keymap, key);
    }
    let place = match app.focus {
        Focus::List => Context::List,
        Focus::Pane(_) => Context::Pane,
    };
    match keymap.find(&[place, Context::Both], key) {
        Some(command) => run(app, command, ""),
        None => {
            if key.code != Code::Esc {
                app.notify(
                    Level::Info,
                    format!("{key} does nothing here; ? shows the keys"),
                );
            }
            Vec::new()
        }
    }
}

/// Does a command, with what was typed behind it.
pub(crate) fn run(app: &mut App, command: Command, argument: &str) -> Vec<Effect> {
    if let Err(why) = command::enabled(command, app) {
        let name = command::spec_of(command).map_or("", |spec| spec.name);
        app.notify(Level::Warning, format!("{name}: {why}"));
        return Vec::new();
    }
    use Command as C;
    match command {
        C::Replay => return ask_replay(app),
        C::ReplayAs => {
            let id = app.selected().unwrap_or_default();
            return vec![Effect::PickProfile(Choice::ReplayAs(id))];
        }
        C::Profiles if argument.is_empty() => return vec![Effect::PickProfile(Choice::Profile)],
        C::Profiles => return vec![Effect::UseProfile(argument.to_owned())],
        C::Theme => return menu::theme(app, argument),
        C::Filter if argument.is_empty() => {
            let text = app.filter.clone();
            app.layers
                .push(Layer::Prompt(Prompt::new(Purpose::Filter, &text)));
        }
        C::Filter => prompt::set_filter(app, argument),
        C::Search => {
            let text = focused(app).map(|pane| app.panes[pane.index()].needle.clone());
            let text = text.unwrap_or_default();
            app.layers
                .push(Layer::Prompt(Prompt::new(Purpose::Search, &text)));
        }
        C::CommandLine => app
            .layers
            .push(Layer::Prompt(Prompt::new(Purpose::Command, ""))),
        C::Help => app.layers.push(Layer::Help(Help::default())),
        C::Copy => menu::copy(app),
        C::Save | C::SaveOver => return save(app, argument, command == C::SaveOver),
        C::Mark => return mark(app),
        C::Parent => return parent(app),
        C::AsSigned => return vec![Effect::SetAsSigned(!app.status.as_signed)],
        C::Mouse => return mouse::toggle(app),
        C::AsSent => {
            app.as_sent = !app.as_sent;
            app.reshow();
        }
        C::Redraw => return vec![Effect::Redraw],
        C::Suspend => return vec![Effect::Suspend],
        C::QuitNow => return vec![Effect::Quit],
        C::Quit => return quit(app),
        other => moves::run(app, other),
    }
    Vec::new()
}

/// The pane that has the focus.
pub(crate) fn focused(app: &App) -> Option<PaneId> {
    match app.focus {
        Focus::Pane(pane) => Some(pane),
        Focus::List => None,
    }
}

fn ask_replay(app: &App) -> Vec<Effect> {
    let Some(id) = app.selected() else {
        return Vec::new();
    };
    let replay = Replay {
        id,
        profile: None,
        region: None,
    };
    vec![replay_effect(app, replay)]
}

pub(crate) fn replay_effect(app: &App, replay: Replay) -> Effect {
    if app.ask_before_replay {
        Effect::AskReplay(replay)
    } else {
        Effect::Replay(replay)
    }
}

fn save(app: &mut App, argument: &str, overwrite: bool) -> Vec<Effect> {
    let (path, filter) = match argument.split_once(char::is_whitespace) {
        Some((path, filter)) => (path, Some(filter.trim().to_owned())),
        None => (argument, None),
    };
    if path.is_empty() {
        let name = if overwrite { "save! " } else { "save " };
        app.layers
            .push(Layer::Prompt(Prompt::new(Purpose::Command, name)));
        return Vec::new();
    }
    vec![Effect::Save {
        path: path.to_owned(),
        filter,
        overwrite,
    }]
}

fn mark(app: &mut App) -> Vec<Effect> {
    let Some(id) = app.selected() else {
        return Vec::new();
    };
    let marked = app.list.row().is_some_and(|row| row.marked);
    vec![Effect::Mark(id, !marked)]
}

fn parent(app: &mut App) -> Vec<Effect> {
    let Some(id) = app.selected() else {
        return Vec::new();
    };
    let parent = match app.list.row() {
        Some(row) => row.replay_of,
        None => app.exchange().and_then(|exchange| exchange.replay_of),
    };
    match parent {
        Some(parent) => {
            app.list.select(parent);
            Vec::new()
        }
        None => vec![Effect::FindChild(id)],
    }
}

fn quit(app: &mut App) -> Vec<Effect> {
    if app.zoom {
        app.zoom = false;
    } else if app.focus != Focus::List {
        app.focus = Focus::List;
    } else if app.unsaved > 0 && app.status.viewing.is_none() {
        menu::ask_quit(app);
    } else {
        return vec![Effect::Quit];
    }
    Vec::new()
}
