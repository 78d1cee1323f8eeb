//! The client's bytes are sacred: what an upstream that remembers everything has seen.

use std::io::Write as _;

use serde_json::json;

use crate::aws::{Ask, Key};
use crate::process::Home;
use crate::wire::{Conn, Upstream};

const HOST: &str = "s3.us-west-2.amazonaws.com";

#[test]
fn target_values_and_case_arrive_as_they_were() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let target = "/b/%7Ea%2fb//../x;y='z'?b=2&a=1&a=&c&a=%20+x&%C3%A4=%c3%a4&d=e=f";
    let head = format!(
        "PUT {target} HTTP/1.1\r\nhOsT: {HOST}\r\nX-Amz-Meta-Two: 1\r\nx-AMZ-meta-TWO:   2  two\t\r\n\
         X-Odd-Name_1!: \"quoted, comma\"\r\nUser-Agent: me/1\r\nAccept-Encoding: identity\r\nContent-Length: 4\r\n\r\n"
    );
    let reply = proxy.ask([head.as_bytes(), &[0, 255, 13, 10]].concat());
    assert_eq!(reply.status(), 200);
    let seen = upstream.request(0);
    assert_eq!(seen.target(), target);
    assert_eq!(seen.body, [0, 255, 13, 10]);
    assert_eq!(seen.all("x-amz-meta-two"), ["1", "2  two"]);
    let spelled: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "hOsT",
        "X-Amz-Meta-Two",
        "x-AMZ-meta-TWO",
        "X-Odd-Name_1!",
        "User-Agent",
    ] {
        assert!(spelled.contains(&name), "{name} in {spelled:?}");
    }
    assert_eq!(seen.header("X-Odd-Name_1!"), "\"quoted, comma\"");
    assert_eq!(seen.header("accept-encoding"), "identity");
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["received"]["target"], target);
    let headers = exchange["received"]["headers"].as_array().unwrap();
    assert_eq!(headers[0], json!(["hOsT", HOST]));
    assert_eq!(headers[1], json!(["X-Amz-Meta-Two", "1"]));
    assert_eq!(headers[2], json!(["x-AMZ-meta-TWO", "2  two"]));
    // What the record says was sent is what came.
    for pair in exchange["sent"]["headers"].as_array().unwrap() {
        let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        let is_secret = value.contains('‹') || value.contains('…');
        assert!(
            is_secret || seen.all(name).contains(&value.to_owned()),
            "{name}: {value}"
        );
        assert!(spelled.contains(&name), "{name} in {spelled:?}");
    }
    assert_eq!(
        exchange["sent"]["headers"].as_array().unwrap().len(),
        seen.headers.len()
    );
}

#[test]
fn bytes_beyond_ascii_pass_in_values() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let mut head =
        format!("GET /b/k HTTP/1.1\r\nHost: {HOST}\r\nx-amz-meta-utf8: ä€\r\nx-amz-meta-latin: ")
            .into_bytes();
    head.extend_from_slice(&[0xe4, 0xff]);
    head.extend_from_slice(b"\r\n\r\n");
    assert_eq!(proxy.ask(head).status(), 200);
    let seen = upstream.request(0);
    let value = |name: &str| {
        seen.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    assert_eq!(value("x-amz-meta-utf8").unwrap(), "ä€".as_bytes());
    assert_eq!(value("x-amz-meta-latin").unwrap(), [0xe4, 0xff]);
}

