//! The loop: wait, drain what came, draw once. Nothing is drawn while nothing happens.

use std::{
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crossterm::event::EventStream;
use futures_util::StreamExt;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use super::{
    effect::{self, Effect},
    engine::Engine,
    keymap::Keymap,
    state::{App, Choice, Level},
    terminal::{self, Screen},
    theme::{Depth, Theme},
    update::{Message, update},
    view,
};

/// Traffic alone draws no more often than this.
const FRAME: Duration = Duration::from_millis(33);
/// Panics of a view in a row after which we give up.
const PANICS: u32 = 3;

/// How the screen starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the theme.
    pub theme: String,
    /// The operator's own themes.
    pub themes_dir: Option<PathBuf>,
    /// How many colours there are.
    pub depth: Depth,
    /// Whether to take the mouse.
    pub mouse: bool,
    /// Open the profile picker at once: nothing else says as whom to sign.
    pub pick_profile: bool,
    /// Something to say at the start.
    pub notice: Option<(Level, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            theme: "terminal".to_owned(),
            themes_dir: None,
            depth: Depth::default(),
            mouse: true,
            pick_profile: false,
            notice: None,
        }
    }
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// What was saved where, for the shell.
    pub saved: Vec<String>,
}

/// Runs the screen until the operator leaves, on a runtime of its own, so that a slow
/// terminal holds up nobody else. Blocks; call it from a thread that may.
pub fn run(engine: Arc<dyn Engine>, options: Options) -> io::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let exit = runtime.block_on(Loop::start(engine, options)?.run());
    runtime.shutdown_timeout(Duration::from_millis(100));
    exit
}

struct Loop {
    engine: Arc<dyn Engine>,
    options: Options,
    keymap: Keymap,
    theme: Theme,
    app: App,
    screen: Screen,
    inbox: mpsc::UnboundedReceiver<Message>,
    outbox: mpsc::UnboundedSender<Message>,
    exit: Exit,
    done: bool,
    panics: u32,
}

impl Loop {
    fn start(engine: Arc<dyn Engine>, options: Options) -> io::Result<Self> {
        let dir = options.themes_dir.as_deref();
        let theme = Theme::load(&options.theme, dir, options.depth).map_err(io::Error::other)?;
        let screen = Screen::take(options.mouse)?;
        let mut app = App::new(screen.size()?, SystemTime::now());
        app.theme.clone_from(&theme.name);
        app.themes = Theme::names(dir);
        app.mouse = options.mouse;
        if let Some((level, text)) = options.notice.clone() {
            app.notify(level, text);
        }
        let (outbox, inbox) = mpsc::unbounded_channel();
        Ok(Self {
            engine,
            options,
            keymap: Keymap::default(),
            theme,
            app,
            screen,
            inbox,
            outbox,
            exit: Exit::default(),
            done: false,
            panics: 0,
        })
    }

    async fn run(mut self) -> io::Result<Exit> {
        let mut events = listen();
        let mut signals = Signals::listen()?;
        let changed = self.engine.changed();
        if self.options.pick_profile {
            self.act(vec![Effect::PickProfile(Choice::Profile)])?;
        } else {
            self.learn_profiles();
        }
        while !self.done {
            self.draw()?;
            let drawn = Instant::now();
            let mut stale = false;
            while !self.done {
                let wake = self.wake(drawn, stale);
                tokio::select! {
                    biased;
                    signal = signals.next() => match signal {
                        Caught::Quit => self.done = true,
                        Caught::Continued => {
                            self.screen.enter()?;
                            self.app.size = self.screen.size()?;
                            break;
                        }
                    },
                    event = events.recv() => {
                        match event {
                            Some(event) => self.input(event?)?,
                            // Nobody is at the terminal any more.
                            None => self.done = true,
                        }
                        tokio::task::yield_now().await;
                        while let Ok(event) = events.try_recv() {
                            self.input(event?)?;
                        }
                        break;
                    }
                    Some(message) = self.inbox.recv() => {
                        self.take(message)?;
                        break;
                    }
                    () = changed.notified(), if !stale => stale = true,
                    () = wake => break,
                }
            }
        }
        Ok(self.exit)
    }

    /// When to draw although no input came: after traffic, or when a notice goes.
    fn wake(&self, drawn: Instant, stale: bool) -> impl Future<Output = ()> + use<> {
        let frame = stale.then(|| FRAME.saturating_sub(drawn.elapsed()));
        let change = self.app.wake_at().map(|at| {
            at.duration_since(SystemTime::now())
                .unwrap_or_default()
                .max(FRAME)
        });
        let wait = frame.into_iter().chain(change).min();
        async move {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        }
    }

