//! The commands that need no terminal, and the contract of the JSON lines.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::aws::{Ask, Aws};
use crate::process::{Home, Proxy, ended, terminate, wait};
use crate::terminal::Terminal;
use crate::wire::Upstream;

/// The keys of every line in their order, `[]` where a list of objects stands.
const CONTRACT: &str = "\
id started_at door replay_of client received route identity sent reply timing_us fault findings
client: address lane access_key_id signature
received: method target url version headers body
body: size sha256 content_type text base64 rendered kept masked
route: service signing_name region operation iam_action upstream how
how: field from evidence
identity: profile kind access_key_id account expires_at chain
sent: method target url version headers body signing
signing: algorithm mode credential_scope signed_headers canonical_request string_to_sign signature changes second_opinion
reply: from status version headers body request_id error
error: code message
timing_us: held credentials sign connect first_byte total
fault: stage kind message
findings: code grade role summary evidence refuted_by fix
fix: label command action
";

fn keys(name: &str) -> Vec<&'static str> {
    let line = match name {
        "" => CONTRACT.lines().next(),
        name => CONTRACT
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")),
    };
    line.map(|line| line.split(' ').collect())
        .unwrap_or_default()
}

/// Every object has exactly the keys of the contract, in its order.
fn conforms(name: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            let want = keys(name);
            if want.is_empty() {
                return;
            }
            assert_eq!(members.keys().collect::<Vec<_>>(), want, "{name}");
            for (key, member) in members {
                conforms(key, member);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| conforms(name, item)),
        _ => {}
    }
}

#[test]
fn every_key_is_in_every_line() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = home.proxy(&[
        "--endpoint-url",
        &aws.url(),
        "--endpoint-url",
        "sqs=http://127.0.0.1:1",
    ]);
    let host = proxy.address.to_string();
    let lane = home.lane("default");
    let role = Ask::identity()
        .host(&host)
        .signed(&home.lane("staging-admin"));
    proxy.ask(Ask::identity().host(&host).signed(&lane));
    proxy.ask(
        Ask::secret("none")
            .host(&host)
            .signed(&lane.with_secret("wrong")),
    );
    proxy.ask(Ask::identity().host("evil.example").unsigned());
    proxy.ask(
        Ask::json("sqs", "AmazonSQS.ListQueues", "{}")
            .host(&host)
            .signed(&lane),
    );
    proxy.ask(Ask::new("x", "x", "GET", "/").host(&host).unsigned());
    proxy.ask(role);
    let _ = proxy.connect().ask("nonsense\r\n\r\n");
    drop(proxy.connect());
    proxy.find("the last one", |exchange| {
        exchange["fault"]["kind"] == "client-gone"
    });
    let (lines, _) = proxy.stop();
    assert!(lines.len() >= 8);
    for line in &lines {
        let exchange: Value = serde_json::from_str(line).unwrap();
        conforms("", &exchange);
        let started = exchange["started_at"].as_str().unwrap();
        assert!(started.len() == 24 && started.ends_with('Z'), "{started}");
        assert!(exchange["timing_us"]["total"].is_u64(), "{line}");
        for finding in exchange["findings"].as_array().unwrap() {
            let fix = finding["fix"].as_array().unwrap();
            assert!(
                !fix.is_empty() || finding["grade"] == "aws-said",
                "{finding:#}"
            );
        }
    }
}

#[test]
fn text_lines_are_for_people() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = Proxy::start(home.command(&[
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--endpoint-url",
        &aws.url(),
    ]));
    proxy.ask(
        Ask::secret("none")
            .host("secretsmanager.us-west-2.amazonaws.com")
            .unsigned(),
    );
    let line = proxy.stdout.find("a line", |line| Some(line.to_owned()));
    assert!(
        line.contains("#1 400 secretsmanager.GetSecretValue us-west-2 default"),
        "{line}"
    );
    assert!(line.contains("ResourceNotFoundException: "), "{line}");
}

