//! The screen, as the operator sees it: the binary in a pseudo-terminal.

use serde_json::Value;

use crate::aws::{Ask, Aws};
use crate::process::{Home, Proxy};
use crate::terminal::Terminal;
use crate::wire::{Conn, Upstream};

const WIDE: (u16, u16) = (160, 45);

/// The screen over a proxy that sends to the sandbox, and its port.
fn started(home: &Home, aws: &Aws) -> (Terminal, u16) {
    let args = ["--listen", "127.0.0.1:0", "--endpoint-url", &aws.url()];
    let terminal = Terminal::start(home, &args, WIDE);
    let port = port(&terminal);
    (terminal, port)
}

fn port(terminal: &Terminal) -> u16 {
    let screen = terminal.shows("● 127.0.0.1:");
    let digits = screen.split("● 127.0.0.1:").nth(1).unwrap();
    digits
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

fn send(port: u16, request: Vec<u8>) {
    let mut conn = Conn::to(([127, 0, 0, 1], port).into());
    assert_ne!(conn.ask(request).status(), 0);
}

fn identity() -> Vec<u8> {
    Ask::identity()
        .host("sts.us-west-2.amazonaws.com")
        .unsigned()
}

fn denied() -> Vec<u8> {
    Ask::secret("nowhere")
        .host("secretsmanager.us-west-2.amazonaws.com")
        .unsigned()
}

#[test]
fn the_empty_screen_says_what_to_paste() {
    let (aws, home) = (Aws::start(), Home::new());
    let (terminal, port) = started(&home, &aws);
    let screen = terminal.shows("No connection yet.");
    assert!(
        screen.contains(&format!("AWS_ENDPOINT_URL=http://127.0.0.1:{port}")),
        "{screen}"
    );
    assert!(screen.contains("AWS_ACCESS_KEY_ID=SIGSCOPE"), "{screen}");
    assert!(
        screen.contains("curl -H") && screen.contains("Host: "),
        "{screen}"
    );
    assert!(screen.contains("default"), "{screen}");
}

#[test]
fn requests_arrive_and_can_be_looked_at_from_all_sides() {
    let (aws, home) = (Aws::start(), Home::new());
    let (mut terminal, port) = started(&home, &aws);
    send(port, identity());
    terminal.shows("sts.GetCallerIdentity");
    send(port, denied());
    let screen = terminal.shows("secretsmanager.GetSecretValue");
    assert!(
        screen.contains("2 exchanges") && screen.contains("1 failed"),
        "{screen}"
    );
    assert!(
        screen.contains("ResourceNotFound"),
        "the why column: {screen}"
    );
    for (pane, word) in [
        ("1", "POST / HTTP/1.1"),
        ("2", "\"SecretId\": \"nowhere\""),
        ("3", "400"),
        ("4", "AWS4-HMAC-SHA256"),
        ("5", "ResourceNotFoundException"),
        ("6", "until the reply's head"),
    ] {
        terminal.press(pane);
        terminal.until(&format!("{word} in pane {pane}"), |screen| {
            screen.to_lowercase().contains(&word.to_lowercase())
        });
    }
    // Back in the list, the other one.
    terminal.press("q");
    terminal.settle();
    terminal.press("k");
    terminal.press("3");
    terminal.press("z");
    terminal.shows("GetCallerIdentityResult");
    terminal.press("z");
    // As sent: with the signature that the client did not make.
    terminal.press("1");
    terminal.press("t");
    terminal.until("the head as sent", |screen| {
        screen.to_lowercase().contains("authorization")
    });
}

#[test]
fn the_profile_is_switched_and_the_request_sent_again() {
    let (aws, home) = (Aws::start(), Home::new());
    let (mut terminal, port) = started(&home, &aws);
    send(port, identity());
    terminal.shows("sts.GetCallerIdentity");
    terminal.press("p");
    terminal.shows("sign as");
    terminal.press("prodro");
    terminal.until("the one profile that fits", |screen| {
        screen.contains("prod-ro") && !screen.contains("staging-admin")
    });
    terminal.press("\r");
    terminal.until("the profile in the title", |screen| {
        screen
            .lines()
            .next()
            .is_some_and(|title| title.contains("prod-ro"))
    });
    terminal.press("r");
    terminal.shows("2 exchanges");
    let calls = aws.sandbox().calls();
    let callers: Vec<_> = calls
        .iter()
        .filter_map(|call| call.caller.as_deref())
        .collect();
    assert_eq!(
        callers,
        [
            "arn:aws:iam::123456789012:user/alice",
            "arn:aws:iam::123456789012:user/reader"
        ]
    );
    // The new row names its parent.
    terminal.settle();
    terminal.press("G");
    terminal.settle();
    terminal.press("P");
    terminal.settle();
    terminal.press("y");
    terminal.shows("exchange as JSON");
    terminal.press("j");
    let first: Value = serde_json::from_str(&terminal.copied(0)).unwrap();
    assert_eq!(first["id"], 1);
}

#[test]
fn what_changes_something_is_asked_about_before_it_is_sent_again() {
    let (aws, home) = (Aws::start(), Home::new());
    let (mut terminal, port) = started(&home, &aws);
    let put = Ask::s3("PUT", "/example-reports/k")
        .host("s3.us-west-2.amazonaws.com")
        .body("once");
    send(port, put.unsigned());
    terminal.shows("s3.PutObject");
    terminal.press("r");
    terminal.shows("changes something");
    terminal.press("c");
    terminal.until("no question", |screen| {
        !screen.contains("changes something")
    });
    assert_eq!(aws.sandbox().calls().len(), 1);
    terminal.press("r");
    terminal.shows("changes something");
    terminal.press("r");
    terminal.shows("2 exchanges");
    assert_eq!(aws.sandbox().calls().len(), 2);
}

#[test]
fn the_list_is_filtered_while_typing() {
    let (aws, home) = (Aws::start(), Home::new());
    let (mut terminal, port) = started(&home, &aws);
    send(port, identity());
    send(port, denied());
    terminal.shows("2 exchanges");
    terminal.press("/");
    terminal.press("is:failed");
    terminal.until("only the failed one", |screen| {
        !screen.contains("sts.GetCallerIdentity")
            && screen.contains("secretsmanager.GetSecretValue")
    });
    terminal.press("\r");
    terminal.press("/");
    terminal.press(" service:");
    terminal.settle();
    terminal.escape();
    terminal.escape();
    terminal.shows("sts.GetCallerIdentity");
}

#[test]
fn copying_reaches_the_clipboard() {
    let (aws, home) = (Aws::start(), Home::new());
    let (mut terminal, port) = started(&home, &aws);
    send(port, identity());
    terminal.shows("sts.GetCallerIdentity");
    for (copies, (key, words)) in [
        ("c", "curl"),
        ("q", "content-type:application/x-www-form-urlencoded"),
        ("s", "AWS4-HMAC-SHA256\n"),
        ("u", "http://sts.us-west-2.amazonaws.com/"),
        ("j", "\"operation\":\"GetCallerIdentity\""),
        ("i", "-"),
    ]
    .into_iter()
    .enumerate()
    {
        terminal.press("y");
        terminal.shows("string to sign");
        terminal.press(key);
        let text = terminal.copied(copies);
        assert!(text.contains(words), "{key}: {text}");
        terminal.until("the menu gone", |screen| !screen.contains("string to sign"));
    }
}

#[test]
fn saving_and_quitting_lose_nothing() {
    let (aws, home) = (Aws::start(), Home::new());
    let (mut terminal, port) = started(&home, &aws);
    send(port, identity());
    send(port, denied());
    terminal.shows("2 exchanges");
    terminal.press(":save some.db is:failed\r");
    terminal.shows("1 exchange saved");
    let session = sigscope::capture::Session::open(&home.path("some.db")).unwrap();
    assert!(session.exchange(1).unwrap().is_none());
    assert!(session.exchange(2).unwrap().is_some());
    // Not everything is saved: it asks.
    terminal.press("q");
    terminal.shows("quit?");
    terminal.press("s");
    terminal.shows("save to: ");
    terminal.press("\r");
    assert!(terminal.wait().success());
    let session = sigscope::capture::Session::open(&home.path("sigscope.session")).unwrap();
    assert!(session.exchange(1).unwrap().is_some() && session.exchange(2).unwrap().is_some());
    assert!(terminal.is_restored());
    assert!(
        terminal.screen().contains("sigscope.session"),
        "{}",
        terminal.screen()
    );
}

#[test]
fn quitting_without_anything_to_lose_asks_nothing() {
    let (aws, home) = (Aws::start(), Home::new());
    let (mut terminal, _) = started(&home, &aws);
    terminal.press("q");
    assert!(terminal.wait().success());
    assert!(terminal.is_restored());
}

#[test]
fn every_size_is_survived() {
    let (aws, home) = (Aws::start(), Home::new());
    let (mut terminal, port) = started(&home, &aws);
    send(port, identity());
    terminal.shows("sts.GetCallerIdentity");
    for (columns, rows) in [
        (80, 24),
        (200, 60),
        (40, 12),
        (1, 1),
        (2, 2),
        (10, 3),
        (80, 1),
        (1, 40),
        (300, 100),
    ] {
        terminal.resize(columns, rows);
        for key in [
            "1", "2", "3", "4", "5", "6", "?", "esc", "p", "esc", "y", "esc", "z", "z",
        ] {
            match key {
                "esc" => terminal.escape(),
                key => terminal.press(key),
            }
        }
        terminal.settle();
    }
    terminal.resize(80, 24);
    let screen = terminal.shows("sts.GetCallerIdentity");
    assert!(
        screen.contains("127.0.0.1:") && screen.contains("default"),
        "{screen}"
    );
    terminal.press("?");
    terminal.shows("send it again, signed now");
    terminal.escape();
    terminal.resize(200, 60);
    terminal.until("the three panes side by side", |screen| {
        screen
            .lines()
            .any(|line| line.contains("FULL REQUEST") && line.contains("CALL RETURN"))
    });
}

#[test]
fn signals_give_the_terminal_back() {
    let (aws, home) = (Aws::start(), Home::new());
    let (mut terminal, port) = started(&home, &aws);
    send(port, identity());
    terminal.shows("sts.GetCallerIdentity");
    assert!(!terminal.is_restored());
    terminal.terminate();
    terminal.wait();
    assert!(terminal.is_restored());
}

#[test]
fn without_colour_there_is_none() {
    let (aws, home) = (Aws::start(), Home::new());
    let url = aws.url();
    let args = ["--listen", "127.0.0.1:0", "--endpoint-url", &*url];
    let terminal = Terminal::with(
        &home,
        &args,
        WIDE,
        &[("TERM", "xterm-256color"), ("NO_COLOR", "1")],
    );
    send(port(&terminal), denied());
    terminal.shows("secretsmanager.GetSecretValue");
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    for sequence in raw.split("\x1b[").skip(1) {
        let Some((codes, _)) = sequence.split_once('m') else {
            continue;
        };
        let is_colour = |code: &str| {
            code.parse::<u8>()
                .is_ok_and(|code| matches!(code, 30..=38 | 40..=48 | 90..=97 | 100..=107))
        };
        if codes
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b';')
        {
            assert!(!codes.split(';').any(is_colour), "{codes}");
        }
    }
}

