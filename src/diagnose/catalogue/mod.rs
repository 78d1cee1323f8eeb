//! The known failures: code and words of a reply narrow, evidence decides between causes.
//!
//! ```text
//! code, message, body ─► entries that match ─► the most telling one is the cause
//!                             │ its causes, each with the tests that must hold
//!                             ▼
//!     one decided:  its sentence, evidence, what would refute it, its fixes
//!     none decided: AWS's own words where they are the cause, else "undetermined"
//!                   with the possible causes and what would tell them apart
//! ```
//!
//! A failure is added in `data/failures.json`, a new kind of evidence in [`evidence`].

mod entry;
mod evidence;
mod template;

use entry::{Cause, Entry, Place, Remedy};
use evidence::{Question, fact};
use regex::Regex;

pub(super) use template::word;

use super::scene::{Captures, Scene};
use crate::capture::exchange::{Finding, Fix, Grade, Role};

/// Longest quotation of a reply.
const QUOTED: usize = 600;

/// What the catalogue says about a failed exchange, the cause first.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    for entry in entry::entries() {
        if !entry.beside && out.iter().any(|finding| finding.role == Role::Cause) {
            continue;
        }
        if let Some(captures) = matched(entry, scene) {
            let finding = finding(
                entry,
                &Question {
                    scene,
                    captures: &captures,
                },
            );
            if entry.beside {
                out.push(finding)
            } else {
                out.insert(0, finding)
            }
        }
    }
    // What stands beside a cause explains nothing alone.
    if out.iter().all(|finding| finding.role == Role::Note) {
        out.clear();
    }
    out
}

/// What is wrong with the form of the credentials that signed, if anything is.
pub(super) fn hygiene(scene: &Scene<'_>) -> Option<String> {
    let captures = Captures::new();
    evidence::test("hygiene")?(
        &Question {
            scene,
            captures: &captures,
        },
        "",
    )
}

/// Every entry's id and title, in no order.
pub fn titles() -> impl Iterator<Item = (&'static str, &'static str)> {
    entry::entries()
        .iter()
        .map(|entry| (entry.id.as_str(), entry.title.as_str()))
}

/// Where the words of an entry come from.
pub fn sources(id: &str) -> &'static [String] {
    entry::entries()
        .iter()
        .find(|entry| entry.id == id)
        .map_or(&[], |entry| &entry.source)
}

/// What the entry's pattern captured, where the entry fits.
fn matched(entry: &Entry, scene: &Scene<'_>) -> Option<Captures> {
    let none = Captures::new();
    let question = Question {
        scene,
        captures: &none,
    };
    let holds = |terms: &[entry::Term]| terms.iter().all(|term| term.holds(&question).is_some());
    if !entry.alone.is_empty() && holds(&entry.alone) {
        return Some(none);
    }
    let code = scene.code.strip_prefix("Client.").unwrap_or(scene.code);
    if !entry.any_code && !entry.codes.iter().any(|known| known == code) {
        return None;
    }
    let captures = if entry.patterns.is_empty() {
        Captures::new()
    } else {
        words(entry, scene)?
    };
    holds(&entry.when).then_some(captures)
}

fn words(entry: &Entry, scene: &Scene<'_>) -> Option<Captures> {
    let status = scene.status.to_string();
    let fault = scene
        .exchange
        .fault
        .as_ref()
        .map_or("", |fault| fault.message.as_str());
    let hint = scene
        .reply_header("x-aoss-response-hint")
        .unwrap_or_default();
    let texts: &[&str] = match entry.place {
        Place::Message => &[&scene.message],
        Place::Body => &[scene.body, &scene.message],
        Place::Any => &[&scene.message, scene.body, fault, hint],
        Place::Status => &[&status],
    };
    let regexes = entry.patterns.iter().filter_map(|pattern| pattern.regex());
    let mut found =
        regexes.flat_map(|regex| texts.iter().filter_map(move |text| capture(regex, text)));
    found.next()
}

fn capture(regex: &Regex, text: &str) -> Option<Captures> {
    let found = regex.captures(text)?;
    let named = regex.capture_names().flatten();
    Some(
        named
            .filter_map(|name| Some((name.to_owned(), found.name(name)?.as_str().to_owned())))
            .collect(),
    )
}

