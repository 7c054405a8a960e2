// Written by hand after the contract; ts-rs will write this file.
import type { DoorState } from "./DoorState";
import type { GroupCard } from "./GroupCard";

export type Door = { state: DoorState, name: string | null, groups: Array<GroupCard>, person: string | null, device: string | null, wordsNoted: boolean, };
