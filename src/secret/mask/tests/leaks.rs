use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

const WINDOW: usize = 9;

fn percent(text: &str, upper: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                (byte as char).to_string()
            }
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        })
        .collect()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn json(text: &str) -> String {
    super::super::json::escape(text)
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// No window of the secret in any encoding is left.
fn leaks(output: &str, secret: &str) -> Option<String> {
    let mut forms = vec![
        secret.to_owned(),
        percent(secret, true),
        percent(secret, false),
        hex(secret),
        hex(secret).to_uppercase(),
        json(secret),
        xml(secret),
    ];
    for before in ["", "x", "xx"] {
        let padded = format!("{before}{secret}");
        let drop = [0, 2, 3][before.len()];
        for encoded in [STANDARD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let encoded = encoded.trim_end_matches('=');
            forms.push(encoded[drop..encoded.len() - 1].to_owned());
        }
    }
    forms.iter().find_map(|form| {
        let bytes = form.as_bytes();
        // Nine characters of an encoding may hold far less than nine of the value.
        let window = if form == secret { WINDOW } else { WINDOW + 3 };
        bytes.windows(window).find_map(|piece| {
            memchr::memmem::find(output.as_bytes(), piece)
                .map(|_| String::from_utf8_lossy(piece).into_owned())
        })
    })
}

fn all_of(body: &Body) -> String {
    serde_json::to_string(body).unwrap()
}

fn secrets() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9/+]{40}",
        "IQoJb3JpZ2luX2Vj[A-Za-z0-9/+]{60,300}==",
        "[!-~]{12,60}",
        "[A-Za-z0-9]([ -~]|é){10,40}[A-Za-z0-9]",
    ]
}

/// Bodies that hold the secret where its name tells, with the content type.
fn named(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let inner = format!("{{\"Password\":\"{}\"}}", json(secret));
    let cbor = ciborium::Value::Map(vec![(
        ciborium::Value::Text("SecretString".into()),
        ciborium::Value::Text(secret.into()),
    )]);
    let mut bytes = Vec::new();
    ciborium::into_writer(&cbor, &mut bytes).unwrap();
    vec![
        (
            "application/json",
            format!("{{\"a\":1,\"SecretString\":\"{}\"}}", json(secret)).into_bytes(),
        ),
        (
            "application/json",
            format!("{{\"message\":\"{}\"}}", json(&inner)).into_bytes(),
        ),
        (
            "application/json",
            format!("{{\"Password\":{{\"a\":[\"{}\"]}}}}", json(secret)).into_bytes(),
        ),
        (
            "application/json",
            format!("{{\"Password\":\"{}", json(secret)).into_bytes(),
        ),
        (
            "text/xml",
            format!("<r><n:SessionToken>{}</n:SessionToken></r>", xml(secret)).into_bytes(),
        ),
        (
            "text/xml",
            format!("<r><Password><![CDATA[{secret}]]></Password></r>").into_bytes(),
        ),
        (
            "application/x-www-form-urlencoded",
            format!("Action=A&Password={}&b=c", percent(secret, true)).into_bytes(),
        ),
        ("application/cbor", bytes),
        (
            "text/plain",
            format!(
                "url https://h/p?X-Amz-Security-Token={}&a=b",
                percent(secret, false)
            )
            .into_bytes(),
        ),
    ]
}

