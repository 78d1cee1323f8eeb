//! What breaks is answered, recorded and named; nothing hangs.

use std::io::Write as _;
use std::net::{Shutdown, TcpListener};
use std::time::Duration;

use serde_json::Value;

use crate::aws::Ask;
use crate::process::{Home, Proxy};
use crate::wire::{Broken, Conn, Upstream};

const LIMITS: &str = "[limits]\nreply_ms = 300\nupstream_idle_ms = 300\nclient_idle_ms = 300\nconnect_ms = 2000\nhead_ms = 300\nhead = 9000\n";

fn get() -> Ask {
    Ask::s3("GET", "/b/k").host("s3.us-west-2.amazonaws.com")
}

fn limited() -> Home {
    Home::new().config(LIMITS)
}

fn proxy(upstream: &Upstream) -> (Home, Proxy) {
    let home = limited();
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    (home, proxy)
}

/// The client is answered in the service's shape, and the exchange names the fault.
#[track_caller]
fn answered(proxy: &Proxy, status: u16, kind: &str, stage: &str) -> Value {
    let reply = proxy.ask(get().unsigned());
    assert_eq!(reply.status(), status, "{}", reply.text());
    assert!(
        reply.element("Message").starts_with("sigscope: "),
        "{}",
        reply.text()
    );
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["fault"]["kind"], kind, "{:#}", exchange["fault"]);
    assert_eq!(exchange["fault"]["stage"], stage);
    assert_eq!(exchange["reply"]["from"], "sigscope");
    assert_eq!(exchange["timing_us"]["first_byte"], Value::Null);
    exchange
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let home = limited();
    let proxy = home.proxy(&["--endpoint-url", &format!("http://{free}")]);
    answered(&proxy, 502, "refused", "forward");
}

#[test]
fn the_name_is_not_known() {
    let home = limited();
    let proxy = home.proxy(&["--endpoint-url", "http://nowhere.invalid"]);
    let exchange = answered(&proxy, 502, "dns", "forward");
    assert!(
        exchange["fault"]["message"]
            .as_str()
            .unwrap()
            .contains("nowhere.invalid")
    );
}

#[test]
fn the_upstream_says_nothing() {
    let upstream = Upstream::raw(|mut conn, _| {
        let _ = conn.message(false);
        let _ = conn.message(false);
    });
    let (_home, proxy) = proxy(&upstream);
    let exchange = answered(&proxy, 504, "timeout", "forward");
    assert!(
        exchange["fault"]["message"]
            .as_str()
            .unwrap()
            .contains("limits.reply_ms"),
        "{:#}",
        exchange["fault"]
    );
}

#[test]
fn the_upstream_hangs_up_without_a_head() {
    let upstream = Upstream::raw(|mut conn, _| {
        let _ = conn.message(false);
    });
    let (_home, proxy) = proxy(&upstream);
    answered(&proxy, 502, "reset", "forward");
}

#[test]
fn the_upstream_hangs_up_in_the_head() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Le");
    let upstream = Upstream::raw(move |mut conn, _| {
        let _ = (&upstream, conn.message(false));
        conn.try_send("HTTP/1.1 200 OK\r\nContent-Le");
    });
    let (_home, proxy) = proxy(&upstream);
    answered(&proxy, 502, "reset", "forward");
}

#[test]
fn the_upstream_speaks_something_else() {
    let upstream = Upstream::answering("SSH-2.0-OpenSSH_9.9\r\n\r\n");
    let (_home, proxy) = proxy(&upstream);
    answered(&proxy, 502, "malformed", "forward");
}

#[test]
fn tls_that_is_none() {
    let upstream = Upstream::raw(|mut conn, _| {
        conn.try_send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        let _ = conn.message(false);
    });
    let home = limited();
    let proxy = home.proxy(&["--endpoint-url", &format!("https://{}", upstream.address)]);
    answered(&proxy, 502, "tls", "forward");
}

