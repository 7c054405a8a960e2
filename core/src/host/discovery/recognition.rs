//! Who of those announced is known. No network here: announcements in, sightings out, and bounds on what strangers can fill.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::Sighting;
use crate::domain::id::DeviceId;

pub(super) const SALT: usize = 16;
pub(super) const TAG: usize = 8;

const CONTEXT: &str = "kiez discovery 1";

/// Announcements kept at a time. A street has dozens of devices; more is noise, or somebody making noise.
const ANNOUNCEMENTS_MOST: usize = 512;

/// Announcements kept of one known device: it has one for each process, and others may have copied it.
const OF_ONE_DEVICE_MOST: usize = 4;

/// Addresses kept of one announcement.
const ADDRESSES_MOST: usize = 16;

/// Which device it is, for those who know its id.
pub(super) fn tag(salt: &[u8; SALT], device: &DeviceId) -> [u8; TAG] {
    let key = blake3::derive_key(CONTEXT, salt);
    let hash = blake3::keyed_hash(&key, device.as_bytes());
    let mut tag = [0; TAG];
    tag.iter_mut()
        .zip(hash.as_bytes())
        .for_each(|(to, from)| *to = *from);
    tag
}

/// What a device, or somebody in its name, announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement {
    pub(super) salt: [u8; SALT],
    pub(super) tag: [u8; TAG],
    pub(super) addresses: BTreeSet<SocketAddr>,
}

#[derive(Debug)]
struct Entry {
    announcement: Announcement,
    device: Option<DeviceId>,
    arrival: u64,
}

/// All announcements by instance name, and what of them is to be told.
#[derive(Debug, Default)]
pub(super) struct Recognition {
    known: BTreeSet<DeviceId>,
    entries: BTreeMap<String, Entry>,
    /// Devices of which something changed since they were told, and when they first did.
    changed: BTreeSet<DeviceId>,
    arrivals: u64,
}

impl Recognition {
    pub(super) fn set_known(&mut self, known: BTreeSet<DeviceId>) {
        self.known = known;
        for entry in self.entries.values_mut() {
            let device = recognise(&self.known, &entry.announcement);
            if device != entry.device {
                entry.device = device;
                self.changed.extend(device);
            }
        }
        self.changed.retain(|device| self.known.contains(device));
    }

    pub(super) fn announced(&mut self, name: &str, mut announcement: Announcement) {
        while announcement.addresses.len() > ADDRESSES_MOST {
            announcement.addresses.pop_last();
        }
        let device = recognise(&self.known, &announcement);
        if let Some(entry) = self.entries.get_mut(name) {
            if entry.announcement != announcement {
                // The device, too, may be another one: names are claims.
                self.changed.extend(entry.device);
                self.changed.extend(device);
                entry.announcement = announcement;
                entry.device = device;
            }
            return;
        }
        if !self.make_room(device) {
            return;
        }
        self.arrivals = self.arrivals.saturating_add(1);
        self.changed.extend(device);
        self.entries.insert(
            name.to_owned(),
            Entry {
                announcement,
                device,
                arrival: self.arrivals,
            },
        );
    }

    pub(super) fn vanished(&mut self, name: &str) {
        if let Some(entry) = self.entries.remove(name) {
            self.changed.extend(entry.device);
        }
    }

    /// The next device of which something changed, as it stands now.
    pub(super) fn next(&mut self) -> Option<Sighting> {
        let device = self.changed.pop_first()?;
        let addresses: BTreeSet<SocketAddr> = self
            .entries
            .values()
            .filter(|entry| entry.device == Some(device))
            .flat_map(|entry| entry.announcement.addresses.iter().copied())
            .collect();
        Some(Sighting {
            device,
            addresses: addresses.into_iter().collect(),
        })
    }

    /// Whether there is room for a new entry of this device, or of a stranger; the oldest stranger gives way.
    fn make_room(&mut self, device: Option<DeviceId>) -> bool {
        let oldest_of = |entries: &BTreeMap<String, Entry>, device: Option<DeviceId>| {
            let of_device = entries.iter().filter(|(_, entry)| entry.device == device);
            of_device
                .min_by_key(|(_, entry)| entry.arrival)
                .map(|(name, _)| name.clone())
        };
        let same = self
            .entries
            .values()
            .filter(|entry| entry.device == device)
            .count();
        let crowded = device.is_some() && same >= OF_ONE_DEVICE_MOST;
        if self.entries.len() < ANNOUNCEMENTS_MOST && !crowded {
            return true;
        }
        let goes = oldest_of(&self.entries, if crowded { device } else { None });
        goes.is_some_and(|name| self.entries.remove(&name).is_some())
    }
}

