//! What a page is told. The page's own types are made from these.

use kiez_core::domain::charter::Role;
use kiez_core::domain::id::{CommentId, GroupId, PersonId, PollId, ProposalId, TaskId, Timestamp};
use kiez_core::domain::poll::{Method, PollState};
use kiez_core::domain::task::TaskState;
use serde::Serialize;
use ts_rs::TS;

/// Is there a profile here, and is it open?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub(crate) enum DoorState {
    /// There is none.
    New,
    /// The passphrase is wanted.
    Locked,
    /// It is open.
    Open,
}

/// What stands at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub(crate) struct Door {
    pub(crate) state: DoorState,
    /// Whose profile it is; told once it is open.
    pub(crate) name: Option<String>,
    pub(crate) groups: Vec<GroupCard>,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub(crate) struct GroupCard {
    #[ts(type = "string")]
    pub(crate) id: GroupId,
    pub(crate) name: String,
    pub(crate) purpose: String,
    pub(crate) people: usize,
}

/// A person, wherever one is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub(crate) struct Person {
    #[ts(type = "string")]
    pub(crate) id: PersonId,
    /// None where they have not said one.
    pub(crate) name: Option<String>,
    pub(crate) me: bool,
}

/// An idea, wherever one is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub(crate) struct IdeaRef {
    #[ts(type = "string")]
    pub(crate) id: ProposalId,
    pub(crate) title: String,
}

/// An idea in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub(crate) struct IdeaCard {
    #[ts(type = "string")]
    pub(crate) id: ProposalId,
    pub(crate) title: String,
    pub(crate) author: Option<Person>,
    #[ts(type = "number")]
    pub(crate) at: Timestamp,
    #[ts(type = "number | null")]
    pub(crate) cost: Option<u64>,
    /// `latitude,longitude` in degrees.
    pub(crate) place: Option<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) targets: Vec<String>,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub(crate) struct CommentCard {
    #[ts(type = "string")]
    pub(crate) id: CommentId,
    pub(crate) author: Person,
    pub(crate) text: String,
    #[ts(type = "number")]
    pub(crate) at: Timestamp,
}

/// The page of one idea.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub(crate) struct IdeaPage {
    pub(crate) card: IdeaCard,
    pub(crate) body: String,
    pub(crate) comments: Vec<CommentCard>,
    pub(crate) polls: Vec<PollCard>,
    pub(crate) tasks: Vec<TaskCard>,
}

/// A vote in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub(crate) struct PollCard {
    #[ts(type = "string")]
    pub(crate) id: PollId,
    pub(crate) idea: Option<IdeaRef>,
    pub(crate) question: String,
    #[ts(type = "\"yes-no\" | \"approval\"")]
    pub(crate) method: Method,
    pub(crate) options: Vec<String>,
    #[ts(type = "\"open\" | \"waiting\" | \"closed\" | \"disputed\"")]
    pub(crate) state: PollState,
    pub(crate) opened_by: Person,
    #[ts(type = "number")]
    pub(crate) at: Timestamp,
    #[ts(type = "number")]
    pub(crate) eligible: u64,
    #[ts(type = "number")]
    pub(crate) cast: u64,
    /// What this person answered; none where they did not, or twice.
    pub(crate) mine: Option<Vec<String>>,
    pub(crate) may_vote: bool,
    pub(crate) may_close: bool,
}

/// One line of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub(crate) struct Count {
    pub(crate) option: String,
    #[ts(type = "number")]
    pub(crate) count: u64,
    pub(crate) won: bool,
}

/// A vote with its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub(crate) struct PollPage {
    pub(crate) card: PollCard,
    /// None before the close.
    pub(crate) counts: Option<Vec<Count>>,
    pub(crate) quorum_reached: Option<bool>,
    /// In hexadecimal digits.
    pub(crate) fingerprint: Option<String>,
    /// Who answered on two devices that did not know of each other.
    pub(crate) twice: Vec<Person>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub(crate) struct TaskCard {
    #[ts(type = "string")]
    pub(crate) id: TaskId,
    pub(crate) title: String,
    pub(crate) idea: Option<IdeaRef>,
    pub(crate) assignees: Vec<Person>,
    pub(crate) mine: bool,
    /// `YYYY-MM-DD`.
    pub(crate) due: Option<String>,
    #[ts(type = "\"open\" | \"done\"")]
    pub(crate) state: TaskState,
}

/// Somebody in the list of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub(crate) struct PersonCard {
    pub(crate) person: Person,
    #[ts(type = "\"observer\" | \"member\" | \"steward\"")]
    pub(crate) role: Role,
    pub(crate) devices: usize,
}

/// What somebody has of mine, by the best of their devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub(crate) struct PersonReach {
    pub(crate) person: Person,
    pub(crate) has_all: bool,
    /// When they said so last.
    #[ts(type = "number | null")]
    pub(crate) as_of: Option<Timestamp>,
    /// Are they being talked to now?
    pub(crate) near: bool,
}

/// Who is near, and what others have of mine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub(crate) struct Connections {
    /// Can devices nearby be found?
    pub(crate) discovering: bool,
    pub(crate) people: Vec<PersonReach>,
    #[ts(type = "number")]
    pub(crate) entries: u64,
    #[ts(type = "number")]
    pub(crate) waiting: u64,
    #[ts(type = "number")]
    pub(crate) quarantined: u64,
    pub(crate) set_aside: usize,
    pub(crate) needs_update: bool,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub(crate) struct Hit {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) title: String,
}
