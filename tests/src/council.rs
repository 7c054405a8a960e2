//! A group in memory that has governed itself in every way there is: each kind of control act stands in it, an act of a
//! removed person, what was erased, a copied profile. The same from the same seed. What fixtures are recorded from and the
//! second reader reads.

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::{Amendment, Counters, Fund, Inviters, Jurors, Role, Template};
use kiez_core::domain::control::{CouncilAct, Shown, Target};
use kiez_core::domain::document::DocumentId;
use kiez_core::domain::erasure::Part;
use kiez_core::domain::id::{EntryId, PersonId, ProposalId, Timestamp};
use kiez_core::domain::poll::{Method, Share};
use kiez_core::domain::proposal::Draft;
use kiez_core::host::keystore::RecoveryWords;
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::document::Leave;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::join::AdmitError;
use kiez_core::replica::keys::BoxSecret;
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::wire::JoinRefusal;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::neighbours::{Failure, NOW, Said, channels, talk};

/// Somebody who is in no group yet.
#[derive(Debug)]
pub struct Newcomer {
    /// Who, on which device.
    pub me: Me,
    /// What the recovery words are made of.
    pub entropy: [u8; 32],
    /// What this device's boxes open with.
    pub box_secret: BoxSecret,
    /// What they draw.
    pub rng: ChaCha20Rng,
    person: SigningKey,
}

/// Somebody in the group, on one device.
#[derive(Debug)]
pub struct Member {
    /// Who.
    pub who: Newcomer,
    /// What they hold.
    pub at: Replica<MemoryStorage>,
}

/// The group.
#[derive(Debug)]
pub struct Council {
    /// She founded it, and has another computer retired.
    pub anna: Member,
    /// Removed, and writes on.
    pub ben: Member,
    /// The second steward. She has signed the last motion, and does not know what came after it.
    pub carla: Member,
    /// Was an observer, then a member, and is an observer again; her profile was copied and written on twice.
    pub dora: Member,
    /// A member, who let Finn in under a key that was old, and erased something he had said: Carla has not heard of either.
    pub gerd: Member,
    /// The newest one, who was given a key later.
    pub finn: Member,
}

impl Newcomer {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut entropy = [0; 32];
        rng.fill_bytes(&mut entropy);
        let person = RecoveryWords::from_entropy(entropy).person_key();
        let device = SigningKey::generate(&mut rng);
        let box_secret = BoxSecret::generate(&mut rng);
        let me = Me {
            person: PersonId(person.verifying_key().to_bytes()),
            device,
            box_key: box_secret.public(),
        };
        Self {
            me,
            entropy,
            box_secret,
            rng,
            person,
        }
    }

    fn found(mut self, template: Template) -> Result<Member, Failure> {
        let empty = MemoryStorage::default();
        let charter = template.charter();
        let at = Replica::found(empty, &self.me, &self.person, charter, &mut self.rng)?;
        Member::of(self, at, "Anna")
    }

    /// Comes in on an invitation, where asked for once somebody has vouched.
    fn join(
        mut self,
        name: &str,
        role: Role,
        inviter: &mut Member,
        voucher: Option<&mut Member>,
    ) -> Result<Member, Failure> {
        let (by, at) = (&mut inviter.who, &mut inviter.at);
        let expires = Timestamp(NOW.0.saturating_add(1));
        let invitation = at.invite(&by.me, role, expires, vec![], &mut by.rng)?;
        let (mine, theirs) = channels(self.me.device_id(), by.me.device_id(), [9; 32]);
        let request = invitation.request(&self.me, &self.person, &mine);
        if let Some(voucher) = voucher {
            match at.admit(&request, &theirs, NOW, &mut by.rng) {
                Err(AdmitError::Refused(JoinRefusal::Vouchers)) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Err("nobody has vouched".into()),
            }
            sync(inviter, voucher)?;
            let asking = voucher.at.roster().asking();
            let ask = asking.iter().find(|(_, ask, _)| ask.person == self.me.person);
            let (ask, ..) = *ask.ok_or("nobody asks")?;
            voucher.at.vouch(ask)?;
            sync(inviter, voucher)?;
        }
        let (by, at) = (&mut inviter.who, &mut inviter.at);
        let answer = at.admit(&request, &theirs, NOW, &mut by.rng)?;
        let admission = answer.admission().ok_or("a stranger is admitted")?;
        let bundle = at.bundle(&Frontier::new(), Compression::Fast)?;
        let at = Replica::join(
            MemoryStorage::default(),
            &invitation,
            &self.me,
            &self.box_secret,
            &admission.boxes,
            &bundle,
            &mut self.rng,
        )?;
        Member::of(self, at, name)
    }
}

