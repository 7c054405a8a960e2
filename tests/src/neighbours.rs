//! Two neighbours with a group in memory, the same from the same seed: what tests of the formats read and what fixtures are
//! recorded from. Every frame that one sends to the other is kept.

use std::error::Error;

use ed25519_dalek::SigningKey;
use kiez_core::domain::charter::{Charter, Role};
use kiez_core::domain::erasure::Part;
use kiez_core::domain::id::{DeviceId, GroupId, PersonId, PollId, ProposalId, Timestamp};
use kiez_core::domain::poll::Method;
use kiez_core::domain::proposal::{Draft, TextField};
use kiez_core::domain::splice::Splice;
use kiez_core::domain::task::{TaskDraft, TaskState};
use kiez_core::replica::bundle::Compression;
use kiez_core::replica::document::Leave;
use kiez_core::replica::frontier::Frontier;
use kiez_core::replica::hold::{Me, Replica};
use kiez_core::replica::keys::{BoxSecret, GroupKey};
use kiez_core::replica::memory::MemoryStorage;
use kiez_core::replica::session::{Channel, Effect, Session, Side, bundle_parts, hello};
use kiez_core::replica::wire::Frame;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// What every clock says.
pub const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// What went wrong.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A person with one device, and their replica.
#[derive(Debug)]
pub struct Neighbour {
    /// Who.
    pub me: Me,
    /// What they draw.
    pub rng: ChaCha20Rng,
    person: SigningKey,
    box_secret: BoxSecret,
}

/// One frame, and who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// 0: who dialled, 1: who answered.
    pub side: u8,
    /// The frame without its length.
    pub frame: Vec<u8>,
}

/// The group of both.
#[derive(Debug)]
pub struct Neighbourhood {
    /// She founded it.
    pub anna: Neighbour,
    /// Her copy.
    pub at_anna: Replica<MemoryStorage>,
    /// He joined.
    pub ben: Neighbour,
    /// His copy.
    pub at_ben: Replica<MemoryStorage>,
    /// The invitation he had.
    pub invitation: String,
    /// How he joined.
    pub joining: Vec<Said>,
    /// The idea.
    pub idea: ProposalId,
    /// The vote about it.
    pub poll: PollId,
}

impl Neighbour {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let person = SigningKey::generate(&mut rng);
        let device = SigningKey::generate(&mut rng);
        let box_secret = BoxSecret::generate(&mut rng);
        let me = Me {
            person: PersonId(person.verifying_key().to_bytes()),
            device,
            box_key: box_secret.public(),
        };
        Self {
            me,
            rng,
            person,
            box_secret,
        }
    }

    /// What this device's boxes open with.
    #[must_use]
    pub const fn box_secret(&self) -> &BoxSecret {
        &self.box_secret
    }
}

/// The two ends of a connection: at Anna, who dials, and at Ben.
#[must_use]
pub fn channels(anna: DeviceId, ben: DeviceId, exporter: [u8; 32]) -> (Channel, Channel) {
    (Channel { exporter, peer: ben }, Channel { exporter, peer: anna })
}

impl Neighbourhood {
    /// Founded, joined, an idea edited on both sides while apart, its number, tasks, comments, a vote that is closed. Neither has told
    /// the other of the last of it.
    ///
    /// # Errors
    /// Where anything fails.
    pub fn new(seed: u64) -> Result<Self, Failure> {
        let (mut anna, mut ben) = (Neighbour::new(seed), Neighbour::new(seed.saturating_add(1)));
        let empty = MemoryStorage::default();
        let mut at_anna = Replica::found(empty, &anna.me, &anna.person, Charter::circle(), &mut anna.rng)?;
        at_anna.describe_group("Zawodzie", "Our quarter", NOW)?;
        at_anna.set_profile_name("Anna", NOW)?;
        let idea = at_anna.add_idea(&benches()?, NOW, &mut anna.rng)?;
        let (invitation, joining, mut at_ben) = join(&mut anna, &mut at_anna, &mut ben)?;
        at_ben.set_profile_name("Ben", NOW)?;
        let mut group = Self {
            anna,
            at_anna,
            ben,
            at_ben,
            invitation,
            joining,
            idea,
            poll: PollId([0; 32]),
        };
        group.work()?;
        group.vote()?;
        Ok(group)
    }

