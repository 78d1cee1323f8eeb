//! What the screen asks of the rest: the port's real implementation.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::shell::{ClientEnv, quoted};
use super::sinks::Keeper;
use super::stage::Stage;
use crate::capture::{self, Exchange, Filter, FilteredView, Overwrite, Row, SessionError};
use crate::export;
use crate::replay;
use crate::tui::engine::{
    CopyWhat, Engine, FilterError, Listener, ProfileLine, RowLine, Skew, StartLine, Status,
    ViewInfo,
};

/// The screen's engine over a running stage, or over a session file alone.
pub(crate) struct Live {
    keeper: Keeper,
    zone: TimeZone,
    view: Mutex<View>,
    stage: Option<Arc<Stage>>,
    handle: Handle,
    /// The session file that is looked at.
    viewing: Option<String>,
    saved_up_to: Mutex<u64>,
}

struct View {
    text: String,
    rows: FilteredView,
}

impl Live {
    pub(crate) fn new(
        keeper: Keeper,
        stage: Option<Arc<Stage>>,
        handle: Handle,
        viewing: Option<String>,
    ) -> Self {
        Self {
            keeper,
            zone: TimeZone::system(),
            view: Mutex::new(View {
                text: String::new(),
                rows: FilteredView::new(Filter::everything()),
            }),
            stage,
            handle,
            viewing,
            saved_up_to: Mutex::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, row: &Row, marked: bool) -> RowLine {
        let time = Timestamp::from_millisecond(row.started_at).unwrap_or_default();
        let status = row
            .status
            .map_or_else(|| "none".to_owned(), |status| status.to_string());
        RowLine {
            id: row.id,
            time: time
                .to_zoned(self.zone.clone())
                .strftime("%H:%M:%S")
                .to_string(),
            profile: row.profile().unwrap_or_default().to_owned(),
            call: row.call().to_owned(),
            region: row.region().unwrap_or_default().to_owned(),
            status,
            signed: row.signed().to_owned(),
            ms: row.total_us.map(|us| us / 1000),
            why: row.why().unwrap_or_default().to_owned(),
            failed: row.failed,
            replay_of: row.replay_of,
            marked,
        }
    }

    fn stage(&self) -> Result<&Arc<Stage>, String> {
        self.stage
            .as_ref()
            .ok_or_else(|| "a session file is only looked at; nothing is sent from here".to_owned())
    }

    fn fill(&self, status: &mut Status, stage: &Stage) {
        status.listeners = stage
            .proxy
            .listeners()
            .map(|(address, bound)| Listener {
                address: address.to_string(),
                upstream: bound.map(ToString::to_string),
            })
            .collect();
        let (connections, in_flight, not_recorded) = stage.proxy.load();
        status.connections = connections as u64;
        status.in_flight = in_flight;
        status.not_recorded += not_recorded;
        status.as_signed = stage.proxy.is_as_signed();
        status.read_only = stage.options.read_only;
        status.skew = stage
            .proxy
            .skew()
            .worst()
            .map(|(host, ms)| Skew { ms, host });
        if let Some(session) = &stage.session {
            status.session = Some(session.0.path().display().to_string());
            status.session_error = session.0.state().error.map(|error| error.to_string());
        }
        status.notes = stage
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for error in stage.profiles.errors() {
            status
                .notes
                .push(format!("{}:{}: {}", error.file, error.line, error.message));
        }
        let Some(name) = stage.proxy.active_profile() else {
            return;
        };
        status.region = stage.options.region.clone();
        if let Some(found) = stage
            .profiles
            .list()
            .into_iter()
            .find(|profile| *profile.name == *name)
        {
            status.account = found.account;
            status.region = status.region.take().or(found.region);
            status.expires_at = found.expires_at;
            status.profile_error = found.error;
        }
        status.profile = Some(name);
    }
}

impl Engine for Live {
    fn status(&self) -> Status {
        let counts = self.keeper.store.lock().counts();
        let mut status = Status {
            exchanges: counts.total,
            failed: counts.failed,
            not_recorded: counts.not_recorded,
            viewing: self.viewing.clone(),
            ..Status::default()
        };
        if let Some(stage) = &self.stage {
            self.fill(&mut status, stage);
        }
        status
    }

