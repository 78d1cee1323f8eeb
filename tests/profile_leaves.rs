//! The sources of first credentials, against an AWS that answers from memory.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop, and say why"
)]

mod profile_support;

use std::time::Duration;

use aws_smithy_async::time::TimeSource;
use profile_support::{Clock, FakeAws, load, sources, wiring};
use sigscope::profile::{Failure, Profiles};

#[tokio::test]
async fn a_process_that_hangs_is_cut_off_and_killed() {
    let home = tempfile::tempdir().unwrap();
    let alive = home.path().join("alive");
    let config = format!(
        "[profile slow]\ncredential_process = sh -c 'echo $$ > {}; sleep 60'\n",
        alive.display()
    );
    let clock = Clock::new();
    let mut wiring = wiring(&FakeAws::sts(&clock), &clock);
    wiring.limit = Duration::from_millis(300);
    let profiles = Profiles::load(sources(&config, "", &[]), wiring);
    let error = profiles.resolve("slow").await.err().unwrap();
    assert_eq!(error.failure, Failure::Timeout);
    assert!(error.message.contains("config:2"), "{error}");
    assert!(error.message.contains("limits.credentials_ms"), "{error}");
    let id: i32 = std::fs::read_to_string(&alive)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let process = rustix::process::Pid::from_raw(id).unwrap();
    while rustix::process::test_kill_process(process).is_ok() && !is_zombie(id) {
        tokio::task::yield_now().await;
    }
}

fn is_zombie(id: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

#[tokio::test]
async fn what_processes_print_is_judged() {
    let good = r#"{"Version":1,"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"fake","Expiration":"2026-11-22T11:00:00Z"}"#;
    let cases = [
        (format!("echo '{good}'"), Ok("AKIAIOSFODNN7EXAMPLE")),
        ("true".into(), Err("printed nothing")),
        ("echo hello".into(), Err("did not print JSON")),
        (
            "echo '{\"Version\":1}'".into(),
            Err("missing or wrong member"),
        ),
        (
            format!("echo '{}'", good.replace(":1,", ":2,")),
            Err("Version 2"),
        ),
        (
            format!("echo '{}'", good.replace("2026", "2025")),
            Err("already expired"),
        ),
        (
            "echo 'aws-vault: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY is bad' >&2; exit 3".into(),
            Err("exit status: 3: aws-vault: [hidden] is bad"),
        ),
        (
            "no-such-program --secret=hunter2".into(),
            Err("no-such-program ended"),
        ),
    ];
    let clock = Clock::new();
    let aws = FakeAws::sts(&clock);
    for (command, expected) in cases {
        let config = format!("[profile p]\ncredential_process = {command}\n");
        let got = load(&config, "", &aws, &clock).resolve("p").await;
        match (got, expected) {
            (Ok(got), Ok(id)) => assert_eq!(got.credentials.access_key_id, id),
            (Err(error), Err(part)) => {
                assert!(error.message.contains(part), "{command}: {error}");
                assert!(!error.message.contains("hunter2"), "{error}");
                assert!(error.message.contains("config:2"), "{error}");
            }
            (got, _) => panic!("{command}: {:?}", got.err()),
        }
    }
}

#[tokio::test]
async fn web_identity_takes_the_token_and_signs_nothing() {
    let home = tempfile::tempdir().unwrap();
    let token = home.path().join("token");
    let config = format!(
        "[profile pod]\nrole_arn = arn:aws:iam::123456789012:role/pod\nregion = eu-west-1\n\
         sts_regional_endpoints = legacy\nweb_identity_token_file = {}\n",
        token.display()
    );
    let clock = Clock::new();
    let aws = FakeAws::sts(&clock);
    let error = load(&config, "", &aws, &clock)
        .resolve("pod")
        .await
        .err()
        .unwrap();
    assert!(error.message.contains("config:5"), "{error}");
    std::fs::write(&token, "fake-jwt").unwrap();
    let got = load(&config, "", &aws, &clock)
        .resolve("pod")
        .await
        .unwrap();
    assert_eq!(got.credentials.access_key_id, "ASIA.pod.nobody");
    let asked = aws.asked();
    assert_eq!(asked[0].uri, "https://sts.amazonaws.com/");
    assert_eq!(
        asked[0].form("WebIdentityToken").as_deref(),
        Some("fake-jwt")
    );
}

#[tokio::test]
async fn the_container_agent_is_asked_with_its_token() {
    let clock = Clock::new();
    let aws = FakeAws::new(|asked| match asked.headers.get("authorization") {
        Some(token) if token == "fake-pod-token" => (
            200,
            r#"{"AccessKeyId":"ASIACONTAINER","SecretAccessKey":"s","Token":"t",
                "Expiration":"2026-11-22T12:00:00Z","AccountId":"123456789012"}"#
                .into(),
        ),
        _ => (403, "no\n".into()),
    });
    let env = |token| {
        [
            (
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "http://169.254.170.23/v1/credentials",
            ),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", token),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
    };
    let load = |token| Profiles::load(sources("", "", &env(token)), wiring(&aws, &clock));
    let profiles = load("fake-pod-token");
    assert_eq!(profiles.default_name().as_deref(), Some("container"));
    let got = profiles.resolve("container").await.unwrap();
    assert_eq!(got.credentials.access_key_id, "ASIACONTAINER");
    assert_eq!(
        (got.kind, got.account.as_deref()),
        ("container", Some("123456789012"))
    );
    assert_eq!(aws.asked()[0].uri, "http://169.254.170.23/v1/credentials");
    let error = load("wrong").resolve("container").await.err().unwrap();
    assert_eq!(error.failure, Failure::Denied);
    assert!(error.message.contains("HTTP 403: no"), "{error}");
}

#[tokio::test]
async fn the_instance_is_asked_by_imdsv2() {
    let clock = Clock::new();
    let aws = FakeAws::new(|asked| {
        let body = match (asked.method.as_str(), asked.uri.rsplit('/').next()) {
            ("PUT", _) => "fake-imds-token",
            (_, Some("")) => "node",
            (_, Some("node")) => {
                r#"{"Code":"Success","AccessKeyId":"ASIANODE","SecretAccessKey":"s","Token":"t",
                    "Expiration":"2026-11-22T16:00:00Z"}"#
            }
            _ => return (404, String::new()),
        };
        (200, body.into())
    });
    let config = "[profile hop]\nrole_arn = arn:aws:iam::123456789012:role/hop\n\
                  credential_source = Ec2InstanceMetadata\n[profile bare]\nregion = us-east-1\n";
    let profiles = Profiles::load(sources(config, "", &[]), wiring(&aws, &clock));
    for name in ["bare", "imds"] {
        let got = profiles.resolve(name).await.unwrap();
        assert_eq!(got.credentials.access_key_id, "ASIANODE", "{name}");
        assert_eq!(got.kind, "imds");
    }
    assert!(
        aws.asked()
            .iter()
            .all(|asked| asked.uri.starts_with("http://169.254.169.254/"))
    );
}