impl Member {
    fn of(who: Newcomer, mut at: Replica<MemoryStorage>, name: &str) -> Result<Self, Failure> {
        at.set_box_secret(who.box_secret.clone())?;
        at.set_profile_name(name, NOW)?;
        Ok(Self { who, at })
    }

    /// Who it is.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.who.me.person
    }

    /// Everything, as this member exports it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn export(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.at.bundle(&Frontier::new(), Compression::Small)?)
    }

    fn membership(&self, person: PersonId) -> Result<EntryId, Failure> {
        Ok(self.at.roster().membership(person).ok_or("not in the group")?)
    }

    fn proposes(&mut self, act: CouncilAct, reason: &str) -> Result<EntryId, Failure> {
        Ok(self.at.propose(act, reason, NOW)?)
    }

    fn adds(&mut self, title: &str) -> Result<ProposalId, Failure> {
        let draft = Draft {
            title: title.to_owned(),
            ..Draft::default()
        };
        Ok(self.at.add_idea(&draft, NOW, &mut self.who.rng)?)
    }

    fn rekeys(&mut self) -> Result<EntryId, Failure> {
        let made = self.at.rekey_if_due(&mut self.who.rng)?;
        Ok(made.ok_or("no new key is due")?)
    }

    /// A copy of this profile, drawing otherwise.
    fn copied(&self, seed: u64) -> Result<Self, Failure> {
        let mut who = Newcomer::new(seed);
        who.me = self.who.me.clone();
        who.box_secret = self.who.box_secret.clone();
        let at = Replica::open(self.at.storage().clone())?;
        Ok(Self { who, at })
    }
}

/// A session, the first one dialling, until nothing is said any more.
///
/// # Errors
/// Where it breaks off.
pub fn sync(first: &mut Member, second: &mut Member) -> Result<Vec<Said>, Failure> {
    sync_over(first, second, [1; 32])
}

/// [`sync`] over a connection with this exporter.
///
/// # Errors
/// Where it breaks off.
pub fn sync_over(first: &mut Member, second: &mut Member, exporter: [u8; 32]) -> Result<Vec<Said>, Failure> {
    let (of_first, of_second) = (first.who.me.device_id(), second.who.me.device_id());
    talk(
        (&mut first.at, &mut first.who.rng, of_first),
        (&mut second.at, &mut second.who.rng, of_second),
        exporter,
    )
}

impl Council {
    /// All of it.
    ///
    /// # Errors
    /// Where anything fails.
    pub fn new(seed: u64) -> Result<Self, Failure> {
        let newcomer = |number: u64| Newcomer::new(seed.saturating_add(number));
        let mut anna = newcomer(0).found(Template::Jury)?;
        anna.at
            .describe_group("Lindenhof", "A yard, and a fund for it", NOW)?;
        let mut ben = newcomer(1).join("Ben", Role::Member, &mut anna, None)?;
        let mut carla = newcomer(2).join("Carla", Role::Member, &mut anna, Some(&mut ben))?;
        let mut dora = newcomer(3).join("Dora", Role::Observer, &mut anna, Some(&mut ben))?;
        promote(&mut anna, [&mut ben, &mut carla, &mut dora])?;
        decide(&mut anna, &mut ben, &mut carla)?;
        amend(&mut anna, &mut carla)?;
        hide(&mut anna, &mut ben, &mut carla)?;
        take_back(&mut anna, &mut carla)?;
        retire(&mut anna, newcomer(4))?;
        let mut gerd = newcomer(5).join("Gerd", Role::Member, &mut anna, None)?;
        come_and_go(&mut anna, &mut gerd, newcomer(6))?;
        erase_from_idea(&mut anna, &mut carla)?;
        remove(&mut anna, &mut carla, &mut ben, &dora)?;
        let finn = give_keys(&mut anna, &mut gerd, newcomer(7))?;
        erase_comment(&mut anna, &mut gerd)?;
        copy(&mut anna, &mut dora)?;
        carla.rekeys()?;
        carla.adds("Under a key of Carla's")?;
        Ok(Self {
            anna,
            ben,
            carla,
            dora,
            gerd,
            finn,
        })
    }
}