#[test]
fn run_captures_a_command_and_passes_its_status_on() {
    let (aws, home) = (Aws::start(), Home::new());
    let script = "test -n \"$AWS_ENDPOINT_URL\" && test -z \"$AWS_PROFILE$AWS_SESSION_TOKEN\" && \
                  curl -s -H 'Host: sts.us-west-2.amazonaws.com' -d 'Action=GetCallerIdentity&Version=2011-06-15' \"$AWS_ENDPOINT_URL\"; exit 7";
    let free = free_address();
    let mut command = home.command(&[
        "run",
        "--listen",
        &free,
        "--endpoint-url",
        &aws.url(),
        "--",
        "sh",
        "-c",
        script,
    ]);
    command.env("AWS_PROFILE", "prod-ro");
    let ended = ended(command);
    assert_eq!(ended.code, Some(7), "{ended:?}");
    assert!(ended.stdout.contains("user/reader"), "{ended:?}");
    assert!(ended.stderr.contains("sts.GetCallerIdentity"), "{ended:?}");
    let missing = home.run(&["run", "--listen", &free, "--", "no-such-command-anywhere"]);
    assert_eq!(missing.code, Some(3));
    assert!(
        missing.stderr.contains("no-such-command-anywhere"),
        "{missing:?}"
    );
}

#[test]
fn run_uses_the_proxy_that_is_there() {
    let (aws, home) = (Aws::start(), Home::new());
    let proxy = home.proxy(&["--endpoint-url", &aws.url()]);
    let address = proxy.address.to_string();
    let ended = home.run(&[
        "run",
        "--as",
        "prod-ro",
        "--listen",
        &address,
        "--",
        "sh",
        "-c",
        "echo $AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID",
    ]);
    assert_eq!(
        ended.stdout.trim(),
        format!("http://{address} {}", home.lane("prod-ro").id)
    );
    assert_eq!(ended.code, Some(0));
}

#[test]
fn run_passes_signals_on() {
    let (aws, home) = (Aws::start(), Home::new());
    let free = free_address();
    let script = "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    let mut command = home.command(&[
        "run",
        "--listen",
        &free,
        "--endpoint-url",
        &aws.url(),
        "--",
        "sh",
        "-c",
        script,
    ]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = crate::process::Lines::of(child.stdout.take().unwrap());
    lines.find("the start", |line| (line == "ready").then_some(()));
    terminate(child.id());
    assert_eq!(wait(&mut child).code(), Some(9));
    assert!(lines.whole().contains(&"caught".to_owned()));
}