    /// The group's id.
    #[must_use]
    pub fn id(&self) -> GroupId {
        self.at_anna.group()
    }

    /// The group's key.
    ///
    /// # Errors
    /// Where there is none.
    pub fn key(&self) -> Result<GroupKey, Failure> {
        Ok(self.at_anna.keys().current().ok_or("no group key")?.clone())
    }

    /// Everything, as Anna exports it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn export(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.at_anna.bundle(&Frontier::new(), Compression::Small)?)
    }

    /// Everything, as Ben exports it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn export_of_ben(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.at_ben.bundle(&Frontier::new(), Compression::Small)?)
    }

    /// Ben erases the first of what he has said, and says something more.
    ///
    /// # Errors
    /// Where he has said nothing, or it fails.
    pub fn erase_first_comment(&mut self) -> Result<(), Failure> {
        let said = self.at_ben.comments_of(self.ben.me.person)?;
        let parts = [Part::Comment(said.first().ok_or("nothing is said")?.id)].into();
        self.at_ben
            .erase_own(&self.ben.person, Leave::Parts(&parts), NOW)?;
        self.at_ben
            .comment(self.idea, "Good all the same.", NOW, &mut self.ben.rng)?;
        Ok(())
    }

    fn work(&mut self) -> Result<(), Failure> {
        let (a, b, idea) = (&mut self.at_anna, &mut self.at_ben, self.idea);
        a.edit_idea(idea, "Two green benches by the lime tree.", NOW)?;
        b.edit_idea(idea, "Two benches by the old lime tree.", NOW)?;
        let ask = TaskDraft {
            title: "Ask the city".to_owned(),
            assignees: [self.ben.me.person].into(),
            due: Some("2027-02-01".parse()?),
        };
        let task = b.add_task(Some(idea), &ask, NOW, &mut self.ben.rng)?;
        let print = TaskDraft {
            title: "Print leaflets".to_owned(),
            ..TaskDraft::default()
        };
        a.add_task(None, &print, NOW, &mut self.anna.rng)?;
        b.comment(idea, "Good!", NOW, &mut self.ben.rng)?;
        b.set_task_state(Some(idea), task, TaskState::Doing, NOW)?;
        b.set_task_state(Some(idea), task, TaskState::Done, NOW)?;
        let heads = b.idea_text(idea, TextField::Title)?.heads;
        let typed = Splice {
            at: 0,
            delete: 0,
            insert: "Green ".to_owned(),
        };
        b.splice_idea(idea, TextField::Title, &heads, &[typed], NOW)?;
        a.number_ideas(NOW)?;
        self.sync([1; 32])?;
        Ok(())
    }

    fn vote(&mut self) -> Result<(), Failure> {
        let options = ["wood", "steel"].map(str::to_owned).to_vec();
        self.poll = self
            .at_anna
            .open_poll(self.idea, Method::Approval, options, NOW)?;
        self.sync([2; 32])?;
        self.at_anna
            .cast(self.poll, &["wood".to_owned(), "steel".to_owned()], NOW)?;
        self.at_ben.cast(self.poll, &["wood".to_owned()], NOW)?;
        self.sync([3; 32])?;
        self.at_anna.close_poll(self.poll, NOW)?;
        self.at_ben.comment(self.idea, "When?", NOW, &mut self.ben.rng)?;
        Ok(())
    }

    /// A session, Anna dialling, until nothing is said any more.
    ///
    /// # Errors
    /// Where a frame does not read back or a session breaks off.
    pub fn sync(&mut self, exporter: [u8; 32]) -> Result<Vec<Said>, Failure> {
        let (anna, ben) = (self.anna.me.device_id(), self.ben.me.device_id());
        talk(
            (&mut self.at_anna, &mut self.anna.rng, anna),
            (&mut self.at_ben, &mut self.ben.rng, ben),
            exporter,
        )
    }
}