#[test]
fn the_demo_plays_by_itself() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, &["demo"], WIDE);
    terminal.shows("exchanges");
    terminal.until("several calls", |screen| {
        screen.matches(" 200 ").count() > 2
    });
    terminal.until("a failing one", |screen| screen.contains("failed"));
    terminal.press("?");
    terminal.shows("choose the profile that signs");
    terminal.escape();
    terminal.press("q");
    terminal.shows("quit?");
    terminal.press("q");
    assert!(terminal.wait().success());
    assert!(terminal.is_restored());
}

#[test]
fn a_session_is_watched_while_another_process_writes_it() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let file = home.path("session.db");
    let file = file.to_str().unwrap();
    let proxy: Proxy = home.proxy(&["--endpoint-url", &upstream.url(), "--session", file]);
    proxy.ask(identity());
    proxy.exchange(1);
    let mut terminal = Terminal::start(&home, &["open", file], WIDE);
    terminal.shows("sts.GetCallerIdentity");
    proxy.ask(denied());
    terminal.shows("secretsmanager.GetSecretValue");
    terminal.press("2");
    terminal.shows("nowhere");
    // Nothing is sent from here.
    terminal.press("q");
    terminal.settle();
    terminal.press("r");
    terminal.settle();
    assert_eq!(upstream.count(), 2);
    terminal.press("q");
    assert!(terminal.wait().success());
    assert!(terminal.is_restored());
}

#[test]
fn nothing_chosen_opens_the_picker() {
    let home = Home::new();
    home.aws(
        "[profile one]\nregion=us-west-2\n[profile two]\nregion=us-west-2\n",
        "[one]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=x\n\
         [two]\naws_access_key_id=AKIAI44QH8DHBEXAMPLE\naws_secret_access_key=y\n",
    );
    let mut terminal = Terminal::start(&home, &["--listen", "127.0.0.1:0"], (80, 24));
    terminal.shows("sign as");
    terminal.press("two\r");
    terminal.until("the profile in the title", |screen| {
        screen
            .lines()
            .next()
            .is_some_and(|title| title.contains("two"))
    });
}