#[tokio::test]
async fn sso_uses_refreshes_and_misses_its_token() {
    let clock = Clock::new();
    let over = clock.now();
    let aws = FakeAws::new(move |asked| {
        if asked.uri.contains("/token") {
            let body =
                r#"{"accessToken":"fake-new-token","expiresIn":3600,"refreshToken":"fake-next"}"#;
            return (200, body.into());
        }
        match asked
            .headers
            .get("x-amz-sso_bearer_token")
            .map(String::as_str)
        {
            Some("fake-ended") => (
                401,
                r#"{"message":"Session token not found or invalid"}"#.into(),
            ),
            Some("fake-barred") => (403, r#"{"message":"No access"}"#.into()),
            Some(token) => (
                200,
                format!(
                    r#"{{"roleCredentials":{{"accessKeyId":"ASIA.{token}","secretAccessKey":"s",
                    "sessionToken":"t","expiration":{}}}}}"#,
                    profile_support::NOW * 1000 + 3_600_000
                ),
            ),
            None => (400, String::new()),
        }
    });
    let config = "[profile s]\nsso_session = corp\nsso_account_id = 123456789012\n\
                  sso_role_name = Admin\nregion = us-west-2\n[sso-session corp]\n\
                  sso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n";
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let env = [("HOME", home.path().to_str().unwrap())];
    let load = || Profiles::load(sources(config, "", &env), wiring(&aws, &clock));

    let error = load().resolve("s").await.err().unwrap();
    assert_eq!(error.failure, Failure::NeedsLogin);
    assert!(
        error.message.contains("aws sso login --profile s"),
        "{error}"
    );

    let name = {
        use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, b"corp");
        let hex: String = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        cache.join(hex + ".json")
    };
    let write = |token: &str, end: &str| {
        let text = format!(
            r#"{{"accessToken":"{token}","expiresAt":"{end}","refreshToken":"fake-refresh",
            "clientId":"id","clientSecret":"fake-client","kept":"yes",
            "registrationExpiresAt":"2027-01-01T00:00:00Z"}}"#
        );
        std::fs::write(&name, text).unwrap();
    };
    write("fake-good", "2026-11-22T18:00:00Z");
    let got = load().resolve("s").await.unwrap();
    assert_eq!(got.credentials.access_key_id, "ASIA.fake-good");
    assert_eq!(got.account.as_deref(), Some("123456789012"));
    assert!(got.expires_at.unwrap() > over);
    assert!(
        aws.asked()[0]
            .uri
            .starts_with("https://portal.sso.eu-west-1.amazonaws.com/")
    );

    write("fake-old", "2026-11-22T10:01:00Z");
    let got = load().resolve("s").await.unwrap();
    assert_eq!(got.credentials.access_key_id, "ASIA.fake-new-token");
    let kept = std::fs::read_to_string(&name).unwrap();
    assert!(
        kept.contains("fake-next") && kept.contains("\"kept\":\"yes\""),
        "{kept}"
    );
    assert!(kept.contains("2026-11-22T11:00:00Z"), "{kept}");

    write("fake-ended", "2026-11-22T18:00:00Z");
    let error = load().resolve("s").await.err().unwrap();
    assert_eq!(error.failure, Failure::NeedsLogin);
    write("fake-barred", "2026-11-22T18:00:00Z");
    let error = load().resolve("s").await.err().unwrap();
    assert_eq!(error.failure, Failure::Denied);
    assert!(error.message.contains("still assigned"), "{error}");
    assert!(!error.message.contains("fake-"), "{error}");
}
