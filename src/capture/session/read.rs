use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{SessionError, schema};
use crate::capture::{Exchange, Row};

/// How long a read waits while someone else has the file to himself.
const BUSY: Duration = Duration::from_secs(2);

/// A session file being read, also while another process writes it. Nothing is loaded ahead:
/// rows come in pieces, records one by one.
pub struct Session {
    connection: Connection,
    path: PathBuf,
    /// The last sequence number that [`poll`](Self::poll) has handed out.
    polled: i64,
}

impl Session {
    /// Opens a session file for reading only.
    pub fn open(path: &Path) -> Result<Self, SessionError> {
        let metadata = std::fs::metadata(path).map_err(|error| SessionError::io(path, &error))?;
        if !metadata.is_file() {
            return Err(SessionError::Foreign {
                path: path.to_owned(),
                what: "no regular file",
            });
        }
        let connection = connect(path).map_err(|error| SessionError::sqlite(path, &error))?;
        schema::check(&connection, path)?;
        let session = Self {
            connection,
            path: path.to_owned(),
            polled: 0,
        };
        session.check_ends()?;
        Ok(session)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many exchanges are in it now.
    pub fn count(&self) -> Result<u64, SessionError> {
        self.number("SELECT count(*) FROM exchange")
    }

    /// The highest id in it now; 0 if it is empty.
    pub fn last_id(&self) -> Result<u64, SessionError> {
        self.number("SELECT coalesce(max(id), 0) FROM exchange")
    }

    /// Lets [`poll`](Self::poll) begin with the newest `rows` exchanges instead of the
    /// first.
    pub fn skip_to_newest(&mut self, rows: usize) -> Result<(), SessionError> {
        let last: u64 = self.number("SELECT coalesce(max(seq), 0) FROM exchange")?;
        self.polled = last.saturating_sub(rows as u64).cast_signed();
        Ok(())
    }

    /// At most `limit` rows that were committed since the last call, in that order; an
    /// exchange that was written again comes again. Empty when there is nothing new.
    pub fn poll(&mut self, limit: usize) -> Result<Vec<Row>, SessionError> {
        let sql = format!(
            "SELECT {} FROM exchange WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            schema::COLUMNS
        );
        let found = self.rows(&sql, (self.polled, limit as i64))?;
        if let Some((seq, _)) = found.last() {
            self.polled = *seq;
        }
        Ok(found.into_iter().map(|(_, row)| row).collect())
    }

    /// At most `limit` rows with ids above `after`, ascending: for walking a whole file.
    pub fn rows_after(&self, after: u64, limit: usize) -> Result<Vec<Row>, SessionError> {
        let sql = format!(
            "SELECT {} FROM exchange WHERE id > ?1 ORDER BY id LIMIT ?2",
            schema::COLUMNS
        );
        let found = self.rows(&sql, (after.cast_signed(), limit as i64))?;
        Ok(found.into_iter().map(|(_, row)| row).collect())
    }

    /// The JSON line of an exchange.
    pub fn json(&self, id: u64) -> Result<Option<Arc<[u8]>>, SessionError> {
        self.connection
            .prepare_cached("SELECT json FROM exchange WHERE id = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([id.cast_signed()], |row| {
                        Ok(Arc::from(row.get_ref(0)?.as_bytes()?))
                    })
                    .optional()
            })
            .map_err(|error| self.failed(&error))
    }

    /// The exchange itself.
    pub fn exchange(&self, id: u64) -> Result<Option<Exchange>, SessionError> {
        let Some(json) = self.json(id)? else {
            return Ok(None);
        };
        Exchange::from_json(&json)
            .map(Some)
            .map_err(|error| SessionError::Damaged {
                path: self.path.clone(),
                detail: format!("exchange {id}: {error}"),
            })
    }

    /// Reads the first and the last record, where a file that was cut short shows it.
    fn check_ends(&self) -> Result<(), SessionError> {
        for order in ["seq", "seq DESC", "id DESC"] {
            self.connection
                .query_row(
                    &format!("SELECT length(json) FROM exchange ORDER BY {order} LIMIT 1"),
                    [],
                    |row| row.get::<_, i64>(0),
                )
                .optional()
                .map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    fn rows(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<(i64, Row)>, SessionError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(params, schema::row)?.collect())
            .map_err(|error| self.failed(&error))
    }

    fn number(&self, sql: &str) -> Result<u64, SessionError> {
        self.connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &rusqlite::Error) -> SessionError {
        SessionError::sqlite(&self.path, error)
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}
