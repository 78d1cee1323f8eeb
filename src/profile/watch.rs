//! Notices that files have changed.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use super::{profiles::Profiles, source::Sources};

/// How long to wait for an editor to finish writing.
const SETTLE: Duration = Duration::from_millis(150);
/// How often to look where the system cannot tell.
const POLL: Duration = Duration::from_secs(2);

/// What tells one state of the files from another: of each its time of change and its size.
#[derive(PartialEq, Eq)]
pub(crate) struct Stamp(Vec<Option<(Option<SystemTime>, u64)>>);

impl Stamp {
    pub(crate) fn take(sources: &Sources) -> Self {
        Self(
            sources
                .config
                .iter()
                .chain(&sources.credentials)
                .filter_map(|file| file.path())
                .map(|path| {
                    let meta = fs::metadata(path).ok()?;
                    Some((meta.modified().ok(), meta.len()))
                })
                .collect(),
        )
    }
}

/// Watches the files until dropped.
pub struct Watch {
    task: tokio::task::JoinHandle<()>,
    /// Held so that it goes on telling.
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Profiles {
    /// Reads the files again whenever they change, and asks failed profiles again when
    /// somebody has logged in, until the returned value is dropped. Needs a tokio runtime.
    /// `changed` is called after each reading.
    pub fn watch(&self, changed: impl Fn() + Send + 'static) -> Watch {
        let (tell, mut told) = mpsc::channel(1);
        let watcher = self.watcher(tell);
        let polls = watcher.is_none();
        let profiles = self.clone();
        let task = tokio::spawn(async move {
            loop {
                match polls {
                    true => tokio::time::sleep(POLL).await,
                    false => {
                        if told.recv().await.is_none() {
                            return;
                        }
                        tokio::time::sleep(SETTLE).await;
                        while told.try_recv().is_ok() {}
                        profiles.forget_failures();
                    }
                }
                if profiles.reload_if_changed() {
                    changed();
                }
            }
        });
        Watch {
            task,
            _watcher: watcher,
        }
    }

    /// Watches the directories, since editors replace files; `None` where that fails, as for
    /// one that is not there yet.
    fn watcher(&self, tell: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                // Reading the files is an event too, and would never end.
                if event.is_ok_and(|event| !event.kind.is_access()) {
                    // Full means that a look is due anyway.
                    let _ = tell.try_send(());
                }
            })
            .ok()?;
        for directory in self.directories() {
            watcher
                .watch(&directory, RecursiveMode::NonRecursive)
                .ok()?;
        }
        for cache in self.caches().filter(|cache| cache.is_dir()) {
            watcher.watch(&cache, RecursiveMode::NonRecursive).ok()?;
        }
        Some(watcher)
    }

    fn directories(&self) -> BTreeSet<PathBuf> {
        let sources = self.inner().sources();
        let files = sources.config.iter().chain(&sources.credentials);
        files
            .filter_map(|file| Some(file.path()?.parent()?.to_owned()))
            .collect()
    }

    /// Where logins leave their tokens.
    fn caches(&self) -> impl Iterator<Item = PathBuf> {
        let home = self.inner().env().home().map(PathBuf::from);
        home.into_iter()
            .flat_map(|home| [".aws/sso/cache", ".aws/login/cache"].map(|cache| home.join(cache)))
    }
}
