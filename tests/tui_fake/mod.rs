//! An engine without a proxy: a handful of exchanges as real ones look, and any number of
//! rows on demand.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod exchanges;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use sigscope::{
    capture::Exchange,
    tui::{
        effect::{self, Effect},
        engine::{
            CopyWhat, Engine, FilterError, Listener, ProfileLine, RowLine, Skew, StartLine, Status,
            ViewInfo,
        },
        key::Key,
        keymap::Keymap,
        state::App,
        theme::{Depth, Theme},
        update::{Message, update},
        view,
    },
};
use tokio::sync::Notify;

/// 2026-11-22T10:42:10Z.
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_344_130)
}

#[derive(Default)]
pub struct Inner {
    pub exchanges: Vec<Arc<Exchange>>,
    /// Rows in front of the exchanges that have nothing but their row.
    pub bare_rows: usize,
    pub status: Status,
    pub matching: Vec<usize>,
    pub marked: Vec<u64>,
    pub unsaved: usize,
    pub log: Vec<String>,
}

pub struct Fake {
    pub inner: Mutex<Inner>,
    generation: AtomicU64,
    changed: Arc<Notify>,
}

impl Fake {
    pub fn new(exchanges: Vec<Exchange>) -> Arc<Self> {
        Self::with_rows(exchanges, 0)
    }

    pub fn with_rows(exchanges: Vec<Exchange>, bare_rows: usize) -> Arc<Self> {
        let status = Status {
            listeners: vec![Listener {
                address: "127.0.0.1:8787".to_owned(),
                upstream: None,
            }],
            profile: Some("pdx".to_owned()),
            account: Some("123456789012".to_owned()),
            region: Some("us-west-2".to_owned()),
            expires_at: Some(now() + Duration::from_secs(41 * 60 + 20)),
            skew: Some(Skew {
                ms: 200,
                host: "sts.us-west-2.amazonaws.com".to_owned(),
            }),
            ..Status::default()
        };
        Arc::new(Self {
            inner: Mutex::new(Inner {
                exchanges: exchanges.into_iter().map(Arc::new).collect(),
                bare_rows,
                status,
                ..Inner::default()
            }),
            generation: AtomicU64::new(1),
            changed: Arc::default(),
        })
    }

    /// An engine that nothing has reached yet.
    pub fn empty() -> Arc<Self> {
        Self::new(Vec::new())
    }

    pub fn add(&self, exchange: Exchange) {
        self.inner
            .lock()
            .unwrap()
            .exchanges
            .push(Arc::new(exchange));
        self.bump();
    }

    pub fn bump(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_one();
    }

    pub fn log(&self) -> Vec<String> {
        self.inner.lock().unwrap().log.clone()
    }

    fn note(&self, text: String) {
        self.inner.lock().unwrap().log.push(text);
    }
}

impl Inner {
    fn total(&self) -> usize {
        self.bare_rows + self.exchanges.len()
    }

    fn row(&self, at: usize) -> RowLine {
        let Some(exchange) = at.checked_sub(self.bare_rows).map(|n| &self.exchanges[n]) else {
            return RowLine {
                id: at as u64 + 1,
                time: "10:41:59".to_owned(),
                profile: "pdx".to_owned(),
                call: "s3.GetObject".to_owned(),
                region: "us-west-2".to_owned(),
                status: "200".to_owned(),
                signed: "lane".to_owned(),
                ms: Some(7),
                ..RowLine::default()
            };
        };
        let mut row = exchanges::row(exchange);
        row.marked = self.marked.contains(&row.id);
        row
    }

    fn place(&self, id: u64) -> Option<usize> {
        (0..self.total()).find(|&at| {
            if at < self.bare_rows {
                at as u64 + 1 == id
            } else {
                self.exchanges[at - self.bare_rows].id == id
            }
        })
    }
}

