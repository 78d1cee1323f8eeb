//! aws-config's whole-profile provider as the oracle of chains of roles.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may stop, and say why"
)]

mod profile_support;

use std::path::Path;

use aws_config::{profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_async::{rt::sleep::TokioSleep, time::SharedTimeSource};
use profile_support::{Clock, FakeAws, load};

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
