use std::path::Path;

use rusqlite::{Connection, Statement, named_params};

use super::SessionError;
use crate::capture::Row;
use crate::capture::exchange::{ClientSignature, Door};
use crate::capture::row::{Field, Texts};

/// "SGSC".
const APPLICATION_ID: i64 = 0x5347_5343;
/// The schema that we write and the newest that we read.
pub(super) const VERSION: i64 = 1;

const CREATE: &str = "
CREATE TABLE exchange (
    seq INTEGER PRIMARY KEY,
    id INTEGER NOT NULL UNIQUE,
    replay_of INTEGER,
    started_at INTEGER NOT NULL,
    total_us INTEGER,
    door TEXT NOT NULL,
    signature TEXT NOT NULL,
    status INTEGER,
    failed INTEGER NOT NULL,
    error INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    masked INTEGER NOT NULL,
    cut INTEGER NOT NULL,
    request_size INTEGER NOT NULL,
    reply_size INTEGER NOT NULL,
    profile TEXT NOT NULL,
    lane TEXT NOT NULL,
    service TEXT NOT NULL,
    operation TEXT NOT NULL,
    region TEXT NOT NULL,
    method TEXT NOT NULL,
    host TEXT NOT NULL,
    path TEXT NOT NULL,
    why TEXT NOT NULL,
    key_id TEXT NOT NULL,
    json TEXT NOT NULL
) STRICT;";

pub(super) const INSERT: &str = "
INSERT OR REPLACE INTO exchange (id, replay_of, started_at, total_us, door, signature, status,
    failed, error, refused, masked, cut, request_size, reply_size, profile, lane, service,
    operation, region, method, host, path, why, key_id, json)
VALUES (:id, :replay_of, :started_at, :total_us, :door, :signature, :status,
    :failed, :error, :refused, :masked, :cut, :request_size, :reply_size, :profile, :lane, :service,
    :operation, :region, :method, :host, :path, :why, :key_id, :json)";

/// The columns of [`row`], in its order.
pub(super) const COLUMNS: &str = "seq, id, replay_of, started_at, total_us, door, signature, \
    status, failed, error, refused, masked, cut, request_size, reply_size, profile, lane, service, \
    operation, region, method, host, path, why, key_id";

/// Makes an empty database ours.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN;
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {VERSION};
         {CREATE}
         COMMIT;"
    ))
}

/// Whether the database is ours, and of a version that we know.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), SessionError> {
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(|error| SessionError::sqlite(path, &error))
    };
    let foreign = |what| SessionError::Foreign {
        path: path.to_owned(),
        what,
    };
    match (pragma("application_id")?, pragma("user_version")?) {
        (APPLICATION_ID, 1..=VERSION) => {}
        (APPLICATION_ID, version @ (VERSION..)) => {
            return Err(SessionError::Newer {
                path: path.to_owned(),
                version,
            });
        }
        (0, _) if pragma("page_count")? == 0 => return Err(foreign("it is empty")),
        _ => return Err(foreign("a SQLite database of another program")),
    }
    // Outside WAL mode all pages are in the file. Its size is asked of the file system, as
    // opening and closing it ourselves would drop SQLite's locks on it.
    let expected = pragma("page_count")? * pragma("page_size")?;
    let size = std::fs::metadata(path)
        .map_err(|error| SessionError::io(path, &error))?
        .len();
    if !wal_of(path).exists() && i64::try_from(size).is_ok_and(|size| size < expected) {
        let detail = format!("{size} of {expected} bytes are there");
        return Err(SessionError::Damaged {
            path: path.to_owned(),
            detail,
        });
    }
    Ok(())
}

/// The write-ahead log beside a database.
pub(super) fn wal_of(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Runs [`INSERT`].
pub(super) fn insert(statement: &mut Statement<'_>, row: &Row, json: &str) -> rusqlite::Result<()> {
    let text = |field| row.texts.get(field);
    statement.execute(named_params! {
        ":id": row.id.cast_signed(),
        ":replay_of": row.replay_of.map(u64::cast_signed),
        ":started_at": row.started_at,
        ":total_us": row.total_us.map(u64::cast_signed),
        ":door": row.door.as_str(),
        ":signature": row.signature.as_str(),
        ":status": row.status,
        ":failed": row.failed,
        ":error": row.error,
        ":refused": row.refused,
        ":masked": row.masked,
        ":cut": row.cut,
        ":request_size": row.request_size.cast_signed(),
        ":reply_size": row.reply_size.cast_signed(),
        ":profile": text(Field::Profile),
        ":lane": text(Field::Lane),
        ":service": text(Field::Service),
        ":operation": text(Field::Operation),
        ":region": text(Field::Region),
        ":method": text(Field::Method),
        ":host": text(Field::Host),
        ":path": text(Field::Path),
        ":why": text(Field::Why),
        ":key_id": text(Field::Key),
        ":json": json,
    })?;
    Ok(())
}

/// Reads [`COLUMNS`]: the sequence number and the row.
pub(super) fn row(columns: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, Row)> {
    let unsigned = |at| columns.get::<_, i64>(at).map(i64::cast_unsigned);
    let text = |at| columns.get_ref(at)?.as_str().map_err(rusqlite::Error::from);
    let (door, signature) = (text(5)?, text(6)?);
    let texts = [
        text(15)?,
        text(16)?,
        text(17)?,
        text(18)?,
        text(19)?,
        text(20)?,
        text(21)?,
        text(22)?,
        text(23)?,
        text(24)?,
    ];
    let row = Row {
        id: unsigned(1)?,
        replay_of: columns.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
        started_at: columns.get(3)?,
        total_us: columns.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
        door: Door::ALL
            .into_iter()
            .find(|one| one.as_str() == door)
            .unwrap_or_default(),
        signature: ClientSignature::ALL
            .into_iter()
            .find(|one| one.as_str() == signature)
            .unwrap_or_default(),
        status: columns.get(7)?,
        failed: columns.get(8)?,
        error: columns.get(9)?,
        refused: columns.get(10)?,
        masked: columns.get(11)?,
        cut: columns.get(12)?,
        request_size: unsigned(13)?,
        reply_size: unsigned(14)?,
        texts: Texts::pack(texts),
    };
    Ok((columns.get(0)?, row))
}
