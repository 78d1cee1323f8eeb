//! Getting credentials, hop by hop, against an AWS that answers from memory.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop, and say why"
)]

mod profile_support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_smithy_async::time::TimeSource;
use profile_support::{Clock, FakeAws, KEYS, assumed, denied, load, sources, wiring};
use sigscope::profile::{
    Failure, FileSource, LaneKeys, Lanes, PER_PROFILE, Profiles, Sources, Status,
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
