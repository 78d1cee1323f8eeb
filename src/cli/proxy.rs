use std::process::ExitCode;

use super::options::{ProxyArgs, Settings};
use super::sinks::{Format, Printer};
use super::stage::{Plan, Stage};
use super::{Done, runtime, say};

/// The proxy without a screen: it prints `listening on http://ADDR` on standard error once it
/// accepts, then each finished exchange on standard output.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    proxy: ProxyArgs,
    /// How to print exchanges
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: Args) -> Done {
    let settings = Settings::read()?;
    let options = args.proxy.options(&settings.file)?;
    let mut plan = Plan::own(
        options,
        &settings,
        vec![Box::new(Printer::stdout(args.format))],
    )?;
    plan.session = args.proxy.session;
    runtime()?.block_on(async {
        let stage = Stage::start(plan).await?;
        announce(&stage);
        super::shell::until_asked_to_end().await;
        stage.stop().await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Says where it listens and as whom it signs.
pub(crate) fn announce(stage: &Stage) {
    for (address, bound) in stage.proxy.listeners() {
        match bound {
            None => say(&format!("listening on http://{address}")),
            Some(endpoint) => say(&format!("listening on http://{address} for {endpoint}")),
        }
    }
    match stage.proxy.active_profile() {
        Some(profile) => say(&format!("signing as {profile}")),
        None => say("no profile is chosen: only callers who name one are signed (--profile NAME)"),
    }
    for error in stage.profiles.errors() {
        say(&format!("{}:{}: {}", error.file, error.line, error.message));
    }
    for note in stage
        .notes
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .iter()
    {
        say(note);
    }
}
