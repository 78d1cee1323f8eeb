use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use super::{Done, runtime, say};
use crate::sandbox::{Options, Sandbox};

/// The AWS look-alike alone. It verifies signatures and answers as AWS does, in AWS's words.
#[derive(clap::Args)]
#[command(after_help = "Its keys are printed when it starts; all of them are made up.")]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8788")]
    listen: SocketAddr,
}

pub(crate) fn run(args: Args) -> Done {
    runtime()?.block_on(async {
        let options = Options {
            listen: args.listen,
            clock: Arc::new(SystemTime::now),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.map_err(|error| {
            format!(
                "cannot listen on {}: {error}; choose another with --listen",
                args.listen
            )
        })?;
        say(&format!("listening on {}", sandbox.url()));
        say(&Sandbox::credentials_help());
        super::shell::until_asked_to_end().await;
        sandbox.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}
