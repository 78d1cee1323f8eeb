use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::ValueEnum;

use super::explain_text as text;
use super::options::Settings;
use super::{Done, NOT_WELL, print};
use crate::explain::read::{self, BadLine, Input};
use crate::explain::{Answer, Context, Entry, SignOptions, Verdict, explain, mine};
use crate::profile::{Env, LANE_PREFIX, LaneKeys, Sources, Table};
use crate::secret::Credentials;
use crate::secret::mask::{Masker, Options};
use crate::sigv4::Location;
use crate::sigv4::forensics::Label;

/// Explain one request, offline: what AWS signs, whether its signature is right, and why not.
///
/// INPUT is a file, or - for standard input: raw HTTP, a curl command, HAR, an exchange, JSON
/// lines. A signed request is verified if the secret of its key id is held; an unsigned one is
/// signed with the default profile. INPUT may also be the code of a finding, or a curl command
/// in quotes. The exit status is 1 if a signature is not valid.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A file, -, a curl command in quotes, or the code of a finding
    #[arg(required_unless_present = "list")]
    input: Option<String>,
    /// List the codes of findings about signatures
    #[arg(long)]
    list: bool,
    /// The profile that signs, or whose secret is tried first
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The environment variable that holds the secret of the request's key id
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,
    /// The region to sign for
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The signing name to sign for
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The signing instant; of a signed request the instant against which it is judged
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<SystemTime>,
    /// Where the signature goes
    #[arg(long, value_enum, default_value_t = Where::Header)]
    location: Where,
    /// The algorithm to sign with
    #[arg(long, value_enum, default_value_t = Algorithm::Sigv4)]
    algorithm: Algorithm,
    /// Whether the body is part of the signature [default: as the kind of signature implies]
    #[arg(long, value_enum)]
    payload: Option<Payload>,
    /// Whether x-amz-content-sha256 is added when signing
    #[arg(long, value_enum, default_value_t = Adds::Auto)]
    content_sha256: Adds,
    /// Whether the session token is signed or added after signing
    #[arg(long, value_enum, default_value_t = Token::Sign)]
    session_token: Token,
    /// Leave dot segments and doubled slashes in the path
    #[arg(long)]
    no_normalize_path: bool,
    /// Whether the path is escaped twice [default: as the service does]
    #[arg(long, value_enum)]
    double_encode: Option<YesNo>,
    /// How long a presigned URL lives
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    expires: u64,
    /// The reply that came back: raw HTTP, or its body
    #[arg(long, value_name = "FILE")]
    reply: Option<PathBuf>,
    /// A program's own canonical request or string to sign, to be compared
    #[arg(long, value_name = "FILE")]
    mine: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Where {
    Header,
    Query,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Algorithm {
    Sigv4,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Payload {
    Signed,
    Unsigned,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Adds {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Token {
    Sign,
    After,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum YesNo {
    Yes,
    No,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Jsonl,
}

fn instant(text: &str) -> Result<SystemTime, String> {
    read::instant(text).ok_or_else(|| "neither RFC 3339 nor YYYYMMDDTHHMMSSZ".to_owned())
}

pub(crate) fn run(args: Args) -> Done {
    if args.list {
        print(&text::list());
        return Ok(ExitCode::SUCCESS);
    }
    let input = args.input.clone().unwrap_or_default();
    let is_file = input == "-" || Path::new(&input).exists();
    if !is_file && let Some(label) = Label::find(&input) {
        print(&text::label(label));
        return Ok(ExitCode::SUCCESS);
    }
    let bytes = bytes(&input, is_file)?;
    let input = match args.format {
        // One object on one line is one line of JSON lines.
        Format::Jsonl if bytes.trim_ascii_start().starts_with(b"{") && is_lines(&bytes) => {
            read::lines(&bytes)
        }
        _ => read::input(&bytes)?,
    };
    let held = Held::gather(&args)?;
    let well = answer(&args, input, &held)?;
    Ok(ExitCode::from(if well || args.format == Format::Jsonl {
        0
    } else {
        NOT_WELL
    }))
}

fn is_lines(bytes: &[u8]) -> bool {
    let mut lines = bytes
        .split(|b| *b == b'\n')
        .filter(|line| !line.trim_ascii().is_empty());
    lines
        .next()
        .is_some_and(|line| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok())
        || lines.next().is_some_and(|line| line.starts_with(b"{"))
}

fn bytes(input: &str, is_file: bool) -> Result<Vec<u8>, String> {
    if input == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|error| format!("standard input: {error}"))?;
        return Ok(bytes);
    }
    if is_file {
        return std::fs::read(input).map_err(|error| format!("cannot read {input}: {error}"));
    }
    if input.contains(char::is_whitespace) {
        return Ok(input.as_bytes().to_vec());
    }
    Err(format!(
        "{input} is neither a file nor the code of a finding; `sigscope explain --list` lists them"
    ))
}

/// The secrets at hand, without any network.
struct Held {
    keys: HashMap<String, Arc<Credentials>>,
    /// From `--secret-env`: for whatever key id the request names.
    any: Option<(String, Option<String>)>,
    signer: Option<Arc<Credentials>>,
    profile_region: Option<String>,
    lanes: Option<LaneKeys>,
    masker: Masker,
}

impl Held {
    fn gather(args: &Args) -> Result<Self, String> {
        let table = Table::read(&Sources::standard(Env::process()), &|_| false);
        let mut keys = HashMap::new();
        let mut salt = [0; 32];
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| "no randomness to be had".to_owned())?;
        let masker = Masker::new(
            salt,
            Options {
                payloads: false,
                decoded_limit: 1 << 20,
            },
        );
        for profile in &table.profiles {
            if let Some(credentials) = profile.static_keys() {
                masker.learn_credentials(credentials, &format!("profile {}", profile.name));
                keys.entry(credentials.access_key_id.clone())
                    .or_insert_with(|| credentials.clone());
            }
        }
        let name = args.profile.as_deref().or(table.default.as_deref());
        let profile =
            name.and_then(|name| table.profiles.iter().find(|profile| &*profile.name == name));
        if let (Some(name), None) = (&args.profile, profile) {
            return Err(format!("there is no profile {name}"));
        }
        let mut signer = profile.and_then(|profile| profile.static_keys().cloned());
        if let (Some(named), Some(_)) = (&signer, &args.profile) {
            keys.insert(named.access_key_id.clone(), named.clone());
        }
        let any = match &args.secret_env {
            Some(name) => {
                let secret =
                    std::env::var(name).map_err(|_| format!("--secret-env: {name} is not set"))?;
                let token = std::env::var("AWS_SESSION_TOKEN")
                    .ok()
                    .filter(|token| !token.is_empty());
                let id = std::env::var("AWS_ACCESS_KEY_ID")
                    .unwrap_or_else(|_| "AKIAIOSFODNN7EXAMPLE".to_owned());
                signer = Some(Arc::new(credentials(&id, &secret, token.as_deref())));
                Some((secret, token))
            }
            None => None,
        };
        if let Some(signer) = &signer {
            masker.learn_credentials(signer, "the secret at hand");
        }
        let install_key = Settings::read()
            .ok()
            .map(|settings| settings.paths.install_key());
        Ok(Self {
            keys,
            any,
            signer,
            profile_region: profile.and_then(|profile| profile.reach.region.clone()),
            lanes: install_key
                .filter(|path| path.exists())
                .and_then(|path| LaneKeys::load(&path).ok()),
            masker,
        })
    }

    fn of(&self, key_id: &str) -> Option<Arc<Credentials>> {
        if let Some((secret, token)) = &self.any {
            return Some(Arc::new(credentials(key_id, secret, token.as_deref())));
        }
        if let Some(known) = self.keys.get(key_id) {
            return Some(known.clone());
        }
        let lanes = self
            .lanes
            .as_ref()
            .filter(|_| key_id.starts_with(LANE_PREFIX))?;
        Some(Arc::new(Credentials::new(
            key_id,
            lanes.secret(key_id).expose(),
            None,
        )))
    }
}

fn credentials(key_id: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials::new(key_id, secret, token.map(|token| token.as_bytes().to_vec()))
}

/// Prints the answers; says whether every signature is well.
fn answer(args: &Args, input: Input, held: &Held) -> Result<bool, String> {
    let sign = args.sign_options(held);
    let keys = |key_id: &str| held.of(key_id);
    let context = Context {
        keys: &keys,
        signer: held.signer.clone(),
        sign: &sign,
        masker: &held.masker,
        now: args.at.unwrap_or_else(SystemTime::now),
    };
    let reply = match &args.reply {
        Some(path) => Some(read::reply(&file(path)?)),
        None => None,
    };
    let one = |mut entry: Entry| -> Result<Answer, String> {
        if args.at.is_some() {
            entry.received_at = args.at;
        }
        entry.reply = reply.clone().or(entry.reply);
        explain(&entry, &context)
    };
    let entries: Vec<Result<Entry, BadLine>> = match input {
        Input::One(entry) => {
            let answer = one(*entry)?;
            let well = is_well(&answer);
            let out = match args.format {
                Format::Text => text::answer(&answer) + &compared(args, &answer)?,
                Format::Json | Format::Jsonl => json(&answer)? + "\n",
            };
            print(&out);
            return Ok(well);
        }
        Input::List(entries) => entries.into_iter().map(Ok).collect(),
        Input::Lines(lines) => lines,
    };
    let list = args.format == Format::Json;
    let mut well = true;
    let mut first = true;
    for entry in entries {
        let id = entry.as_ref().ok().and_then(|entry| entry.id.clone());
        let answer = entry.and_then(|entry| one(entry).map_err(|error| BadLine { id, error }));
        well &= answer.as_ref().is_ok_and(is_well);
        let text = match (&answer, args.format) {
            (Ok(answer), Format::Text) => text::answer(answer) + "\n",
            (Err(bad), Format::Text) => format!("cannot be read: {}\n\n", bad.error),
            (Ok(answer), _) => json(answer)?,
            (Err(bad), _) => serde_json::json!({ "id": bad.id, "error": bad.error }).to_string(),
        };
        match (args.format, first) {
            (Format::Text, _) => print(&text),
            (Format::Json, true) => print(&format!("[{text}")),
            (Format::Json, false) => print(&format!(",\n{text}")),
            (Format::Jsonl, _) => print(&(text + "\n")),
        }
        first = false;
    }
    if list {
        print(if first { "[]\n" } else { "]\n" });
    }
    Ok(well)
}

fn is_well(answer: &Answer) -> bool {
    answer.verdict != Verdict::Invalid
}

fn json(answer: &Answer) -> Result<String, String> {
    serde_json::to_string(answer).map_err(|error| error.to_string())
}

fn file(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn compared(args: &Args, answer: &Answer) -> Result<String, String> {
    let Some(path) = &args.mine else {
        return Ok(String::new());
    };
    let difference = mine::compare(&file(path)?, answer);
    Ok(text::difference(difference.as_ref()))
}

impl Args {
    fn sign_options(&self, held: &Held) -> SignOptions {
        SignOptions {
            region: self.region.clone(),
            service: self.service.clone(),
            profile_region: held.profile_region.clone(),
            at: self.at,
            location: match self.location {
                Where::Header => Location::Header,
                Where::Query => Location::Query,
            },
            payload_signed: self.payload.map(|payload| payload == Payload::Signed),
            content_sha256: match self.content_sha256 {
                Adds::Auto => None,
                Adds::Always => Some(true),
                Adds::Never => Some(false),
            },
            token_signed: self.session_token == Token::Sign,
            normalize_path: self.no_normalize_path.then_some(false),
            double_encode: self.double_encode.map(|answer| answer == YesNo::Yes),
            expires_s: self.expires,
        }
    }
}