/// After the reply's head has left, the connection is cut and never ended cleanly short.
#[track_caller]
fn cut(upstream: &Upstream, kind: &str) -> Value {
    let (_home, proxy) = proxy(upstream);
    let mut conn = proxy.connect();
    conn.send(get().unsigned());
    let broken = conn.message(false).expect_err("the reply breaks off");
    assert!(matches!(broken, Broken::Body | Broken::Reset), "{broken:?}");
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["fault"]["kind"], kind, "{:#}", exchange["fault"]);
    assert_eq!(exchange["reply"]["from"], "upstream");
    assert_eq!(exchange["reply"]["status"], 200);
    assert_eq!(exchange["reply"]["body"]["sha256"], Value::Null);
    exchange
}

#[test]
fn a_reply_that_breaks_off_is_cut() {
    let upstream = Upstream::raw(|mut conn, _| {
        let _ = conn.message(false);
        conn.try_send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    });
    let exchange = cut(&upstream, "reset");
    assert_eq!(exchange["reply"]["body"]["size"], 9);
    let upstream = Upstream::raw(|mut conn, _| {
        let _ = conn.message(false);
        conn.try_send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n");
    });
    cut(&upstream, "reset");
}

#[test]
fn a_reply_that_stalls_is_cut() {
    let upstream = Upstream::raw(|mut conn, _| {
        let _ = conn.message(false);
        conn.try_send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
        let _ = conn.message(false);
    });
    cut(&upstream, "timeout");
}

#[test]
fn a_reply_whose_chunks_are_none_is_cut() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\nnonsense\r\n",
    );
    cut(&upstream, "malformed");
}

#[test]
fn a_vending_reply_that_breaks_off_is_answered_whole() {
    let upstream = Upstream::raw(|mut conn, _| {
        let _ = conn.message(false);
        conn.try_send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<AssumeRole");
    });
    let (_home, proxy) = proxy(&upstream);
    let ask = Ask::form(
        "sts",
        "Action=AssumeRole&Version=2011-06-15&RoleArn=r&RoleSessionName=s",
    );
    let reply = proxy.ask(ask.host("sts.us-west-2.amazonaws.com").unsigned());
    assert_eq!(reply.status(), 502, "{}", reply.text());
    assert_eq!(proxy.exchange(1)["fault"]["kind"], "reset");
}

#[test]
fn a_client_that_goes_away_is_recorded() {
    let upstream = Upstream::scripted(|_, _, conn| {
        conn.try_send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        let block = vec![b'x'; 1 << 16];
        while conn.stream.write_all(&block).is_ok() {}
    });
    let (_home, proxy) = proxy(&upstream);
    let mut conn = proxy.connect();
    conn.send(get().unsigned());
    assert!(conn.line().unwrap().contains("200"));
    drop(conn);
    let exchange = proxy.exchange(1);
    assert_eq!(
        exchange["fault"]["kind"], "client-gone",
        "{:#}",
        exchange["fault"]
    );
    assert_eq!(exchange["reply"]["status"], 200);
}

#[test]
fn a_client_that_goes_away_before_the_reply_is_recorded() {
    let upstream = Upstream::raw(|mut conn, memory| {
        if let Ok(message) = conn.message(false) {
            memory.remember(message);
            let _ = conn.message(false);
        }
    });
    let home = Home::new();
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let mut conn = proxy.connect();
    conn.send(get().unsigned());
    upstream.request(0);
    drop(conn);
    let exchange = proxy.exchange(1);
    assert_eq!(
        exchange["fault"]["kind"], "client-gone",
        "{:#}",
        exchange["fault"]
    );
    assert_eq!(exchange["reply"], Value::Null);
    assert!(exchange["sent"].is_object());
}

