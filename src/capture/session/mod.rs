//! The session file: a SQLite database that keeps exchanges beyond memory and beyond the
//! program's end, readable with any SQLite tool.
//!
//! - `PRAGMA application_id` is `0x53475343` ("SGSC"), `PRAGMA user_version` the schema's
//!   version, 1. The file is created with mode 0600. It holds what the masker let through.
//! - While it is written it is in WAL mode, with `FILE-wal` and `FILE-shm` beside it, and
//!   may be read by others; a transaction is committed every 100 ms at the latest, so that
//!   `kill -9` loses no more than that. Properly closed it is one file again.
//! - `exchange`, one row an exchange:
//!
//! | column | |
//! | --- | --- |
//! | `seq` | by commit; grows when an exchange is written again, so that readers can follow |
//! | `id` | the exchange's number, unique |
//! | `replay_of` | the exchange that it repeats |
//! | `started_at` | milliseconds since 1970, UTC |
//! | `total_us` | microseconds |
//! | `door`, `signature` | as in the JSON |
//! | `status` | of the reply; null without one |
//! | `failed`, `error`, `refused`, `masked`, `cut` | 0 or 1 |
//! | `request_size`, `reply_size` | bytes of the bodies |
//! | `profile`, `lane`, `service`, `operation`, `region`, `method`, `host`, `path`, `why`, `key_id` | as in the list: long ones without their middle; empty where absent |
//! | `json` | the whole record, the JSON line of `proxy --format jsonl` |
//!
//! `sqlite3 FILE "select id, json->>'$.reply.error.message' from exchange where failed"`

mod read;
mod save;
mod schema;
mod write;

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

pub use read::Session;
pub use save::{Overwrite, save};
pub use write::{SessionState, SessionWriter};

/// What can be wrong with a session file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// There is no such file.
    #[error("{}: there is no such file", .0.display())]
    NotFound(PathBuf),
    /// Not made by us.
    #[error("{}: not a sigscope session file ({what})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// Made by a later release.
    #[error("{}: schema version {version}, this sigscope reads up to {}; use a newer one", path.display(), schema::VERSION)]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it has.
        version: i64,
    },
    /// Ours, but broken or cut short.
    #[error("{}: damaged ({detail}); `sqlite3 FILE .recover` may save a part", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How we know.
        detail: String,
    },
    /// A file is in the way.
    #[error("{}: exists already; choose another name or overwrite it expressly", .0.display())]
    Exists(PathBuf),
    /// Another process, or another part of this one, writes it.
    #[error("{}: in use by a running sigscope, or left behind by one that was killed", .0.display())]
    InUse(PathBuf),
    /// The file system or SQLite says no.
    #[error("{}: {detail}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What it says.
        detail: String,
    },
}

impl SessionError {
    fn io(path: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound(path.to_owned()),
            std::io::ErrorKind::AlreadyExists => Self::Exists(path.to_owned()),
            _ => Self::Failed {
                path: path.to_owned(),
                detail: error.to_string(),
            },
        }
    }

    fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign {
                path,
                what: "no SQLite database",
            },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged {
                path,
                detail: error.to_string(),
            },
            _ => Self::Failed {
                path,
                detail: error.to_string(),
            },
        }
    }
}