impl Engine for Fake {
    fn status(&self) -> Status {
        let inner = self.inner.lock().unwrap();
        Status {
            exchanges: inner.total() as u64,
            failed: inner.exchanges.iter().filter(|e| e.failed()).count() as u64,
            ..inner.status.clone()
        }
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    fn view(&self, filter: &str) -> Result<ViewInfo, FilterError> {
        let mut inner = self.inner.lock().unwrap();
        if filter.contains('(') {
            return Err(FilterError {
                at: filter.find('(').unwrap(),
                message: "the parenthesis is never closed".to_owned(),
            });
        }
        let total = inner.total();
        inner.matching = if filter.is_empty() && inner.bare_rows > 0 {
            Vec::new()
        } else {
            (0..total)
                .filter(|&at| inner.row(at).call.contains(filter))
                .collect()
        };
        let matching = match inner.bare_rows > 0 && filter.is_empty() {
            true => total,
            false => inner.matching.len(),
        };
        Ok(ViewInfo { total, matching })
    }

    fn window(&self, first: usize, count: usize) -> Vec<RowLine> {
        let inner = self.inner.lock().unwrap();
        if inner.matching.is_empty() && inner.bare_rows > 0 {
            let end = (first + count).min(inner.total());
            return (first..end).map(|at| inner.row(at)).collect();
        }
        let shown = inner.matching.iter().skip(first).take(count);
        shown.map(|&at| inner.row(at)).collect()
    }

    fn index_of(&self, id: u64) -> Option<usize> {
        let inner = self.inner.lock().unwrap();
        let place = inner.place(id)?;
        if inner.matching.is_empty() {
            return Some(place);
        }
        inner.matching.binary_search(&place).ok()
    }

    fn exchange(&self, id: u64) -> Result<Arc<Exchange>, String> {
        let inner = self.inner.lock().unwrap();
        let found = inner.exchanges.iter().find(|exchange| exchange.id == id);
        found.cloned().ok_or_else(|| {
            "Heads and bodies of the newest exchanges are kept, up to limits.kept_total; \
             --session FILE keeps all."
                .to_owned()
        })
    }

    fn child_of(&self, id: u64) -> Option<u64> {
        let inner = self.inner.lock().unwrap();
        let mut children = inner.exchanges.iter().filter(|e| e.replay_of == Some(id));
        children.next_back().map(|child| child.id)
    }

    fn mark(&self, id: u64, on: bool) {
        let mut inner = self.inner.lock().unwrap();
        inner.marked.retain(|marked| *marked != id);
        if on {
            inner.marked.push(id);
        }
        drop(inner);
        self.bump();
    }

    fn profiles(&self) -> Vec<ProfileLine> {
        let line = |name: &str, kind: &str, status: &str, error: Option<&str>| ProfileLine {
            name: name.to_owned(),
            kind: kind.to_owned(),
            region: Some("us-west-2".to_owned()),
            account: Some("123456789012".to_owned()),
            key_id: Some("ASIA…MPLQ".to_owned()),
            origin: "~/.aws/config:12".to_owned(),
            status: status.to_owned(),
            error: error.map(str::to_owned),
            active: self.inner.lock().unwrap().status.profile.as_deref() == Some(name),
        };
        vec![
            line("default", "static", "ok", None),
            line("pdx", "assume-role", "ok", None),
            line(
                "prod-admin",
                "sso",
                "needs-login",
                Some("needs `aws sso login`"),
            ),
            line("staging", "process", "unknown", None),
        ]
    }

    fn use_profile(&self, name: &str) -> Result<(), String> {
        self.note(format!("use {name}"));
        if name == "prod-admin" {
            return Err("the SSO session is over: aws sso login --profile prod-admin".to_owned());
        }
        self.inner.lock().unwrap().status.profile = Some(name.to_owned());
        self.bump();
        Ok(())
    }

    fn replay_needs_confirmation(&self, id: u64) -> Option<String> {
        let put = self.exchange(id).ok()?.call() == "s3.PutObject";
        put.then(|| "s3.PutObject changes something.".to_owned())
    }

    fn replay(
        &self,
        id: u64,
        profile: Option<String>,
        region: Option<String>,
    ) -> Result<(), String> {
        self.note(format!("replay {id} {profile:?} {region:?}"));
        let mut child = Exchange::clone(&*self.exchange(id)?);
        let mut inner = self.inner.lock().unwrap();
        child.id = inner.total() as u64 + 1;
        child.replay_of = Some(id);
        inner.exchanges.push(Arc::new(child));
        drop(inner);
        self.bump();
        Ok(())
    }

    fn save(&self, path: &str, filter: Option<&str>, overwrite: bool) -> Result<String, String> {
        self.note(format!("save {path} {filter:?} {overwrite}"));
        if path == "exists" && !overwrite {
            return Err("exists is there already: :save! exists writes over it".to_owned());
        }
        let count = self.inner.lock().unwrap().exchanges.len();
        Ok(format!(
            "{count} exchanges saved to {path} (secrets masked)"
        ))
    }

    fn unsaved(&self) -> usize {
        self.inner.lock().unwrap().unsaved
    }

    fn set_as_signed(&self, on: bool) {
        self.inner.lock().unwrap().status.as_signed = on;
        self.bump();
    }

    fn copy_text(&self, id: u64, what: CopyWhat) -> Result<String, String> {
        Ok(format!("{what:?} of {id}"))
    }

    fn start_here(&self) -> Vec<StartLine> {
        let paste = |text: &str| StartLine::Paste(text.to_owned());
        vec![
            StartLine::Say("Listening. In another terminal, for any AWS client:".to_owned()),
            paste("export AWS_ENDPOINT_URL=http://127.0.0.1:8787"),
            paste("export AWS_ACCESS_KEY_ID=SIGSCOPEABCDEFGHIJKL"),
            paste("export AWS_SECRET_ACCESS_KEY=lane-secret-of-pdx-0000000000000000000000"),
            paste("export AWS_REGION=us-west-2"),
            paste("unset AWS_PROFILE AWS_SESSION_TOKEN"),
            StartLine::Say("or, for one request:".to_owned()),
            paste(
                "curl -H 'Host: sts.us-west-2.amazonaws.com' 'http://127.0.0.1:8787/?Action=GetCallerIdentity&Version=2011-06-15'",
            ),
            StartLine::Warn("AWS_ENDPOINT_URL_S3 is set: S3 would go past sigscope".to_owned()),
        ]
    }
}

/// The whole screen over a fake engine, without a terminal.
pub struct Stage {
    pub app: App,
    pub engine: Arc<Fake>,
    pub effects: Vec<Effect>,
    keymap: Keymap,
}

impl Stage {
    pub fn new(engine: Arc<Fake>, w: u16, h: u16) -> Self {
        let mut app = App::new((w, h), now());
        app.themes = Theme::names(None);
        app.prepare(engine.as_ref());
        Self {
            app,
            engine,
            effects: Vec::new(),
            keymap: Keymap::default(),
        }
    }

