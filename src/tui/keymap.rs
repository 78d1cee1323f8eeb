//! From a key to a command, by context.

use std::collections::HashMap;

use super::{
    command::{COMMANDS, Command, Context},
    key::Key,
};

/// Which key does what where.
#[derive(Clone, Debug)]
pub struct Keymap {
    bindings: HashMap<(Context, Key), Command>,
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = COMMANDS
            .iter()
            .flat_map(|spec| spec.bound().map(|key| ((spec.context, key), spec.command)))
            .collect();
        Self { bindings }
    }
}

impl Keymap {
    /// What a key does in the first of the contexts that knows it.
    pub fn find(&self, contexts: &[Context], key: Key) -> Option<Command> {
        contexts
            .iter()
            .find_map(|&context| self.bindings.get(&(context, key)).copied())
    }
}
