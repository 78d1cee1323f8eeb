use jiff::tz::{TimeZone, offset};
use proptest::prelude::*;
use sigscope::capture::exchange::*;
use sigscope::capture::filter::{Filter, KEYS};
use sigscope::capture::{Exchange, Store};
use sigscope::config::Limits;

use crate::samples::{empty, good, recorded, refused};

fn finds(filter: &str, exchange: &Exchange) -> bool {
    let (row, json) = recorded(exchange);
    let filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    filter.matches(&row, &|| Some(json.clone()), exchange.id == 7)
}

/// Sentence, whether it finds the refused GetSecretValue (#128), the good GetObject (#7).
const TABLE: &[(&str, bool, bool)] = &[
    ("", true, true),
    ("  ", true, true),
    ("getsecret", true, false),
    ("secretsmanager.get", true, false),
    ("AMAZONAWS.com", true, true),
    ("cat.jpg", false, true),
    ("us-west-2 secret", true, false),
    ("us-west-2 | cat.jpg", true, true),
    ("us-west-2 nothing | cat.jpg", false, true),
    ("us-west-2 (nothing | secret)", true, false),
    ("!secret", false, true),
    ("-secret", false, true),
    ("!!secret", true, false),
    ("-(secret | cat)", false, false),
    ("\"secretsmanager.Get\"", true, false),
    ("\"two words\"", false, false),
    ("service:s3", false, true),
    ("service:S3", false, true),
    ("service:s", false, false),
    ("service:s*", true, true),
    ("op:Get*", true, true),
    ("op:*secret*", true, false),
    ("op:G*t*t*e", true, false),
    ("op:GetObject", false, true),
    ("op:*", true, true),
    ("status:403", true, false),
    ("status:>=400", true, false),
    ("status:>403", false, false),
    ("status:<403", false, true),
    ("status:4xx", true, false),
    ("status:200..299", false, true),
    ("status:none", false, false),
    ("method:post", true, false),
    ("profile:pdx", true, true),
    ("profile:pd", false, false),
    ("region:eu-*", false, true),
    ("host:eu-central", false, true),
    ("path:/photos/", false, true),
    ("key:akia", true, true),
    ("key:AKIAIOSFODNN7EXAMPLE", true, true),
    ("key:AKIAIOSFODNN7EXAMPLF", false, false),
    ("lane:pdx", true, true),
    ("door:endpoint-url", true, true),
    ("door:replay", false, false),
    ("signed:lane", true, true),
    ("signed:valid", true, true),
    ("signed:none", false, false),
    ("why:wrong-region", true, false),
    ("why:*", true, false),
    ("dur:>1s", false, true),
    ("dur:<=38.4ms", true, false),
    ("dur:38400us", true, false),
    ("dur:>38", true, true),
    ("dur:1ms..1s", true, false),
    ("size:>1M", false, true),
    ("size:<1k", true, false),
    ("id:128", true, false),
    ("id:#7", false, true),
    ("id:<100", false, true),
    ("id:100..200", true, false),
    ("time:10:42", true, true),
    ("time:10", true, true),
    ("time:>10:42", true, true),
    ("time:<10:42", false, false),
    ("time:10:40..10:41", false, false),
    ("time:10:40..10:42", true, true),
    ("time:10:42:09.123", true, true),
    ("body:prod/db", true, false),
    ("body:MEOW", false, true),
    ("body:\"valid region\"", true, false),
    ("body:/valid (town|region)/", true, false),
    ("body:/PROD\\/d./", true, false),
    ("body:/(?-i)PROD/", false, false),
    ("header:x-amz-target", true, false),
    ("header:X-Amz-Target=getsecret", true, false),
    ("header:x-amz-target=put", false, false),
    ("header:x-amzn-errortype=\"InvalidSignature\"", true, true),
    ("is:error", true, false),
    ("is:failed", true, false),
    ("is:slow", false, true),
    ("is:cut", false, true),
    ("is:marked", false, true),
    ("is:masked", false, false),
    ("is:refused", false, false),
    ("is:replayed", false, false),
    ("is:internal", false, false),
    ("service:s3|body:prod is:failed", true, true),
];

#[test]
fn sentences_find_what_they_say() {
    for (filter, in_refused, in_good) in TABLE {
        assert_eq!(
            finds(filter, &refused(128)),
            *in_refused,
            "{filter} on the refused"
        );
        assert_eq!(finds(filter, &good(7)), *in_good, "{filter} on the good");
    }
}

#[test]
fn flags_follow_the_exchange() {
    let mut replay = good(9);
    (replay.replay_of, replay.door) = (Some(7), Door::Replay);
    replay.reply.as_mut().unwrap().from = ReplyFrom::Sigscope;
    replay.received.as_mut().unwrap().body.masked = 2;
    replay.client.signature = ClientSignature::UnknownKey;
    for filter in [
        "is:replayed",
        "is:refused",
        "is:masked",
        "door:replay",
        "signed:unknown-key",
    ] {
        assert!(finds(filter, &replay), "{filter}");
    }
    assert!(finds("status:none is:failed", &empty(1)));
    assert!(!finds(
        "host:x | path:x | op:* | dur:>0 | body:x | header:x",
        &empty(1)
    ));
}

