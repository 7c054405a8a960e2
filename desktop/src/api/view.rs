//! What a page is told. The page's own types are made from these.
//!
//! Ids are lower-case hexadecimal; times are milliseconds since 1970, by the clock of whoever did it.

use kiez_core::domain::id::{CommentId, GroupId, PersonId, PollId, ProposalId, TaskId, Timestamp};
use kiez_core::domain::stage::Stage;
use kiez_core::domain::{charter, poll, proposal, task, version};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Has a type of the engine stand in the page's types under the same name, written the same way in JSON.
macro_rules! shown {
    ($(#[$doc:meta])* $name:ident($of:path), $case:literal, $($variant:ident),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
        #[serde(rename_all = $case)]
        pub(crate) enum $name { $($variant),+ }

        impl From<$of> for $name {
            fn from(of: $of) -> Self {
                match of { $(<$of>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $of {
            fn from(shown: $name) -> Self {
                match shown { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}

pub(super) use shown;

shown!(
    /// What somebody may do.
    Role(charter::Role), "kebab-case", Observer, Member, Steward
);
shown!(
    /// How a question is answered.
    PollMethod(poll::Method), "kebab-case", YesNo, Approval
);
shown!(
    /// How far a vote is. `waiting`: closed, but not all of the answers are here yet.
    PollState(poll::PollState), "kebab-case", Open, Waiting, Closed, Disputed
);
shown!(
    /// How far a task is.
    TaskState(task::TaskState), "kebab-case", Open, Doing, Done
);
shown!(
    /// A text of an idea that people write together.
    TextField(proposal::TextField), "kebab-case", Title, Body
);
shown!(
    /// How far an idea is.
    IdeaState(Stage), "kebab-case", Idea, Vote, Decided, Doing, Done
);
shown!(
    /// What became of a piece of text.
    PartWas(version::Was), "kebab-case", Same, Added, Removed
);

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct GroupCard {
    #[ts(type = "string")]
    pub(crate) id: GroupId,
    pub(crate) name: String,
    pub(crate) purpose: String,
    pub(crate) people: usize,
}

/// A person, wherever one is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct Person {
    #[ts(type = "string")]
    pub(crate) id: PersonId,
    /// None where they have not said one.
    pub(crate) name: Option<String>,
    /// One or two letters.
    pub(crate) initials: String,
    pub(crate) me: bool,
}

/// Somebody in the list of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct PersonCard {
    pub(crate) person: Person,
    pub(crate) role: Role,
    /// Do they count in majorities of persons?
    pub(crate) voice: bool,
    pub(crate) devices: usize,
    pub(crate) reach: PersonReach,
}

/// How the line to somebody is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Contact {
    /// They were there, and are not now.
    Lost,
    /// Something is being exchanged.
    Busy,
    /// Both have the same.
    Even,
}

/// What somebody has of mine, by the best of their devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonReach {
    pub(crate) person: Person,
    pub(crate) has_all: bool,
    /// When they said so last.
    #[ts(type = "number | null")]
    pub(crate) as_of: Option<Timestamp>,
    /// None where they were not met since Kiez was opened.
    pub(crate) contact: Option<Contact>,
}

/// What is here of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mine {
    #[ts(type = "number")]
    pub(crate) entries: u64,
    #[ts(type = "number")]
    pub(crate) waiting: u64,
    #[ts(type = "number")]
    pub(crate) quarantined: u64,
    pub(crate) set_aside: usize,
}

/// Who is near, and what others have of mine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connections {
    /// Can devices nearby be found?
    pub(crate) discovering: bool,
    pub(crate) near: Vec<Person>,
    pub(crate) people: Vec<PersonReach>,
    pub(crate) mine: Mine,
    pub(crate) needs_update: bool,
}

/// Where something is, in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    pub(crate) lat: f64,
    pub(crate) lon: f64,
}

/// An idea, wherever one is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct IdeaRef {
    #[ts(type = "string")]
    pub(crate) id: ProposalId,
    /// None until a steward's device has numbered it.
    pub(crate) plate: Option<u32>,
    pub(crate) title: String,
}

/// An idea in the list.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IdeaCard {
    #[ts(type = "string")]
    pub(crate) id: ProposalId,
    pub(crate) plate: Option<u32>,
    /// The number under which it was known before.
    pub(crate) plate_was: Option<u32>,
    pub(crate) title: String,
    pub(crate) author: Option<Person>,
    #[ts(type = "number")]
    pub(crate) at: Timestamp,
    /// When something about it was changed last.
    #[ts(type = "number")]
    pub(crate) changed_at: Timestamp,
    /// In whole units of whatever the group counts in.
    #[ts(type = "number | null")]
    pub(crate) cost: Option<u64>,
    pub(crate) place: Option<Place>,
    pub(crate) categories: Vec<String>,
    pub(crate) targets: Vec<String>,
    pub(crate) state: IdeaState,
    #[ts(type = "number")]
    pub(crate) comments: u64,
    /// Is something about it new since this person was last here?
    pub(crate) unread: bool,
    pub(crate) first_words: String,
}

/// A text that people write together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// The point in its past that splices of it refer to.
    pub(crate) heads: String,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct CommentCard {
    #[ts(type = "string")]
    pub(crate) id: CommentId,
    pub(crate) author: Person,
    pub(crate) text: String,
    #[ts(type = "number")]
    pub(crate) at: Timestamp,
    pub(crate) mine: bool,
    pub(crate) new: bool,
}

