use std::{process::Stdio, time::SystemTime};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};
use zeroize::Zeroizing;

use super::{Context, Got};
use crate::{
    profile::{
        error::{Failure, HopError, quoted},
        plan::program,
    },
    secret::{Credentials, Secret},
};

/// Most that a process may print; the protocol needs a few kilobytes.
const OUTPUT: u64 = 64 * 1024;

/// Runs a `credential_process` with a shell and reads the JSON that it prints. The process
/// and what it started are killed when the wait for it ends.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>
pub(super) async fn get(
    context: &Context<'_>,
    command: &Secret,
    account: Option<&str>,
) -> Result<Got, HopError> {
    let name = program(command);
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(command.expose_str())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    if context
        .env
        .get("AWS_ENDPOINT_URL")
        .is_some_and(|url| (context.wiring.is_ours)(url))
    {
        shell.env_remove("AWS_ENDPOINT_URL");
    }
    let mut child = shell
        .spawn()
        .map_err(|error| HopError::broken(format!("{name} could not be started: {error}")))?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)));
    let (out, err) = tokio::join!(read(child.stdout.take()), read(child.stderr.take()));
    let status = child
        .wait()
        .await
        .map_err(|error| HopError::broken(format!("{name} was lost: {error}")))?;
    drop(group);
    if !status.success() {
        let last = String::from_utf8_lossy(&err);
        let said = quoted(last.trim().lines().next_back().unwrap_or_default());
        return Err(HopError::broken(format!(
            "{name} ended with {status}: {said}; run it by hand to see why"
        )));
    }
    parse(&out, name, account, context.now())
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    if let Some(stream) = stream {
        // What was read before an error is judged like all else.
        let _ = stream.take(OUTPUT).read_to_end(&mut bytes).await;
    }
    bytes
}

/// Kills a process group when dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed<'a> {
    version: u32,
    #[serde(borrow)]
    access_key_id: std::borrow::Cow<'a, str>,
    // Moved, not copied, into the zeroized secrets.
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
    account_id: Option<String>,
}

fn parse(out: &[u8], name: &str, account: Option<&str>, now: SystemTime) -> Result<Got, HopError> {
    let broken = |what: String| {
        HopError::broken(format!(
            "{name} {what}; it must print {{\"Version\": 1, \"AccessKeyId\": …, \
             \"SecretAccessKey\": …}} and nothing else"
        ))
    };
    let printed: Printed<'_> = serde_json::from_slice(out).map_err(|error| {
        // serde's text may quote what was printed.
        let what = match error.classify() {
            serde_json::error::Category::Data => "printed JSON with a missing or wrong member",
            _ if out.is_empty() => "printed nothing",
            _ => "did not print JSON",
        };
        broken(format!(
            "{what} (line {}, column {})",
            error.line(),
            error.column()
        ))
    })?;
    if printed.version != 1 {
        return Err(broken(format!("printed Version {}", printed.version)));
    }
    let expires_at = match printed.expiration {
        None => None,
        Some(text) => Some(SystemTime::from(text.parse::<jiff::Timestamp>().map_err(
            |_| broken("printed an Expiration that is no RFC 3339 time".to_owned()),
        )?)),
    };
    if expires_at.is_some_and(|end| end <= now) {
        return Err(HopError::new(
            Failure::Expired,
            format!(
                "{name} printed credentials that have already expired; log in to its service again"
            ),
        ));
    }
    let mut credentials = Credentials::new(
        printed.access_key_id,
        printed.secret_access_key,
        printed.session_token.map(String::into_bytes),
    );
    credentials.expires_at = expires_at;
    Ok(Got {
        credentials,
        account: printed.account_id.or_else(|| account.map(str::to_owned)),
    })
}
