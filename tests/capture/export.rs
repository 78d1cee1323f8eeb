use std::io::Write;
use std::process::{Command, Stdio};

use jiff::tz::TimeZone;
use sigscope::capture::Exchange;
use sigscope::capture::exchange::*;
use sigscope::export::{curl, http, json, text};

use crate::samples::{body, empty, good, refused};

fn line(exchange: &Exchange) -> String {
    text::line(exchange, &TimeZone::UTC, false)
}

#[test]
fn text_is_one_line_for_people() {
    assert_eq!(
        line(&refused(128)),
        "10:42:09.123  #128 403 secretsmanager.GetSecretValue us-west-2 pdx lane 38ms \
         scope-wrong-region: The scope names another region."
    );
    assert_eq!(
        line(&good(7)),
        "10:42:09.123  #7 200 s3.GetObject eu-central-1 pdx lane 1.5s"
    );
    let mut exchange = refused(1);
    exchange.findings.clear();
    assert!(line(&exchange).ends_with(
        "InvalidSignatureException: Credential should be scoped to a valid region. [2J"
    ));
    exchange.route = None;
    assert!(line(&exchange).contains(" 403 POST secretsmanager.us-west-2.amazonaws.com/ pdx"));
    let mut exchange = empty(5);
    exchange.replay_of = Some(4);
    exchange.fault = Some(Fault {
        stage: "forward".to_owned(),
        kind: FaultKind::Refused,
        message: "nothing listens\r\nthere \u{1b}]0;x\u{7}".to_owned() + &"y".repeat(5000),
    });
    let failed = line(&exchange);
    assert!(failed.starts_with("10:42:09.123  #5 ---"), "{failed}");
    assert!(
        failed.contains("replay of #4 refused: nothing listens there ]0;x yyy"),
        "{failed}"
    );
    assert!(failed.chars().count() < 400 && !failed.contains(char::is_control));
    assert!(text::line(&refused(1), &TimeZone::UTC, true).contains("\x1b[31m403\x1b[0m"));
}

#[test]
fn durations_are_short() {
    let shown = [
        0,
        999,
        1_000,
        38_400,
        999_999,
        1_000_000,
        1_260_000,
        59_999_999,
        250_000_000,
    ];
    let shown = shown.map(text::duration).join(" ");
    assert_eq!(shown, "0us 999us 1ms 38ms 999ms 1.0s 1.2s 59.9s 4m10s");
}

#[test]
fn http_is_the_message_as_it_was() {
    let received = String::from_utf8(http::received(&refused(1)).unwrap()).unwrap();
    assert!(
        received.starts_with("POST / HTTP/1.1\r\nHost: secretsmanager."),
        "{received}"
    );
    assert!(received.ends_with("\r\n\r\n{\"SecretId\": \"prod/db's\"}"));
    assert_eq!(http::sent(&refused(1)), http::received(&refused(1)));
    let reply = String::from_utf8(http::reply(&refused(1)).unwrap()).unwrap();
    assert!(
        reply.starts_with("HTTP/1.1 403 Forbidden\r\nx-amzn-ErrorType: "),
        "{reply}"
    );
    let mut binary = good(1);
    binary.reply.as_mut().unwrap().body = Body {
        size: 3,
        kept: 3,
        base64: Some("AP+A".to_owned()),
        ..Body::default()
    };
    assert!(http::reply(&binary).unwrap().ends_with(&[0, 0xff, 0x80]));
    assert_eq!(
        (
            http::received(&empty(1)),
            http::sent(&empty(1)),
            http::reply(&empty(1))
        ),
        (None, None, None)
    );
}

#[test]
fn json_line_ends_once() {
    let mut out = Vec::new();
    json::write_line(&mut out, &json::to_json(&refused(1))).unwrap();
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(Exchange::from_json(&out).unwrap(), refused(1));
}

#[test]
fn curl_signs_for_itself() {
    assert_eq!(curl::command(&empty(1)), None);
    assert_eq!(
        curl::command(&refused(1)).unwrap(),
        r#"curl --request POST \
  --aws-sigv4 aws:amz:us-west-2:secretsmanager \
  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
  --header 'X-Amz-Target: secretsmanager.GetSecretValue' \
  --header 'Content-Type: application/x-amz-json-1.1' \
  --data-raw '{"SecretId": "prod/db'\''s"}' \
  https://secretsmanager.us-west-2.amazonaws.com/"#
    );
}

