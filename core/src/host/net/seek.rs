//! Looks for one device, where it was said to be and nearby, until it answers.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use iroh::Endpoint;
use iroh::endpoint::Connection;

use crate::domain::id::DeviceId;
use crate::host::discovery::Discovery;
use crate::host::random::SystemRandom;

use super::DIAL;
use super::places::endpoint_address;

/// How long between attempts where nothing new is heard of the device.
const AGAIN: Duration = Duration::from_secs(1);

/// A device that is looked for.
pub(super) struct Seeker<'a> {
    endpoint: &'a Endpoint,
    sought: DeviceId,
    protocol: &'static [u8],
    addresses: BTreeSet<SocketAddr>,
    discovery: Option<Discovery>,
    first: bool,
}

impl<'a> Seeker<'a> {
    /// Begins to look for it: announces this device, and listens.
    pub(super) fn of(
        endpoint: &'a Endpoint,
        sought: DeviceId,
        protocol: &'static [u8],
        addresses: &[SocketAddr],
    ) -> Self {
        let me = DeviceId(*endpoint.id().as_bytes());
        let port = endpoint.bound_sockets().first().map_or(0, SocketAddr::port);
        let discovery = Discovery::start(me, port, None, &mut SystemRandom).ok();
        if let Some(discovery) = &discovery {
            discovery.set_known(BTreeSet::from([sought]));
        }
        Self {
            endpoint,
            sought,
            protocol,
            addresses: addresses.iter().copied().collect(),
            discovery,
            first: true,
        }
    }

    /// A connection to it. Waits for as long as it takes; asked again, it waits a little first.
    pub(super) async fn connect(&mut self) -> Connection {
        loop {
            if !std::mem::take(&mut self.first) {
                self.wait().await;
            }
            if let Some(address) = endpoint_address(self.sought, &self.addresses)
                && !self.addresses.is_empty()
                && let Ok(Ok(connection)) =
                    tokio::time::timeout(DIAL, self.endpoint.connect(address, self.protocol)).await
            {
                return connection;
            }
        }
    }

    async fn wait(&mut self) {
        let seen = async {
            match &mut self.discovery {
                Some(discovery) => discovery.next().await,
                None => std::future::pending().await,
            }
        };
        if let Ok(Some(sighting)) = tokio::time::timeout(AGAIN, seen).await {
            self.addresses.extend(sighting.addresses);
        }
    }

    /// Looks no longer. Where the device was thought to be.
    pub(super) async fn stop(self) -> Vec<SocketAddr> {
        if let Some(discovery) = self.discovery {
            // May block for a moment.
            tokio::task::spawn_blocking(move || discovery.stop()).await.ok();
        }
        self.addresses.into_iter().collect()
    }
}
