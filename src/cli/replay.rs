use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::options::{ProxyArgs, Settings};
use super::sinks::{Format, Printer};
use super::stage::{Plan, Stage};
use super::{Done, NOT_WELL, runtime, say};
use crate::capture::{Exchange, Session};
use crate::proxy::Sink;
use crate::replay::{self, As};
use crate::secret::Raw;

/// Send exchanges of a session file again: signed now, as the active profile.
///
/// Operations that change something are sent only with --yes. The exit status is 1 if one of
/// the replays failed.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The session file
    session: PathBuf,
    /// Numbers of exchanges
    #[arg(required = true, value_name = "ID")]
    ids: Vec<u64>,
    /// As which profiles; one after the other
    #[arg(long, value_name = "NAME")]
    profile: Vec<String>,
    /// In which region
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The whole body, where the recorded one is masked or cut
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Send those there instead of to AWS, all or those of one service
    #[arg(long, value_name = "[SERVICE=]URL")]
    endpoint_url: Vec<String>,
    /// A PEM file of the only roots to trust
    #[arg(long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// Send also what changes something
    #[arg(long)]
    yes: bool,
    /// How to print exchanges
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Notes whether a replay failed.
struct Watcher(Arc<Mutex<bool>>);

impl Sink for Watcher {
    fn exchange(&mut self, exchange: &Exchange, _: &Arc<[u8]>, _: &Arc<Raw>) {
        if exchange.replay_of.is_some() && exchange.failed() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        }
    }
}

pub(crate) fn run(args: Args) -> Done {
    let session = Session::open(&args.session).map_err(|error| error.to_string())?;
    let body = match &args.body {
        Some(path) => {
            let read = std::fs::read(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            Some(Bytes::from(read))
        }
        None => None,
    };
    let exchanges = wanted(&args, &session)?;
    let settings = Settings::read()?;
    let proxy = ProxyArgs {
        endpoint_url: args.endpoint_url.clone(),
        ca_bundle: args.ca_bundle.clone(),
        profile: args.profile.first().cloned(),
        ..ProxyArgs::default()
    };
    let mut options = proxy.options(&settings.file)?;
    options.listen.clear();
    let failed = Arc::new(Mutex::new(false));
    let sinks: Vec<Box<dyn Sink>> = vec![
        Box::new(Printer::stdout(args.format)),
        Box::new(Watcher(failed.clone())),
    ];
    let plan = Plan::own(options, &settings, sinks)?;
    runtime()?.block_on(async {
        let stage = Stage::start(plan).await?;
        let profiles: Vec<Option<String>> = match args.profile.len() {
            0 => vec![None],
            _ => args.profile.iter().cloned().map(Some).collect(),
        };
        let mut refused = false;
        for exchange in &exchanges {
            for profile in &profiles {
                let as_whom = As {
                    profile: profile.clone(),
                    region: args.region.clone(),
                    body: body.clone(),
                };
                match replay::prepare(exchange, None, as_whom) {
                    Ok(again) => stage.proxy.replay(again).1.await,
                    Err(why) => {
                        say(&format!(
                            "sigscope: #{} cannot be sent again: {why}",
                            exchange.id
                        ));
                        refused = true;
                    }
                }
            }
        }
        stage.stop().await?;
        let failed = *failed.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(ExitCode::from(if failed || refused { NOT_WELL } else { 0 }))
    })
}

fn wanted(args: &Args, session: &Session) -> Result<Vec<Exchange>, String> {
    let mut found = Vec::new();
    for id in &args.ids {
        let exchange = session.exchange(*id).map_err(|error| error.to_string())?;
        let exchange = exchange
            .ok_or_else(|| format!("{} holds no exchange #{id}", args.session.display()))?;
        if let (Some(why), false) = (replay::needs_confirmation(&exchange), args.yes) {
            return Err(format!("#{id}: {why}; add --yes to send it again"));
        }
        found.push(exchange);
    }
    Ok(found)
}