/// What the shell makes of the command, with a curl that prints its arguments and input.
fn in_shell(shell: &str, exchange: &Exchange) -> Vec<String> {
    let script = format!(
        "curl() {{ for a in \"$@\"; do printf '%s\\000' \"$a\"; done; case \"$*\" in *@-*) cat; esac; }}\n{}\n",
        curl::command(exchange).unwrap()
    );
    let mut child = Command::new(shell)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "fake")
        .env("AWS_SESSION_TOKEN", "token")
        .env("AUTHORIZATION", "Bearer fake")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split('\0').map(str::to_owned).collect()
}

#[test]
fn curl_arguments_survive_the_shell() {
    let mut exchange = refused(1);
    let sent = exchange.sent.as_mut().unwrap();
    let odd = "@a 'b' \"c\" $(id) `id` \\ !x\n\té\u{1b}[0m\r\u{9b}";
    sent.request.body = body(odd);
    sent.request
        .headers
        .push(("X-Empty".to_owned(), String::new()));
    sent.request
        .headers
        .push(("x-amz-security-token".to_owned(), "masked".to_owned()));
    sent.request.url = "https://h/a/../{b}[1]?x=$HOME&y='".to_owned();
    let arguments = in_shell("bash", &exchange);
    let after = |option: &str| {
        let at = arguments.iter().position(|one| one == option).unwrap();
        arguments[at + 1].as_str()
    };
    assert_eq!(after("--data-raw"), odd);
    assert_eq!(after("--user"), "AKIAIOSFODNN7EXAMPLE:fake");
    for expected in ["x-amz-security-token: token", "--globoff", "--path-as-is"] {
        assert!(arguments.iter().any(|one| one == expected), "{expected}");
    }
    assert!(
        arguments
            .iter()
            .any(|one| *one == exchange.sent.as_ref().unwrap().request.url)
    );
    assert!(!curl::command(&exchange).unwrap().contains("masked"));
}

#[test]
fn curl_gets_binary_bodies_through_a_pipe() {
    let mut exchange = refused(1);
    let body = &mut exchange.sent.as_mut().unwrap().request.body;
    (body.text, body.base64) = (None, Some("aGkA".to_owned()));
    assert_eq!(
        in_shell("sh", &exchange).last_chunk::<2>().unwrap(),
        &["hi", ""]
    );
    let body = &mut exchange.sent.as_mut().unwrap().request.body;
    (body.text, body.base64) = (Some("a\\0\0b".to_owned()), None);
    assert_eq!(
        in_shell("sh", &exchange).last_chunk::<2>().unwrap(),
        &["a\\0", "b"]
    );
}

#[test]
fn curl_says_what_it_cannot_reproduce() {
    let with = |change: &dyn Fn(&mut Sent)| {
        let mut exchange = refused(1);
        change(exchange.sent.as_mut().unwrap());
        curl::command(&exchange).unwrap()
    };
    let cut = with(&|sent| sent.request.body.size = 99);
    assert!(cut.starts_with("# 25 of 99 bytes were kept") && cut.contains("--data-binary @BODY"));
    assert!(
        with(&|sent| sent.request.body.masked = 1).contains("# 1 places in the body are masked")
    );
    assert!(
        with(&|sent| sent.request.body.rendered = Some("gzip".to_owned()))
            .contains("rendered (gzip)")
    );
    let chunked = with(&|sent| {
        sent.request.body.rendered = Some("aws-chunked".to_owned());
        sent.request
            .headers
            .push(("Content-Encoding".to_owned(), "aws-chunked".to_owned()));
    });
    assert!(
        chunked.contains("--data-raw") && !chunked.contains("aws-chunked"),
        "{chunked}"
    );
    // curl would sign these otherwise than it sends them.
    let odd = |mode: &str| {
        with(&|sent| {
            sent.signing.mode = mode.to_owned();
            sent.request
                .headers
                .retain(|(name, _)| name != "Content-Type");
            sent.request
                .headers
                .push(("X-Empty".to_owned(), String::new()));
        })
    };
    assert!(
        odd("header")
            .starts_with("# without the empty header X-Empty\n# curl adds a content-type\ncurl")
    );
    let bearer = odd("untouched");
    assert!(bearer.contains("Authorization: $AUTHORIZATION") && !bearer.contains("sigv4"));
    assert!(bearer.contains("'X-Empty;'") && bearer.contains("'content-type:'"));
    let presigned = with(&|sent| {
        sent.request.url =
            "https://h/k?X-Amz-Signature=a&x-id=GetObject&X-Amz-Security-Token=t".to_owned();
    });
    assert!(
        presigned.contains("'https://h/k?x-id=GetObject'"),
        "{presigned}"
    );
    assert!(presigned.contains("x-amz-security-token: $AWS_SESSION_TOKEN"));
}
