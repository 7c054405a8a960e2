// Written by hand after the contract; ts-rs will write this file.
import type { CommentCard } from "./CommentCard";
import type { HistoryItem } from "./HistoryItem";
import type { IdeaCard } from "./IdeaCard";
import type { Person } from "./Person";
import type { PollCard } from "./PollCard";
import type { SeenBy } from "./SeenBy";
import type { TaskCard } from "./TaskCard";
import type { Text } from "./Text";

export type IdeaPage = { card: IdeaCard, body: Text, title: Text, comments: Array<CommentCard>, polls: Array<PollCard>, tasks: Array<TaskCard>, history: Array<HistoryItem>, writers: Array<Person>, seenBy: SeenBy, mayWrite: boolean, };
