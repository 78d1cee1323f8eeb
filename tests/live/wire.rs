//! HTTP/1.1 as bytes: a client that sends whatever a test wants sent, and an upstream that
//! remembers whatever came and answers what a test wants answered.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Longer than anything here may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A message's start line, its fields in order, and its body without its framing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
}

impl Message {
    /// All values of a field.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let found = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// The first value of a field; the empty string where there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        self.all(name).into_iter().next().unwrap_or_default()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// A field's name as it was written.
    pub(crate) fn name(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or("", |(known, _)| known)
    }

    pub(crate) fn status(&self) -> u16 {
        self.start
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0)
    }

    pub(crate) fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The text of an XML element.
    pub(crate) fn element(&self, name: &str) -> String {
        let text = self.text();
        let rest = text.split(&format!("<{name}>")).nth(1).unwrap_or_default();
        rest.split(&format!("</{name}>"))
            .next()
            .unwrap_or_default()
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    }
}

/// A connection on which messages are read one after the other.
pub(crate) struct Conn {
    pub(crate) stream: TcpStream,
    ahead: Vec<u8>,
}

impl Conn {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).expect("connects"))
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream,
            ahead: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("is read");
    }

    /// Sends, where the other side may have hung up already.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Sends one request and reads its reply.
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Message {
        self.send(&request);
        let head = request.as_ref().starts_with(b"HEAD ");
        self.reply(head)
    }

    pub(crate) fn reply(&mut self, to_head: bool) -> Message {
        self.message(to_head).expect("a whole reply")
    }

    /// Reads one message; the error says where it broke off.
    pub(crate) fn message(&mut self, bodiless: bool) -> Result<Message, Broken> {
        let end = loop {
            if let Some(at) = find(&self.ahead, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more()? {
                return Err(if self.ahead.is_empty() {
                    Broken::Nothing
                } else {
                    Broken::Head
                });
            }
        };
        let head: Vec<u8> = self.ahead.drain(..end).collect();
        let mut lines = head
            .split(|b| *b == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let start = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let headers = lines.filter(|line| !line.is_empty()).map(field).collect();
        let mut message = Message {
            start,
            headers,
            ..Message::default()
        };
        let status = message.status();
        if bodiless || matches!(status, 100..200 | 204 | 304) {
            return Ok(message);
        }
        if message
            .header("transfer-encoding")
            .to_ascii_lowercase()
            .contains("chunked")
        {
            self.chunked(&mut message)?;
        } else if let Ok(length) = message.header("content-length").parse::<usize>() {
            message.body = self.exactly(length)?;
        } else if message.start.starts_with("HTTP/") {
            while self.more()? {}
            message.body = std::mem::take(&mut self.ahead);
        }
        Ok(message)
    }

    fn chunked(&mut self, message: &mut Message) -> Result<(), Broken> {
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| Broken::Body)?;
            if size == 0 {
                break;
            }
            message.body.extend(self.exactly(size)?);
            self.line()?;
        }
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(());
            }
            message.trailers.push(field(line.as_bytes()));
        }
    }

    pub(crate) fn line(&mut self) -> Result<String, Broken> {
        loop {
            if let Some(at) = find(&self.ahead, b"\r\n") {
                let line: Vec<u8> = self.ahead.drain(..at + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if !self.more()? {
                return Err(Broken::Body);
            }
        }
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Broken> {
        while self.ahead.len() < length {
            if !self.more()? {
                return Err(Broken::Body);
            }
        }
        Ok(self.ahead.drain(..length).collect())
    }

    /// Whether something came; the other side's end is none.
    fn more(&mut self) -> Result<bool, Broken> {
        let mut buffer = [0; 64 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.ahead.extend_from_slice(&buffer[..count]);
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    panic!(
                        "nothing came for {PATIENCE:?}; so far {:?}",
                        String::from_utf8_lossy(&self.ahead)
                    );
                }
                Err(_) => return Err(Broken::Reset),
            }
        }
    }

    /// Whether the other side has hung up, cleanly or not, and sent nothing more.
    pub(crate) fn is_over(&mut self) -> bool {
        self.ahead.is_empty() && !matches!(self.more(), Ok(true))
    }
}

/// Where a message broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The connection ended before the first byte.
    Nothing,
    Head,
    Body,
    Reset,
}

fn field(line: &[u8]) -> (String, Vec<u8>) {
    let at = line.iter().position(|b| *b == b':').unwrap_or(line.len());
    let value = line.get(at + 1..).unwrap_or_default().trim_ascii().to_vec();
    (String::from_utf8_lossy(&line[..at]).into_owned(), value)
}

pub(crate) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

type Script = dyn Fn(usize, &Message, &mut Conn) + Send + Sync;

/// An upstream that remembers requests; what it answers is scripted.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    seen: Arc<(Mutex<Vec<Message>>, Condvar)>,
    connections: Arc<Mutex<usize>>,
    over: Arc<AtomicBool>,
}

impl Upstream {
    /// Answers every request with these bytes.
    pub(crate) fn answering(reply: &'static str) -> Self {
        Self::scripted(move |_, _, conn| conn.try_send(reply))
    }

    /// Answers 200 with an empty JSON object.
    pub(crate) fn ok() -> Self {
        Self::answering(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}",
        )
    }

    /// Reads whole requests; the script gets the number of each, from 0.
    pub(crate) fn scripted(
        script: impl Fn(usize, &Message, &mut Conn) + Send + Sync + 'static,
    ) -> Self {
        let script: Arc<Script> = Arc::new(script);
        Self::raw(move |mut conn, upstream| {
            while let Ok(message) = conn.message(false) {
                let number = upstream.remember(message.clone());
                script(number, &message, &mut conn);
            }
        })
    }

    /// Hands over each connection as it is.
    pub(crate) fn raw(serve: impl Fn(Conn, &Memory) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let address = listener.local_addr().expect("bound");
        let seen = Arc::new((Mutex::default(), Condvar::new()));
        let connections = Arc::new(Mutex::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let serve = Arc::new(serve);
        let (memory, counted, ended) = (Memory(seen.clone()), connections.clone(), over.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                *counted.lock().unwrap() += 1;
                let (serve, memory) = (serve.clone(), memory.clone());
                let conn = Conn::over(stream);
                // It waits as long as the other side holds on.
                conn.stream.set_read_timeout(None).expect("a socket");
                std::thread::spawn(move || serve(conn, &memory));
            }
        });
        Self {
            address,
            seen,
            connections,
            over,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// How many requests have come.
    pub(crate) fn count(&self) -> usize {
        self.seen.0.lock().unwrap().len()
    }

    /// The request of this number, from 0, once it has come.
    pub(crate) fn request(&self, number: usize) -> Message {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        while seen.len() <= number {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "only {} requests came", seen.len());
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
        seen[number].clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// What an upstream has seen.
#[derive(Clone)]
pub(crate) struct Memory(Arc<(Mutex<Vec<Message>>, Condvar)>);

impl Memory {
    pub(crate) fn remember(&self, message: Message) -> usize {
        let mut seen = self.0.0.lock().unwrap();
        seen.push(message);
        self.0.1.notify_all();
        seen.len() - 1
    }
}
