//! The port: what the screen asks of the rest of the program.
//!
//! The screen never holds the exchanges. It asks for counts, for the rows that fit on the
//! screen and for the one exchange that is looked at; whoever implements [`Engine`] keeps
//! the store and the filtered view.

use std::{sync::Arc, time::SystemTime};

use tokio::sync::Notify;

use crate::capture::Exchange;

/// Everything the screen shows and everything it can do. All methods are called from the
/// screen's own thread or its helpers, never from the proxy's.
pub trait Engine: Send + Sync + 'static {
    /// The facts of the title row.
    fn status(&self) -> Status;
    /// Another number whenever rows, notes or status changed.
    fn generation(&self) -> u64;
    /// Told (`notify_one`) when the generation changed.
    fn changed(&self) -> Arc<Notify>;
    /// Sets the filter of the view, catches up with new rows and counts. An invalid filter
    /// leaves the view as it was.
    fn view(&self, filter: &str) -> Result<ViewInfo, FilterError>;
    /// Rows of the view by position, oldest first; fewer where the view ends.
    fn window(&self, first: usize, count: usize) -> Vec<RowLine>;
    /// Position of an exchange in the view.
    fn index_of(&self, id: u64) -> Option<usize>;
    /// The whole record, or why only the row is left.
    fn exchange(&self, id: u64) -> Result<Arc<Exchange>, String>;
    /// The newest exchange that repeats this one.
    fn child_of(&self, id: u64) -> Option<u64>;
    /// Marks or unmarks a row.
    fn mark(&self, id: u64, on: bool);
    /// Every profile, in the order of the files.
    fn profiles(&self) -> Vec<ProfileLine>;
    /// Signs what comes from now on as this profile, or says why it cannot.
    fn use_profile(&self, name: &str) -> Result<(), String>;
    /// Why a replay should be asked for first; `None` where the operation only reads.
    fn replay_needs_confirmation(&self, id: u64) -> Option<String>;
    /// Sends it again; the answer arrives as a new row. `Err` is the reason why not.
    fn replay(
        &self,
        id: u64,
        profile: Option<String>,
        region: Option<String>,
    ) -> Result<(), String>;
    /// Writes a session file of what the filter matches (all, if `None`); the answer says
    /// what was written where. An existing file is an error unless `overwrite`.
    fn save(&self, path: &str, filter: Option<&str>, overwrite: bool) -> Result<String, String>;
    /// Exchanges that would be lost by quitting.
    fn unsaved(&self) -> usize;
    /// Forward the clients' own signatures untouched, or sign ourselves again.
    fn set_as_signed(&self, on: bool);
    /// The text of one exchange in a form that is copied whole.
    fn copy_text(&self, id: u64, what: CopyWhat) -> Result<String, String>;
    /// What to paste to get the first exchange.
    fn start_here(&self) -> Vec<StartLine>;
}

/// The facts of the title row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// What we listen on.
    pub listeners: Vec<Listener>,
    /// The active profile.
    pub profile: Option<String>,
    /// Its account, where known.
    pub account: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// When its credentials end; `None` for long-lived ones.
    pub expires_at: Option<SystemTime>,
    /// What is wrong with its credentials.
    pub profile_error: Option<String>,
    /// All exchanges of this run.
    pub exchanges: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that could not be recorded.
    pub not_recorded: u64,
    /// Requests under way.
    pub in_flight: usize,
    /// Client connections accepted so far.
    pub connections: u64,
    /// The worst clock difference.
    pub skew: Option<Skew>,
    /// The session file that is written.
    pub session: Option<String>,
    /// Why it is not written any more.
    pub session_error: Option<String>,
    /// The clients' own signatures are forwarded.
    pub as_signed: bool,
    /// Operations that change something are refused.
    pub read_only: bool,
    /// The session file that is looked at: no listener, no replay.
    pub viewing: Option<String>,
    /// What the operator should know, newest last.
    pub notes: Vec<String>,
}

/// One address that we listen on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// `127.0.0.1:8787`.
    pub address: String,
    /// The upstream that it is bound to.
    pub upstream: Option<String>,
}

/// How far a host's clock is from ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skew {
    /// Its clock minus ours.
    pub ms: i64,
    /// Whose clock.
    pub host: String,
}

/// How many rows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ViewInfo {
    /// Rows kept.
    pub total: usize,
    /// Rows that the filter matches.
    pub matching: usize,
}

/// What is wrong with a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterError {
    /// Byte offset where it goes wrong.
    pub at: usize,
    /// What is wrong and what is expected.
    pub message: String,
}

/// One row of the list, ready to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowLine {
    /// Number by arrival.
    pub id: u64,
    /// `10:42:07`.
    pub time: String,
    /// The profile it was signed as, or nothing.
    pub profile: String,
    /// `sts.GetCallerIdentity`.
    pub call: String,
    /// Region of the scope.
    pub region: String,
    /// `200`, or the kind of the fault, or nothing while it is under way.
    pub status: String,
    /// Who signed: `lane`, `valid`, `invalid`, `unknown-key`, `none`.
    pub signed: String,
    /// Milliseconds; `None` while it is under way.
    pub ms: Option<u64>,
    /// Code of the first cause.
    pub why: String,
    /// Whether it deserves a look.
    pub failed: bool,
    /// What it repeats.
    pub replay_of: Option<u64>,
    /// Marked by the operator.
    pub marked: bool,
}

/// One profile of the picker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileLine {
    /// Its name.
    pub name: String,
    /// `static`, `sso`, `assume-role`, …
    pub kind: String,
    /// Its region.
    pub region: Option<String>,
    /// Its account, where known.
    pub account: Option<String>,
    /// Masked key id, where known.
    pub key_id: Option<String>,
    /// `~/.aws/config:12`.
    pub origin: String,
    /// `ok`, `expired`, `unknown`, …
    pub status: String,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Whether it signs at the moment.
    pub active: bool,
}

/// Forms that are made outside the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyWhat {
    /// A curl command with placeholders for credentials.
    Curl,
    /// The exchange as one JSON object.
    Json,
}

/// One line of the first screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartLine {
    /// Prose.
    Say(String),
    /// To be pasted as it is.
    Paste(String),
    /// Something that would go wrong.
    Warn(String),
}
