use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;

use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use super::options::{DEFAULT_LISTEN, ProxyArgs, Settings};
use super::shell::ClientEnv;
use super::sinks::Printer;
use super::stage::{Plan, Stage, lane_keys};
use super::{Done, runtime, say};
use crate::profile::{Env, Sources, Table};
use crate::proxy::Listen;

/// Run a command with its AWS requests captured.
///
/// It uses the proxy at --listen if one is there, else starts one of its own for as long as
/// the command runs, and prints the exchanges on standard error.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The profile to be signed as; by default the one that the AWS CLI would use
    #[arg(long = "as", value_name = "PROFILE")]
    as_profile: Option<String>,
    #[command(flatten)]
    proxy: ProxyArgs,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

pub(crate) fn run(args: Args) -> Done {
    let settings = Settings::read()?;
    runtime()?.block_on(async {
        let running = running_proxy(&args, &settings)?;
        match running {
            Some(address) => {
                let (profile, region) = profile_there(&args)?;
                let lane = lane_keys(&settings)?.credentials(&profile, 0);
                let url = format!("http://{address}");
                let secret = lane.secret_access_key.expose_str();
                let env = ClientEnv::new(&url, &lane.access_key_id, secret, region.as_deref());
                child(&args.command, &env).await
            }
            None => with_own_proxy(&args, &settings).await,
        }
    })
}

/// The address of a proxy that somebody else runs.
fn running_proxy(args: &Args, settings: &Settings) -> Result<Option<std::net::SocketAddr>, String> {
    let text = args
        .proxy
        .listen
        .first()
        .or_else(|| settings.file.listen.iter().find(|text| !text.contains('=')));
    let listen: Listen = text.map_or(DEFAULT_LISTEN, String::as_str).parse()?;
    // Asked without connecting, which the proxy would show as a connection without a request.
    let there = listen.address.port() != 0
        && TcpListener::bind(listen.address)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse);
    Ok(there.then_some(listen.address))
}

fn profile_there(args: &Args) -> Result<(String, Option<String>), String> {
    let table = Table::read(&Sources::standard(Env::process()), &|_| false);
    let name = match args.as_profile.as_deref().or(args.proxy.profile.as_deref()) {
        Some(name) => name.to_owned(),
        None => table
            .default
            .as_ref()
            .map(|name| name.to_string())
            .ok_or_else(|| "no profile is configured; name one with --as PROFILE".to_owned())?,
    };
    let profile = table
        .get(&name)
        .ok_or_else(|| format!("there is no profile {name}"))?;
    Ok((
        name,
        args.proxy
            .region
            .clone()
            .or_else(|| profile.reach.region.clone()),
    ))
}

async fn with_own_proxy(args: &Args, settings: &Settings) -> Done {
    let mut options = args.proxy.options(&settings.file)?;
    for listen in &mut options.listen {
        listen.address.set_port(0);
    }
    if args.as_profile.is_some() {
        options.profile.clone_from(&args.as_profile);
    }
    let mut plan = Plan::own(options, settings, vec![Box::new(Printer::stderr())])?;
    plan.session.clone_from(&args.proxy.session);
    let stage = Stage::start(plan).await?;
    let profile = stage
        .proxy
        .active_profile()
        .ok_or("no profile is configured; name one with --as PROFILE")?;
    let lane = stage.lanes.hand_out(&profile, 0);
    let region = args
        .proxy
        .region
        .clone()
        .or_else(|| stage.profiles.get(&profile)?.reach.region.clone());
    let url = stage.url().ok_or("there is no general listener")?;
    let secret = lane.secret_access_key.expose_str();
    let env = ClientEnv::new(&url, &lane.access_key_id, secret, region.as_deref());
    let done = child(&args.command, &env).await;
    stage.stop().await?;
    done
}

/// Runs it; its exit status and the signals that we get pass through.
async fn child(command: &[String], env: &ClientEnv) -> Done {
    let mut child = Command::new(&command[0]);
    child.args(&command[1..]);
    for name in env.unset {
        child.env_remove(name);
    }
    for (name, value) in &env.set {
        child.env(name, value);
    }
    let mut child = child
        .spawn()
        .map_err(|error| format!("cannot run {}: {error}", command[0]))?;
    // The terminal sends an interrupt to the child itself; the others come to us alone.
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let status = loop {
        let signal = tokio::select! {
            status = child.wait() => break status,
            _ = interrupt.recv() => None,
            _ = terminate.recv() => Some(rustix::process::Signal::TERM),
            _ = hangup.recv() => Some(rustix::process::Signal::HUP),
        };
        let pid = child
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let (Some(signal), Some(pid)) = (signal, pid) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    };
    let status =
        status.map_err(|error| format!("{} could not be waited for: {error}", command[0]))?;
    if let Some(signal) = status.signal() {
        say(&format!(
            "sigscope: {} was ended by signal {signal}",
            command[0]
        ));
        return Ok(ExitCode::from(u8::try_from(128 + signal).unwrap_or(255)));
    }
    Ok(ExitCode::from(
        u8::try_from(status.code().unwrap_or(255)).unwrap_or(255),
    ))
}

fn listen(kind: SignalKind) -> Result<tokio::signal::unix::Signal, String> {
    signal(kind).map_err(|error| format!("signals cannot be caught: {error}"))
}