#[test]
fn env_speaks_every_shell() {
    let home = Home::new();
    let lane = home.lane("prod-ro");
    let bash = home.run(&["env", "--as", "prod-ro"]);
    assert_eq!(bash.code, Some(0), "{bash:?}");
    let script = format!(
        "{}\necho \"$AWS_ENDPOINT_URL|$AWS_ACCESS_KEY_ID|$AWS_SECRET_ACCESS_KEY|$AWS_REGION|$AWS_PROFILE\"",
        bash.stdout
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("AWS_PROFILE", "x");
    let said = ended(shell).stdout;
    assert_eq!(
        said.trim(),
        format!(
            "http://127.0.0.1:8787|{}|{}|us-west-2|",
            lane.id, lane.secret
        )
    );
    let json = home.run(&[
        "env",
        "--as",
        "prod-ro",
        "--shell",
        "json",
        "--listen",
        "127.0.0.1:9999",
    ]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["set"]["AWS_ENDPOINT_URL"], "http://127.0.0.1:9999");
    assert_eq!(json["set"]["AWS_ACCESS_KEY_ID"], lane.id);
    assert!(
        json["unset"]
            .as_array()
            .unwrap()
            .contains(&Value::from("AWS_PROFILE"))
    );
    assert!(
        home.run(&["env", "--shell", "fish"])
            .stdout
            .contains("set -gx AWS_ENDPOINT_URL")
    );
    assert!(
        home.run(&["env", "--shell", "powershell"])
            .stdout
            .contains("$Env:AWS_ENDPOINT_URL")
    );
    let unknown = home.run(&["env", "--as", "nobody"]);
    assert_eq!(unknown.code, Some(3));
    assert!(
        unknown.stderr.contains("nobody") && unknown.stderr.contains("prod-ro"),
        "{unknown:?}"
    );
    assert_eq!(home.run(&["env", "--shell", "tcsh"]).code, Some(2));
}

#[test]
fn a_session_is_replayed_without_a_screen() {
    let (aws, home) = (Aws::start(), Home::new());
    let file = home.path("session.db");
    let file = file.to_str().unwrap();
    let proxy = home.proxy(&["--endpoint-url", &aws.url(), "--session", file]);
    let host = proxy.address.to_string();
    proxy.ask(Ask::identity().host(&host).signed(&home.lane("default")));
    proxy.ask(
        Ask::secret("none")
            .host(&host)
            .signed(&home.lane("default")),
    );
    let put = Ask::s3("PUT", "/example-reports/k")
        .host("s3.us-west-2.amazonaws.com")
        .body("text");
    proxy.ask(put.unsigned());
    proxy.ask(
        Ask::secret("prod/db")
            .host("secretsmanager.us-west-2.amazonaws.com")
            .header("x-api-key", "a-key-that-is-hidden")
            .unsigned(),
    );
    for id in 1..=4 {
        proxy.exchange(id);
    }
    proxy.stop();
    let to = aws.url();
    let replay = |args: &[&str]| {
        home.run(
            &[
                &["replay", file, "--endpoint-url", &to, "--format", "jsonl"],
                args,
            ]
            .concat(),
        )
    };

    let done = replay(&["1", "--profile", "prod-ro", "--profile", "default"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let lines: Vec<Value> = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    for (line, profile) in lines.iter().zip(["prod-ro", "default"]) {
        conforms("", line);
        assert_eq!(line["replay_of"], 1);
        assert_eq!(line["door"], "replay");
        assert_eq!(line["identity"]["profile"], profile);
        assert_eq!(line["reply"]["status"], 200);
    }
    let failed = replay(&["2"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    let asked = replay(&["3"]);
    assert_eq!(asked.code, Some(3));
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    assert_eq!(replay(&["3", "--yes"]).code, Some(0));
    let other = home.write("body", "another text");
    let with = replay(&["3", "--yes", "--body", other.to_str().unwrap()]);
    assert_eq!(with.code, Some(0), "{with:?}");
    assert!(with.stdout.contains("another text"), "{with:?}");
    let masked = replay(&["4"]);
    assert_eq!(masked.code, Some(1));
    assert!(
        masked.stderr.contains("#4 cannot be sent again") && masked.stderr.contains("x-api-key"),
        "{masked:?}"
    );
    let missing = replay(&["99"]);
    assert_eq!(missing.code, Some(3));
    assert!(missing.stderr.contains("#99"), "{missing:?}");
}

#[test]
fn a_body_that_was_cut_is_not_replayed() {
    let (home, upstream) = (
        Home::new().config("[limits]\nbody_kept = 10\n"),
        Upstream::ok(),
    );
    let file = home.path("session.db");
    let file = file.to_str().unwrap();
    let proxy = home.proxy(&["--endpoint-url", &upstream.url(), "--session", file]);
    let query = Ask::json(
        "dynamodb",
        "DynamoDB_20120810.Query",
        "{\"TableName\":\"orders\"}",
    );
    proxy.ask(query.host("dynamodb.us-west-2.amazonaws.com").unsigned());
    proxy.exchange(1);
    proxy.stop();
    let refused = home.run(&["replay", file, "1", "--endpoint-url", &upstream.url()]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("--body"), "{refused:?}");
    assert_eq!(upstream.count(), 1);
}

#[test]
fn numbers_go_on_in_a_session_that_is_continued() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let file = home.path("session.db");
    let file = file.to_str().unwrap();
    for id in 1..=2 {
        let proxy = home.proxy(&["--endpoint-url", &upstream.url(), "--session", file]);
        proxy.ask(
            Ask::identity()
                .host("sts.us-west-2.amazonaws.com")
                .unsigned(),
        );
        assert_eq!(proxy.exchange(id)["id"], id);
        proxy.stop();
    }
}

#[test]
fn a_kill_loses_at_most_the_last_moment() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let file = home.path("session.db");
    let proxy = home.proxy(&[
        "--endpoint-url",
        &upstream.url(),
        "--session",
        file.to_str().unwrap(),
    ]);
    proxy.ask(
        Ask::identity()
            .host("sts.us-west-2.amazonaws.com")
            .unsigned(),
    );
    let end = std::time::Instant::now() + crate::wire::PATIENCE;
    let is_there = || {
        sigscope::capture::Session::open(&file)
            .is_ok_and(|session| matches!(session.exchange(1), Ok(Some(_))))
    };
    while !is_there() {
        assert!(std::time::Instant::now() < end, "it is not committed");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    drop(proxy); // kill -9
    assert!(is_there());
    let done = home.run(&[
        "replay",
        file.to_str().unwrap(),
        "1",
        "--endpoint-url",
        &upstream.url(),
    ]);
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn wrong_files_are_named_and_left_alone() {
    let home = Home::new();
    let foreign = home.write("foreign.db", "this is a letter to my mother");
    let other = home.path("other.db");
    drop(rusqlite::Connection::open(&other).map(|db| db.execute("create table t (x)", [])));
    let before = std::fs::read(&other).unwrap();
    for file in [foreign.to_str().unwrap(), other.to_str().unwrap()] {
        for args in [
            vec!["replay", file, "1"],
            vec!["open", file],
            vec!["proxy", "--listen", "127.0.0.1:0", "--session", file],
        ] {
            let ended = home.run(&args);
            assert_eq!(ended.code, Some(3), "{args:?} {ended:?}");
            assert!(
                ended.stderr.contains("not a sigscope session file"),
                "{args:?} {ended:?}"
            );
        }
    }
    assert_eq!(
        std::fs::read_to_string(foreign).unwrap(),
        "this is a letter to my mother"
    );
    assert_eq!(std::fs::read(other).unwrap(), before);
    let missing = home.run(&["open", "/nowhere/at/all.db"]);
    assert_eq!(missing.code, Some(3));
    assert!(missing.stderr.contains("/nowhere/at/all.db"), "{missing:?}");
    let unwritable = home.run(&[
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--session",
        "/proc/no/session.db",
    ]);
    assert_eq!(unwritable.code, Some(3));
    assert!(
        unwritable.stderr.contains("/proc/no/session.db"),
        "{unwritable:?}"
    );
}

#[test]
fn errors_of_the_configuration_name_file_and_line() {
    for (text, words) in [
        ("theme = \"dark\"\nlisten = 3\n", "line 2"),
        ("[limits]\nrowz = 3\n", "rowz"),
        ("[limits]\nrows = -3\n", "line 2"),
        ("[limits\n", "line 1"),
        ("listen = [\"nonsense\"]\n", "nonsense"),
        (
            "[endpoint_urls]\ns3 = \"ftp://x\"\n",
            "neither http nor https",
        ),
    ] {
        let home = Home::new().config(text);
        let ended = home.run(&["proxy"]);
        assert_eq!(ended.code, Some(3), "{text} {ended:?}");
        assert!(ended.stderr.contains(words), "{text} {ended:?}");
    }
    let home = Home::new();
    home.write("config/sigscope/config.toml", [0xff, 0xfe, 0]);
    let ended = home.run(&["proxy"]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.stderr.contains("config.toml"), "{ended:?}");
    home.write("config/sigscope/config.toml", "");
    home.write("data/sigscope/install-key", "short");
    let ended = home.run(&["proxy", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.stderr.contains("install-key"), "{ended:?}");
}

#[test]
fn wrong_options_are_usage() {
    let home = Home::new();
    for args in [
        vec!["--nonsense"],
        vec!["proxy", "--format", "xml"],
        vec!["run"],
        vec!["replay"],
        vec!["replay", "f", "x"],
        vec!["frobnicate"],
        vec!["completions", "x"],
    ] {
        let ended = home.run(&args);
        assert_eq!(ended.code, Some(2), "{args:?} {ended:?}");
        assert!(ended.stdout.is_empty(), "{args:?}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (args, words) in [
        (vec!["proxy", "--listen", "nonsense"], "127.0.0.1:8787"),
        (
            vec![
                "proxy",
                "--listen",
                "127.0.0.1:0",
                "--endpoint-url",
                "nonsense",
            ],
            "http://HOST:PORT",
        ),
        (
            vec!["proxy", "--listen", "127.0.0.1:0", "--profile", "nobody"],
            "there is no profile nobody",
        ),
        (
            vec![
                "proxy",
                "--listen",
                "127.0.0.1:0",
                "--ca-bundle",
                "/nowhere.pem",
            ],
            "/nowhere.pem",
        ),
        (vec!["proxy", "--listen", &*address], "--listen"),
    ] {
        let ended = home.run(&args);
        assert!(matches!(ended.code, Some(2 | 3)), "{args:?} {ended:?}");
        assert!(ended.stderr.contains(words), "{args:?} {ended:?}");
    }
    for command in [vec![], vec!["demo"]] {
        let ended = home.run(&command);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stderr.contains("terminal"), "{ended:?}");
    }
}

#[test]
fn a_theme_that_is_not_there_is_said() {
    let home = Home::new();
    let mut terminal = Terminal::start(
        &home,
        &["--listen", "127.0.0.1:0", "--theme", "nowhere"],
        (80, 24),
    );
    assert!(!terminal.wait().success());
    assert!(terminal.is_restored());
    assert!(
        terminal.screen().contains("nowhere"),
        "{}",
        terminal.screen()
    );
}

#[test]
fn completions_and_help_know_every_command() {
    let home = Home::new();
    let help = home.run(&["--help"]);
    assert_eq!(help.code, Some(0));
    let commands = [
        "proxy",
        "demo",
        "sandbox",
        "env",
        "run",
        "open",
        "replay",
        "completions",
    ];
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = home.run(&["completions", shell]);
        assert_eq!(ended.code, Some(0));
        for command in commands {
            assert!(ended.stdout.contains(command), "{shell} {command}");
            assert!(help.stdout.contains(&format!("  {command}")), "{command}");
        }
    }
    assert!(
        help.stdout.contains("Exit status: 0 done, 1"),
        "{}",
        help.stdout
    );
    assert!(home.run(&["--version"]).stdout.starts_with("sigscope "));
    let mut options = String::new();
    for command in commands {
        let text = home.run(&[command, "--help"]).stdout;
        options.push_str(&format!("{command}:"));
        for line in text.lines() {
            let line = line.trim_start();
            let Some(option) = line.split([' ', ',']).find(|word| word.starts_with("--")) else {
                continue;
            };
            if line.starts_with('-') {
                options.push_str(&format!(" {option}"));
            }
        }
        options.push('\n');
    }
    insta::assert_snapshot!("options", options);
}

#[test]
fn the_sandbox_stands_alone() {
    let home = Home::new();
    let mut child = home
        .command(&["sandbox", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = crate::process::Lines::of(child.stderr.take().unwrap());
    let address = lines.find("a listener", |line| {
        let rest = line.split("http://").nth(1)?;
        rest.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))
            .next()?
            .parse()
            .ok()
    });
    let request = Ask::identity()
        .host("sts.us-west-2.amazonaws.com")
        .signed(&crate::aws::Key::alice());
    let reply = crate::wire::Conn::to(address).ask(request);
    assert!(reply.text().contains("user/alice"), "{}", reply.text());
    terminate(child.id());
    wait(&mut child);
}

#[test]
fn the_demo_prints_its_script() {
    let home = Home::new();
    let ended = home.run(&["demo", "--print", "jsonl"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let exchanges: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(exchanges.len() > 10);
    for exchange in &exchanges {
        conforms("", exchange);
    }
    let failed = exchanges
        .iter()
        .filter(|exchange| exchange["reply"]["status"].as_u64() >= Some(400))
        .count();
    assert!(
        failed > 3 && failed < exchanges.len(),
        "{failed} of {}",
        exchanges.len()
    );
}

#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let mut command = home.command(&[
        "proxy",
        "--format",
        "jsonl",
        "--listen",
        "127.0.0.1:0",
        "--endpoint-url",
        &upstream.url(),
    ]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let lines = crate::process::Lines::of(child.stderr.take().unwrap());
    let address = lines.find("a listener", |line| {
        line.strip_prefix("listening on http://")?.parse().ok()
    });
    for _ in 0..3 {
        let mut conn = crate::wire::Conn::to(address);
        assert_eq!(
            conn.ask(
                Ask::identity()
                    .host("sts.us-west-2.amazonaws.com")
                    .unsigned()
            )
            .status(),
            200
        );
    }
    let _ = std::io::stderr().flush();
    terminate(child.id());
    assert!(wait(&mut child).success());
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string()
}
