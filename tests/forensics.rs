//! A corpus of wrongly signed requests, made by signers that share nothing with the search:
//! the true mistake is among the findings, and what is right is left alone.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use sigscope::capture::exchange::{Grade, Role};
use sigscope::explain::read::{self, Input};
use sigscope::explain::{Answer, Context, Entry, SignOptions, Verdict, explain};
use sigscope::secret::Credentials;
use sigscope::secret::mask::{Masker, Options};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const CORPUS: &str = include_str!("../fixtures/forensics/corpus.jsonl");

fn token() -> String {
    format!(
        "FwoGZXIvYXdzEBYaDEXAMPLE+TOKEN/abc+def=={}",
        "Zm9vYmFy".repeat(6)
    )
}

fn masker() -> Masker {
    Masker::new(
        [7; 32],
        Options {
            payloads: false,
            decoded_limit: 1 << 20,
        },
    )
}

fn answer(entry: &Entry, masker: &Masker) -> Answer {
    let keys = |key_id: &str| {
        let token = key_id.starts_with("ASIA").then(|| token().into_bytes());
        Some(Arc::new(Credentials::new(key_id, SECRET, token)))
    };
    let sign = SignOptions::default();
    let context = Context {
        keys: &keys,
        signer: None,
        sign: &sign,
        masker,
        now: SystemTime::UNIX_EPOCH,
    };
    explain(entry, &context).unwrap()
}

struct Judged {
    label: String,
    right: bool,
    precise: bool,
    what: String,
}

fn judge(line: &str) -> Judged {
    let truth: Value = serde_json::from_str(line).unwrap();
    let Input::Lines(mut entries) = read::lines(line.as_bytes()) else {
        panic!("no lines")
    };
    let entry = entries.remove(0).unwrap();
    let masker = masker();
    let answer = answer(&entry, &masker);
    let labels: Vec<&str> = truth["labels"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let provable = truth["provable"].as_bool().unwrap();
    let computed = |role: Option<Role>| -> Vec<&str> {
        let fits = answer.findings.iter().filter(|finding| {
            finding.grade == Grade::Computed && role.is_none_or(|role| finding.role == role)
        });
        fits.map(|finding| finding.code.as_str()).collect()
    };
    let (all, causes) = (computed(None), computed(Some(Role::Cause)));
    let right = if !provable {
        causes.is_empty() && answer.verdict == Verdict::Invalid
    } else if labels.is_empty() {
        causes.is_empty() && answer.verdict == Verdict::Valid
    } else {
        labels.iter().all(|label| all.contains(label)) && causes.len() == labels.len()
    };
    let quoted = serde_json::to_string(&answer).unwrap();
    assert!(!quoted.contains(SECRET), "{line}");
    assert!(!quoted.contains(&token()), "{line}");
    Judged {
        label: labels.join(" + "),
        right,
        precise: causes.iter().all(|cause| labels.contains(cause)),
        what: format!("{labels:?}: {:?} {causes:?} of {all:?}", answer.verdict),
    }
}

#[test]
fn the_true_mistake_is_found_and_nothing_is_claimed_of_what_is_right() {
    let lines: Vec<&str> = CORPUS.lines().collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let judged: Vec<Judged> = std::thread::scope(|scope| {
        let part = |worker: usize| {
            let lines = lines.iter().skip(worker).step_by(workers);
            scope.spawn(|| lines.map(|line| judge(line)).collect::<Vec<_>>())
        };
        let parts: Vec<_> = (0..workers).map(part).collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap())
            .collect()
    });
    let mut labels: BTreeMap<&str, (u32, u32, u32)> = BTreeMap::new();
    for one in &judged {
        let (count, right, precise) = labels.entry(&one.label).or_default();
        *count += 1;
        *right += u32::from(one.right);
        *precise += u32::from(one.precise);
    }
    for (label, (count, right, precise)) in &labels {
        println!("{label:60} {right} of {count} found, {precise} named first");
    }
    let missed: Vec<&str> = judged
        .iter()
        .filter(|one| !one.right)
        .map(|one| one.what.as_str())
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn without_the_secret_only_contradictions_are_told() {
    let masker = masker();
    let sign = SignOptions::default();
    let nobody = |_: &str| None;
    let context = Context {
        keys: &nobody,
        signer: None,
        sign: &sign,
        masker: &masker,
        now: SystemTime::UNIX_EPOCH,
    };
    let mut told = 0;
    for line in CORPUS.lines() {
        let truth: Value = serde_json::from_str(line).unwrap();
        let Input::Lines(mut entries) = read::lines(line.as_bytes()) else {
            panic!("no lines")
        };
        let answer = explain(&entries.remove(0).unwrap(), &context).unwrap();
        assert_eq!(answer.verdict, Verdict::UnknownKey, "{line}");
        assert_eq!(answer.signature, None);
        let causes: Vec<_> = answer
            .findings
            .iter()
            .filter(|finding| finding.role == Role::Cause)
            .collect();
        told += causes.len();
        if truth["labels"].as_array().unwrap().is_empty() {
            assert!(causes.is_empty(), "{line}: {causes:?}");
        }
    }
    assert!(told >= 15, "{told}");
}
