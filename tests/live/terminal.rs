//! The binary in a pseudo-terminal, and what stands on its screen.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use crate::process::Home;
use crate::wire::PATIENCE;

pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
    over: bool,
}

impl Terminal {
    pub(crate) fn start(home: &Home, args: &[&str], (columns, rows): (u16, u16)) -> Self {
        Self::with(
            home,
            args,
            (columns, rows),
            &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
        )
    }

    pub(crate) fn with(
        home: &Home,
        args: &[&str],
        (columns, rows): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Self {
        let pair = native_pty_system()
            .openpty(size(columns, rows))
            .expect("a terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sigscope"));
        command.args(args);
        command.env_clear();
        for (name, value) in home.variables() {
            command.env(name, value);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        command.cwd(home.path(""));
        let child = pair.slave.spawn_command(command).expect("starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let seen = Seen {
            parser: vt100::Parser::new(cells(rows), cells(columns), 0),
            raw: Vec::new(),
            over: false,
        };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let memory = seen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            loop {
                let count = reader.read(&mut buffer).unwrap_or(0);
                let mut seen = memory.0.lock().unwrap();
                seen.parser.process(&buffer[..count]);
                seen.raw.extend_from_slice(&buffer[..count]);
                seen.over = count == 0;
                memory.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self {
            master: pair.master,
            writer,
            child,
            seen,
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("typed");
        self.writer.flush().expect("typed");
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.seen
            .0
            .lock()
            .unwrap()
            .parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).expect("resizes");
    }

    /// Waits until the screen satisfies, and gives its text.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        loop {
            let text = seen.parser.screen().contents();
            if wanted(&text) {
                return text;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !seen.over,
                "waited for {what}; the screen shows\n{text}"
            );
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits until nothing has been drawn for a moment: for looking at all that comes.
    pub(crate) fn settle(&self) -> String {
        let mut seen = self.seen.0.lock().unwrap();
        loop {
            let (next, waited) = self
                .seen
                .1
                .wait_timeout(seen, Duration::from_millis(20))
                .unwrap();
            seen = next;
            if waited.timed_out() || seen.over {
                return seen.parser.screen().contents();
            }
        }
    }

    pub(crate) fn screen(&self) -> String {
        self.seen.0.lock().unwrap().parser.screen().contents()
    }

    /// Everything that was ever written to the terminal.
    pub(crate) fn raw(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().raw.clone()
    }

    /// Whether the alternate screen, the mouse and bracketed paste are given back.
    pub(crate) fn is_restored(&self) -> bool {
        let seen = self.seen.0.lock().unwrap();
        let screen = seen.parser.screen();
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }

    /// The texts that were put on the clipboard (OSC 52).
    pub(crate) fn clipboard(&self) -> Vec<String> {
        use base64::Engine as _;
        let raw = String::from_utf8_lossy(&self.raw()).into_owned();
        let payloads = raw.split("\x1b]52;").skip(1);
        payloads
            .filter_map(|rest| {
                let payload = rest.split(['\x07', '\x1b']).next()?.split(';').nth(1)?;
                let text = base64::engine::general_purpose::STANDARD
                    .decode(payload)
                    .ok()?;
                Some(String::from_utf8_lossy(&text).into_owned())
            })
            .collect()
    }

    /// Waits until something new is on the clipboard.
    #[track_caller]
    pub(crate) fn copied(&self, before: usize) -> String {
        self.until("a copy", |_| true);
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(text) = self.clipboard().get(before) {
                return text.clone();
            }
            assert!(
                Instant::now() < end,
                "nothing was copied; the screen shows\n{}",
                self.screen()
            );
            let seen = self.seen.0.lock().unwrap();
            drop(
                self.seen
                    .1
                    .wait_timeout(seen, Duration::from_millis(20))
                    .unwrap(),
            );
        }
    }

    pub(crate) fn terminate(&self) {
        crate::process::terminate(self.child.process_id().expect("lives"));
    }

    /// Waits for its end, and for the last byte that it wrote.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("ours") {
                break status;
            }
            assert!(
                Instant::now() < end,
                "it does not end; the screen shows\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut seen = self.seen.0.lock().unwrap();
        while !seen.over {
            assert!(Instant::now() < end, "the terminal stays open");
            seen = self
                .seen
                .1
                .wait_timeout(seen, Duration::from_millis(20))
                .unwrap()
                .0;
        }
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(count: u16) -> std::num::NonZero<u16> {
    count.try_into().expect("not nothing")
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}
