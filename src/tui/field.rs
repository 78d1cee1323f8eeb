//! The one-line text field: the only file that names the text area.

use tui_textarea::{CursorMove, Input, Key as AreaKey, TextArea};

use super::key::{Code, Key};

/// A line of text under edit.
#[derive(Clone, Debug)]
pub struct Field {
    area: TextArea<'static>,
}

impl Default for Field {
    fn default() -> Self {
        Self::new("")
    }
}

impl Field {
    /// A field that holds `text`, with the cursor behind it.
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::new(vec![one_line(text)]);
        area.set_cursor_line_style(Default::default());
        area.move_cursor(CursorMove::End);
        Self { area }
    }

    /// What it holds.
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// Replaces what it holds.
    pub fn set(&mut self, text: &str) {
        *self = Self::new(text);
    }

    /// Cursor position in characters.
    pub fn cursor(&self) -> usize {
        self.area.cursor().1
    }

    /// Edits; whether the text changed.
    pub fn press(&mut self, key: Key) -> bool {
        let line_break = matches!(key.code, Code::Char('m' | 'j')) && key.ctrl;
        match area_key(key.code) {
            Some(code) if !line_break => self.area.input(Input {
                key: code,
                ctrl: key.ctrl,
                alt: key.alt,
                shift: false,
            }),
            _ => false,
        }
    }

    /// Inserts pasted text; line ends become blanks.
    pub fn paste(&mut self, text: &str) {
        self.area.insert_str(one_line(text));
    }

    /// The widget, for the view to style.
    pub(crate) fn area(&self) -> TextArea<'static> {
        self.area.clone()
    }
}

fn one_line(text: &str) -> String {
    text.trim_end_matches(['\r', '\n'])
        .replace(|c: char| c.is_control(), " ")
}

fn area_key(code: Code) -> Option<AreaKey> {
    Some(match code {
        Code::Char(c) => AreaKey::Char(c),
        Code::Backspace => AreaKey::Backspace,
        Code::Delete => AreaKey::Delete,
        Code::Left => AreaKey::Left,
        Code::Right => AreaKey::Right,
        Code::Home => AreaKey::Home,
        Code::End => AreaKey::End,
        _ => return None,
    })
}
