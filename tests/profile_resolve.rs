//! Getting credentials, hop by hop, against an AWS that answers from memory.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop, and say why"
)]

mod profile_support;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::{profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_async::{
    rt::sleep::TokioSleep,
    time::{SharedTimeSource, TimeSource},
};
use profile_support::{Clock, FakeAws, KEYS, assumed, denied, load, sources, wiring};
use sigscope::profile::{
    Failure, FileSource, Profiles, Sources, Status,
    lane::{LaneKeys, Lanes, PER_PROFILE},
};

const ROLES: &str = "\
[profile one]
role_arn = arn:aws:iam::123456789012:role/one
source_profile = base
region = us-west-2
role_session_name = me
external_id = shared
duration_seconds = 900

[profile two]
role_arn = arn:aws:iam::210987654321:role/two
source_profile = one
region = us-west-2
";

#[tokio::test]
async fn a_chain_of_roles_is_walked_and_told() {
    let clock = Clock::new();
    let aws = FakeAws::sts(&clock);
    let profiles = load(ROLES, KEYS, &aws, &clock);
    let got = profiles.resolve("two").await.unwrap();
    assert_eq!(
        got.credentials.access_key_id,
        "ASIA.two.ASIA.one.AKIAIOSFODNN7EXAMPLE"
    );
    assert_eq!(
        (got.kind, got.account.as_deref()),
        ("assume-role", Some("123456789012"))
    );
    let chain: Vec<_> = got.chain.iter().map(ToString::to_string).collect();
    assert_eq!(
        chain,
        [
            "static keys (base, credentials:2)",
            "assume-role arn:aws:iam::123456789012:role/one (one, config:2)",
            "assume-role arn:aws:iam::210987654321:role/two (two, config:10)",
        ]
    );
    let asked = aws.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].uri, "https://sts.us-west-2.amazonaws.com/");
    assert_eq!(asked[0].form("RoleSessionName").as_deref(), Some("me"));
    assert_eq!(asked[0].form("ExternalId").as_deref(), Some("shared"));
    assert_eq!(asked[0].form("DurationSeconds").as_deref(), Some("900"));
    assert_eq!(asked[1].form("DurationSeconds"), None);

    // The hop in the middle is a profile of its own, and now at hand.
    let one = profiles.resolve("one").await.unwrap();
    assert_eq!(
        one.credentials.access_key_id,
        "ASIA.one.AKIAIOSFODNN7EXAMPLE"
    );
    assert_eq!(aws.asked().len(), 2);
    let (held_by, _) = profiles
        .credentials_of(&one.credentials.access_key_id)
        .unwrap();
    assert_eq!(&*held_by, "one");
    let (held_by, _) = profiles.credentials_of("AKIAIOSFODNN7EXAMPLE").unwrap();
    assert_eq!(&*held_by, "base");
}

#[tokio::test]
async fn all_who_wait_at_expiry_share_one_refresh() {
    let clock = Clock::new();
    let aws = FakeAws::sts(&clock);
    let profiles = load(ROLES, KEYS, &aws, &clock);
    profiles.resolve("one").await.unwrap();
    assert_eq!(aws.asked().len(), 1);
    clock.forward(Duration::from_secs(3600));
    let all: Vec<_> = (0..1000)
        .map(|_| {
            let profiles = profiles.clone();
            tokio::spawn(async move { profiles.resolve("one").await.unwrap() })
        })
        .collect();
    for one in all {
        let got = one.await.unwrap();
        assert!(got.expires_at.unwrap() > clock.now());
    }
    assert_eq!(aws.asked().len(), 2);
}

