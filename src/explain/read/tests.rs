use super::{Entry, Input, input, instant, lines, reply};

fn one(text: &str) -> Entry {
    match input(text.as_bytes()).unwrap() {
        Input::One(entry) => *entry,
        _ => panic!("not one request"),
    }
}

fn shown(entry: &Entry) -> (String, String, Vec<String>, String) {
    let request = &entry.request;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| format!("{}: {}", text(name), text(value)));
    let body = text(request.body.as_deref().unwrap_or(b"(unknown)"));
    (
        request.method.clone(),
        text(&request.target),
        headers.collect(),
        body,
    )
}

#[test]
fn raw_http_is_read_leniently() {
    let entry = one("GET /a b?x=1 HTTP/1.1\nHost: h\nX-Long: one\n  two\n");
    let (method, target, headers, body) = shown(&entry);
    assert_eq!(
        (method.as_str(), target.as_str(), body.as_str()),
        ("GET", "/a b?x=1", "")
    );
    assert_eq!(headers, ["Host: h", "X-Long: one two"]);
    let entry = one("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc\r\n");
    assert_eq!(shown(&entry).3, "abc");
    let latin = input(b"GET /\xfc HTTP/1.1\n").unwrap();
    assert!(matches!(latin, Input::One(entry) if entry.request.target == b"/\xfc"));
}

#[test]
fn a_curl_command_is_read_as_a_shell_does() {
    let entry = one(
        "$ curl -X PUT 'https://h.example/a%20b?x' \\\n  -H \"X-A: say \\\"hi\\\"\" --data-raw $'l\\u00ednea\\n' -s",
    );
    let (method, target, headers, body) = shown(&entry);
    assert_eq!((method.as_str(), target.as_str()), ("PUT", "/a%20b?x"));
    assert_eq!(headers[..2], ["Host: h.example", "X-A: say \"hi\""]);
    assert_eq!(body, "línea\n");
    assert_eq!(shown(&one("curl https://h?x=1")).1, "/?x=1");
    assert_eq!(one("curl -d @file https://h/").request.body, None);
    assert!(input(b"curl 'https://h").is_err());
}

#[test]
fn har_gives_a_list() {
    let har = r#"{"log":{"entries":[{"startedDateTime":"2026-11-22T10:15:00Z",
        "request":{"method":"GET","url":"https://h/p?q","headers":[{"name":":authority","value":"h"},
        {"name":":path","value":"/p"},{"name":"x","value":"1"}]},"response":{"status":403,"headers":[],"content":{"text":"no"}}}]}}"#;
    let Input::List(entries) = input(har.as_bytes()).unwrap() else {
        panic!("no list")
    };
    assert_eq!(shown(&entries[0]).2, ["host: h", "x: 1"]);
    assert_eq!(entries[0].received_at, instant("20261122T101500Z"));
    assert_eq!(entries[0].reply.as_ref().unwrap().status, 403);
}

#[test]
fn a_bad_line_keeps_its_id() {
    let text = "{\"id\": 7, \"method\": \"GET\"}\nnonsense\n{\"id\":\"a\",\"method\":\"GET\",\"url\":\"https://h/\",\"headers\":[]}\n";
    let Input::Lines(read) = lines(text.as_bytes()) else {
        panic!("no lines")
    };
    assert_eq!(read[0].as_ref().unwrap_err().id, Some(serde_json::json!(7)));
    assert_eq!(read[1].as_ref().unwrap_err().id, None);
    assert_eq!(shown(read[2].as_ref().unwrap()).2, ["Host: h"]);
}

#[test]
fn a_reply_is_raw_or_a_body_alone() {
    let raw = reply(b"HTTP/1.1 403 Forbidden\r\nContent-Range: bytes 0-1/2\r\n\r\n<Error/>");
    assert_eq!(
        (raw.status, raw.header("content-range")),
        (403, Some("bytes 0-1/2"))
    );
    assert_eq!(reply(b"<Error/>").body, b"<Error/>");
}
