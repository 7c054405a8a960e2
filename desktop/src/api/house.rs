//! The profile behind the pages: there is none, it is locked, or it is open with its network.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kiez_core::domain::id::GroupId;
use kiez_core::host::keystore::{Home, Passphrase, RecoveryWords};
use kiez_core::host::net::{Contacts, Joined, Network, Offer};
use kiez_core::host::node::{Changed, HeldPassphrase, Node};
use serde::Serialize;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, broadcast, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle, block_in_place};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};
use ts_rs::TS;

use super::Fault;
use super::example::{Example, Language};
use super::idle::{self, Activity};

/// How many events a page may lag behind; then it is told to ask for everything again.
const EVENTS: usize = 256;

/// So many things that are done once are remembered; a page has few of them under way.
const ONCE_MAX: usize = 512;

/// How long their numbers are, in letters.
const ONCE_LENGTH: RangeInclusive<usize> = 16..=64;

/// What goes on for longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// A copy is being put together.
    Gathering,
    /// What a copy brought is being taken in.
    TakingIn,
}

/// What pages are told without asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[ts(rename = "News")]
pub(crate) enum Event {
    /// Something changed in a group: ask again for what is on the screen.
    Changed {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// Who is near, or what others have, changed.
    Contacts {},
    /// Somebody came in by an invitation of this device.
    Joined {
        #[ts(type = "string")]
        group: GroupId,
        /// Both screens show it.
        code: String,
    },
    /// It stands otherwise with a further computer of this person.
    Device {},
    /// The first computer is there, and asks its person whether it shows this code, too.
    DeviceCode { code: String },
    /// The profile was opened or locked, or what it says of the person changed.
    Door {},
    /// A copy goes on.
    Copying { step: Step },
    /// Some events were missed: ask again for everything.
    Everything {},
    /// The window closes: what was typed is to be said now, and then that it was.
    #[cfg_attr(
        not(feature = "window"),
        expect(dead_code, reason = "told by the window only")
    )]
    Closing {},
}

/// The profile while it is open.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) node: Node,
    pub(crate) network: Network,
    held: Arc<HeldPassphrase>,
    /// Where it is one to look around in: its folder, which goes when this is dropped.
    pub(super) example: Option<Example>,
    watching: AbortHandle,
    numbering: JoinHandle<()>,
    leaving: Arc<AtomicBool>,
    /// Dropped with it: then nobody waits any more to lock it.
    _idle: oneshot::Sender<()>,
}

impl Open {
    /// The passphrase that is valid now.
    pub(crate) fn passphrase(&self) -> Passphrase {
        self.held.now()
    }

    async fn close(self) {
        self.watching.abort();
        self.leaving.store(true, Ordering::Relaxed);
        self.network.stop().await;
        // It holds the profile open.
        self.numbering.await.ok();
    }
}

/// What goes on for long, and how it hears that it is to stop. To be had before the profile is asked for: then no stop is
/// missed.
#[derive(Debug)]
pub(crate) struct Stops(watch::Receiver<()>);

impl Stops {
    /// Waits until it is to stop.
    pub(crate) async fn stopped(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The one house of this process.
#[derive(Debug, Clone)]
pub(crate) struct House {
    home: Home,
    open: Arc<RwLock<Option<Open>>>,
    told: broadcast::Sender<Event>,
    /// Whoever waits to be let in is to wait no longer.
    joining: watch::Sender<()>,
    /// The profile is about to be closed.
    closing: watch::Sender<()>,
    /// What was done lately of what is done once.
    done: Arc<Mutex<VecDeque<String>>>,
    activity: Activity,
}

impl House {
    pub(crate) fn new(home: Home) -> Self {
        Self {
            home,
            open: Arc::default(),
            told: broadcast::channel(EVENTS).0,
            joining: watch::channel(()).0,
            closing: watch::channel(()).0,
            done: Arc::default(),
            activity: Activity::new(),
        }
    }

    /// Its folder.
    pub(crate) const fn home(&self) -> &Home {
        &self.home
    }

    /// The open profile; the guard keeps it open.
    pub(crate) async fn open(&self) -> RwLockReadGuard<'_, Option<Open>> {
        self.open.read().await
    }

    /// The same, for who can do nothing while it is locked.
    pub(super) async fn unlocked(&self) -> Result<RwLockReadGuard<'_, Open>, Fault> {
        RwLockReadGuard::try_map(self.open().await, Option::as_ref).map_err(|_| Fault::new("locked"))
    }

