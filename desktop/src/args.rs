//! What can be typed: commands, their arguments and options. `docs/cli.md` tells the same in words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod council;

pub(crate) use council::{
    CharterCommand, EraseCommand, InvitationCommand, MotionCommand, PeopleCommand, ProposeArgs,
    ProposeCommand, TemplateName,
};

/// Kiez: neighbours organise themselves, without a server and without the internet. Without a command it opens its window.
#[derive(Debug, Parser)]
#[command(name = "kiez", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// The profile's folder [default: kiez in the user's data folder].
    #[arg(long, global = true, env = "KIEZ_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Which group; needed where the profile has more than one. An id, or the beginning of one.
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) group: Option<String>,
    /// Answer as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do. Without a command: open the window.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// This person on this device.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Groups: found one, list them, show one.
    #[command(subcommand)]
    Group(GroupCommand),
    /// Make an invitation for one neighbour.
    Invite {
        /// What they will be.
        #[arg(long, value_enum, default_value_t = InvitedRole::Member)]
        role: InvitedRole,
    },
    /// Join a group with an invitation. The inviting device must be running `kiez sync --listen`.
    Join {
        /// The invitation.
        invitation: String,
        /// How many seconds to wait for the inviting device.
        #[arg(long, default_value_t = 60, value_name = "S")]
        timeout: u64,
    },
    /// Who is in the group; without a further word, a list.
    People {
        #[command(subcommand)]
        command: Option<PeopleCommand>,
    },
    /// The rules of the group.
    Charter {
        #[command(subcommand)]
        command: Option<CharterCommand>,
    },
    /// What the council has before it: propose, list, sign.
    #[command(subcommand)]
    Motion(MotionCommand),
    /// Erase what is your own, or propose to erase what stood in an idea; list what was erased.
    #[command(subcommand)]
    Erase(EraseCommand),
    /// Invitations that nobody has used yet.
    #[command(subcommand)]
    Invitation(InvitationCommand),
    /// Ideas: write one down, list, read, edit, comment.
    #[command(subcommand)]
    Idea(IdeaCommand),
    /// Votes: open, cast, close, result.
    #[command(subcommand)]
    Poll(PollCommand),
    /// Tasks: add, list, done.
    #[command(subcommand)]
    Task(TaskCommand),
    /// Exchange what is new with the others' devices.
    Sync(SyncArgs),
    /// Show Kiez in a browser on this computer.
    Serve(ServeArgs),
    /// What is here, and what others have of it.
    Status,
    /// Find ideas, comments and tasks.
    Search {
        /// What to look for.
        text: String,
    },
    /// Copy the group into a file, for a stick.
    Export {
        /// The file to write.
        file: PathBuf,
    },
    /// Write a backup of the whole profile, sealed under its passphrase: to be this person again, with all groups.
    Backup {
        /// The file to write, best on a stick.
        file: PathBuf,
    },
    /// Be somebody again: make a profile of a backup or of recovery words.
    Recover(RecoverArgs),
    /// This person's further computers.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Take in a copy of a group.
    Import {
        /// The file to read.
        file: PathBuf,
    },
    /// Take the projects of a participatory budget (Pabulib) as ideas.
    ImportPabulib {
        /// The .pb file to read.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen. Port 0: any that is free.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    pub(crate) listen: std::net::SocketAddr,
    /// Let other computers in, over a connection that others on the same network can read.
    #[arg(long)]
    pub(crate) beyond_this_computer: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Make a new profile.
    New {
        /// Your name, as the others will see it.
        name: String,
    },
    /// Show it.
    Show,
    /// Show the recovery words: write them down, and keep them where nobody else looks.
    Words,
    /// Change the passphrase.
    Passphrase,
    /// Lock the profile in window and browser after so many minutes without you, or `never`.
    LockAfter {
        /// Minutes, or `never`.
        minutes: String,
    },
    /// Erase the profile from this computer. What others have of it, they keep.
    Erase {
        /// Without being asked.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("from").required(true))]
pub(crate) struct RecoverArgs {
    /// From a backup. It is opened with the passphrase that the profile had; the new one has the same.
    #[arg(long, value_name = "FILE", group = "from")]
    pub(crate) backup: Option<PathBuf>,
    /// From the 24 recovery words, on standard input. Your groups come back on an invitation to each.
    #[arg(long, group = "from", requires = "name")]
    pub(crate) words: bool,
    /// Your name, as the others will see it; with `--words`.
    #[arg(long, conflicts_with = "backup")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Your computers, in all groups.
    List,
    /// A computer of yours is lost: it may not write in any of your groups any more.
    Retire {
        /// Its id, or the beginning of it.
        device: String,
    },
    /// On your first computer: show a text for the new one, and wait for it.
    Add,
    /// On the new computer: become a further one of the person who shows the text.
    Join {
        /// The text.
        text: String,
        /// How many seconds to look for the first computer.
        #[arg(long, default_value_t = 60, value_name = "S")]
        timeout: u64,
    },
    /// A step of `add`, in the process that has the profile open: make the text.
    #[command(hide = true)]
    Offer,
    /// A step of `add`: how it stands.
    #[command(hide = true)]
    Standing,
    /// A step of `add`: the codes agree.
    #[command(hide = true)]
    Agree,
    /// A step of `add`: they do not.
    #[command(hide = true)]
    Disagree,
    /// A step of `add`: no longer.
    #[command(hide = true)]
    Withdraw,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Found a group.
    Found {
        /// Its name.
        name: String,
        /// What it is for.
        #[arg(long, default_value = "", value_name = "TEXT")]
        purpose: String,
        /// Which rules it begins with.
        #[arg(long, value_enum, default_value_t = TemplateName::Circle)]
        template: TemplateName,
    },
    /// List the groups of this profile.
    List,
    /// Show the group.
    Show,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InvitedRole {
    /// A neighbour with every right but the stewards'.
    Member,
    /// May read and comment, not vote.
    Observer,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IdeaCommand {
    /// Write down an idea.
    Add {
        /// One line.
        title: String,
        /// A file with its text (`-`: standard input).
        #[arg(long, value_name = "FILE")]
        body: Option<PathBuf>,
        /// What it would cost, in whole units of the group's currency.
        #[arg(long, value_name = "N")]
        cost: Option<String>,
        /// Where: latitude and longitude in degrees.
        #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
        place: Option<String>,
    },
    /// List all ideas.
    List,
    /// Show one idea with all that belongs to it.
    Show {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Change its text to that of a file: only what differs is changed.
    Edit {
        /// Its id, or the beginning of it.
        id: String,
        /// The file (`-`: standard input).
        #[arg(long, value_name = "FILE")]
        body: PathBuf,
    },
    /// Say something about it.
    Comment {
        /// Its id, or the beginning of it.
        id: String,
        /// What to say.
        text: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PollMethod {
    /// Yes, no or abstain.
    YesNo,
    /// Any number of the options.
    Approval,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PollCommand {
    /// Open a vote about an idea. The question is its title.
    Open {
        /// The idea's id, or the beginning of it.
        idea: String,
        /// How it is answered and counted.
        #[arg(long, value_enum, default_value_t = PollMethod::YesNo)]
        method: PollMethod,
        /// An option, for each.
        #[arg(long = "option", value_name = "TEXT")]
        options: Vec<String>,
    },
    /// List all votes.
    List,
    /// Answer: yes, no or abstain; or any number of options, each by its text or its number.
    Cast {
        /// The vote's id, or the beginning of it.
        poll: String,
        /// The answers.
        answers: Vec<String>,
    },
    /// Close a vote: what this device holds is what counts.
    Close {
        /// The vote's id, or the beginning of it.
        poll: String,
    },
    /// How a vote stands; once it is closed, its result.
    Result {
        /// The vote's id, or the beginning of it.
        poll: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// Add a task.
    Add {
        /// One line.
        title: String,
        /// The idea it belongs to.
        #[arg(long, value_name = "ID")]
        idea: Option<String>,
        /// Who does it: a name, an id, or the beginning of one.
        #[arg(long = "for", value_name = "PERSON")]
        assignee: Option<String>,
        /// Until when: year-month-day.
        #[arg(long, value_name = "DATE")]
        due: Option<String>,
    },
    /// List all tasks.
    List,
    /// Say that a task is to be done, also where it was done already.
    Open {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Say that somebody is at a task.
    Doing {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Say that a task is done.
    Done {
        /// Its id, or the beginning of it.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// End when everybody who can be reached has the same (the default).
    #[arg(long, conflicts_with = "listen")]
    pub(crate) until_idle: bool,
    /// Stay, answer others and joiners, and exchange what is new until stopped with Ctrl-C.
    #[arg(long)]
    pub(crate) listen: bool,
}
