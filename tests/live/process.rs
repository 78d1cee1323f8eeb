//! The binary, in a home of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use serde_json::Value;
use sigscope::profile::LaneKeys;

use crate::aws::Key;
use crate::wire::{Conn, Message, PATIENCE};

const INSTALL_KEY: [u8; 32] = [7; 32];

/// A home directory with sigscope's and AWS's configuration.
pub(crate) struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    /// The demo's profiles, no configuration file, and an install key that the tests know.
    pub(crate) fn new() -> Self {
        let home = Self {
            directory: tempfile::tempdir().expect("a directory"),
        };
        let (config, credentials) = sigscope::sandbox::scenario::demo_config();
        home.aws(config, credentials);
        home.write("data/sigscope/install-key", INSTALL_KEY);
        home.write("config/sigscope/config.toml", "");
        home
    }

    pub(crate) fn aws(&self, config: &str, credentials: &str) {
        self.write("aws/config", config);
        self.write("aws/credentials", credentials);
    }

    /// The configuration file.
    pub(crate) fn config(self, text: &str) -> Self {
        self.write("config/sigscope/config.toml", text);
        self
    }

    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(&path, bytes).expect("written");
        path
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let at = |path: &str| self.path(path).display().to_string();
        [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", at("")),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_DATA_HOME", at("data")),
            ("AWS_CONFIG_FILE", at("aws/config")),
            ("AWS_SHARED_CREDENTIALS_FILE", at("aws/credentials")),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("TZ", "UTC".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigscope"));
        command
            .args(args)
            .env_clear()
            .envs(self.variables())
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        ended(self.command(args))
    }

    /// `sigscope proxy --format jsonl` on a free port.
    pub(crate) fn proxy(&self, args: &[&str]) -> Proxy {
        let mut all = vec!["proxy", "--format", "jsonl", "--listen", "127.0.0.1:0"];
        all.extend(args);
        Proxy::start(self.command(&all))
    }

    /// A lane's key pair.
    pub(crate) fn lane(&self, profile: &str) -> Key {
        let lane = LaneKeys::new(&INSTALL_KEY).credentials(profile, 0);
        Key::new(
            &lane.access_key_id,
            lane.secret_access_key.expose_str(),
            None,
        )
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn ended(mut command: Command) -> Ended {
    let output = command.output().expect("starts");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Lines as they come from a pipe.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<(Mutex<(Vec<String>, bool)>, Condvar)>);

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let out = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                out.0
                    .0
                    .lock()
                    .unwrap()
                    .0
                    .push(String::from_utf8_lossy(&line).into_owned());
                out.0.1.notify_all();
            }
            out.0.0.lock().unwrap().1 = true;
            out.0.1.notify_all();
        });
        lines
    }

    /// The first line that `wanted` makes something of, once it has come.
    pub(crate) fn find<T>(&self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut state = self.0.0.lock().unwrap();
        let mut looked = 0;
        loop {
            while looked < state.0.len() {
                if let Some(found) = wanted(&state.0[looked]) {
                    return found;
                }
                looked += 1;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !state.1,
                "no line for {what} among {:#?}",
                state.0
            );
            state = self.0.1.wait_timeout(state, left).unwrap().0;
        }
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().0.clone()
    }

    /// Everything, once the pipe is closed.
    pub(crate) fn whole(&self) -> Vec<String> {
        let end = Instant::now() + PATIENCE;
        let mut state = self.0.0.lock().unwrap();
        while !state.1 {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the pipe stays open");
            state = self.0.1.wait_timeout(state, left).unwrap().0;
        }
        state.0.clone()
    }
}

/// A running proxy; ends with the test.
pub(crate) struct Proxy {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Proxy {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let stdout = Lines::of(child.stdout.take().expect("piped"));
        let stderr = Lines::of(child.stderr.take().expect("piped"));
        let address = stderr.find("a listener", |line| {
            line.strip_prefix("listening on http://")?.parse().ok()
        });
        Self {
            child,
            address,
            stdout,
            stderr,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address of the listener that is bound to this URL.
    pub(crate) fn bound(&self, url: &str) -> SocketAddr {
        self.stderr.find("the bound listener", |line| {
            let (address, bound) = line
                .strip_prefix("listening on http://")?
                .split_once(" for ")?;
            (bound == url).then(|| address.parse().ok())?
        })
    }

    pub(crate) fn connect(&self) -> Conn {
        Conn::to(self.address)
    }

    pub(crate) fn ask(&self, request: impl AsRef<[u8]>) -> Message {
        self.connect().ask(request)
    }

    /// The first exchange that satisfies, once it is printed.
    pub(crate) fn find(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.stdout.find(what, |line| {
            let value: Value = serde_json::from_str(line).expect("a JSON object");
            wanted(&value).then_some(value)
        })
    }

    /// The exchange of this number.
    pub(crate) fn exchange(&self, id: u64) -> Value {
        self.find(&format!("exchange {id}"), |exchange| exchange["id"] == id)
    }

    /// Ends it as a terminal would, and gives everything that it printed.
    pub(crate) fn stop(mut self) -> (Vec<String>, Vec<String>) {
        terminate(self.child.id());
        let status = wait(&mut self.child);
        assert!(status.success(), "{status:?}");
        (self.stdout.whole(), self.stderr.whole())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn terminate(id: u32) {
    let id = rustix::process::Pid::from_raw(id.try_into().expect("small")).expect("a process");
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("lives");
}

pub(crate) fn wait(child: &mut Child) -> std::process::ExitStatus {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("ours") {
            return status;
        }
        assert!(Instant::now() < end, "it does not end");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// A file's bytes, or nothing where it is not there.
pub(crate) fn bytes_of(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_default()
}
