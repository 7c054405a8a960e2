//! Which sessions run, and with whom: one a device and group is enough.
//!
//! Two devices that hear of each other at the same moment both dial. Of two such sessions the one that the smaller device
//! id dialled stays: both sides decide alike, without a word. Otherwise the newest stays, since whoever dials has lost the
//! one before, also where that is not known here yet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::domain::id::{DeviceId, GroupId};

/// Sessions that begin within this time, dialled by both, were dialled without knowing of each other.
const TOGETHER: Duration = Duration::from_secs(4);

type Place = (GroupId, DeviceId);

/// All sessions that run.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    running: Mutex<BTreeMap<Place, Vec<Arc<Running>>>>,
}

/// One session.
#[derive(Debug)]
pub(super) struct Running {
    dialler: DeviceId,
    begun: Instant,
    gives_way: Notify,
}

impl Sessions {
    /// A session begins. It, or the others with the same device in the same group, are told to give way.
    pub(super) fn begin(&self, place: Place, dialler: DeviceId, now: Instant) -> Arc<Running> {
        let new = Arc::new(Running {
            dialler,
            begun: now,
            gives_way: Notify::new(),
        });
        let mut running = self.lock();
        let others = running.entry(place).or_default();
        for other in others.iter() {
            let together = now.saturating_duration_since(other.begun) < TOGETHER;
            let new_gives_way = together && other.dialler < dialler;
            let loser = if new_gives_way { &new } else { other };
            loser.gives_way.notify_one();
        }
        others.push(Arc::clone(&new));
        new
    }

    /// A session has ended.
    pub(super) fn end(&self, place: Place, session: &Arc<Running>) {
        let mut running = self.lock();
        if let Some(with) = running.get_mut(&place) {
            with.retain(|other| !Arc::ptr_eq(other, session));
            if with.is_empty() {
                running.remove(&place);
            }
        }
    }

    /// Does a session run with this device in this group?
    pub(super) fn any_with(&self, place: Place) -> bool {
        self.lock().contains_key(&place)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, Vec<Arc<Running>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Waits until the session is to give way to another one.
    pub(super) async fn gives_way(&self) {
        self.gives_way.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::clock::instant;

    const SMALL: DeviceId = DeviceId([1; 32]);
    const LARGE: DeviceId = DeviceId([2; 32]);
    const PLACE: Place = (GroupId([3; 32]), LARGE);

    async fn is_told(session: &Running) -> bool {
        tokio::time::timeout(Duration::ZERO, session.gives_way())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn of_two_that_crossed_the_one_that_the_smaller_device_dialled_stays() {
        for order in [[SMALL, LARGE], [LARGE, SMALL]] {
            let sessions = Sessions::default();
            let both = order.map(|dialler| sessions.begin(PLACE, dialler, instant()));
            for session in both {
                assert_eq!(is_told(&session).await, session.dialler == LARGE);
            }
        }
    }

    #[tokio::test]
    async fn later_the_newest_stays_whoever_dialled() {
        for order in [[SMALL, LARGE], [LARGE, SMALL], [SMALL, SMALL]] {
            let sessions = Sessions::default();
            let now = instant();
            let [old, new] = [(order[0], now), (order[1], now + TOGETHER)]
                .map(|(dialler, at)| sessions.begin(PLACE, dialler, at));
            assert!(is_told(&old).await && !is_told(&new).await);
        }
    }

    #[test]
    fn what_has_ended_does_not_run() {
        let sessions = Sessions::default();
        let one = sessions.begin(PLACE, SMALL, instant());
        assert!(sessions.any_with(PLACE));
        sessions.end(PLACE, &one);
        assert!(!sessions.any_with(PLACE));
    }
}