/// Who has seen an idea's text as it stands here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct SeenBy {
    pub(crate) have: usize,
    pub(crate) of: usize,
    pub(crate) missing: Vec<Person>,
}

/// What was done with an idea.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HistoryWhat {
    Written,
    Title,
    Text,
    Cost,
    Place,
    Comment,
    VoteOpened,
    VoteClosed,
    Task,
    TaskDone,
}

/// Who did what with an idea, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct HistoryItem {
    #[ts(type = "number")]
    pub(crate) at: Timestamp,
    pub(crate) by: Option<Person>,
    pub(crate) what: HistoryWhat,
    pub(crate) text: String,
}

/// The page of one idea.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IdeaPage {
    pub(crate) card: IdeaCard,
    pub(crate) title: Text,
    pub(crate) body: Text,
    pub(crate) comments: Vec<CommentCard>,
    pub(crate) polls: Vec<PollCard>,
    pub(crate) tasks: Vec<TaskCard>,
    /// The newest first.
    pub(crate) history: Vec<HistoryItem>,
    /// Who has written in its texts.
    pub(crate) writers: Vec<Person>,
    pub(crate) seen_by: SeenBy,
    pub(crate) may_write: bool,
}

/// A piece of text beside the version before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) was: PartWas,
}

/// A version of an idea's texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Version {
    #[ts(type = "number")]
    pub(crate) at: Timestamp,
    pub(crate) by: Option<Person>,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) title_parts: Vec<Part>,
    pub(crate) parts: Vec<Part>,
}

/// A vote in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PollCard {
    #[ts(type = "string")]
    pub(crate) id: PollId,
    pub(crate) idea: IdeaRef,
    pub(crate) question: String,
    pub(crate) method: PollMethod,
    pub(crate) options: Vec<String>,
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
pub(crate) struct Count {
    pub(crate) option: String,
    #[ts(type = "number")]
    pub(crate) count: u64,
    pub(crate) won: bool,
}

/// What to compare aloud in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct Fingerprint {
    pub(crate) digits: String,
    /// Six.
    pub(crate) words: Vec<String>,
}

/// A vote with its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PollPage {
    pub(crate) card: PollCard,
    /// None before the close.
    pub(crate) counts: Option<Vec<Count>>,
    pub(crate) winners: Vec<String>,
    pub(crate) quorum_reached: Option<bool>,
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Who answered on two devices that did not know of each other.
    pub(crate) twice: Vec<Person>,
    /// Who could vote and, as far as is known here, has not.
    pub(crate) not_yet: Vec<Person>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct TaskCard {
    #[ts(type = "string")]
    pub(crate) id: TaskId,
    pub(crate) title: String,
    pub(crate) idea: Option<IdeaRef>,
    pub(crate) assignees: Vec<Person>,
    pub(crate) mine: bool,
    /// `YYYY-MM-DD`.
    pub(crate) due: Option<String>,
    pub(crate) state: TaskState,
}

/// What is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NewsKind {
    Joined,
    Idea,
    Comment,
    Text,
    VoteOpened,
    VoteClosed,
    Task,
    TaskDone,
}

/// Something new since this person was last here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct NewsItem {
    pub(crate) kind: NewsKind,
    pub(crate) by: Option<Person>,
    #[ts(type = "number")]
    pub(crate) at: Timestamp,
    pub(crate) idea: Option<IdeaRef>,
    pub(crate) text: String,
    /// Is it somebody else's?
    pub(crate) new: bool,
}

/// Something to do first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FirstStep {
    Invite,
    Idea,
    Words,
}

/// What needs me, and what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Today {
    pub(crate) group: GroupCard,
    pub(crate) me: Person,
    /// Those that wait for my ballot first.
    pub(crate) open_votes: Vec<PollCard>,
    pub(crate) my_tasks: Vec<TaskCard>,
    pub(crate) news: Vec<NewsItem>,
    #[ts(type = "number | null")]
    pub(crate) since: Option<Timestamp>,
    /// Who has all of mine.
    pub(crate) arrived: Vec<PersonReach>,
    pub(crate) first_steps: Vec<FirstStep>,
}

/// Where something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HitKind {
    Idea,
    Comment,
    Task,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct Hit {
    pub(crate) kind: HitKind,
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) idea: Option<IdeaRef>,
}

/// What a pasted invitation says before anybody is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct InvitationInfo {
    #[ts(type = "number | null")]
    pub(crate) expires: Option<Timestamp>,
    /// What to show members who are to say that they have met this person, where the charter asks for that.
    pub(crate) digits: Option<String>,
    pub(crate) ok: bool,
    /// Why not.
    pub(crate) code: Option<String>,
}

/// Whatever was made has an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct Added {
    pub(crate) id: String,
}

/// An invitation for one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct Invitation {
    pub(crate) invitation: String,
    #[ts(type = "number")]
    pub(crate) expires: Timestamp,
    /// Where this device can be reached.
    pub(crate) addresses: Vec<String>,
}

/// A group that was joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct Joined {
    #[ts(type = "string")]
    pub(crate) id: GroupId,
    pub(crate) name: String,
    /// Both screens show it.
    pub(crate) code: String,
}

/// What a copy brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub(crate) struct CopyRead {
    #[ts(type = "string")]
    pub(crate) group: GroupId,
    pub(crate) entries: usize,
    pub(crate) new: usize,
}
