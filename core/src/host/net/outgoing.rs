//! What is to go out to one device, and waits until it takes it.
//!
//! Whoever says something never waits for that: two sides that both wait to write, and do not read meanwhile, would wait for
//! each other for ever. Instead it reads no more of what would make it say more, while too much waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWrite;
use tokio::sync::{mpsc, watch};

use crate::replica::limits::{FRAME_BYTES_MAX, OUTGOING_BYTES_MAX};
use crate::replica::wire::Frame;

use super::frames::{self, WireError};

/// Where a session leaves what it says.
#[derive(Debug)]
pub(super) struct Outgoing {
    frames: mpsc::UnboundedSender<Vec<u8>>,
    /// How many bytes wait.
    waiting: Arc<watch::Sender<usize>>,
}

/// What waits, for whoever writes it.
#[derive(Debug)]
pub(super) struct Waiting {
    frames: mpsc::UnboundedReceiver<Vec<u8>>,
    waiting: Arc<watch::Sender<usize>>,
}

pub(super) fn outgoing() -> (Outgoing, Waiting) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(watch::Sender::new(0));
    let outgoing = Outgoing {
        frames: sender,
        waiting: Arc::clone(&waiting),
    };
    let waiting = Waiting {
        frames: receiver,
        waiting,
    };
    (outgoing, waiting)
}

impl Outgoing {
    /// Leaves a frame. Where nobody writes any more, the session is about to end.
    pub(super) fn say(&self, frame: &Frame) -> Result<(), WireError> {
        let bytes = frames::framed(frame)?;
        self.waiting
            .send_modify(|waiting| *waiting = waiting.saturating_add(bytes.len()));
        self.frames.send(bytes).map_err(|_| WireError::Lost)
    }

    /// Waits until an answer to what the other side says may be left here, too.
    pub(super) async fn has_room(&self) {
        self.at_most(OUTGOING_BYTES_MAX).await;
    }

    /// Waits until the other side has taken nearly all of it: what changed here meanwhile is then said at once.
    pub(super) async fn is_short(&self) {
        self.at_most(FRAME_BYTES_MAX).await;
    }

    async fn at_most(&self, bytes: usize) {
        let mut waiting = self.waiting.subscribe();
        // The sender is here, so there is no error.
        waiting.wait_for(|waiting| *waiting <= bytes).await.ok();
    }
}

impl Waiting {
    /// Writes what waits until nothing more is said, or the other side takes nothing of it for so long.
    pub(super) async fn write<W: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut W,
        patience: Duration,
    ) -> Result<(), WireError> {
        while let Some(bytes) = self.frames.recv().await {
            frames::write_bytes(stream, &bytes, patience).await?;
            self.waiting
                .send_modify(|waiting| *waiting = waiting.saturating_sub(bytes.len()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::replica::codec::Blob;

    /// Longer than anything here takes.
    const LIMIT: Duration = Duration::from_secs(20);

    const PATIENCE: Duration = Duration::from_millis(50);

    fn part(bytes: usize) -> Frame {
        Frame::BundlePart {
            total: u64::MAX,
            bytes: Blob(vec![0; bytes]),
        }
    }

    async fn is_now(what: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::ZERO, what).await.is_ok()
    }

    #[tokio::test]
    async fn whoever_takes_nothing_is_given_up() {
        let (outgoing, mut waiting) = outgoing();
        let (mut here, there) = tokio::io::duplex(64);
        outgoing.say(&part(1_000)).unwrap();
        let written = tokio::time::timeout(LIMIT, waiting.write(&mut here, PATIENCE)).await;
        assert!(matches!(written, Ok(Err(WireError::Stalled))), "{written:?}");
        drop(there);
    }

    #[tokio::test]
    async fn whoever_has_nothing_to_say_is_patient_and_all_that_was_said_arrives() {
        let (outgoing, mut waiting) = outgoing();
        let (mut here, mut there) = tokio::io::duplex(64);
        let nothing = tokio::time::timeout(PATIENCE * 4, waiting.write(&mut here, PATIENCE)).await;
        assert!(nothing.is_err(), "{nothing:?}");
        for bytes in [1, 1_000, 100_000] {
            outgoing.say(&part(bytes)).unwrap();
        }
        drop(outgoing);
        let mut read = Vec::new();
        let writing = async move { waiting.write(&mut here, LIMIT).await };
        let (written, _) = tokio::join!(writing, there.read_to_end(&mut read));
        written.unwrap();
        assert!(read.len() > 101_001);
    }

    #[tokio::test]
    async fn while_too_much_waits_nothing_is_read_that_would_add_to_it() {
        let (outgoing, mut waiting) = outgoing();
        assert!(is_now(outgoing.has_room()).await && is_now(outgoing.is_short()).await);
        outgoing.say(&part(FRAME_BYTES_MAX)).unwrap();
        assert!(is_now(outgoing.has_room()).await && !is_now(outgoing.is_short()).await);
        let most = OUTGOING_BYTES_MAX / FRAME_BYTES_MAX;
        for _ in 1..most {
            outgoing.say(&part(FRAME_BYTES_MAX)).unwrap();
        }
        assert!(!is_now(outgoing.has_room()).await);
        let (mut here, mut there) = tokio::io::duplex(1 << 20);
        let writing = waiting.write(&mut here, LIMIT);
        let reading = async {
            let mut sink = vec![0; 1 << 20];
            while there.read(&mut sink).await.unwrap() > 0 {}
        };
        tokio::select! {
            _ = writing => panic!("more may be said"),
            () = reading => panic!("the stream is open"),
            () = async { outgoing.has_room().await; outgoing.is_short().await } => {}
        }
    }
}
