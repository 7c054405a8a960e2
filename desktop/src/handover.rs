//! One process has a profile open at a time. A second one hands it its command over a socket in the profile's folder,
//! which only this user can open, and shows the answer. The passphrase goes along and is checked there.

use std::path::PathBuf;

use clap::Parser;
use kiez_core::host::keystore::{Home, Passphrase};
use kiez_core::host::net::Network;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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

fn socket(home: &Home) -> PathBuf {
    home.directory().join("socket")
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
        let mut stream = tokio::net::UnixStream::connect(socket(home)).await.ok()?;
        let request = Request {
            arguments,
            here,
            proof: proof(passphrase),
        };
        let request = serde_json::to_vec(&request).ok()?;
        stream.write_all(&request).await.ok()?;
        stream.shutdown().await.ok()?;
        let mut answer = Vec::new();
        stream.take(BYTES_MAX).read_to_end(&mut answer).await.ok()?;
        serde_json::from_slice(&answer).ok()
    }
    #[cfg(not(unix))]
    {
        let _ = (home, passphrase, here, arguments, BYTES_MAX);
        None
    }
}

/// Does what other processes ask, until stopped.
pub(crate) async fn serve(
    context: &Context<'_>,
    network: &Network,
    stopped: impl Future<Output = ()>,
) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        let path = socket(context.node.home());
        // Left behind by a process that was killed: the lock says that nobody else is here.
        std::fs::remove_file(&path).ok();
        let listener = tokio::net::UnixListener::bind(&path).map_err(|error| Failure::io(&path, &error))?;
        let mut stopped = std::pin::pin!(stopped);
        let mut joined = network.joined();
        loop {
            tokio::select! {
                () = &mut stopped => break,
                Ok(()) = joined.changed() => {
                    if let Some(joined) = &*joined.borrow_and_update() {
                        crate::note(&format!("Somebody joined. Both screens show {}.\n", joined.code));
                    }
                }
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        // One after the other: the node does one thing at a time anyway.
                        tokio::select! {
                            () = &mut stopped => break,
                            () = answer(context, network, stream) => {}
                        }
                    }
                }
            }
        }
        std::fs::remove_file(&path).ok();
    }
    #[cfg(not(unix))]
    {
        let _ = (context, network);
        stopped.await;
    }
    Ok(())
}

#[cfg(unix)]
async fn answer(context: &Context<'_>, network: &Network, mut stream: tokio::net::UnixStream) {
    let mut request = Vec::new();
    let read = (&mut stream).take(BYTES_MAX).read_to_end(&mut request).await;
    let Ok(request) = read.map(|_| serde_json::from_slice::<Request>(&request)) else {
        return;
    };
    let outcome = match request {
        Ok(request) => obey(context, network, request).await,
        Err(error) => Err(Failure::new(Exit::Failed, "handover", error)),
    };
    if let Ok(bytes) = serde_json::to_vec(&outcome) {
        stream.write_all(&bytes).await.ok();
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
