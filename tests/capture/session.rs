use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sigscope::capture::Exchange;
use sigscope::capture::session::{Overwrite, Session, SessionError, SessionWriter, save};

use crate::samples::{empty, good, recorded, refused, renumbered};

const QUEUE: usize = 64 << 20;
/// Long enough for any machine; nothing is proved by how long it takes.
const WAIT: Duration = Duration::from_secs(30);

fn write(writer: &SessionWriter, exchange: &Exchange) {
    let (row, json) = recorded(exchange);
    assert!(writer.write(&row, json));
}

fn written(path: &Path, exchanges: &[Exchange]) {
    let writer = SessionWriter::create(path, QUEUE).unwrap();
    exchanges
        .iter()
        .for_each(|exchange| write(&writer, exchange));
}

fn error(path: &Path) -> SessionError {
    Session::open(path).err().expect("must not open")
}

#[test]
fn what_was_written_reads_back_after_closing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a session");
    let exchanges = [refused(1), good(2), empty(3)];
    written(&path, &exchanges);
    let names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["a session"], "one file");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let session = Session::open(&path).unwrap();
    assert_eq!(
        (session.count().unwrap(), session.last_id().unwrap()),
        (3, 3)
    );
    let rows = session.rows_after(0, 10).unwrap();
    for (row, exchange) in rows.iter().zip(&exchanges) {
        assert_eq!(
            *row,
            recorded(exchange).0,
            "the row comes without parsing the record"
        );
        assert_eq!(session.exchange(row.id).unwrap().as_ref(), Some(exchange));
    }
    assert_eq!(session.rows_after(1, 1).unwrap()[0].id, 2);
    assert!(session.exchange(4).unwrap().is_none());
}

#[test]
fn readers_follow_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("live");
    let writer = SessionWriter::create(&path, QUEUE).unwrap();
    let mut session = Session::open(&path).unwrap();
    let mut poll = |exchanges: &[Exchange]| -> Vec<u64> {
        exchanges
            .iter()
            .for_each(|exchange| write(&writer, exchange));
        writer.flush(WAIT).unwrap();
        session
            .poll(100)
            .unwrap()
            .iter()
            .map(|row| row.id)
            .collect::<Vec<_>>()
    };
    assert!(poll(&[]).is_empty());
    assert_eq!(poll(&[good(1), good(3)]), [1, 3]);
    assert_eq!(
        poll(&[good(4), good(2)]),
        [4, 2],
        "a late one is not missed"
    );
    assert_eq!(poll(&[refused(3)]), [3], "nor one that is written again");
    assert!(poll(&[]).is_empty());
    assert_eq!(session.count().unwrap(), 4);
    assert_eq!(session.exchange(3).unwrap(), Some(refused(3)));
    session.skip_to_newest(2).unwrap();
    assert_eq!(session.poll(100).unwrap().len(), 2);
    assert_eq!(writer.state().written, 5);
}

#[test]
fn appending_goes_on_and_two_writers_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    written(&path, &[good(1)]);
    assert!(matches!(
        SessionWriter::create(&path, QUEUE),
        Err(SessionError::Exists(_))
    ));
    let writer = SessionWriter::open_append(&path, QUEUE).unwrap();
    assert_eq!(writer.last_id(), 1);
    assert!(matches!(
        SessionWriter::open_append(&path, QUEUE),
        Err(SessionError::InUse(_))
    ));
    write(&writer, &good(2));
    drop(writer);
    assert_eq!(Session::open(&path).unwrap().count().unwrap(), 2);
}

#[test]
fn files_that_are_no_sessions_are_named_for_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    assert!(matches!(error(&path), SessionError::NotFound(_)));
    assert!(matches!(error(dir.path()), SessionError::Foreign { .. }));
    fs::write(&path, "").unwrap();
    assert!(matches!(error(&path), SessionError::Foreign { .. }));
    fs::write(&path, "{\"id\":1}\n".repeat(1000)).unwrap();
    assert!(matches!(error(&path), SessionError::Foreign { .. }));
    let before = fs::read(&path).unwrap();
    assert!(SessionWriter::open_append(&path, QUEUE).is_err());
    assert_eq!(fs::read(&path).unwrap(), before, "not touched");

    let other = dir.path().join("other");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE exchange (id)")
        .unwrap();
    assert!(error(&other).to_string().contains("another program"));
    assert!(SessionWriter::open_append(&other, QUEUE).is_err());

    let newer = dir.path().join("newer");
    written(&newer, &[]);
    Connection::open(&newer)
        .unwrap()
        .pragma_update(None, "user_version", 2)
        .unwrap();
    assert!(matches!(
        error(&newer),
        SessionError::Newer { version: 2, .. }
    ));
}

#[test]
fn cut_and_scrambled_files_are_damaged_not_empty() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    written(&path, &(1..100).map(refused).collect::<Vec<_>>());
    let whole = fs::read(&path).unwrap();
    for keep in [whole.len() / 4, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..keep]).unwrap();
        let error = error(&path);
        assert!(
            matches!(error, SessionError::Damaged { .. }),
            "{keep}: {error}"
        );
    }
    let mut scrambled = whole.clone();
    scrambled[4096..].fill(0xa5);
    fs::write(&path, &scrambled).unwrap();
    assert!(matches!(error(&path), SessionError::Damaged { .. }));
}

