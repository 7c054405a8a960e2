//! One process has a profile open at a time. A second one hands it its command over a socket in the profile's folder,
//! which only this user can open, and shows the answer. The passphrase goes along and is checked there.

#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;
#[cfg(unix)]
use std::time::Duration;

use clap::Parser;
use kiez_core::host::keystore::{Home, Passphrase};
use kiez_core::host::net::Network;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
#[cfg(unix)]
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use crate::args::Cli;
use crate::execute::{self, Answer, Context};
use crate::failure::{Exit, Failure};

/// A command from another process.
#[derive(Serialize, Deserialize)]
struct Request {
    arguments: Vec<String>,
    here: PathBuf,
    proof: [u8; 32],
}

/// A request or an answer is at most so long.
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

/// A request, and where its answer goes.
#[cfg(unix)]
type Asked = (Request, oneshot::Sender<Result<Answer, Failure>>);

fn socket(home: &Home) -> PathBuf {
    home.directory().join("socket")
}

/// The same place by a name that a socket's address has room for (108 bytes on Linux, 104 elsewhere): by way of the open
/// folder where the system has such names.
#[cfg(unix)]
fn within_reach(path: &Path) -> std::io::Result<(Option<std::fs::File>, PathBuf)> {
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok((None, path.to_path_buf()));
    };
    if path.as_os_str().as_bytes().len() < ADDRESS_BYTES_MAX {
        return Ok((None, path.to_path_buf()));
    }
    let folder = std::fs::File::open(folder)?;
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string());
    Ok((Some(folder), short.join(name)))
}

/// Shows that who asks knows the passphrase, without it lying in the socket's buffers: only the same user can connect.
fn proof(passphrase: &Passphrase) -> [u8; 32] {
    passphrase.fingerprint("kiez 1 handover")
}

/// Asks the process that has the profile open. None where it cannot be asked.
pub(crate) async fn ask(
    home: &Home,
    passphrase: &Passphrase,
    here: PathBuf,
    arguments: Vec<String>,
) -> Option<Result<Answer, Failure>> {
    #[cfg(unix)]
    {
        let (_folder, path) = within_reach(&socket(home)).ok()?;
        let stream = tokio::net::UnixStream::connect(path).await.ok()?;
        let request = Request {
            arguments,
            here,
            proof: proof(passphrase),
        };
        let answer = answer_from(stream, &request).await;
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
        let _ = (home, passphrase, here, arguments, BYTES_MAX);
        None
    }
}

#[cfg(unix)]
async fn answer_from(
    mut stream: tokio::net::UnixStream,
    request: &Request,
) -> std::io::Result<Result<Answer, Failure>> {
    stream.write_all(&serde_json::to_vec(request)?).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.take(BYTES_MAX).read_to_end(&mut answer).await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// Where other processes come with their commands.
#[cfg(unix)]
pub(crate) type Door = tokio::net::UnixListener;
#[cfg(not(unix))]
pub(crate) type Door = ();

/// Opens it; whoever comes before [`serve`] waits.
pub(crate) fn open(home: &Home) -> Result<Door, Failure> {
    #[cfg(unix)]
    {
        let path = socket(home);
        bind(&path).map_err(|error| Failure::io(&path, &error))
    }
    #[cfg(not(unix))]
    {
        let _ = home;
        Ok(())
    }
}

/// Does what other processes ask, until stopped.
pub(crate) async fn serve(
    door: Door,
    context: &Context<'_>,
    network: &Network,
    stopped: impl Future<Output = ()>,
) {
    #[cfg(unix)]
    {
        let mut stopped = std::pin::pin!(stopped);
        let mut joined = network.joined();
        // Everybody is listened to and answered on their own: who says nothing, or does not read, holds up nobody.
        let mut guests = JoinSet::new();
        let (asked, mut requests) = mpsc::channel(1);
        loop {
            tokio::select! {
                () = &mut stopped => break,
                Ok(()) = joined.changed() => {
                    if let Some(joined) = &*joined.borrow_and_update() {
                        crate::note(&format!("Somebody joined. Both screens show {}.\n", joined.code));
                    }
                }
                accepted = door.accept(), if guests.len() < GUESTS_MAX => {
                    if let Ok((stream, _)) = accepted {
                        guests.spawn(attend(stream, asked.clone()));
                    }
                }
                Some(_) = guests.join_next() => {}
                Some((request, reply)) = requests.recv() => {
                    // One after the other: the node does one thing at a time anyway.
                    tokio::select! {
                        () = &mut stopped => break,
                        outcome = obey(context, network, request) => {
                            // Who asked may be gone.
                            reply.send(outcome).ok();
                        }
                    }
                }
            }
        }
        std::fs::remove_file(socket(context.node.home())).ok();
    }
    #[cfg(not(unix))]
    {
        let _ = (door, context, network);
        stopped.await;
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

/// Listens to one other process, has done what it asks, and tells it.
#[cfg(unix)]
async fn attend(mut stream: tokio::net::UnixStream, asked: mpsc::Sender<Asked>) {
    let mut request = Vec::new();
    let mut limited = (&mut stream).take(BYTES_MAX);
    let read = limited.read_to_end(&mut request);
    let Ok(Ok(_)) = tokio::time::timeout(PATIENCE, read).await else {
        return;
    };
    let outcome = match serde_json::from_slice(&request) {
        Ok(request) => {
            let (reply, done) = oneshot::channel();
            if asked.send((request, reply)).await.is_err() {
                return;
            }
            let Ok(outcome) = done.await else { return };
            outcome
        }
        Err(error) => Err(Failure::new(Exit::Failed, "handover", error)),
    };
    if let Ok(bytes) = serde_json::to_vec(&outcome) {
        tokio::time::timeout(PATIENCE, stream.write_all(&bytes))
            .await
            .ok();
    }
}

#[cfg(unix)]
async fn obey(context: &Context<'_>, network: &Network, request: Request) -> Result<Answer, Failure> {
    if request.proof != proof(&context.passphrase) {
        return Err(kiez_core::host::keystore::KeystoreError::WrongPassphrase.into());
    }
    let cli = Cli::try_parse_from(&request.arguments).map_err(Failure::usage)?;
    let context = Context {
        node: context.node.clone(),
        passphrase: context.passphrase.clone(),
        here: request.here,
        network: Some(network),
    };
    execute::execute(&context, cli).await
}
