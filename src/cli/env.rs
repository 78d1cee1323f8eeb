use std::process::ExitCode;

use super::options::{DEFAULT_LISTEN, Settings};
use super::shell::{ClientEnv, quoted};
use super::stage::lane_keys;
use super::{Done, print};
use crate::profile::{Env, Sources, Table};
use crate::proxy::Listen;

/// Print what to export so that a client in this shell is captured: `eval "$(sigscope env)"`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The profile to be signed as; by default the one that the AWS CLI would use
    #[arg(long = "as", value_name = "PROFILE")]
    as_profile: Option<String>,
    /// The proxy's address
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// For which shell
    #[arg(long, value_enum, default_value_t)]
    shell: Shell,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Shell {
    /// POSIX shells: bash, zsh, sh
    #[default]
    Bash,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
    /// An object with `set` and `unset`
    Json,
}

pub(crate) fn run(args: Args) -> Done {
    let settings = Settings::read()?;
    let listen = args.listen.or_else(|| {
        settings
            .file
            .listen
            .iter()
            .find(|text| !text.contains('='))
            .cloned()
    });
    let listen: Listen = listen.as_deref().unwrap_or(DEFAULT_LISTEN).parse()?;
    let table = Table::read(&Sources::standard(Env::process()), &|_| false);
    let profile = match args.as_profile.or(settings.file.profile.clone()) {
        Some(name) => name,
        None => match &table.default {
            Some(name) => name.to_string(),
            None => return Err("no profile is configured; name one with --as PROFILE".to_owned()),
        },
    };
    let Some(found) = table.get(&profile) else {
        let known: Vec<String> = table
            .profiles
            .iter()
            .map(|profile| profile.name.to_string())
            .collect();
        return Err(format!(
            "there is no profile {profile}; there are {}",
            known.join(", ")
        ));
    };
    let lane = lane_keys(&settings)?.credentials(&profile, 0);
    let env = ClientEnv::new(
        &format!("http://{}", listen.address),
        &lane.access_key_id,
        lane.secret_access_key.expose_str(),
        found
            .reach
            .region
            .as_deref()
            .or(settings.file.region.as_deref()),
    );
    print(&render(args.shell, &env));
    Ok(ExitCode::SUCCESS)
}

fn render(shell: Shell, env: &ClientEnv) -> String {
    let mut out = String::new();
    match shell {
        Shell::Bash => {
            out.push_str(&format!("unset {}\n", env.unset.join(" ")));
            for (name, value) in &env.set {
                out.push_str(&format!("export {name}={}\n", quoted(value)));
            }
        }
        Shell::Fish => {
            for name in env.unset {
                out.push_str(&format!("set -e {name}\n"));
            }
            for (name, value) in &env.set {
                out.push_str(&format!("set -gx {name} {}\n", quoted(value)));
            }
        }
        Shell::Powershell => {
            for name in env.unset {
                out.push_str(&format!(
                    "Remove-Item Env:{name} -ErrorAction SilentlyContinue\n"
                ));
            }
            for (name, value) in &env.set {
                out.push_str(&format!("$Env:{name} = '{}'\n", value.replace('\'', "''")));
            }
        }
        Shell::Json => {
            let set: serde_json::Map<String, serde_json::Value> = env
                .set
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
                .collect();
            out = serde_json::json!({ "set": set, "unset": env.unset }).to_string();
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_gets_its_own_words() {
        let env = ClientEnv::new(
            "http://127.0.0.1:8787",
            "SIGSCOPEAAAAAAAAAAAA",
            "it's/+=",
            Some("eu-west-1"),
        );
        let bash = render(Shell::Bash, &env);
        assert!(
            bash.contains("export AWS_SECRET_ACCESS_KEY='it'\\''s/+='"),
            "{bash}"
        );
        assert!(bash.starts_with("unset AWS_PROFILE "), "{bash}");
        assert!(render(Shell::Fish, &env).contains("set -gx AWS_REGION eu-west-1"));
        assert!(render(Shell::Powershell, &env).contains("'it''s/+='"));
        let json: serde_json::Value = serde_json::from_str(&render(Shell::Json, &env)).unwrap();
        assert_eq!(json["set"]["AWS_ENDPOINT_URL"], "http://127.0.0.1:8787");
    }
}
