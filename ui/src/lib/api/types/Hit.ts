// Written by hand after the contract; ts-rs will write this file.
import type { HitKind } from "./HitKind";
import type { IdeaRef } from "./IdeaRef";

export type Hit = { kind: HitKind, id: string, title: string, idea: IdeaRef | null, };
