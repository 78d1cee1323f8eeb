use std::collections::HashMap;

use sigscope::sandbox::Sandbox;
use sigscope::sandbox::scenario::{self, Client, Flaw, Step};

use crate::client::{Answer, Ask, Key, Signed, sandbox};

/// The static keys of the demo's credentials file.
fn profiles() -> HashMap<String, Key> {
    let (_, credentials) = scenario::demo_config();
    let mut keys = HashMap::new();
    for section in credentials.split('[').skip(1) {
        let (name, rest) = section.split_once(']').expect("a section");
        let value = |key: &str| {
            rest.lines()
                .filter_map(|line| line.split_once(" = "))
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value)
        };
        let key = Key::new(
            value("aws_access_key_id").expect("an id"),
            value("aws_secret_access_key").expect("a secret"),
            value("aws_session_token"),
        );
        keys.insert(name.to_owned(), key);
    }
    keys
}

async fn play(step: &Step, sandbox: &Sandbox, profiles: &HashMap<String, Key>) -> Answer {
    let method = match step.method.as_str() {
        "GET" => "GET",
        "PUT" => "PUT",
        "HEAD" => "HEAD",
        _ => "POST",
    };
    let mut ask = Ask::new(&step.service, &step.region, method, &step.target).body(&step.body);
    ask.headers.clone_from(&step.headers);
    let (key, flaw) = match &step.client {
        Client::Unsigned => {
            let mut plain = Signed::unsigned(sandbox, method, &step.target);
            plain.headers.extend(step.headers.clone());
            plain.body = step.body.clone().into();
            return plain.send(sandbox).await;
        }
        Client::Foreign {
            access_key_id,
            secret_access_key,
        } => (Key::new(access_key_id, secret_access_key, None), None),
        Client::Lane { profile, flaw } => (key_of(profile, sandbox, profiles).await, flaw.as_ref()),
    };
    let wrong = key.with_secret("wrong/fake/0123456789abcdefghiEXAMPLEKEY");
    match flaw {
        None => ask.send(sandbox, &key).await,
        Some(Flaw::WrongSecret) => ask.send(sandbox, &wrong).await,
        Some(Flaw::Clock { minutes }) => ask.minutes(*minutes).send(sandbox, &key).await,
        Some(Flaw::DoubleEncodedPath) => {
            ask.double = true;
            ask.send(sandbox, &key).await
        }
        Some(Flaw::BodyChanged { sent }) => {
            let mut signed = ask.signed(sandbox, &key);
            signed.body = sent.clone().into();
            signed.send(sandbox).await
        }
        Some(Flaw::UnsignedHeader { name, value }) => {
            let signed = ask.signed(sandbox, &key).header(name, value);
            signed.send(sandbox).await
        }
    }
}

async fn key_of(profile: &str, sandbox: &Sandbox, profiles: &HashMap<String, Key>) -> Key {
    if let Some(key) = profiles.get(profile) {
        return key.clone();
    }
    assert_eq!(profile, "staging-admin");
    let body = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=demo\
                &RoleArn=arn:aws:iam::111122223333:role/staging-admin";
    let answer = Ask::form("sts", body)
        .send(sandbox, &profiles["default"])
        .await;
    Key::issued(answer.ok())
}

#[tokio::test]
async fn every_step_ends_as_the_script_says() {
    let (sandbox, profiles) = (sandbox().await, profiles());
    let steps = scenario::steps().expect("parses");
    let mut kinds = std::collections::BTreeSet::new();
    for step in &steps {
        let answer = play(step, &sandbox, &profiles).await;
        assert_eq!(
            answer.code(),
            step.outcome,
            "{}: {}",
            step.title,
            answer.text
        );
        if step.outcome != "200" {
            kinds.insert(format!("{} {}", step.outcome, answer.message()));
        }
    }
    assert!(kinds.len() >= 20, "{kinds:#?}");
}

#[test]
fn every_profile_of_the_script_is_in_the_configuration() {
    let (config, _) = scenario::demo_config();
    for step in scenario::steps().expect("parses") {
        if let Client::Lane { profile, .. } = step.client {
            let section = match profile.as_str() {
                "default" => "[default]".to_owned(),
                name => format!("[profile {name}]"),
            };
            assert!(config.contains(&section), "{section}");
        }
    }
}
