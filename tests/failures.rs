//! The catalogue against its labelled corpus: real messages, near misses, and whole
//! exchanges where only evidence decides. `cargo test --test failures -- --nocapture`
//! prints precision and recall a class.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its report"
)]

#[path = "failures_support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use sigscope::capture::exchange::{Exchange, Grade, Role};
use sigscope::diagnose;
use support::{Case, corpus, diagnosed};

fn catalogued(code: &str) -> bool {
    diagnose::titles().any(|(id, _)| id == code)
}

fn cause(exchange: &Exchange) -> Option<&str> {
    let mut causes = exchange
        .findings
        .iter()
        .filter(|finding| finding.role == Role::Cause);
    causes
        .find(|finding| catalogued(&finding.code))
        .map(|finding| finding.code.as_str())
}

fn codes(exchange: &Exchange) -> Vec<&str> {
    exchange
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

#[derive(Default)]
struct Score {
    right: usize,
    wrong: usize,
    missed: usize,
    near: usize,
}

impl Score {
    fn precision(&self) -> f64 {
        ratio(self.right, self.right + self.wrong)
    }

    fn recall(&self) -> f64 {
        ratio(self.right, self.right + self.missed)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

#[test]
fn precision_and_recall() {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in corpus() {
        let exchange = diagnosed(&case);
        let found = cause(&exchange);
        let expected: Vec<&str> = case
            .is
            .iter()
            .chain(&case.beside)
            .map(String::as_str)
            .collect();
        let notes = exchange
            .findings
            .iter()
            .filter(|finding| finding.role == Role::Note && catalogued(&finding.code));
        let given: Vec<&str> = found
            .into_iter()
            .chain(notes.map(|note| note.code.as_str()))
            .collect();
        for id in &expected {
            let score = scores.entry((*id).to_owned()).or_default();
            if given.contains(id) {
                score.right += 1;
            } else {
                score.missed += 1;
                wrong.push(format!("missed {id}: got {given:?} for {case:?}"));
            }
        }
        for id in given.iter().filter(|id| !expected.contains(id)) {
            scores.entry((*id).to_owned()).or_default().wrong += 1;
            wrong.push(format!("wrong {id}: {case:?}"));
        }
        if let Some(near) = &case.near {
            scores.entry(near.clone()).or_default().near += 1;
            assert!(
                !codes(&exchange).contains(&near.as_str()),
                "{near} matched its near miss {case:?}"
            );
        }
    }
    report(&scores);
    let (right, all) = scores.values().fold((0, 0), |(right, all), score| {
        (right + score.right, all + score.right + score.wrong)
    });
    for line in &wrong {
        println!("{line}");
    }
    assert!(ratio(right, all) >= 0.98, "precision over all classes");
    for (id, score) in &scores {
        assert!(
            score.precision() >= 0.98,
            "precision of {id}: {}",
            score.precision()
        );
        assert!(score.recall() >= 0.98, "recall of {id}: {}", score.recall());
    }
}

fn report(scores: &BTreeMap<String, Score>) {
    println!(
        "{:<28}{:>6}{:>7}{:>8}{:>6}{:>11}{:>8}",
        "class", "right", "wrong", "missed", "near", "precision", "recall"
    );
    for (id, s) in scores {
        let (right, wrong, missed, near) = (s.right, s.wrong, s.missed, s.near);
        println!(
            "{id:<28}{right:>6}{wrong:>7}{missed:>8}{near:>6}{:>11.3}{:>8.3}",
            s.precision(),
            s.recall()
        );
    }
}

#[test]
fn every_entry_has_two_messages_and_a_near_miss() {
    let cases = corpus();
    for (id, _) in diagnose::titles() {
        let named = |case: &&Case| {
            case.is.as_deref() == Some(id) || case.beside.iter().any(|beside| beside == id)
        };
        assert!(
            cases.iter().filter(named).count() >= 2,
            "{id} has fewer than two messages"
        );
        let near = cases
            .iter()
            .filter(|case| case.near.as_deref() == Some(id))
            .count();
        assert!(near >= 1, "{id} has no near miss");
    }
}

#[test]
fn evidence_decides_as_labelled() {
    for case in corpus() {
        let exchange = diagnosed(&case);
        let Some(finding) = exchange.findings.first() else {
            continue;
        };
        if let Some(says) = &case.says {
            let text = format!("{}\n{}", finding.summary, finding.evidence.join("\n"));
            assert!(text.contains(says), "{says:?} is not in {text:?}: {case:?}");
        }
        if let Some(grade) = &case.grade {
            assert_eq!(
                serde_json::to_value(finding.grade).unwrap(),
                grade.as_str(),
                "{finding:?}"
            );
        }
    }
}

/// An inferred claim says what would refute it, an undetermined one what to try.
#[test]
fn claims_are_graded_honestly() {
    for case in corpus() {
        let exchange = diagnosed(&case);
        let said = exchange
            .reply
            .as_ref()
            .and_then(|reply| reply.error.as_ref()?.message.as_ref());
        for finding in &exchange.findings {
            match finding.grade {
                Grade::Undetermined => assert!(!finding.fix.is_empty(), "{finding:?}"),
                _ => assert!(!finding.summary.is_empty()),
            }
            // A place that was not filled in; AWS's own words may hold braces.
            let quoted = said == Some(&finding.summary);
            assert!(
                quoted || !finding.summary.contains(['{', '}']),
                "{}",
                finding.summary
            );
            for fix in &finding.fix {
                let command = fix.command.as_deref().unwrap_or_default();
                assert!(
                    !command.contains("{service}") && !command.contains("_command"),
                    "{command}"
                );
            }
        }
    }
}

#[test]
fn an_explicit_deny_is_never_answered_with_allow() {
    let mut seen = 0;
    for case in corpus()
        .into_iter()
        .filter(|case| case.message.contains("explicit deny"))
    {
        seen += 1;
        for finding in &diagnosed(&case).findings {
            let advice = finding.fix.iter().map(|fix| fix.label.to_ascii_lowercase());
            for label in advice {
                assert!(
                    !label.starts_with("allow") && !label.contains("add "),
                    "{label}: {case:?}"
                );
            }
        }
    }
    assert!(seen >= 10, "{seen} denials");
}

/// Nothing of a secret or token may be in any text of a finding.
#[test]
fn findings_hold_no_secret() {
    for case in corpus() {
        let exchange = diagnosed(&case);
        let text = serde_json::to_string(&exchange.findings).unwrap();
        for canary in support::canaries() {
            assert!(
                !text.contains(&canary),
                "a secret is in the findings of {case:?}"
            );
        }
    }
}

/// For reading: what is said of every case.
#[test]
#[ignore = "prints the findings of the whole corpus"]
fn print_findings() {
    for case in corpus() {
        println!(
            "\n## {} {} | {}",
            case.is.as_deref().unwrap_or("-"),
            case.code,
            case.message
        );
        for finding in &diagnosed(&case).findings {
            println!(
                "{:?} {} [{:?}] {}",
                finding.role, finding.code, finding.grade, finding.summary
            );
            finding
                .evidence
                .iter()
                .for_each(|line| println!("  | {line}"));
            finding
                .refuted_by
                .iter()
                .for_each(|line| println!("  wrong if {line}"));
            finding.fix.iter().for_each(|fix| {
                println!(
                    "  -> {} $ {}",
                    fix.label,
                    fix.command.as_deref().unwrap_or("-")
                )
            });
        }
    }
}
