// Written by hand after the contract; ts-rs will write this file.
import type { IdeaState } from "./IdeaState";
import type { Person } from "./Person";
import type { Place } from "./Place";

export type IdeaCard = { id: string, plate: number | null, plateWas: number | null, title: string, author: Person | null, at: number, changedAt: number, cost: number | null, place: Place | null, categories: Array<string>, targets: Array<string>, state: IdeaState, comments: number, unread: boolean, firstWords: string, };