#[test]
fn a_body_that_breaks_off_or_stalls_is_the_clients() {
    let upstream = Upstream::ok();
    let (_home, proxy) = proxy(&upstream);
    let form = Ask::identity()
        .host("sts.us-west-2.amazonaws.com")
        .header("Content-Length", "500")
        .body("Action=Get");
    let mut conn = proxy.connect();
    conn.send(form.unsigned());
    conn.stream.shutdown(Shutdown::Write).unwrap();
    let exchange = proxy.exchange(1);
    assert!(
        ["client-gone", "client-malformed"].contains(&exchange["fault"]["kind"].as_str().unwrap()),
        "{:#}",
        exchange["fault"]
    );
    let mut conn = proxy.connect();
    conn.send(form.unsigned());
    assert_eq!(conn.reply(false).status(), 408);
    let exchange = proxy.exchange(2);
    assert_eq!(exchange["fault"]["kind"], "timeout");
    assert!(
        exchange["fault"]["message"]
            .as_str()
            .unwrap()
            .contains("limits.client_idle_ms")
    );
    // The same while it streams.
    let put = Ask::s3("PUT", "/b/k")
        .host("s3.us-west-2.amazonaws.com")
        .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    let put = put.header("Content-Length", "500").body("some");
    let mut conn = proxy.connect();
    conn.send(put.unsigned());
    let reply = conn.reply(false);
    assert!([400, 408].contains(&reply.status()), "{}", reply.text());
    let exchange = proxy.exchange(3);
    assert_eq!(
        exchange["fault"]["kind"], "timeout",
        "{:#}",
        exchange["fault"]
    );
    assert_eq!(exchange["received"]["body"]["size"], 4);
}

#[test]
fn what_is_no_request_is_a_row_with_its_fix() {
    let upstream = Upstream::ok();
    let (_home, proxy) = proxy(&upstream);
    let mut conn = proxy.connect();
    conn.send([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0, 13, 10, 13, 10]);
    let _ = conn.message(false);
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["fault"]["kind"], "client-malformed");
    assert!(
        exchange["fault"]["message"]
            .as_str()
            .unwrap()
            .contains("http://"),
        "{:#}",
        exchange["fault"]
    );
    assert_eq!(exchange["received"], Value::Null);

    drop(proxy.connect());
    let exchange = proxy.exchange(2);
    assert_eq!(exchange["fault"]["kind"], "client-gone");
    assert!(
        exchange["fault"]["message"]
            .as_str()
            .unwrap()
            .contains("without a request")
    );

    let mut conn = proxy.connect();
    conn.send("complete nonsense\r\n\r\n");
    assert_eq!(conn.reply(false).status(), 400);
    assert_eq!(proxy.exchange(3)["fault"]["kind"], "client-malformed");

    let mut conn = proxy.connect();
    conn.send(format!("GET /{} HTTP/1.1\r\nHost: h\r\n", "x".repeat(9000)));
    conn.try_send(format!("X: {}\r\n\r\n", "x".repeat(9000)));
    assert_eq!(conn.reply(false).status(), 431);
    let exchange = proxy.exchange(4);
    assert_eq!(
        exchange["fault"]["kind"], "too-large",
        "{:#}",
        exchange["fault"]
    );
    assert!(
        exchange["fault"]["message"]
            .as_str()
            .unwrap()
            .contains("limits.head")
    );

    let mut conn = proxy.connect();
    conn.send("GET / HTTP/1.1\r\nHost:");
    let _ = conn.message(false);
    let exchange = proxy.exchange(5);
    assert_eq!(
        exchange["fault"]["kind"], "timeout",
        "{:#}",
        exchange["fault"]
    );

    let many: String = (0..150).map(|n| format!("x-{n}: 1\r\n")).collect();
    let mut conn = proxy.connect();
    conn.send(format!("GET / HTTP/1.1\r\nHost: h\r\n{many}\r\n"));
    assert_eq!(conn.reply(false).status(), 431);
    assert_eq!(proxy.exchange(6)["fault"]["kind"], "too-large");
    assert_eq!(upstream.count(), 0);
}