fn finding(entry: &Entry, question: &Question<'_>) -> Finding {
    let value = |name: &str| fact(question, name);
    let decided: Vec<(&Cause, Vec<String>)> = entry
        .causes
        .iter()
        .filter_map(|cause| decided(cause, question))
        .collect();
    let shown = chosen(entry, &decided);
    // What stands beside a cause need not quote the reply again.
    let mut evidence = if entry.beside {
        Vec::new()
    } else {
        quotation(question.scene)
    };
    let (says, grade, refuted_by) = match shown.and_then(|at| decided.get(at)) {
        Some((cause, lines)) => {
            evidence.extend(lines.iter().cloned());
            (&cause.says, cause.grade, cause.refuted_by.as_ref())
        }
        None => {
            let lines = entry.when.iter().filter_map(|term| term.holds(question));
            evidence.extend(lines.filter(|line| !line.is_empty()));
            (&entry.says, entry.grade, entry.refuted_by.as_ref())
        }
    };
    for (at, (cause, lines)) in decided
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != shown)
    {
        let likely = if shown.is_none() && at == 0 {
            "likely"
        } else {
            "it fits as well"
        };
        evidence.push(format!(
            "{likely}: {}",
            template::sentence(&cause.says, &value)
        ));
        evidence.extend(lines.iter().cloned());
    }
    let own = decided.iter().flat_map(|(cause, _)| &cause.fix);
    if grade == Grade::Undetermined {
        evidence.extend(possible(entry, &value));
    }
    once(&mut evidence);
    Finding {
        code: entry.id.clone(),
        grade,
        role: if entry.beside {
            Role::Note
        } else {
            Role::Cause
        },
        summary: template::sentence(says, &value),
        evidence,
        refuted_by: refuted_by
            .filter(|text| !text.is_empty())
            .map(|text| template::sentence(text, &value)),
        fix: fixes(own.chain(&entry.fix), &value),
    }
}

/// The cause whose sentence is the finding's: what is proved goes before what is inferred,
/// and AWS's own words are not replaced by an inference.
fn chosen(entry: &Entry, decided: &[(&Cause, Vec<String>)]) -> Option<usize> {
    let proved = |grade: Grade| matches!(grade, Grade::Computed | Grade::AwsSaid);
    let inferable = !proved(entry.grade);
    let sure = decided.iter().position(|(cause, _)| proved(cause.grade));
    sure.or_else(|| (inferable && !decided.is_empty()).then_some(0))
}

/// Takes out lines that another line begins with.
fn once(lines: &mut Vec<String>) {
    let all = std::mem::take(lines);
    for (at, line) in all.iter().enumerate() {
        let longer = |other: &String| other.len() > line.len() && other.starts_with(line.as_str());
        if !all.iter().any(longer) && !all[..at].contains(line) {
            lines.push(line.clone());
        }
    }
}

/// The evidence for a cause, where all that it needs holds.
fn decided<'e>(cause: &'e Cause, question: &Question<'_>) -> Option<(&'e Cause, Vec<String>)> {
    if cause.when.is_empty() {
        return None;
    }
    let lines: Option<Vec<String>> = cause.when.iter().map(|term| term.holds(question)).collect();
    Some((
        cause,
        lines?.into_iter().filter(|line| !line.is_empty()).collect(),
    ))
}

/// AWS's own words, and its request id.
fn quotation(scene: &Scene<'_>) -> Vec<String> {
    let reply = scene.exchange.reply.as_ref();
    if scene.status == 0 {
        return scene
            .exchange
            .fault
            .iter()
            .map(|fault| fault.message.clone())
            .collect();
    }
    let words = if scene.message.is_empty() {
        scene.body.lines().next().unwrap_or_default()
    } else {
        &scene.message
    };
    let words = &words[..words.floor_char_boundary(QUOTED)];
    let said = [scene.code, words]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(": ");
    let mut lines = vec![
        format!("HTTP {} {said}", scene.status)
            .trim_end()
            .to_owned(),
    ];
    lines.extend(
        reply
            .and_then(|reply| reply.request_id.as_ref())
            .map(|id| format!("request id {id}")),
    );
    lines
}

fn possible(entry: &Entry, value: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let open = entry.causes.iter().filter(|cause| cause.when.is_empty());
    open.map(|cause| {
        let says = template::sentence(&cause.says, value);
        match &cause.told_by {
            Some(told) => format!("possible: {says} (told by {told})"),
            None => format!("possible: {says}"),
        }
    })
    .collect()
}

fn fixes<'e>(
    remedies: impl Iterator<Item = &'e Remedy>,
    value: &dyn Fn(&str) -> Option<String>,
) -> Vec<Fix> {
    let mut out: Vec<Fix> = Vec::new();
    for remedy in remedies {
        let command = remedy
            .command
            .as_deref()
            .and_then(|command| template::command(command, value));
        let known = out
            .iter()
            .any(|fix| command.is_some() && fix.command == command);
        let lost = remedy.command.is_some() && command.is_none();
        if !known && !lost {
            out.push(Fix {
                label: template::sentence(&remedy.label, value),
                command,
                action: None,
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_whole() {
        let entries = entry::entries();
        assert_eq!(entries.len(), 139);
        for entry in entries {
            for pattern in &entry.patterns {
                assert!(pattern.regex().is_some(), "{}", entry.id);
            }
            let terms = entry.causes.iter().flat_map(|cause| &cause.when);
            assert!(
                terms
                    .chain(&entry.when)
                    .chain(&entry.alone)
                    .all(entry::Term::is_known),
                "{}",
                entry.id
            );
            assert!(
                !entry.says.is_empty() && !entry.source.is_empty(),
                "{}",
                entry.id
            );
        }
    }

    #[test]
    fn no_entry_about_a_deny_advises_to_allow() {
        for entry in entry::entries()
            .iter()
            .filter(|entry| entry.id.contains("explicit"))
        {
            let labels = entry.fix.iter().map(|fix| fix.label.as_str());
            assert!(
                !labels.into_iter().any(|label| label.contains("allow ")),
                "{}",
                entry.id
            );
        }
    }
}
