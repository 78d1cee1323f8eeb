//! The last row while a text is typed: filter, search, command, region, file.

use super::{focused, moves, replay_effect, run};
use crate::tui::{
    command::{self, Argument, Command as C, Spec},
    effect::Effect,
    key::Key,
    state::{App, Layer, Level, Prompt, Purpose, Replay, layout},
    text::fuzzy,
};

const REMEMBERED: usize = 50;

pub(super) fn press(app: &mut App, command: Option<C>, key: Key) -> Vec<Effect> {
    match command {
        Some(C::TextAccept) => return accept(app),
        Some(C::TextCancel) => cancel(app),
        Some(C::TextComplete) => complete(app),
        Some(C::TextEarlier) => walk(app, 1),
        Some(C::TextLater) => walk(app, -1),
        _ => {
            let Some(Layer::Prompt(prompt)) = app.layers.last_mut() else {
                return Vec::new();
            };
            let emptied =
                prompt.field.text().is_empty() && key == Key::new(crate::tui::key::Code::Backspace);
            if emptied && prompt.purpose == Purpose::Command {
                cancel(app);
            } else if prompt.field.press(key) {
                edited(app);
            }
        }
    }
    Vec::new()
}

/// The text changed: a search shows its hits at once. (The filter is applied by the sync.)
pub(super) fn edited(app: &mut App) {
    let Some(Layer::Prompt(prompt)) = app.layers.last_mut() else {
        return;
    };
    (prompt.chosen, prompt.recalled) = (0, 0);
    if prompt.purpose == Purpose::Search {
        let needle = prompt.field.text().to_owned();
        search(app, &needle);
    }
}

fn search(app: &mut App, needle: &str) {
    let Some(id) = focused(app) else {
        return;
    };
    let view = moves::view(layout(app).as_ref(), id);
    let pane = &mut app.panes[id.index()];
    pane.needle = needle.to_owned();
    pane.found = pane
        .document
        .as_ref()
        .map(|document| document.search(needle))
        .unwrap_or_default();
    let here = pane.found.iter().find(|&&line| line >= pane.cursor);
    if let Some(&line) = here.or(pane.found.first()) {
        pane.go(line, view);
    }
}

fn cancel(app: &mut App) {
    if let Some(Layer::Prompt(prompt)) = app.layers.pop()
        && prompt.purpose == Purpose::Search
    {
        search(app, &prompt.before);
    }
    app.filter_error = None;
    app.quit_after_save = false;
}

fn accept(app: &mut App) -> Vec<Effect> {
    let Some(Layer::Prompt(prompt)) = app.layers.pop() else {
        return Vec::new();
    };
    let text = prompt.field.text().trim().to_owned();
    match &prompt.purpose {
        Purpose::Filter => {
            if app.filter_error.is_some() {
                // Nothing is lost: the text stays under edit until it is right.
                app.layers.push(Layer::Prompt(prompt));
                return Vec::new();
            }
            set_filter(app, &text);
        }
        Purpose::Search => {
            search(app, &text);
            if focused(app).is_some_and(|pane| app.panes[pane.index()].found.is_empty())
                && !text.is_empty()
            {
                app.notify(Level::Info, format!("“{text}” is not in this pane"));
            }
        }
        Purpose::Command => return typed(app, &prompt, &text),
        Purpose::ReplayRegion { id, profile } => {
            let replay = Replay {
                id: *id,
                profile: Some(profile.clone()),
                region: Some(text).filter(|region| !region.is_empty()),
            };
            return vec![replay_effect(app, replay)];
        }
        Purpose::SaveAndQuit if text.is_empty() => {}
        Purpose::SaveAndQuit => {
            app.quit_after_save = true;
            return vec![Effect::Save {
                path: text,
                filter: None,
                overwrite: false,
            }];
        }
    }
    Vec::new()
}