#[test]
fn requests_that_can_be_read_in_two_ways_are_refused() {
    let upstream = Upstream::ok();
    let (_home, proxy) = proxy(&upstream);
    let host = "Host: s3.us-west-2.amazonaws.com\r\n";
    let shapes = [
        format!(
            "PUT /b/k HTTP/1.1\r\n{host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        format!("PUT /b/k HTTP/1.1\r\n{host}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd"),
        format!("PUT /b/k HTTP/1.1\r\n{host}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd"),
        format!("PUT /b/k HTTP/1.1\r\n{host}Content-Length: 4, 4\r\n\r\nabcd"),
        format!("PUT /b/k HTTP/1.1\r\n{host}Content-Length: +4\r\n\r\nabcd"),
        format!(
            "PUT /b/k HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        format!("PUT /b/k HTTP/1.1\r\n{host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        format!("PUT /b/k HTTP/1.1\r\n{host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        format!("GET /b/k HTTP/1.1\r\n{host}X-A: 1\r\n folded\r\n\r\n"),
        format!("GET /b/k HTTP/1.1\r\n{host}X-A : 1\r\n\r\n"),
        format!("GET /b/k HTTP/1.1\r\n{host}{host}\r\n"),
        "GET /b/k HTTP/1.1\r\nX: 1\r\n\r\n".to_owned(),
        format!("GET  /b/k HTTP/1.1\r\n{host}\r\n"),
        format!("GET /b/k HTTP/1.1\n{host}X: a\rb\r\n\r\n"),
    ];
    for (number, shape) in shapes.iter().enumerate() {
        let mut conn = proxy.connect();
        conn.send(shape);
        conn.try_send("GET /smuggled HTTP/1.1\r\nHost: s3.us-west-2.amazonaws.com\r\n\r\n");
        let reply = conn.message(false);
        assert!(
            reply.as_ref().map_or(true, |reply| reply.status() == 400),
            "{shape:?}: {reply:?}"
        );
        assert!(conn.is_over(), "the connection is closed after {shape:?}");
        let exchange = proxy.exchange(number as u64 + 1);
        assert_eq!(
            exchange["fault"]["kind"], "client-malformed",
            "{shape:?}: {:#}",
            exchange["fault"]
        );
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_full_record_queue_stalls_nobody() {
    let home = Home::new().config("[limits]\nrecord_queue = 1\n");
    let upstream = Upstream::ok();
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let body = "x".repeat(10_000);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut conn = proxy.connect();
                for _ in 0..25 {
                    let put = Ask::s3("PUT", "/b/k")
                        .host("s3.us-west-2.amazonaws.com")
                        .body(&body);
                    assert_eq!(conn.ask(put.unsigned()).status(), 200);
                }
            });
        }
    });
    assert_eq!(upstream.count(), 100);
    // It goes on, and says what it could not keep.
    let (lines, _) = proxy.stop();
    assert!(!lines.is_empty());
    for line in lines {
        let _: Value = serde_json::from_str(&line).expect("a JSON object");
    }
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    let home = Home::new().config("[limits]\nconnections = 1\n");
    let upstream = Upstream::ok();
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let mut first = proxy.connect();
    assert_eq!(first.ask(get().unsigned()).status(), 200);
    let mut second = proxy.connect();
    second.send(get().unsigned());
    second
        .stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let mut byte = [0];
    assert!(
        second.stream.peek(&mut byte).is_err(),
        "nothing is answered yet"
    );
    drop(first);
    second
        .stream
        .set_read_timeout(Some(crate::wire::PATIENCE))
        .unwrap();
    assert_eq!(second.reply(false).status(), 200);
}

#[test]
fn ending_lets_what_is_under_way_be_recorded() {
    let upstream = Upstream::raw(|mut conn, memory| {
        if let Ok(message) = conn.message(false) {
            memory.remember(message);
            let _ = conn.message(false);
        }
    });
    let home = Home::new();
    let session = home.path("session.db");
    let proxy = home.proxy(&[
        "--endpoint-url",
        &upstream.url(),
        "--session",
        session.to_str().unwrap(),
    ]);
    let mut conn: Conn = proxy.connect();
    conn.send(get().unsigned());
    upstream.request(0);
    let (lines, _) = proxy.stop();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let read = sigscope::capture::Session::open(&session).unwrap();
    assert!(read.exchange(1).unwrap().is_some());
}
