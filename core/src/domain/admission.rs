//! Who may write which document: asked of every content entry, answered from what its author knew.

use serde::{Deserialize, Serialize};

use crate::planted::{Guard, is_off};

use super::charter::Role;
use super::document::DocumentId;
use super::roster::{Author, Standing};

/// What becomes of a content entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It counts.
    Admit,
    /// It is kept and never applied.
    Quarantine(Quarantine),
}

/// Why an entry is kept and never applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quarantine {
    /// Its journal was not begun by a grant that holds.
    NotAMember,
    /// The document belongs to somebody else.
    NotTheirs,
    /// An observer may comment, and write nothing else.
    ObserverMayNot,
    /// Only a steward may write it.
    StewardsOnly,
    /// It was allowed, and lies beyond what counts of somebody who has gone, or of a role that is over. What it
    /// says is taken in where something that counts builds on it.
    Beyond,
    /// Its author did not know yet that the document was begun anew, since something in it was erased. Its author can
    /// write it again.
    Erased,
}

impl std::fmt::Display for Quarantine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotAMember => {
                "you are not in this group any more, or not with this device, so nothing you write there counts"
            }
            Self::NotTheirs => "it is somebody else's own",
            Self::ObserverMayNot => "observers read and comment, and write nothing else",
            Self::StewardsOnly => "only stewards write that",
            Self::Beyond => "it came from somebody who has left, so it does not count",
            Self::Erased => "what it was written into has been erased meanwhile: write it again",
        })
    }
}

/// Judges one content entry by how its author stands and its document. Two questions: was it allowed by what its author
/// knew? If so, has a later end of their place or their role cut it off?
#[must_use]
pub fn admission_of(standing: &Standing, document: &DocumentId) -> Admission {
    let (author, still) = match standing {
        Standing::Never => return admission(None, document),
        Standing::Beyond(author) => (author, None),
        Standing::Counts { author, then, still } => (
            &Author {
                role: *then,
                ..*author
            },
            Some(*still),
        ),
    };
    let allowed = admission(Some(author), document);
    if allowed != Admission::Admit {
        return allowed;
    }
    let counts =
        still.is_some_and(|role| admission(Some(&Author { role, ..*author }), document) == Admission::Admit);
    if counts {
        Admission::Admit
    } else {
        Admission::Quarantine(Quarantine::Beyond)
    }
}

/// Judges what the author of a journal (none where it has no standing) may write in a document.
#[must_use]
pub fn admission(author: Option<&Author>, document: &DocumentId) -> Admission {
    let Some(author) = author else {
        return Admission::Quarantine(Quarantine::NotAMember);
    };
    match refusal(author, document) {
        None => Admission::Admit,
        Some(reason) => Admission::Quarantine(reason),
    }
}

fn refusal(author: &Author, document: &DocumentId) -> Option<Quarantine> {
    let observer = author.role == Role::Observer && !is_off(Guard::Observer);
    match document {
        DocumentId::Own(person) | DocumentId::Vote(person)
            if *person != author.person && !is_off(Guard::OwnDocument) =>
        {
            Some(Quarantine::NotTheirs)
        }
        DocumentId::Own(_) => None,
        DocumentId::Group if !observer && author.role != Role::Steward && !is_off(Guard::StewardsOnly) => {
            Some(Quarantine::StewardsOnly)
        }
        DocumentId::Group
        | DocumentId::Vote(_)
        | DocumentId::Proposal(_)
        | DocumentId::Board(_)
        | DocumentId::Meeting(_)
        | DocumentId::Help(_)
        | DocumentId::Strategy(_) => observer.then_some(Quarantine::ObserverMayNot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{EntryId, PersonId, ProposalId};

    fn author(role: Role) -> Author {
        Author {
            person: PersonId([1; 32]),
            role,
            grant: EntryId([9; 32]),
            membership: EntryId([9; 32]),
        }
    }

    #[test]
    fn the_table_of_who_may_write_what() {
        let mine = PersonId([1; 32]);
        let theirs = PersonId([2; 32]);
        let idea = DocumentId::Proposal(ProposalId([3; 16]));
        let quarantine = |reason| Admission::Quarantine(reason);
        let rows = [
            (Role::Member, DocumentId::Own(mine), Admission::Admit),
            (Role::Member, DocumentId::Vote(mine), Admission::Admit),
            (
                Role::Member,
                DocumentId::Own(theirs),
                quarantine(Quarantine::NotTheirs),
            ),
            (
                Role::Steward,
                DocumentId::Own(theirs),
                quarantine(Quarantine::NotTheirs),
            ),
            (
                Role::Steward,
                DocumentId::Vote(theirs),
                quarantine(Quarantine::NotTheirs),
            ),
            (Role::Observer, DocumentId::Own(mine), Admission::Admit),
            (
                Role::Observer,
                DocumentId::Vote(mine),
                quarantine(Quarantine::ObserverMayNot),
            ),
            (Role::Observer, idea, quarantine(Quarantine::ObserverMayNot)),
            (Role::Member, idea, Admission::Admit),
            (Role::Member, DocumentId::GENERAL_BOARD, Admission::Admit),
            (
                Role::Member,
                DocumentId::Group,
                quarantine(Quarantine::StewardsOnly),
            ),
            (Role::Steward, DocumentId::Group, Admission::Admit),
        ];
        for (role, document, expected) in rows {
            assert_eq!(
                admission(Some(&author(role)), &document),
                expected,
                "{role:?} writes {document}"
            );
            assert_eq!(
                admission(None, &document),
                Admission::Quarantine(Quarantine::NotAMember),
                "a stranger writes {document}"
            );
        }
    }
}