    /// Tells pages what happens. Who lags behind is told to ask for everything again.
    pub(crate) fn events(&self) -> impl Stream<Item = Event> + Send + Unpin + use<> {
        BroadcastStream::new(self.told.subscribe()).map(|event| event.unwrap_or(Event::Everything {}))
    }

    pub(crate) fn tell(&self, event: Event) {
        // No page listening is no error.
        self.told.send(event).ok();
    }

    pub(super) fn tell_door(&self) {
        self.tell(Event::Door {});
    }

    /// Makes a profile, and opens it.
    pub(super) async fn create(&self, name: &str, passphrase: &str) -> Result<(), Fault> {
        self.begin(passphrase, |passphrase| {
            Ok(Node::create(&self.home, name, passphrase)?)
        })
        .await
    }

    /// Makes a profile for who has their recovery words, and opens it.
    pub(super) async fn restore(&self, words: &str, name: &str, passphrase: &str) -> Result<(), Fault> {
        let words = RecoveryWords::parse(words)?;
        self.begin(passphrase, |passphrase| {
            Ok(Node::restore(&self.home, name, passphrase, &words)?)
        })
        .await
    }

    /// Opens the profile.
    pub(super) async fn unlock(&self, passphrase: &str) -> Result<(), Fault> {
        self.begin(passphrase, |passphrase| Ok(Node::open(&self.home, passphrase)?))
            .await
    }

    /// Opens a profile that was just made.
    pub(super) async fn open_made(&self, node: Node, passphrase: &str) -> Result<(), Fault> {
        self.begin(passphrase, |_| Ok(node)).await
    }

    /// The person did something: it is not locked for a while.
    pub(super) fn active(&self) {
        self.activity.note();
    }

    /// Closes the profile, and makes away with it.
    pub(super) async fn erase(&self) -> Result<(), Fault> {
        // In one go: nobody opens it between.
        let mut open = self.to_close().await;
        if let Some(open) = open.take() {
            let example = open.example.is_some();
            open.close().await;
            if example {
                return Err(Fault::new("usage"));
            }
        }
        let erased = block_in_place(|| self.home.erase());
        drop(open);
        self.tell_door();
        Ok(erased?)
    }

    pub(super) async fn begin(
        &self,
        passphrase: &str,
        make: impl FnOnce(&Passphrase) -> Result<Node, Fault>,
    ) -> Result<(), Fault> {
        // Whoever asks at the same time waits until it is open.
        let mut open = self.open.write().await;
        if open.is_some() {
            return Err(Fault::new("in-use"));
        }
        let passphrase = Passphrase::new(passphrase);
        let node = block_in_place(|| make(&passphrase))?;
        let opened = self.opened(node, passphrase, None).await;
        let opened = opened.map(|opened| *open = Some(opened));
        drop(open);
        // Also where that failed: a profile that was made is there now.
        self.tell_door();
        opened
    }

    async fn opened(
        &self,
        node: Node,
        passphrase: Passphrase,
        example: Option<Example>,
    ) -> Result<Open, Fault> {
        let held = node.hold_passphrase(passphrase.clone());
        let network = Network::start(&node, Some(passphrase)).await?;
        let watching = tokio::spawn(watch_all(
            self.told.clone(),
            node.events(),
            network.contacts(),
            network.joined(),
            network.offer(),
        ));
        self.activity.note();
        let (idle, closed) = oneshot::channel();
        // An example has no passphrase that anybody knows.
        if example.is_none() {
            let (house, node) = (self.clone(), node.clone());
            tokio::spawn(idle::watch(house, node, self.activity.clone(), closed));
        }
        // Ideas that came while no steward's device was here to number them.
        let leaving = Arc::new(AtomicBool::new(false));
        let (numbers, left) = (node.clone(), Arc::clone(&leaving));
        let numbering = tokio::task::spawn_blocking(move || {
            for group in numbers.groups().unwrap_or_default() {
                if left.load(Ordering::Relaxed) {
                    return;
                }
                numbers.number_ideas(group);
            }
        });
        Ok(Open {
            node,
            network,
            held,
            example,
            watching: watching.abort_handle(),
            numbering,
            leaving,
            _idle: idle,
        })
    }

    /// Leaves the profile that is open, if one is, for the example.
    pub(super) async fn begin_example(&self, language: Language) -> Result<GroupId, Fault> {
        // In one go: nobody opens another one between.
        let mut open = self.to_close().await;
        if let Some(before) = open.take() {
            before.close().await;
        }
        let (example, node, passphrase, group) = block_in_place(|| Example::make(language))?;
        *open = Some(self.opened(node, passphrase, Some(example)).await?);
        drop(open);
        self.tell_door();
        Ok(group)
    }

