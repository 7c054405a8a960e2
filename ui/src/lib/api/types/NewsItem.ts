// Written by hand after the contract; ts-rs will write this file.
import type { IdeaRef } from "./IdeaRef";
import type { NewsKind } from "./NewsKind";
import type { Person } from "./Person";

export type NewsItem = { kind: NewsKind, by: Person | null, at: number, idea: IdeaRef | null, text: string, new: boolean, };
