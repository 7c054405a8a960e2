//! What went wrong, as the command line tells it: a code that programs may rely on, an exit code, a text for people.

use std::fmt;
use std::process::ExitCode;

use kiez_core::domain::splice::SpliceError;
use kiez_core::host::keystore::{BackupError, KeystoreError};
use kiez_core::host::net::{DeviceFailure, JoinFailure, NetError};
use kiez_core::host::node::{ImportError, NodeError};
use kiez_core::replica::actions::ActionError;
use kiez_core::replica::author::AuthorError;
use kiez_core::replica::hold::ReplicaError;
use kiez_core::replica::join::InvitationError;
use kiez_core::replica::own_device::{DeviceRefusal, DeviceTextError};
use kiez_core::replica::storage::StorageError;
use serde::{Deserialize, Serialize};

/// How a process ends. The numbers are a promise of `docs/cli.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Exit {
    /// What was asked could not be done.
    Failed = 1,
    /// What was asked makes no sense.
    Usage = 2,
    /// Nobody could be reached.
    Unreachable = 3,
    /// The passphrase is wrong.
    WrongPassphrase = 4,
    /// A file or the store is damaged.
    Damaged = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// One failure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: &str, message: impl fmt::Display) -> Self {
        Self {
            exit,
            code: code.to_owned(),
            message: message.to_string(),
        }
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    pub(crate) fn no_window(message: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, "no-window", message)
    }

    pub(crate) fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::new(
                Exit::Failed,
                "disk-full",
                format!(
                    "The disk that holds {} is full. Make room, then try again.",
                    path.display()
                ),
            );
        }
        Self::new(
            Exit::Failed,
            "file",
            format!("{} cannot be used: {error}", path.display()),
        )
    }
}

impl From<KeystoreError> for Failure {
    fn from(error: KeystoreError) -> Self {
        use KeystoreError as E;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "whatever is new there is a failure like others"
        )]
        let (exit, code) = match &error {
            E::NoProfile(_) => (Exit::Failed, "no-profile"),
            E::ProfileExists(_) => (Exit::Failed, "profile-exists"),
            E::WrongPassphrase => (Exit::WrongPassphrase, "wrong-passphrase"),
            E::EmptyPassphrase => (Exit::Usage, "empty-passphrase"),
            E::HeaderMissing(_)
            | E::DatabaseMissing(_)
            | E::HeaderDamaged { .. }
            | E::DatabaseDamaged { .. } => (Exit::Damaged, "profile-damaged"),
            E::SeedDamaged => (Exit::Damaged, "seed-damaged"),
            E::DiskFull(_) => (Exit::Failed, "disk-full"),
            E::InUse(_) => (Exit::Failed, "in-use"),
            E::Newer { .. } => (Exit::Failed, "newer"),
            _ => (Exit::Failed, "profile"),
        };
        Self::new(exit, code, error)
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::Keystore(error) => error.into(),
            NodeError::Storage(error) => error.into(),
            NodeError::Action(error) => error.into(),
            NodeError::NoSuchGroup => Self::new(Exit::Failed, "no-such-group", error),
            NodeError::ProfileIncomplete => Self::new(Exit::Damaged, "profile-damaged", error),
            NodeError::Import(ImportError::Bundle(error)) => {
                let code = if error.is_damage() {
                    Exit::Damaged
                } else {
                    Exit::Failed
                };
                Self::new(code, "copy", error)
            }
            NodeError::Import(ImportError::Pabulib(error)) => Self::new(Exit::Failed, "pabulib", error),
            NodeError::Import(error) => Self::new(Exit::Failed, "copy", error),
            NodeError::Backup(error) => error.into(),
        }
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let (exit, code) = match &error {
            BackupError::Io(source) if source.kind() == std::io::ErrorKind::StorageFull => {
                (Exit::Failed, "disk-full")
            }
            BackupError::Io(_) => (Exit::Failed, "file"),
            BackupError::NotABackup => (Exit::Failed, "not-a-backup"),
            BackupError::Newer(_) => (Exit::Failed, "newer"),
            BackupError::CutOff | BackupError::Damaged => (Exit::Damaged, "backup-damaged"),
            BackupError::InProfile => (Exit::Usage, "backup-in-profile"),
            BackupError::Stopped | BackupError::Keystore(_) => (Exit::Failed, "stopped"),
        };
        // It has a code of its own.
        if let BackupError::Keystore(error) = error {
            return error.into();
        }
        Self::new(exit, code, error)
    }
}

impl From<DeviceTextError> for Failure {
    fn from(error: DeviceTextError) -> Self {
        let (exit, code) = match error {
            DeviceTextError::OtherText => (Exit::Usage, "not-a-device-text"),
            DeviceTextError::CutOff => (Exit::Damaged, "invitation-damaged"),
            DeviceTextError::Newer => (Exit::Failed, "newer"),
        };
        Self::new(exit, code, error)
    }
}

