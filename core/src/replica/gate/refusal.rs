//! Why a change is refused: one name a rule; and every limit of size that the gate sets.

use crate::domain::id::ChangeId;

/// The most bytes one change may have.
pub const CHANGE_BYTES_MAX: usize = 1 << 20;
/// The most operations one change may have.
pub const CHANGE_OPS_MAX: usize = 200_000;
/// The most predecessors that all operations of one change may name together.
pub const CHANGE_PREDS_MAX: usize = 400_000;
/// The most changes that one change may name as its dependencies.
pub const CHANGE_DEPS_MAX: usize = 1024;
/// The most journals, besides its author's, whose operations one change may name.
pub const CHANGE_ACTORS_MAX: usize = 1024;
/// The longest message of a change, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4096;
/// The most begins and ends of marks in one change. Each costs a walk through its text.
pub const CHANGE_MARKS_MAX: usize = 8192;
/// The most steps that the order of a change's marks may take to find, in runs of the text above them.
pub const MARK_STEPS_MAX: usize = 1_000_000;
/// How deep objects may lie in each other; the root is depth 0. Automerge's `hydrate` and serde walk them recursively.
pub const OBJECT_DEPTH_MAX: usize = 64;
/// The greatest number of an operation: Automerge keeps it in 32 bits, and sums of two must not overflow.
pub const OP_NUMBER_MAX: u64 = (1 << 31) - 1;
/// The farthest time from 1970 that a change may claim, either way. Automerge stores differences of two times.
pub const CHANGE_TIME_MAX: i64 = (1 << 53) - 1;
/// The greatest value a counter may begin with, either way; what JavaScript holds exactly.
pub const COUNTER_START_MAX: i64 = (1 << 53) - 1;
/// The greatest single step of a counter, either way: Automerge adds them up without a check for overflow.
pub const COUNTER_STEP_MAX: i64 = (1 << 32) - 1;

