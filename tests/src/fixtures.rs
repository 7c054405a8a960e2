//! The fixtures of each issue: files as the build that ended it wrote them, kept for ever. `src/bin/record_fixtures.rs` made
//! them, `tests/fixtures.rs` and `tests/mixed_versions.rs` read them. See the README in each folder.

pub mod council;

use std::path::PathBuf;

use kiez_core::domain::id::{DeviceId, GroupId, PersonId, PollId, ProposalId, TaskId};
use kiez_core::host::keystore::{Cost, Home, Passphrase};
use kiez_core::host::node::Node;
use kiez_core::replica::storage::Storage;
use serde::{Deserialize, Serialize};

use crate::neighbours::{Failure, Neighbourhood, Said};

/// The passphrase of the profile.
pub const PASSPHRASE: &str = "Lindenstraße 7";

/// What was recorded of two neighbours. Bytes are in hexadecimal.
#[derive(Debug, Serialize, Deserialize)]
pub struct Neighbours {
    /// The group.
    pub group: GroupId,
    /// Its key.
    pub group_key: String,
    /// The invitation Ben had.
    pub invitation: String,
    /// With this his boxes open.
    pub box_secret: String,
    /// The exporter of the connection in which he joined.
    pub joining_exporter: String,
    /// What was said there: Ben is side 0.
    pub joining: Vec<Frame>,
    /// A session of both, Anna being side 0.
    pub session: Vec<Frame>,
    /// The exporter of its connection.
    pub session_exporter: String,
    /// Anna and Ben.
    pub sides: [End; 2],
    /// The state digest of both after it.
    pub digest: String,
    /// The frontier digest of both after it.
    pub frontier_digest: String,
    /// How many entries the export holds.
    pub entries: usize,
    /// The vote, and its fingerprint.
    pub poll: PollId,
    /// See [`Neighbours::poll`].
    pub fingerprint: String,
}

/// One end of the recorded session.
#[derive(Debug, Serialize, Deserialize)]
pub struct End {
    /// The device.
    pub device: DeviceId,
    /// The seed of the journal it writes.
    pub journal_seed: String,
}

/// One frame of a recording.
#[derive(Debug, Serialize, Deserialize)]
pub struct Frame {
    /// Who sent it.
    pub side: u8,
    /// Without its length.
    pub bytes: String,
}

/// What the recorded profile holds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Profile {
    /// Whose it is.
    pub person: PersonId,
    /// Which device.
    pub device: DeviceId,
    /// The recovery words.
    pub words: String,
    /// Its group.
    pub group: GroupId,
    /// The state digest.
    pub digest: String,
    /// An idea.
    pub idea: ProposalId,
    /// A vote about it.
    pub poll: PollId,
    /// Its fingerprint.
    pub fingerprint: String,
    /// A task.
    pub task: TaskId,
}

/// The folder of the first version of every format.
#[must_use]
pub fn folder() -> PathBuf {
    folder_of("issue-2")
}

/// The folder of an issue.
#[must_use]
pub fn folder_of(issue: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(issue)
}

/// Bytes as they stand in a recording.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes as they stood in a recording.
///
/// # Errors
/// Where it is no hexadecimal.
pub fn bytes(hex: &str) -> Result<Vec<u8>, Failure> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err("half a byte".into());
    }
    pairs
        .iter()
        .map(|pair| Ok(u8::from_str_radix(str::from_utf8(pair)?, 16)?))
        .collect()
}

/// What a group of two says and holds.
#[derive(Debug)]
pub struct Recording {
    /// The words of it.
    pub neighbours: Neighbours,
    /// The copies of Anna and Ben before the session.
    pub before: [Vec<u8>; 2],
    /// The whole group after it.
    pub after: Vec<u8>,
}

/// Records two neighbours.
///
/// # Errors
/// Where anything fails.
pub fn record_neighbours() -> Result<Recording, Failure> {
    let exporter = [4; 32];
    let mut group = Neighbourhood::new(2_026)?;
    let before = [group.export()?, group.export_of_ben()?];
    let joining = frames(&group.joining);
    let session = frames(&group.sync(exporter)?);
    let outcome = group.at_anna.poll_outcome(group.poll)?;
    let end = |device, storage: &dyn Storage| -> Result<End, Failure> {
        let own = storage.own()?.ok_or("no journal")?;
        Ok(End {
            device,
            journal_seed: hex(&own.seed),
        })
    };
    let neighbours = Neighbours {
        group: group.id(),
        group_key: hex(group.key()?.as_bytes()),
        invitation: group.invitation.clone(),
        box_secret: hex(group.ben.box_secret().as_bytes()),
        joining_exporter: hex(&[9; 32]),
        joining,
        session,
        session_exporter: hex(&exporter),
        sides: [
            end(group.anna.me.device_id(), group.at_anna.storage())?,
            end(group.ben.me.device_id(), group.at_ben.storage())?,
        ],
        digest: hex(&group.at_anna.digest()?),
        frontier_digest: hex(&group.at_anna.holdings().digest()),
        entries: usize::try_from(group.at_anna.census()?.entries)?,
        poll: group.poll,
        fingerprint: hex(&outcome.fingerprint.ok_or("the vote is not closed")?),
    };
    Ok(Recording {
        neighbours,
        before,
        after: group.export()?,
    })
}

/// What was said, as it stands in a recording.
#[must_use]
pub fn frames(said: &[Said]) -> Vec<Frame> {
    said.iter()
        .map(|said| Frame {
            side: said.side,
            bytes: hex(&said.frame),
        })
        .collect()
}

/// Makes a profile in a folder, with a group of one; gives what is in it, and an export.
///
/// # Errors
/// Where anything fails.
pub fn record_profile(home: &Home) -> Result<(Profile, Vec<u8>), Failure> {
    use kiez_core::domain::poll::Method;
    use kiez_core::domain::proposal::Draft;
    use kiez_core::domain::task::TaskDraft;
    let passphrase = Passphrase::new(PASSPHRASE);
    let node = Node::create_at(home, "Anna", &passphrase, Cost::LEAST)?;
    let group = node.found("Zawodzie", "Our quarter", &passphrase)?;
    let draft = Draft {
        title: "Benches".to_owned(),
        body: "Two benches by the lime tree.".to_owned(),
        cost: Some("1200".parse()?),
        ..Draft::default()
    };
    let idea = node.add_idea(group, &draft)?;
    node.comment(group, idea, "Good!")?;
    let poll = node.open_poll(group, idea, Method::YesNo, vec![])?;
    node.cast(group, poll, &["yes".to_owned()])?;
    node.close_poll(group, poll)?;
    let task = TaskDraft {
        title: "Ask the city".to_owned(),
        ..TaskDraft::default()
    };
    let task = node.add_task(group, Some(idea), &task)?;
    let (_, outcome, _) = node.poll(group, poll)?;
    let profile = Profile {
        person: node.me().person,
        device: node.me().device_id(),
        words: node.recovery_words(&passphrase)?.phrase().to_string(),
        group,
        digest: hex(&node.status(group)?.digest),
        idea,
        poll,
        fingerprint: hex(&outcome.fingerprint.ok_or("the vote is not closed")?),
        task,
    };
    Ok((profile, node.export(group)?))
}
