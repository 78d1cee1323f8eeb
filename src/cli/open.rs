use std::path::PathBuf;
use std::time::Duration;

use super::options::Settings;
use super::screen::{LookArgs, needs_terminal, show};
use super::sinks::Keeper;
use super::{Done, runtime};
use crate::capture::Session;

/// Look at a session file: read-only, no listener. New exchanges appear while another
/// process writes it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The session file
    file: PathBuf,
    #[command(flatten)]
    look: LookArgs,
}

/// Rows read at once.
const BATCH: usize = 1000;
/// How often the file is looked at for new ones.
const LOOK: Duration = Duration::from_millis(250);

pub(crate) fn run(args: Args) -> Done {
    let mut session = Session::open(&args.file).map_err(|error| error.to_string())?;
    needs_terminal()?;
    let settings = Settings::read()?;
    let keeper = Keeper::new(&settings.file.limits);
    session
        .skip_to_newest(settings.file.limits.rows)
        .map_err(|error| error.to_string())?;
    let runtime = runtime()?;
    let (feed, shown) = (keeper.clone(), args.file.display().to_string());
    read_batch(&mut session, &feed)?;
    runtime.spawn_blocking(move || {
        loop {
            match read_batch(&mut session, &feed) {
                Ok(0) => std::thread::sleep(LOOK),
                Ok(_) => {}
                // The file went away; what was read stays on the screen.
                Err(_) => return,
            }
            if std::sync::Arc::strong_count(&feed.generation) == 1 {
                return; // The screen is gone.
            }
        }
    });
    let done = show(
        &runtime,
        None,
        keeper,
        Some(shown),
        &settings,
        args.look,
        false,
    );
    runtime.shutdown_timeout(LOOK * 2);
    done
}

fn read_batch(session: &mut Session, keeper: &Keeper) -> Result<usize, String> {
    let rows = session.poll(BATCH).map_err(|error| error.to_string())?;
    let count = rows.len();
    for row in rows {
        let json = session.json(row.id).map_err(|error| error.to_string())?;
        let mut store = keeper.store.lock();
        match json {
            Some(json) => store.push(row, json),
            None => store.push_row(row),
        }
    }
    if count > 0 {
        keeper.touch();
    }
    Ok(count)
}
