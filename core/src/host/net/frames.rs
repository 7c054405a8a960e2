//! Frames over a QUIC stream: a length of four bytes, little-endian, and the frame. And what a session is bound to.

use iroh::endpoint::{Connection, RecvStream, SendStream};

use crate::domain::id::DeviceId;
use crate::replica::limits::{FIRST_FRAME_BYTES_MAX, FRAME_BYTES_MAX};
use crate::replica::session::Channel;
use crate::replica::wire::{Frame, FrameError};

/// What separates the exporter of a session from any other use of the connection's secrets.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-kiez-session-1";

/// Why no frame came or went.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The stream ended or broke.
    #[error("the connection was lost")]
    Lost,
    /// What came is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Reads one frame. None where the stream ended properly.
pub(super) async fn read(stream: &mut RecvStream) -> Result<Option<Frame>, WireError> {
    read_within(stream, FRAME_BYTES_MAX).await
}

/// Reads the first frame of somebody who has shown nothing yet: a greeting or a request, both short.
pub(super) async fn read_first(stream: &mut RecvStream) -> Result<Option<Frame>, WireError> {
    read_within(stream, FIRST_FRAME_BYTES_MAX).await
}

async fn read_within(stream: &mut RecvStream, most: usize) -> Result<Option<Frame>, WireError> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length).await {
        Ok(()) => {}
        Err(iroh::endpoint::ReadExactError::FinishedEarly(0)) => return Ok(None),
        Err(_) => return Err(WireError::Lost),
    }
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > most {
        return Err(FrameError::TooLong.into());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.map_err(|_| WireError::Lost)?;
    Ok(Some(Frame::from_bytes(&bytes)?))
}

/// Writes one frame.
pub(super) async fn write(stream: &mut SendStream, frame: &Frame) -> Result<(), WireError> {
    let bytes = frame.to_bytes();
    let length = u32::try_from(bytes.len()).map_err(|_| FrameError::TooLong)?;
    let mut whole = length.to_le_bytes().to_vec();
    whole.extend(bytes);
    stream.write_all(&whole).await.map_err(|_| WireError::Lost)
}

/// What a session on this connection is bound to.
pub(super) fn channel(connection: &Connection) -> Result<Channel, WireError> {
    let mut exporter = [0; 32];
    connection
        .export_keying_material(&mut exporter, EXPORTER_LABEL, &[])
        .map_err(|_| WireError::Lost)?;
    Ok(Channel {
        exporter,
        peer: DeviceId(*connection.remote_id().as_bytes()),
    })
}
