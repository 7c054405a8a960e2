//! The profile behind the pages: there is none, it is locked, or it is open with its network.

use std::sync::Arc;

use kiez_core::domain::id::GroupId;
use kiez_core::host::keystore::{Home, Passphrase};
use kiez_core::host::net::Network;
use kiez_core::host::node::Node;
use serde::Serialize;
use tokio::sync::{RwLock, broadcast};
use tokio::task::{AbortHandle, block_in_place};
use ts_rs::TS;

use super::Fault;

/// How many events a page may lag behind; then it is told to ask for everything again.
const EVENTS: usize = 256;

/// What pages are told without asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[ts(export)]
pub(crate) enum Event {
    /// Something changed in a group: ask again for what is on the screen.
    Changed {
        #[ts(type = "string")]
        group: GroupId,
    },
    /// Who is near, or what others have, changed.
    Contacts,
    /// Somebody came in by an invitation of this device.
    Joined {
        /// Both screens show it.
        code: String,
    },
    /// The profile was opened, or locked.
    Door,
    /// Some events were missed: ask again for everything.
    Everything,
}

/// The profile while it is open.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) node: Node,
    pub(crate) network: Network,
    pub(crate) passphrase: Passphrase,
    watching: AbortHandle,
}

/// The one house of this process.
#[derive(Debug, Clone)]
pub(crate) struct House {
    home: Home,
    open: Arc<RwLock<Option<Open>>>,
    told: broadcast::Sender<Event>,
}

impl House {
    pub(crate) fn new(home: Home) -> Self {
        Self {
            home,
            open: Arc::default(),
            told: broadcast::channel(EVENTS).0,
        }
    }

    /// Its folder.
    pub(crate) const fn home(&self) -> &Home {
        &self.home
    }

    /// The open profile; the guard keeps it open.
    pub(crate) async fn open(&self) -> tokio::sync::RwLockReadGuard<'_, Option<Open>> {
        self.open.read().await
    }

    /// Tells pages what happens.
    pub(crate) fn events(&self) -> broadcast::Receiver<Event> {
        self.told.subscribe()
    }

    pub(crate) fn tell(&self, event: Event) {
        // No page listening is no error.
        self.told.send(event).ok();
    }

    /// Makes a profile, and opens it.
    pub(crate) async fn create(&self, name: &str, passphrase: &str) -> Result<(), Fault> {
        let passphrase = Passphrase::new(passphrase);
        let node = block_in_place(|| Node::create(&self.home, name, &passphrase))?;
        self.begin(node, passphrase).await
    }

    /// Opens the profile.
    pub(crate) async fn unlock(&self, passphrase: &str) -> Result<(), Fault> {
        if self.open.read().await.is_some() {
            return Ok(());
        }
        let passphrase = Passphrase::new(passphrase);
        let node = block_in_place(|| Node::open(&self.home, &passphrase))?;
        self.begin(node, passphrase).await
    }

    async fn begin(&self, node: Node, passphrase: Passphrase) -> Result<(), Fault> {
        let network = Network::start(&node, Some(passphrase.clone())).await?;
        let watching = tokio::spawn(watch(
            self.told.clone(),
            node.events(),
            network.contacts(),
            network.joined(),
        ));
        *self.open.write().await = Some(Open {
            node,
            network,
            passphrase,
            watching: watching.abort_handle(),
        });
        self.tell(Event::Door);
        Ok(())
    }

    /// Closes the profile: its key leaves the memory.
    pub(crate) async fn lock(&self) {
        let open = self.open.write().await.take();
        if let Some(open) = open {
            open.watching.abort();
            open.network.stop().await;
        }
        self.tell(Event::Door);
    }
}

/// Passes on what the node and the network tell.
async fn watch(
    told: broadcast::Sender<Event>,
    mut changed: broadcast::Receiver<kiez_core::host::node::Changed>,
    mut contacts: tokio::sync::watch::Receiver<kiez_core::host::net::Contacts>,
    mut joined: tokio::sync::watch::Receiver<Option<kiez_core::host::net::Joined>>,
) {
    use broadcast::error::RecvError;
    loop {
        let event = tokio::select! {
            change = changed.recv() => match change {
                Ok(change) => Event::Changed { group: change.group },
                Err(RecvError::Lagged(_)) => Event::Everything,
                Err(RecvError::Closed) => return,
            },
            Ok(()) = contacts.changed() => {
                contacts.mark_unchanged();
                Event::Contacts
            }
            Ok(()) = joined.changed() => match &*joined.borrow_and_update() {
                Some(joined) => Event::Joined { code: joined.code.clone() },
                None => continue,
            },
            else => return,
        };
        told.send(event).ok();
    }
}