/// Why a change is refused. The name is the rule; the text is for logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    // -- the chunk
    /// Over [`CHANGE_BYTES_MAX`].
    #[error("the change is too large")]
    TooLarge,
    /// It ends too early.
    #[error("the change is cut off")]
    Truncated,
    /// It does not begin with Automerge's magic bytes.
    #[error("not an Automerge chunk")]
    NotAChunk,
    /// A saved document.
    #[error("a document chunk, not a change")]
    DocumentChunk,
    /// A deflated change.
    #[error("a deflated change")]
    DeflatedChunk,
    /// A bundle of changes.
    #[error("a bundle chunk, not a change")]
    BundleChunk,
    /// A chunk of a type that we do not know.
    #[error("a chunk of unknown type")]
    UnknownChunk,
    /// Bytes follow the chunk.
    #[error("bytes after the chunk")]
    TrailingBytes,
    /// The checksum is not that of the contents.
    #[error("the checksum is wrong")]
    ChecksumWrong,
    /// A number is not written in its shortest form, or does not fit.
    #[error("a number is not in its shortest form")]
    NumberNotCanonical,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    TextNotUtf8,
    /// Automerge itself does not read it, or reads something else. Not known to happen.
    #[error("Automerge does not read it")]
    Unreadable,

    // -- the head of the change
    /// Over [`CHANGE_DEPS_MAX`].
    #[error("too many dependencies")]
    TooManyDeps,
    /// Dependencies are not in rising order, or one is named twice.
    #[error("the dependencies are not sorted")]
    DepsNotSorted,
    /// The author of the change is not the journal that carries it.
    #[error("the change is under another actor")]
    ActorForeign,
    /// Over [`CHANGE_ACTORS_MAX`].
    #[error("too many actors")]
    TooManyActors,
    /// The table of other actors is not in rising order, or names the author or one actor twice.
    #[error("the table of actors is not sorted")]
    ActorsNotSorted,
    /// The table of other actors names one that no operation uses.
    #[error("an actor in the table is not used")]
    ActorUnused,
    /// Over [`MESSAGE_BYTES_MAX`].
    #[error("the message is too long")]
    MessageTooLong,
    /// Beyond [`CHANGE_TIME_MAX`].
    #[error("the time is out of range")]
    TimeOutOfRange,
    /// Bytes follow the columns: an author footer or anything else.
    #[error("bytes after the columns")]
    ExtraBytes,

    // -- the columns
    /// A column that we do not know.
    #[error("an unknown column")]
    ColumnUnknown,
    /// A deflated column.
    #[error("a deflated column")]
    ColumnDeflated,
    /// Columns are not in rising order, or one is there twice.
    #[error("the columns are not sorted")]
    ColumnsNotSorted,
    /// A column is not as Automerge's own writer makes it.
    #[error("a column is not in its canonical form")]
    ColumnNotCanonical,
    /// Columns do not have the same number of rows.
    #[error("the columns differ in length")]
    ColumnLengthsDiffer,
    /// Over [`CHANGE_OPS_MAX`].
    #[error("too many operations")]
    TooManyOps,
    /// Over [`CHANGE_PREDS_MAX`].
    #[error("too many predecessors")]
    TooManyPreds,
    /// Over [`CHANGE_MARKS_MAX`].
    #[error("too many marks")]
    TooManyMarks,

    // -- each operation alone
    /// An operation names an actor that is not in the table.
    #[error("an actor that is not in the table")]
    ActorUnknown,
    /// An id of an operation, an object or an element is half there, zero, or out of range.
    #[error("a malformed id")]
    IdMalformed,
    /// A key is neither a key of a map nor an element of a list, or both.
    #[error("a malformed key")]
    KeyMalformed,
    /// An action that we do not know.
    #[error("an unknown action")]
    ActionUnknown,
    /// A table is made; Automerge 0.12 panics on what is written into one.
    #[error("a table")]
    TableMade,
    /// A value of a type that we do not know.
    #[error("a value of unknown type")]
    ValueUnknown,
    /// A value whose bytes do not fit its type.
    #[error("a malformed value")]
    ValueMalformed,
    /// A value where its action takes none, or none of the type it takes.
    #[error("a value that does not fit the action")]
    ValueMisplaced,
    /// A mark's name or expansion on what is not a mark.
    #[error("a mark's name or expansion on what is no mark")]
    MarkMisplaced,
    /// Predecessors are not in rising order, or one is named twice.
    #[error("the predecessors are not sorted")]
    PredsNotSorted,
    /// A deletion or an increment that inserts, an insertion into a map, or a mark that does not insert.
    #[error("an insertion that does not fit the action")]
    InsertMisplaced,
    /// An insertion that replaces something.
    #[error("an insertion with predecessors")]
    InsertWithPreds,
    /// An operation that must replace something and does not: its id would be lost on saving.
    #[error("no predecessors")]
    PredsMissing,
    /// A change at the head of a list that inserts nothing.
    #[error("the head of a list is no element")]
    HeadNotInserted,
    /// Beyond [`COUNTER_START_MAX`] or [`COUNTER_STEP_MAX`].
    #[error("a counter out of range")]
    CounterOutOfRange,
    /// A mark's end that does not directly follow its begin, or a begin without an end.
    #[error("a mark without its pair")]
    MarkUnpaired,

    // -- its place in the past
    /// This change is in the document already. No fault: skip it.
    #[error("the change is held already")]
    AlreadyHeld,
    /// Another change of this author has this number in the document: the author wrote twice from one state.
    #[error("another change has this number")]
    SeqTaken,
    /// Its number is not one more than its author's last in its past.
    #[error("the sequence number is not the next")]
    SeqNotNext,
    /// The author's previous change is not among its direct dependencies.
    #[error("the own previous change is not a dependency")]
    OwnPreviousMissing,
    /// Its first operation is not one more than the greatest of its dependencies.
    #[error("the first operation's number is not the next")]
    StartOpNotNext,
    /// Beyond [`OP_NUMBER_MAX`].
    #[error("an operation's number is out of range")]
    OpNumberOutOfRange,

    // -- what its operations name
    /// An object that is not in its past.
    #[error("an object that is not in the past")]
    ObjectUnknown,
    /// An operation that made no object is named as one.
    #[error("not an object")]
    NotAnObject,
    /// Over [`OBJECT_DEPTH_MAX`].
    #[error("objects lie too deep in each other")]
    TooDeep,
    /// A key of a map in a list, or an element of a list in a map.
    #[error("a key that does not fit the object")]
    KeyWrongType,
    /// An element that is not in its past.
    #[error("an element that is not in the past")]
    ElementUnknown,
    /// An operation that inserted nothing is named as an element.
    #[error("not an element")]
    NotAnElement,
    /// An element of another object.
    #[error("an element of another object")]
    ElementElsewhere,
    /// A mark is overwritten or deleted.
    #[error("a mark cannot be overwritten")]
    ElementIsMark,
    /// A predecessor that is not in its past, or that stands for no value: a deletion or an increment.
    #[error("a predecessor that is not in the past")]
    PredUnknown,
    /// A predecessor in another object, or under another key or element.
    #[error("a predecessor elsewhere")]
    PredElsewhere,
    /// An increment of what is no counter.
    #[error("an increment without a counter")]
    CounterMissing,
    /// An object is put over an element of a text.
    #[error("an object over a text's element")]
    ObjectInText,
    /// A value is put over an element of a text: Automerge 0.12 panics on applying some of what takes it away again.
    #[error("a value over a text's element")]
    ValueInText,
    /// An increment in a text: Automerge 0.12 then panics on reading what stands there.
    #[error("an increment in a text")]
    IncrementInText,
    /// A mark outside of a text.
    #[error("a mark outside of a text")]
    MarkOutsideText,
    /// Finding the order of its marks takes more than [`MARK_STEPS_MAX`].
    #[error("the marks take too long to check")]
    MarksTooCostly,
    /// A mark that ends before it begins; the document could not be loaded again.
    #[error("a mark ends before it begins")]
    MarkEndsBeforeBegin,
}

/// The id of a change as Automerge's hash gives it.
pub(super) fn id_of(hash: automerge::ChangeHash) -> ChangeId {
    ChangeId(hash.0)
}