#[test]
fn times_of_day_are_those_of_the_zone() {
    let (row, _) = recorded(&good(1));
    let zone = TimeZone::fixed(offset(14));
    let filter = Filter::parse_in("time:>00:42 time:<01:00", &zone).unwrap();
    assert!(filter.matches(&row, &|| None, false));
}

#[test]
fn records_are_fetched_only_when_the_row_does_not_decide() {
    let (row, _) = recorded(&good(1));
    let never = || panic!("the row decides");
    for filter in [
        "body:x service:sts",
        "service:s3 | body:x",
        "!(body:x service:sts)",
    ] {
        Filter::parse(filter).unwrap().matches(&row, &never, false);
    }
    let filter = Filter::parse("body:x | header:y").unwrap();
    assert!(filter.reads_record() && !filter.matches(&row, &|| None, false));
}

#[test]
fn errors_say_where_and_what_to_write() {
    let wrong = |text: &str| {
        let error = Filter::parse(text).expect_err(text);
        assert!(
            !error.hint.is_empty() && text.get(error.at.clone()).is_some(),
            "{error:?}"
        );
        (text[error.at.clone()].to_owned(), error.to_string())
    };
    let cases = [
        ("operation:x", "operation", "did you mean `op:`"),
        ("s3 arn:aws:s3", "arn", "quote it"),
        ("s3 status:abc", "abc", "4xx"),
        ("op:", "op:", "needs a value"),
        ("is:odd", "odd", "failed"),
        ("a | ", "", "missing"),
        ("(a", "(", "add a `)`"),
        ("a)", ")", "take out"),
        ("a -", "-", "negate"),
        ("\"a b", "\"a b", "never closed"),
        ("body:/a", "/a", "never closed"),
        ("body:/(/", "/(/", "unclosed"),
        ("dur:>1h2", ">1h2", "dur:>1s"),
        ("id:9..5", "9..5", "id:"),
        ("time:25:00", "25:00", "time:"),
        ("time:10:0x", "10:0x", "time:"),
        ("header:=x", "header:", "name"),
        ("status:-1", "-1", "status"),
    ];
    for (text, at, says) in cases {
        let (found, message) = wrong(text);
        assert_eq!(found, at, "{text}: {message}");
        assert!(message.contains(says), "{text}: {message}");
    }
    wrong(&"(".repeat(100_000));
    wrong(&"!".repeat(100_000));
}

#[test]
fn completes_keys_then_values_that_were_seen() {
    let mut store = Store::new(&Limits::default());
    for exchange in [good(1), good(2), refused(3)] {
        let (row, json) = recorded(&exchange);
        store.push(row, json);
    }
    let complete = |input: &str| {
        let completion = Filter::complete(input, input.len(), &store);
        (input[completion.range].to_owned(), completion.candidates)
    };
    assert_eq!(
        complete("s3 !se"),
        ("se".to_owned(), vec!["service:".to_owned()])
    );
    assert_eq!(
        complete("(x|s").1,
        ["service:", "status:", "signed:", "size:"]
    );
    assert_eq!(complete("op:").1, ["GetObject", "GetSecretValue"]);
    assert_eq!(
        complete("op:gets"),
        ("gets".to_owned(), vec!["GetSecretValue".to_owned()])
    );
    assert_eq!(complete("-region:WEST").1, ["us-west-2"]);
    assert_eq!(complete("is:re").1, ["replayed", "refused"]);
    assert_eq!(complete("status:4").1, ["4xx", "403", ">=400"]);
    assert_eq!(complete("").1.len(), KEYS.len());
    assert_eq!(complete("nope:x").1, Vec::<String>::new());
    assert_eq!(Filter::complete("ä op:x", 1, &store).range, 0..0);
}

fn sentence() -> impl Strategy<Value = String> {
    let value = prop::sample::select(vec![
        "s3",
        "Get*",
        ">=400",
        "4xx",
        "200..299",
        "none",
        ">1.5s",
        "<2M",
        "10:40",
        ">10:40:30",
        "10..11",
        "lane",
        "failed",
        "replay",
        "\"a b\"",
        "/a\\/b|c/",
        "x=y",
        "x=\"y z\"",
        "a\\b",
        "\"\\\"\\\\\"",
    ]);
    let key = prop::sample::select(KEYS.iter().map(|(key, _)| *key).collect::<Vec<_>>());
    let term = prop_oneof![
        (key, value).prop_map(|(key, value)| format!("{key}:{value}")),
        "[a-z.*/]{1,5}",
        "\"[a-z:!| -]{0,5}\"",
    ];
    term.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("!{a}")),
            inner.clone().prop_map(|a| format!("-({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}|{b})")),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused(text in "\\PC*", cursor in 0usize..40) {
        let store = Store::new(&Limits::default());
        Filter::complete(&text, cursor, &store);
        match Filter::parse(&text) {
            Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter),
            Err(error) => prop_assert!(text.get(error.at).is_some()),
        }
    }

    #[test]
    fn what_a_filter_prints_parses_to_it(text in sentence()) {
        let Ok(filter) = Filter::parse(&text) else { return Ok(()) };
        let printed = filter.to_string();
        let again = Filter::parse(&printed);
        prop_assert_eq!(again.as_ref(), Ok(&filter), "{} -> {}", text, printed);
        let (row, json) = recorded(&refused(1));
        let json = || Some(json.clone());
        prop_assert_eq!(
            filter.matches(&row, &json, false),
            again.unwrap().matches(&row, &json, false)
        );
    }
}