    fn generation(&self) -> u64 {
        self.keeper.generation.load(Ordering::Relaxed)
    }

    fn changed(&self) -> Arc<Notify> {
        self.keeper.changed.clone()
    }

    fn view(&self, filter: &str) -> Result<ViewInfo, FilterError> {
        let mut view = self.lock();
        if view.text != filter {
            let parsed = Filter::parse_in(filter, &self.zone).map_err(|error| FilterError {
                at: error.at.start,
                message: error.to_string(),
            })?;
            view.rows.set_filter(parsed);
            filter.clone_into(&mut view.text);
        }
        let store = self.keeper.store.lock();
        view.rows.update(&store);
        Ok(ViewInfo {
            total: store.len(),
            matching: view.rows.len(),
            scanning: view.rows.is_scanning(),
        })
    }

    fn window(&self, first: usize, count: usize) -> Vec<RowLine> {
        let view = self.lock();
        let store = self.keeper.store.lock();
        let end = first.saturating_add(count).min(view.rows.len());
        let ids = view.rows.ids(first.min(end)..end);
        ids.filter_map(|id| Some(self.line(store.row(id)?, store.is_marked(id))))
            .collect()
    }

    fn index_of(&self, id: u64) -> Option<usize> {
        self.lock().rows.find(id).ok()
    }

    fn exchange(&self, id: u64) -> Result<Arc<Exchange>, String> {
        let json = self
            .keeper
            .store
            .lock()
            .json(id)
            .map_err(|missing| missing.to_string())?;
        Exchange::from_json(&json)
            .map(Arc::new)
            .map_err(|error| error.to_string())
    }

    fn child_of(&self, id: u64) -> Option<u64> {
        let store = self.keeper.store.lock();
        let newest = (0..store.len())
            .rev()
            .filter_map(|index| store.row_at(index));
        newest
            .take_while(|row| row.id > id)
            .find(|row| row.replay_of == Some(id))
            .map(|row| row.id)
    }

    fn mark(&self, id: u64, on: bool) {
        self.keeper.store.lock().mark(id, on);
        self.keeper.touch();
    }

    fn profiles(&self) -> Vec<ProfileLine> {
        let Some(stage) = &self.stage else {
            return Vec::new();
        };
        let active = stage.proxy.active_profile();
        stage
            .profiles
            .list()
            .into_iter()
            .map(|profile| ProfileLine {
                active: active.as_deref() == Some(&*profile.name),
                name: profile.name.to_string(),
                kind: profile.kind.to_owned(),
                region: profile.region,
                account: profile.account,
                key_id: profile.access_key_id.map(|id| stage.masker.key_id(&id)),
                origin: profile.origin.to_string(),
                status: profile.status.to_string(),
                error: profile.error,
            })
            .collect()
    }

    fn use_profile(&self, name: &str) -> Result<(), String> {
        let stage = self.stage()?;
        if stage.profiles.get(name).is_none() {
            return Err(format!("there is no profile {name}"));
        }
        stage.profiles.forget_failures();
        stage.proxy.use_profile(Some(name.to_owned()));
        self.keeper.touch();
        Ok(())
    }

    fn replay_needs_confirmation(&self, id: u64) -> Option<String> {
        let exchange = self.keeper.store.lock().exchange(id).ok()?;
        replay::needs_confirmation(&exchange)
    }

    fn replay(
        &self,
        id: u64,
        profile: Option<String>,
        region: Option<String>,
    ) -> Result<(), String> {
        let stage = self.stage()?;
        let exchange = self
            .keeper
            .store
            .lock()
            .exchange(id)
            .map_err(|missing| missing.to_string())?;
        let raw = self.keeper.raws.lock().get(id);
        let wanted = replay::As {
            profile,
            region,
            body: None,
        };
        let again = replay::prepare(&exchange, raw.as_deref(), wanted)?;
        let (_, sending) = stage.proxy.replay(again);
        self.handle.spawn(sending);
        Ok(())
    }

