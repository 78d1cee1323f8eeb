//! The commands: one file each. They know clap and how to start the rest.

mod completions;
mod demo;
mod engine;
mod env;
mod explain;
mod explain_text;
mod open;
mod options;
mod proxy;
mod replay;
mod run;
mod sandbox;
mod screen;
mod shell;
mod sinks;
mod stage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The thing asked about is not well.
pub(crate) const NOT_WELL: u8 = 1;
/// It could not run.
pub(crate) const COULD_NOT_RUN: u8 = 3;

/// Sign, forward and explain AWS requests.
///
/// Without a command: the terminal screen, with the proxy running. Point a client at it with
/// `sigscope env` or `sigscope run -- CMD`, or paste what the empty screen shows.
#[derive(Parser)]
#[command(name = "sigscope", version, args_conflicts_with_subcommands = true, after_help = AFTER)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    screen: screen::Args,
}

const AFTER: &str = "Exit status: 0 done, 1 the thing asked about is not well, 2 usage, 3 it could not run.\n\
    Configuration: $XDG_CONFIG_HOME/sigscope/config.toml (~/.config/sigscope/config.toml).";

#[derive(Subcommand)]
enum Command {
    /// The proxy without a screen: prints each finished exchange
    Proxy(proxy::Args),
    /// The screen against the embedded sandbox: no account, no network
    Demo(demo::Args),
    /// The AWS look-alike alone, for trying any client against it
    Sandbox(sandbox::Args),
    /// What to export so that a client is captured
    Env(env::Args),
    /// Run a command with its AWS requests captured
    Run(run::Args),
    /// Look at a session file: read-only, no listener
    Open(open::Args),
    /// Send exchanges of a session file again
    Replay(replay::Args),
    /// Explain one request, offline: what AWS signs, and why a signature is wrong
    Explain(explain::Args),
    /// Completions for a shell
    Completions(completions::Args),
}

/// Parses the arguments and runs the command.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => screen::run(cli.screen),
        Some(Command::Proxy(args)) => proxy::run(args),
        Some(Command::Demo(args)) => demo::run(args),
        Some(Command::Sandbox(args)) => sandbox::run(args),
        Some(Command::Env(args)) => env::run(args),
        Some(Command::Run(args)) => run::run(args),
        Some(Command::Open(args)) => open::run(args),
        Some(Command::Replay(args)) => replay::run(args),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::Completions(args)) => completions::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            say(&format!("sigscope: {error}"));
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// A line on standard error.
pub(crate) fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Text on standard output; a reader that went away is no error.
pub(crate) fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// How a command ends: an exit status, or why it could not run.
pub(crate) type Done = Result<ExitCode, String>;

/// The runtime that everything with sockets runs on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime could not be started: {error}"))
}
