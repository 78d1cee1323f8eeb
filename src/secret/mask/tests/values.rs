use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;

fn knowing() -> Masker {
    let masker = masker();
    masker.learn_credentials(&Credentials::new(KEY_ID, SECRET, None), "profile prod");
    masker
}

#[test]
fn a_known_secret_is_hidden_in_every_encoding() {
    let masker = knowing();
    let hex: String = SECRET.bytes().map(|b| format!("{b:02x}")).collect();
    let percent = SECRET.replace('/', "%2f");
    let mut forms = vec![
        (SECRET.to_owned(), ""),
        (hex.to_uppercase(), ", hex"),
        (hex, ", hex"),
        (percent.replace('%', "%25"), ", escaped"),
        (percent, ", escaped"),
        (SECRET.replace('/', "\\/"), ", escaped"),
        (SECRET.replace('/', "\\u002F"), ", escaped"),
    ];
    for prefix in ["", "a", "ab", "abc"] {
        let padded = format!("{prefix}{SECRET}: tail");
        forms.push((STANDARD.encode(&padded), ", base64"));
        forms.push((URL_SAFE_NO_PAD.encode(&padded), ", base64"));
    }
    for (form, how) in forms {
        let text = masker.text(&format!("see {form} there"));
        assert!(
            text.contains(&format!("‹secret 40 chars{how} #651162 = profile prod›")),
            "{text}"
        );
        assert!(
            text.starts_with("see ") && text.ends_with(" there"),
            "{text}"
        );
    }
}

#[test]
fn the_relation_stands_with_a_value_hidden_by_place() {
    let masker = knowing();
    masker.learn(
        &Secret::new("my-session-token-1"),
        Kind::SessionToken,
        "AssumeRole #42",
    );
    let header = masker.header("X-Amz-Security-Token", b"my-session-token-1");
    assert!(
        header.text.ends_with(" = AssumeRole #42›"),
        "{}",
        header.text
    );
    assert_eq!(header.count, 1);
    masker.forget("AssumeRole #42");
    let header = masker.header("X-Amz-Security-Token", b"my-session-token-1");
    assert!(!header.text.contains('='), "{}", header.text);
    assert_eq!(masker.text("my-session-token-1"), "my-session-token-1");
}

#[test]
fn a_value_of_two_origins_survives_one() {
    let masker = knowing();
    masker.learn_credentials(&Credentials::new(KEY_ID, SECRET, None), "profile copy");
    masker.forget("profile prod");
    assert!(masker.text(SECRET).contains("= profile copy"));
    masker.forget("profile copy");
    assert_eq!(masker.text(SECRET), SECRET);
}

#[test]
fn vended_credentials_are_bounded_and_lasting_ones_stay() {
    let masker = knowing();
    for number in 0..3000 {
        let token = format!("token-of-session-number-{number:05}");
        let secret = format!("secret-of-session-number-{number:05}-40 char");
        let credentials = Credentials::new("ASIAEXAMPLE", secret, Some(token.into_bytes()));
        masker.learn_credentials(&credentials, &format!("AssumeRole #{number}"));
    }
    assert!(
        masker
            .text("token-of-session-number-02999")
            .starts_with('‹')
    );
    assert_eq!(
        masker.text("token-of-session-number-00001"),
        "token-of-session-number-00001"
    );
    assert!(masker.text(SECRET).starts_with('‹'));
}

#[test]
fn a_short_value_is_not_searched() {
    let masker = masker();
    masker.learn(&Secret::new("hunter2"), Kind::Password, "profile prod");
    assert_eq!(masker.text("a hunter2 b"), "a hunter2 b");
    masker.learn(&Secret::new("hunter22"), Kind::Password, "profile prod");
    assert!(!masker.text("a hunter22 b").contains("hunter22"));
}

#[test]
fn a_cut_occurrence_is_hidden() {
    let masker = knowing();
    let text = masker.text(&format!("cut {}", &SECRET[..20]));
    assert!(text.starts_with("cut ‹secret 40 chars, cut"), "{text}");
}

#[test]
fn targets_stay_byte_for_byte() {
    let masker = masker();
    let target = "/a%2fb/../c//%E4?list-type=2&prefix=x%20y&X-Amz-Signature=\
        4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9&empty=&X-Amz-Expires=60";
    let masked = masker.target(target.as_bytes());
    let expected = target.replace(
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        "4f232c…a0a9",
    );
    assert_eq!((masked.text, masked.count), (expected, 1));
    let sts = masker.target(b"/?Action=GetSessionToken&TokenCode=123456&Version=2011-06-15");
    assert!(
        sts.text
            .starts_with("/?Action=GetSessionToken&TokenCode=‹token 6 chars #")
    );
    assert!(sts.text.ends_with("›&Version=2011-06-15"), "{}", sts.text);
    let session = masker.target(b"/federation?Action=login&Session=%7B%22sessionKey%22%3A%22x");
    assert!(!session.text.contains("sessionKey"), "{}", session.text);
}