    fn input(&mut self, event: crossterm::event::Event) -> io::Result<()> {
        if matches!(event, crossterm::event::Event::Resize(..)) {
            self.screen.clear()?;
        }
        match terminal::message(event) {
            Some(message) => self.take(message),
            None => Ok(()),
        }
    }

    fn take(&mut self, message: Message) -> io::Result<()> {
        if let Message::Saved(Ok(text)) = &message {
            self.exit.saved.push(text.clone());
        }
        self.app.now = SystemTime::now();
        let effects = update(&mut self.app, &self.keymap, message);
        self.act(effects)?;
        // The next key means the selection that is then on the screen.
        self.app.sync(self.engine.as_ref());
        Ok(())
    }

    fn act(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Quit => self.done = true,
                Effect::Redraw => self.screen.clear()?,
                Effect::Suspend => {
                    self.screen.suspend()?;
                    self.app.size = self.screen.size()?;
                }
                Effect::Mouse(on) => self.screen.set_mouse(on)?,
                Effect::Theme(name) => self.set_theme(&name),
                Effect::Copy(name, text) => self.copy(&name, &text)?,
                other => self.elsewhere(other),
            }
        }
        Ok(())
    }

    /// What may take its time happens off this thread; its answer is a message.
    fn elsewhere(&self, effect: Effect) {
        let (engine, outbox) = (Arc::clone(&self.engine), self.outbox.clone());
        tokio::task::spawn_blocking(move || {
            if let Ok(Some(message)) = effect::perform(effect, &engine) {
                drop(outbox.send(message));
            }
        });
    }

    /// For the completion of `:profile`.
    fn learn_profiles(&self) {
        let (engine, outbox) = (Arc::clone(&self.engine), self.outbox.clone());
        tokio::task::spawn_blocking(move || {
            let names = engine.profiles().into_iter().map(|profile| profile.name);
            drop(outbox.send(Message::Profiles(names.collect())));
        });
    }

    fn set_theme(&mut self, name: &str) {
        let dir = self.options.themes_dir.as_deref();
        match Theme::load(name, dir, self.options.depth) {
            Ok(theme) => {
                if theme.name != name {
                    let text = "without colours the theme is mono (NO_COLOR or TERM=dumb)";
                    self.app.notify(Level::Info, text);
                }
                self.app.theme.clone_from(&theme.name);
                self.theme = theme;
            }
            Err(error) => self.app.notify(Level::Error, error.to_string()),
        }
    }

    fn copy(&mut self, name: &str, text: &str) -> io::Result<()> {
        match effect::check_clipboard(text) {
            Ok(()) => {
                self.screen.copy(text)?;
                self.app.notify(Level::Info, format!("{name} copied"));
            }
            Err(why) => self.app.notify(Level::Error, format!("{name} is {why}")),
        }
        Ok(())
    }

    /// Draws once. A view that panics loses its frame, not the program.
    fn draw(&mut self) -> io::Result<()> {
        self.app.now = SystemTime::now();
        let (app, engine, theme) = (&mut self.app, &self.engine, &self.theme);
        let screen = &mut self.screen;
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            app.prepare(engine.as_ref());
            screen.draw(|frame| view::draw(frame, app, theme))
        }));
        match drawn {
            Ok(result) => {
                self.panics = 0;
                result
            }
            Err(_) => {
                self.panics += 1;
                if self.panics >= PANICS {
                    return Err(io::Error::other("the screen could not be drawn"));
                }
                // The hook gave the terminal back and told what happened.
                self.screen.enter()?;
                self.app.layers.clear();
                self.app.reshow();
                let text = "this view failed and was closed: please report it, with :save";
                self.app.notify(Level::Error, text);
                self.draw()
            }
        }
    }
}

/// Terminal events through a channel, from which those that wait can be taken without
/// waiting; the event stream itself forgets its waker when it is only asked in passing.
fn listen() -> mpsc::UnboundedReceiver<io::Result<crossterm::event::Event>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut events = EventStream::new();
        while let Some(event) = events.next().await {
            if sender.send(event).is_err() {
                break;
            }
        }
    });
    receiver
}

enum Caught {
    Quit,
    Continued,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    continued: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            continued: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Caught {
        tokio::select! {
            _ = self.terminate.recv() => Caught::Quit,
            _ = self.interrupt.recv() => Caught::Quit,
            _ = self.hangup.recv() => Caught::Quit,
            _ = self.continued.recv() => Caught::Continued,
        }
    }
}