/// Texts that hold a known secret anywhere.
fn anywhere(secret: &str) -> Vec<String> {
    vec![
        secret.to_owned(),
        format!("2026-01-01 DEBUG the value is {secret}, so"),
        percent(secret, true),
        percent(&percent(secret, false), true),
        json(&format!("{{\"x\":\"{}\"}}", json(secret))),
        hex(secret),
        hex(secret).to_uppercase(),
        STANDARD.encode(secret),
        STANDARD.encode(format!("a{secret}")),
        URL_SAFE_NO_PAD.encode(format!("ab{secret}cd")),
        xml(secret),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_leaks_from_a_named_place(secret in secrets()) {
        let masker = masker();
        for (content_type, bytes) in named(&secret) {
            if content_type == "text/xml" && secret.contains("]]>") { continue; }
            let about = BodyContext { content_type: Some(content_type), ..BodyContext::default() };
            let body = masker.body(&about, &bytes);
            prop_assert_eq!(leaks(&all_of(&body), &secret), None, "{}: {:?}", content_type, body.text);
            prop_assert!(body.masked > 0);
        }
        for name in ["x-amz-security-token", "X-Api-Key", "authorization", "Cookie"] {
            let masked = masker.header(name, secret.as_bytes()).text;
            prop_assert_eq!(leaks(&masked, &secret), None, "{}: {}", name, masked);
        }
        let target = format!("/p?SigninToken={}&a=b", percent(&secret, true));
        let masked = masker.target(target.as_bytes()).text;
        prop_assert_eq!(leaks(&masked, &secret), None);
        prop_assert!(masked.starts_with("/p?SigninToken=") && masked.ends_with("&a=b"));
    }

    #[test]
    fn nothing_leaks_of_a_known_value(secret in secrets()) {
        let masker = masker();
        masker.learn(&Secret::new(secret.as_str()), Kind::Password, "profile p");
        for text in anywhere(&secret) {
            for masked in [
                masker.text(&text),
                masker.target(text.as_bytes()).text,
                masker.header("user-agent", text.as_bytes()).text,
                masker.canonical(text.as_bytes()),
                all_of(&masker.body(&BodyContext::default(), text.as_bytes())),
                all_of(&masker.body(&reply("s3", "GetObject"), &[b"\xff\x00 ", text.as_bytes()].concat())),
            ] {
                prop_assert_eq!(leaks(&masked, &secret), None, "{} -> {}", text, masked);
            }
        }
    }

    #[test]
    fn what_is_not_hidden_stays_byte_for_byte(
        members in prop::collection::vec(("[a-z]{1,5}", "[ -!#-\\[\\]-~]{0,20}", "[ \\t\\n]{0,3}"), 0..8)
    ) {
        let mut text = String::from("{");
        for (number, (name, value, blank)) in members.iter().enumerate() {
            if number > 0 { text.push(','); }
            text.push_str(&format!("{blank}\"m{name}\"{blank}:\"{value}\""));
        }
        text.push('}');
        let masker = masker();
        let before = masker.body(&BodyContext::default(), text.as_bytes());
        let with = text.replacen('{', "{ \"Password\" :\t\"hush\" ,", 1);
        let after = masker.body(&BodyContext::default(), with.as_bytes());
        let masked = after.text.unwrap_or_default();
        let begin = "{ \"Password\" :\t\"";
        let end = before.text.unwrap_or_default();
        prop_assert!(masked.starts_with(begin), "{}", masked);
        prop_assert!(masked.ends_with(&format!("\" ,{}", &end[1..])), "{}", masked);
    }

    #[test]
    fn hostile_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        text in "[\\\\\"'{}\\[\\]:,<>/&;%=?@a-z0-9‹›… \n]{0,200}",
        complete in any::<bool>(),
    ) {
        let masker = masker();
        masker.learn(&Secret::new("known-secret"), Kind::Token, "x");
        let types = [
            "application/json", "text/xml", "application/x-www-form-urlencoded", "application/cbor",
            "application/vnd.amazon.eventstream", "multipart/form-data; boundary=a", "text/plain", "",
        ];
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            for content_type in types {
                for coding in [None, Some("gzip"), Some("br, zstd"), Some("deflate"), Some("aws-chunked")] {
                    let about = BodyContext {
                        content_type: Some(content_type),
                        content_encoding: coding,
                        complete,
                        ..reply("kms", "Decrypt")
                    };
                    masker.body(&about, bytes);
                }
            }
            masker.target(bytes);
            masker.header("Authorization", bytes);
            masker.header("x-amz-mfa", bytes);
            masker.canonical(bytes);
        }
        masker.text(&text);
    }
}
