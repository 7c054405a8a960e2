// Written by hand after the contract; ts-rs will write this file.
import type { FirstStep } from "./FirstStep";
import type { GroupCard } from "./GroupCard";
import type { NewsItem } from "./NewsItem";
import type { Person } from "./Person";
import type { PersonReach } from "./PersonReach";
import type { PollCard } from "./PollCard";
import type { TaskCard } from "./TaskCard";

export type Today = { group: GroupCard, me: Person, openVotes: Array<PollCard>, myTasks: Array<TaskCard>, news: Array<NewsItem>, since: number | null, arrived: Array<PersonReach>, firstSteps: Array<FirstStep>, };
