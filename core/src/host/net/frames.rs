//! Frames over a QUIC stream: a length of four bytes, little-endian, and the frame. And what a session is bound to.

use std::time::Duration;

use iroh::endpoint::{Connection, RecvStream, SendStream};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::domain::id::DeviceId;
use crate::planted::{Guard, is_off};
use crate::replica::limits::{FIRST_FRAME_BYTES_MAX, FRAME_BYTES_MAX};
use crate::replica::session::Channel;
use crate::replica::wire::{Frame, FrameError};

/// What separates the exporter of a session from any other use of the connection's secrets.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-kiez-session-1";

/// How long whoever dials may take to say the first thing.
pub(super) const GREETING: Duration = Duration::from_secs(10);

/// How long the other side may take nothing of what is sent to it. It reads nothing while it takes in what came before,
/// which may be much.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// Why no frame came or went.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The stream ended or broke.
    #[error("the connection was lost")]
    Lost,
    /// The other side said nothing.
    #[error("the other device said nothing for too long")]
    Silent,
    /// The other side did not read.
    #[error("the other device took nothing of what was sent to it for too long")]
    Stalled,
    /// What came is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// The first frame of whoever dialled, a greeting or a request, and the stream it came on.
pub(super) async fn accept(connection: &Connection) -> Result<(SendStream, RecvStream, Frame), WireError> {
    let first = async {
        let (send, mut recv) = connection.accept_bi().await.map_err(|_| WireError::Lost)?;
        // They have shown nothing yet, and both are short.
        let frame = read_within(&mut recv, FIRST_FRAME_BYTES_MAX).await?;
        Ok((send, recv, frame.ok_or(WireError::Lost)?))
    };
    if is_off(Guard::Greeting) {
        return first.await;
    }
    tokio::time::timeout(GREETING, first)
        .await
        .unwrap_or(Err(WireError::Silent))
}

/// A stream to whoever was dialled, and the first frame on it.
pub(super) async fn open(
    connection: &Connection,
    first: &Frame,
) -> Result<(SendStream, RecvStream), WireError> {
    // How many streams there may be is up to the other side.
    let opened = tokio::time::timeout(GREETING, connection.open_bi()).await;
    let (mut send, recv) = opened
        .map_err(|_| WireError::Silent)?
        .map_err(|_| WireError::Lost)?;
    write(&mut send, first).await?;
    Ok((send, recv))
}

/// Reads one frame. None where the stream ended properly.
pub(super) async fn read(stream: &mut RecvStream) -> Result<Option<Frame>, WireError> {
    read_within(stream, FRAME_BYTES_MAX).await
}

async fn read_within(stream: &mut RecvStream, most: usize) -> Result<Option<Frame>, WireError> {
    let bytes = read_bytes(stream, most).await?;
    Ok(bytes.map(|bytes| Frame::from_bytes(&bytes)).transpose()?)
}

/// The bytes of one frame, whatever it is, at most so many. None where the stream ended properly.
pub(super) async fn read_bytes(stream: &mut RecvStream, most: usize) -> Result<Option<Vec<u8>>, WireError> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length).await {
        Ok(()) => {}
        Err(iroh::endpoint::ReadExactError::FinishedEarly(0)) => return Ok(None),
        Err(_) => return Err(WireError::Lost),
    }
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > most && !is_off(Guard::FrameLength) {
        return Err(FrameError::TooLong.into());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.map_err(|_| WireError::Lost)?;
    Ok(Some(bytes))
}

/// A frame as it goes over the stream.
pub(super) fn framed(frame: &Frame) -> Result<Vec<u8>, WireError> {
    with_length(frame.to_bytes())
}

/// Bytes with their length before them.
pub(super) fn with_length(bytes: Vec<u8>) -> Result<Vec<u8>, WireError> {
    let length = u32::try_from(bytes.len()).map_err(|_| FrameError::TooLong)?;
    let mut whole = length.to_le_bytes().to_vec();
    whole.extend(bytes);
    Ok(whole)
}

/// Writes one frame.
pub(super) async fn write(stream: &mut SendStream, frame: &Frame) -> Result<(), WireError> {
    write_bytes(stream, &framed(frame)?, PATIENCE).await
}

/// Writes as long as the other side takes something: slow is not gone.
pub(super) async fn write_bytes<W: AsyncWrite + Unpin>(
    stream: &mut W,
    mut bytes: &[u8],
    patience: Duration,
) -> Result<(), WireError> {
    while !bytes.is_empty() {
        let taken = tokio::time::timeout(patience, AsyncWriteExt::write(stream, bytes)).await;
        let taken = taken
            .map_err(|_| WireError::Stalled)?
            .map_err(|_| WireError::Lost)?;
        bytes = match bytes.get(taken..) {
            Some(rest) if taken > 0 => rest,
            Some(_) | None => return Err(WireError::Lost),
        };
    }
    Ok(())
}

/// What a session on this connection is bound to.
pub(super) fn channel(connection: &Connection) -> Result<Channel, WireError> {
    channel_for(connection, EXPORTER_LABEL)
}

/// The same for another purpose, by its label.
pub(super) fn channel_for(connection: &Connection, label: &[u8]) -> Result<Channel, WireError> {
    let mut exporter = [0; 32];
    connection
        .export_keying_material(&mut exporter, label, &[])
        .map_err(|_| WireError::Lost)?;
    Ok(Channel {
        exporter,
        peer: DeviceId(*connection.remote_id().as_bytes()),
    })
}
