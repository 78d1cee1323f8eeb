//! Pickers and questions.

use super::{focused, layers::sideways, replay_effect};
use crate::tui::{
    command::Command as C,
    effect::Effect,
    engine::CopyWhat,
    key::Key,
    state::{
        Answer, App, Choice, Copied, Deed, Dialog, Item, Layer, Level, Picker, Prompt, Purpose,
        Replay, message::shows_sent,
    },
};

/// Shows the lines that were asked for.
pub(super) fn open(app: &mut App, choice: Choice, items: Vec<Item>) {
    if items.is_empty() {
        let text = "no profiles were found: `aws configure` makes one, environment keys do too";
        app.notify(Level::Warning, text);
        return;
    }
    app.profiles = items.iter().map(|item| item.name.clone()).collect();
    let title = match &choice {
        Choice::ReplayAs(id) => format!("replay #{id} as"),
        _ => "sign as".to_owned(),
    };
    app.layers
        .push(Layer::Picker(Picker::new(choice, &title, items)));
}

/// `:theme NAME`, or the picker.
pub(super) fn theme(app: &mut App, name: &str) -> Vec<Effect> {
    if !name.is_empty() {
        return vec![Effect::Theme(name.to_owned())];
    }
    let items = app
        .themes
        .iter()
        .map(|name| Item {
            name: name.clone(),
            current: *name == app.theme,
            ..Item::default()
        })
        .collect();
    let choice = Choice::Theme(app.theme.clone());
    app.layers
        .push(Layer::Picker(Picker::new(choice, "theme", items)));
    Vec::new()
}

/// The copy menu for what is selected.
pub(super) fn copy(app: &mut App) {
    let Some(exchange) = app.exchange() else {
        return;
    };
    let id = exchange.id;
    let line = focused(app).and_then(|pane| {
        let pane = &app.panes[pane.index()];
        pane.document
            .as_ref()
            .map(|document| document.line(pane.cursor))
    });
    let signing = exchange.sent.as_ref().map(|sent| &sent.signing);
    let value = line
        .as_ref()
        .map(|line| line.value.clone().unwrap_or_else(|| line.text()));
    let request = match shows_sent(exchange, app.as_sent) {
        true => exchange.sent.as_ref().map(|sent| &sent.request),
        false => exchange.received.as_ref(),
    };
    let request_id = exchange
        .reply
        .as_ref()
        .and_then(|reply| reply.request_id.clone());
    let text = |text: Option<String>| text.map(Copied::Text);
    let rows = [
        ('v', "value", text(value), "go to a line of a pane first"),
        (
            'h',
            "header",
            text(line.and_then(|l| l.header)),
            "go to a header first",
        ),
        (
            'u',
            "URL",
            text(request.map(|r| r.url.clone())),
            "there is no request",
        ),
        (
            'b',
            "body",
            text(request.and_then(|r| r.body.text.clone())),
            "no text was kept",
        ),
        (
            'c',
            "curl, credentials left out",
            Some(Copied::Made(id, CopyWhat::Curl)),
            "",
        ),
        (
            'q',
            "canonical request",
            text(signing.and_then(|s| s.canonical_request.clone())),
            "nothing was signed",
        ),
        (
            's',
            "string to sign",
            text(signing.and_then(|s| s.string_to_sign.clone())),
            "nothing was signed",
        ),
        ('i', "request id", text(request_id), "the reply has none"),
        (
            'j',
            "exchange as JSON",
            Some(Copied::Made(id, CopyWhat::Json)),
            "",
        ),
    ];
    let items = rows
        .into_iter()
        .map(|(key, name, copy, why)| Item {
            name: name.to_owned(),
            key: Some(key),
            trouble: copy.is_none().then(|| why.to_owned()),
            detail: preview(copy.as_ref()),
            copy,
            ..Item::default()
        })
        .collect();
    app.layers
        .push(Layer::Picker(Picker::new(Choice::Copy, "copy", items)));
}

fn preview(copy: Option<&Copied>) -> String {
    match copy {
        Some(Copied::Text(text)) => {
            let first = text.lines().next().unwrap_or_default();
            crate::tui::text::wrap::cut(first, 48)
        }
        _ => String::new(),
    }
}

pub(super) fn picker(app: &mut App, command: Option<C>, key: Key) -> Vec<Effect> {
    let page = app.size.1.saturating_sub(8).max(1) as isize;
    let Some(Layer::Picker(picker)) = app.layers.last_mut() else {
        return Vec::new();
    };
    match command {
        Some(C::MenuClose) => return close(app),
        Some(C::MenuChoose) => return choose(app),
        Some(C::MenuUp) => picker.step(-1),
        Some(C::MenuDown) => picker.step(1),
        Some(C::MenuPageUp) => picker.step(-page),
        Some(C::MenuPageDown) => picker.step(page),
        _ if picker.by_key() => {
            let typed = picker.items.iter().position(|item| item.key == key.text());
            if let Some(at) = typed.filter(|_| key.text().is_some()) {
                picker.cursor = at;
                return choose(app);
            }
        }
        _ => {
            if picker.field.press(key) {
                picker.search();
            }
        }
    }
    try_theme(app)
}

