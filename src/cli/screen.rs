use std::process::ExitCode;
use std::sync::Arc;

use super::engine::Live;
use super::options::{ProxyArgs, Settings};
use super::sinks::Keeper;
use super::stage::{Plan, Stage, look};
use super::{Done, runtime, say};
use crate::config::Paths;
use crate::proxy::Sink;
use crate::tui;

/// The terminal screen with the proxy running.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    proxy: ProxyArgs,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// How the screen looks.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct LookArgs {
    /// terminal, dark, light, high-contrast, colour-blind-safe, mono, or a file of your own
    #[arg(long, value_name = "NAME")]
    pub(crate) theme: Option<String>,
}

pub(crate) fn run(args: Args) -> Done {
    needs_terminal()?;
    let settings = Settings::read()?;
    let options = args.proxy.options(&settings.file)?;
    let keeper = Keeper::new(&options.limits);
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(keeper.clone())];
    let mut plan = Plan::own(options, &settings, sinks)?;
    plan.session = args.proxy.session;
    let runtime = runtime()?;
    let stage = runtime.block_on(Stage::start(plan))?;
    let pick = stage.proxy.active_profile().is_none();
    show(
        &runtime,
        Some(stage),
        keeper,
        None,
        &settings,
        args.look,
        pick,
    )
}

/// The screen wants a terminal at both ends.
pub(crate) fn needs_terminal() -> Result<(), String> {
    use std::io::IsTerminal;
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err("the screen needs a terminal; `sigscope proxy` does the same without one".to_owned())
}

/// Shows the screen until the operator quits, then stops what runs.
pub(crate) fn show(
    runtime: &tokio::runtime::Runtime,
    stage: Option<Stage>,
    keeper: Keeper,
    viewing: Option<String>,
    settings: &Settings,
    args: LookArgs,
    pick_profile: bool,
) -> Done {
    let (theme, mouse) = look(&settings.file, args.theme);
    let stage = stage.map(Arc::new);
    let engine = Live::new(keeper, stage.clone(), runtime.handle().clone(), viewing);
    let options = tui::Options {
        theme: theme.unwrap_or_else(|| "terminal".to_owned()),
        themes_dir: Some(themes(&settings.paths)),
        depth: tui::theme::Depth::from_env(|name| std::env::var(name).ok()),
        mouse,
        pick_profile,
        notice: None,
    };
    let shown =
        tui::run(Arc::new(engine), options).map_err(|error| format!("the terminal: {error}"));
    if let Some(stage) = stage.and_then(Arc::into_inner) {
        runtime.block_on(stage.stop())?;
    }
    for saved in shown?.saved {
        say(&saved);
    }
    Ok(ExitCode::SUCCESS)
}

fn themes(paths: &Paths) -> std::path::PathBuf {
    paths.config.join("themes")
}
