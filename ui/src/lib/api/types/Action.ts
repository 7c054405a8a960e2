// Written by hand after the contract; ts-rs will write this file.
import type { Place } from "./Place";
import type { PollMethod } from "./PollMethod";
import type { Role } from "./Role";
import type { Splice } from "./Splice";
import type { TaskState } from "./TaskState";
import type { TextField } from "./TextField";

export type Action = { "act": "profile-new", name: string, passphrase: string } | { "act": "unlock", passphrase: string } | { "act": "lock" } | { "act": "restore", words: string, name: string, passphrase: string } | { "act": "found", name: string, purpose: string } | { "act": "example" } | { "act": "join", invitation: string } | { "act": "join-stop" } | { "act": "invite", group: string, role: Role } | { "act": "idea-add", group: string, title: string, body: string, cost: number | null, place: Place | null } | { "act": "idea-text", group: string, id: string, field: TextField, heads: string, splices: Array<Splice> } | { "act": "idea-cost", group: string, id: string, cost: number | null } | { "act": "idea-place", group: string, id: string, place: Place | null } | { "act": "comment", group: string, id: string, text: string } | { "act": "poll-open", group: string, idea: string, method: PollMethod, options: Array<string> } | { "act": "cast", group: string, poll: string, answers: Array<string> } | { "act": "poll-close", group: string, poll: string } | { "act": "task-add", group: string, title: string, idea: string | null, assignees: Array<string>, due: string | null } | { "act": "task-state", group: string, id: string, state: TaskState } | { "act": "seen", group: string } | { "act": "words-noted" } | { "act": "passphrase", old: string, new: string } | { "act": "name", name: string } | { "act": "look", group: string };
