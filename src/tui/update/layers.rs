//! Keys while something lies on top.

use super::{menu, prompt};
use crate::tui::{
    command::{Command as C, Context},
    effect::Effect,
    key::{Code, Key},
    keymap::Keymap,
    state::{App, Layer},
};

pub(super) fn press(app: &mut App, keymap: &Keymap, key: Key) -> Vec<Effect> {
    let context = match app.layers.last() {
        Some(Layer::Prompt(_)) => Context::Text,
        _ => Context::Menu,
    };
    let command = keymap.find(&[context], key);
    match app.layers.last() {
        Some(Layer::Prompt(_)) => prompt::press(app, command, key),
        Some(Layer::Picker(_)) => menu::picker(app, command, key),
        Some(Layer::Dialog(_)) => menu::dialog(app, command, key),
        Some(Layer::Help(_)) => help(app, command, key),
        None => Vec::new(),
    }
}

fn help(app: &mut App, command: Option<C>, key: Key) -> Vec<Effect> {
    let page = app.size.1.saturating_sub(8).max(1) as usize;
    let Some(Layer::Help(help)) = app.layers.last_mut() else {
        return Vec::new();
    };
    match command {
        Some(C::MenuClose | C::MenuChoose) => drop(app.layers.pop()),
        Some(C::MenuUp) => help.top = help.top.saturating_sub(1),
        Some(C::MenuDown) => help.top += 1,
        Some(C::MenuPageUp) => help.top = help.top.saturating_sub(page),
        Some(C::MenuPageDown) => help.top += page,
        _ if key == Key::char('?') => drop(app.layers.pop()),
        _ => {
            if help.field.press(key) {
                help.top = 0;
            }
        }
    }
    if let Some(Layer::Help(help)) = app.layers.last_mut() {
        help.top = help.top.min(crate::tui::command::COMMANDS.len() + 6);
    }
    Vec::new()
}

pub(super) fn paste(app: &mut App, text: &str) {
    match app.layers.last_mut() {
        Some(Layer::Prompt(prompt)) => {
            prompt.field.paste(text);
            prompt::edited(app);
        }
        Some(Layer::Picker(picker)) if !picker.by_key() => {
            picker.field.paste(text);
            picker.search();
        }
        Some(Layer::Help(help)) => help.field.paste(text),
        _ => {}
    }
}

/// `Tab` and the arrows walk through the buttons of a question.
pub(super) fn sideways(key: Key) -> isize {
    match key.code {
        Code::Left | Code::BackTab => -1,
        Code::Right | Code::Tab => 1,
        _ => 0,
    }
}
