// Written by hand after the contract; ts-rs will write this file.
export type HitKind = "idea" | "comment" | "task" | "poll";