    fn save(&self, path: &str, filter: Option<&str>, overwrite: bool) -> Result<String, String> {
        let filter = match filter {
            Some(text) => Filter::parse_in(text, &self.zone).map_err(|error| error.to_string())?,
            None => Filter::everything(),
        };
        let everything = filter.is_everything();
        let mut view = FilteredView::new(filter);
        let (found, newest) = loop {
            let store = self.keeper.store.lock();
            view.update(&store);
            if !view.is_scanning() {
                break (
                    store.records(view.ids(0..view.len())),
                    store.newest().unwrap_or(0),
                );
            }
        };
        let overwrite = if overwrite {
            Overwrite::Session
        } else {
            Overwrite::Never
        };
        let count =
            capture::save(Path::new(path), found, overwrite).map_err(|error| match error {
                SessionError::Exists(_) => format!("{error}: :save! FILE replaces it"),
                error => error.to_string(),
            })?;
        if everything {
            *self
                .saved_up_to
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = newest;
        }
        Ok(format!(
            "{count} exchanges saved to {path} (credentials masked)"
        ))
    }

    fn unsaved(&self) -> usize {
        let recorded = self
            .stage
            .as_ref()
            .is_none_or(|stage| stage.session.is_some());
        if recorded {
            return 0;
        }
        let saved = *self
            .saved_up_to
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let store = self.keeper.store.lock();
        (0..store.len())
            .rev()
            .filter_map(|index| store.row_at(index))
            .take_while(|row| row.id > saved)
            .count()
    }

    fn set_as_signed(&self, on: bool) {
        if let Some(stage) = &self.stage {
            stage.proxy.set_as_signed(on);
            self.keeper.touch();
        }
    }

    fn copy_text(&self, id: u64, what: CopyWhat) -> Result<String, String> {
        let exchange = self.exchange(id)?;
        match what {
            CopyWhat::Curl => export::command(&exchange)
                .ok_or_else(|| "no request was received that curl could send".to_owned()),
            CopyWhat::Json => {
                String::from_utf8(export::to_json(&exchange)).map_err(|error| error.to_string())
            }
        }
    }

    fn start_here(&self) -> Vec<StartLine> {
        let Some(stage) = &self.stage else {
            return vec![StartLine::Say(
                "this session file holds no exchanges".to_owned(),
            )];
        };
        start_lines(stage)
    }
}

/// The exact lines to paste for the doors that are open.
fn start_lines(stage: &Stage) -> Vec<StartLine> {
    let mut lines = Vec::new();
    let notes = stage
        .notes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    lines.extend(notes.into_iter().map(StartLine::Warn));
    if let Some(url) = stage.url() {
        let profile = stage.proxy.active_profile();
        let region = profile
            .as_deref()
            .and_then(|name| stage.profiles.get(name)?.reach.region.clone());
        let region = stage.options.region.clone().or(region);
        match &profile {
            Some(profile) => {
                lines.push(StartLine::Say(format!(
                    "In another terminal, to be signed as {profile}:"
                )));
                let lane = stage.lanes.hand_out(profile, 0);
                let secret = lane.secret_access_key.expose_str();
                let env = ClientEnv::new(&url, &lane.access_key_id, secret, region.as_deref());
                lines.push(StartLine::Paste(format!("unset {}", env.unset.join(" "))));
                for (name, value) in &env.set {
                    lines.push(StartLine::Paste(format!("export {name}={}", quoted(value))));
                }
            }
            None => lines.push(StartLine::Say(
                "No profile is chosen: press p to pick one.".to_owned(),
            )),
        }
        lines.push(StartLine::Say("Or without any key:".to_owned()));
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        let form = "'Action=GetCallerIdentity&Version=2011-06-15'";
        lines.push(StartLine::Paste(format!(
            "curl -H 'Host: sts.{region}.amazonaws.com' -d {form} {url}/"
        )));
    }
    for (address, bound) in stage.proxy.listeners() {
        if let Some(endpoint) = bound {
            lines.push(StartLine::Say(format!(
                "http://{address} leads to {endpoint}"
            )));
        }
    }
    lines
}
