// Written by hand after the contract; ts-rs will write this file.
import type { Count } from "./Count";
import type { Fingerprint } from "./Fingerprint";
import type { Person } from "./Person";
import type { PollCard } from "./PollCard";

export type PollPage = { card: PollCard, counts: Array<Count> | null, winners: Array<string>, quorumReached: boolean | null, fingerprint: Fingerprint | null, twice: Array<Person>, notYet: Array<Person>, };
