// Written by hand after the contract; ts-rs will write this file.
import type { IdeaRef } from "./IdeaRef";
import type { Person } from "./Person";
import type { PollMethod } from "./PollMethod";
import type { PollState } from "./PollState";

export type PollCard = { id: string, idea: IdeaRef, question: string, method: PollMethod, options: Array<string>, state: PollState, openedBy: Person, at: number, eligible: number, cast: number, mine: Array<string> | null, mayVote: boolean, mayClose: boolean, };