#[test]
fn urls_inside_other_values() {
    let masker = masker();
    let url = "https://b.s3.amazonaws.com/k?X-Amz-Security-Token=0123456789abcdef&X-Amz-Signature=\
        4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let once: String = url
        .replace('%', "%25")
        .replace('&', "%26")
        .replace('=', "%3D");
    let twice = once.replace('%', "%25");
    for text in [
        url.to_owned(),
        once,
        twice,
        url.replace('&', "&amp;"),
        url.replace('&', "\\u0026"),
    ] {
        let masked = masker.text(&format!("{{\"u\": \"{text}\"}}"));
        assert!(!masked.contains("0123456789"), "{masked}");
        assert!(!masked.contains("4386841ef7"), "{masked}");
        assert!(masked.ends_with("\"}"), "{masked}");
    }
}

#[test]
fn headers_by_name() {
    let masker = masker();
    for (name, value, expected) in [
        ("Host", "sts.amazonaws.com", "sts.amazonaws.com"),
        ("X-API-Key", "abcdefghijklmnop", "‹secret 16 chars #"),
        (
            "x-amz-mfa",
            "arn:aws:iam::1:mfa/u 123456",
            "arn:aws:iam::1:mfa/u ‹code 6 chars #",
        ),
        ("Cookie", "a=b", "‹secret 3 chars #"),
        ("Authorization", "opaque-token", "‹token 12 chars #"),
        (
            "Authorization",
            "AWS minioadmin:abc",
            "AWS ‹key id 10 chars, odd form #",
        ),
        ("x-amz-security-token", " token\u{a0}", "␠‹token 5 chars #"),
        (
            "X-Amz-Content-Sha256",
            "UNSIGNED-PAYLOAD",
            "UNSIGNED-PAYLOAD",
        ),
    ] {
        let masked = masker.header(name, value.as_bytes());
        assert!(masked.text.starts_with(expected), "{name}: {}", masked.text);
        assert_eq!(masked.count > 0, masked.text != value);
    }
}

#[test]
fn version_4_authorization_in_any_layout() {
    let masker = masker();
    let signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let value = format!(
        "AWS4-ECDSA-P256-SHA256  SignedHeaders=host,Signature={signature}{signature} ,Credential=test/20260101/s3/aws4_request"
    );
    let masked = masker.header("authorization", value.as_bytes()).text;
    assert!(masked.starts_with(
        "AWS4-ECDSA-P256-SHA256  SignedHeaders=host,Signature=4f232c…a0a9 ,Credential=‹key id 4 chars, odd form #"
    ), "{masked}");
    assert!(masked.ends_with("›/20260101/s3/aws4_request"), "{masked}");
}

#[test]
fn canonical_requests() {
    let masker = masker();
    let text = "GET\n/\nX-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260101&X-Amz-Security-Token=abc%2Fdef\n\
        host:example.com\nx-amz-security-token:sometoken\n\nhost;x-amz-security-token\nUNSIGNED-PAYLOAD";
    let masked = masker.canonical(text.as_bytes());
    assert!(masked.starts_with(
        "GET\n/\nX-Amz-Credential=AKIA…MPLE%2F20260101&X-Amz-Security-Token=‹token 7 chars #"
    ));
    assert!(masked.contains("\nhost:example.com\nx-amz-security-token:‹token 9 chars #"));
    assert!(
        masked.ends_with("›\n\nhost;x-amz-security-token\nUNSIGNED-PAYLOAD"),
        "{masked}"
    );
}

#[test]
fn nested_quotes_and_private_keys() {
    let masker = masker();
    let text = masker.text(
        r#"{"m":"{\"a\":\"{\\\"SecretAccessKey\\\":\\\"hush-hush-hush\\\",\\\"b\\\":1}\"}"}"#,
    );
    assert!(
        text.contains(r#"\\\"SecretAccessKey\\\":\\\"‹token 14"#),
        "{text}"
    );
    assert!(text.ends_with(r#"›\\\",\\\"b\\\":1}\"}"}"#), "{text}");
    let text = masker.text("key -----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI\n");
    assert!(
        text.starts_with("key ‹EC PRIVATE KEY PEM ") && !text.contains("MHcC"),
        "{text}"
    );
    let open = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
    assert_eq!(masker.text(open), open);
}

#[test]
fn it_is_shared_by_tasks() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&masker());
}

#[test]
fn hostile_repetition_takes_one_look_at_each_byte() {
    let masker = masker();
    for piece in [
        ":password>",
        "a:\"",
        "password=\\\"",
        "x%253D",
        "://u:p",
        "<a",
        "-----BEGIN ",
        "%25",
        "&amp;",
        "eyJ",
    ] {
        let text = piece.repeat(20_000 / piece.len());
        masker.text(&text);
        masker.body(&BodyContext::default(), text.as_bytes());
    }
}
