//! A limit on everything that comes from outside, in one place. Bytes unless the name says otherwise.

/// Control entries one entry names in `seen`.
pub const SEEN_MAX: usize = 256;

/// The plain payload of one entry.
pub const PAYLOAD_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Automerge changes in one content entry.
pub const CHANGES_PER_ENTRY_MAX: usize = 64;

/// One frame of a session, its length field not counted.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The first frame of whoever dials: a greeting or a request to join, its length field not counted.
pub const FIRST_FRAME_BYTES_MAX: usize = 4 * 1024;

/// Frames that wait for a peer to take them; no more is read from it until they are fewer. Above [`BUNDLE_BYTES_MAX`], so
/// that two who send each other everything both go on reading.
pub const OUTGOING_BYTES_MAX: usize = 288 * 1024 * 1024;

/// Entries in one frame.
pub const ENTRIES_PER_FRAME_MAX: usize = 20_000;

/// How much of sealed payload a sender packs into one frame before it starts the next.
pub const FRAME_FILL_BYTES: usize = 256 * 1024;

/// Journals in one group: in a frontier, in a bundle.
pub const JOURNALS_MAX: usize = 20_000;

/// Journals fewer than that which a device takes in from others, with their branches: room for those that its own grants need.
pub const JOURNALS_RESERVE: usize = 100;

/// Journals of which a device cannot read what lets them begin.
pub const UNREAD_JOURNALS_MAX: usize = 256;

/// Branches kept aside in one group.
pub const BRANCHES_MAX: usize = 5_000;

/// Branches of one journal kept aside, but for what others build on.
pub const JOURNAL_BRANCHES_MAX: usize = 100;

/// Entries of one journal that are sent as entries; whoever lacks more gets a bundle.
pub const TAIL_ENTRIES_MAX: usize = 2_000;

/// Entries of one person that are taken in at once, as long as anything is left of them.
pub const BURST_ENTRIES: u64 = 50_000;

/// Bytes of one person that are taken in at once, as long as anything is left of them.
pub const BURST_BYTES: u64 = 64 * 1024 * 1024;

/// How many entries of one person more are taken in with each hour.
pub const HOURLY_ENTRIES: u64 = 5_000;

/// How many bytes of one person more are taken in with each hour.
pub const HOURLY_BYTES: u64 = 8 * 1024 * 1024;

/// As many entries a journal counts that begins.
pub const OPENING_ENTRIES: u64 = 25;

/// As many entries an act or a motion to erase counts: everybody judges everything anew for it.
pub const ERASURE_ENTRIES: u64 = 100;

/// Entries kept of one person that lie beyond the end of their journals.
pub const QUARANTINE_ENTRIES: u64 = 10_000;

/// Bytes kept of one person that lie beyond the end of their journals.
pub const QUARANTINE_BYTES: u64 = 16 * 1024 * 1024;

/// Entries in one journal: a device writes no more in a group, and of a longer one little is taken. A neighbourhood of two hundred writes some forty thousand a year.
pub const JOURNAL_ENTRIES_MAX: u64 = 500_000;

/// Bytes in one journal, as they are kept.
pub const JOURNAL_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Hours for which whoever wrote more than that at once has to wait at the most.
pub const DEBT_HOURS_MAX: u64 = 24;

/// Entries of a journal kept on branches that do not count.
pub const ASIDE_ENTRIES_MAX: usize = 10_000;

/// A bundle, sealed and compressed.
pub const BUNDLE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A bundle once it is unpacked.
pub const BUNDLE_PLAIN_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Entries in one bundle.
pub const BUNDLE_ENTRIES_MAX: usize = 4_000_000;

/// One piece of a bundle on its way through a session.
pub const BUNDLE_PART_BYTES: usize = 256 * 1024;

/// What stands before a group in a backup: its keys, and where its devices were.
pub const BACKUP_PART_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Membership proofs in a greeting, padded to this number.
pub const PROOFS: usize = 16;

/// The text of an idea.
pub const BODY_BYTES_MAX: usize = 512 * 1024;

/// One line: a title, a name.
pub const LINE_BYTES_MAX: usize = 1_000;

/// A comment.
pub const COMMENT_BYTES_MAX: usize = 64 * 1024;

/// Words on a list: categories, target groups.
pub const WORDS_MAX: usize = 100;

/// An invitation as text.
pub const INVITATION_BYTES_MAX: usize = 4 * 1024;

/// Addresses in an invitation.
pub const ADDRESSES_MAX: usize = 16;

/// Why something is proposed to the council.
pub const REASON_BYTES_MAX: usize = 4 * 1024;

/// Entries that one act erases.
pub const ERASED_ENTRIES_MAX: usize = 40_000;

/// Boxes with keys in one entry.
pub const BOXES_MAX: usize = 10_000;

/// Journals in one cut: those of one person or one device.
pub const CUT_JOURNALS_MAX: usize = 1_000;

/// What a group says about itself.
pub const PURPOSE_BYTES_MAX: usize = 16 * 1024;

/// The notes of a task.
pub const NOTES_BYTES_MAX: usize = 64 * 1024;

/// One word on a list.
pub const WORD_BYTES_MAX: usize = 200;

/// Comments in one person's document.
pub const COMMENTS_MAX: usize = 20_000;

/// Tasks on one board.
pub const TASKS_MAX: usize = 10_000;

/// People who do one task.
pub const ASSIGNEES_MAX: usize = 200;

/// Polls one person opened, ballots they cast, closes they signed.
pub const POLLS_MAX: usize = 10_000;

/// Splices of a text that are made at once.
pub const SPLICES_MAX: usize = 10_000;

/// Documents that are looked through for news: those changed last.
pub const NEWS_DOCUMENTS_MAX: usize = 500;

/// What is told as news: the newest.
pub const NEWS_MAX: usize = 200;

/// What is told of an idea's history: the newest.
pub const HISTORY_MAX: usize = 1_000;

/// Versions of an idea that are told: the newest.
pub const VERSIONS_MAX: usize = 200;

/// Ideas in the group document that have a number.
pub const PLATES_MAX: usize = 100_000;

/// New numbers of ideas in one entry.
pub const PLATES_PER_ENTRY_MAX: usize = 1_000;

/// A ballot as it stands in a document.
pub const BALLOT_BYTES_MAX: usize = 1024;

/// A poll's record as it stands in a document.
pub const POLL_BYTES_MAX: usize = 512 * 1024;

/// A close as it stands in a document: a cut can name every journal.
pub const CLOSE_BYTES_MAX: usize = PAYLOAD_BYTES_MAX;

/// Things in one document that do not fit, as far as a reader names them.
pub const ODDITIES_MAX: usize = 100;

/// The last point in time that is shown: the end of the year 9999.
pub const TIMESTAMP_MAX: crate::domain::id::Timestamp = crate::domain::id::Timestamp(253_402_300_799_999);
