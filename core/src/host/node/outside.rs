//! Who has gone, and what others bring that does not count or is not taken in.

use std::collections::BTreeMap;

use crate::domain::id::{EntryId, PersonId, Timestamp};
use crate::domain::roster::Former;
use crate::host::store::GroupStore;
use crate::replica::hold::Replica;
use crate::replica::storage::StorageError;

use super::council::Place;

/// Somebody who has gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerCard {
    /// Who.
    pub person: PersonId,
    /// How.
    pub place: Place,
    /// By which motion they were removed.
    pub motion: Option<EntryId>,
    /// How many of their entries came after that and do not count.
    pub beyond: usize,
}

/// Somebody of whom more is offered than a device may write, or than there is room for: it is not taken in yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOffCard {
    /// Who.
    pub person: PersonId,
    /// How many entries wait, as far as they were offered.
    pub entries: u64,
    /// Since when.
    pub since: Timestamp,
    /// When more is taken in.
    pub until: Timestamp,
}

pub(super) fn put_off(replica: &Replica<GroupStore>) -> Result<Vec<PutOffCard>, StorageError> {
    let mut cards: BTreeMap<PersonId, PutOffCard> = BTreeMap::new();
    for (journal, put_off) in replica.storage().put_off()? {
        let Some(author) = replica.roster().author(journal) else {
            continue;
        };
        let person = author.person;
        let held = replica.head(journal).map_or(0, |(number, _)| number.0);
        let entries = put_off.through.0.saturating_sub(held);
        let card = cards.entry(person).or_insert(PutOffCard {
            person,
            entries: 0,
            since: put_off.since,
            until: put_off.until,
        });
        card.entries = card.entries.saturating_add(entries);
        card.since = card.since.min(put_off.since);
        card.until = card.until.min(put_off.until);
    }
    // Journals count as one entry each: more is not known of them. Only what was offered since this program began.
    for (person, kept_out) in replica.kept_out() {
        let card = cards.entry(*person).or_insert(PutOffCard {
            person: *person,
            entries: 0,
            since: kept_out.since,
            until: kept_out.until,
        });
        card.entries = card.entries.saturating_add(kept_out.journals);
        card.since = card.since.min(kept_out.since);
        card.until = card.until.min(kept_out.until);
    }
    Ok(cards.into_values().collect())
}

pub(super) fn former(replica: &Replica<GroupStore>) -> Vec<FormerCard> {
    let roster = replica.roster();
    let mut beyond: BTreeMap<PersonId, usize> = BTreeMap::new();
    for journal in replica.authors_beyond() {
        if let Some(author) = roster.author(journal) {
            let count = beyond.entry(author.person).or_insert(0);
            *count = count.saturating_add(1);
        }
    }
    let all = roster.former().into_iter().map(|(person, how)| FormerCard {
        person,
        place: gone(&how),
        motion: how.removed_by,
        beyond: beyond.get(&person).copied().unwrap_or(0),
    });
    all.collect()
}

/// Where somebody stands who has gone.
pub(super) const fn gone(how: &Former) -> Place {
    match (how.removed_by, how.left) {
        (Some(_), _) => Place::Removed,
        (None, true) => Place::Left,
        (None, false) => Place::Void,
    }
}