impl From<DeviceFailure> for Failure {
    fn from(error: DeviceFailure) -> Self {
        let (exit, code) = match error {
            DeviceFailure::Net(error) => return error.into(),
            DeviceFailure::Node(error) => return error.into(),
            DeviceFailure::Unreachable => (Exit::Unreachable, "unreachable"),
            DeviceFailure::Refused(DeviceRefusal::Expired) => (Exit::Failed, "invitation-expired"),
            DeviceFailure::Refused(DeviceRefusal::Used) => (Exit::Failed, "invitation-used"),
            DeviceFailure::Refused(DeviceRefusal::Disagreed) => (Exit::Failed, "codes-differ"),
            DeviceFailure::Refused(_) => (Exit::Failed, "not-admitted"),
            DeviceFailure::NotTheFirst => (Exit::Failed, "not-the-first"),
            DeviceFailure::OtherPerson => (Exit::Failed, "other-person"),
            DeviceFailure::Lost => (Exit::Failed, "unfinished"),
            DeviceFailure::Unusable => (Exit::Failed, "join"),
        };
        Self::new(exit, code, error)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let (exit, code) = match &error {
            StorageError::Full => (Exit::Failed, "disk-full"),
            StorageError::Damaged(_) => (Exit::Damaged, "profile-damaged"),
            StorageError::Failed(_) => (Exit::Failed, "store"),
        };
        Self::new(exit, code, error)
    }
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        let code = match error {
            ActionError::Author(AuthorError::Replica(ReplicaError::Storage(error))) => return error.into(),
            ActionError::Author(AuthorError::Replica(ReplicaError::Document(_))) => {
                return Self::new(Exit::Damaged, "profile-damaged", error);
            }
            ActionError::Author(AuthorError::Replica(
                ReplicaError::NotWriting | ReplicaError::JournalFull,
            )) => "not-admitted",
            ActionError::Author(AuthorError::Replica(
                ReplicaError::NotAllowed(_) | ReplicaError::MayNotWrite(_),
            )) => "not-allowed",
            ActionError::Author(AuthorError::Replica(
                ReplicaError::OwnWorkRefused(_) | ReplicaError::RekeyDue,
            )) => "refused",
            ActionError::Author(AuthorError::Replica(ReplicaError::NoGroup)) => "no-such-group",
            ActionError::Author(AuthorError::Write(_)) | ActionError::TooLong { .. } => "does-not-fit",
            ActionError::TooMuchLeft(_) => "too-much-left",
            ActionError::TooManyToErase { .. } => "too-many-to-erase",
            ActionError::NotFound { .. } => "not-found",
            ActionError::Poll(_) => "poll",
            ActionError::Ballot(_) => "ballot",
            ActionError::Splice(SpliceError::UnknownHeads) => "unknown-heads",
            ActionError::Splice(_) => "splice",
            ActionError::PollClosed => "poll-closed",
            ActionError::NotAnElector => "not-an-elector",
            ActionError::NotACounter { .. } => "not-a-counter",
        };
        Self::new(Exit::Failed, code, error)
    }
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        match error {
            NetError::Bind(_) => Self::new(Exit::Failed, "network", error),
            NetError::Node(error) => error.into(),
        }
    }
}

impl From<InvitationError> for Failure {
    fn from(error: InvitationError) -> Self {
        let (exit, code) = match error {
            InvitationError::NotAnInvitation => (Exit::Usage, "not-an-invitation"),
            InvitationError::CutOff => (Exit::Damaged, "invitation-damaged"),
            InvitationError::Newer => (Exit::Failed, "newer"),
            InvitationError::OwnDevice => (Exit::Usage, "own-device"),
        };
        Self::new(exit, code, error)
    }
}

impl From<JoinFailure> for Failure {
    fn from(error: JoinFailure) -> Self {
        use kiez_core::replica::wire::JoinRefusal;
        let (exit, code) = match error {
            JoinFailure::Net(error) => return error.into(),
            JoinFailure::Node(error) => return error.into(),
            JoinFailure::Unreachable => (Exit::Unreachable, "unreachable"),
            JoinFailure::Expired | JoinFailure::Refused(JoinRefusal::Expired) => {
                (Exit::Failed, "invitation-expired")
            }
            JoinFailure::Refused(JoinRefusal::Used) => (Exit::Failed, "invitation-used"),
            JoinFailure::AlreadyHere | JoinFailure::Refused(JoinRefusal::AlreadyAMember) => {
                (Exit::Failed, "already-a-member")
            }
            JoinFailure::Vouchers { .. } | JoinFailure::Refused(JoinRefusal::Vouchers) => {
                (Exit::Failed, "vouchers")
            }
            JoinFailure::Refused(_) => (Exit::Failed, "not-admitted"),
            JoinFailure::Join(_) => (Exit::Failed, "join"),
        };
        Self::new(exit, code, error)
    }
}