#[test]
fn what_belongs_to_one_connection_stays_there() {
    let reply = "HTTP/1.1 200 OK\r\nConnection: X-Gone, keep-alive\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\n\
                 Proxy-Authenticate: Basic\r\nX-Stays: 1\r\nContent-Length: 2\r\n\r\nok";
    let (home, upstream) = (Home::new(), Upstream::answering(reply));
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let request = format!(
        "GET /b/k HTTP/1.1\r\nHost: {HOST}\r\nConnection: keep-alive, X-Private\r\nX-Private: 1\r\nKeep-Alive: 5\r\n\
         TE: trailers, deflate\r\nProxy-Connection: keep-alive\r\nX-Kept: 1\r\n\r\n"
    );
    let reply = proxy.ask(request);
    let seen = upstream.request(0);
    for name in [
        "connection",
        "x-private",
        "keep-alive",
        "proxy-connection",
        "te",
    ] {
        assert!(!seen.has(name), "{name}: {seen:?}");
    }
    assert!(seen.has("x-kept"));
    for name in ["x-gone", "keep-alive", "proxy-authenticate"] {
        assert!(!reply.has(name), "{name}: {reply:?}");
    }
    assert!(reply.has("x-stays"));
    let request = format!("GET /b/k HTTP/1.1\r\nHost: {HOST}\r\nTE: trailers\r\n\r\n");
    proxy.ask(request);
    assert_eq!(upstream.request(1).header("te"), "trailers");
}

#[test]
fn chunks_and_trailers_go_both_ways() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-check\r\n\r\n5\r\nhello\r\n0\r\nx-check: 42\r\n\r\n",
    );
    let home = Home::new();
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let request = format!(
        "PUT /b/k HTTP/1.1\r\nHost: {HOST}\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\nTransfer-Encoding: chunked\r\n\
         Trailer: x-sum\r\nTE: trailers\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nx-sum: 7\r\n\r\n"
    );
    let reply = proxy.ask(request);
    assert_eq!(reply.text(), "hello");
    assert_eq!(reply.trailers, [("x-check".to_owned(), b"42".to_vec())]);
    let seen = upstream.request(0);
    assert_eq!(seen.text(), "abcde");
    assert_eq!(seen.header("trailer"), "x-sum");
    assert_eq!(seen.trailers, [("x-sum".to_owned(), b"7".to_vec())]);
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["received"]["body"]["size"], 5);
    assert_eq!(exchange["reply"]["body"]["size"], 5);
}

#[test]
fn one_connection_serves_many_and_pipelined_ones() {
    let upstream = Upstream::scripted(|number, _, conn| {
        let text = number.to_string();
        conn.try_send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        ));
    });
    let home = Home::new();
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let get = |n: usize| format!("GET /b/{n} HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let mut conn = proxy.connect();
    for number in 0..3 {
        assert_eq!(conn.ask(get(number)).text(), number.to_string());
    }
    assert_eq!(
        upstream.connections(),
        1,
        "the upstream's connection is kept too"
    );
    conn.send(format!(
        "{}PUT /b/4 HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 3\r\n\r\nabc{}",
        get(3),
        get(5)
    ));
    for number in 3..6 {
        assert_eq!(conn.reply(false).text(), number.to_string());
    }
    assert_eq!(upstream.request(4).text(), "abc");
    assert_eq!(upstream.request(5).target(), "/b/5");
    for id in 1..=6 {
        let exchange = proxy.exchange(id);
        assert_eq!(exchange["received"]["target"], format!("/b/{}", id - 1));
        let opened = &exchange["timing_us"]["connect"];
        assert_eq!(opened.is_null(), id != 1, "{id}: {opened}");
    }
}

#[test]
fn a_head_request_gets_the_length_and_no_body() {
    let upstream =
        Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: \"e\"\r\n\r\n");
    let home = Home::new();
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let mut conn = proxy.connect();
    for _ in 0..2 {
        let reply = conn.ask(format!("HEAD /b/k HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
        assert_eq!(
            (reply.status(), reply.header("content-length").as_str()),
            (200, "1234")
        );
    }
    let exchange = proxy.exchange(2);
    assert_eq!(exchange["route"]["operation"], "HeadObject");
    assert_eq!(
        exchange["fault"],
        serde_json::Value::Null,
        "{:#}",
        exchange["fault"]
    );
}

#[test]
fn a_client_that_waits_for_100_is_told_to_go_on() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let mut conn = proxy.connect();
    let head = Ask::s3("PUT", "/b/k")
        .host(HOST)
        .header("Expect", "100-continue")
        .header("Content-Length", "4");
    conn.send(head.unsigned());
    assert_eq!(conn.reply(true).status(), 100);
    conn.send("body");
    assert_eq!(conn.reply(false).status(), 200);
    let seen = upstream.request(0);
    assert_eq!(seen.text(), "body");
    assert!(!seen.has("expect"));
}