fn recognise(known: &BTreeSet<DeviceId>, announcement: &Announcement) -> Option<DeviceId> {
    known
        .iter()
        .find(|device| tag(&announcement.salt, device) == announcement.tag)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::to_hex;

    fn device(number: u8) -> DeviceId {
        DeviceId([number; 32])
    }

    fn announcement(of: DeviceId, address: &str) -> Announcement {
        let salt = [9; SALT];
        Announcement {
            salt,
            tag: tag(&salt, &of),
            addresses: BTreeSet::from([address.parse().unwrap()]),
        }
    }

    fn told(recognition: &mut Recognition) -> Vec<(u8, Vec<String>)> {
        std::iter::from_fn(|| recognition.next())
            .map(|sighting| {
                let addresses = sighting.addresses.iter().map(ToString::to_string).collect();
                (sighting.device.0[0], addresses)
            })
            .collect()
    }

    #[test]
    fn the_tag_stays() {
        insta::assert_snapshot!(to_hex(&tag(&[9; SALT], &device(1))));
        assert_ne!(tag(&[9; SALT], &device(1)), tag(&[8; SALT], &device(1)));
    }

    #[test]
    fn only_who_is_known_is_told_and_only_when_something_changed() {
        let mut recognition = Recognition::default();
        recognition.announced("one", announcement(device(1), "10.0.0.1:1"));
        recognition.announced("two", announcement(device(2), "10.0.0.2:1"));
        assert_eq!(told(&mut recognition), []);
        recognition.set_known(BTreeSet::from([device(1), device(3)]));
        assert_eq!(told(&mut recognition), [(1, vec!["10.0.0.1:1".to_owned()])]);
        recognition.announced("one", announcement(device(1), "10.0.0.1:1"));
        recognition.set_known(BTreeSet::from([device(1)]));
        assert_eq!(told(&mut recognition), []);
        recognition.announced("one", announcement(device(1), "10.0.0.9:1"));
        assert_eq!(told(&mut recognition), [(1, vec!["10.0.0.9:1".to_owned()])]);
        recognition.vanished("one");
        recognition.vanished("two");
        recognition.vanished("nobody");
        assert_eq!(told(&mut recognition), [(1, vec![])]);
    }

    #[test]
    fn two_processes_of_one_device_are_told_together() {
        let mut recognition = Recognition::default();
        recognition.set_known(BTreeSet::from([device(1)]));
        recognition.announced("a", announcement(device(1), "10.0.0.1:1"));
        recognition.announced("b", announcement(device(1), "10.0.0.2:1"));
        recognition.announced("b", announcement(device(1), "10.0.0.3:1"));
        let both = vec!["10.0.0.1:1".to_owned(), "10.0.0.3:1".to_owned()];
        assert_eq!(told(&mut recognition), [(1, both)]);
    }

    #[test]
    fn noise_neither_fills_the_memory_nor_hides_a_neighbour() {
        let mut recognition = Recognition::default();
        recognition.set_known(BTreeSet::from([device(1)]));
        recognition.announced("neighbour", announcement(device(1), "10.0.0.1:1"));
        for number in 0..2000 {
            recognition.announced(&format!("noise {number}"), announcement(device(7), "10.0.0.7:1"));
        }
        for number in 0..100 {
            recognition.announced(&format!("copy {number}"), announcement(device(1), "10.0.0.8:1"));
        }
        assert_eq!(recognition.entries.len(), ANNOUNCEMENTS_MOST);
        let copies = recognition
            .entries
            .values()
            .filter(|entry| entry.device.is_some())
            .count();
        assert_eq!(copies, OF_ONE_DEVICE_MOST);
        recognition.vanished("noise 1999");
        recognition.announced("neighbour", announcement(device(1), "10.0.0.1:2"));
        let (_, addresses) = told(&mut recognition).remove(0);
        assert!(addresses.contains(&"10.0.0.1:2".to_owned()), "{addresses:?}");
        let mut many = announcement(device(1), "10.0.0.1:1");
        many.addresses = (1..1000)
            .map(|port| SocketAddr::from(([10, 0, 0, 1], port)))
            .collect();
        recognition.announced("neighbour", many);
        assert_eq!(
            recognition.entries["neighbour"].announcement.addresses.len(),
            ADDRESSES_MOST
        );
    }
}
