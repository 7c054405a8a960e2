//! Bugs that can be switched on, to show that the simulation finds them. Each is one line at the place it is about.
//!
//! Only builds with the feature `planted-bugs` can switch one on; in all others [`is_on`] is a constant.

mod guard;

pub use guard::*;

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// The gate takes a change that is written under somebody else's name.
    GateForeignActor,
    /// The gate takes a second change with a number that its author has used.
    GateNumberTwice,
    /// A journal's last entry is taken without looking at its signature.
    JournalUnsigned,
    /// An entry is taken before others that its author had seen.
    JournalSeenLater,
    /// What waits is not looked at again.
    JournalNoRetry,
    /// A session takes what it has sent for stored.
    SessionSentIsStored,
    /// A session that takes something in forgets that it has more to send.
    SessionAllSent,
    /// The roster judges an admission by everything here, not by its own past.
    RosterByAll,
    /// The electors of a poll are those who are here now.
    RosterNow,
    /// Ballots are counted as they stand, not as they stood at the cut.
    PollAsItStands,
    /// Of two ballots that did not know of each other the one with the later clock counts.
    PollLastClock,
    /// What was typed about an earlier text is made at the same place of the present one.
    TextNotCarried,
    /// Two ideas that were given one number both keep it.
    PlateTwice,
    /// An entry and its journal's head are written one after the other.
    StoreTwoCommits,
    /// After a failed write, memory stays ahead of the disk.
    StoreMemoryAhead,
    /// A document's cached save claims to hold one entry more than it does.
    StoreSaveAhead,
    /// What lies beyond the end of somebody's place counts.
    BeyondCounts,
    /// What somebody built on before they knew is not lifted.
    LiftsNothing,
    /// Where anything is written in a document, all that lies beyond in it is lifted.
    LiftsEverything,
    /// After somebody has gone the group seals under the key that they have.
    KeyStays,
    /// A new key is sealed for those who have gone, too.
    KeyForTheGone,
    /// Nobody is given the keys they lack.
    KeysKept,
    /// Whoever came in on an invitation once is given all keys on it, also after they had to go.
    InvitationForever,
    /// What was erased is not read any more, and stays on the disk.
    ErasedKept,
    /// What was left of a document in which something was erased is taken for too late.
    RestTooLate,
    /// Of several erasures in a document the one that came last begins it anew.
    GenerationByArrival,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::GateForeignActor,
        Self::GateNumberTwice,
        Self::JournalUnsigned,
        Self::JournalSeenLater,
        Self::JournalNoRetry,
        Self::SessionSentIsStored,
        Self::SessionAllSent,
        Self::RosterByAll,
        Self::RosterNow,
        Self::PollAsItStands,
        Self::PollLastClock,
        Self::TextNotCarried,
        Self::PlateTwice,
        Self::StoreTwoCommits,
        Self::StoreMemoryAhead,
        Self::StoreSaveAhead,
        Self::BeyondCounts,
        Self::LiftsNothing,
        Self::LiftsEverything,
        Self::KeyStays,
        Self::KeyForTheGone,
        Self::KeysKept,
        Self::InvitationForever,
        Self::ErasedKept,
        Self::RestTooLate,
        Self::GenerationByArrival,
    ];
}

#[cfg(feature = "planted-bugs")]
std::thread_local! {
    static ON: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Runs something on this thread with a bug switched on. It is off again afterwards, also after a panic.
#[cfg(feature = "planted-bugs")]
pub fn with<T>(bug: Bug, run: impl FnOnce() -> T) -> T {
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            ON.set(None);
        }
    }
    let off = Off;
    ON.set(Some(bug));
    let value = run();
    drop(off);
    value
}

/// Is this bug switched on?
#[cfg(feature = "planted-bugs")]
#[must_use]
pub fn is_on(bug: Bug) -> bool {
    ON.get() == Some(bug)
}

/// Is this bug switched on? Never in this build.
#[cfg(not(feature = "planted-bugs"))]
#[must_use]
pub const fn is_on(_bug: Bug) -> bool {
    false
}
