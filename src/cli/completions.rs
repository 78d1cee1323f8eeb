use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Done};

/// Print completions for a shell.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Done {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sigscope", &mut out);
    super::print(&String::from_utf8_lossy(&out));
    Ok(ExitCode::SUCCESS)
}
