//! One line for people: `sigscope proxy --format text`.
//!
//! ```text
//! 10:42:09.123  #128 403 secretsmanager.GetSecretValue us-west-2 pdx lane 38ms scope-wrong-region: …
//! ```

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::capture::Row;
use crate::capture::exchange::{Exchange, Role};

/// Characters that the sentence at the end may have.
const WHY_MAX: usize = 300;

/// The line of an exchange, without its end and without control characters other than those
/// that `colour` asks for. The time is that of `zone`.
pub fn line(exchange: &Exchange, zone: &TimeZone, colour: bool) -> String {
    let row = Row::of(exchange);
    let paint = |code: &'static str| if colour { code } else { "" };
    let (bad, dim, plain) = (paint("\x1b[31m"), paint("\x1b[2m"), paint("\x1b[0m"));
    let good = if row.failed { bad } else { paint("\x1b[32m") };
    let status = row
        .status
        .map_or_else(|| "---".to_owned(), |status| status.to_string());
    let mut line = format!(
        "{dim}{}{plain}  #{} {good}{status}{plain} ",
        time(&row, zone),
        row.id
    );
    match row.service() {
        Some(_) => line.push_str(row.call()),
        // What it was is told by the request line.
        None => _ = write!(line, "{} {}{}", row.method(), row.host(), row.path()),
    }
    for part in [row.region(), row.profile(), Some(row.signed())]
        .into_iter()
        .flatten()
    {
        _ = write!(line, " {part}");
    }
    if let Some(us) = row.total_us {
        _ = write!(line, " {dim}{}{plain}", duration(us));
    }
    if let Some(original) = row.replay_of {
        _ = write!(line, " replay of #{original}");
    }
    if let Some(why) = why(exchange) {
        _ = write!(line, " {good}{why}{plain}");
    }
    line
}

/// Microseconds in three digits and a unit: `870us`, `38ms`, `1.2s`, `4m10s`.
pub fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us}us"),
        1_000..1_000_000 => format!("{}ms", us / 1_000),
        1_000_000..60_000_000 => format!("{}.{}s", us / 1_000_000, us / 100_000 % 10),
        _ => format!("{}m{:02}s", us / 60_000_000, us / 1_000_000 % 60),
    }
}

fn time(row: &Row, zone: &TimeZone) -> String {
    let instant = Timestamp::from_millisecond(row.started_at).unwrap_or_default();
    zone.to_datetime(instant)
        .strftime("%H:%M:%S%.3f")
        .to_string()
}

/// What went wrong: the cause that was found, else AWS's words, else the fault, else a note.
fn why(exchange: &Exchange) -> Option<String> {
    let finding = |role| {
        exchange
            .findings
            .iter()
            .find(|finding| finding.role == role)
    };
    let told = |finding: &crate::capture::exchange::Finding| {
        (finding.code.clone(), finding.summary.clone())
    };
    let error = || {
        let error = exchange.reply.as_ref()?.error.as_ref()?;
        let code = error.code.clone().unwrap_or_else(|| "error".to_owned());
        Some((code, error.message.clone().unwrap_or_default()))
    };
    let fault = || {
        exchange
            .fault
            .as_ref()
            .map(|fault| (fault.kind.as_str().to_owned(), fault.message.clone()))
    };
    let (code, sentence) = finding(Role::Cause)
        .map(told)
        .or_else(error)
        .or_else(fault)
        .or_else(|| finding(Role::Note).map(told))?;
    let why = if sentence.is_empty() {
        code
    } else {
        format!("{code}: {sentence}")
    };
    Some(one_line(&why))
}

/// Without line ends and control characters, which could steer the terminal, and not
/// endless.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if line.chars().count() + word.chars().count() >= WHY_MAX {
            line.extend(
                word.chars()
                    .take(WHY_MAX.saturating_sub(line.chars().count() + 1)),
            );
            line.push('…');
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}
