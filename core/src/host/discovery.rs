//! Finds the devices one knows on the local link: a cable, a switch, a hotspot, a home network. No internet needed.
//!
//! Plain DNS-SD over multicast DNS, one socket an interface, so it works where there is neither a default nor a multicast
//! route. What is announced says nothing to strangers:
//!
//! - The service is `_kiez._udp.local.`; its instance and host names are random, anew for each process.
//! - The TXT record holds `v=1`, `s=` a random salt, `h=` a tag of the salt and the device id, and, where there is
//!   one, `p6=` the UDP port for IPv6. Only who knows the device id already, a member or the holder of an invitation,
//!   recognises the tag; nobody else can tell that two announcements are of one device.
//!
//! A device that ends without a farewell, or whose own link fails behind a switch, is forgotten after two minutes.
//!
//! A sighting is a hint where to dial and no proof: anybody can repeat an announcement. The connection proves who it is.

mod recognition;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mdns_sd::{
    DaemonEvent, Receiver, RecvTimeoutError, ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent,
    ServiceInfo, UnregisterStatus,
};
use rand::CryptoRng;
use tokio::sync::Notify;

use crate::domain::id::{DeviceId, from_hex, to_hex};
use crate::host::clock;
use recognition::{Announcement, Recognition, SALT, TAG, tag};

const SERVICE: &str = "_kiez._udp.local.";

/// How often the interfaces are looked at, in seconds: a cable that is plugged in is noticed within this time.
const INTERFACE_CHECK: u32 = 1;

/// How long after a link came up to announce once more; see [`announce_again`].
const ANNOUNCE_AGAIN: Duration = Duration::from_millis(1050);

/// How long the end of discovery may take.
const FAREWELL: Duration = Duration::from_millis(300);

/// Where a known device seems to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The device.
    pub device: DeviceId,
    /// Its addresses on links of this computer, in order; link-local ones of IPv6 with their scope. Empty: it is no
    /// longer announced.
    pub addresses: Vec<SocketAddr>,
}

/// Why devices nearby cannot be looked for. Others can still be dialled by a known address.
#[derive(Debug, thiserror::Error)]
#[error(
    "Devices nearby cannot be found: {0}. Check whether a firewall or another program blocks UDP port 5353."
)]
pub struct DiscoveryError(#[from] mdns_sd::Error);

/// Announces this device on all links and looks for others. Dropping it takes the announcement back, and may block for
/// 0.3 s.
pub struct Discovery {
    daemon: ServiceDaemon,
    fullname: String,
    shared: Arc<Shared>,
}

/// What the thread that listens and the one that asks have in common.
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    recognition: Recognition,
    ended: bool,
}

