//! The screen.
//!
//! ```text
//! key, mouse, size, time ─► Message ─► update ─► App (state) ─► view ─► frame
//!                              ▲          │
//!                              │          ▼
//!            Engine (port) ◄─ effect ◄─ Effect
//! ```
//!
//! `state` says what is and never names the terminal library; `update` turns a message
//! into another state and a list of effects; `view` draws the state, a file a region;
//! `command` is the one registry from which keys, footer, help, command line and key
//! documentation are made; `effect` is the only place that acts; `run` is the loop.
//!
//! To add a command: an entry in [`command::COMMANDS`] and its arm in `update`. To add a
//! pane: a `PaneId` and its document in `state`. To add a colour: a `Tone` and its key in
//! the themes.

pub mod command;
pub mod effect;
pub mod engine;
mod field;
pub mod key;
pub mod keymap;
mod run;
pub mod state;
mod terminal;
mod text;
pub mod theme;
pub mod update;
pub mod view;

pub use engine::Engine;
pub use run::{Exit, Options, run};
