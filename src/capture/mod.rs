//! The record's shape, the store that keeps it, the file that outlives it, and the language
//! that filters it.
//!
//! ```text
//! Exchange ──► Row ───────────┬──► Store ──► FilteredView ──► the list
//!     └──────► JSON line ─────┤      └─────► Exchange (parsed when looked at)
//!                             └──► SessionWriter ──► file ──► Session
//! ```
//!
//! An exchange is serialised once; store and session share the bytes. The [`Raw`]
//! originals have a ring of their own, in memory only.
//!
//! [`Raw`]: crate::secret::Raw

pub mod exchange;
pub mod filter;
pub mod session;

mod by_id;
mod json;
mod row;
mod store;
mod view;

pub use exchange::Exchange;
pub use filter::Filter;
pub use row::Row;
pub use session::{Overwrite, Session, SessionError, SessionState, SessionWriter, save};
pub use store::{Counts, Missing, RawStore, SharedRawStore, SharedStore, Store};
pub use view::FilteredView;