    /// A message, and everything that follows from it.
    pub fn send(&mut self, message: Message) -> &mut Self {
        let mut todo = vec![message];
        while let Some(message) = todo.pop() {
            let effects = update(&mut self.app, &self.keymap, message);
            self.app.sync(self.engine.as_ref());
            for effect in effects {
                self.effects.push(effect.clone());
                let engine: Arc<dyn Engine> = self.engine.clone();
                match effect::perform(effect, &engine) {
                    Ok(answer) => todo.extend(answer),
                    Err(Effect::Theme(name)) => self.app.theme = name,
                    Err(_) => {}
                }
            }
        }
        self.app.prepare(self.engine.as_ref());
        self
    }

    /// Keys by name, parted by blanks: `"j j enter ctrl-d"`.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            let key = Key::parse(key).unwrap_or_else(|| panic!("no key {key}"));
            self.send(Message::Key(key));
        }
        self
    }

    /// Text, a character at a time.
    pub fn typed(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.send(Message::Key(Key::char(c)));
        }
        self
    }

    /// The screen as text.
    pub fn screen(&mut self) -> String {
        self.app.prepare(self.engine.as_ref());
        let theme = Theme::load("mono", None, Depth::None).unwrap();
        let (w, h) = self.app.size;
        let backend = ratatui::backend::TestBackend::new(w, h);
        let mut terminal = ratatui::Terminal::new(backend).unwrap();
        terminal
            .draw(|frame| view::draw(frame, &self.app, &theme))
            .unwrap();
        let buffer = terminal.backend().buffer().clone();
        let rows = buffer.content.chunks(w as usize).map(|row| {
            let text: String = row.iter().map(|cell| cell.symbol()).collect();
            text.trim_end().to_owned()
        });
        rows.collect::<Vec<_>>().join("\n")
    }
}