/// Ben gets voice, Carla becomes a steward, Dora a member. Anna is the only steward.
fn promote(anna: &mut Member, [ben, carla, dora]: [&mut Member; 3]) -> Result<(), Failure> {
    for other in [&mut *ben, &mut *carla, &mut *dora] {
        sync(anna, other)?;
    }
    let membership = anna.membership(ben.person())?;
    anna.proposes(CouncilAct::Confirm { membership }, "he is always there")?;
    for (person, role) in [(dora.person(), Role::Member), (carla.person(), Role::Steward)] {
        let membership = anna.membership(person)?;
        anna.proposes(CouncilAct::Promote { membership, role }, "")?;
    }
    for other in [ben, carla, dora] {
        sync(anna, other)?;
    }
    Ok(())
}

/// A vote that both stewards count.
fn decide(anna: &mut Member, ben: &mut Member, carla: &mut Member) -> Result<(), Failure> {
    let idea = ben.adds("A pump")?;
    sync(anna, ben)?;
    sync(anna, carla)?;
    let poll = carla.at.open_poll(idea, Method::YesNo, vec![], NOW)?;
    sync(anna, carla)?;
    sync(anna, ben)?;
    for voter in [&mut *anna, &mut *ben] {
        voter.at.cast(poll, &["yes".to_owned()], NOW)?;
    }
    sync(anna, ben)?;
    anna.at.close_poll(poll, NOW)?;
    sync(anna, carla)?;
    carla.at.close_poll(poll, NOW)?;
    sync(anna, carla)?;
    Ok(())
}

/// Both change every rule.
fn amend(anna: &mut Member, carla: &mut Member) -> Result<(), Failure> {
    let share = |numerator, denominator| Share {
        numerator,
        denominator,
    };
    let fund = Fund {
        jurors: Jurors::Named,
        residents: share(2, 3),
        cap: None,
    };
    let amendments = [
        Amendment::Inviters(Inviters::Members),
        Amendment::Vouchers(0),
        Amendment::Counters(Counters::Opener),
        Amendment::Quorum(share(1, 3)),
        Amendment::Fund(Some(fund)),
    ];
    let motions: Result<Vec<_>, _> = amendments
        .into_iter()
        .map(|amendment| anna.proposes(CouncilAct::Amend(amendment), "simpler"))
        .collect();
    both_sign(anna, carla, &motions?)
}

/// Carla signs what Anna has proposed.
fn both_sign(anna: &mut Member, carla: &mut Member, motions: &[EntryId]) -> Result<(), Failure> {
    sync(anna, carla)?;
    for motion in motions {
        carla.at.sign(*motion)?;
    }
    sync(anna, carla)?;
    Ok(())
}

/// An idea and a comment are hidden; the comment is shown again.
fn hide(anna: &mut Member, ben: &mut Member, carla: &mut Member) -> Result<(), Failure> {
    let idea = ben.adds("Buy my ladder")?;
    let comment = ben.at.comment(idea, "It is cheap.", NOW, &mut ben.who.rng)?;
    sync(anna, ben)?;
    let comment = Target::Comment {
        author: ben.person(),
        comment,
    };
    for (target, shown) in [
        (Target::Idea(idea), Shown::Hidden),
        (comment, Shown::Hidden),
        (comment, Shown::Visible),
    ] {
        let motion = anna.proposes(CouncilAct::Hide { target, shown }, "an advertisement")?;
        both_sign(anna, carla, &[motion])?;
    }
    Ok(())
}

/// One invitation is withdrawn, another one revoked.
fn take_back(anna: &mut Member, carla: &mut Member) -> Result<(), Failure> {
    let invite = |who: &mut Newcomer, at: &mut Replica<MemoryStorage>| {
        at.invite(&who.me, Role::Observer, NOW, vec![], &mut who.rng)
    };
    let withdrawn = invite(&mut anna.who, &mut anna.at)?.invite;
    let invite = invite(&mut anna.who, &mut anna.at)?.invite;
    anna.at.withdraw(withdrawn)?;
    let motion = anna.proposes(CouncilAct::Revoke { invite }, "it was lost")?;
    both_sign(anna, carla, &[motion])
}

