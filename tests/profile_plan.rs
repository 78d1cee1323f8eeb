//! What profiles mean, without network: fixtures, and botocore as the oracle.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop, and say why"
)]

mod profile_support;

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use profile_support::{Clock, FakeAws, sources, wiring};
use serde_json::{Value, json};
use sigscope::profile::{Profile, Profiles};

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/profiles");
    let mut found: Vec<_> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn variables(dir: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(dir.join("env")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn load(dir: &Path) -> Profiles {
    let text = |name| fs::read_to_string(dir.join(name)).unwrap_or_default();
    let env = variables(dir);
    let env: Vec<_> = env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let clock = Clock::new();
    let aws = FakeAws::sts(&clock);
    let sources = sources(&text("config"), &text("credentials"), &env);
    Profiles::load(sources, wiring(&aws, &clock))
}

/// Everything that can be seen of the profiles, as text.
fn shown(profiles: &Profiles) -> String {
    let mut out = String::new();
    let default = profiles.default_name();
    writeln!(out, "default: {}", default.as_deref().unwrap_or("-")).unwrap();
    for error in profiles.errors() {
        writeln!(out, "! {error}").unwrap();
    }
    for one in profiles.list() {
        let profile = profiles.get(&one.name).unwrap();
        let text = |value: &Option<String>| value.clone().unwrap_or("-".into());
        writeln!(
            out,
            "\n{}  {}  {}  {}  {}  {}",
            one.name,
            one.kind,
            one.status,
            text(&one.region),
            text(&one.account),
            text(&one.access_key_id)
        )
        .unwrap();
        for hop in profile.hops() {
            writeln!(out, "  {hop}").unwrap();
        }
        if let Some(url) = profile.reach.endpoint("sts") {
            writeln!(out, "  sts at {url}").unwrap();
        }
        for note in &profile.notes {
            writeln!(out, "  note: {note}").unwrap();
        }
        if let Some(error) = one.error {
            writeln!(out, "  error: {error}").unwrap();
        }
    }
    out
}

#[test]
fn fixtures_mean_what_they_say() {
    let bless = std::env::var_os("SIGSCOPE_BLESS").is_some();
    let mut wrong = String::new();
    for dir in cases() {
        let shown = shown(&load(&dir));
        let path = dir.join("expected");
        if bless {
            fs::write(&path, &shown).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if shown != expected {
            writeln!(wrong, "{}:\n{shown}\ninstead of\n{expected}", dir.display()).unwrap();
        }
        for secret in ["wJalrXUtnFEMI", "FAKETOKEN", "hunter2"] {
            assert!(!shown.contains(secret), "{}: {shown}", dir.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Where we differ from botocore, and why.
const DIFFERS: &[(&str, &str)] = &[
    ("endpoint-is-ours/x", "we do not call ourselves"),
    (
        "indented-key/default",
        "botocore takes both lines as the region",
    ),
    (
        "duplicate-section/default",
        "botocore refuses the whole file",
    ),
    ("duplicate-section/x", "botocore refuses the whole file"),
    ("duplicate-key/default", "botocore refuses the whole file"),
    ("broken-line/default", "botocore refuses the whole file"),
    ("broken-line/good", "botocore refuses the whole file"),
    ("broken-header/before", "botocore refuses the whole file"),
    ("broken-header/after", "botocore refuses the whole file"),
    ("bom-and-crlf/default", "botocore refuses a byte order mark"),
    (
        "secret-only/x",
        "botocore goes on to the instance's role without a word",
    ),
    (
        "region-variable/plain",
        "AWS_REGION counts for the AWS CLI, not for botocore",
    ),
];

/// What our plan says, in the oracle's words.
fn ours(profile: &Profile) -> Value {
    let hops = profile.hops();
    let Some(base) = hops.first() else {
        return json!({"base": null});
    };
    let roles: Vec<_> = hops
        .iter()
        .filter(|hop| hop.step == "assume-role")
        .map(|hop| hop.detail.as_str())
        .collect();
    json!({
        "base": base.step,
        "roles": roles,
        "region": profile.reach.region,
        "sts": profile.reach.endpoint("sts"),
        "key": profile.access_key_id,
    })
}

#[test]
fn botocore_agrees() {
    let Some(python) = std::env::var_os("SIGSCOPE_ORACLE_PYTHON") else {
        eprintln!("skipped: SIGSCOPE_ORACLE_PYTHON names no python with botocore");
        return;
    };
    let mut ask = Vec::new();
    let mut answers = Vec::new();
    for dir in cases() {
        let case = dir.file_name().unwrap().to_string_lossy().into_owned();
        let profiles = load(&dir);
        for one in profiles.list() {
            let id = format!("{case}/{}", one.name);
            let known = DIFFERS.iter().any(|(differs, _)| *differs == id);
            if one.origin.source == "environment" || known {
                continue;
            }
            let mut env: serde_json::Map<_, _> = variables(&dir)
                .into_iter()
                .map(|(name, value)| (name, Value::from(value)))
                .collect();
            for (name, file) in [
                ("AWS_CONFIG_FILE", "config"),
                ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            ] {
                env.insert(name.to_owned(), dir.join(file).to_string_lossy().into());
            }
            ask.push(json!({"profile": &*one.name, "env": env}));
            answers.push((id, ours(&profiles.get(&one.name).unwrap())));
        }
    }
    let theirs = oracle(&python, &Value::from(ask));
    let mut wrong = String::new();
    for ((id, ours), theirs) in answers.iter().zip(&theirs) {
        if ours != theirs {
            writeln!(wrong, "{id}: ours {ours}, botocore {theirs}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(answers.len(), theirs.len());
    assert!(answers.len() >= 40, "only {}", answers.len());
    eprintln!("{} profiles agree", answers.len());
}

fn oracle(python: &std::ffi::OsStr, ask: &Value) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profile_support/oracle.py");
    let mut child = Command::new(python)
        .arg(script)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(ask.to_string().as_bytes()).unwrap();
    drop(stdin);
    let out = child.wait_with_output().unwrap();
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn five_hundred_profiles_are_read_at_once() {
    let mut config = String::new();
    let mut credentials = String::new();
    for n in 0..500 {
        write!(
            config,
            "[profile p{n}]\nregion = us-west-2\nrole_arn = arn:aws:iam::123456789012:role/r{n}\n\
             source_profile = k{}\n",
            n % 50
        )
        .unwrap();
        if n < 50 {
            write!(
                credentials,
                "[k{n}]\naws_access_key_id = AKIA{n:016}\naws_secret_access_key = s\n"
            )
            .unwrap();
        }
    }
    let clock = Clock::new();
    let aws = FakeAws::sts(&clock);
    let started = std::time::Instant::now();
    let profiles = Profiles::load(sources(&config, &credentials, &[]), wiring(&aws, &clock));
    eprintln!("550 profiles in {:?}", started.elapsed());
    assert_eq!(profiles.names().len(), 551);
    assert!(profiles.credentials_of("AKIA0000000000000049").is_some());
    assert!(aws.asked().is_empty());
}

/// What a request pays for credentials that are at hand. Prints, judges nothing.
#[tokio::test]
#[ignore = "a measurement; run it with --release"]
async fn how_long_a_cached_profile_takes() {
    let config =
        "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n";
    let aws = FakeAws::new(|asked| {
        let end = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
        (200, profile_support::assumed(asked, end))
    });
    let mut wiring = wiring(&aws, &Clock::new());
    wiring.time = aws_smithy_async::time::SharedTimeSource::new(
        aws_smithy_async::time::SystemTimeSource::new(),
    );
    let profiles = Profiles::load(sources(config, profile_support::KEYS, &[]), wiring);
    let key = profiles
        .resolve("r")
        .await
        .unwrap()
        .credentials
        .access_key_id
        .clone();
    const ROUNDS: u32 = 1_000_000;
    let started = std::time::Instant::now();
    for _ in 0..ROUNDS {
        std::hint::black_box(profiles.resolve("r").await.is_ok());
    }
    eprintln!("resolve: {:?}", started.elapsed() / ROUNDS);
    let started = std::time::Instant::now();
    for _ in 0..ROUNDS {
        std::hint::black_box(profiles.credentials_of(&key).is_some());
    }
    eprintln!("credentials_of: {:?}", started.elapsed() / ROUNDS);
}
