//! One process stands at a profile's door at a time: the window, `kiez serve` or `kiez sync --listen`. Others of the same
//! user come there, by a socket in the profile's folder: with a command, when the profile is open there, or to have the
//! window shown.
//!
//! The door is another lock than the profile's own, since window and server stand there while the profile is locked, and
//! even before there is one. A command brings a proof that who sends it knows the passphrase.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(unix)]
use std::time::Duration;

use clap::Parser;
use kiez_core::host::keystore::{Home, KeystoreError, Passphrase};
use kiez_core::host::net::Network;
use kiez_core::host::node::Node;
use serde::{Deserialize, Serialize};
#[cfg(unix)]
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::api::house::House;
use crate::args::Cli;
use crate::execute::{self, Answer, Context};
use crate::failure::{Exit, Failure};

/// What another process wants.
#[derive(Serialize, Deserialize)]
enum Wish {
    Command(Command),
    Show,
}

/// A command from another process.
#[derive(Serialize, Deserialize)]
pub(crate) struct Command {
    arguments: Vec<String>,
    here: PathBuf,
    proof: [u8; 32],
}

/// A wish or an answer is at most so long.
#[cfg(unix)]
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How long another process may take to say what it wants, and to take the answer.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(5);

/// How many are listened to at the same time; further ones wait.
#[cfg(unix)]
const GUESTS_MAX: usize = 64;

/// What fits into a socket's address on every system.
#[cfg(unix)]
const ADDRESS_BYTES_MAX: usize = 100;

/// Shows that who asks knows the passphrase, without it lying in the socket's buffers: only the same user can connect.
fn proof(passphrase: &Passphrase) -> [u8; 32] {
    passphrase.fingerprint("kiez 1 handover")
}

/// Has the process that has the profile open do a command. None where it cannot be asked.
pub(crate) async fn ask(
    home: &Home,
    passphrase: &Passphrase,
    here: PathBuf,
    arguments: Vec<String>,
) -> Option<Result<Answer, Failure>> {
    let proof = proof(passphrase);
    wish(
        home,
        &Wish::Command(Command {
            arguments,
            here,
            proof,
        }),
    )
    .await
}

/// Has the process at the door show its window. None where nobody is there.
#[cfg(feature = "window")]
pub(crate) async fn show(home: &Home) -> Option<Result<Answer, Failure>> {
    wish(home, &Wish::Show).await
}

async fn wish(home: &Home, wish: &Wish) -> Option<Result<Answer, Failure>> {
    #[cfg(unix)]
    {
        let (_folder, path) = within_reach(&socket(home)).ok()?;
        let stream = tokio::net::UnixStream::connect(path).await.ok()?;
        let answer = answer_from(stream, wish).await;
        Some(answer.unwrap_or_else(|_| {
            Err(Failure::new(
                Exit::Failed,
                "handover",
                "The Kiez that has this profile open did not answer. It may have done what you asked: look before you \
                 repeat it.",
            ))
        }))
    }
    #[cfg(not(unix))]
    {
        let _ = (home, wish);
        None
    }
}