    /// Closes the profile: its key leaves the memory.
    pub(crate) async fn lock(&self) {
        if let Some(open) = self.to_close().await.take() {
            open.close().await;
            self.tell_door();
        }
    }

    /// The profile for who closes it: what goes on for long with it is stopped first. Whoever comes now waits behind this.
    async fn to_close(&self) -> RwLockWriteGuard<'_, Option<Open>> {
        let mut write = pin!(self.open.write());
        tokio::select! {
            biased;
            open = &mut write => return open,
            () = std::future::ready(()) => {}
        }
        self.stop_joining();
        self.closing.send_replace(());
        write.await
    }

    pub(super) async fn change_passphrase(&self, old: &str, new: &str) -> Result<(), Fault> {
        let open = self.unlocked().await?;
        let (old, new) = (Passphrase::new(old), Passphrase::new(new));
        Ok(block_in_place(|| open.node.change_passphrase(&old, &new))?)
    }

    /// Does something that a page names by a number it drew, and answers `again` where that was done before: the page asks
    /// again where it got no answer. Kept as long as this process runs: where it ends between the work and its answer, what is
    /// sent again is done again.
    pub(super) fn once<T>(
        &self,
        number: &str,
        work: impl FnOnce() -> Result<T, Fault>,
        again: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if !ONCE_LENGTH.contains(&number.len()) {
            return Err(Fault::new("usage"));
        }
        // Held meanwhile: it may be asked again while it is still being done.
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.iter().any(|one| one == number) {
            return again();
        }
        let answer = work()?;
        done.push_back(number.to_owned());
        if done.len() > ONCE_MAX {
            done.pop_front();
        }
        Ok(answer)
    }

    /// Has whoever waits to be let in wait no longer.
    pub(super) fn stop_joining(&self) {
        self.joining.send_replace(());
    }

    /// For who waits to be let in.
    pub(super) fn joining_stops(&self) -> Stops {
        Stops(self.joining.subscribe())
    }

    /// For whatever else goes on for long.
    pub(crate) fn closing_stops(&self) -> Stops {
        Stops(self.closing.subscribe())
    }
}

/// Passes on what the node and the network tell.
async fn watch_all(
    told: broadcast::Sender<Event>,
    mut changed: broadcast::Receiver<Changed>,
    mut contacts: watch::Receiver<Contacts>,
    mut joined: watch::Receiver<Option<Joined>>,
    mut offer: watch::Receiver<Offer>,
) {
    use broadcast::error::RecvError;
    loop {
        let event = tokio::select! {
            change = changed.recv() => match change {
                Ok(change) => Event::Changed { group: change.group },
                Err(RecvError::Lagged(_)) => Event::Everything {},
                Err(RecvError::Closed) => return,
            },
            Ok(()) = contacts.changed() => {
                contacts.mark_unchanged();
                Event::Contacts {}
            }
            Ok(()) = offer.changed() => {
                offer.mark_unchanged();
                Event::Device {}
            }
            Ok(()) = joined.changed() => match &*joined.borrow_and_update() {
                Some(joined) => Event::Joined { group: joined.group, code: joined.code.clone() },
                None => continue,
            },
            else => return,
        };
        told.send(event).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_again_is_done_once() {
        let house = House::new(Home::at("/nonexistent"));
        let mut done = 0;
        let mut ask = |number: &str| {
            house.once(
                number,
                || {
                    done += 1;
                    Ok("done")
                },
                || Ok("again"),
            )
        };
        let (one, other) = ("1".repeat(32), "2".repeat(32));
        assert_eq!(ask(&one), Ok("done"));
        assert_eq!(ask(&one), Ok("again"));
        assert_eq!(ask(&other), Ok("done"));
        assert_eq!(ask(""), Err(Fault::new("usage")));
        assert_eq!(ask(&"1".repeat(65)), Err(Fault::new("usage")));
        assert_eq!(done, 2);
        let refused = "3".repeat(32);
        for _ in 0..2 {
            let answer = house.once(&refused, || Err(Fault::new("disk-full")), || Ok("again"));
            assert_eq!(answer, Err(Fault::new("disk-full")), "what failed is tried again");
        }
        for number in 0..ONCE_MAX {
            house
                .once(&format!("{number:032}"), || Ok(""), || Ok(""))
                .unwrap();
        }
        assert_eq!(house.done.lock().unwrap().len(), ONCE_MAX);
    }
}