impl Discovery {
    /// Announces `me` at the UDP ports it listens on, and starts to listen, on a thread of its own.
    ///
    /// # Errors
    /// Where the system gives no sockets or threads for it.
    pub fn start(
        me: DeviceId,
        port_v4: u16,
        port_v6: Option<u16>,
        random: &mut impl CryptoRng,
    ) -> Result<Self, DiscoveryError> {
        let mut salt = [0; SALT];
        random.fill_bytes(&mut salt);
        let mut name = [0; 8];
        random.fill_bytes(&mut name);
        let name = to_hex(&name);

        let mut properties = vec![
            ("v", "1".to_owned()),
            ("s", to_hex(&salt)),
            ("h", to_hex(&tag(&salt, &me))),
        ];
        properties.extend(port_v6.map(|port| ("p6", port.to_string())));
        // No addresses given: each interface announces its own, as they come and go.
        let mut service = ServiceInfo::new(
            SERVICE,
            &name,
            &format!("{name}.local."),
            "",
            port_v4,
            properties.as_slice(),
        )?
        .enable_addr_auto();
        // The names are random: to ask first whether somebody else has them would only take time.
        service.set_requires_probe(false);
        let fullname = service.get_fullname().to_owned();

        let daemon = ServiceDaemon::new()?;
        daemon.set_ip_check_interval(INTERFACE_CHECK)?;
        let events = daemon.browse(SERVICE)?;
        let changes = daemon.monitor()?;
        daemon.register(service.clone())?;

        let state = State {
            recognition: Recognition::default(),
            ended: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Notify::new(),
        });
        let discovery = Self {
            daemon: daemon.clone(),
            fullname: fullname.clone(),
            shared: Arc::clone(&shared),
        };
        let announcing = Arc::clone(&shared);
        thread("kiez-announcing", move || {
            announce_again(&daemon, &changes, &service, &announcing);
        })?;
        thread("kiez-discovery", move || shared.listen(&events, &fullname))?;
        Ok(discovery)
    }

    /// Sets whom to recognise. What was announced already is looked at again; who is no longer known is forgotten silently.
    pub fn set_known(&self, devices: BTreeSet<DeviceId>) {
        self.shared.lock().recognition.set_known(devices);
        self.shared.changed.notify_one();
    }

    /// The next known device that appeared, moved or vanished. Waits for it; `None` when discovery has ended.
    ///
    /// Changes of one device in quick succession come as one. Safe to drop while it waits.
    pub async fn next(&mut self) -> Option<Sighting> {
        loop {
            let changed = self.shared.changed.notified();
            {
                let mut state = self.shared.lock();
                if let Some(sighting) = state.recognition.next() {
                    return Some(sighting);
                }
                if state.ended {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Takes the announcement back and ends. The same as dropping it: may block for 0.3 s.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        // Waits a moment, a millisecond as a rule: a process that ends right after must not take the farewell with it.
        // Errors mean that the daemon is gone already.
        let taken_back = self
            .daemon
            .unregister(&self.fullname)
            .map(|done| done.recv_timeout(FAREWELL));
        if !matches!(taken_back, Ok(Ok(UnregisterStatus::OK))) {
            tracing::debug!("the announcement could not be taken back; others forget it after two minutes");
        }
        if let Err(error) = self.daemon.shutdown() {
            tracing::debug!(%error, "discovery had ended already");
        }
    }
}

impl std::fmt::Debug for Discovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Discovery")
            .field("fullname", &self.fullname)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Takes events until the daemon ends.
    fn listen(&self, events: &Receiver<ServiceEvent>, own: &str) {
        for event in events {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "the others say nothing of devices, nor will new ones"
            )]
            match event {
                ServiceEvent::ServiceResolved(service) if service.fullname != own => {
                    let mut state = self.lock();
                    match read(&service) {
                        Some(announcement) => state.recognition.announced(&service.fullname, announcement),
                        None => state.recognition.vanished(&service.fullname),
                    }
                }
                ServiceEvent::ServiceRemoved(_, name) => self.lock().recognition.vanished(&name),
                _ => continue,
            }
            self.changed.notify_one();
        }
        self.lock().ended = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in it can be half done when a thread panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Announces the service once more a second after the start and after a link has come up, until the daemon ends.
///
/// The daemon does it when it sees the link; but two computers see a plugged cable up to a second apart, so who was first
/// announced themselves before the other listened, and may not answer the other's question then: no record is sent twice
/// in a second (RFC 6762, section 6). And a new address of IPv6 is seen while it is still tentative, when nothing can be
/// sent from it. Without this they would find each other, or the address, many seconds later.
fn announce_again(
    daemon: &ServiceDaemon,
    changes: &Receiver<DaemonEvent>,
    service: &ServiceInfo,
    shared: &Shared,
) {
    let soon = || clock::instant().checked_add(ANNOUNCE_AGAIN);
    let mut due = soon();
    loop {
        let change = match due {
            None => changes.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => changes.recv_deadline(due),
        };
        match change {
            Ok(DaemonEvent::IpAdd(_)) => due = soon(),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => {
                due = None;
                // Held, so that no announcement follows the farewell.
                let state = shared.lock();
                if state.ended {
                    return;
                }
                // The daemon sends it now and again after a second.
                if let Err(error) = daemon.register(service.clone()) {
                    tracing::debug!(%error, "not announced again");
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), DiscoveryError> {
    match std::thread::Builder::new().name(name.to_owned()).spawn(work) {
        Ok(_) => Ok(()),
        Err(error) => Err(mdns_sd::Error::Msg(error.to_string()).into()),
    }
}

/// Reads what anybody may have sent. `None`: not an announcement that this version knows, or without an address to dial.
fn read(service: &ResolvedService) -> Option<Announcement> {
    let text = |key: &str| {
        service
            .get_property_val(key)
            .flatten()
            .and_then(|value| str::from_utf8(value).ok())
    };
    if text("v")? != "1" {
        return None;
    }
    let salt = from_hex(text("s")?).ok()?;
    let tag: [u8; TAG] = from_hex(text("h")?).ok()?;
    let port_v6 = text("p6").and_then(|port| port.parse().ok());
    let addresses: BTreeSet<SocketAddr> = service
        .addresses
        .iter()
        .filter_map(|address| dialable(address, service.port, port_v6))
        .collect();
    (!addresses.is_empty()).then_some(Announcement { salt, tag, addresses })
}

fn dialable(address: &ScopedIp, port_v4: u16, port_v6: Option<u16>) -> Option<SocketAddr> {
    let ip = address.to_ip_addr();
    // A loopback address heard on another link would be this computer's own and not the sender's.
    if ip.is_unspecified() || ip.is_multicast() || (ip.is_loopback() && !heard_on_loopback(address)) {
        return None;
    }
    let address = match ip {
        IpAddr::V4(ip) => SocketAddr::from((ip, port_v4)),
        IpAddr::V6(ip) => {
            let mut scope = 0;
            if let ScopedIp::V6(scoped) = address
                && ip.is_unicast_link_local()
            {
                scope = scoped.scope_id().index;
            }
            SocketAddrV6::new(ip, port_v6?, 0, scope).into()
        }
    };
    (address.port() != 0).then_some(address)
}

fn heard_on_loopback(address: &ScopedIp) -> bool {
    let is_loopback = |name: &str| name == "lo" || name == "lo0" || name.starts_with("Loopback");
    match address {
        ScopedIp::V4(scoped) => scoped
            .interface_ids()
            .iter()
            .any(|interface| is_loopback(&interface.name)),
        ScopedIp::V6(scoped) => is_loopback(&scoped.scope_id().name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use mdns_sd::{InterfaceId, ScopedIpV4};

    use super::*;

    fn service(properties: &[(&str, &str)], addresses: &str) -> ResolvedService {
        ServiceInfo::new(SERVICE, "x", "x.local.", addresses, 4433, properties)
            .unwrap()
            .as_resolved_service()
    }

    const SOUND: [(&str, &str); 4] = [
        ("v", "1"),
        ("s", "00112233445566778899aabbccddeeff"),
        ("h", "0123456789abcdef"),
        ("p6", "4434"),
    ];

    #[test]
    fn a_sound_announcement_is_read() {
        let read = read(&service(&SOUND, "10.0.0.1,2001:db8::1")).unwrap();
        assert_eq!(read.salt[1], 0x11);
        assert_eq!(read.tag, [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
        let addresses: Vec<String> = read.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.0.0.1:4433", "[2001:db8::1]:4434"]);
    }

    #[test]
    fn what_strangers_send_is_dropped_or_read_as_far_as_it_goes() {
        let without = |key: &str, value: Option<&str>| {
            let mut properties: Vec<(&str, &str)> = SOUND.to_vec();
            properties.retain(|(name, _)| *name != key);
            properties.extend(value.map(|value| (key, value)));
            read(&service(&properties, "10.0.0.1,2001:db8::1"))
        };
        let long = "a".repeat(200);
        for (key, value) in [
            ("v", None),
            ("v", Some("2")),
            ("v", Some("")),
            ("s", None),
            ("s", Some("00")),
            ("s", Some(&long)),
            ("h", None),
            ("h", Some("0123456789abcdeg")),
            ("h", Some("\u{e4}\u{f6}\u{fc}")),
        ] {
            assert_eq!(without(key, value), None, "{key}={value:?}");
        }
        // Without a port for IPv6 there is still IPv4.
        for value in [None, Some("0"), Some("65536"), Some("-1"), Some("")] {
            assert_eq!(without("p6", value).unwrap().addresses.len(), 1, "{value:?}");
        }
        for addresses in ["0.0.0.0", "224.0.0.251", "127.0.0.1", "::1", "::", "ff02::fb"] {
            assert_eq!(read(&service(&SOUND, addresses)), None, "{addresses}");
        }
    }

    #[test]
    fn a_loopback_address_counts_only_on_the_loopback() {
        let heard_on = |name: &str| {
            let interface = InterfaceId {
                name: name.to_owned(),
                index: 1,
            };
            dialable(
                &ScopedIp::V4(ScopedIpV4::new([127, 0, 0, 1].into(), interface)),
                1,
                None,
            )
        };
        assert!(heard_on("lo").is_some());
        assert!(heard_on("eth0").is_none());
    }
}