#[tokio::test]
async fn a_failing_refresh_keeps_what_is_still_good() {
    let clock = Clock::new();
    let down = Arc::new(Mutex::new(false));
    let (until, is_down) = (clock.clone(), Arc::clone(&down));
    let aws = FakeAws::new(move |asked| match *is_down.lock().unwrap() {
        true => denied("AccessDenied", "User: x is not authorized"),
        false => (200, assumed(asked, until.now() + Duration::from_secs(3600))),
    });
    let profiles = load(ROLES, KEYS, &aws, &clock);
    let first = profiles.resolve("one").await.unwrap();
    let calls = aws.asked().len();
    *down.lock().unwrap() = true;

    clock.forward(Duration::from_secs(3600 - 299));
    let status = |profiles: &Profiles| {
        let list = profiles.list();
        let one = list.into_iter().find(|one| &*one.name == "one").unwrap();
        (one.status, one.error)
    };
    for _ in 0..100 {
        let again = profiles.resolve("one").await.unwrap();
        assert!(Arc::ptr_eq(&again.credentials, &first.credentials));
        tokio::task::yield_now().await;
    }
    assert_eq!(aws.asked().len(), calls + 1, "one try in the background");
    assert_eq!(status(&profiles).0, Status::Expiring);

    clock.forward(Duration::from_secs(300));
    let error = profiles.resolve("one").await.err().unwrap();
    assert_eq!(error.failure, Failure::Denied);
    assert_eq!(
        status(&profiles),
        (Status::Denied, Some(error.message.clone()))
    );
    assert!(error.message.contains("AccessDenied"), "{error}");
    assert!(error.message.contains("config:2"), "{error}");

    *down.lock().unwrap() = false;
    profiles.forget_failures();
    assert!(profiles.resolve("one").await.is_ok());
    assert_eq!(status(&profiles), (Status::Ok, None));
}

#[tokio::test]
async fn the_old_ones_serve_while_new_ones_are_fetched() {
    let clock = Clock::new();
    let aws = FakeAws::sts(&clock);
    let profiles = load(ROLES, KEYS, &aws, &clock);
    let first = profiles.resolve("one").await.unwrap();
    clock.forward(Duration::from_secs(3600 - 200));
    let second = profiles.resolve("one").await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    while profiles.resolve("one").await.unwrap().expires_at == first.expires_at {
        tokio::task::yield_now().await;
    }
    assert_eq!(aws.asked().len(), 2);
}

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

#[tokio::test]
async fn sts_is_asked_where_the_profile_says_but_never_here() {
    let clock = Clock::new();
    let cases = [
        (
            "endpoint_url = https://sts.example",
            "",
            "https://sts.example/",
        ),
        (
            "services = s\n[services s]\nsts =\n  endpoint_url = http://10.0.0.1:1",
            "",
            "http://10.0.0.1:1/",
        ),
        (
            "endpoint_url = http://127.0.0.1:8787",
            "",
            "https://sts.us-west-2.amazonaws.com/",
        ),
        (
            "",
            "http://127.0.0.1:8787",
            "https://sts.us-west-2.amazonaws.com/",
        ),
        (
            "endpoint_url = https://x.example\nignore_configured_endpoint_urls = true",
            "",
            "https://sts.us-west-2.amazonaws.com/",
        ),
        (
            "use_fips_endpoint = true",
            "",
            "https://sts-fips.us-west-2.amazonaws.com/",
        ),
    ];
    for (lines, variable, expected) in cases {
        let aws = FakeAws::sts(&clock);
        let config = format!(
            "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n\
             region = us-west-2\n{lines}\n"
        );
        let env = [("AWS_ENDPOINT_URL", variable)];
        let profiles = Profiles::load(sources(&config, KEYS, &env), wiring(&aws, &clock));
        profiles.resolve("r").await.unwrap();
        assert_eq!(aws.asked()[0].uri, expected, "{lines}");
        let noted = profiles
            .get("r")
            .unwrap()
            .notes
            .iter()
            .any(|n| n.contains("this proxy itself"));
        assert_eq!(
            noted,
            lines.contains("8787") || variable.contains("8787"),
            "{lines}"
        );
    }
}