#[cfg(unix)]
async fn answer_from(
    mut stream: tokio::net::UnixStream,
    wish: &Wish,
) -> std::io::Result<Result<Answer, Failure>> {
    stream.write_all(&serde_json::to_vec(wish)?).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.take(BYTES_MAX).read_to_end(&mut answer).await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// What stands behind a door, for who wants to see a window.
#[derive(Debug, Clone)]
pub(crate) enum Behind {
    /// A window, which comes forward when this is told.
    #[cfg_attr(not(feature = "window"), expect(dead_code, reason = "there is no window"))]
    Window(Arc<Notify>),
    /// A page in a browser.
    Browser,
    /// `kiez sync --listen`.
    Listener,
}

impl Behind {
    #[cfg(unix)]
    fn show(&self) -> Result<Answer, Failure> {
        match self {
            Self::Window(forward) => {
                forward.notify_one();
                Ok(Answer::new(serde_json::json!({"shown": true}), ""))
            }
            Self::Browser => Err(in_use(
                "Kiez shows this profile in a browser (`kiez serve`). Stop that, then open the window.",
            )),
            Self::Listener => Err(in_use(
                "Kiez listens with this profile (`kiez sync --listen`). Stop that, then open the window: it listens, too.",
            )),
        }
    }
}

fn in_use(message: &str) -> Failure {
    Failure::new(Exit::Failed, "in-use", message)
}

/// A command, and where its answer goes.
pub(crate) struct Asked {
    command: Command,
    reply: oneshot::Sender<Result<Answer, Failure>>,
}

/// Where other processes come. Dropping it closes it.
pub(crate) struct Door {
    asked: mpsc::Receiver<Asked>,
    _standing: Standing,
}

/// What ends with the door, the lock last.
struct Standing {
    socket: PathBuf,
    _listening: JoinSet<()>,
    _lock: File,
}

impl Drop for Standing {
    fn drop(&mut self) {
        // Where it cannot be removed, it is when the next door is opened.
        std::fs::remove_file(&self.socket).ok();
    }
}

fn socket(home: &Home) -> PathBuf {
    home.directory().join("socket")
}

/// Opens it. Fails where another process stands there. Whoever comes before [`Door::next`] waits.
pub(crate) fn open(home: &Home, behind: Behind) -> Result<Door, Failure> {
    let failed = |error: std::io::Error| Failure::io(home.directory(), &error);
    private_directory(home.directory()).map_err(failed)?;
    let lock = private_file(&home.directory().join("door")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(in_use(
                "Another Kiez stands open with this profile, starts or ends: look for its window, `kiez serve` or \
                 `kiez sync --listen`.",
            ));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let socket = socket(home);
    let (sender, asked) = mpsc::channel(1);
    let mut listening = JoinSet::new();
    #[cfg(unix)]
    match bind(&socket) {
        Ok(listener) => drop(listening.spawn(listen(listener, behind, sender))),
        // On a stick, for example. All but commands from outside works.
        Err(error) => tracing::warn!("no socket at {}: {error}", socket.display()),
    }
    #[cfg(not(unix))]
    drop((behind, sender));
    Ok(Door {
        asked,
        _standing: Standing {
            socket,
            _listening: listening,
            _lock: lock,
        },
    })
}

impl Door {
    /// Waits for a command.
    pub(crate) async fn next(&mut self) -> Asked {
        match self.asked.recv().await {
            Some(asked) => asked,
            None => std::future::pending().await,
        }
    }

    /// Does what other processes ask in a house, each for itself: one that waits for a neighbour holds up nobody. Dropping
    /// this stops what is not done.
    pub(crate) async fn serve(mut self, house: House) {
        let mut doing = JoinSet::new();
        loop {
            tokio::select! {
                asked = self.next() => drop(doing.spawn(obey_in(house.clone(), asked))),
                Some(_) = doing.join_next() => {}
            }
        }
    }
}

async fn obey_in(house: House, asked: Asked) {
    let mut stops = house.closing_stops();
    // Waits while the profile is being opened.
    let open = house.open().await;
    let outcome = match open.as_ref() {
        Some(open) => {
            let known = Known {
                node: &open.node,
                passphrase: &open.passphrase(),
                network: &open.network,
            };
            tokio::select! {
                outcome = obey(known, asked.command) => outcome,
                () = stops.stopped() => Err(in_use("The profile was locked meanwhile. Open it, and try again.")),
            }
        }
        // Whoever asks could not open the profile, and it is not open here.
        None => Err(in_use(
            "Another Kiez is busy with this profile. Try again in a moment.",
        )),
    };
    // Who asked may be gone.
    asked.reply.send(outcome).ok();
}

/// An open profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) node: &'a Node,
    pub(crate) passphrase: &'a Passphrase,
    pub(crate) network: &'a Network,
}

impl Asked {
    /// Does it.
    pub(crate) async fn obey(self, known: Known<'_>) {
        let outcome = obey(known, self.command).await;
        self.reply.send(outcome).ok();
    }
}

async fn obey(known: Known<'_>, command: Command) -> Result<Answer, Failure> {
    if command.proof != proof(known.passphrase) {
        return Err(KeystoreError::WrongPassphrase.into());
    }
    let cli = Cli::try_parse_from(&command.arguments).map_err(Failure::usage)?;
    let context = Context {
        node: known.node.clone(),
        passphrase: known.passphrase.clone(),
        here: command.here,
        network: Some(known.network),
    };
    execute::execute(&context, cli).await
}

/// Listens to everybody on their own: who says nothing, or does not read, holds up nobody.
#[cfg(unix)]
async fn listen(listener: tokio::net::UnixListener, behind: Behind, asked: mpsc::Sender<Asked>) {
    let mut guests = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if guests.len() < GUESTS_MAX => {
                if let Ok((stream, _)) = accepted {
                    guests.spawn(attend(stream, behind.clone(), asked.clone()));
                }
            }
            Some(_) = guests.join_next() => {}
        }
    }
}

/// Listens to one other process, has done what it wants, and tells it.
#[cfg(unix)]
async fn attend(mut stream: tokio::net::UnixStream, behind: Behind, asked: mpsc::Sender<Asked>) {
    let mut said = Vec::new();
    let mut limited = (&mut stream).take(BYTES_MAX);
    let read = limited.read_to_end(&mut said);
    let Ok(Ok(_)) = tokio::time::timeout(PATIENCE, read).await else {
        return;
    };
    let outcome = match serde_json::from_slice(&said) {
        Ok(Wish::Command(command)) => {
            let (reply, done) = oneshot::channel();
            if asked.send(Asked { command, reply }).await.is_err() {
                return;
            }
            let Ok(outcome) = done.await else { return };
            outcome
        }
        Ok(Wish::Show) => behind.show(),
        Err(error) => Err(Failure::new(Exit::Failed, "handover", error)),
    };
    if let Ok(bytes) = serde_json::to_vec(&outcome) {
        tokio::time::timeout(PATIENCE, stream.write_all(&bytes))
            .await
            .ok();
    }
}

/// Listens where only this user can connect, also where the folder was made by somebody else.
#[cfg(unix)]
fn bind(path: &Path) -> std::io::Result<tokio::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    // Left behind by a process that was killed: the lock says that nobody else is here.
    std::fs::remove_file(path).ok();
    let (_folder, short) = within_reach(path)?;
    let listener = tokio::net::UnixListener::bind(short)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The same place by a name that a socket's address has room for (108 bytes on Linux, 104 elsewhere): by way of the open
/// folder where the system has such names.
#[cfg(unix)]
fn within_reach(path: &Path) -> std::io::Result<(Option<File>, PathBuf)> {
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok((None, path.to_path_buf()));
    };
    if path.as_os_str().as_bytes().len() < ADDRESS_BYTES_MAX {
        return Ok((None, path.to_path_buf()));
    }
    let folder = File::open(folder)?;
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string());
    Ok((Some(folder), short.join(name)))
}

/// Makes the profile's folder where it is missing, open to this user alone.
fn private_directory(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
