//! What can be typed about the group itself.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TemplateName {
    /// Friends and neighbours: any member invites, who opens a vote counts it.
    Circle,
    /// An association: stewards invite, the stewards count, a quorum binds.
    Association,
    /// A citizens' jury with a fund.
    Jury,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// Who was in the group and is not.
    Former,
    /// Of whom more is offered than one may write: it is not taken in yet.
    PutOff,
    /// Who asks to come in and needs members who have met them.
    Asking,
    /// Say that you have met somebody who asks.
    Vouch {
        /// The id that `kiez people asking` shows, or the beginning of it.
        ask: String,
    },
    /// Leave the group. What you have written stays.
    Leave {
        /// Without being asked.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CharterCommand {
    /// The rules of the group.
    Show,
    /// The rules that a group can begin with.
    Templates,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InvitationCommand {
    /// Invitations that nobody has used yet.
    List,
    /// Take one of yours back.
    Withdraw {
        /// Its id, or the beginning of it.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MotionCommand {
    /// Propose something. Your signature counts at once.
    Propose(ProposeArgs),
    /// List all motions, the newest first.
    List,
    /// One motion. Of one that would erase something: what would be left.
    Show {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Sign one.
    Sign {
        /// Its id, or the beginning of it.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ProposeArgs {
    #[command(subcommand)]
    pub(crate) what: ProposeCommand,
    /// Why.
    #[arg(long, global = true, default_value = "", value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProposeCommand {
    /// A member counts in majorities of persons.
    Confirm {
        /// A name, an id, or the beginning of one.
        person: String,
    },
    /// A member becomes a steward.
    Steward {
        /// A name, an id, or the beginning of one.
        person: String,
    },
    /// An observer becomes a member, a steward becomes a member again.
    Member {
        /// A name, an id, or the beginning of one.
        person: String,
    },
    /// A member or steward becomes an observer.
    Observer {
        /// A name, an id, or the beginning of one.
        person: String,
    },
    /// Somebody is removed from the group.
    Remove {
        /// A name, an id, or the beginning of one.
        person: String,
    },
    /// An invitation ends.
    Revoke {
        /// Its id, or the beginning of it.
        invitation: String,
    },
    /// A rule changes: `inviters members|stewards`, `vouchers N`, `counters opener|stewards`, `quorum N/M`, `fund none`, or `fund
    /// drawn|named N/M [CAP]`.
    Charter {
        /// The rule, and what it is to be.
        #[arg(required = true, num_args = 2..=4, value_name = "RULE TO")]
        rule: Vec<String>,
    },
    /// An idea, or a comment on it, is hidden from everybody who does not ask for it.
    Hide {
        /// The idea's id, or the beginning of it.
        idea: String,
        /// A comment's id, or the beginning of it.
        #[arg(long, value_name = "ID")]
        comment: Option<String>,
    },
    /// An idea, or a comment on it, that was hidden is shown again.
    Show {
        /// The idea's id, or the beginning of it.
        idea: String,
        /// A comment's id, or the beginning of it.
        #[arg(long, value_name = "ID")]
        comment: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum EraseCommand {
    /// What is your own in the group: comments, your name, or all of it; and what stood there before. It asks for your
    /// passphrase.
    Mine {
        /// Everything of your own: your name and all your comments. Votes stand.
        #[arg(long, conflicts_with_all = ["name", "comments"])]
        all: bool,
        /// What you are called.
        #[arg(long)]
        name: bool,
        /// A comment's id, or the beginning of it; for each.
        #[arg(long = "comment", value_name = "ID")]
        comments: Vec<String>,
        /// Without being asked.
        #[arg(long)]
        yes: bool,
    },
    /// Propose to the council to erase what stood in an idea before: edit it first, what stands there now stays.
    Idea {
        /// Its id, or the beginning of it.
        id: String,
        /// Why.
        #[arg(long, default_value = "", value_name = "TEXT")]
        reason: String,
        /// Without being asked.
        #[arg(long)]
        yes: bool,
    },
    /// What was erased so far, by whom and why.
    List,
    /// What you wrote before you knew of an erasure. It does not count: write it again, if it is still to be said.
    Late,
}