#[tokio::test]
async fn an_edited_file_is_picked_up_and_the_rest_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let (config, credentials) = (home.path().join("config"), home.path().join("credentials"));
    std::fs::write(&config, ROLES).unwrap();
    std::fs::write(
        &credentials,
        format!("{KEYS}[other]\naws_access_key_id=AKIAOLD\naws_secret_access_key=x\n"),
    )
    .unwrap();
    let clock = Clock::new();
    let aws = FakeAws::sts(&clock);
    let sources = Sources {
        env: sigscope::profile::Env::default(),
        config: vec![FileSource::Path(config)],
        credentials: vec![FileSource::Path(credentials.clone())],
    };
    let profiles = Profiles::load(sources, wiring(&aws, &clock));
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let watch = profiles.watch(move || {
        let _ = tell.send(());
    });
    let role = profiles.resolve("one").await.unwrap();
    assert!(profiles.credentials_of("AKIAOLD").is_some());
    assert!(!profiles.reload_if_changed());

    let beside = home.path().join("new");
    std::fs::write(
        &beside,
        format!("{KEYS}[other]\naws_access_key_id=AKIANEWER\naws_secret_access_key=y\n"),
    )
    .unwrap();
    std::fs::rename(&beside, &credentials).unwrap();
    tokio::time::timeout(Duration::from_secs(20), told.recv())
        .await
        .unwrap();
    assert_eq!(profiles.generation(), 1);
    assert_eq!(
        profiles
            .resolve("other")
            .await
            .unwrap()
            .credentials
            .access_key_id,
        "AKIANEWER"
    );
    assert!(profiles.credentials_of("AKIAOLD").is_none());
    assert!(
        Arc::ptr_eq(&role, &profiles.resolve("one").await.unwrap()),
        "kept"
    );
    drop(watch);
}

#[tokio::test]
async fn lanes_are_known_for_every_profile_and_no_other() {
    let clock = Clock::new();
    let aws = FakeAws::sts(&clock);
    let profiles = load(ROLES, KEYS, &aws, &clock);
    let lanes = Lanes::new(LaneKeys::new(&[7; 32]), &profiles);
    // Whoever has the install key hands out the same.
    let elsewhere = LaneKeys::new(&[7; 32]);
    for name in ["base", "one", "two"] {
        for number in 0..PER_PROFILE {
            let lane = elsewhere.credentials(name, number);
            let (profile, held) = lanes.lookup(&lane.access_key_id).unwrap();
            assert_eq!(&*profile, name);
            assert_eq!(
                held.secret_access_key.expose(),
                lane.secret_access_key.expose()
            );
        }
    }
    let foreign = LaneKeys::new(&[8; 32]).id("one", 0);
    assert!(lanes.lookup(&foreign).is_none());
    assert!(lanes.lookup(&elsewhere.id("one", PER_PROFILE)).is_none());
    lanes.hand_out("one", PER_PROFILE);
    assert!(lanes.lookup(&elsewhere.id("one", PER_PROFILE)).is_some());
}

#[tokio::test]
async fn what_cannot_work_says_so_without_asking_anyone() {
    let config = "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/a\nsource_profile = nope\n\
                  [profile m]\nrole_arn = arn:aws:iam::123456789012:role/m\nsource_profile = base\n\
                  mfa_serial = arn:aws:iam::123456789012:mfa/me\n";
    let clock = Clock::new();
    let aws = FakeAws::sts(&clock);
    let profiles = load(config, KEYS, &aws, &clock);
    for (name, failure, part) in [
        ("a", Failure::Broken, "there is no profile nope"),
        ("m", Failure::NeedsMfa, "mfa/me (config:7)"),
        (
            "z",
            Failure::NoProfile,
            "there is no profile z: there are a, m, base",
        ),
    ] {
        let error = profiles.resolve(name).await.err().unwrap();
        assert_eq!(error.failure, failure);
        assert!(error.message.contains(part), "{error}");
    }
    assert!(aws.asked().is_empty());
}

