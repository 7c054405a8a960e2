//! Guards that can be switched off one by one, to show that each attack in `tests/attacks` is stopped by the guard it names
//! and by no accident. Each is one `if` at the place that does the checking; where a rule is held in two places, one in each.
//!
//! Only builds with the feature `planted-bugs` can switch one off; in all others [`is_off`] is a constant.

/// Makes the list and the enum one.
macro_rules! guards {
    ($($(#[doc = $what:literal])+ $name:ident,)+) => {
        /// A guard, by what it holds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Guard {
            $($(#[doc = $what])+ $name,)+
        }

        impl Guard {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }
    };
}

guards! {
    /// A journal's last entry is signed by it.
    Signature,
    /// What is held already is passed over.
    Replay,
    /// An entry follows one that is held.
    Gap,
    /// An entry comes after what its author had seen.
    Seen,
    /// Of one person so much is taken in at once and an hour.
    Allowance,
    /// A journal begins by virtue of a grant that is here.
    Granted,
    /// A journal that begins counts as many entries.
    OpeningWeight,
    /// An act or a motion to erase counts as many entries.
    ErasureWeight,
    /// Beyond so many journals and branches no more are taken in.
    JournalsRoom,
    /// Of journals that cannot be read a few are taken in.
    UnreadRoom,
    /// Of a journal so many branches are kept.
    BranchesRoom,
    /// Of what lies beyond the end of a person's journals so much is kept.
    QuarantineRoom,
    /// Entries are of this group.
    OwnGroup,
    /// A group is founded by the entry that its id names.
    FoundedOnce,
    /// A person's documents are written by their devices only.
    OwnDocument,
    /// The group's page is written by stewards only.
    StewardsOnly,
    /// Observers write nothing but about themselves.
    Observer,
    /// A motion is carried by more than half.
    Majority,
    /// Voice is given by a council act.
    Voice,
    /// Of kills that void each other the heavier one is taken, not the one that came first.
    Weight,
    /// What lies beyond a kill's cut is void.
    Cut,
    /// Content beyond the end of its author's place does not count.
    Beyond,
    /// A cut is never below what its signers had seen.
    CutFloor,
    /// Of several cuts of one tenure the lowest holds.
    LowestCut,
    /// A cut ends journals of the tenure it is about, and no others.
    OwnCut,
    /// An invitation admits once.
    InvitationOnce,
    /// An invitation that was revoked or taken back admits nobody.
    InvitationEnded,
    /// An invitation is accepted until it expires.
    InvitationExpiry,
    /// Who joins has the invitation's secret.
    InvitationKey,
    /// Only the inviting journal admits on its invitation.
    OwnInvitation,
    /// A request to join is good for one session.
    JoinExporter,
    /// A request to join is good for the device on the other end.
    JoinDevice,
    /// Who joins signs with the invitation's secret and the person key.
    JoinSignatures,
    /// Who asks again on an invitation they used gets the keys only while they are in the group.
    Readmission,
    /// As many members have met who comes in as the charter asks for.
    Vouchers,
    /// Who invites does not vouch.
    OtherVoucher,
    /// Keys are made and given by members.
    KeyAuthor,
    /// A key counts only if it hashes to its name.
    KeyHash,
    /// Only keys that a `rekey` names are taken, or those under which something here is sealed.
    KeyMade,
    /// A box opens only in the entry it was made for.
    BoxPlace,
    /// Nothing is sealed under a key that somebody has who is known to have gone.
    CoveringKey,
    /// A new key is sealed under one that the group has had.
    RekeyUnder,
    /// Whoever shows in a session that they lack a key is given it, whatever boxes for them there are.
    KeysShown,
    /// A bundle in a session shows nothing that is sealed under keys which the other side has not shown to hold.
    BundleKeys,
    /// All replicas choose the same branch of a fork.
    OneBranch,
    /// The branch counts on which more persons built.
    BranchBuilders,
    /// Devices are retired, memberships left and invitations withdrawn by whose they are.
    OwnKill,
    /// An enrolment is signed by its person.
    EnrolSignature,
    /// A device is enrolled in a membership of its person.
    OwnMembership,
    /// A journal begins on a grant of the very device that opens it.
    GrantedDevice,
    /// The device signs that it opens a journal.
    DeviceSignature,
    /// What was never allowed is not lifted by what builds on it.
    LiftOnlyBeyond,
    /// A person's own document is erased by that person.
    EraseOwn,
    /// Who erases signs with the person key.
    EraseSignature,
    /// An erasure takes away what is about its document, and nothing else.
    EraseDocument,
    /// What is erased is dropped when it is brought again.
    EraseAgain,
    /// Without its payload only what was erased is taken in.
    EraseListed,
    /// A change is written under its journal's name.
    GateActor,
    /// A number of a change is used once.
    GateNumber,
    /// A change's operations are numbered from the next number on.
    GateStart,
    /// A change has no footer.
    GateFooter,
    /// The first frame of whoever dials is short.
    FrameLength,
    /// A bundle unpacks to no more than its length allows.
    Budget,
    /// Whoever dials says something in time.
    Greeting,
    /// Whoever has greeted says in time who they are.
    Naming,
    /// So many connections are answered at a time, and no more.
    AnswersMax,
    /// A greeting proves that a key of the group is held.
    Proof,
    /// The proof in a greeting is good for one session.
    ProofExporter,
    /// A peer shows that it is the device whose journal it names.
    Identify,
    /// A peer has only its own enrolment published.
    PublishOwn,
    /// The web server answers only to its own names.
    WebHost,
    /// The web server answers only its own page.
    WebOrigin,
    /// What a browser says to come from another site is not answered.
    WebSite,
    /// The web server answers who has its cookie.
    WebCookie,
    /// The web server answers a page that has its pass.
    WebPass,
    /// The key in the printed address opens once.
    WebKey,
}

#[cfg(feature = "planted-bugs")]
mod switched {
    use super::Guard;

    std::thread_local! {
        /// One bit for each guard that is off on this thread.
        static OFF: std::cell::Cell<u128> = const { std::cell::Cell::new(0) };
    }

    const fn bit(guard: Guard) -> u128 {
        1_u128.wrapping_shl(guard as u32)
    }

    /// Runs something on this thread with a guard switched off. It is on again afterwards, also after a panic.
    pub fn without<T>(guard: Guard, run: impl FnOnce() -> T) -> T {
        struct Restore(u128);
        impl Drop for Restore {
            fn drop(&mut self) {
                OFF.set(self.0);
            }
        }
        let before = OFF.get();
        let restore = Restore(before);
        OFF.set(before | bit(guard));
        let value = run();
        drop(restore);
        value
    }

    /// What is off on this thread, to be off on others: a runtime's threads call it when they begin.
    pub fn inherit() -> impl Fn() + Clone + Send + Sync + 'static {
        let off = OFF.get();
        move || OFF.set(off)
    }

    /// The guard that this program was told to leave off when it was started.
    fn of_program() -> Option<Guard> {
        static NAMED: std::sync::OnceLock<Option<Guard>> = std::sync::OnceLock::new();
        *NAMED.get_or_init(|| {
            let name = std::env::var(super::VARIABLE).ok()?;
            Guard::ALL
                .iter()
                .copied()
                .find(|guard| format!("{guard:?}") == name)
        })
    }

    /// Is this guard switched off?
    #[must_use]
    pub fn is_off(guard: Guard) -> bool {
        OFF.get() & bit(guard) != 0 || of_program() == Some(guard)
    }
}

/// The variable that names a guard for a program of a test build to leave off.
#[cfg(feature = "planted-bugs")]
pub const VARIABLE: &str = "KIEZ_TEST_WITHOUT_GUARD";

#[cfg(feature = "planted-bugs")]
pub use switched::{inherit, is_off, without};

/// Is this guard switched off? Never in this build.
#[cfg(not(feature = "planted-bugs"))]
#[must_use]
pub const fn is_off(_guard: Guard) -> bool {
    false
}
