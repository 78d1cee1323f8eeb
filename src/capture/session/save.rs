use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use super::{Session, SessionError, schema};
use crate::capture::Row;

/// What may be in the way of [`save`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// Nothing.
    Never,
    /// A session file that nobody writes.
    Session,
    /// Any file that is not a session being written.
    Anything,
}

/// Writes exchanges to a session file of their own, all or nothing: beside the place first,
/// then moved there. Returns how many there were.
pub fn save(
    path: &Path,
    exchanges: impl IntoIterator<Item = (Row, Arc<[u8]>)>,
    overwrite: Overwrite,
) -> Result<u64, SessionError> {
    check_place(path, overwrite)?;
    let draft = Draft::beside(path)?;
    let written = fill(&draft.0, exchanges).map_err(|error| SessionError::sqlite(path, &error))?;
    File::open(&draft.0)
        .and_then(|file| file.sync_all())
        .and_then(|()| match overwrite {
            Overwrite::Never => link(&draft.0, path),
            Overwrite::Session | Overwrite::Anything => std::fs::rename(&draft.0, path),
        })
        .map_err(|error| SessionError::io(path, &error))?;
    Ok(written)
}

/// A link, unlike a rename, fails where a file has appeared meanwhile; not every file
/// system has links.
fn link(draft: &Path, path: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(draft, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            std::fs::rename(draft, path)
        }
        done => done,
    }
}

fn check_place(path: &Path, overwrite: Overwrite) -> Result<(), SessionError> {
    if schema::wal_of(path).exists() {
        return Err(SessionError::InUse(path.to_owned()));
    }
    if std::fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    match overwrite {
        Overwrite::Never => Err(SessionError::Exists(path.to_owned())),
        Overwrite::Session => Session::open(path).map(drop),
        Overwrite::Anything => Ok(()),
    }
}

fn fill(
    path: &Path,
    exchanges: impl IntoIterator<Item = (Row, Arc<[u8]>)>,
) -> rusqlite::Result<u64> {
    let mut connection = Connection::open(path)?;
    // Nobody sees the draft before it is synced as a whole.
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    schema::create(&connection)?;
    let transaction = connection.transaction()?;
    let mut written = 0;
    {
        let mut statement = transaction.prepare(schema::INSERT)?;
        for (row, json) in exchanges {
            schema::insert(&mut statement, &row, &String::from_utf8_lossy(&json))?;
            written += 1;
        }
    }
    transaction.commit()?;
    Ok(written)
}

/// An unfinished file, which goes away again.
struct Draft(PathBuf);

impl Draft {
    fn beside(path: &Path) -> Result<Self, SessionError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = path.with_file_name(format!(".{name}.{}.draft", std::process::id()));
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .map_err(|error| SessionError::io(&draft, &error))?;
        Ok(Self(draft))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing to remove.
        let _ = std::fs::remove_file(&self.0);
    }
}
