//! When a profile is locked by itself: some time after the person last did something here. What others bring is nothing that
//! the person did.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kiez_core::domain::id::Timestamp;
use kiez_core::host::clock;
use kiez_core::host::node::Node;
use tokio::sync::oneshot;

use super::house::House;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(10);

/// When the person last did something. By two clocks: the one that never runs backwards stands still while a laptop sleeps.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Mutex<(Instant, Timestamp)>>);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new((clock::instant(), clock::now()))))
    }

    /// The person did something.
    pub(super) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (clock::instant(), clock::now());
    }

    /// For how long they have done nothing.
    fn since(&self) -> Duration {
        let (instant, time) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        longer(
            clock::instant().saturating_duration_since(instant),
            time,
            clock::now(),
        )
    }
}

fn longer(awake: Duration, then: Timestamp, now: Timestamp) -> Duration {
    awake.max(Duration::from_millis(now.0.saturating_sub(then.0)))
}

fn is_over(since: Duration, minutes: Option<u16>) -> bool {
    minutes.is_some_and(|minutes| since >= Duration::from_secs(u64::from(minutes).saturating_mul(60)))
}

/// Locks the house once its person was away for long, until the profile is closed otherwise.
pub(super) async fn watch(house: House, node: Node, activity: Activity, mut closed: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = &mut closed => return,
        }
        let minutes = tokio::task::block_in_place(|| node.lock_after()).unwrap_or_default();
        if is_over(activity.since(), minutes) {
            break;
        }
    }
    // Else it would hold the profile open itself.
    drop(node);
    house.lock().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_away_for_so_many_minutes_is_locked_out_also_while_the_laptop_slept() {
        let minute = Duration::from_secs(60);
        assert!(!is_over(15 * minute, None));
        assert!(!is_over(15 * minute - Duration::from_millis(1), Some(15)));
        assert!(is_over(15 * minute, Some(15)));
        let slept = longer(minute, Timestamp(1_000), Timestamp(1_000 + 20 * 60_000));
        assert_eq!(slept, 20 * minute);
        // A clock that was set back says nothing.
        assert_eq!(longer(minute, Timestamp(90_000), Timestamp(1_000)), minute);
    }
}