/// Applies a filter and remembers it.
pub(super) fn set_filter(app: &mut App, text: &str) {
    text.clone_into(&mut app.filter);
    remember(&mut app.filter_history, text);
}

fn remember(history: &mut std::collections::VecDeque<String>, text: &str) {
    if text.is_empty() {
        return;
    }
    history.retain(|earlier| earlier != text);
    history.push_back(text.to_owned());
    if history.len() > REMEMBERED {
        history.pop_front();
    }
}

fn typed(app: &mut App, prompt: &Prompt, text: &str) -> Vec<Effect> {
    let (name, argument) = split(text);
    let spec = command::typed(name).or_else(|| {
        // `enter` on a half-typed name takes the entry that the list points at.
        let fits = completions(app, text);
        fits.get(prompt.chosen).and_then(|entry| entry.spec)
    });
    let Some(spec) = spec else {
        if !text.is_empty() {
            let known = format!("there is no command “{name}”; ? shows all of them");
            app.notify(Level::Error, known);
        }
        return Vec::new();
    };
    remember(&mut app.command_history, text);
    run(app, spec.command, argument)
}

fn split(text: &str) -> (&str, &str) {
    let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (name, argument.trim())
}

/// `Up` and `Down`: through the completions where there are some, else the history.
fn walk(app: &mut App, by: isize) {
    let count = offered(app).len();
    let Some(Layer::Prompt(prompt)) = app.layers.last_mut() else {
        return;
    };
    let history = match prompt.purpose {
        Purpose::Filter => &app.filter_history,
        Purpose::Command if prompt.field.text().is_empty() || prompt.recalled > 0 => {
            &app.command_history
        }
        Purpose::Command => {
            let last = count.saturating_sub(1);
            prompt.chosen = prompt.chosen.saturating_add_signed(-by).min(last);
            return;
        }
        _ => return,
    };
    let place = prompt.recalled.saturating_add_signed(by).min(history.len());
    prompt.recalled = place;
    let text = match place {
        0 => prompt.before.clone(),
        back => history
            .get(history.len() - back)
            .cloned()
            .unwrap_or_default(),
    };
    prompt.field.set(&text);
}

fn complete(app: &mut App) {
    let offered = offered(app);
    if let Some(Layer::Prompt(prompt)) = app.layers.last_mut()
        && let Some(entry) = offered.get(prompt.chosen)
    {
        prompt.field.set(&entry.text);
        prompt.chosen = 0;
    }
}

/// One line of the completion list.
pub(crate) struct Completion {
    /// What the text becomes.
    pub(crate) text: String,
    /// The command, where a name is completed.
    pub(crate) spec: Option<&'static Spec>,
}

/// What the text under edit could become.
pub(crate) fn offered(app: &App) -> Vec<Completion> {
    match app.layers.last() {
        Some(Layer::Prompt(prompt)) if prompt.purpose == Purpose::Command => {
            completions(app, prompt.field.text())
        }
        _ => Vec::new(),
    }
}

fn completions(app: &App, text: &str) -> Vec<Completion> {
    if !text.contains(char::is_whitespace) {
        let specs: Vec<&Spec> = command::typable().collect();
        return fuzzy::ranked(text, specs.iter().map(|spec| spec.name))
            .into_iter()
            .map(|at| Completion {
                text: match specs[at].argument {
                    Argument::None => specs[at].name.to_owned(),
                    _ => format!("{} ", specs[at].name),
                },
                spec: Some(specs[at]),
            })
            .collect();
    }
    let (name, argument) = split(text);
    let values: &[String] = match command::typed(name).map(|spec| spec.argument) {
        Some(Argument::Profile) => &app.profiles,
        Some(Argument::Theme) => &app.themes,
        _ => &[],
    };
    fuzzy::ranked(argument, values.iter().map(String::as_str))
        .into_iter()
        .map(|at| Completion {
            text: format!("{name} {}", values[at]),
            spec: None,
        })
        .collect()
}
