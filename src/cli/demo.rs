use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::options::Settings;
use super::screen::{LookArgs, needs_terminal, show};
use super::sinks::{Format, Keeper, Printer};
use super::stage::{Plan, Stage};
use super::{Done, runtime};
use crate::profile::{Env, FileSource, LaneKeys, Sources};
use crate::proxy::{Endpoints, Listen, Options, Sink};
use crate::sandbox::{self, Sandbox, scenario};

mod client;

/// The screen against the embedded sandbox, with clients that send good and failing requests.
///
/// Every failing one is a failure that people really have. Nothing leaves this machine, and
/// all keys are made up.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    look: LookArgs,
    /// Send the script once and print the exchanges instead of showing the screen
    #[arg(long, value_enum, value_name = "FORMAT")]
    print: Option<Format>,
}

pub(crate) fn run(args: Args) -> Done {
    if args.print.is_none() {
        needs_terminal()?;
    }
    let settings = Settings::read()?;
    let runtime = runtime()?;
    let keeper = Keeper::new(&settings.file.limits);
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(keeper.clone())];
    if let Some(format) = args.print {
        sinks.push(Box::new(Printer::stdout(format)));
    }
    let (stage, sandbox) = runtime.block_on(start(&settings, sinks))?;
    let url = stage.url().ok_or("there is no listener")?;
    let lanes = stage.lanes.clone();
    let script = async move { client::play(&url, &lanes).await };
    if args.print.is_some() {
        return runtime.block_on(async {
            script.await?;
            stage.stop().await?;
            sandbox.stop().await;
            Ok(ExitCode::SUCCESS)
        });
    }
    let playing = runtime.spawn(script);
    let done = show(
        &runtime,
        Some(stage),
        keeper,
        None,
        &settings,
        args.look,
        false,
    );
    playing.abort();
    done
}

async fn start(settings: &Settings, sinks: Vec<Box<dyn Sink>>) -> Result<(Stage, Sandbox), String> {
    let sandbox = Sandbox::start(sandbox::Options {
        clock: Arc::new(SystemTime::now),
        ..sandbox::Options::default()
    })
    .await
    .map_err(|error| format!("the sandbox could not be started: {error}"))?;
    let mut endpoints = Endpoints::default();
    endpoints.add(&sandbox.url())?;
    let options = Options {
        listen: vec!["127.0.0.1:0".parse::<Listen>()?],
        endpoints,
        limits: settings.file.limits.clone(),
        ..Options::default()
    };
    let (config, credentials) = scenario::demo_config();
    let mut install_key = [0; 32];
    aws_lc_rs::rand::fill(&mut install_key).map_err(|_| "no randomness to be had".to_owned())?;
    let plan = Plan {
        options,
        sources: Sources {
            env: Env::new(std::iter::empty::<(String, String)>()),
            config: vec![FileSource::text("demo config", config)],
            credentials: vec![FileSource::text("demo credentials", credentials)],
        },
        lanes: LaneKeys::new(&install_key),
        sinks,
        session: None,
        payloads: settings.file.mask.payloads,
        proxies: None,
        notes: Vec::new(),
    };
    Ok((Stage::start(plan).await?, sandbox))
}

/// The first look at the screen should find something on it.
const HEAD_START: Duration = Duration::from_millis(300);
