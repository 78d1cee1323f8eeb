//! What the update asks for, and the only place that does it.

use std::sync::Arc;

use super::{
    engine::{CopyWhat, Engine},
    state::{Choice, Item, Level, Replay},
    update::Message,
};

/// Something to be done outside the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Load the profiles, then open the picker.
    PickProfile(Choice),
    /// Sign as this profile from now on.
    UseProfile(String),
    /// Ask why this replay needs a confirmation, then ask the operator or do it.
    AskReplay(Replay),
    /// Send it again.
    Replay(Replay),
    /// Write a session file.
    Save {
        /// Where.
        path: String,
        /// What; all, if `None`.
        filter: Option<String>,
        /// Over an existing file.
        overwrite: bool,
    },
    /// Mark or unmark a row.
    Mark(u64, bool),
    /// Find the newest repetition of an exchange.
    FindChild(u64),
    /// Forward the clients' own signatures, or not.
    SetAsSigned(bool),
    /// Put a made text on the clipboard.
    CopyMade(u64, CopyWhat),
    /// Put this text on the clipboard; the name is for the notice.
    Copy(String, String),
    /// Show the screen in a theme.
    Theme(String),
    /// Ask for mouse events, or leave them to the terminal.
    Mouse(bool),
    /// Draw everything anew.
    Redraw,
    /// Back to the shell until `fg`.
    Suspend,
    /// Leave.
    Quit,
}

/// Largest text for OSC 52: what terminals take, of base64 (74 994 bytes with its frame).
pub const OSC52_MAX: usize = 74_994;

/// Does what needs only the engine; it may take its time. What concerns the terminal is
/// handed back.
pub fn perform(effect: Effect, engine: &Arc<dyn Engine>) -> Result<Option<Message>, Effect> {
    let done = match effect {
        Effect::PickProfile(choice) => Some(Message::Pick(choice, profiles(engine.as_ref()))),
        Effect::UseProfile(name) => Some(match engine.use_profile(&name) {
            Ok(()) => notice(Level::Info, format!("signing as {name} from now on")),
            Err(why) => notice(Level::Error, format!("cannot use {name}: {why}")),
        }),
        Effect::AskReplay(replay) => match engine.replay_needs_confirmation(replay.id) {
            Some(why) => Some(Message::ConfirmReplay(replay, why)),
            None => Some(send(engine.as_ref(), replay)),
        },
        Effect::Replay(replay) => Some(send(engine.as_ref(), replay)),
        Effect::Save {
            path,
            filter,
            overwrite,
        } => Some(Message::Saved(engine.save(
            &path,
            filter.as_deref(),
            overwrite,
        ))),
        Effect::Mark(id, on) => {
            engine.mark(id, on);
            None
        }
        Effect::FindChild(id) => Some(match engine.child_of(id) {
            Some(child) => Message::Select(child),
            None => notice(
                Level::Info,
                format!("#{id} repeats nothing and was not repeated: r replays it"),
            ),
        }),
        Effect::SetAsSigned(on) => {
            engine.set_as_signed(on);
            let text = if on {
                "clients' own signatures go through untouched"
            } else {
                "requests are signed again"
            };
            Some(notice(Level::Info, text.to_owned()))
        }
        Effect::CopyMade(id, what) => Some(match engine.copy_text(id, what) {
            Ok(text) => Message::Copy(
                match what {
                    CopyWhat::Curl => "curl command",
                    CopyWhat::Json => "exchange as JSON",
                }
                .to_owned(),
                text,
            ),
            Err(why) => notice(Level::Error, format!("cannot copy: {why}")),
        }),
        other => return Err(other),
    };
    Ok(done)
}

fn notice(level: Level, text: String) -> Message {
    Message::Notice(level, text)
}

fn send(engine: &dyn Engine, replay: Replay) -> Message {
    let id = replay.id;
    let whom = replay.profile.clone();
    match engine.replay(id, replay.profile, replay.region) {
        Ok(()) => {
            let as_whom = whom.map_or_else(String::new, |name| format!(" as {name}"));
            notice(
                Level::Info,
                format!("#{id} sent again{as_whom}; P goes to the new one"),
            )
        }
        Err(why) => notice(Level::Error, format!("cannot replay #{id}: {why}")),
    }
}

fn profiles(engine: &dyn Engine) -> Vec<Item> {
    engine
        .profiles()
        .into_iter()
        .map(|profile| {
            let known = [
                Some(profile.kind),
                profile.account,
                profile.region,
                profile.key_id,
                Some(profile.status),
                Some(profile.origin),
            ];
            let known: Vec<String> = known
                .into_iter()
                .flatten()
                .filter(|t| !t.is_empty())
                .collect();
            Item {
                name: profile.name,
                detail: known.join("  "),
                current: profile.active,
                trouble: profile.error,
                ..Item::default()
            }
        })
        .collect()
}

/// Whether a text fits into OSC 52, or what to do instead.
pub fn check_clipboard(text: &str) -> Result<(), String> {
    let encoded = text.len().div_ceil(3) * 4;
    if encoded + "\x1b]52;c;\x07".len() <= OSC52_MAX {
        return Ok(());
    }
    Err(format!(
        "too large for OSC 52 ({} KiB; terminals take {} KiB): use :save FILE id:…",
        text.len() / 1024,
        OSC52_MAX * 3 / 4 / 1024
    ))
}
