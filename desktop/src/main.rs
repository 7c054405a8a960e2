//! `kiez`: what runs on a member's computer. Three doors to one profile: the window, the same page in a browser, and the
//! command line, whose promise is `docs/cli.md`.
//!
//! `window` and `serve` show the page of `pages`, and answer it by `api`. `args` says what can be typed, `execute` does it on
//! a node, `own` and `device` what concerns the person and their computers, `exchange` drives the network, `handover` goes to the process that has the profile open already, `failure` says
//! what went wrong, `text` shows answers to people.

mod api;
mod args;
mod council;
mod device;
mod erase;
mod exchange;
mod execute;
mod failure;
mod files;
mod find;
mod handover;
mod own;
mod pages;
mod serve;
mod text;
#[cfg(feature = "window")]
mod window;

/// Where the window is not built in.
#[cfg(not(feature = "window"))]
mod window {
    use super::{Answer, Failure, Home};

    pub(crate) const fn prepare() {}

    pub(crate) fn open(_: &tokio::runtime::Runtime, _: Home) -> Result<Answer, Failure> {
        Err(Failure::no_window(
            "This Kiez was built without its window. Show it in a browser: `kiez serve`.",
        ))
    }
}

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use kiez_core::host::keystore::{Home, KeystoreError, Passphrase};
use kiez_core::host::node::{Node, NodeError};

use args::{Cli, Command, DeviceCommand, ProfileCommand};
use execute::{Answer, Context};
use failure::{Exit, Failure};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return parse_failure(&error, json),
    };
    start_logging();
    match start(cli, arguments) {
        Ok(answer) => {
            say(&if json {
                format!("{}\n", answer.json)
            } else {
                answer.text
            });
            ExitCode::SUCCESS
        }
        Err(failure) => fail(&failure, json),
    }
}

fn start(cli: Cli, arguments: Vec<String>) -> Result<Answer, Failure> {
    let home = Home::at(match &cli.home {
        Some(home) => home.clone(),
        None => default_home()?,
    });
    if cli.command.is_none() {
        window::prepare();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, "system", error))?;
    match &cli.command {
        // Not inside of the runtime: a window holds on to the first thread.
        None => window::open(&runtime, home),
        Some(Command::Serve(wanted)) => runtime.block_on(serving(home, wanted)),
        Some(Command::Profile(ProfileCommand::New { name })) => {
            let passphrase = read_passphrase(true)?;
            let node = Node::create(&home, name, &passphrase)?;
            execute::created(&node)
        }
        Some(Command::Profile(ProfileCommand::Erase { yes })) => own::erase(&home, *yes),
        Some(Command::Recover(wanted)) => runtime.block_on(async { own::recover(&home, wanted) }),
        Some(Command::Device(DeviceCommand::Add)) => runtime.block_on(device::add(&home, cli.json)),
        Some(Command::Device(DeviceCommand::Join { text, timeout })) => {
            runtime.block_on(device::join(&home, text, *timeout, cli.json))
        }
        Some(_) => runtime.block_on(run(&home, cli, arguments)),
    }
}

/// Does a command: here, or where the profile is open.
async fn run(home: &Home, cli: Cli, arguments: Vec<String>) -> Result<Answer, Failure> {
    if !home.holds_profile() {
        return Err(KeystoreError::NoProfile(home.directory().to_path_buf()).into());
    }
    let here = std::env::current_dir().unwrap_or_default();
    let passphrase = read_passphrase(false)?;
    match Node::open(home, &passphrase) {
        Ok(node) => {
            let context = Context {
                node,
                passphrase,
                here,
                network: None,
            };
            if matches!(&cli.command, Some(Command::Sync(sync)) if sync.listen) {
                return exchange::listen(context).await;
            }
            execute::execute(&context, cli).await
        }
        // Another process has it open: it does what is asked, if it can be asked.
        Err(NodeError::Keystore(error @ KeystoreError::InUse(_))) => {
            handover::ask(home, &passphrase, here, arguments)
                .await
                .unwrap_or_else(|| Err(error.into()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Serves the page until stopped.
async fn serving(home: Home, wanted: &args::ServeArgs) -> Result<Answer, Failure> {
    let house = api::house::House::new(home);
    let listening = serve::Listening::at(house.clone(), wanted.listen, wanted.beyond_this_computer).await?;
    let door = handover::open(house.home(), handover::Behind::Browser)?;
    let stopped = exchange::stop_signal();
    let address = listening.address().unwrap_or_default();
    say(&format!("{address}\n"));
    note("Open this address in a browser on this computer. It works once. Stop with Ctrl-C.\n");
    let at_the_door = tokio::spawn(door.serve(house));
    listening
        .serve(async move {
            stopped.await;
            at_the_door.abort();
        })
        .await?;
    Ok(Answer::new(serde_json::json!({"stopped": true}), ""))
}

fn default_home() -> Result<PathBuf, Failure> {
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let data = data.or_else(|| std::env::var_os("APPDATA").map(PathBuf::from));
    let data = data.or_else(|| std::env::home_dir().map(|home| home.join(".local").join("share")));
    data.map(|data| data.join("kiez"))
        .ok_or_else(|| Failure::usage("Where should the profile be? Say so with --home DIR."))
}

fn read_passphrase(new: bool) -> Result<Passphrase, Failure> {
    if let Ok(typed) = std::env::var("KIEZ_PASSPHRASE") {
        return Ok(Passphrase::new(&typed));
    }
    ask_passphrase("Passphrase: ", new)
}

/// Asks for one on the terminal; a new one twice.
fn ask_passphrase(prompt: &str, new: bool) -> Result<Passphrase, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "A passphrase is needed: type it at the prompt, or set KIEZ_PASSPHRASE (a new one: KIEZ_NEW_PASSPHRASE).",
        ));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).map_err(|error| Failure::new(Exit::Failed, "prompt", error))
    };
    let typed = ask(prompt)?;
    if new && ask("Once more: ")? != typed {
        return Err(Failure::usage("The two passphrases differ. Try again."));
    }
    Ok(Passphrase::new(&typed))
}

fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("KIEZ_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

fn parse_failure(error: &clap::Error, json: bool) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        say(&error.to_string());
        return ExitCode::SUCCESS;
    }
    fail(&Failure::usage(error.to_string().trim_end()), json)
}

/// Prints to standard output. A reader who went away (`kiez … | head`) is no failure.
fn say(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).ok();
}

/// Tells on standard error what is going on.
fn note(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).ok();
}

fn fail(failure: &Failure, json: bool) -> ExitCode {
    let text = if json {
        let error = serde_json::json!({"error": {"code": failure.code, "message": failure.message}});
        format!("{error}\n")
    } else {
        format!("{}\n", failure.message)
    };
    std::io::stderr().write_all(text.as_bytes()).ok();
    failure.exit.into()
}
