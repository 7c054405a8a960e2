//! What concerns the person on this computer: a backup, being somebody again, another passphrase, the end of a profile.

use std::io::{BufRead, IsTerminal, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kiez_core::host::keystore::{Home, Passphrase, RecoveryWords};
use kiez_core::host::node::{BackedUp, Node, Progress};
use serde_json::json;
use tokio::task::block_in_place;

use crate::args::RecoverArgs;
use crate::exchange;
use crate::execute::{Answer, Context};
use crate::failure::{Exit, Failure};
use crate::text;

/// Recovery words as somebody may have typed them are at most so long, in bytes.
const WORDS_BYTES_MAX: u64 = 4 * 1024;

/// Within the runtime: writes a backup. With Ctrl-C nothing of it is left.
pub(crate) fn back_up(context: &Context<'_>, file: &Path) -> Result<Answer, Failure> {
    let path = context.here.join(file);
    // Where the command came from another process, this one goes on after it.
    let alone = context.network.is_none();
    let stopped = Stopped::listening(alone);
    let mut on = |progress: Progress| {
        if alone {
            say_progress(progress, "written");
        }
        stopped.go_on()
    };
    let written = block_in_place(|| context.node.back_up(&context.passphrase, &path, &mut on))?;
    let json = json!({
        "file": path.display().to_string(), "bytes": written.bytes, "groups": written.groups, "made": written.made,
    });
    Ok(Answer::new(json, text::backed_up(&written, &path)))
}

/// Within the runtime: makes a profile of a backup or of recovery words.
pub(crate) fn recover(home: &Home, wanted: &RecoverArgs) -> Result<Answer, Failure> {
    if home.holds_profile() {
        // Before anything is asked.
        return Err(
            kiez_core::host::keystore::KeystoreError::ProfileExists(home.directory().to_path_buf()).into(),
        );
    }
    match (&wanted.backup, &wanted.name) {
        (Some(file), _) => {
            let passphrase = crate::read_passphrase(false)?;
            let stopped = Stopped::listening(true);
            let mut on = |progress: Progress| {
                say_progress(progress, "restored");
                stopped.go_on()
            };
            let (node, read) = block_in_place(|| Node::recover(home, &passphrase, file, &mut on))?;
            recovered(&node, Some(&read))
        }
        (None, Some(name)) => {
            let words = read_words()?;
            let passphrase = crate::read_passphrase(true)?;
            let node = block_in_place(|| Node::restore(home, name, &passphrase, &words))?;
            recovered(&node, None)
        }
        (None, None) => Err(Failure::usage("Say your name, too: --name NAME.")),
    }
}

fn recovered(node: &Node, from: Option<&BackedUp>) -> Result<Answer, Failure> {
    let name = node.profile_name()?;
    let json = json!({
        "id": node.me().person, "person": node.me().person, "device": node.me().device_id(), "name": name,
        "groups": node.groups()?, "made": from.map(|from| from.made),
    });
    Ok(Answer::new(json, text::recovered(&name, from)))
}

/// Has the profile open with another passphrase from now on.
pub(crate) fn change_passphrase(context: &Context<'_>) -> Result<Answer, Failure> {
    if context.network.is_some() {
        return Err(Failure::new(
            Exit::Failed,
            "in-use",
            "Another Kiez has this profile open: change the passphrase in its settings, or close it first.",
        ));
    }
    let new = match std::env::var("KIEZ_NEW_PASSPHRASE") {
        Ok(typed) => Passphrase::new(&typed),
        Err(_) => crate::ask_passphrase("New passphrase: ", true)?,
    };
    context.node.change_passphrase(&context.passphrase, &new)?;
    Ok(Answer::new(
        json!({"changed": true}),
        "The new passphrase is valid. Backups that were made before open with the old one.\n",
    ))
}

/// Says after how many minutes without the person the profile is locked.
pub(crate) fn lock_after(context: &Context<'_>, minutes: &str) -> Result<Answer, Failure> {
    let minutes = match minutes {
        "never" => None,
        typed => {
            let typed: Option<u16> = typed.parse().ok().filter(|minutes| *minutes > 0);
            Some(typed.ok_or_else(|| Failure::usage("Give whole minutes from 1 to 65535, or never."))?)
        }
    };
    context.node.set_lock_after(minutes)?;
    let said = match minutes {
        Some(minutes) => format!("Window and browser lock after {minutes} minutes without you.\n"),
        None => "Window and browser do not lock by themselves.\n".to_owned(),
    };
    Ok(Answer::new(json!({"lock_after": minutes}), said))
}

/// Makes away with the profile, once the person has said that they mean it.
pub(crate) fn erase(home: &Home, yes: bool) -> Result<Answer, Failure> {
    if !yes {
        confirm_erasure(home)?;
    }
    home.erase()?;
    Ok(Answer::new(
        json!({"erased": true}),
        "The profile is erased from this computer. What the others have of it, they keep.\n",
    ))
}

fn confirm_erasure(home: &Home) -> Result<(), Failure> {
    let folder = home.directory().display();
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "Nobody can be asked here: say that you mean it with --yes.",
        ));
    }
    crate::note(&format!(
        "This erases the profile in {folder} from this computer: your keys, and its copies of your groups. The others keep \
         theirs. To come back you need your recovery words, a backup or another computer of yours.\nType erase to go on: "
    ));
    if line()?.trim() == "erase" {
        Ok(())
    } else {
        Err(Failure::new(Exit::Failed, "stopped", "Nothing was erased."))
    }
}

/// A line that is typed, or comes on standard input. Empty where there is none.
pub(crate) fn line() -> Result<String, Failure> {
    let mut line = String::new();
    let mut input = std::io::stdin().lock().take(WORDS_BYTES_MAX);
    input
        .read_line(&mut line)
        .map_err(|error| Failure::new(Exit::Failed, "prompt", error))?;
    Ok(line)
}

/// The recovery words: typed in one line, or all of standard input.
fn read_words() -> Result<RecoveryWords, Failure> {
    let typed = if std::io::stdin().is_terminal() {
        crate::note("Your 24 recovery words, in one line: ");
        line()?
    } else {
        let mut all = String::new();
        std::io::stdin()
            .take(WORDS_BYTES_MAX)
            .read_to_string(&mut all)
            .map_err(|error| Failure::new(Exit::Failed, "prompt", error))?;
        all
    };
    Ok(RecoveryWords::parse(&typed)?)
}

fn say_progress(progress: Progress, what: &str) {
    if progress.of > 0 {
        crate::note(&format!("{} of {} groups {what}\n", progress.done, progress.of));
    }
}

/// Whether Ctrl-C, or whoever ends this process, has asked to stop.
struct Stopped(Arc<AtomicBool>);

impl Stopped {
    fn listening(alone: bool) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        if alone {
            let told = Arc::clone(&stopped);
            let signal = exchange::stop_signal();
            tokio::spawn(async move {
                signal.await;
                told.store(true, Ordering::Relaxed);
            });
        }
        Self(stopped)
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