#[test]
fn saving_is_all_or_nothing_and_overwrites_only_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("saved");
    let exchanges = |ids: std::ops::Range<u64>| ids.map(|id| recorded(&good(id)));
    assert_eq!(save(&path, exchanges(1..4), Overwrite::Never).unwrap(), 3);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "no draft stays"
    );
    let again = save(&path, exchanges(1..9), Overwrite::Never);
    assert!(matches!(again, Err(SessionError::Exists(_))));
    save(&path, exchanges(1..9), Overwrite::Session).unwrap();
    assert_eq!(Session::open(&path).unwrap().count().unwrap(), 8);

    let foreign = dir.path().join("notes.txt");
    fs::write(&foreign, "mine").unwrap();
    assert!(save(&foreign, exchanges(1..2), Overwrite::Session).is_err());
    assert_eq!(fs::read(&foreign).unwrap(), b"mine");
    save(&foreign, exchanges(1..2), Overwrite::Anything).unwrap();

    let writer = SessionWriter::open_append(&path, QUEUE).unwrap();
    write(&writer, &good(20));
    writer.flush(WAIT).unwrap();
    for overwrite in [Overwrite::Session, Overwrite::Anything] {
        assert!(matches!(
            save(&path, exchanges(1..2), overwrite),
            Err(SessionError::InUse(_))
        ));
    }
    assert!(
        save(
            &dir.path().join("no/such"),
            exchanges(1..2),
            Overwrite::Never
        )
        .is_err()
    );
}

#[test]
fn a_full_queue_drops_and_counts_instead_of_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let writer = SessionWriter::create(&dir.path().join("s"), 10_000).unwrap();
    let (row, json) = recorded(&good(1));
    let accepted = (0..1000)
        .filter(|_| writer.write(&row, json.clone()))
        .count() as u64;
    writer.flush(WAIT).unwrap();
    let state = writer.state();
    assert!(state.dropped > 0);
    assert_eq!(
        (state.written, state.dropped, state.waiting),
        (accepted, 1000 - accepted, 0)
    );
}

#[test]
fn a_failing_disk_is_reported_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let writer = SessionWriter::create(&path, QUEUE).unwrap();
    write(&writer, &good(1));
    writer.flush(WAIT).unwrap();
    // Stands for a full disk: the table refuses, then does not.
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON exchange BEGIN SELECT raise(ABORT, 'no room'); END",
        )
        .unwrap();
    write(&writer, &good(2));
    assert!(writer.flush(WAIT).is_err());
    assert!(writer.state().error.unwrap().contains("no room"));
    other.execute_batch("DROP TRIGGER full").unwrap();
    drop(other);
    drop(writer);
    assert_eq!(Session::open(&path).unwrap().count().unwrap(), 2);
}

/// The process that [`what_was_committed_survives_kill_9`] kills.
#[test]
#[ignore = "runs as a child of another test"]
fn child_that_writes_until_it_is_killed() {
    let path = std::env::var_os("SESSION_OF_CHILD").expect("is run by its parent");
    let writer = SessionWriter::create(Path::new(&path), QUEUE).unwrap();
    (1..=500).for_each(|id| write(&writer, &good(id)));
    writer.flush(WAIT).unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "\ncommitted").unwrap();
    out.flush().unwrap();
    // Ends by itself if the parent is gone.
    let end = Instant::now() + WAIT;
    for id in 501.. {
        let (row, json) = recorded(&good(id));
        writer.write(&row, json);
        if Instant::now() > end {
            break;
        }
    }
}

#[test]
fn what_was_committed_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("killed");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "session::child_that_writes_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env("SESSION_OF_CHILD", &path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "committed"));
    let during = Session::open(&path).unwrap().count().unwrap();
    assert!(during >= 500, "{during}: other processes read along");
    child.kill().unwrap();
    child.wait().unwrap();

    let session = Session::open(&path).unwrap();
    let count = session.count().unwrap();
    assert!(count >= 500, "{count}");
    assert_eq!(session.last_id().unwrap(), count, "without gaps");
    assert_eq!(session.exchange(count).unwrap(), Some(good(count)));
    drop(session);
    let writer = SessionWriter::open_append(&path, QUEUE).unwrap();
    assert_eq!(writer.last_id(), count);
}

/// Prints how fast the file takes records: `cargo test --test capture inserts -- --ignored --nocapture`.
#[test]
#[ignore = "prints timings"]
fn inserts_per_second() {
    let dir = tempfile::tempdir().unwrap();
    let writer = SessionWriter::create(&dir.path().join("s"), 1 << 30).unwrap();
    let (row, json) = recorded(&refused(1));
    let start = Instant::now();
    for id in 1..=50_000 {
        writer.write(&renumbered(&row, id, true), json.clone());
    }
    println!("handed in in {:?}", start.elapsed());
    writer.flush(WAIT).unwrap();
    println!(
        "{:.0} inserts/s of {} bytes",
        50_000.0 / start.elapsed().as_secs_f64(),
        json.len()
    );
}