/// The theme under the cursor is tried on at once.
pub(super) fn try_theme(app: &App) -> Vec<Effect> {
    match app.layers.last() {
        Some(Layer::Picker(picker)) if matches!(picker.choice, Choice::Theme(_)) => picker
            .item()
            .map(|item| Effect::Theme(item.name.clone()))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

fn close(app: &mut App) -> Vec<Effect> {
    match app.layers.pop() {
        Some(Layer::Picker(Picker {
            choice: Choice::Theme(before),
            ..
        })) => vec![Effect::Theme(before)],
        _ => Vec::new(),
    }
}

/// Takes the item under the cursor; one that cannot be taken says why and stays.
pub(super) fn choose(app: &mut App) -> Vec<Effect> {
    let Some(Layer::Picker(picker)) = app.layers.last() else {
        return Vec::new();
    };
    let Some(item) = picker.item().cloned() else {
        return Vec::new();
    };
    let choice = picker.choice.clone();
    if let (Choice::Copy, Some(why)) = (&choice, &item.trouble) {
        let text = format!("{}: {why}", item.name);
        app.notify(Level::Warning, text);
        return Vec::new();
    }
    app.layers.pop();
    match choice {
        Choice::Profile => vec![Effect::UseProfile(item.name)],
        Choice::Theme(_) => vec![Effect::Theme(item.name)],
        Choice::ReplayAs(id) => {
            let region = app.exchange().and_then(|exchange| exchange.route.as_ref());
            let region = region
                .and_then(|route| route.region.clone())
                .unwrap_or_default();
            let purpose = Purpose::ReplayRegion {
                id,
                profile: item.name,
            };
            app.layers
                .push(Layer::Prompt(Prompt::new(purpose, &region)));
            Vec::new()
        }
        Choice::Copy => match item.copy {
            Some(Copied::Text(text)) => vec![Effect::Copy(item.name, text)],
            Some(Copied::Made(id, what)) => vec![Effect::CopyMade(id, what)],
            None => Vec::new(),
        },
    }
}

/// The replay changes something: ask, unless told not to.
pub(super) fn confirm_replay(app: &mut App, replay: Replay, why: String) -> Vec<Effect> {
    if !app.ask_before_replay {
        return vec![Effect::Replay(replay)];
    }
    let answer = |label, key, does| Answer { label, key, does };
    app.layers.push(Layer::Dialog(Dialog {
        title: format!("replay #{}?", replay.id),
        text: vec![why, "It is sent for real, signed now.".to_owned()],
        answers: vec![
            answer("cancel", 'c', Deed::Cancel),
            answer("replay", 'r', Deed::Replay(replay.clone())),
            answer("replay, do not ask again", 'a', Deed::ReplayAlways(replay)),
        ],
        cursor: 0,
    }));
    Vec::new()
}

/// Unsaved exchanges would be lost.
pub(super) fn ask_quit(app: &mut App) {
    let answer = |label, key, does| Answer { label, key, does };
    let count = app.unsaved;
    let them = if count == 1 {
        "exchange is"
    } else {
        "exchanges are"
    };
    app.layers.push(Layer::Dialog(Dialog {
        title: "quit?".to_owned(),
        text: vec![format!("{count} {them} not saved and would be gone.")],
        answers: vec![
            answer("save…", 's', Deed::SaveFirst),
            answer("quit anyway", 'q', Deed::QuitAnyway),
            answer("cancel", 'c', Deed::Cancel),
        ],
        cursor: 0,
    }));
}

pub(super) fn dialog(app: &mut App, command: Option<C>, key: Key) -> Vec<Effect> {
    let Some(Layer::Dialog(dialog)) = app.layers.last_mut() else {
        return Vec::new();
    };
    let last = dialog.answers.len().saturating_sub(1);
    match command {
        Some(C::MenuClose) => drop(app.layers.pop()),
        Some(C::MenuChoose) => return answer(app),
        Some(C::MenuUp) => dialog.cursor = dialog.cursor.saturating_sub(1),
        Some(C::MenuDown) => dialog.cursor = (dialog.cursor + 1).min(last),
        _ => {
            let pressed = dialog
                .answers
                .iter()
                .position(|answer| key.text() == Some(answer.key));
            if let Some(at) = pressed {
                dialog.cursor = at;
                return answer(app);
            }
            let count = dialog.answers.len().max(1) as isize;
            dialog.cursor = (dialog.cursor as isize + sideways(key)).rem_euclid(count) as usize;
        }
    }
    Vec::new()
}

/// Presses the chosen button.
pub(super) fn answer(app: &mut App) -> Vec<Effect> {
    let Some(Layer::Dialog(dialog)) = app.layers.pop() else {
        return Vec::new();
    };
    let Some(answer) = dialog.answers.into_iter().nth(dialog.cursor) else {
        return Vec::new();
    };
    match answer.does {
        Deed::Cancel => Vec::new(),
        Deed::Replay(replay) => vec![Effect::Replay(replay)],
        Deed::ReplayAlways(replay) => {
            app.ask_before_replay = false;
            vec![replay_effect(app, replay)]
        }
        Deed::QuitAnyway => vec![Effect::Quit],
        Deed::SaveFirst => {
            let prompt = Prompt::new(Purpose::SaveAndQuit, "sigscope.session");
            app.layers.push(Layer::Prompt(prompt));
            Vec::new()
        }
    }
}