#[test]
fn refusals_come_before_the_body_is_asked_for() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let proxy = home.proxy(&["--endpoint-url", &upstream.url(), "--read-only"]);
    let mut conn = proxy.connect();
    let head = Ask::s3("PUT", "/b/k")
        .host(HOST)
        .header("Expect", "100-continue")
        .header("Content-Length", "4");
    conn.send(
        head.header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
            .unsigned(),
    );
    assert_eq!(conn.reply(true).status(), 403);
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_large_body_passes_whole_and_is_cut_in_the_record_only() {
    let home = Home::new().config("[limits]\nbody_kept = 1000\n");
    let upstream = Upstream::scripted(|_, message, conn| {
        conn.try_send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            message.body.len()
        ));
        conn.try_send(&message.body);
    });
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let body: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let request = Ask::s3("PUT", "/b/k")
        .host(HOST)
        .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        .body(&body);
    let reply = proxy.ask(request.unsigned());
    assert!(reply.body == body, "{} bytes came back", reply.body.len());
    let exchange = proxy.exchange(1);
    for side in ["received", "reply"] {
        assert_eq!(exchange[side]["body"]["size"], 3_000_000);
        assert_eq!(exchange[side]["body"]["kept"], 1000);
        assert_eq!(exchange[side]["body"]["sha256"], crate::aws::sha256(&body));
    }
}

#[test]
fn a_reply_streams_while_it_is_made() {
    let upstream = Upstream::scripted(|_, _, conn| {
        conn.try_send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        // Goes on only when the client has said that it got this.
        let mut other = Conn::over(conn.stream.try_clone().expect("a socket"));
        let _ = other.message(true);
    });
    let home = Home::new();
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let mut conn = proxy.connect();
    conn.send(format!("GET /b/k HTTP/1.1\r\nHost: {HOST}\r\n\r\n"));
    assert!(conn.line().unwrap().contains("200"));
    while !conn.line().unwrap().is_empty() {}
    assert_eq!(conn.line().unwrap(), "5");
    assert_eq!(conn.line().unwrap(), "first");
}

#[test]
fn a_bare_plus_is_signed_as_a_space_and_sent_as_it_is() {
    let (home, upstream) = (Home::new(), Upstream::ok());
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    proxy.ask(
        Ask::s3("GET", "/b?prefix=a+b")
            .host(HOST)
            .signed(&Key::alice()),
    );
    assert_eq!(upstream.request(0).target(), "/b?prefix=a+b");
    let exchange = proxy.exchange(1);
    let canonical = exchange["sent"]["signing"]["canonical_request"]
        .as_str()
        .unwrap();
    assert!(canonical.contains("\nprefix=a%20b\n"), "{canonical}");
    assert!(
        exchange["sent"]["signing"]["changes"]
            .to_string()
            .contains("noted")
    );
}

#[test]
fn a_compressed_reply_is_shown_and_passed_on_as_it_is() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(b"{\"hello\":\"world\"}").unwrap();
    let packed = packer.finish().unwrap();
    let sent = packed.clone();
    let upstream = Upstream::scripted(move |_, _, conn| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            sent.len()
        );
        conn.try_send(head);
        conn.try_send(&sent);
    });
    let home = Home::new();
    let proxy = home.proxy(&["--endpoint-url", &upstream.url()]);
    let reply = proxy.ask(Ask::s3("GET", "/b/k").host(HOST).unsigned());
    assert_eq!(reply.body, packed);
    let exchange = proxy.exchange(1);
    assert_eq!(exchange["reply"]["body"]["text"], "{\"hello\":\"world\"}");
    assert_eq!(exchange["reply"]["body"]["size"], packed.len());
}