/// Anna has a second computer, and retires it.
fn retire(anna: &mut Member, mut second: Newcomer) -> Result<(), Failure> {
    second.me.person = anna.person();
    let (who, device) = (&mut anna.who, second.me.named());
    let admission = anna.at.enrol_further(device, &who.person, &mut who.rng)?;
    let bundle = anna.at.bundle(&Frontier::new(), Compression::Fast)?;
    let keys = anna.at.keys().iter().rev().cloned().collect();
    let mut at = Replica::from_bundle(MemoryStorage::default(), anna.at.group(), keys, &bundle)?;
    at.open_journal(&second.me, &mut second.rng)?;
    let mut second = Member { who: second, at };
    second.adds("From the second computer")?;
    sync(anna, &mut second)?;
    anna.at.retire(admission.grant)?;
    anna.rekeys()?;
    Ok(())
}

/// Eve comes in and leaves.
fn come_and_go(anna: &mut Member, gerd: &mut Member, eve: Newcomer) -> Result<(), Failure> {
    let mut eve = eve.join("Eve", Role::Member, gerd, None)?;
    eve.adds("A swing")?;
    eve.at.leave()?;
    sync(gerd, &mut eve)?;
    sync(anna, gerd)?;
    anna.rekeys()?;
    sync(anna, gerd)?;
    Ok(())
}

/// A telephone number that stood in an idea is taken out, and then out of its past.
fn erase_from_idea(anna: &mut Member, carla: &mut Member) -> Result<(), Failure> {
    let idea = carla.adds("Frieda lends her drill")?;
    carla.at.edit_idea(idea, "Call her: 0201 555 777", NOW)?;
    sync(anna, carla)?;
    anna.at.edit_idea(idea, "Ask Carla", NOW)?;
    let document = DocumentId::Proposal(idea);
    let motion = anna.at.propose_erasure(document, "a telephone number", NOW)?;
    both_sign(anna, carla, &[motion])
}

/// Gerd takes back one of two comments that Anna has already.
fn erase_comment(anna: &mut Member, gerd: &mut Member) -> Result<(), Failure> {
    let idea = gerd.at.ideas()?.first().ok_or("there is an idea")?.id;
    let said = gerd
        .at
        .comment(idea, "My number is 0201 555 778", NOW, &mut gerd.who.rng)?;
    gerd.at.comment(idea, "I like it", NOW, &mut gerd.who.rng)?;
    sync(anna, gerd)?;
    let parts = [Part::Comment(said)].into();
    gerd.at.erase_own(&gerd.who.person, Leave::Parts(&parts), NOW)?;
    sync(anna, gerd)?;
    Ok(())
}

/// Ben is removed, does not know it, and writes on; Dora is a member no longer.
fn remove(anna: &mut Member, carla: &mut Member, ben: &mut Member, dora: &Member) -> Result<(), Failure> {
    let tenures = anna.at.roster().role_tenures(dora.person());
    let (tenure, _) = *tenures
        .iter()
        .find(|(_, role)| *role == Role::Member)
        .ok_or("she is a member")?;
    let demote = anna.proposes(CouncilAct::Demote { tenure }, "her own wish")?;
    let membership = anna.membership(ben.person())?;
    let remove = anna.proposes(CouncilAct::Remove { membership }, "the ladder again")?;
    both_sign(anna, carla, &[demote, remove])?;
    ben.adds("My ladder is still there")?;
    sync(anna, ben)?;
    anna.rekeys()?;
    anna.adds("Without Ben")?;
    Ok(())
}

/// Finn comes in at Gerd's, who does not know the newest key.
fn give_keys(anna: &mut Member, gerd: &mut Member, finn: Newcomer) -> Result<Member, Failure> {
    let mut finn = finn.join("Finn", Role::Member, gerd, None)?;
    sync(gerd, &mut finn)?;
    sync(anna, gerd)?;
    let grant = finn.at.me().ok_or("he is in the group")?.grant;
    let given = anna.at.give_keys(grant, &mut anna.who.rng)?;
    given.ok_or("he lacks a key")?;
    sync(anna, &mut finn)?;
    Ok(finn)
}

/// Dora's profile is copied, and both are written on.
fn copy(anna: &mut Member, dora: &mut Member) -> Result<(), Failure> {
    sync(anna, dora)?;
    let mut twin = dora.copied(99)?;
    let idea = dora.at.ideas()?.first().ok_or("there is an idea")?.id;
    dora.at.comment(idea, "One", NOW, &mut dora.who.rng)?;
    twin.at.comment(idea, "Another", NOW, &mut twin.who.rng)?;
    sync(anna, dora)?;
    sync(anna, &mut twin)?;
    Ok(())
}
