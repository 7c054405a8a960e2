//! What is known of other members' devices: where they were reachable, and what they said they have.

use std::net::SocketAddr;

use rusqlite::params;

use crate::domain::id::{DeviceId, Timestamp};
use crate::replica::codec::{decode, encode};
use crate::replica::frontier::Frontier;
use crate::replica::storage::StorageError;

use super::entries::GroupStore;
use super::{failed, unreadable};

/// What a device said it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRow {
    /// Which device.
    pub device: DeviceId,
    /// Its frontier, as it told in a session that proved who it is.
    pub has: Frontier,
    /// When it said so, by our clock.
    pub at: Timestamp,
}

impl GroupStore {
    /// Remembers where a device was reachable.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_contact(&self, device: DeviceId, addresses: &[SocketAddr]) -> Result<(), StorageError> {
        let group = self.begun()?;
        self.store()
            .lock()
            .execute(
                "INSERT OR REPLACE INTO contacts VALUES (?1, ?2, ?3)",
                params![group, device.0, encode(addresses)],
            )
            .map_err(failed)?;
        Ok(())
    }

    /// Where devices were reachable.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn contacts(&self) -> Result<Vec<(DeviceId, Vec<SocketAddr>)>, StorageError> {
        let group = self.begun()?;
        let connection = self.store().lock();
        let mut statement = connection
            .prepare("SELECT device, addresses FROM contacts WHERE group_row = ?1")
            .map_err(failed)?;
        let rows = statement
            .query_map([group], |row| {
                Ok((DeviceId(row.get(0)?), row.get::<_, Vec<u8>>(1)?))
            })
            .map_err(failed)?;
        rows.map(|row| {
            let (device, addresses) = row.map_err(failed)?;
            Ok((device, decode(&addresses).map_err(|_| unreadable("a contact"))?))
        })
        .collect()
    }

    /// Remembers what a device said it has.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_peer(&self, peer: &PeerRow) -> Result<(), StorageError> {
        let group = self.begun()?;
        let at = i64::try_from(peer.at.0).unwrap_or(i64::MAX);
        self.store()
            .lock()
            .execute(
                "INSERT OR REPLACE INTO peers VALUES (?1, ?2, ?3, ?4)",
                params![group, peer.device.0, encode(&peer.has), at],
            )
            .map_err(failed)?;
        Ok(())
    }

    /// What devices said they have.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn peers(&self) -> Result<Vec<PeerRow>, StorageError> {
        let group = self.begun()?;
        let connection = self.store().lock();
        let mut statement = connection
            .prepare("SELECT device, has, at FROM peers WHERE group_row = ?1")
            .map_err(failed)?;
        let rows = statement
            .query_map([group], |row| {
                Ok((
                    DeviceId(row.get(0)?),
                    row.get::<_, Vec<u8>>(1)?,
                    row.get::<_, i64>(2)?,
                ))
            })
            .map_err(failed)?;
        rows.map(|row| {
            let (device, has, at) = row.map_err(failed)?;
            let has = decode(&has).map_err(|_| unreadable("what a device has"))?;
            Ok(PeerRow {
                device,
                has,
                at: Timestamp(u64::try_from(at).unwrap_or(0)),
            })
        })
        .collect()
    }
}