#[tokio::test]
async fn secrets_are_told_to_the_masker_and_to_nobody_else() {
    let clock = Clock::new();
    let aws = FakeAws::new(|_| {
        denied(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match\nx-amz-security-token:FAKETOKEN",
        )
    });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut wiring = wiring(&aws, &clock);
    let tell = Arc::clone(&seen);
    wiring.on_credentials = Arc::new(move |origin, credentials| {
        let line = format!("{origin} {}", credentials.access_key_id);
        tell.lock().unwrap().push(line);
    });
    let profiles = Profiles::load(sources(ROLES, KEYS, &[]), wiring);
    assert_eq!(*seen.lock().unwrap(), ["base AKIAIOSFODNN7EXAMPLE"]);
    assert_eq!(profiles.secrets().len(), 1);
    let error = profiles.resolve("one").await.err().unwrap();
    let shown = format!(
        "{error} {error:?} {:?} {:?}",
        profiles.list(),
        profiles.errors()
    );
    for secret in ["wJalrXUtnFEMI", "FAKETOKEN", "shared"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// aws-config's own walk over the same files.
async fn oracle(dir: &Path, name: &str, aws: &FakeAws, clock: &Clock) -> Result<String, String> {
    let mut files = EnvConfigFiles::builder();
    for (kind, name) in [
        (EnvConfigFileKind::Config, "config"),
        (EnvConfigFileKind::Credentials, "credentials"),
    ] {
        if dir.join(name).exists() {
            files = files.with_file(kind, dir.join(name));
        }
    }
    let files = files.build();
    let config = ProviderConfig::without_region()
        .with_http_client(aws.client())
        .with_time_source(SharedTimeSource::new(clock.clone()))
        .with_sleep_impl(TokioSleep::new())
        .with_region(Some(aws_types::region::Region::from_static("us-west-2")));
    let provider = ProfileFileCredentialsProvider::builder()
        .configure(&config)
        .profile_files(files)
        .profile_name(name)
        .build();
    match provider.provide_credentials().await {
        Ok(found) => Ok(found.access_key_id().to_owned()),
        Err(error) => Err(format!("{:?}", error)),
    }
}

/// Fixtures on which aws-config is known to go another way than the AWS CLI, which we follow.
const DIFFERS: &[(&str, &str)] = &[
    ("bom-and-crlf/default", "it refuses a byte order mark"),
    ("broken-header/before", "it refuses the whole file"),
    ("broken-header/after", "it refuses the whole file"),
    ("broken-line/good", "it refuses the whole file"),
    (
        "colon-and-case/default",
        "it knows no `:` between key and value",
    ),
    ("nested/x", "it refuses a comment among nested settings"),
    ("login/c", "it takes login_session before keys"),
    (
        "process-and-keys-file/a",
        "it takes credential_process before keys",
    ),
    ("quoted-names/my name", "it knows no blanks in names"),
    ("quoted-names/two words", "it knows no blanks in names"),
];

#[tokio::test]
async fn aws_config_gets_the_same_credentials() {
    let clock = Clock::new();
    let mut compared = 0;
    let mut wrong = String::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/profiles");
    let mut cases: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    for dir in cases {
        // What hangs on variables cannot be given to aws-config.
        if dir.join("env").exists() {
            continue;
        }
        let text = |name| std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        let aws = FakeAws::sts(&clock);
        let profiles = load(&text("config"), &text("credentials"), &aws, &clock);
        for name in profiles.names() {
            let profile = profiles.get(&name).unwrap();
            let ends = ["static", "assume-role"];
            let base = profile.hops().first().map(|hop| hop.step);
            let id = format!("{}/{name}", dir.file_name().unwrap().to_string_lossy());
            if !ends.contains(&profile.kind)
                || base != Some("static keys")
                || DIFFERS.iter().any(|(differs, _)| *differs == id)
            {
                continue;
            }
            let Ok(got) = profiles.resolve(&name).await else {
                continue;
            };
            let theirs = oracle(&dir, &name, &aws, &clock).await;
            compared += 1;
            if theirs.as_ref() != Ok(&got.credentials.access_key_id) {
                wrong += &format!(
                    "{id}: ours {}, theirs {theirs:?}\n",
                    got.credentials.access_key_id
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(compared >= 20, "{compared}");
}
