use serde_json::Value;
use sigscope::capture::{Exchange, Row};

use crate::samples::{empty, good, refused};

#[test]
fn json_reads_back_as_the_same_exchange() {
    for exchange in [empty(1), refused(2), good(3)] {
        let json = exchange.to_json();
        assert!(!json.contains(&b'\n'), "one line");
        assert_eq!(Exchange::from_json(&json).unwrap(), exchange);
    }
}

#[test]
fn every_key_of_the_contract_is_present() {
    let top = [
        "id",
        "started_at",
        "door",
        "replay_of",
        "client",
        "received",
        "route",
        "identity",
        "sent",
        "reply",
        "timing_us",
        "fault",
        "findings",
    ];
    let full: Value = serde_json::from_slice(&refused(1).to_json()).unwrap();
    let bare: Value = serde_json::from_slice(&empty(1).to_json()).unwrap();
    assert_eq!(keys(&full), top);
    assert_eq!(keys(&bare), top);
    for stage in [
        "replay_of",
        "received",
        "route",
        "identity",
        "sent",
        "reply",
        "fault",
    ] {
        assert!(bare[stage].is_null(), "{stage}");
    }
    let message = ["method", "target", "url", "version", "headers", "body"];
    let client = ["address", "lane", "access_key_id", "signature"];
    let timing = [
        "held",
        "credentials",
        "sign",
        "connect",
        "first_byte",
        "total",
    ];
    for exchange in [&full, &bare] {
        assert_eq!(keys(&exchange["client"]), client);
        assert_eq!(keys(&exchange["timing_us"]), timing);
    }
    let of = |path: &str| keys(full.pointer(path).unwrap());
    assert_eq!(of("/received"), message);
    assert_eq!(of("/sent"), [&message[..], &["signing"]].concat());
    let expected = "size sha256 content_type text base64 rendered kept masked";
    assert_eq!(of("/received/body").join(" "), expected);
    let expected = "service signing_name region operation iam_action upstream how";
    assert_eq!(of("/route").join(" "), expected);
    assert_eq!(of("/route/how/0").join(" "), "field from evidence");
    let expected = "profile kind access_key_id account expires_at chain";
    assert_eq!(of("/identity").join(" "), expected);
    let expected = "algorithm mode credential_scope signed_headers canonical_request \
                    string_to_sign signature changes second_opinion";
    assert_eq!(of("/sent/signing").join(" "), expected);
    assert_eq!(of("/sent/signing/changes/0").join(" "), "action what why");
    let expected = "from status version headers body request_id error";
    assert_eq!(of("/reply").join(" "), expected);
    assert_eq!(of("/reply/error").join(" "), "code message");
    let expected = "code grade role summary evidence refuted_by fix";
    assert_eq!(of("/findings/0").join(" "), expected);
    assert_eq!(of("/findings/0/fix/0").join(" "), "label command action");
}

#[test]
fn row_tells_what_the_list_shows() {
    let row = Row::of(&refused(128));
    assert_eq!(row.id, 128);
    assert_eq!(row.started_at, 1_795_344_129_123);
    assert_eq!(row.call(), "secretsmanager.GetSecretValue");
    assert_eq!(row.service(), Some("secretsmanager"));
    assert_eq!(row.operation(), Some("GetSecretValue"));
    assert_eq!(row.host(), "secretsmanager.us-west-2.amazonaws.com");
    assert_eq!((row.method(), row.path()), ("POST", "/"));
    assert_eq!(
        (row.profile(), row.lane(), row.signed()),
        (Some("pdx"), Some("pdx"), "lane")
    );
    assert_eq!((row.status, row.failed, row.error), (Some(403), true, true));
    assert_eq!(row.why(), Some("scope-wrong-region"));
    assert_eq!(row.key_id(), Some("AKIA…MPLE"));
    assert_eq!((row.request_size, row.reply_size), (25, 60));

    let row = Row::of(&empty(1));
    assert_eq!(
        (row.call(), row.status, row.why(), row.path()),
        ("?", None, None, "")
    );
    assert!(row.failed, "there is no reply");
    assert!(Row::of(&good(1)).cut);
}

#[test]
fn row_stays_small_whatever_it_is_made_of() {
    let long = "ä€\u{1b}".repeat(10_000);
    let mut exchange = refused(1);
    exchange.client.lane = Some(long.clone());
    exchange.client.access_key_id = Some(long.clone());
    let identity = exchange.identity.as_mut().unwrap();
    identity.profile = Some(long.clone());
    identity.access_key_id = Some(long.clone());
    let route = exchange.route.as_mut().unwrap();
    for field in [&mut route.service, &mut route.operation, &mut route.region] {
        *field = Some(long.clone());
    }
    route.upstream = Some(format!("https://{long}"));
    let received = exchange.received.as_mut().unwrap();
    received.method.clone_from(&long);
    received.target = format!("/{long}?{long}");
    exchange.findings[0].code.clone_from(&long);
    let row = Row::of(&exchange);
    assert!(row.footprint() <= 512, "{}", row.footprint());
    assert!(row.path().starts_with('/') && row.path().contains('…'));
    assert!(
        !row.path().contains('\u{1b}'),
        "control characters steer terminals"
    );
}

#[test]
fn row_keeps_the_query_where_it_fits() {
    let mut exchange = good(1);
    let target = |exchange: &mut Exchange, target: String| {
        exchange.received.as_mut().unwrap().target = target;
        Row::of(exchange).path().to_owned()
    };
    assert_eq!(
        target(&mut exchange, "/b?list-type=2".to_owned()),
        "/b?list-type=2"
    );
    assert_eq!(
        target(&mut exchange, format!("/b?{}", "x".repeat(500))),
        "/b"
    );
    assert_eq!(
        target(&mut exchange, "http://h/b?x=http://y/".to_owned()),
        "/b?x=http://y/"
    );
    assert_eq!(
        target(&mut exchange, "/b?u=http://y/z".to_owned()),
        "/b?u=http://y/z"
    );
    assert_eq!(target(&mut exchange, "http://h".to_owned()), "/");
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}
