// Written by hand after the contract; ts-rs will write this file.
import type { IdeaRef } from "./IdeaRef";
import type { Person } from "./Person";
import type { TaskState } from "./TaskState";

export type TaskCard = { id: string, title: string, idea: IdeaRef | null, assignees: Array<Person>, mine: boolean, due: string | null, state: TaskState, };