/// One end of a session: what it holds, what it draws, which device it is.
pub type Talker<'a> = (&'a mut Replica<MemoryStorage>, &'a mut ChaCha20Rng, DeviceId);

/// A session, the first one dialling, until nothing is said any more.
///
/// # Errors
/// Where a frame does not read back or a session breaks off.
pub fn talk(first: Talker<'_>, second: Talker<'_>, exporter: [u8; 32]) -> Result<Vec<Said>, Failure> {
    let ((at_first, first_rng, first), (at_second, second_rng, second)) = (first, second);
    let (to_second, to_first) = channels(first, second, exporter);
    let mut of_first = Session::new(Side::Dialler, to_second);
    let mut of_second = Session::new(Side::Answerer, to_first);
    let greeting = hello(at_first.keys(), &to_second, Side::Dialler, first_rng);
    let mut said = vec![Said {
        side: 0,
        frame: greeting.to_bytes(),
    }];
    let mut heard = 0;
    while let Some(Said { side, frame }) = said.get(heard).cloned() {
        heard = heard.saturating_add(1);
        let frame = Frame::from_bytes(&frame)?;
        let effects = if side == 0 {
            of_second.on_frame(frame, at_second, second_rng)?
        } else {
            of_first.on_frame(frame, at_first, first_rng)?
        };
        for effect in effects {
            match effect {
                Effect::Send(frame) => said.push(Said {
                    side: 1_u8.saturating_sub(side),
                    frame: frame.to_bytes(),
                }),
                Effect::Close(why) => return Err(why.into()),
                Effect::Received(_)
                | Effect::PeerHas(_)
                | Effect::Progress { .. }
                | Effect::Published
                | Effect::NotPublished => {}
            }
        }
    }
    Ok(said)
}

fn benches() -> Result<Draft, Failure> {
    Ok(Draft {
        title: "Benches".to_owned(),
        body: "Two benches by the lime tree.".to_owned(),
        cost: Some("1200".parse()?),
        place: Some("50.2599,19.0389".parse()?),
        categories: vec!["urban greenery".to_owned()],
        targets: vec!["everybody".to_owned()],
    })
}

fn join(
    anna: &mut Neighbour,
    at_anna: &mut Replica<MemoryStorage>,
    ben: &mut Neighbour,
) -> Result<(String, Vec<Said>, Replica<MemoryStorage>), Failure> {
    let expires = Timestamp(NOW.0.saturating_add(1));
    let addresses = vec!["192.0.2.7:50000".parse()?, "[2001:db8::7]:50001".parse()?];
    let invitation = at_anna.invite(&anna.me, Role::Member, expires, addresses, &mut anna.rng)?;
    // Ben dials.
    let (at_ben, at_annas) = channels(ben.me.device_id(), anna.me.device_id(), [9; 32]);
    let request = invitation.request(&ben.me, &ben.person, &at_ben);
    let answer = at_anna.admit(&request, &at_annas, NOW, &mut anna.rng)?;
    let admission = answer.admission().ok_or("a stranger is admitted")?;
    let bundle = at_anna.bundle(&Frontier::new(), Compression::Fast)?;
    let replica = Replica::join(
        MemoryStorage::default(),
        &invitation,
        &ben.me,
        &ben.box_secret,
        &admission.boxes,
        &bundle,
        &mut ben.rng,
    )?;
    let mut answer = vec![Frame::Admitted {
        grant: admission.grant,
        boxes: admission.boxes,
    }];
    answer.extend(bundle_parts(&bundle));
    let mut said = vec![Said {
        side: 0,
        frame: Frame::JoinRequest(Box::new(request)).to_bytes(),
    }];
    said.extend(answer.iter().map(|frame| Said {
        side: 1,
        frame: frame.to_bytes(),
    }));
    Ok((invitation.to_text(), said, replica))
}
